"""What linear models do with their data: weights go into the rows, means out of the columns; and how they predict."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator as _LinearOperator
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from ...kernels.data.centred_columns import CentredDense, CentredSparse
from .reading import read_rows, read_weights

LinearOperator: Any = _LinearOperator
CONSTANT = 10 * np.finfo(float).eps  # a column of no more than this beside its mean is what rounding left of a constant


class Centred(NamedTuple):
    """Rows times the roots of their weights; a sparse X keeps its zeros, and means are taken out where it is used."""

    X: Any  # (n, p) float64: Fortran's order, or CSC
    y: np.ndarray  # (n, targets) float64, Fortran's order
    x_means: np.ndarray  # (p,) zeros without an intercept
    y_means: np.ndarray  # (targets,)
    roots: np.ndarray  # (n,) of the weights

    @property
    def columns(self) -> CentredDense | CentredSparse:
        """The design of coordinate descent."""
        if not sparse.issparse(self.X):
            return CentredDense(self.X.T)
        roots = self.roots
        return CentredSparse(self.X.data, self.X.indices, self.X.indptr, self.x_means, roots, float(roots @ roots))

    @property
    def operator(self) -> Any:
        """What multiplies vectors (n,) and (p,) as X does, means taken out."""
        X, means, roots = self.X, self.x_means, self.roots
        if not sparse.issparse(X):
            return X
        return LinearOperator(
            X.shape,
            matvec=lambda v: X @ v - roots * (means @ np.ravel(v)),
            rmatvec=lambda v: X.T @ v - means * (roots @ np.ravel(v)),
            dtype=float,
        )

    def products(self, v) -> np.ndarray:
        """X'v of (n, ...), means taken out."""
        found = np.asarray(self.X.T @ v)
        if sparse.issparse(self.X):
            found = found - np.multiply.outer(self.x_means, self.roots @ v)
        return found

    def gram(self) -> np.ndarray:
        """X'X (p, p), means taken out."""
        found = self.X.T @ self.X
        if sparse.issparse(self.X):
            found = found.toarray() - (self.roots @ self.roots) * np.outer(self.x_means, self.x_means)
        return found


def weights_of(sample_weight, X, average_one: bool = False) -> np.ndarray | None:
    """The weights of rows (n,), None where they are equal. `average_one`: they are made to sum to n."""
    if sample_weight is None or (average_one and np.isscalar(sample_weight)):
        return None
    weights = read_weights(sample_weight, X)
    if not weights.any():
        raise ValueError("sample_weight: got weights that sum to 0, expected a positive sum")
    return weights * (weights.size / weights.sum()) if average_one else weights


def centre(X, y, weights=None, fit_intercept: bool = True, copy: bool = True) -> Centred:
    """X (n, p) and y (n,) or (n, targets), as read; X is left as it is, but where `copy` allows that it is not."""
    n, p = X.shape
    y = np.array(y, float, order="F", ndmin=1, copy=True).reshape(n, -1, order="F")
    x_means, y_means = np.zeros(p), np.zeros(y.shape[1])
    if sparse.issparse(X):
        X = X.tocsc().astype(float, copy=False)
        if fit_intercept:
            x_means = np.asarray(X.T @ (np.ones(n) if weights is None else weights)) / _total(weights, n)
    else:
        X = np.array(X, float, order="F", copy=True if copy else None)
        if fit_intercept:
            x_means = np.average(X, axis=0, weights=weights)
            X -= x_means
            X[:, np.abs(X).max(axis=0) <= CONSTANT * np.abs(x_means)] = 0.0
    if fit_intercept:
        y_means = np.average(y, axis=0, weights=weights)
        y -= y_means
    if weights is None:
        return Centred(X, y, x_means, y_means, np.ones(n))
    roots = np.sqrt(weights)
    X = sparse.diags_array(roots).tocsc() @ X if sparse.issparse(X) else np.multiply(X, roots[:, None], out=X)
    y *= roots[:, None]
    return Centred(X, y, x_means, y_means, roots)


def _total(weights, n) -> float:
    return n if weights is None else weights.sum()


class LinearModel(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """A regressor that is `coef_` and `intercept_`."""

    coef_: np.ndarray  # (p,), or (targets, p)
    intercept_: Any  # float, or (targets,)
    fit_intercept: bool

    def predict(self, X: Any) -> np.ndarray:
        """The targets (n,) or (n, targets) of rows X (n, p), dense or sparse."""
        check_is_fitted(self)
        X = read_rows(self, X, accept_sparse=["csr", "csc", "coo"])
        return safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_

    def _set_intercept(self, data: Centred, single: bool) -> None:
        """The intercept that belongs to coef_; `single`: y had one dimension."""
        if not self.fit_intercept:
            self.intercept_ = 0.0
            return
        intercept = data.y_means - np.atleast_2d(self.coef_) @ data.x_means
        self.intercept_ = intercept[0] if single else intercept

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
