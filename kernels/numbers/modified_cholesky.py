"""The factorisation of a symmetric matrix that is made positive definite on the way: P (A + E) P' = L D L'.

Gill, Murray and Wright, Practical Optimization (1981), section 4.4.2.2; Algorithm MC of Nocedal and Wright, Numerical
Optimization (1999), section 6.3. E is diagonal, 0 where A is sufficiently positive definite. Each pivot is

    d_j = max(|c_jj|, (theta_j / beta)^2, delta),   theta_j = the largest |c_ij| below it

c being what is left of A, the largest |c_jj| first. Then every entry of L D^(1/2) stays below beta.
"""

import numpy as np

from ..compile.jit import part
from .linear_algebra import EPSILON


@part
def modified_cholesky(a, n, pivots, order):
    """L, without its diagonal of ones, below the diagonal of a: of the symmetric matrix in n rows and columns of a.

    pivots (n,)   D
    order (n,)    row j of L is that of variable order_j

    Returns the largest entry of E: 0 where A was positive definite.
    """
    diagonal = beside = 0.0  # the largest entries: gamma and xi
    for i in range(n):
        order[i] = i
        diagonal = max(diagonal, abs(a[i, i]))
        for j in range(i):
            beside = max(beside, abs(a[i, j]))
    beta_squared = max(diagonal, beside / max(1.0, np.sqrt(n * n - 1.0)), EPSILON)
    least = EPSILON * max(diagonal + beside, 1.0)  # delta
    added = 0.0
    for j in range(n):
        largest = j
        for i in range(j + 1, n):
            if abs(a[i, i]) > abs(a[largest, largest]):
                largest = i
        exchange(a, n, j, largest, order)
        theta = 0.0
        for i in range(j + 1, n):
            theta = max(theta, abs(a[j, i]))
        pivot = max(abs(a[j, j]), theta * theta / beta_squared, least)
        added = max(added, pivot - a[j, j])
        pivots[j] = pivot
        for i in range(j + 1, n):
            factor = a[i, j] / pivot
            for k in range(j + 1, n):
                a[i, k] -= factor * a[j, k]
            a[i, j] = factor
    return added


@part
def exchange(a, n, j, k, order):
    """Variables j and k change places in what is left of the matrix, and in the rows of L."""
    if j == k:
        return
    order[j], order[k] = order[k], order[j]
    for i in range(n):
        a[j, i], a[k, i] = a[k, i], a[j, i]
    for i in range(j, n):
        a[i, j], a[i, k] = a[i, k], a[i, j]


@part
def solve_modified(a, n, pivots, order, b, x):
    """x (n,), the solution of (A + E) x = b; b is overwritten. They may not be the same."""
    for i in range(n):
        total = b[order[i]]
        for j in range(i):
            total -= a[i, j] * x[j]
        x[i] = total
    for i in range(n):
        x[i] /= pivots[i]
    for i in range(n - 1, -1, -1):
        for j in range(i):
            x[j] -= a[i, j] * x[i]
    for i in range(n):
        b[order[i]] = x[i]
    for i in range(n):
        x[i] = b[i]
