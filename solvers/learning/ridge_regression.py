"""Ridge regression: minimise |y - X w|^2 + alpha |w|^2, of data whose means are taken out.

    by_products(matrix, right, alpha)        w = (X'X + alpha)^-1 X'y, or w = X'v with v = (X X' + alpha)^-1 y, which
                                             is smaller where there are fewer rows than columns
    by_singular_values(X, y, alphas)         any condition, a penalty for each target
    by_conjugate_gradients, by_lsqr          X as what multiplies vectors

y is (n, targets), w (p, targets). The first gives None where the condition is for the second.
Many rows: `by_normal_equations` of ordinary_least_squares.py, which does not ask that means are taken out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import LinearOperator as _LinearOperator
from scipy.sparse.linalg import cg, lsqr

from .ordinary_least_squares import EPS, SAFE

LinearOperator: Any = _LinearOperator


def by_products(matrix, right, alpha) -> np.ndarray | None:
    matrix = matrix + alpha * np.eye(len(matrix))
    try:
        factor = linalg.cholesky(matrix, check_finite=False)
    except linalg.LinAlgError:
        return None
    (condition,) = linalg.get_lapack_funcs(("pocon",), (factor,))
    if not condition(factor, np.abs(matrix).sum(axis=0).max())[0] > SAFE:
        return None
    return linalg.cho_solve((factor, False), right, check_finite=False)


def by_singular_values(X, y, alphas) -> np.ndarray:
    """alphas (targets,); where one is 0, the solution of least norm."""
    U, s, V = linalg.svd(X, full_matrices=False, check_finite=False)
    s = np.where(s > EPS * max(X.shape) * s.max(initial=0.0), s, 0.0)[:, None]
    shrinkage = np.divide(s, s * s + alphas, out=np.zeros((s.size, y.shape[1])), where=s > 0.0)
    return V.T @ (shrinkage * (U.T @ y))


def by_conjugate_gradients(X, y, alphas, tol, max_iter) -> tuple[np.ndarray, np.ndarray, bool]:
    """w, the iterations of each target, and whether all have converged.

    Converged: the residual of the normal equations is at most `tol` of what it was at 0.

    Of the smaller system: (X'X + alpha) w = X'y, or w = X'v with (X X' + alpha) v = y.
    """
    n, p = X.shape
    transposed = X.T
    found, steps, converged = np.empty((p, y.shape[1])), np.ones(y.shape[1], np.int32), True
    for k, alpha in enumerate(alphas):

        def count(_, k=k):
            steps[k] += 1

        def by_columns(v, alpha=alpha):
            return transposed @ (X @ v) + alpha * v

        def by_rows(v, alpha=alpha):
            return X @ (transposed @ v) + alpha * v

        size, times, right = (p, by_columns, transposed @ y[:, k]) if p <= n else (n, by_rows, y[:, k])
        system = LinearOperator((size, size), matvec=times, dtype=float)
        v, missed = cg(system, right, rtol=tol, atol=0.0, maxiter=max_iter, callback=count)
        found[:, k], converged = v if p <= n else transposed @ v, converged and not missed
    return found, steps, converged


def by_lsqr(X, y, alphas, tol, max_iter) -> tuple[np.ndarray, np.ndarray]:
    """w, and the iterations of each target."""
    runs = [
        lsqr(X, y[:, k], damp=np.sqrt(alpha), atol=tol, btol=tol, iter_lim=max_iter) for k, alpha in enumerate(alphas)
    ]
    return np.column_stack([run[0] for run in runs]), np.array([run[2] for run in runs], np.int32)
