"""Householder's QR factorisation with column pivoting, in plain loops over rows of memory.

Businger and Golub, Numer. Math. 7 (1965) 269; norms of the rest of a column are updated as in Moré, Garbow and
Hillstrom, MINPACK-1 (1980), and computed anew where digits were lost.

    A P = Q R    A (m, n), m >= n; P: column k of A P is column perm[k] of A
"""

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part

EPSILON = 2.220446049250313e-16
LOST = 0.05  # of the square of a norm: what is left below it is cancellation


@part
def norm(a, n):
    """The Euclidean length of a_j, j < n, that neither overflows nor underflows."""
    largest = 0.0
    for j in range(n):
        largest = max(largest, abs(a[j]))
    if largest == 0.0 or not largest < np.inf:
        return largest
    total = 0.0
    if 1e-140 < largest < 1e140:
        for j in range(n):
            total += a[j] * a[j]
        return np.sqrt(total)
    for j in range(n):
        total += (a[j] / largest) * (a[j] / largest)
    return largest * np.sqrt(total)


@part
def column_norm(A, k, first):
    """The length of A_ik, i >= first."""
    m, largest = A.shape[0], 0.0
    for i in range(first, m):
        largest = max(largest, abs(A[i, k]))
    if largest == 0.0 or not largest < np.inf:
        return largest
    total = 0.0
    if 1e-140 < largest < 1e140:
        for i in range(first, m):
            total += A[i, k] * A[i, k]
        return np.sqrt(total)
    for i in range(first, m):
        total += (A[i, k] / largest) * (A[i, k] / largest)
    return largest * np.sqrt(total)


@part
def factorise(A, b, perm, diagonal, norms, work):
    """A (m, n) becomes R above its diagonal, b (m,) becomes Q'b; diagonal (n,) is that of R, largest first.

    norms (n,): of the columns of A as they were, in their own order. work (2, n) is overwritten. Q is not kept.
    """
    m, n = A.shape
    left, sums = row(work, 0), row(work, 1)  # norms of the rest of the columns
    for j in range(n):
        perm[j] = j
        norms[j] = left[j] = diagonal[j] = column_norm(A, j, 0)
    for k in range(n):
        largest = k
        for j in range(k + 1, n):
            if left[j] > left[largest]:
                largest = j
        if largest != k:
            for i in range(m):
                A[i, k], A[i, largest] = A[i, largest], A[i, k]
            perm[k], perm[largest] = perm[largest], perm[k]
            left[largest], diagonal[largest] = left[k], diagonal[k]
        length = column_norm(A, k, k)
        length = -length if A[k, k] < 0.0 else length
        if length == 0.0:
            left[k] = diagonal[k] = 0.0
            continue
        reflect(A, b, k, length, sums)
        for j in range(k + 1, n):
            if left[j] > 0.0:
                share = A[k, j] / left[j]
                left[j] *= np.sqrt(max(0.0, 1.0 - share * share))
                if LOST * (left[j] / diagonal[j]) ** 2 <= EPSILON:
                    left[j] = diagonal[j] = column_norm(A, j, k + 1)
        diagonal[k] = -length


@part
def reflect(A, b, k, length, sums):
    """Apply I - v v'/v_k to the columns behind k and to b, with v = A_ik / length + e_k, i >= k, left in column k."""
    m, n = A.shape
    for i in range(k, m):
        A[i, k] /= length
    A[k, k] += 1.0
    for j in range(k + 1, n):
        sums[j] = 0.0
    of_b = 0.0
    for i in range(k, m):
        v = A[i, k]
        of_b += v * b[i]
        for j in range(k + 1, n):
            sums[j] += v * A[i, j]
    head = A[k, k]
    of_b /= head
    for j in range(k + 1, n):
        sums[j] /= head
    for i in range(k, m):
        v = A[i, k]
        b[i] -= v * of_b
        for j in range(k + 1, n):
            A[i, j] -= v * sums[j]


@inlined
def rank_of(diagonal):
    """How many of the leading entries of the diagonal of R are not 0."""
    rank = 0
    while rank < diagonal.size and diagonal[rank] != 0.0:
        rank += 1
    return rank


@part
def solve_upper(R, diagonal, rank, z):
    """z becomes the solution of R z = z for the leading `rank` rows, 0 behind them; R has its own diagonal apart."""
    n = diagonal.size
    for k in range(rank, n):
        z[k] = 0.0
    for k in range(rank - 1, -1, -1):
        total = z[k]
        for j in range(k + 1, rank):
            total -= R[k, j] * z[j]
        z[k] = total / diagonal[k]


@part
def solve_lower(R, diagonal, z):
    """z becomes the solution of R' z = z; no entry of the diagonal is 0."""
    for k in range(diagonal.size):
        z[k] /= diagonal[k]
        for j in range(k + 1, diagonal.size):
            z[j] -= R[k, j] * z[k]
