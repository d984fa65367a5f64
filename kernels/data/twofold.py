"""Residuals of least squares in twofold precision, for iterative refinement.

A number is a pair (high, low) whose sum it is, low being what rounding took from high: 106 bits. Sums and products of
doubles are exact as pairs (Knuth, TAOCP 2, 4.2.2, theorem B; Dekker, Numer. Math. 18 (1971) 224).
"""

from __future__ import annotations

from ..calling.arguments import row
from ..compile.jit import inlined, kernel

SPLIT = 134217729.0  # 2**27 + 1


@inlined
def two_sum(a, b):
    """a + b as a pair."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@inlined
def two_product(a, b):
    """a b as a pair, for numbers below 1e300."""
    p = a * b
    t = SPLIT * a
    a1 = t - (t - a)
    a2 = a - a1
    t = SPLIT * b
    b1 = t - (t - b)
    b2 = b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


@inlined
def add_product(high, low, a, b):
    """(high, low) + a b"""
    p, q = two_product(a, b)
    s, t = two_sum(high, p)
    return s, low + (t + q)


@kernel
def residuals_of(columns, b, w, r, f, g):
    """f = b - r - A w (n,) and g = -A'r (p,), rounded once.

    columns (p, n) is A by columns, b (n,); w (2, p) and r (2, n) are pairs, high ones first; f (2, n), f[1] being
    overwritten.
    """
    p, n = columns.shape
    for i in range(n):
        f[0, i], f[1, i] = two_sum(b[i], -r[0, i])
        f[1, i] -= r[1, i]
    for j in range(p):
        a, high, low, total, rest = row(columns, j), -w[0, j], -w[1, j], 0.0, 0.0
        for i in range(n):
            s, t = add_product(f[0, i], f[1, i], a[i], high)
            f[0, i], f[1, i] = s, t + a[i] * low
        for i in range(n):
            total, rest = add_product(total, rest, a[i], -r[0, i])
            rest -= a[i] * r[1, i]
        g[j] = total + rest
    for i in range(n):
        f[0, i] += f[1, i]


@kernel
def add_to(pairs, step):
    """pairs (2, n) += step (n,)"""
    for i in range(step.size):
        s, t = two_sum(pairs[0, i], step[i])
        pairs[0, i], pairs[1, i] = two_sum(s, t + pairs[1, i])
