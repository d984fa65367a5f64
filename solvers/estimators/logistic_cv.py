"""`LogisticRegressionCV`: the penalty of a `LogisticRegression`, chosen by cross-validation.

A fold is the whole table with weights of zero for the rows that are held out, so no part of it is copied to train on.
Folds are on threads; within one, each fit begins where the one before ended.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numba
import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval

from ...kernels.compile.waiting import explained
from .logistic import LogisticRegression, fit_penalised, read_penalty, read_solver, warn_of
from .reading import read_classes, read_training, read_weights, weigh_classes
from .threads import threads


class LogisticRegressionCV(LogisticRegression):
    """Logistic regression with C and the share of L1 by cross-validation: scikit-learn's `LogisticRegressionCV`.

    Parameters
    ----------
    Cs : int or sequence of float, default 10
        As many from 1e-4 to 1e4, even on a log scale; or these, each begun from the fit before it.
    l1_ratios : sequence of float, default (0.0,)
        Shares of L1 that are tried.
    fit_intercept, dual, solver, tol, max_iter, class_weight, verbose, intercept_scaling, random_state
        As in `LogisticRegression`.
    cv : int, splitter or iterable, optional
        As in scikit-learn; None: 5 stratified folds.
    scoring : str or callable, optional
        None: accuracy.
    n_jobs : int, optional
        Threads; None: all cores.
    refit : bool, default True
        Fit to all rows with the best penalty; else what stays is the mean over the folds of the best of each.

    Attributes
    ----------
    classes_, coef_, intercept_
        As in `LogisticRegression`.
    Cs_, l1_ratios_ : arrays
    C_, l1_ratio_ : float
        Those with the best mean score; without `refit` the mean of the best of each fold.
    coefs_paths_ : (folds, l1_ratios, Cs, K, p + 1) array
        K = 1 for two classes; without intercepts (..., p).
    scores_, n_iter_ : (folds, l1_ratios, Cs) arrays
        (scikit-learn 1.9 has these forms with use_legacy_attributes=False, which is to be its default.)

    Examples
    --------
    >>> import numpy as np
    >>> import thalweg as tw
    >>> X = np.arange(20.0).reshape(-1, 1)
    >>> model = tw.LogisticRegressionCV(Cs=[0.01, 1.0], cv=2).fit(X, (X[:, 0] > 9) * 1)
    >>> model.scores_.shape
    (2, 1, 2)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{name: kinds for name, kinds in LogisticRegression._parameter_constraints.items() if name not in (
            "C", "l1_ratio", "penalty", "warm_start")},
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratios": ["array-like"],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "refit": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
    }  # fmt: skip
    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    Cs_: np.ndarray
    l1_ratios_: np.ndarray
    C_: float
    l1_ratio_: float
    coefs_paths_: np.ndarray
    scores_: np.ndarray
    n_iter_: np.ndarray

    def __init__(
        self, *, Cs: Any = 10, l1_ratios: Any = (0.0,), fit_intercept: bool = True, cv: Any = None, dual: bool = False,
        scoring: Any = None, solver: str = "auto", tol: float = 1e-4, max_iter: int = 100,
        class_weight: dict[Any, float] | str | None = None, n_jobs: int | None = None, verbose: int = 0,
        refit: bool = True, intercept_scaling: float = 1.0, random_state: Any = None,
    ):  # fmt: skip
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state

    @explained("LogisticRegressionCV", 12)
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X (n, p), dense or sparse, of classes y (n,); sample_weight (n,), none below zero."""
        X, y = read_training(self, X, y)
        weights = read_weights(sample_weight, X)
        self.classes_, labels = read_classes(y)
        self.Cs_ = np.logspace(-4, 4, self.Cs) if isinstance(self.Cs, Integral) else np.asarray(self.Cs, float)
        self.l1_ratios_ = np.asarray(self.l1_ratios, dtype=float)
        weighed = weights.copy()
        weigh_classes(self.class_weight, self.classes_, labels, weighed)
        splitter: Any = check_cv(self.cv, y, classifier=True)  # pyright: ignore[reportArgumentType]
        folds = list(splitter.split(X, y))
        with threads(self.n_jobs):
            among = numba.get_num_threads()
        beside = min(among, len(folds))

        def path(fold):
            return self._path(X, y, labels, weights, weighed, fold[0], fold[1], 1 if beside > 1 else among)

        if beside > 1:
            with ThreadPoolExecutor(beside) as pool:
                found = list(pool.map(path, folds))
        else:
            found = [path(fold) for fold in folds]
        shape = (len(folds), self.l1_ratios_.size, self.Cs_.size)
        fits = [fit for path, _ in found for fit in path]
        W = np.array([np.column_stack([fit.coef, fit.intercept]) for fit in fits])
        self.coefs_paths_ = W.reshape(*shape, *W.shape[1:])[..., : X.shape[1] + self.fit_intercept]
        self.scores_ = np.array([score for _, scores in found for score in scores]).reshape(shape)
        self.n_iter_ = np.array([fit.n_iter for fit in fits], dtype=np.int32).reshape(shape)
        W = W.reshape(shape[0], -1, *W.shape[1:])
        scores, places = self.scores_.reshape(shape[0], -1), np.arange(shape[0])
        best = np.full(shape[0], scores.mean(axis=0).argmax()) if self.refit else scores.argmax(axis=1)
        ratios, Cs = np.unravel_index(best, shape[1:])
        self.l1_ratio_, self.C_ = float(self.l1_ratios_[ratios].mean()), float(self.Cs_[Cs].mean())
        W = W[places, best].mean(axis=0)
        if self.refit:
            with threads(self.n_jobs):
                last = self._fit(X, labels, weighed, self.C_, self.l1_ratio_, W)
            W, fits = np.column_stack([last.coef, last.intercept]), [*fits, last]
        self.coef_, self.intercept_ = W[:, :-1].astype(X.dtype), W[:, -1].astype(X.dtype)
        for fit in [fit for fit in fits if not fit.converged][:1]:
            warn_of(fit, self.max_iter)
        return self

    def _path(self, X, y, labels, weights, weighed, train, test, among: int):
        """The fits of one fold, for each share of L1 and each C; and their scores."""
        masked = np.zeros_like(weighed)
        masked[train] = weighed[train]
        held = X[test]
        judge: Any = LogisticRegression()
        judge.classes_, judge.n_features_in_ = self.classes_, X.shape[1]
        score, fits, scores = self._scorer(judge), [], []
        with threads(among):
            for l1_ratio in self.l1_ratios_:
                start = None
                for C in self.Cs_:
                    fit = self._fit(X, labels, masked, C, l1_ratio, start)
                    start = np.column_stack([fit.coef, fit.intercept])
                    judge.coef_, judge.intercept_ = fit.coef, fit.intercept
                    fits.append(fit)
                    scores.append(score(judge, held, y[test], sample_weight=weights[test]))
        return fits, scores

    def _fit(self, X, labels, weights, C: float, l1_ratio: float, start):
        penalty, C, l1_ratio = read_penalty("deprecated", C, l1_ratio)
        return fit_penalised(
            X, labels, weights, self.classes_.size, read_solver(self.solver, penalty, self.dual), C, l1_ratio, start,
            fit_intercept=self.fit_intercept, scaling=self.intercept_scaling, tol=self.tol, max_iter=self.max_iter,
        )  # fmt: skip

    def _scorer(self, estimator) -> Any:
        return check_scoring(estimator, scoring=self.scoring or "accuracy")

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The score of `scoring`, accuracy where that is None."""
        return float(self._scorer(self)(self, X, y, sample_weight=sample_weight))
