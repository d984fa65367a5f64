"""`Lasso` and `ElasticNet`: linear regression with an L1 penalty, by coordinate descent (learning/coordinate_path.py).

Names, defaults, attributes and the stop are scikit-learn's.
"""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from ...kernels.compile.waiting import explained
from ..learning.coordinate_path import Path, follow_path, reduced
from .centring import Centred, LinearModel, centre, weights_of
from .reading import read_training

SEEDS = 2**31 - 1


class ElasticNet(LinearModel):
    """Linear regression with a mixed penalty, as scikit-learn's `ElasticNet`.

        minimise 1/(2 n) |y - X w|^2 + alpha l1_ratio |w|_1 + alpha (1 - l1_ratio)/2 |w|^2

    Several targets are several problems.

    Parameters
    ----------
    alpha : float, default 1.0
        The weight of the penalty, at least 0. At 0 a warning advises `LinearRegression`.
    l1_ratio : float in [0, 1], default 0.5
        Share of the L1 penalty.
    fit_intercept : bool, default True
        Whether there is a constant term, which is not penalised.
    precompute : bool or (p, p) array, default False
        True: solve by X'X (columns centred, rows weighted), which pays where there are many more rows than columns; or
        that matrix. Products of the columns of a small working set are used in any case.
    max_iter : int, default 1000
        Passes over the columns of a working set, at most.
    copy_X : bool, default True
        False: X may be overwritten.
    tol : float, default 1e-4
        The fit is done when the duality gap is at most `tol` |y|^2 / n, y being centred.
    warm_start : bool, default False
        Begin with the coefficients of the fit before.
    positive : bool, default False
        Keep coefficients at 0 or above.
    random_state : int, RandomState or None
        Of `selection="random"`. Its draws are not scikit-learn's.
    selection : {"cyclic", "random"}, default "cyclic"
        Columns one after another, or drawn.

    Attributes
    ----------
    coef_ : (p,) array, or (targets, p); sparse_coef_ : the same in compressed rows
    intercept_ : float, or (targets,) array
    n_iter_ : int, or a list of one for each target
    dual_gap_ : float, or (targets,) array
        By so much the objective may be above its minimum: a proof, not an estimate.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Raises
    ------
    ValueError
        As scikit-learn's; sample weights below 0, or of which none is above 0.

    Warns
    -----
    ConvergenceWarning
        `max_iter` was not enough.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import ElasticNet
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    >>> ElasticNet(alpha=0.1).fit(X, [1.0, 3.0, 5.0, 7.0]).coef_.round(3)
    array([1.885, 0.   ])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "precompute": ["boolean", "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
    }
    coef_: np.ndarray
    dual_gap_: Any  # float, or (targets,)
    n_iter_: Any  # int, or a list of them

    def __init__(
        self, alpha: float = 1.0, *, l1_ratio: float = 0.5, fit_intercept: bool = True, precompute: Any = False,
        max_iter: int = 1000, copy_X: bool = True, tol: float = 1e-4, warm_start: bool = False, positive: bool = False,
        random_state: Any = None, selection: str = "cyclic",
    ):  # fmt: skip
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    @explained("coordinate descent", 12)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to X (n, p), dense or sparse, y (n,) or (n, targets). Of sample_weight (n,) only proportions count."""
        self._validate_params()
        if self.alpha == 0:
            warnings.warn(
                "alpha: at 0 there is no penalty, and coordinate descent may take long: LinearRegression solves that "
                "problem directly",
                stacklevel=2,
            )
        X, y = read_training(
            self, X, y, accept_sparse="csc", order="F", accept_large_sparse=False, multi_output=True, y_numeric=True
        )
        data = centre(X, y, weights_of(sample_weight, X, average_one=True), self.fit_intercept, self.copy_X)
        n, p = X.shape
        targets = data.y.shape[1]
        start = np.zeros((targets, p))
        if self.warm_start and hasattr(self, "coef_"):
            start = np.atleast_2d(self.coef_).astype(float)
        paths = paths_of(
            data, [self.alpha], self.l1_ratio, self.precompute, start=start, positive=self.positive, tol=self.tol,
            max_iter=self.max_iter, seed=drawn_seed(self.selection, self.random_state),
        )  # fmt: skip
        warn_of_gaps(paths, n, self.max_iter)
        coefficients = np.array([path.coefficients[0] for path in paths]).astype(X.dtype, copy=False)
        gaps = np.array([path.gaps[0] / n for path in paths])
        epochs = [int(path.epochs[0]) for path in paths]
        single = targets == 1
        self.coef_, self.dual_gap_, self.n_iter_ = (
            (coefficients[0], gaps[0], epochs[0]) if single else (coefficients, gaps, epochs)
        )
        self._set_intercept(data, np.ndim(y) == 1)
        return self

    @property
    def sparse_coef_(self) -> Any:
        """`coef_` in compressed rows."""
        return sparse.csr_array(np.atleast_2d(self.coef_))


class Lasso(ElasticNet):
    """Linear regression with an L1 penalty, as scikit-learn's `Lasso`: `ElasticNet` with l1_ratio 1.

        minimise 1/(2 n) |y - X w|^2 + alpha |w|_1

    Parameters, attributes, errors and warnings are those of `ElasticNet`, but for `l1_ratio`.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import Lasso
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    >>> Lasso(alpha=0.1).fit(X, [1.0, 3.0, 5.0, 7.0]).coef_.round(3)
    array([1.92, 0.  ])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        name: kinds for name, kinds in ElasticNet._parameter_constraints.items() if name != "l1_ratio"
    }
    l1_ratio: float = 1.0

    def __init__(
        self, alpha: float = 1.0, *, fit_intercept: bool = True, precompute: Any = False, copy_X: bool = True,
        max_iter: int = 1000, tol: float = 1e-4, warm_start: bool = False, positive: bool = False,
        random_state: Any = None, selection: str = "cyclic",
    ):  # fmt: skip
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection


# --- shared with the paths ------------------------------------------------------------------------------------------


def paths_of(data: Centred, alphas, l1_ratio, precompute, *, start=None, Xy=None, **options: Any) -> list[Path]:
    """The path of each target. `precompute`: True, False, or X'X; Xy: X'y (p, targets), if known."""
    n, targets = data.y.shape
    alphas = np.asarray(alphas, float)
    l1, l2 = alphas * l1_ratio * n, alphas * (1.0 - l1_ratio) * n
    starts = [None] * targets if start is None else start
    if precompute is False:
        columns = data.columns
        return [follow_path(columns, data.y[:, k], l1, l2, start=starts[k], **options) for k in range(targets)]
    products = data.gram() if precompute is True else checked_gram(precompute, data)
    Xy = data.products(data.y) if Xy is None else Xy
    small = [reduced(products, Xy[:, k], float(data.y[:, k] @ data.y[:, k])) for k in range(targets)]
    return [follow_path(*small[k], l1, l2, start=starts[k], **options) for k in range(targets)]


def checked_gram(precompute, data: Centred) -> np.ndarray:
    """A matrix that is given as X'X: of the right shape, and true in one entry (p, p)."""
    products = np.array(precompute, float)
    p = data.X.shape[1]
    if products.shape != (p, p):
        raise ValueError(f"precompute: got an array of shape {products.shape}, expected X'X of shape {(p, p)}")
    j, k = (0, p - 1) if p > 1 else (0, 0)
    one = data.products(_column(data, j))[k]
    size = np.sqrt(abs(products[j, j] * products[k, k]))
    if abs(products[j, k] - one) > 1e-4 * max(size, abs(one)):
        raise ValueError(
            f"precompute: got {products[j, k]} for the product of columns {j} and {k}, expected {one}: X'X of columns "
            "that are centred where fit_intercept=True, and of rows times the roots of their weights"
        )
    return products


def _column(data: Centred, j) -> np.ndarray:
    if sparse.issparse(data.X):
        return data.X[:, [j]].toarray()[:, 0] - data.x_means[j] * data.roots
    return data.X[:, j]


def drawn_seed(selection, random_state) -> int | None:
    return int(check_random_state(random_state).randint(SEEDS)) if selection == "random" else None


def warn_of_gaps(paths: list[Path], n, max_iter) -> None:
    """One warning for all penalties and targets whose gap is not closed."""
    missed = [(gap, path.goal) for path in paths for gap in path.gaps if gap > path.goal]
    if missed:
        gap, goal = max(missed)
        warnings.warn(
            f"coordinate descent has not converged within max_iter={max_iter} passes in {len(missed)} of "
            f"{sum(path.gaps.size for path in paths)} problems: a duality gap of {gap / n:.3g} is left, above "
            f"tol |y|^2 / n = {goal / n:.3g}. Raise max_iter, tol or alpha, or scale the columns",
            ConvergenceWarning,
            stacklevel=3,
        )
