"""`SGDClassifier` and `SGDRegressor`: linear models by stochastic gradient descent (kernels/data/stochastic.py).

Names, defaults and results are scikit-learn's: without shuffling the coefficients agree to rounding. The order of
shuffled rows is another one, as it hangs on our random numbers.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ...kernels.compile.waiting import explained
from ...kernels.data.row_losses import LOSSES
from .descending import SEEDS, Descending, initial
from .reading import read_rows, read_training, read_weights

OF_REGRESSION = LOSSES[5:]


def _has_probabilities(estimator) -> bool:
    if estimator.loss in ("log_loss", "modified_huber"):
        return True
    raise AttributeError(f"probability estimates are not available for loss={estimator.loss!r}")


class SGDClassifier(LinearClassifierMixin, ClassifierMixin, Descending):
    """Linear classifiers by stochastic gradient descent: scikit-learn's `SGDClassifier`, a row a step.

    Parameters
    ----------
    loss : str, default "hinge"
        "hinge" (a linear SVM), "log_loss" (logistic regression), "modified_huber", "squared_hinge", "perceptron", or a
        loss of `SGDRegressor`, of labels +-1.
    penalty : {"l2", "l1", "elasticnet", None}, default "l2"
        L1 by cumulative truncation (Tsuruoka, Tsujii and Ananiadou 2009).
    alpha : float, default 1e-4
        Weight of the penalty; sets the steps of "optimal", too.
    l1_ratio : float in [0, 1], default 0.15
        Share of L1 in "elasticnet".
    fit_intercept : bool, default True
    max_iter : int, default 1000
        Epochs, at most.
    tol : float or None, default 1e-3
        A fit ends when the loss per row (with `early_stopping` the score) was not bettered by as much in
        `n_iter_no_change` epochs. None: after max_iter epochs.
    shuffle : bool, default True
        Put the rows into another order before each epoch.
    verbose : int, default 0
    epsilon : float, default 0.1
        Of "huber", "epsilon_insensitive" and "squared_epsilon_insensitive".
    n_jobs : int, optional
        Threads, where there are more than two classes: one against all others, for each.
    random_state : int, RandomState or None
    learning_rate : str, default "optimal"
        "optimal": 1 / (alpha (t0 + t)), t0 by Bottou; "constant": eta0; "invscaling": eta0 / t^power_t; "adaptive":
        eta0, divided by 5 where nothing was gained; "pa1", "pa2": passive-aggressive, with "hinge" (Crammer et al.
        2006).
    eta0 : float, default 0.01
    power_t : float, default 0.5
    early_stopping : bool, default False
        Hold out a stratified part of the rows, and stop by the score there.
    validation_fraction : float, default 0.1
    n_iter_no_change : int, default 5
    class_weight : dict, "balanced" or None
    warm_start : bool, default False
        Begin `fit` with the coefficients found before.
    average : bool or int, default False
        Give the mean of all points, or of those from that step on.

    Attributes
    ----------
    coef_ : (1, p) array, or (k, p) of k > 2 classes; intercept_ : (1,) or (k,)
    classes_ : (k,) array
    n_iter_ : int, epochs; t_ : float, steps + 1
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Raises
    ------
    ValueError
        As scikit-learn's; and where numbers overflow, as columns are not scaled.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import SGDClassifier
    >>> X = np.array([[-1.0, -1.0], [-2.0, -1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> SGDClassifier(random_state=0).fit(X, ["low", "low", "high", "high"]).predict([[-0.8, -1.0]])
    array(['low'], dtype='<U4')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Descending._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
        "n_jobs": [None, Integral],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }
    margin_loss: str = "hinge"
    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray

    def __init__(
        self, loss: str = "hinge", *, penalty: str | None = "l2", alpha: float = 0.0001, l1_ratio: float | None = 0.15,
        fit_intercept: bool = True, max_iter: int = 1000, tol: float | None = 1e-3, shuffle: bool = True,
        verbose: int = 0, epsilon: float = 0.1, n_jobs: int | None = None, random_state: Any = None,
        learning_rate: str = "optimal", eta0: float = 0.01, power_t: float = 0.5, early_stopping: bool = False,
        validation_fraction: float = 0.1, n_iter_no_change: int = 5, class_weight: dict[Any, float] | str | None = None,
        warm_start: bool = False, average: bool | int = False,
    ):  # fmt: skip
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average

    @explained("stochastic gradient descent", 4)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X (n, p), dense or sparse, and their classes y (n,)."""
        self._check(partly=False)
        X, y = read_training(self, X, y)
        check_classification_targets(y)
        before = self.warm_start and hasattr(self, "coef_")
        coef, intercept = (self.coef_, self.intercept_) if before else (None, None)
        self.classes_ = np.unique(y)
        if self.classes_.size < 2:
            raise ValueError("The number of classes has to be greater than one; got 1 class")
        models = 1 if self.classes_.size == 2 else self.classes_.size
        shape = models, X.shape[1]
        coef = initial(coef_init if coef_init is not None else coef, shape, "coef_init", np.zeros(shape))
        given = intercept_init if intercept_init is not None else intercept
        self._begin(coef, initial(given, (models,), "intercept_init", np.zeros(models)))
        return self._go_on(X, y, sample_weight, self.max_iter)

    @explained("stochastic gradient descent", 4)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch over these rows, from where the last one ended. `classes`: all there will be, at the first call."""
        self._check(partly=True)
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which does not see all rows. Find the "
                "weights on a large part of the data, compute_class_weight('balanced', classes=classes, y=y), and give "
                "them as a dict"
            )
        first = not hasattr(self, "classes_")
        X, y = read_training(self, X, y, reset=first)
        _check_partial_fit_first_call(self, classes)
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            raise ValueError(f"y: got the labels {sorted(unknown)}, which are not among `classes`")
        if first:
            models = 1 if self.classes_.size == 2 else self.classes_.size
            self._begin(np.zeros((models, X.shape[1])), np.zeros(models))
        elif not self.average:
            self._points = np.column_stack([self.coef_, self.intercept_])
        return self._go_on(X, y, sample_weight, 1)

    def _go_on(self, X, y, sample_weight, epochs: int):
        plain = read_weights(sample_weight, X)
        labels = np.searchsorted(self.classes_, y)
        of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if self.classes_.size == 2:
            targets, weights = [2.0 * labels - 1.0], [plain * of_class[labels]]
        else:
            targets = [np.where(labels == k, 1.0, -1.0) for k in range(self.classes_.size)]
            weights = [plain * np.where(labels == k, one, 1.0) for k, one in enumerate(of_class)]
        seeds = check_random_state(self.random_state).randint(SEEDS, size=len(targets))
        self._descend(X, targets, weights, plain, epochs, seeds, self.n_jobs)
        self.coef_, self.intercept_ = self._found()
        return self

    def _split(self, y, seed: int):
        split = StratifiedShuffleSplit(test_size=self.validation_fraction, random_state=seed)
        return next(split.split(np.zeros((y.size, 1)), y))

    def _quality(self, state, X, y, weights) -> float:
        scores = X @ state.w + state.own["intercept"]
        return float(np.average((scores > 0) == (y > 0), weights=weights))

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (n, k) of the classes, for loss "log_loss" or "modified_huber".

        More than two classes: those of one class against all others, brought to a sum of 1; where modified_huber says 0
        for all of them, all are as likely.
        """
        check_is_fitted(self)
        scores = self.decision_function(X)
        if self.loss == "log_loss":
            shares = 0.5 * (1.0 + np.tanh(0.5 * scores))  # 1 / (1 + exp(-scores))
        else:
            shares = 0.5 * (np.clip(scores, -1.0, 1.0) + 1.0)
        if self.classes_.size == 2:
            return np.column_stack([1.0 - shares, shares])
        sums = shares.sum(axis=1, keepdims=True)
        return np.where(sums > 0.0, shares / np.where(sums > 0.0, sums, 1.0), 1.0 / self.classes_.size)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class SGDRegressor(RegressorMixin, Descending):
    """Linear regression by stochastic gradient descent: scikit-learn's `SGDRegressor`, a row a step.

    Parameters
    ----------
    loss : str, default "squared_error"
        Or "huber", "epsilon_insensitive", "squared_epsilon_insensitive".
    learning_rate : str, default "invscaling"
    power_t : float, default 0.25
    penalty, alpha, l1_ratio, fit_intercept, max_iter, tol, shuffle, verbose, epsilon, random_state, eta0,
    early_stopping, validation_fraction, n_iter_no_change, warm_start, average
        As of `SGDClassifier`; "pa1" and "pa2" go with "epsilon_insensitive", and the score is R squared.

    Attributes
    ----------
    coef_ : (p,) array; intercept_ : (1,) array
    n_iter_ : int, epochs; t_ : float, steps + 1
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Raises
    ------
    ValueError
        As scikit-learn's; and where numbers overflow, as columns are not scaled.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import SGDRegressor
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> SGDRegressor(alpha=0.0, tol=1e-9, random_state=0).fit(X, X @ [2.0, -1.0] + 0.5).coef_.round(3)
    array([ 2., -1.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Descending._parameter_constraints,
        "loss": [StrOptions(set(OF_REGRESSION))],
    }
    margin_loss: str = "epsilon_insensitive"
    coef_: np.ndarray
    intercept_: np.ndarray

    def __init__(
        self, loss: str = "squared_error", *, penalty: str | None = "l2", alpha: float = 0.0001,
        l1_ratio: float | None = 0.15, fit_intercept: bool = True, max_iter: int = 1000, tol: float | None = 1e-3,
        shuffle: bool = True, verbose: int = 0, epsilon: float = 0.1, random_state: Any = None,
        learning_rate: str = "invscaling", eta0: float = 0.01, power_t: float = 0.25, early_stopping: bool = False,
        validation_fraction: float = 0.1, n_iter_no_change: int = 5, warm_start: bool = False,
        average: bool | int = False,
    ):  # fmt: skip
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average

    @explained("stochastic gradient descent", 4)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X (n, p), dense or sparse, and their targets y (n,)."""
        self._check(partly=False)
        X, y = read_training(self, X, y, y_numeric=True)
        before = self.warm_start and hasattr(self, "coef_")
        coef, intercept = (self.coef_, self.intercept_) if before else (None, None)
        coef = initial(coef_init if coef_init is not None else coef, (1, X.shape[1]), "coef_init", None)
        given = intercept_init if intercept_init is not None else intercept
        self._begin(
            np.zeros((1, X.shape[1])) if coef is None else coef, initial(given, (1,), "intercept_init", np.zeros(1))
        )
        return self._go_on(X, y, sample_weight, self.max_iter)

    @explained("stochastic gradient descent", 4)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows, from where the last one ended."""
        self._check(partly=True)
        first = not hasattr(self, "coef_")
        X, y = read_training(self, X, y, y_numeric=True, reset=first)
        if first:
            self._begin(np.zeros((1, X.shape[1])), np.zeros(1))
        elif not self.average:
            self._points = np.append(self.coef_, self.intercept_)[None]
        return self._go_on(X, y, sample_weight, 1)

    def _go_on(self, X, y, sample_weight, epochs: int):
        weights = read_weights(sample_weight, X)
        seeds = check_random_state(self.random_state).randint(SEEDS, size=1)
        self._descend(X, [np.array(y, dtype=np.float64)], [weights], weights, epochs, seeds)
        coef, self.intercept_ = self._found()
        self.coef_ = coef[0]
        return self

    def _split(self, y, seed: int):
        return next(ShuffleSplit(test_size=self.validation_fraction, random_state=seed).split(np.zeros((y.size, 1))))

    def _quality(self, state, X, y, weights) -> float:
        off = (X @ state.w + state.own["intercept"] - y) ** 2
        around = (y - np.average(y, weights=weights)) ** 2
        return 1.0 - float(weights @ off / max(weights @ around, np.finfo(float).tiny))

    def predict(self, X: Any) -> np.ndarray:
        """The model's values (n,) for the rows of X (n, p)."""
        check_is_fitted(self)
        X = read_rows(self, X)
        return safe_sparse_dot(X, self.coef_, dense_output=True) + self.intercept_[0]
