"""`LogisticRegression`: two classes and more, every penalty, with the parameters and results of scikit-learn's.

    minimise over w, b    C sum_i c_i loss_i(w, b) + (1 - l1_ratio) |w|^2 / 2 + l1_ratio |w|_1

loss_i is -log of the probability of the class of row i, c_i its weight. Which method finds the minimum is `solver`; the
minimum is the same, to the tolerance.
"""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ...kernels.compile.waiting import explained
from ...kernels.data.rows import design
from ..learning.fista import fista
from ..learning.linear_saga import linear_saga
from ..learning.logistic_sum import LogisticSum, MultinomialSum
from ..learning.newton_cholesky import Descent, newton_cholesky
from ..learning.proximal_newton import proximal_newton
from .reading import read_classes, read_training, read_weights, weigh_classes
from .smooth import by_minimize
from .threads import threads

SMOOTH, SPARSE = (None, "l2"), ("l1", "elasticnet")
TAKES = {  # a solver: the penalties that it takes
    "auto": SMOOTH + SPARSE,
    "newton-cholesky": SMOOTH,
    "lbfgs": SMOOTH,
    "newton-cg": SMOOTH,
    "proximal-newton": SPARSE,
    "liblinear": ("l1", "l2"),
    "fista": ("l2", *SPARSE),
    "sag": SMOOTH,
    "saga": SMOOTH + SPARSE,
}
WITH_GAP = {"fista": fista, "saga": linear_saga}  # these end by the duality gap with L2, too
SEEDS = 2**31 - 1
ALSO = {"l_bfgs_b": "lbfgs", "newton_cg": "newton-cg", "newton_cholesky": "newton-cholesky"}  # the names of `minimize`
FEW = 500  # coefficients: newton-cholesky is the faster one below, lbfgs above


class Fit(NamedTuple):
    """What a solver found: w (K, p), b (K,), K = 1 for two classes."""

    coef: np.ndarray
    intercept: np.ndarray
    n_iter: int
    converged: bool
    left: str  # what was not yet reached, for the warning


class LogisticRegression(LinearClassifierMixin, SparseCoefMixin, BaseEstimator):
    """Logistic regression of two classes or more (multinomial), dense or sparse: scikit-learn's `LogisticRegression`.

    Loss and gradient are one pass over the data on all cores, and a table of C-contiguous doubles (or floats) is not
    copied. 100,000 x 100 numbers take some tens of milliseconds.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet", None}, optional
        Deprecated, as in scikit-learn: `l1_ratio` and `C` say it.
    C : float, default 1.0
        The weight of the loss against the penalty, above 0; inf: no penalty.
    l1_ratio : float in [0, 1], default 0.0
        0: L2; 1: L1; between: elastic net.
    dual : bool, default False
        Taken for "liblinear", where it changes nothing: the minimum is that of the primal.
    tol : float, default 1e-4
        Ends when no entry of the gradient of the mean loss is larger than this; with L1, "fista" and "saga", when the
        duality gap is at most this part of the loss of the constant model.
    fit_intercept : bool, default True
    intercept_scaling : float, default 1
        With "liblinear", whose penalty is on the intercept, too: on intercept / intercept_scaling.
    class_weight : dict or "balanced", optional
    random_state : int, RandomState or None
        Draws the rows of "saga"; else nothing is drawn.
    solver : str, default "auto"
        "auto"
            The fastest: for L2 or no penalty "newton-cholesky" up to 500 coefficients and "lbfgs" above, else
            "proximal-newton".
        "newton-cholesky"
            L2 or none. Newton's method; of many rows a sample makes the Hessian (learning/newton_cholesky.py).
        "lbfgs", "newton-cg"
            L2 or none. `minimize`'s l_bfgs_b and newton_cg, for many coefficients.
        "proximal-newton"
            L1 and elastic net: coordinate descent on Newton's model, with a duality gap.
        "liblinear"
            L1 or L2, two classes: its objective, in which the intercept is penalised.
        "fista"
            L2, L1 and elastic net, by accelerated proximal gradients: for data whose columns are of one scale.
        "saga"
            The same, and none, by single rows; max_iter counts epochs. Without a penalty it is what "auto" takes.
        "sag"
            What it would find, found by what "auto" takes.

        scikit-learn's default is "lbfgs".
    max_iter : int, default 100
    verbose : int, default 0
        Above 0: a line about each fit.
    warm_start : bool, default False
        Begin with the coefficients of the fit before.
    n_jobs : int, optional
        Threads; None: all cores. (In scikit-learn it has no effect, and a fit is on one core but for BLAS.)

    Attributes
    ----------
    classes_ : (K,) array
        The labels, sorted.
    coef_ : (1, p) or (K, p) array
    intercept_ : (1,) or (K,) array
        Zeros where none is fitted.
    n_iter_ : (1,) array of int
        Iterations over all rows.
    n_features_in_, feature_names_in_
        Of the table that was fitted.

    Raises
    ------
    ValueError
        NaN or infinity in X, one class only, a penalty that the solver does not take, negative weights.

    Notes
    -----
    A ConvergenceWarning says what was not reached in `max_iter` iterations, and what to do about it. Classes that a
    plane separates have no minimum without a penalty; the fit ends where the gradient is below `tol`.

    Examples
    --------
    >>> import numpy as np
    >>> import thalweg as tw
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = tw.LogisticRegression().fit(X, ["no", "yes", "no", "yes"])
    >>> model.predict([[0.0], [3.0]]).tolist()
    ['no', 'yes']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), None, Hidden(StrOptions({"deprecated"}))],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "solver": [StrOptions({*TAKES, *ALSO})],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
    }
    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    n_iter_: np.ndarray

    def __init__(
        self, penalty: Any = "deprecated", *, C: float = 1.0, l1_ratio: float | None = 0.0, dual: bool = False,
        tol: float = 1e-4, fit_intercept: bool = True, intercept_scaling: float = 1,
        class_weight: dict[Any, float] | str | None = None, random_state: Any = None, solver: str = "auto",
        max_iter: int = 100, verbose: int = 0, warm_start: bool = False, n_jobs: int | None = None,
    ):  # fmt: skip
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    @explained("LogisticRegression", 12)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X (n, p), dense or sparse, of classes y (n,); sample_weight (n,), none below zero."""
        penalty, C, l1_ratio = read_penalty(self.penalty, self.C, self.l1_ratio)
        solver = read_solver(self.solver, penalty, self.dual)
        X, y = read_training(self, X, y)
        weights = read_weights(sample_weight, X)
        self.classes_, labels = read_classes(y)
        if solver == "liblinear" and self.classes_.size > 2:
            raise ValueError(
                f"solver: got 'liblinear' for {self.classes_.size} classes, expected another one, or a "
                "OneVsRestClassifier around it. Only binary classification is supported. The type of the target is "
                "multiclass."
            )
        weigh_classes(self.class_weight, self.classes_, labels, weights)
        with threads(self.n_jobs):
            found = fit_penalised(
                X, labels, weights, self.classes_.size, solver, C, l1_ratio, self._start(X.shape[1]),
                fit_intercept=self.fit_intercept, scaling=self.intercept_scaling, tol=self.tol, max_iter=self.max_iter,
                seed=int(check_random_state(self.random_state).randint(SEEDS)) if solver == "saga" else 0,
            )  # fmt: skip
        self.coef_, self.intercept_ = found.coef.astype(X.dtype), found.intercept.astype(X.dtype)
        self.n_iter_ = np.array([found.n_iter], dtype=np.int32)
        if self.verbose > 0:
            print(f"LogisticRegression: {found.n_iter} iterations, {found.left}")
        if not found.converged:
            warn_of(found, self.max_iter)
        return self

    def _start(self, p: int) -> np.ndarray | None:
        """(K, p + 1): the coefficients before, and behind them the intercepts, where they fit what is fitted now."""
        coef = getattr(self, "coef_", None) if self.warm_start else None
        K = 1 if self.classes_.size == 2 else self.classes_.size
        if coef is None or coef.shape != (K, p):
            return None
        coef = coef.toarray() if sparse.issparse(coef) else coef
        return np.column_stack([coef, self.intercept_]).astype(np.float64)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (n, K) of the classes, in the order of `classes_`."""
        check_is_fitted(self)
        return softmax(self._scores(X), axis=1)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Their logarithms, also of those that are too small for a double."""
        check_is_fitted(self)
        return log_softmax(self._scores(X), axis=1)

    def _scores(self, X):
        """(n, K); of two classes the first has the score 0."""
        found = self.decision_function(X)
        return found if found.ndim == 2 else np.column_stack([np.zeros_like(found), found])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.solver == "liblinear":
            tags.classifier_tags.multi_class = False
        return tags


def read_penalty(penalty: Any, C: float, l1_ratio: float | None) -> tuple[str | None, float, float]:
    """The penalty, C (inf: none) and the share of L1, from parameters of which `penalty` is deprecated."""
    if l1_ratio is None:
        if penalty == "elasticnet":
            raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
        if penalty == "deprecated":
            warnings.warn("l1_ratio: got None, which is deprecated; expected a number from 0 to 1", FutureWarning, 3)
        l1_ratio = {"l1": 1.0}.get(penalty, 0.0)
    if penalty == "deprecated":
        penalty = None if C == np.inf else "l2" if l1_ratio == 0 else "l1" if l1_ratio == 1 else "elasticnet"
        return penalty, C, l1_ratio
    warnings.warn(
        f"penalty: got {penalty!r}, which is deprecated; write l1_ratio=0 for 'l2', l1_ratio=1 for 'l1', a number "
        "between for 'elasticnet', and C=np.inf for None",
        FutureWarning,
        3,
    )
    if penalty is None:
        if C != 1.0:
            warnings.warn("C: it has no effect with penalty=None", UserWarning, 3)
        return None, np.inf, 0.0
    if penalty != "elasticnet" and l1_ratio not in (0, {"l1": 1.0}.get(penalty, 0.0)):
        warnings.warn(f"l1_ratio: got {l1_ratio}, which has no effect with penalty={penalty!r}", UserWarning, 3)
    return penalty, C, {"l1": 1.0, "l2": 0.0}.get(penalty, l1_ratio)


def read_solver(solver: str, penalty: str | None, dual: bool) -> str:
    """The solver under its one name, where it takes the penalty."""
    name = ALSO.get(solver, solver)
    if penalty not in TAKES[name]:
        fits = ", ".join(repr(other) for other, taken in TAKES.items() if penalty in taken)
        raise ValueError(f"solver: got {solver!r}, which does not take the penalty {penalty!r}, expected one of {fits}")
    if dual and name != "liblinear":
        raise ValueError(f"dual: got True with solver={solver!r}, expected False; only 'liblinear' takes it")
    return name


def fit_penalised(
    X, labels, weights, classes: int, solver: str, C: float, l1_ratio: float, start: np.ndarray | None, *,
    fit_intercept: bool, scaling: float, tol: float, max_iter: int, seed: int = 0,
) -> Fit:  # fmt: skip
    """The minimum for rows whose labels (n,) are 0 ... classes - 1, from `start` (K, p + 1) if there is one."""
    K, p = 1 if classes == 2 else classes, X.shape[1]
    own_intercept = solver == "liblinear" and fit_intercept  # a column of its own, which is penalised
    if (l1_ratio > 0.0 or solver in WITH_GAP) and C < np.inf:
        if own_intercept:
            column = np.full((len(labels), 1), scaling, X.dtype)
            X = sparse.hstack([X, column], format="csr") if sparse.issparse(X) else np.hstack([X, column])
            start = (
                None if start is None else np.column_stack([start[:, :p], start[:, p:] / scaling, 0.0 * start[:, p:]])
            )
        method = WITH_GAP.get(solver, proximal_newton)
        drawn = {"seed": seed} if solver == "saga" else {}
        found = method(
            design(X), labels, C * weights, l1_ratio, 1.0 - l1_ratio, start=start, tol=tol, max_iter=max_iter,
            fit_intercept=fit_intercept and not own_intercept, **drawn,
        )  # fmt: skip
        intercept = found.coef[:, p] * scaling if own_intercept else found.intercept
        left = f"the duality gap is {found.gap:.1e}"
        return Fit(found.coef[:, :p], intercept, found.n_iter, found.converged, left)
    width = p + 1 if fit_intercept else p
    total = weights.sum()
    ridge = np.full((K, width), 1.0 / (C * total))
    if fit_intercept:
        ridge[:, p] = 1.0 / (C * total * scaling**2) if own_intercept else 0.0
    if K == 1:
        objective = LogisticSum(design(X), labels.astype(np.float64), weights, ridge[0])
    else:
        objective = MultinomialSum(design(X), labels, weights, ridge)
    w = np.zeros(ridge.size) if start is None else start[:, :width].ravel()
    found = minimise_smooth(solver, objective, w, tol, max_iter)
    W = found.w.reshape(K, width)
    if K > 1 and fit_intercept:
        W[:, p] -= W[:, p].mean()  # a shift of all is free, and only rounding has moved it
    intercept = W[:, p].copy() if fit_intercept else np.zeros(K)
    left = f"the largest entry of the gradient is {found.largest:.1e}, tol is {tol:.1e}"
    return Fit(W[:, :p], intercept, found.iterations, found.converged, left)


def minimise_smooth(solver: str, objective: LogisticSum | MultinomialSum, w, tol: float, max_iter: int) -> Descent:
    if solver not in ("newton-cholesky", "lbfgs", "newton-cg"):
        solver = "newton-cholesky" if objective.size <= FEW else "lbfgs"
    if solver == "newton-cholesky":
        return newton_cholesky(objective, w, tol, max_iter)
    return by_minimize("l_bfgs_b" if solver == "lbfgs" else "newton_cg", objective, w, tol, max_iter)


def warn_of(found: Fit, max_iter: int) -> None:
    warnings.warn(
        f"LogisticRegression has not converged in {found.n_iter} iterations (max_iter={max_iter}): {found.left}. Scale "
        "the columns (sklearn.preprocessing.StandardScaler), give more iterations (max_iter), a stronger penalty "
        "(a smaller C) or a larger tol.",
        ConvergenceWarning,
        stacklevel=3,
    )
