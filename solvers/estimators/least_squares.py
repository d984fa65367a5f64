"""`LinearRegression`: ordinary least squares, scikit-learn's, with more digits."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from scipy import linalg, optimize, sparse
from scipy.sparse.linalg import lsqr
from sklearn.utils._param_validation import Interval

from ..learning.ordinary_least_squares import EPS, solve
from .centring import Centred, LinearModel, centre, weights_of
from .reading import read_training


class LinearRegression(LinearModel):
    """Ordinary least squares, as scikit-learn's `LinearRegression`.

        minimise |y - X w - intercept|^2

    Dense data are solved to nearly the last digit that their rounding allows: by QR with residuals in twofold
    precision, or, where there are many rows and the columns are far from dependent, by the normal equations with
    corrections. Dependent columns, or fewer rows than columns, have many solutions: given is the one of least norm.

    Parameters
    ----------
    fit_intercept : bool, default True
        Whether there is a constant term.
    copy_X : bool, default True
        False: X may be overwritten.
    tol : float, default 1e-6
        Of sparse data: `atol` and `btol` of SciPy's `lsqr`. Dense data do not need it: columns count as dependent where
        rounding alone tells them apart. (scikit-learn 1.9 takes singular values below `tol` times the greatest for 0,
        of columns as they are scaled: it drops directions of badly scaled data that are well determined.)
    n_jobs : int, optional
        For scikit-learn's sake: BLAS has threads of its own.
    positive : bool, default False
        Keep coefficients at 0 or above (dense data only; SciPy's `nnls`).

    Attributes
    ----------
    coef_ : (p,) array, or (targets, p)
    intercept_ : float, or (targets,) array
    rank_ : int; singular_ : (min(n, p),) array
        Of X, centred where there is an intercept; dense data only, not with `positive`.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Raises
    ------
    ValueError
        As scikit-learn's; sample weights below 0, or of which none is above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import LinearRegression
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]])
    >>> LinearRegression().fit(X, X @ [1.0, 2.0] + 3.0).coef_
    array([1., 2.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
    }
    coef_: np.ndarray
    intercept_: Any
    rank_: int
    singular_: Any  # (min(n, p),)

    def __init__(
        self, *, fit_intercept: bool = True, copy_X: bool = True, tol: float = 1e-6, n_jobs: int | None = None,
        positive: bool = False,
    ):  # fmt: skip
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to X (n, p), dense or sparse, and y (n,) or (n, targets), with weights of rows sample_weight (n,)."""
        self._validate_params()
        forms: Any = False if self.positive else ["csr", "csc", "coo"]
        X, y = read_training(self, X, y, accept_sparse=forms, order=None, multi_output=True, y_numeric=True)
        weights = weights_of(sample_weight, X)
        single = np.ndim(y) == 1
        if sparse.issparse(X) or self.positive or not self._solve(X, y, weights, single):
            data = centre(X, y, weights, self.fit_intercept, self.copy_X)
            found = self._solve_centred(data).astype(X.dtype, copy=False)
            self.coef_ = found[0] if single else found
            self._set_intercept(data, single)
        return self

    def _solve(self, X, y, weights, single) -> bool:
        """Whether there is one solution of dense data, which is noted then."""
        X, targets, kind = X.astype(float, copy=False), np.array(y, float).reshape(len(X), -1), X.dtype
        ones = np.ones(len(X)) if self.fit_intercept else None
        if weights is not None:
            roots = np.sqrt(weights)
            X, targets = X * roots[:, None], targets * roots[:, None]
            ones = roots if self.fit_intercept else None
        found, first = solve(X, targets, ones), int(self.fit_intercept)
        if found is None:
            return False
        self.rank_, self.singular_ = X.shape[1], linalg.svdvals(found.factor[first:, first:])  # of the centred columns
        coefficients = found.w[first:].T.astype(kind, copy=False)
        self.coef_ = coefficients[0] if single else coefficients
        self.intercept_ = 0.0 if not first else float(found.w[0, 0]) if single else found.w[0]
        return True

    def _solve_centred(self, data: Centred) -> np.ndarray:
        """Coefficients (targets, p)."""
        if self.positive:
            return np.array([optimize.nnls(data.X, v)[0] for v in data.y.T])
        if sparse.issparse(data.X):
            return np.array([lsqr(data.operator, v, atol=self.tol, btol=self.tol)[0] for v in data.y.T])
        n, p = data.X.shape
        by_singular_values: Any = linalg.lstsq
        found, _, self.rank_, self.singular_ = by_singular_values(data.X, data.y, cond=EPS * max(n, p))
        return found.T

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags
