"""Ridge regression of all penalties at once, and what each row would be predicted without it.

X (n, p) and y (n, targets) have their means taken out, rows multiplied by the roots q (n,) of their weights. With
X = U S V', the row that is left out errs by

    e_i = (y - X w)_i / (1 - h_i),    h_i = q_i^2 / q'q + sum_k U_ik^2 s_k^2 / (s_k^2 + alpha)

exactly (Golub, Heath and Wahba, Technometrics 21 (1979) 215). Where n <= p, numerator and denominator are sums over all
n vectors of U but q, of alpha / (s_k^2 + alpha): so nothing cancels where a fit goes through all of its rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import linalg


class Spectrum(NamedTuple):
    U: np.ndarray  # (n, rank) or (n, n)
    squares: np.ndarray  # s^2 of these
    pulls: np.ndarray  # U'y (., targets)
    shares: np.ndarray | None  # (n,) q_i^2 / q'q; None: U is the whole space but q


def spectrum(X, y, roots, intercept: bool, by_singular_values: bool = False) -> Spectrum:
    """By the eigenvectors of X'X or X X', which is smaller; `by_singular_values`: of X itself, twice the digits."""
    n, p = X.shape
    q = roots / np.sqrt(roots @ roots) if intercept else np.zeros(n)
    if n <= p:
        if by_singular_values:
            U, s, _ = linalg.svd(X, check_finite=False)
            squares = np.zeros(n)
            squares[: s.size] = s * s
        else:
            squares, U = linalg.eigh(X @ X.T, check_finite=False)
        U, squares = without(U, np.maximum(squares, 0.0), q) if intercept else (U, np.maximum(squares, 0.0))
        return Spectrum(U, squares, U.T @ y, None)
    if by_singular_values:
        U, s, _ = linalg.svd(X, full_matrices=False, check_finite=False)
        squares = s * s
    else:
        squares, V = linalg.eigh(X.T @ X, check_finite=False)
        kept = squares > np.finfo(float).eps * p * squares[-1]
        squares, U = squares[kept], X @ (V[:, kept] / np.sqrt(squares[kept]))
    return Spectrum(U, squares, U.T @ y, q * q)


def without(U, squares, q):
    """Vectors of the same space that are orthogonal to q, which X X' takes to 0."""
    empty = squares <= np.finfo(float).eps * squares.size * squares.max(initial=0.0)
    basis = U[:, empty]
    factorise: Any = linalg.qr
    along = factorise((basis.T @ q)[:, None])[0][:, 1:]  # all directions of what is taken to 0, but that of q
    rest = basis @ along
    return np.hstack([U[:, ~empty], rest]), np.r_[squares[~empty], np.zeros(rest.shape[1])]


def left_out_errors(spectrum: Spectrum, y, alpha) -> np.ndarray:
    """(n, targets), of rows times the roots of their weights."""
    U, squares, pulls, shares = spectrum
    if shares is None:
        kept = alpha / (squares + alpha)
        return (U @ (kept[:, None] * pulls)) / ((U * U) @ kept)[:, None]
    shrunk = squares / (squares + alpha)
    return (y - U @ (shrunk[:, None] * pulls)) / (1.0 - shares - (U * U) @ shrunk)[:, None]
