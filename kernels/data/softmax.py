"""Passes of logistic regression over all rows, for two classes and for more.

Two classes have one score z_i and p_i = 1 / (1 + exp(-z_i)), the probability of class 1; K > 2 classes have a score and
a probability each. Arrays are (K, n), a class after the other, with K = 1 for two classes; y is the number of the
class, s >= 0 a weight per row. The loss is the sum of s_i (-log of the probability of y_i).

The dual of loss + penalty is the entropy of other probabilities, minus the penalty's conjugate (`entropy`, below).
"""

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, inlined, kernel
from ..numbers.elementary import exp, log, log1p
from .columns import column_dot
from .rows import Dense, Sparse, add_row, block_count, block_start, columns_of, row_dot, rows_of

SMALLEST = 1e-300  # x log(x + this) is 0 at 0


@kernel
def blocks_of(n):
    """The blocks of a pass over n rows."""
    return block_count(n)


def _scores(X, w, z):
    """z (K, n) of the coefficients w (K, p + 1), the last of them the intercept. X: by rows."""
    n, count = rows_of(X), block_count(rows_of(X))
    for b in prange(count):
        for i in range(block_start(n, count, b), block_start(n, count, b + 1)):
            for k in range(w.shape[0]):
                z[k, i] = row_dot(X, i, w[k])


scores = {Dense: kernel(_scores, flags=RELAXED, parallel=True), Sparse: kernel(_scores, parallel=True)}


@kernel(flags=RELAXED, parallel=True)
def probabilities(z, y, s, p, r):
    """The loss; p (K, n) become the probabilities, r (K, n) the derivatives of the loss by z, s (p - [y is k])."""
    n, count = s.size, block_count(s.size)
    loss = np.empty(count)
    for b in prange(count):
        first, last = block_start(n, count, b), block_start(n, count, b + 1)
        loss[b] = _two(z[0], y, s, p[0], r[0], first, last) if len(z) == 1 else _many(z, y, s, p, r, first, last)
    return _in_order(loss)


@inlined
def _two(z, y, s, p, r, first, last):
    loss = 0.0
    for i in range(first, last):
        small = exp(-abs(z[i]))  # no overflow
        p[i] = (1.0 if z[i] > 0.0 else small) / (1.0 + small)
        r[i] = s[i] * (p[i] - y[i])
        loss += s[i] * (log1p(small) + max(z[i], 0.0) - y[i] * z[i])
    return loss


@inlined
def _many(z, y, s, p, r, first, last):
    loss = 0.0
    for i in range(first, last):
        top = z[0, i]
        for k in range(1, len(z)):
            top = max(top, z[k, i])
        total = 0.0
        for k in range(len(z)):
            p[k, i] = exp(z[k, i] - top)
            total += p[k, i]
        for k in range(len(z)):
            p[k, i] /= total
            r[k, i] = s[i] * p[k, i]
        r[y[i], i] -= s[i]
        loss += s[i] * (log(total) + top - z[y[i], i])
    return loss


@kernel(flags=RELAXED, parallel=True)
def entropy(p, y, s, kept, shift, hardened):
    """The sum of s_i (-q log q) over all classes, q = hardened [y] + kept p + shift (K,); of two classes, of both."""
    n, count = s.size, block_count(s.size)
    sums = np.empty(count)
    for b in prange(count):
        total = 0.0
        for k in range(len(p)):
            own = k if len(p) > 1 else 1
            for i in range(block_start(n, count, b), block_start(n, count, b + 1)):
                q = kept * p[k, i] + shift[k] + (hardened if y[i] == own else 0.0)
                total -= s[i] * q * log(q + SMALLEST)
                if len(p) == 1:
                    rest = max(1.0 - q, 0.0)
                    total -= s[i] * rest * log(rest + SMALLEST)
        sums[b] = total
    return _in_order(sums)


@inlined
def _in_order(sums):
    total = 0.0
    for b in range(sums.size):
        total += sums[b]
    return total


# --- products with the design, transposed -------------------------------------------------------------------------


@kernel(flags=RELAXED, parallel=True)
def transposed_rows(X, v, partial, out):
    """out (K, p + 1) = v X, v (K, n), and the sums of v; partial (blocks, K, p + 1) is room. X: by rows."""
    n, count, p = rows_of(X), block_count(rows_of(X)), columns_of(X)
    for b in prange(count):
        partial[b] = 0.0
        for i in range(block_start(n, count, b), block_start(n, count, b + 1)):
            for k in range(len(v)):
                add_row(X, i, v[k, i], partial[b, k])
    for k in range(len(v)):
        for j in range(p + 1):
            out[k, j] = 0.0
        for b in range(count):
            for j in range(p + 1):
                out[k, j] += partial[b, k, j]


@kernel(parallel=True)
def transposed_columns(X, v, wanted, out):
    """The same for X by columns, of the columns that are wanted (p,); the others of out are left as they were."""
    p = columns_of(X)
    for j in prange(p):
        if wanted[j]:
            for k in range(len(v)):
                out[k, j] = column_dot(X, j, v[k])
    for k in range(len(v)):
        out[k, p] = v[k].sum()
