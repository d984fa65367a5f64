"""`LassoCV` and `ElasticNetCV`: the penalty that predicts best what was left out, as scikit-learn's.

Each fold, and each share of the L1 penalty, is one launch that follows its whole path; the folds go on threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions

from ...kernels.compile.waiting import explained
from .centring import LinearModel, centre, weights_of
from .elastic_net import ElasticNet, drawn_seed, paths_of, warn_of_gaps
from .penalty_paths import penalties_of
from .reading import read_training
from .threads import thread_count


class ElasticNetCV(LinearModel):
    """`ElasticNet` whose penalty is chosen by cross-validation, as scikit-learn's `ElasticNetCV`.

    Parameters
    ----------
    l1_ratio : float or list of float in [0, 1], default 0.5
        Share of the L1 penalty; of several, the one that predicts best.
    eps : float, default 1e-3
        The least penalty of a path that is made, beside the greatest, at which all coefficients are 0.
    alphas : int or array, default 100
        How many penalties, evenly in their logarithms; or which.
    fit_intercept : bool, default True
    precompute : "auto", bool or (p, p) array, default "auto"
        Whether the folds are solved by X'X; "auto", or a matrix, which belongs to all rows: where there are more rows
        than columns.
    max_iter : int, default 1000
    tol : float, default 1e-4
        As of `ElasticNet`.
    cv : int, splitter or iterable, default None
        Folds: None: 5; a number; or what scikit-learn's `check_cv` takes.
    copy_X : bool, default True
        False: X may be overwritten.
    verbose : bool or int, default 0
        For scikit-learn's sake: nothing is printed.
    n_jobs : int, optional
        Threads over the folds. None and -1: all cores. The result is the same.
    positive, random_state, selection
        As of `ElasticNet`.

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        What was chosen: the least mean of the folds' errors.
    coef_ : (p,) array; intercept_ : float; n_iter_ : int; dual_gap_ : float
        Of `ElasticNet` with these, fitted to all rows.
    alphas_ : (penalties,) array, or (shares, penalties) where several shares have paths of their own
    mse_path_ : (penalties, folds) array, or (shares, penalties, folds)
        Mean squared errors in the rows that were left out.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Raises
    ------
    ValueError
        As scikit-learn's; sample weights below 0, or of which none is above 0; several targets.

    Warns
    -----
    ConvergenceWarning
        `max_iter` was not enough for some of the penalties.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import ElasticNetCV
    >>> X = np.random.default_rng(0).normal(size=(50, 5))
    >>> ElasticNetCV(l1_ratio=[0.5, 1.0]).fit(X, 2.0 * X[:, 0]).coef_.round(1)
    array([2., 0., 0., 0., 0.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"],
        "eps": [Interval(Real, 0, None, closed="neither")],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "precompute": [StrOptions({"auto"}), "boolean", "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "cv": ["cv_object"],
        "copy_X": ["boolean"],
        "verbose": ["verbose"],
        "n_jobs": [Integral, None],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
    }
    alpha_: float
    l1_ratio_: float
    coef_: np.ndarray
    intercept_: float
    dual_gap_: float
    n_iter_: int
    alphas_: np.ndarray
    mse_path_: np.ndarray

    def __init__(
        self, *, l1_ratio: Any = 0.5, eps: float = 1e-3, alphas: Any = 100, fit_intercept: bool = True,
        precompute: Any = "auto", max_iter: int = 1000, tol: float = 1e-4, cv: Any = None, copy_X: bool = True,
        verbose: bool | int = 0, n_jobs: int | None = None, positive: bool = False, random_state: Any = None,
        selection: str = "cyclic",
    ):  # fmt: skip
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    @explained("coordinate descent", 12)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose the penalty, and fit to X (n, p), dense or sparse, and y (n,), with weights of rows (n,)."""
        self._validate_params()
        workers = thread_count(self.n_jobs)
        X, y = read_training(
            self, X, y, accept_sparse="csc", order=None, accept_large_sparse=False, multi_output=True, y_numeric=True
        )
        if y.ndim > 1 and y.shape[1] > 1:
            raise ValueError(f"For multi-task outputs, use MultiTask{type(self).__name__}")
        y = column_or_1d(y, warn=True)
        weights = weights_of(sample_weight, X, average_one=True)
        splitter: Any = check_cv
        folds = list(splitter(self.cv).split(X, y))
        shares = np.atleast_1d(self.l1_ratio).astype(float)
        grids = self._grids(X, y, weights, shares)
        rows = X.tocsr() if hasattr(X, "tocsr") else X
        seed, alone = drawn_seed(self.selection, self.random_state), workers == 1

        def errors_and_paths(job):
            share, alphas, (train, test) = job
            data = centre(rows[train], y[train], self._of(weights, train), self.fit_intercept)
            precompute = self.precompute if isinstance(self.precompute, bool) else len(train) > X.shape[1]
            paths = paths_of(
                data, alphas, share, precompute, positive=self.positive, tol=self.tol, max_iter=self.max_iter,
                seed=seed, threads=alone,
            )  # fmt: skip
            w = paths[0].coefficients
            left = y[test][:, None] - (rows[test] @ w.T + (data.y_means - w @ data.x_means))
            return np.average(left**2, axis=0, weights=None if weights is None else weights[test]), paths[0], len(train)

        jobs = [(share, alphas, fold) for share, alphas in zip(shares, grids, strict=True) for fold in folds]
        if alone:
            done = [errors_and_paths(job) for job in jobs]
        else:
            with ThreadPoolExecutor(workers) as pool:
                done = list(pool.map(errors_and_paths, jobs))
        warn_of_gaps([path for _, path, _ in done], done[0][2], self.max_iter)
        errors = np.reshape([mse for mse, _, _ in done], (len(shares), len(folds), -1))
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        best, place = np.unravel_index(np.argmin(errors.mean(axis=1)), errors.mean(axis=1).shape)
        self.alpha_ = float(grids[best][place])
        made = isinstance(self.alphas, Integral)
        self.alphas_ = np.array(grids) if made and len(shares) > 1 else grids[0]
        self._fit_all(X, y, sample_weight, float(shares[best]))
        return self

    @staticmethod
    def _of(weights, rows) -> np.ndarray | None:
        """The weights of these rows, made to sum to their number."""
        if weights is None:
            return None
        own = weights[rows]
        return own * (own.size / own.sum())

    def _grids(self, X, y, weights, shares) -> list[np.ndarray]:
        """The penalties of each share, from the greatest on."""
        if not isinstance(self.alphas, Integral):
            given = np.asarray(self.alphas, float)
            if given.ndim != 1 or not np.all(given >= 0.0):
                raise ValueError(f"alphas: got {self.alphas!r}, expected a number, or penalties of at least 0")
            return [np.sort(given)[::-1]] * len(shares)
        data = centre(X, y, weights, self.fit_intercept)
        return [penalties_of(self.alphas, data, share, self.eps, self.positive) for share in shares]

    def _fit_all(self, X, y, sample_weight, share) -> None:
        given: Any = self.precompute if isinstance(self.precompute, bool | np.ndarray) else False
        model = ElasticNet(
            self.alpha_, l1_ratio=share, fit_intercept=self.fit_intercept, precompute=given, max_iter=self.max_iter,
            copy_X=self.copy_X, tol=self.tol, positive=self.positive, random_state=self.random_state,
            selection=self.selection,
        ).fit(X, y, sample_weight)  # fmt: skip
        self.coef_, self.intercept_ = model.coef_, model.intercept_
        self.dual_gap_, self.n_iter_ = model.dual_gap_, model.n_iter_
        if "l1_ratio" in self.get_params():
            self.l1_ratio_ = share

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags


class LassoCV(ElasticNetCV):
    """`Lasso` whose penalty is chosen by cross-validation, as scikit-learn's `LassoCV`: `ElasticNetCV` with l1_ratio 1.

    Parameters, attributes, errors and warnings are those of `ElasticNetCV`, but for `l1_ratio`.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import LassoCV
    >>> X = np.random.default_rng(0).normal(size=(50, 5))
    >>> LassoCV(cv=3).fit(X, 2.0 * X[:, 0]).coef_.round(1)
    array([2., 0., 0., 0., 0.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        name: kinds for name, kinds in ElasticNetCV._parameter_constraints.items() if name != "l1_ratio"
    }
    l1_ratio: float = 1.0

    def __init__(
        self, *, eps: float = 1e-3, alphas: Any = 100, fit_intercept: bool = True, precompute: Any = "auto",
        max_iter: int = 1000, tol: float = 1e-4, copy_X: bool = True, cv: Any = None, verbose: bool | int = False,
        n_jobs: int | None = None, positive: bool = False, random_state: Any = None, selection: str = "cyclic",
    ):  # fmt: skip
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
