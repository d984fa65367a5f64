"""Sums over data, full batch: values and derivatives against NumPy, as an objective of methods, what is refused."""

import math

import numpy as np
import pytest
from scipy import sparse

from thalweg import DataSum, minimize

N, P = 700, 5
RNG = np.random.default_rng(12)
X = RNG.normal(size=(N, P))
Y = np.where(RNG.random(N) < 0.4, -1.0, 1.0)
WEIGHTS = RNG.random(N) * (RNG.random(N) < 0.9)
W = RNG.normal(size=P + 1)
V = RNG.normal(size=P + 1)
L2 = 0.3


def logistic(z, y):
    return math.log1p(math.exp(-y * z))


def logistic_of_rows(w, x, y):
    z = w[x.size]
    for j in range(x.size):
        z += w[j] * x[j]
    return math.log1p(math.exp(-y * z))


def expected(X, weights, l2, w, v):
    """F, its gradient and a product with its Hessian; the last entry of w is the intercept, which l2 leaves alone."""
    X1 = np.column_stack([X, np.ones(N)])
    s = np.ones(N) if weights is None else weights / weights.mean()
    z, free = X1 @ w, np.r_[w[:-1], 0.0]
    p = 1 / (1 + np.exp(Y * z))
    value = (s * np.log1p(np.exp(-Y * z))).mean() + 0.5 * l2 * free @ free
    gradient = X1.T @ (-s * Y * p) / N + l2 * free
    return value, gradient, X1.T @ (s * p * (1 - p) * (X1 @ v)) / N + l2 * np.r_[v[:-1], 0.0]


def assert_alike(data, found, product=True, w=W, v=V, tolerance=1e-12):
    value, gradient, hv = expected(*found, w, v)
    assert abs(data.value_and_gradient(w)[0] - value) < tolerance
    assert np.abs(data.value_and_gradient(w)[1] - gradient).max() < tolerance
    if product:
        assert np.abs(data.hessian_product(w, v) - hv).max() < tolerance


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, np.asfortranarray])
def test_the_linear_form_is_what_numpy_makes_of_it(make, weights):
    data = DataSum(logistic, make(X), Y, sample_weight=weights, l2=L2, fit_intercept=True)
    assert_alike(data, (X, weights, L2))


def test_the_general_form_is_what_numpy_makes_of_it():

    def of_rows(w, x, y):
        z = 0.0
        for j in range(x.size):
            z += w[j] * x[j]
        return math.log1p(math.exp(-y * z))

    data = DataSum(of_rows, np.column_stack([X, np.ones(N)]), Y, sample_weight=WEIGHTS)
    assert_alike(data, (X, WEIGHTS, 0.0))


def test_single_precision_is_read_as_it_is_and_added_in_double():
    single = X.astype(np.float32)
    data = DataSum(logistic, single, Y, fit_intercept=True)
    assert data.source.X.x is single
    assert_alike(data, (single.astype(np.float64), None, 0.0), product=False)


def test_without_targets_and_with_rows_of_targets():
    data = DataSum(lambda w, x: np.sum((w - x) ** 2), X)
    assert np.abs(data.value_and_gradient(W[:P])[1] - 2 * (W[:P] - X.mean(axis=0))).max() < 1e-12
    both = np.column_stack([Y, 2 * Y])
    data = DataSum(lambda z, y: (z - y[0]) ** 2 + (z - y[1]) ** 2, X, both)
    z = X @ W[:P]
    assert abs(data(W[:P]) - ((z - Y) ** 2 + (z - 2 * Y) ** 2).mean()) < 1e-12


def test_whole_numbers_of_y_are_indices():
    labels = np.arange(N) % 3
    heights = np.array([0.5, -1.0, 2.0])
    data = DataSum(lambda z, y: (z - heights[y]) ** 2, X, labels)
    assert abs(data(W[:P]) - ((X @ W[:P] - heights[labels]) ** 2).mean()) < 1e-12


def test_what_a_loss_writes_into_is_its_own(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")

    def careless(w, x, y):
        x[0] = 2.0 * x[0]
        return (np.dot(w, x) - y) ** 2

    doubled = X * np.r_[2.0, np.ones(P - 1)]
    data = DataSum(careless, mapped, Y)
    assert abs(data(W[:P]) - ((doubled @ W[:P] - Y) ** 2).mean()) < 1e-12
    assert (np.load(tmp_path / "x.npy") == X).all()


@pytest.mark.parametrize(("method", "near"), [(None, 1e-6), ("newton_cg", 1e-9)])
def test_methods_find_the_minimum(method, near):
    data = DataSum(logistic, X, Y, l2=L2, fit_intercept=True)
    result = minimize(data, method=method, options={"gtol": 1e-10})
    assert result.success and result.nfev > 1 and result.derivatives["gradient"] == "automatic"
    assert np.abs(expected(X, None, L2, result.x, V)[1]).max() < near
    assert abs(result.fun - data(result.x)) < 1e-15


def test_one_thread_gives_the_bits_of_two():
    many = np.tile(X, (80, 1))
    data = DataSum(logistic, many, np.tile(Y, 80))
    ends = [minimize(data, method="l_bfgs_b", threads=t, max_iters=3).x for t in (1, 2)]
    assert data._of(ends[0]).parallel
    assert (ends[0] == ends[1]).all()


def angry(z, y):
    if z > 100.0:
        raise ValueError("too high")
    return (z - y) ** 2


def test_an_exception_comes_with_its_row():
    data = DataSum(angry, np.r_[np.zeros(600), 120.0, 0.0][:, None], np.zeros(602))
    assert data([0.5]) == pytest.approx(60.0**2 / 602)
    with pytest.raises(ValueError, match="too high") as caught:
        data.value_and_gradient([1.0])
    assert "raised by the loss in row 600" in caught.value.__notes__
    data = DataSum(angry, np.r_[np.zeros(600), 120.0, 0.0][:, None], np.r_[np.zeros(600), 900.0, 0.0])
    with pytest.raises(ValueError, match="too high"):
        minimize(data, [0.0])


REFUSED = [
    (dict(X=np.r_[X[:3], [[0, 0, np.nan, 0, 0]]]), r"X: got nan in row 3, column 2"),
    (dict(X=sparse.csr_matrix(np.array([[np.inf]] * N))), r"X: got inf"),
    (dict(X=X[:, 0]), r"X: got shape \(700,\), expected \(n, p\).*reshape"),
    (dict(X=X[:0]), r"X: got shape \(0, 5\)"),
    (dict(X=[["a"]]), r"X: got an array of dtype <U1, expected real numbers"),
    (dict(y=Y[1:]), r"y: got shape \(699,\), expected \(700,\) or \(700, k\)"),
    (dict(y=np.where(Y > 0, np.inf, 0)), r"y: got .*inf in row"),
    (dict(sample_weight=-WEIGHTS), r"sample_weight: got -.* for row"),
    (dict(sample_weight=0 * WEIGHTS), r"sample_weight: got zeros alone"),
    (dict(sample_weight=WEIGHTS[1:]), r"sample_weight: got shape \(699,\), expected \(700,\)"),
    (dict(loss=logistic_of_rows, X=sparse.csr_matrix(X)), r"X: got a sparse matrix with a loss of \(w, x, y\)"),
    (dict(loss=logistic_of_rows, fit_intercept=True), r"fit_intercept: only the linear form"),
    (dict(loss=lambda a, b, c, d: 0.0), r"loss: got a function of .*, expected loss\(w, x, y\), or loss\(z, y\)"),
    (dict(loss="hinge"), r"loss: got 'hinge', expected a function"),
    (dict(l2=-1.0), r"l2: got -1.0"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_what_is_refused(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        DataSum(**(dict(loss=logistic, X=X, y=Y) | given))


def test_points_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match="x0: got 3 numbers, expected 6: one for each column and the intercept"):
        minimize(DataSum(logistic, X, Y, fit_intercept=True), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="x0: got None"):
        minimize(DataSum(logistic_of_rows, X, Y))
    with pytest.raises(TypeError, match="loss: returned None"):
        minimize(DataSum(lambda z, y: None, X, Y))
