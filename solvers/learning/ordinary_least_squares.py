"""Ordinary least squares of dense data, to as many digits as the numbers in it allow.

    minimise |y - A w|^2,    A = [1, X] where there is an intercept

Nothing is centred: subtracting means would round. Columns are scaled by powers of two, which rounds nothing.

Many rows, well conditioned: the normal equations with Cholesky's factor, and one or two corrections by residuals of the
data (Bjoerck, BIT 7 (1967) 257; Linear Algebra Appl. 88/89 (1987) 31), which make up for the squared condition: safe
while eps cond^2 is far below 1.

Otherwise: QR, and the augmented system r + A w = y, A'r = 0 refined with residuals in twofold precision
(Bjoerck 1967), which converges where eps cond < 1, to nearly the last digit.

Rank deficient, or fewer rows than unknowns: None; the answer is one of many, and for another method to choose.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from ...kernels.data.twofold import add_to, residuals_of

EPS = np.finfo(float).eps
SAFE = 1e-10  # reciprocal condition of the normal equations
EASY = 1e-4  # one correction is enough
MANY = 1000  # rows, below which QR costs nothing
STEPS = 8  # of refinement, at most


class Solution(NamedTuple):
    w: np.ndarray  # (columns of A, targets)
    factor: np.ndarray  # R (columns, columns), R'R = A'A


def solve(X, y, first=None) -> Solution | None:
    """X (n, p) float64, y (n, targets); None: the columns of A are dependent, to within rounding.

    first (n,): a column of A before those of X; ones, or the roots of the weights of rows.
    """
    n, columns = X.shape[0], X.shape[1] + (first is not None)
    if n < columns:
        return None
    found = by_normal_equations(X, y, first) if n >= max(MANY, 4 * columns) else None
    return found or by_factors(X if first is None else np.column_stack([first, X]), y)


def by_normal_equations(X, y, first, alpha=0.0) -> Solution | None:
    """With alpha |w|^2 added, of the columns of X alone. None: the condition does not allow it."""
    if first is None:
        products = X.T @ X
    else:
        along = first @ X
        products = np.block([[first @ first, along], [along[:, None], X.T @ X]])
    penalty = np.full((len(products), 1), alpha)
    penalty[: len(products) - X.shape[1]] = 0.0
    products[np.diag_indices_from(products)] += penalty[:, 0]
    lengths = powers_of_two(np.diagonal(products))
    products /= np.outer(lengths, lengths)
    try:
        factor = linalg.cholesky(products, check_finite=False)
    except linalg.LinAlgError:
        return None
    (condition,) = linalg.get_lapack_funcs(("pocon",), (factor,))
    reciprocal = condition(factor, np.abs(products).sum(axis=0).max())[0]
    if not reciprocal > SAFE:
        return None

    def step(r, w):
        pulls = (X.T @ r if first is None else np.vstack([first @ r, X.T @ r])) - penalty * w
        return linalg.cho_solve((factor, False), pulls / lengths[:, None], check_finite=False) / lengths[:, None]

    w = step(y, np.zeros((len(products), y.shape[1])))
    for _ in range(1 if reciprocal > EASY else 2):  # each leaves eps / reciprocal of the error
        w += step(y - (X @ w if first is None else X @ w[1:] + first[:, None] * w[0]), w)
    return Solution(w, factor * lengths)


def by_factors(A, y) -> Solution | None:
    """None: rank deficient."""
    lengths = powers_of_two(np.einsum("ij,ij->j", A, A))
    columns = np.ascontiguousarray((A / lengths).T)
    factorise: Any = linalg.qr
    Q, R = factorise(columns.T, mode="economic", check_finite=False)
    sizes = linalg.svdvals(R)
    if not sizes[-1] > EPS * max(A.shape) * sizes[0]:
        return None
    w = np.column_stack([refined(columns, Q, R, np.ascontiguousarray(v)) for v in y.T])
    return Solution(w / lengths[:, None], R * lengths)


def powers_of_two(squares) -> np.ndarray:
    """Of about the roots of these numbers: dividing by them rounds nothing."""
    return 2.0 ** np.round(0.5 * np.log2(np.maximum(squares, np.finfo(float).tiny)))


def refined(columns, Q, R, y) -> np.ndarray:
    """The solution for one target: w (p,)."""
    p, n = columns.shape
    size = powers_of_two(np.abs(y).max() ** 2)
    y = y / size
    w, r, f, g = np.zeros((2, p)), np.zeros((2, n)), np.empty((2, n)), np.empty(p)
    last = np.inf
    for _ in range(STEPS):
        residuals_of(columns, y, w, r, f, g)
        along = Q.T @ f[0]
        h = linalg.solve_triangular(R, g, trans=1, check_finite=False)
        step = linalg.solve_triangular(R, along - h, check_finite=False)
        change = np.abs(step).max()
        if not change < 0.5 * last:
            break
        add_to(w, step)
        add_to(r, f[0] + Q @ (h - along))
        last = change
        if change <= 0.1 * EPS * np.abs(w[0]).max():
            break
    return w[0] * size
