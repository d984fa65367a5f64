"""The step of Levenberg and Marquardt in a trust region, as Moré found it.

    minimise |R P' p + q|  with  |D p| <= radius

Moré, The Levenberg-Marquardt algorithm: implementation and theory, Lecture Notes in Mathematics 630 (1978) 105: the
parameter of (R P' p + q, sqrt(par) D p) by a Newton iteration on |D p| (5.5), each trial by Givens rotations (section
3). R (n, n) is upper triangular with its diagonal apart, P the permutation, D a diagonal.
"""

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..numbers.qr import norm, rank_of, solve_lower, solve_upper

TRIALS = 10  # of the parameter
TINY = 2.2250738585072014e-308


@inlined
def length_of(a, b):
    """sqrt(a^2 + b^2) for b != 0, without overflow."""
    larger, smaller = max(abs(a), abs(b)), min(abs(a), abs(b))
    return larger * np.sqrt(1.0 + (smaller / larger) * (smaller / larger))


@part
def damped_solve(R, diagonal, perm, damping, q, S, S_diagonal, z, lost, p):
    """p: the least squares solution of (R P' p = q, damping p = 0). S (n, n), S_diagonal: R of the two together.

    z, lost (n,) are overwritten. Where the two together are singular, entries of p are 0.
    """
    n = diagonal.size
    for j in range(n):
        z[j], S_diagonal[j] = q[j], diagonal[j]
        for k in range(j + 1, n):
            S[j, k] = R[j, k]
    for j in range(n):
        if damping[perm[j]] == 0.0:
            continue
        for k in range(j, n):
            lost[k] = 0.0
        lost[j], lost_q = damping[perm[j]], 0.0
        for k in range(j, n):
            if lost[k] == 0.0:
                continue
            length = length_of(S_diagonal[k], lost[k])
            cosine, sine = S_diagonal[k] / length, lost[k] / length
            S_diagonal[k] = length
            z[k], lost_q = cosine * z[k] + sine * lost_q, cosine * lost_q - sine * z[k]
            for i in range(k + 1, n):
                S[k, i], lost[i] = cosine * S[k, i] + sine * lost[i], cosine * lost[i] - sine * S[k, i]
    solve_upper(S, S_diagonal, rank_of(S_diagonal), z)
    for j in range(n):
        p[perm[j]] = z[j]


@part
def scaled_norm(D, p, work):
    """|D p|."""
    for j in range(p.size):
        work[j] = D[j] * p[j]
    return norm(work, p.size)


@part
def slope(R, diagonal, perm, D, p, length, work):
    """|R'^-1 P' D D p / length|^2: how fast |D p| falls with the parameter, times its length."""
    n = p.size
    for j in range(n):
        work[j] = D[perm[j]] * (D[perm[j]] * p[perm[j]] / length)
    solve_lower(R, diagonal, work)
    size = norm(work, n)
    return size * size


@part
def step_in_region(R, diagonal, perm, D, q, radius, close, par, S, scratch, p):
    """p with |D p| <= radius, up to a share `close` of it, that minimises |R P' p - q|; returns the parameter.

    `par`: a first guess. S (n, n) and scratch (5, n) are overwritten.
    """
    n = diagonal.size
    work, S_diagonal, z = row(scratch, 0), row(scratch, 1), row(scratch, 2)
    lost, damping = row(scratch, 3), row(scratch, 4)
    rank = rank_of(diagonal)
    for j in range(n):
        z[j] = q[j]
    solve_upper(R, diagonal, rank, z)
    for j in range(n):
        p[perm[j]] = z[j]
    length = scaled_norm(D, p, work)
    excess = length - radius
    if excess <= close * radius:
        return 0.0  # the step of Gauss and Newton
    lower = excess / radius / slope(R, diagonal, perm, D, p, length, work) if rank == n else 0.0
    for j in range(n):
        total = diagonal[j] * q[j]
        for i in range(j):
            total += R[i, j] * q[i]
        work[j] = total / D[perm[j]]
    gradient = norm(work, n)
    upper = gradient / radius
    if upper == 0.0:
        upper = TINY / min(radius, close)
    par = min(max(par, lower), upper)
    if par == 0.0:
        par = gradient / length
    for trial in range(TRIALS):
        if par == 0.0:
            par = max(TINY, 0.001 * upper)
        for j in range(n):
            damping[j] = np.sqrt(par) * D[j]
        damped_solve(R, diagonal, perm, damping, q, S, S_diagonal, z, lost, p)
        length = scaled_norm(D, p, work)
        before, excess = excess, length - radius
        if abs(excess) <= close * radius or (lower == 0.0 and excess <= before < 0.0) or trial == TRIALS - 1:
            break
        correction = excess / radius / slope(S, S_diagonal, perm, D, p, length, work)
        if excess > 0.0:
            lower = max(lower, par)
        elif excess < 0.0:
            upper = min(upper, par)
        par = max(lower, par + correction)
    return par
