"""SVRG and SAGA step by step against plain NumPy, in all forms; their rules, and what is refused."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from thalweg import DataSum
from thalweg.kernels.compile.jit import with_entry
from thalweg.kernels.numbers import random
from thalweg.solvers.learning import reduced, saga, svrg

generator = np.random.default_rng(2)
N, P, L2, STEP, SEED = 70, 4, 0.1, 0.05, 5
X = generator.normal(size=(N, P)) * (generator.uniform(size=(N, P)) < 0.5)
X1 = np.column_stack([X, np.ones(N)])
Y = np.where(X @ generator.normal(size=P) + generator.normal(size=N) > 0, 1.0, -1.0)
WEIGHTS = generator.uniform(0.5, 2.0, N)
START = np.full(P + 1, 0.1)


def logistic(z, y):
    return math.log1p(math.exp(-y * z))


def logistic_of_rows(w, x, y):
    z = w[x.size]
    for j in range(x.size):
        z += w[j] * x[j]
    return math.log1p(math.exp(-y * z))


def of(form, l2=L2):
    if form == "general":
        return DataSum(logistic_of_rows, X, Y, sample_weight=WEIGHTS)
    table = csr_matrix(X) if form == "sparse" else X
    return DataSum(logistic, table, Y, sample_weight=WEIGHTS, l2=l2, fit_intercept=True)


def begin(method, data, **options):
    return method.begin(data.passes(START, 1), START, method.Options(**options), SEED)


def gradient(w, i):
    return -WEIGHTS[i] / WEIGHTS.mean() * Y[i] / (1 + np.exp(Y[i] * (X1[i] @ w))) * X1[i]


def drawn(t):
    """The row of step t."""
    key = with_entry(random.run_key)(SEED, 0)
    return with_entry(random.integer)(key, t, N)


def saga_in_numpy(epochs, l2):
    """Defazio, Bach, Lacoste-Julien (2014), section 1, steps 1 to 3."""
    w = START.copy()
    table = np.array([gradient(w, i) for i in range(N)])
    for t in range(epochs * N):
        j = drawn(t)
        new = gradient(w, j)
        w, table[j] = w - STEP * (new - table[j] + table.mean(axis=0) + l2 * np.r_[w[:-1], 0]), new
    return w


def svrg_in_numpy(epochs, l2):
    """Johnson and Zhang (2013), figure 1, option I."""
    w = START.copy()
    for s in range(epochs):
        snapshot = w.copy()
        mean = np.mean([gradient(snapshot, i) for i in range(N)], axis=0)
        for t in range(s * 2 * N, (s + 1) * 2 * N):
            i = drawn(t)
            w = w - STEP * (gradient(w, i) - gradient(snapshot, i) + mean + l2 * np.r_[w[:-1], 0])
    return w


@pytest.mark.parametrize("form", ["dense", "sparse", "general"])
@pytest.mark.parametrize(("method", "expected"), [(saga, saga_in_numpy), (svrg, svrg_in_numpy)])
def test_steps_are_those_of_the_paper(method, expected, form):
    for l2 in (0.0,) if form == "general" else (0.0, L2):
        run = begin(method, of(form, l2), step=STEP)
        for _ in range(3):
            run.epoch()
        np.testing.assert_allclose(run.w, expected(3, l2), rtol=0, atol=1e-13)
        value, g = of(form, l2).value_and_gradient(run.w)
        assert run.value == value and np.array_equal(run.g, g)


def test_steps_have_the_lengths_of_the_papers():
    squares = WEIGHTS / WEIGHTS.mean() * (X1**2).sum(axis=1)
    lipschitz = 0.25 * squares.max() + L2
    for options in ({}, {"curvature": 0.25}):  # where nothing is given, the second derivative at z = 0 is found
        for form in ("dense", "sparse"):
            assert math.isclose(begin(saga, of(form), **options).state.own["eta"][0], 1 / (3 * lipschitz))
            assert math.isclose(begin(svrg, of(form), **options).state.own["eta"][0], 0.1 / lipschitz)
    assert begin(svrg, of("dense"), inner=0.5).steps == N // 2


def test_both_come_to_the_minimum_and_the_same_seed_gives_the_same_bits():
    for method in (saga, svrg):
        runs = [begin(method, of("sparse")) for _ in range(2)]
        for run in runs:
            for _ in range(60):
                run.epoch()
        assert np.abs(runs[0].g).max() < 1e-10
        assert runs[0].w.tobytes() == runs[1].w.tobytes()


def test_what_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"step: got None with a loss of \(w, x, y\), expected a length"):
        begin(saga, of("general"))
    with pytest.raises(ValueError, match=r"step: got -1.0, expected a number above 0"):
        saga.Options(step=-1.0)
    with pytest.raises(ValueError, match=r"curvature: got 0.0, expected a number above 0"):
        svrg.Options(curvature=0.0)
    with pytest.raises(ValueError, match="the second derivative of the loss is 0 or not finite; give step"):
        begin(svrg, DataSum(lambda z, y: max(0.0, 1.0 - y * z), X, Y, fit_intercept=True))
    monkeypatch.setattr(reduced, "MOST_BYTES", 100)
    with pytest.raises(MemoryError, match="method: saga keeps a gradient for each row"):
        begin(saga, of("general"), step=STEP)
    begin(svrg, of("general"), step=STEP)


def test_an_exception_names_its_row():
    def picky(z, y):
        if z > 1.0:
            raise ValueError("one")
        return z * z - 9.0 * z

    run = begin(saga, DataSum(picky, X, Y, fit_intercept=True), step=0.5)
    with pytest.raises(ValueError, match="one") as caught:
        for _ in range(5):
            run.epoch()
    assert "raised by the loss in row" in caught.value.__notes__[0]
