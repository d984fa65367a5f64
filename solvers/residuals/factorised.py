"""The linearised problem J p = -f by QR, for methods that take the step of Gauss and Newton."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...kernels.compile.jit import part
from ...kernels.compile.structures import Integers, Matrix, Vector
from ...kernels.numbers.qr import EPSILON, factorise, solve_upper


class Factorised(NamedTuple):
    A: Matrix  # (max(M, D), D) R
    q: Vector  # (max(M, D),) Q'f
    z: Vector  # (D,)
    perm: Integers  # (D,)
    diagonal: Vector  # (D,) of R
    norms: Vector  # (D,)
    work: Matrix  # (2, D)


def make_factorised(count: int, n: int) -> Factorised:
    """For `count` residuals of n variables."""
    rows = max(count, n)
    return Factorised(
        A=np.zeros((rows, n)),
        q=np.zeros(rows),
        z=np.zeros(n),
        perm=np.arange(n),
        diagonal=np.zeros(n),
        norms=np.zeros(n),
        work=np.zeros((2, n)),
    )


@part
def gauss_newton_step(fit, linear, free, p):
    """p: the least squares solution of J p = -f over the variables where `free` is 1; 0 in the others.

    Of dependent columns those that pivoting puts last are left out; returns how many were kept.
    """
    A, q, z, m, n = linear.A, linear.q, linear.z, fit.r.size, p.size
    for i in range(q.size):
        q[i] = -fit.f[i] if i < m else 0.0
        for j in range(n):
            A[i, j] = fit.J[i, j] * free[j] if i < m else 0.0
    factorise(A, q, linear.perm, linear.diagonal, linear.norms, linear.work)
    rank, least = 0, q.size * EPSILON * abs(linear.diagonal[0])
    while rank < n and abs(linear.diagonal[rank]) > least:
        rank += 1
    for j in range(n):
        z[j] = q[j]
    solve_upper(A, linear.diagonal, rank, z)
    for j in range(n):
        p[linear.perm[j]] = z[j]
    return rank
