"""Logistic regression with L1 and elastic-net penalties: proximal Newton, beside scikit-learn."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from thalweg.kernels.data.rows import design
from thalweg.solvers.learning.proximal_newton import proximal_newton


def data(n, p, classes, seed=0):
    """Columns far from centred; labels drawn from a model of which half the columns are part."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    scores = X @ (rng.normal(size=(p, classes)) * (rng.random((p, 1)) < 0.5))
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return X + 3.0, np.array([rng.choice(classes, p=row / row.sum()) for row in odds])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("shape", [(200, 10), (60, 300)])
def test_coefficients_are_those_of_scikit_learn(shape, kind, classes):
    X, y = data(*shape, classes)
    fit = proximal_newton(design(kind(X)), y, np.full(len(y), 0.3), 1.0, 0.0, tol=1e-12)
    saga = LogisticRegression(l1_ratio=1.0, solver="saga", C=0.3, tol=1e-10, max_iter=100_000).fit(X - 3.0, y)
    assert np.abs(fit.coef - saga.coef_).max() < 1e-6
    assert 0 < np.count_nonzero(fit.coef) < fit.coef.size
