"""Lasso and elastic net along a path of penalties: one launch of kernels/data/coordinate_descent.py.

    minimise 1/2 |y - X w|^2 + l1 |w|_1 + l2/2 |w|^2

for several (l1, l2) in turn, each from where the one before ended.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from scipy.linalg import get_lapack_funcs, solve_triangular

from ...kernels.calling.aside import Call
from ...kernels.compile.jit import parallel_region, threading_layer
from ...kernels.data.centred_columns import CentredDense, CentredSparse
from ...kernels.data.coordinate_descent import Order, Stop, follow


class Path(NamedTuple):
    coefficients: np.ndarray  # (penalties, p)
    gaps: np.ndarray  # (penalties,) P - min P is at most this
    epochs: np.ndarray  # (penalties,) passes over a working set
    goal: float  # the gap that was asked for


def follow_path(
    X: CentredDense | CentredSparse, y, l1, l2, *, start=None, positive=False, tol=1e-4, max_iter=1000, seed=None,
    threads=True,
) -> Path:  # fmt: skip
    """The path of a centred design.

    Parameters
    ----------
    y : (n,) float64 array
    l1, l2 : (penalties,) float64 arrays
    start : (p,) array, optional
        Where the first penalty begins. Default: at 0.
    positive : bool, default False
        Whether coefficients are kept at 0 or above.
    tol : float, default 1e-4
        A penalty is done when its gap is at most `tol` y'y.
    max_iter : int, default 1000
        Epochs of one penalty, at most.
    seed : int, optional
        Columns are drawn at random, from this seed. Default: one after another.
    threads : bool, default True
        Whether passes over all columns go on threads; the result is the same.
    """
    norms, square = squared_norms(X), float(y @ y)
    p, penalties = norms.size, len(l1)
    w = np.zeros(p) if start is None else np.array(start, float)
    path = Path(np.empty((penalties, p)), np.empty(penalties), np.empty(penalties, np.int64), tol * square)
    arguments = (
        X, np.append(y, 0.0), w, norms, square, np.asarray(l1, float), np.asarray(l2, float), bool(positive),
        Order(seed is not None, seed or 0), Stop(path.goal, int(max_iter)),
    )  # fmt: skip
    cores = numba.get_num_threads()

    def launch():  # Ctrl-C is heard while another thread computes; Numba's number of threads is one of each thread
        threading_layer()
        numba.set_num_threads(cores)
        follow(*arguments, threads, path.coefficients, path.gaps, path.epochs)

    if threads:
        with parallel_region():
            Call(launch).result()
    else:
        follow(*arguments, threads, path.coefficients, path.gaps, path.epochs)
    return path


def squared_norms(X: CentredDense | CentredSparse) -> np.ndarray:
    """|x_j|^2 (p,); 0 for what centring left of a constant sparse column."""
    if isinstance(X, CentredDense):
        return np.einsum("ji,ji->j", X.x, X.x)
    owner = np.repeat(np.arange(X.means.size), np.diff(X.starts))
    raw = np.bincount(owner, X.values**2, minlength=X.means.size)
    norms = raw - X.weight * X.means**2
    return np.where(norms > 1e-14 * raw, norms, 0.0)


def reduced(products, targets, square) -> tuple[CentredDense, np.ndarray]:
    """The same problem in as many rows as it has columns, and one more.

    X'X (p, p), X'y (p,) and y'y are all that P hangs on. With X'X = R'R and R'z = X'y, R and z stand for X and y; the
    part of y that no column reaches is kept in a row of its own, so that gaps are those of the whole. The factor is
    Cholesky's with pivots: columns that hang on others have no row.
    """
    p = targets.size
    lengths = np.sqrt(np.diagonal(products))
    lengths = np.where(lengths > 0.0, lengths, 1.0)  # the rank is that of columns of length 1
    (factorise,) = get_lapack_funcs(("pstrf",), (lengths,))
    factor, pivots, rank, _ = factorise(products / np.outer(lengths, lengths), lower=0)
    pivots, R = pivots - 1, np.triu(factor)[:rank]
    z = solve_triangular(R[:, :rank].T, (targets / lengths)[pivots[:rank]], lower=True) if rank else np.empty(0)
    x = np.zeros((p, rank + 1))
    x[pivots, :rank] = R.T
    x *= lengths[:, None]
    return CentredDense(x), np.append(z, np.sqrt(max(square - z @ z, 0.0)))
