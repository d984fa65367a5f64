"""`Ridge`: linear regression with a squared penalty, as scikit-learn's."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from ..learning.coordinate_path import follow_path
from ..learning.ordinary_least_squares import by_normal_equations
from ..learning.ridge_regression import by_conjugate_gradients, by_lsqr, by_products, by_singular_values
from .centring import Centred, LinearModel, centre, weights_of
from .elastic_net import warn_of_gaps
from .reading import read_training

PASSES = 10_000  # of coordinate descent, where max_iter is not given


class Ridge(LinearModel):
    """Linear regression with a squared penalty, as scikit-learn's `Ridge`.

        minimise |y - X w - intercept|^2 + alpha |w|^2

    Parameters
    ----------
    alpha : float or (targets,) array, default 1.0
        The weight of the penalty, at least 0, or one for each target. At 0 prefer `LinearRegression`.
    fit_intercept : bool, default True
        Whether there is a constant term, which is not penalised.
    copy_X : bool, default True
        False: X may be overwritten.
    max_iter : int, optional
        Iterations of "lsqr" and "sparse_cg" (default: SciPy's), passes of coordinate descent (default 10,000), at most.
    tol : float, default 1e-4
        Of "lsqr": SciPy's `atol` and `btol`; of "sparse_cg": the residual of the normal equations beside that at 0;
        with `positive`: the duality gap is at most tol^2 |y|^2. Others do not need it.
    solver : str, default "auto"
        "cholesky": X'X, with corrections where there are more rows than columns, or X X'; where the condition is
        too much for it, "svd" takes its place. "svd": singular values, dense data only. "sparse_cg": conjugate
        gradients. "lsqr". "lbfgs": with `positive` only, where coordinate descent takes its place. "auto": "cholesky"
        for dense data, "sparse_cg" for sparse data, "lbfgs" with `positive`. There are no "sag" and "saga".
    positive : bool, default False
        Keep coefficients at 0 or above.
    random_state : optional
        For scikit-learn's sake: nothing is drawn.

    Attributes
    ----------
    coef_ : (p,) array, or (targets, p)
    intercept_ : float, or (targets,) array
    n_iter_ : (targets,) array
        Iterations; 1 where there are none (scikit-learn has None there, and with "sparse_cg").
    solver_ : str
        What "auto" was.
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
    >>> from thalweg import Ridge
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    >>> Ridge(alpha=1.0).fit(X, [1.0, 3.0, 5.0, 7.0]).coef_.round(3)
    array([ 1.636, -0.182])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions({"auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs"})],
        "positive": ["boolean"],
        "random_state": ["random_state"],
    }
    coef_: np.ndarray
    intercept_: Any
    n_iter_: np.ndarray
    solver_: str

    def __init__(
        self, alpha: Any = 1.0, *, fit_intercept: bool = True, copy_X: bool = True, max_iter: int | None = None,
        tol: float = 1e-4, solver: str = "auto", positive: bool = False, random_state: Any = None,
    ):  # fmt: skip
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to X (n, p), dense or sparse, and y (n,) or (n, targets), with weights of rows sample_weight (n,)."""
        self._validate_params()
        self.solver_ = self._choose_solver(X)
        forms = ["csr", "csc", "coo"]
        X, y = read_training(self, X, y, accept_sparse=forms, order=None, multi_output=True, y_numeric=True)
        single = np.ndim(y) == 1
        alphas = penalties_of_targets(self.alpha, 1 if single else y.shape[1])
        weights = None if np.isscalar(sample_weight) and sample_weight == 1 else weights_of(sample_weight, X)
        self.n_iter_ = np.ones(len(alphas), np.int32)
        one_matrix = self.solver_ == "cholesky" and np.all(alphas == alphas[0]) and not sparse.issparse(X)
        if not (one_matrix and X.shape[0] >= X.shape[1] and self._solve_uncentred(X, y, weights, alphas[0])):
            data = centre(X, y, weights, self.fit_intercept, self.copy_X)
            found = self._solve(data, alphas).T.astype(X.dtype, copy=False)
            self.coef_ = found[0] if len(found) == 1 else found
            self._set_intercept(data, single)
        return self

    def _choose_solver(self, X) -> str:
        if self.positive:
            if self.solver not in ("auto", "lbfgs"):
                raise ValueError(f"solver: got {self.solver!r}, expected 'auto' or 'lbfgs' with positive=True")
            return "lbfgs"
        if self.solver == "lbfgs":
            raise ValueError("solver: got 'lbfgs', expected another one with positive=False")
        if self.solver == "svd" and sparse.issparse(X):
            raise ValueError("solver: got 'svd', expected 'cholesky', 'sparse_cg' or 'lsqr' for sparse data")
        return self.solver if self.solver != "auto" else "sparse_cg" if sparse.issparse(X) else "cholesky"

    def _solve_uncentred(self, X, y, weights, alpha) -> bool:
        """Whether the normal equations of the data as they are were well conditioned; their answer is noted then."""
        first, single, kind = int(self.fit_intercept), np.ndim(y) == 1, X.dtype
        X, y = X.astype(float, copy=False), np.array(y, float).reshape(len(X), -1)
        ones = np.ones(len(X)) if first else None
        if weights is not None:
            roots = np.sqrt(weights)
            X, y, ones = X * roots[:, None], y * roots[:, None], roots if first else None
        found = by_normal_equations(X, y, ones, alpha)
        if found is None:
            return False
        coefficients = found.w[first:].T.astype(kind, copy=False)
        self.coef_ = coefficients[0] if len(coefficients) == 1 else coefficients
        self.intercept_ = 0.0 if not first else float(found.w[0, 0]) if single else found.w[0]
        return True

    def _solve(self, data: Centred, alphas) -> np.ndarray:
        """Coefficients (p, targets)."""
        if self.solver_ == "lbfgs":
            return self._descend(data, alphas)
        if self.solver_ == "lsqr":
            found, self.n_iter_ = by_lsqr(data.operator, data.y, alphas, self.tol, self.max_iter)
            return found
        if self.solver_ == "sparse_cg":
            found, self.n_iter_, converged = by_conjugate_gradients(
                data.operator, data.y, alphas, self.tol, self.max_iter
            )
            if not converged:
                warnings.warn(
                    "sparse_cg has not converged: raise max_iter, tol or alpha, or scale the columns",
                    ConvergenceWarning,
                    stacklevel=3,
                )
            return found
        if self.solver_ == "cholesky":
            found = self._factorise(data, alphas)
            if found is not None:
                return found
        X = data.X if not sparse.issparse(data.X) else data.X.toarray() - np.outer(data.roots, data.x_means)
        return by_singular_values(X, data.y, alphas)

    @staticmethod
    def _factorise(data: Centred, alphas) -> np.ndarray | None:
        """One matrix for each different penalty."""
        wide = data.X.shape[0] < data.X.shape[1] and not sparse.issparse(data.X)
        products, right = (data.X @ data.X.T, data.y) if wide else (data.gram(), data.products(data.y))
        found = np.empty((len(products), len(alphas)))
        for alpha in np.unique(alphas):
            own = alphas == alpha
            solution = by_products(products, right[:, own], alpha)
            if solution is None:
                return None
            found[:, own] = solution
        return data.X.T @ found if wide else found

    def _descend(self, data: Centred, alphas) -> np.ndarray:
        limit, zero = self.max_iter or PASSES, np.zeros(1)
        paths = [
            follow_path(
                data.columns, v, zero, np.array([alpha]), positive=True, tol=self.tol**2, max_iter=limit
            )
            for v, alpha in zip(data.y.T, alphas, strict=True)
        ]  # fmt: skip
        warn_of_gaps(paths, data.y.shape[0], limit)
        self.n_iter_ = np.array([path.epochs[0] for path in paths])
        return np.column_stack([path.coefficients[0] for path in paths])


def penalties_of_targets(alpha, targets) -> np.ndarray:
    """A penalty for each target (targets,)."""
    alphas = np.asarray(alpha, float).ravel()
    if alphas.size not in (1, targets):
        raise ValueError(f"alpha: got {alphas.size} penalties, expected one, or one for each of the {targets} targets")
    if not np.all(alphas >= 0.0):
        raise ValueError(f"alpha: got {alphas.min()}, expected penalties of at least 0")
    return np.full(targets, alphas[0]) if alphas.size == 1 else alphas
