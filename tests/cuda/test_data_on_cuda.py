"""Sums over data on the device: the CPU's value and gradient, the same bits each time, and rows that raise."""

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from scipy.sparse import csr_matrix

from thalweg import DataSum, minimize
from thalweg.kernels import objective
from thalweg.kernels.calling.of_number import objective_of_number
from thalweg.kernels.compile.jit import inlined
from thalweg.kernels.cuda import data
from thalweg.kernels.cuda.data import DataOnDevice
from thalweg.kernels.elementary import exp, log1p

pytestmark = pytest.mark.usefixtures("simulated")
generator = np.random.default_rng(3)
N, P = 61, 7  # neither is a multiple of anything
X, W = generator.normal(size=(N, P)), generator.normal(size=P + 1)
Y = (generator.uniform(size=N) < 0.5).astype(float)
WEIGHTS = generator.uniform(0.5, 2.0, N)


@inlined
def logistic(z, y):
    """Of the engine: the loss, and its derivative."""
    e = exp(-abs(z))
    return log1p(e) + max(z, 0.0) - y * z, (1.0 if z > 0 else e) / (1.0 + e) - y


def of_user(z, y, scale):
    return scale * (math.log1p(math.exp(-abs(z))) + max(z, 0.0) - y * z)


def general(w, x, y, scale):
    z = w[x.size]
    for j in range(x.size):
        z += w[j] * x[j]
    return scale * (z - y) ** 2 + 1e-3 * w[0] ** 2


def bound_of(function, args, x) -> Any:
    return function.bind(args, x)


def user_loss(scale=1.0):
    return bound_of(objective_of_number(of_user), (Y[0], scale), np.zeros(1))


def expected(w, rows=slice(None), weights=WEIGHTS, x=X):
    z = x[rows] @ w[:P] + (w[P] if w.size > P else 0.0)
    losses = np.logaddexp(0.0, z) - Y[rows] * z
    slopes = weights[rows] * (1.0 / (1.0 + np.exp(-z)) - Y[rows])
    g = slopes @ x[rows]
    return weights[rows] @ losses, np.append(g, slopes.sum()) if w.size > P else g


def check(found, wanted, close):
    np.testing.assert_allclose(found[0], wanted[0], rtol=close["rtol"])
    np.testing.assert_allclose(found[1], wanted[1], rtol=close["rtol"], atol=1e-12 if close["rtol"] < 1e-11 else 1e-9)


@pytest.mark.parametrize("w", [W, W[:P]], ids=["intercept", "none"])
def test_the_engines_losses_are_those_of_the_cpu(w, close):
    passes = DataOnDevice(logistic, X, Y, WEIGHTS)
    found = passes.value_and_gradient(w)
    check(found, expected(w), close)
    again = passes.value_and_gradient(w)
    assert again[0] == found[0] and again[1].tobytes() == found[1].tobytes()


def test_some_rows_of_single_precision(close):
    rows = generator.permutation(N)[:23]
    single = X.astype(np.float32)
    passes = DataOnDevice(logistic, single, Y)
    check(passes.value_and_gradient(W, rows), expected(W, rows, np.ones(N), single.astype(float)), close)
    check(passes.value_and_gradient(W, rows[:1]), expected(W, rows[:1], np.ones(N), single.astype(float)), close)


def test_a_loss_of_the_users_is_differentiated(close):
    passes = DataOnDevice(user_loss(2.0), X, Y, WEIGHTS)
    value, g = expected(W)
    check(passes.value_and_gradient(W), (2.0 * value, 2.0 * g), close)


def test_a_general_loss(close):
    passes = DataOnDevice(bound_of(objective(general), (X[0], Y[0], 0.5), W), X, Y, WEIGHTS, linear=False)
    rows = generator.permutation(N)[:50]
    for some in (np.arange(N), rows, rows[:3]):
        weights, r = WEIGHTS[some], X[some] @ W[:P] + W[P] - Y[some]
        g = np.append((weights * r) @ X[some], (weights * r).sum())
        g[0] += 2e-3 * W[0] * weights.sum()
        check(passes.value_and_gradient(W, some), (weights @ (0.5 * r**2 + 1e-3 * W[0] ** 2), g), close)


def test_the_first_row_that_raises_is_named():
    def picky(z, y):
        if y > 5.0:
            raise ValueError("five")
        return (z - y) ** 2

    labels = Y.copy()
    labels[[17, 40]] = 6.0
    passes = DataOnDevice(bound_of(objective_of_number(picky), (0.0,), np.zeros(1)), X, labels)
    value, _ = passes.value_and_gradient(W)
    assert math.isnan(value) and passes.fault == 17
    value, _ = passes.value_and_gradient(W, np.array([3, 4]))
    assert math.isfinite(value) and passes.fault is None


def test_a_loss_in_python_is_refused():
    plain = bound_of(objective(general, compiled=False), (X[0], Y[0], 0.5), W)
    with pytest.raises(ValueError, match="device='cuda' cannot run this: its objective runs as 'python'"):
        DataOnDevice(plain, X, Y, linear=False)


def test_a_thread_whose_memory_is_too_small_gets_more(monkeypatch, simulated):
    """In the simulator the machine code of the CPU has memory of its own; there a note is made in its place."""
    from thalweg.kernels.calling import asking
    from thalweg.kernels.cuda import launches, questions

    def wide(w, x, y):
        inside = np.zeros(400)
        for i in range(400):
            inside[i] = w[0] * x[0] - y + 1e-3 * i
        return np.sum(inside**2)

    if simulated:
        ask = questions.answers(False)

        def short(problem, x, g):
            if problem.size < 4 * data.FIRST:
                problem.full[problem.thread] = 1
                return questions.RAISED.view(np.float64)
            return ask[asking.value_and_gradient](problem, x, g)

        monkeypatch.setattr(data, "answers", lambda given: {**ask, asking.value_and_gradient: short})
        monkeypatch.setattr(launches, "_compiled", {})
    passes = DataOnDevice(bound_of(objective(wide), (X[0], Y[0]), np.ones(1)), X[:9], Y[:9], linear=False)
    value, g = passes.value_and_gradient(np.array([0.7]))
    r = 0.7 * X[:9, :1] - Y[:9, None] + 1e-3 * np.arange(400)
    np.testing.assert_allclose((value, g[0]), ((r**2).sum(), 2 * (r * X[:9, :1]).sum()), rtol=1e-9)
    assert passes.parts >= 4 * data.FIRST and passes.fault is None


@pytest.mark.parametrize("method", ["l_bfgs_b", "gradient_descent"])
def test_minimize_takes_a_sum_over_data(method, close):
    data = DataSum(lambda z, y: math.log1p(math.exp(-abs(z))) + max(z, 0.0) - y * z, X, Y, l2=0.1, fit_intercept=True)
    found = minimize(data, method=method, device="cuda", max_iters=3)
    expected = minimize(data, method=method, max_iters=3)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-6, atol=1e-8)
    assert found.device == "cuda" and found.nit == expected.nit and found.method == method


def test_a_general_loss_and_weights_and_what_is_refused():
    data = DataSum(lambda w, x: np.sum((w - x) ** 2), X, sample_weight=WEIGHTS)
    np.testing.assert_allclose(minimize(data, np.ones(P), device="cuda").x, WEIGHTS @ X / WEIGHTS.sum(), atol=1e-6)

    def picky(z, y):
        if z > 2.0:
            raise ValueError("two")
        return (z - y) ** 2

    with pytest.raises(ValueError, match="two") as caught:
        minimize(DataSum(picky, X, Y), np.full(P, 1.5), device="cuda")
    assert "raised by the loss in row" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="device='cuda': X is sparse"):
        minimize(DataSum(picky, csr_matrix(X), Y), device="cuda")
