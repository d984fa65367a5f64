"""Proximal SAGA for softmax regression: one epoch, dense or sparse.

Defazio, Bach and Lacoste-Julien, NIPS 2014, in the form of the sum: with component i = n s_i f(x_i w), the last
residual r_i (K,) of each row kept, and average = sum_i r_i x_i,

    w <- prox(w - step (n (r_i - r_i old) x_i + average)),      average += (r_i - r_i old) x_i

prox is that of step (l1 |w|_1 + l2 |w|^2 / 2). In sparse rows a coefficient is moved when a row has it; what the steps
between would have done to it, under an average that did not change, is a formula (`drift`).
"""

from __future__ import annotations

import math

from ..calling.asking import answers, make_question
from ..compile.jit import inlined, kernel, part
from ..numbers.elementary import exp
from ..numbers.random import integer, row_key, run_key
from .quadratic_model import soft_threshold
from .rows import Dense, Sparse, row_dot, rows_of

catch_up = make_question("catch_up", "X, i, w, average, seen, now, step, l1, l2")
move = make_question("move", "X, i, k, change, w, average, seen, now, step, l1, l2")
finish = make_question("finish", "X, w, average, seen, now, step, l1, l2")


@kernel
def epoch(X, y, s, w, average, r, z, seen, seed, number, step, l1, l2, fit_intercept):
    """n steps, rows drawn with replacement: a function of seed and the number of the epoch.

    w and average (K, p + 1); r (n, K); z (K,) and seen (p,) int64 are room.
    """
    n, K, p = rows_of(X), len(w), w.shape[1] - 1
    key = row_key(run_key(seed, 0), number)
    seen[:] = 0
    for now in range(n):
        i = integer(key, now, n)
        catch_up(X, i, w, average, seen, now, step, l1, l2)
        for k in range(K):
            z[k] = row_dot(X, i, w[k])
        residuals(z, y[i], s[i])
        for k in range(K):
            change = z[k] - r[i, k]
            r[i, k] = z[k]
            move(X, i, k, n * change, w, average, seen, now, step, l1, l2)
            if fit_intercept:
                w[k, p] -= step * (n * change + average[k, p])
                average[k, p] += change
    finish(X, w, average, seen, n, step, l1, l2)


@inlined
def residuals(z, y, s):
    """z (K,) becomes s (p - [y is k])."""
    if z.size == 1:
        small = exp(-abs(z[0]))
        z[0] = s * ((1.0 if z[0] > 0.0 else small) / (1.0 + small) - y)
        return
    top, total = z[0], 0.0
    for k in range(1, z.size):
        top = max(top, z[k])
    for k in range(z.size):
        z[k] = exp(z[k] - top)
        total += z[k]
    for k in range(z.size):
        z[k] = s * (z[k] / total - (1.0 if k == y else 0.0))


# --- dense: all coefficients at each step ----------------------------------------------------------------------------


@answers(catch_up, Dense)
def _catch_up_dense(X, i, w, average, seen, now, step, l1, l2):
    pass


@answers(move, Dense)
def _move_dense(X, i, k, change, w, average, seen, now, step, l1, l2):
    level, shrink, n = step * l1, 1.0 / (1.0 + step * l2), X.x.shape[0]
    for j in range(X.x.shape[1]):
        along = change * X.x[i, j]
        w[k, j] = soft_threshold(w[k, j] - step * (along + average[k, j]), level) * shrink
        average[k, j] += along / n


@answers(finish, Dense)
def _finish_dense(X, w, average, seen, now, step, l1, l2):
    pass


# --- sparse: a coefficient when a row has it -------------------------------------------------------------------------


@answers(catch_up, Sparse)
def _catch_up_sparse(X, i, w, average, seen, now, step, l1, l2):
    for e in range(X.starts[i], X.starts[i + 1]):
        j = X.columns[e]
        if seen[j] < now:
            for k in range(len(w)):
                w[k, j] = drift(w[k, j], average[k, j], now - seen[j], step, l1, l2)
            seen[j] = now


@answers(move, Sparse)
def _move_sparse(X, i, k, change, w, average, seen, now, step, l1, l2):
    level, shrink, n = step * l1, 1.0 / (1.0 + step * l2), X.starts.size - 1
    for e in range(X.starts[i], X.starts[i + 1]):
        j = X.columns[e]
        along = change * X.values[e]
        w[k, j] = soft_threshold(w[k, j] - step * (along + average[k, j]), level) * shrink
        average[k, j] += along / n
        seen[j] = now + 1


@answers(finish, Sparse)
def _finish_sparse(X, w, average, seen, now, step, l1, l2):
    for j in range(X.width):
        for k in range(len(w)):
            w[k, j] = drift(w[k, j], average[k, j], now - seen[j], step, l1, l2)


@part
def drift(w, g, steps, step, l1, l2):
    """w after so many times w <- prox(w - step g).

    On one side of zero a step is affine, w <- shrink (w - step c), c = g + side l1, so many are one power of shrink.
    A step that may cross zero is carried out; then w stays at zero, or goes off to the other side.
    """
    shrink = 1.0 / (1.0 + step * l2)
    while steps > 0:
        side = math.copysign(1.0, w) if w != 0.0 else (math.copysign(1.0, -g) if abs(g) > l1 else 0.0)
        if side == 0.0:
            return 0.0
        c = g + side * l1
        many = steps
        if side * c > 0.0:  # towards zero: how many steps end on this side
            if l2 > 0.0:
                end = -c / l2
                many = min(steps, int(math.log(-end / (w - end)) / math.log(shrink)))
            else:
                many = min(steps, int(abs(w) / (step * abs(c))))
        if many > 0:
            w = w - many * step * c if l2 == 0.0 else (w + c / l2) * shrink**many - c / l2
            if w * side < 0.0:  # by rounding
                w = 0.0
            steps -= many
        if steps > 0:
            w = soft_threshold(w - step * g, step * l1) * shrink
            steps -= 1
    return w
