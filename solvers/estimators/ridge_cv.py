"""`RidgeCV`: the penalty that predicts best what was left out, as scikit-learn's."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import Interval, StrOptions

from ..learning.leave_one_out import left_out_errors, spectrum
from .centring import LinearModel, centre, weights_of
from .reading import read_training
from .ridge import Ridge


class RidgeCV(LinearModel):
    """`Ridge` whose penalty is chosen by cross-validation, as scikit-learn's `RidgeCV`.

    By default each row is left out in turn, in closed form: one eigenvalue problem for all rows and penalties.

    Parameters
    ----------
    alphas : array, default (0.1, 1.0, 10.0)
        Penalties; above 0 where rows are left out in turn.
    fit_intercept : bool, default True
    scoring : str, callable or None, default None
        None: the mean squared error, negative, where rows are left out in turn; else R^2.
    cv : int, splitter or iterable, default None
        None: each row in turn; else folds, by scikit-learn's `GridSearchCV`.
    gcv_mode : {"auto", "svd", "eigen"}, default None
        None, "auto" and "eigen": eigenvectors of X'X or X X', which is smaller. "svd": singular values of X, which
        keep more digits of small penalties.
    store_cv_results : bool, default False
    alpha_per_target : bool, default False
        Choose a penalty for each target, where rows are left out in turn.

    Attributes
    ----------
    alpha_ : float, or (targets,) array
    best_score_ : float, or (targets,) array
    coef_ : (p,) array, or (targets, p); intercept_ : float, or (targets,) array
    cv_results_ : (n, penalties) or (n, targets, penalties) array
        With `store_cv_results`: squared errors (times weights of rows), or predictions where there is a `scoring`.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Raises
    ------
    ValueError
        As scikit-learn's; sample weights below 0, or of which none is above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import RidgeCV
    >>> X = np.random.default_rng(0).normal(size=(50, 5))
    >>> RidgeCV(alphas=[0.1, 10.0, 1000.0]).fit(X, X[:, 0] + X[:, 1]).alpha_
    0.1
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "alphas": ["array-like", Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [str, callable, None],
        "cv": ["cv_object"],
        "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
        "store_cv_results": ["boolean"],
        "alpha_per_target": ["boolean"],
    }
    alpha_: Any
    best_score_: Any
    coef_: np.ndarray
    intercept_: Any
    cv_results_: np.ndarray

    def __init__(
        self, alphas: Any = (0.1, 1.0, 10.0), *, fit_intercept: bool = True, scoring: Any = None, cv: Any = None,
        gcv_mode: str | None = None, store_cv_results: bool = False, alpha_per_target: bool = False,
    ):  # fmt: skip
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose the penalty, and fit to X (n, p) and y (n,) or (n, targets), with weights of rows (n,)."""
        self._validate_params()
        forms = ["csr", "csc", "coo"]
        alphas = np.atleast_1d(np.asarray(self.alphas, float))
        if not np.all(alphas > 0.0 if self.cv is None else alphas >= 0.0):
            raise ValueError(
                f"alphas: got {alphas.min()}, expected penalties {'above' if self.cv is None else 'from'} 0"
            )
        X, y = read_training(self, X, y, accept_sparse=forms, order=None, multi_output=True, y_numeric=True)
        if self.cv is None:
            self._leave_one_out(X, y, sample_weight, alphas)
        else:
            self._leave_folds_out(X, y, sample_weight, alphas)
        return self

    def _leave_one_out(self, X, y, sample_weight, alphas) -> None:
        weights = None if np.isscalar(sample_weight) else weights_of(sample_weight, X)
        data = centre(X, y, weights, self.fit_intercept)
        design = data.X.toarray() - np.outer(data.roots, data.x_means) if sparse.issparse(data.X) else data.X
        found = spectrum(design, data.y, data.roots, self.fit_intercept, self.gcv_mode == "svd")
        errors = np.stack([left_out_errors(found, data.y, alpha) for alpha in alphas], axis=-1)
        results = errors**2
        if self.scoring is not None:
            roots = np.where(data.roots > 0.0, data.roots, 1.0)[:, None, None]
            results = (data.y[:, :, None] - errors) / roots + data.y_means[:, None]
        scores = self._scores(
            results, np.reshape(y, data.y.shape), sample_weight
        )  # (penalties,) or (targets, penalties)
        best = np.argmax(scores, axis=-1)
        self.alpha_ = alphas[best] if np.ndim(best) else float(alphas[best])
        self.best_score_ = np.take_along_axis(scores, best[:, None], 1)[:, 0] if np.ndim(best) else float(scores[best])
        if self.store_cv_results:
            self.cv_results_ = results[:, 0] if np.ndim(y) == 1 else results
        model = Ridge(self.alpha_, fit_intercept=self.fit_intercept, solver="cholesky").fit(X, y, sample_weight)
        self.coef_, self.intercept_ = model.coef_, model.intercept_

    def _scores(self, results, y, sample_weight) -> np.ndarray:
        per_target = self.alpha_per_target and y.shape[1] > 1
        if self.scoring is None:
            return -results.mean(axis=0) if per_target else -results.mean(axis=(0, 1))
        scorer: Any = check_scoring(self, scoring=self.scoring, allow_none=True)
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}

        def score(predictions, true):
            return scorer(_Predicted(), predictions, true, **weighted)

        count = range(results.shape[2])
        if per_target:
            return np.array([[score(results[:, t, k], y[:, t]) for k in count] for t in range(y.shape[1])])
        return np.array([score(results[:, :, k], y) for k in count])

    def _leave_folds_out(self, X, y, sample_weight, alphas) -> None:
        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name):
                raise ValueError(f"{name}: got True with cv={self.cv!r}, expected False: rows are not left out in turn")
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        search = GridSearchCV(
            Ridge(fit_intercept=self.fit_intercept), {"alpha": alphas}, cv=self.cv, scoring=self.scoring
        ).fit(X, y, **weighted)
        model = search.best_estimator_
        self.alpha_, self.best_score_ = float(model.alpha), search.best_score_
        self.coef_, self.intercept_ = model.coef_, model.intercept_


class _Predicted(RegressorMixin, BaseEstimator):
    """What gives a scorer predictions that are made already."""

    def predict(self, predictions):
        return predictions
