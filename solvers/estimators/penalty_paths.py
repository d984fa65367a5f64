"""`lasso_path` and `enet_path`: the coefficients along a path of penalties, as scikit-learn's functions give them.

One launch follows the whole path: each penalty begins where the one before ended, with the columns' products it has.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from .centring import Centred, centre
from .elastic_net import drawn_seed, paths_of, warn_of_gaps
from .reading import PRECISIONS

SMALLEST = 1e-15  # a penalty, where no column has anything to do with y


def lasso_path(
    X: Any, y: Any, *, eps: float = 1e-3, n_alphas: int | None = None, alphas: Any = 100, precompute: Any = "auto",
    Xy: Any = None, copy_X: bool = True, coef_init: Any = None, verbose: bool | int = False,
    return_n_iter: bool = False, positive: bool = False, tol: float = 1e-4, max_iter: int = 1000,
    random_state: Any = None, selection: str = "cyclic",
) -> tuple[Any, ...]:  # fmt: skip
    """The lasso's coefficients along a path of penalties: `enet_path` with l1_ratio 1.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import lasso_path
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]) - [1.5, 0.5]
    >>> alphas, coefficients, gaps = lasso_path(X, np.array([-3.0, -1.0, 1.0, 3.0]), alphas=[1.0, 0.1])
    >>> coefficients.round(3)
    array([[1.2 , 1.92],
           [0.  , 0.  ]])
    """
    return enet_path(
        X, y, l1_ratio=1.0, eps=eps, n_alphas=n_alphas, alphas=alphas, precompute=precompute, Xy=Xy, copy_X=copy_X,
        coef_init=coef_init, verbose=verbose, return_n_iter=return_n_iter, positive=positive, tol=tol,
        max_iter=max_iter, random_state=random_state, selection=selection,
    )  # fmt: skip


def enet_path(
    X: Any, y: Any, *, l1_ratio: float = 0.5, eps: float = 1e-3, n_alphas: int | None = None, alphas: Any = 100,
    precompute: Any = "auto", Xy: Any = None, copy_X: bool = True, coef_init: Any = None, verbose: bool | int = False,
    return_n_iter: bool = False, positive: bool = False, tol: float = 1e-4, max_iter: int = 1000,
    random_state: Any = None, selection: str = "cyclic",
) -> tuple[Any, ...]:  # fmt: skip
    """The elastic net's coefficients along a path of penalties, as scikit-learn's `enet_path`.

        minimise 1/(2 n) |y - X w|^2 + alpha l1_ratio |w|_1 + alpha (1 - l1_ratio)/2 |w|^2

    Parameters
    ----------
    X : (n, p) array or sparse matrix
        Taken as it is: there is no intercept, so centre the columns, and y, before.
    y : (n,) array
        One target (scikit-learn's groups several: there use its `MultiTaskElasticNet`).
    l1_ratio : float in [0, 1], default 0.5
        Share of the L1 penalty.
    eps : float, default 1e-3
        The least penalty of a path that is made, beside the greatest, at which all coefficients are 0.
    alphas : int or array, default 100
        How many penalties, evenly in their logarithms; or which. They are taken from the greatest on.
    n_alphas : int, optional
        The older name of that number.
    precompute : "auto", bool or (p, p) array, default "auto"
        Whether to solve by X'X; "auto": where there are more rows than columns.
    Xy : (p,) array, optional
        X'y, if known, where X'X is given.
    copy_X : bool, default True
        For scikit-learn's sake: X is not written to.
    coef_init : (p,) array, optional
        Where the greatest penalty begins.
    verbose : bool or int, default False
        For scikit-learn's sake: nothing is printed.
    return_n_iter : bool, default False
        Whether to return the passes of each penalty, too.
    positive : bool, default False
        Keep coefficients at 0 or above.
    tol, max_iter, random_state, selection
        As of `ElasticNet`.

    Returns
    -------
    alphas : (penalties,) array, falling
    coefs : (p, penalties) array
    dual_gaps : (penalties,) array
        By so much the objective may be above its minimum.
    n_iters : list of int
        With `return_n_iter` only.

    Raises
    ------
    ValueError
        As scikit-learn's; several targets; a number of penalties with l1_ratio 0, where none makes all of w 0.

    Warns
    -----
    ConvergenceWarning
        `max_iter` was not enough for some of the penalties.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import enet_path
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]) - [1.5, 0.5]
    >>> alphas, coefficients, gaps = enet_path(X, np.array([-3.0, -1.0, 1.0, 3.0]), alphas=3)
    >>> alphas.round(4)
    array([5.    , 0.1581, 0.005 ])
    """
    read: Any = check_array
    X = read(X, accept_sparse="csc", accept_large_sparse=False, dtype=PRECISIONS, order="F")
    y = read(y, dtype=float, ensure_2d=False)
    check_consistent_length(X, y)
    if y.ndim != 1:
        raise ValueError(
            f"y: got {y.shape[1]} targets, expected one; scikit-learn's MultiTaskElasticNet groups several"
        )
    data = centre(X, y, fit_intercept=False, copy=False)
    n = len(y)
    alphas = penalties_of(n_alphas or alphas, data, l1_ratio, eps, positive)
    precompute = n > X.shape[1] if isinstance(precompute, str) else precompute
    paths = paths_of(
        data, alphas, l1_ratio, precompute, start=None if coef_init is None else [coef_init],
        Xy=None if Xy is None else np.asarray(Xy, float).reshape(-1, 1), positive=positive, tol=tol,
        max_iter=max_iter, seed=drawn_seed(selection, random_state),
    )  # fmt: skip
    warn_of_gaps(paths, n, max_iter)
    coefficients = np.asfortranarray(paths[0].coefficients.T.astype(X.dtype, copy=False))
    found = alphas, coefficients, paths[0].gaps / n
    return (*found, paths[0].epochs.tolist()) if return_n_iter else found


def penalties_of(alphas, data: Centred, l1_ratio, eps, positive) -> np.ndarray:
    """The penalties that are given, from the greatest on; or so many, from the least at which all of w is 0."""
    if not isinstance(alphas, Integral):
        return np.sort(np.asarray(alphas, float))[::-1]
    if l1_ratio == 0:
        raise ValueError("alphas: got a number with l1_ratio=0, expected the penalties: none of them makes all of w 0")
    pulls = data.products(data.y)
    strongest = float(pulls.max() if positive else np.abs(pulls).max())
    greatest = strongest / (data.y.shape[0] * l1_ratio)
    if greatest <= SMALLEST:
        return np.full(alphas, SMALLEST)
    return np.geomspace(greatest, greatest * eps, int(alphas))
