"""LinearRegression: certified and exact solutions, and scikit-learn's answers."""

import json
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model
from sklearn.utils.estimator_checks import check_estimator

import thalweg as tw
from thalweg.kernels.data import twofold
from thalweg.solvers.learning import ordinary_least_squares

# Five linear sets of NIST's StRD, certified: X without the column of ones.
NIST = json.loads((Path(__file__).parent / "data" / "nist_linear.json").read_text())
DIGITS = {"NoInt2": 15, "Pontius": 13, "Wampler2": 13, "Wampler4": 15, "Longley": 14}


def table(name):
    """X, y and the coefficients, that of the ones first."""
    one = NIST[name]
    x, beta = np.array(one["x"]), np.array(one["certified_beta"])
    if one["design"].startswith("powers"):
        x = x[:, None] ** np.arange(1, len(beta))
    return (x.T if x.shape[0] == len(beta) - 1 else x.reshape(len(one["y"]), -1)), np.array(one["y"]), beta


def digits(found, true):
    return float(-np.log10(np.maximum(np.abs(found - true) / np.abs(true), 1e-16)).min())


@pytest.mark.parametrize("name", NIST)
def test_certified_digits(name):
    X, y, beta = table(name)
    intercept = name != "NoInt2"
    found = tw.LinearRegression(fit_intercept=intercept).fit(X, y)
    ours = np.r_[found.intercept_, found.coef_] if intercept else found.coef_
    A = np.column_stack([np.ones(len(y)), X]) if intercept else X
    theirs = np.linalg.lstsq(A, y)[0]
    assert digits(ours, beta) >= DIGITS[name] - 0.5
    assert digits(ours, beta) >= digits(theirs, beta)


def exact(A, y):
    """The solution of the normal equations in rational numbers."""
    rows = [[Fraction(float(v)) for v in row] for row in A]
    b = [Fraction(float(v)) for v in y]
    p = len(rows[0])
    M = [[sum(r[i] * r[j] for r in rows) for j in range(p)] for i in range(p)]
    M = [line + [sum(r[i] * v for r, v in zip(rows, b))] for i, line in enumerate(M)]
    for k in range(p):
        for i in range(p):
            if i != k:
                factor = M[i][k] / M[k][k]
                M[i] = [a - factor * c for a, c in zip(M[i], M[k])]
    return np.array([float(M[k][p] / M[k][k]) for k in range(p)])


def test_a_polynomial_of_degree_10_has_all_digits():
    """As NIST's Filip: its columns' condition is 1e10 when they are scaled, and lstsq has 7 digits there."""
    x = np.linspace(-8.78, -3.13, 30)
    A = x[:, None] ** np.arange(11)
    y = np.sin(x) + 0.01 * np.cos(77 * x)
    true = exact(A, y)
    found = tw.LinearRegression().fit(A[:, 1:], y)
    assert digits(np.r_[found.intercept_, found.coef_], true) > 14.5
    assert digits(np.linalg.lstsq(A, y)[0], true) < 10


def test_many_rows_lose_no_digits():
    """Normal equations of condition 1e8, corrected: as good as QR, and 4 digits better than without corrections."""
    random = np.random.default_rng(1)
    X = random.normal(size=(1200, 4)) + 1e-4 * random.normal(size=(1200, 1))
    X[:, 3] = X[:, 2] + 3e-4 * X[:, 3]
    y = X @ [1.0, 2.0, -3.0, 4.0] + random.normal(size=1200)
    found = ordinary_least_squares.by_normal_equations(X, y[:, None], np.ones(1200))
    assert found is not None  # this branch is what is tested
    true = exact(np.column_stack([np.ones(1200), X]), y)
    assert digits(found.w[:, 0], true) > 12
    fitted = tw.LinearRegression().fit(X, y)
    assert np.array_equal(np.r_[fitted.intercept_, fitted.coef_], found.w[:, 0])
    X[:, 3] = X[:, 2] + 1e-7 * random.normal(size=1200)
    assert ordinary_least_squares.by_normal_equations(X, y[:, None], None) is None


def test_twofold_residuals_are_exact():
    random = np.random.default_rng(0)
    A, b = random.normal(size=(9, 3)), random.normal(size=9)
    w, r = random.normal(size=(2, 3)) * [[1.0], [1e-17]], random.normal(size=(2, 9)) * [[1.0], [1e-17]]
    f, g = np.empty((2, 9)), np.empty(3)
    twofold.residuals_of(np.ascontiguousarray(A.T), b, w, r, f, g)
    F = lambda v: [Fraction(float(x)) for x in v]
    whole_w, whole_r = [a + c for a, c in zip(*map(F, w))], [a + c for a, c in zip(*map(F, r))]
    true_f = [bi - ri - sum(a * v for a, v in zip(F(row), whole_w)) for row, bi, ri in zip(A, F(b), whole_r)]
    true_g = [-sum(a * v for a, v in zip(F(column), whole_r)) for column in A.T]
    np.testing.assert_allclose(f[0], np.array(true_f, float), rtol=1e-15)
    np.testing.assert_allclose(g, np.array(true_g, float), rtol=1e-15)


# --- beside scikit-learn --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(
    ("form", "shape"), [("dense", (30, 4)), ("dense", (4, 9)), ("dense", (2000, 6)), ("sparse", (40, 5))]
)
def test_answers_are_scikit_learns(form, shape, fit_intercept, weighted):
    random = np.random.default_rng(2)
    X, Y = random.normal(size=shape) + 1.0, random.normal(size=(shape[0], 2))
    weights = random.integers(0, 3, shape[0]).astype(float) if weighted else None
    X = sparse.csr_array(np.where(X > 1.0, X, 0.0)) if form == "sparse" else X
    for y in (Y[:, 0], Y):
        ours = tw.LinearRegression(fit_intercept=fit_intercept, tol=1e-14).fit(X, y, weights)
        theirs = linear_model.LinearRegression(fit_intercept=fit_intercept, tol=1e-14).fit(X, y, weights)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-8)
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-8)
        if form == "dense":
            assert ours.rank_ == theirs.rank_
            np.testing.assert_allclose(ours.singular_, theirs.singular_, atol=1e-12 * theirs.singular_.max())


def test_dependent_columns_give_the_solution_of_least_norm():
    random = np.random.default_rng(3)
    X = random.normal(size=(50, 3))
    X = np.column_stack([X, X[:, 0] - X[:, 2], np.zeros(50), np.full(50, 0.1)])
    y = random.normal(size=50)
    found = tw.LinearRegression().fit(X, y)
    centred = X - X.mean(axis=0)
    centred[:, 5] = 0.0
    np.testing.assert_allclose(found.coef_, np.linalg.pinv(centred) @ (y - y.mean()), atol=1e-12)
    assert found.rank_ == 3


def test_badly_scaled_columns_are_not_dropped():
    random = np.random.default_rng(4)
    X = random.normal(size=(40, 3)) * [1.0, 1e-9, 1e9]
    y = X @ [1.0, 1e9, 1e-9] + 1.0
    found = tw.LinearRegression().fit(X, y)
    np.testing.assert_allclose(found.coef_, [1.0, 1e9, 1e-9], rtol=1e-12)
    assert found.rank_ == 3


def test_positive_coefficients():
    random = np.random.default_rng(5)
    X, Y = random.normal(size=(30, 4)), random.normal(size=(30, 2))
    ours, theirs = tw.LinearRegression(positive=True), linear_model.LinearRegression(positive=True)
    np.testing.assert_allclose(ours.fit(X, Y).coef_, theirs.fit(X, Y).coef_, atol=1e-10)
    with pytest.raises(TypeError, match="dense data is required"):
        ours.fit(sparse.csr_array(X), Y)


@pytest.mark.parametrize(
    ("weights", "message"), [(-np.ones(5), "Negative values"), (np.zeros(5), "non-zero number|sum to 0")]
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        tw.LinearRegression().fit(np.eye(5), np.arange(5.0), weights)


def test_names_pickles_and_single_precision():
    frame = pytest.importorskip("pandas").DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
    model = pickle.loads(pickle.dumps(tw.LinearRegression().fit(frame, [1.0, 2.0, 4.0])))
    assert list(model.feature_names_in_) == ["a", "b"]
    assert tw.LinearRegression().fit(frame.to_numpy(np.float32), [1.0, 2.0, 4.0]).coef_.dtype == np.float32


def test_scikit_learns_checks():
    check_estimator(tw.LinearRegression(), on_skip=None)
    check_estimator(tw.LinearRegression(positive=True), on_skip=None)
