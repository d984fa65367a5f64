"""Logistic regression with L1 and elastic-net penalties: proximal Newton, FISTA, SAGA.

Each beside a transcription of its paper in NumPy, step by step; their ends beside scikit-learn and the conditions of a
minimum; the duality gap as a bound.
"""

import numba
import numpy as np
import pytest
from scipy import sparse
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from thalweg.kernels.data import quadratic_model
from thalweg.kernels.data.linear_saga import drift
from thalweg.kernels.data.rows import design
from thalweg.kernels.data.weighted_gram import softmax_hessian
from thalweg.kernels.random import integer, row_key, run_key
from thalweg.solvers.learning import proximal_newton as newton_file
from thalweg.solvers.learning.fista import fista
from thalweg.solvers.learning.linear_saga import linear_saga
from thalweg.solvers.learning.penalised_logistic import PenalisedLogistic
from thalweg.solvers.learning.proximal_newton import proximal_newton

METHODS = [proximal_newton, fista, linear_saga]


def data(n, p, classes, seed=0, centre=0.0):
    """Labels drawn from a model of which half the columns are part."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    scores = X @ (rng.normal(size=(p, classes)) * (rng.random((p, 1)) < 0.5))
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return X + centre, np.array([rng.choice(classes, p=row / row.sum()) for row in odds])


class Plain:
    """The problem by NumPy's formulas; w (K, p + 1)."""

    def __init__(self, X, y, s, l1, l2):
        self.X, self.s, self.l1, self.l2 = np.column_stack([X, np.ones(len(X))]), s, l1, l2
        self.y, self.K = y, 1 if y.max() == 1 else y.max() + 1

    def probabilities(self, w):
        z = w @ self.X.T
        full = np.vstack([np.zeros_like(z), z]) if self.K == 1 else z
        logs = full - logsumexp(full, axis=0)
        return np.exp(logs[-self.K :]), logs[self.y, np.arange(len(self.y))]

    def loss(self, w):
        return -np.sum(self.s * self.probabilities(w)[1])

    def penalty(self, w):
        return self.l1 * np.abs(w[:, :-1]).sum() + 0.5 * self.l2 * np.sum(w[:, :-1] ** 2)

    def value(self, w):
        return self.loss(w) + self.penalty(w)

    def residuals(self, w):
        hot = (self.y == np.arange(self.K)[:, None]) if self.K > 1 else (self.y == 1)[None]
        return self.s * (self.probabilities(w)[0] - hot)

    def slopes(self, w):
        return self.residuals(w) @ self.X

    def hessian(self, w):
        """(K (p + 1), K (p + 1))"""
        p = self.probabilities(w)[0]
        C = p[:, None] * (np.eye(self.K)[:, :, None] - p[None]) * self.s
        blocks = np.einsum("kmi,ia,ib->kamb", C, self.X, self.X)
        return blocks.reshape(w.size, w.size)

    def prox(self, w, step):
        """Of step times the penalty."""
        new = w.copy()
        c = w[:, :-1]
        new[:, :-1] = np.sign(c) * np.maximum(np.abs(c) - step * self.l1, 0.0) / (1.0 + step * self.l2)
        return new

    def distance(self, w):
        """The largest violation of the conditions of a minimum."""
        g = self.slopes(w)
        c, toward = w[:, :-1], g[:, :-1] + self.l2 * w[:, :-1]
        inside = np.maximum(np.abs(toward) - self.l1, 0.0)
        beyond = np.where(c != 0.0, np.abs(toward + self.l1 * np.sign(c)), inside)
        return max(beyond.max(), np.abs(g[:, -1]).max())


def joined(fit):
    return np.column_stack([fit.coef, fit.intercept])


# --- where they end ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
def test_coefficients_are_those_of_scikit_learn(classes):
    X, y = data(200, 10, classes)
    saga = LogisticRegression(l1_ratio=1.0, solver="saga", C=0.3, tol=1e-10, max_iter=100_000).fit(X, y)
    for method in METHODS:
        fit = method(design(X), y, np.full(200, 0.3), 1.0, 0.0, tol=1e-12)
        assert fit.converged
        assert np.abs(fit.coef - saga.coef_).max() < 1e-6
    assert 0 < np.count_nonzero(fit.coef) < fit.coef.size


def test_coefficients_are_those_of_liblinear_where_there_is_no_intercept():
    X, y = data(200, 10, 2)
    fit = proximal_newton(design(X), y, np.full(200, 0.3), 1.0, 0.0, tol=1e-13, fit_intercept=False)
    peer = LogisticRegression(
        l1_ratio=1.0, solver="liblinear", C=0.3, tol=1e-10, max_iter=10_000, fit_intercept=False
    ).fit(X, y)
    assert np.abs(fit.coef - peer.coef_).max() < 1e-6
    assert not fit.intercept.any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("penalty", [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)])
def test_they_meet_the_conditions_of_a_minimum_dense_and_sparse(method, penalty):
    for classes in (2, 3):
        X, y = data(120, 6, classes, centre=0.5)
        X[np.abs(X) < 0.5] = 0.0
        s = np.random.default_rng(1).uniform(0.0, 2.0, 120)
        plain = Plain(X, y, s, *penalty)
        fits = [method(design(kind(X)), y, s, *penalty, tol=1e-13) for kind in (np.asarray, sparse.csr_matrix)]
        for fit in fits:
            assert plain.distance(joined(fit)) < 1e-4
            assert fit.gap <= 1e-10


@pytest.mark.parametrize("classes", [2, 3])
def test_more_columns_than_rows(classes):
    X, y = data(60, 300, classes, centre=3.0)
    X[np.abs(X) < 2.0] = 0.0
    s = np.full(60, 0.3)
    fits = [proximal_newton(design(kind(X)), y, s, 1.0, 0.0, tol=1e-11) for kind in (np.asarray, sparse.csr_matrix)]
    for fit in fits:
        assert Plain(X, y, s, 1.0, 0.0).distance(joined(fit)) < 1e-6
        assert 0 < np.count_nonzero(fit.coef) < 60 * fit.coef.shape[0]
    assert np.abs(fits[0].coef - fits[1].coef).max() < 1e-6


def test_a_large_working_set_of_dense_columns_needs_no_matrix(monkeypatch):
    X, y = data(60, 100, 2)
    s = np.full(60, 0.3)
    matrix = proximal_newton(design(X), y, s, 0.2, 1.0, tol=1e-13)
    monkeypatch.setattr(newton_file, "GRAM", 50)
    columns = proximal_newton(design(X), y, s, 0.2, 1.0, tol=1e-13)
    assert np.count_nonzero(columns.coef) > 50
    assert np.abs(columns.coef - matrix.coef).max() < 1e-6


@pytest.mark.parametrize("solver", ["fista", "saga"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
def test_the_estimator_runs_them(solver, l1_ratio, monkeypatch):
    from thalweg.solvers.estimators import logistic

    X, y = data(150, 5, 2)
    ran, method = [], logistic.WITH_GAP[solver]
    monkeypatch.setitem(logistic.WITH_GAP, solver, lambda *given, **named: ran.append(1) or method(*given, **named))
    names = {"C": 0.4, "l1_ratio": l1_ratio, "tol": 1e-12, "max_iter": 20_000}
    ours = logistic.LogisticRegression(solver=solver, random_state=3, **names).fit(X, y)
    peer = LogisticRegression(solver="saga", **(names | {"tol": 1e-10})).fit(X, y)
    assert ran and np.abs(ours.coef_ - peer.coef_).max() < 1e-6
    again = logistic.LogisticRegression(solver=solver, random_state=3, **names).fit(X, y)
    assert (again.coef_ == ours.coef_).all()
    with pytest.warns(ConvergenceWarning, match="duality gap"):
        logistic.LogisticRegression(solver=solver, **(names | {"max_iter": 1})).fit(X, y)


# --- the gap ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("penalty", [(1.0, 0.0), (0.7, 0.3), (0.0, 1.0)])
def test_the_gap_is_a_bound_wherever_it_is_asked_for(penalty, fit_intercept):
    rng = np.random.default_rng(3)
    for classes in (2, 3):
        X, y = data(80, 5, classes, seed=classes)
        s = rng.uniform(0.1, 2.0, 80)
        least = proximal_newton(design(X), y, s, *penalty, fit_intercept=fit_intercept, tol=1e-14)
        plain = Plain(X, y, s, *penalty)
        for scale in (0.01, 0.3, 3.0):
            w = joined(least) + scale * rng.normal(size=(least.coef.shape[0], 6))
            w[:, -1] *= fit_intercept
            problem = PenalisedLogistic(design(X), y, s, *penalty, fit_intercept, w)
            problem.slopes()
            excess = plain.value(w) - plain.value(joined(least))
            assert problem.loss + problem.penalty(w) == pytest.approx(plain.value(w), rel=1e-13)
            assert excess - 1e-10 <= problem.gap() <= (1.0 + 1e-14) * plain.value(w)
        assert least.gap < 1e-11


def test_the_sphere_leaves_out_columns_but_none_of_the_support():
    X, y = data(60, 300, 2)
    s = np.full(60, 0.3)
    exact = proximal_newton(design(X), y, s, 1.0, 0.0, tol=1e-12)
    for tol in (1e-1, 1e-2, 1e-3, 0.0, 1e-6):
        near = proximal_newton(design(X), y, s, 1.0, 0.0, tol=tol)
        problem = PenalisedLogistic(design(sparse.csr_matrix(X)), y, s, 1.0, 0.0, True, joined(near))
        problem.slopes()
        problem.gap()
        assert problem.wanted[exact.coef[0] != 0.0].all()
    assert problem.wanted.sum() < 100


def test_a_strong_penalty_leaves_the_constant_model():
    X, y = data(100, 8, 2)
    s = np.ones(100)
    largest = np.abs(X.T @ (y - y.mean())).max()
    for method in METHODS:
        fit = method(design(X), y, s, 1.0001 * largest, 0.0)
        assert not fit.coef.any() and fit.n_iter == 0 and fit.converged
        assert fit.intercept[0] == pytest.approx(np.log(y.mean() / (1.0 - y.mean())))
    assert np.count_nonzero(proximal_newton(design(X), y, s, 0.99 * largest, 0.0, tol=1e-10).coef) == 1


# --- step by step -----------------------------------------------------------------------------------------------------


def newton_step(plain, w):
    """newGLMNET's step: the model's minimum by plain coordinate descent, and Armijo's rule."""
    H, g, d = plain.hessian(w), plain.slopes(w).ravel(), np.zeros(w.size)
    free = np.zeros(w.shape, bool)
    free[:, -1] = True
    for _ in range(3000):
        for c in range(w.size):
            slope, here = g[c] + H[c] @ d, w.flat[c] + d[c]
            if free.flat[c]:
                d[c] -= slope / H[c, c]
            else:
                new = H[c, c] * here - slope
                new = np.sign(new) * max(abs(new) - plain.l1, 0.0) / (H[c, c] + plain.l2)
                d[c] = new - w.flat[c]
    d = d.reshape(w.shape)
    promised = np.sum(plain.slopes(w) * d) + plain.penalty(w + d) - plain.penalty(w)
    t = 1.0
    while plain.value(w + t * d) - plain.value(w) > 0.01 * t * promised:
        t *= 0.5
    return w + t * d


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("classes", [2, 3])
def test_proximal_newton_step_by_step(kind, classes, monkeypatch):
    monkeypatch.setattr(newton_file, "ACCURACY", dict.fromkeys(newton_file.ACCURACY, 1e-13))
    X, y = data(40, 3, classes, centre=0.4)
    s = np.full(40, 0.5)
    plain = Plain(X, y, s, 0.8, 0.1)
    w = joined(proximal_newton(design(kind(X)), y, s, 0.8, 0.1, max_iter=0))
    for steps in (1, 2, 3):
        w = newton_step(plain, w)
        fit = proximal_newton(design(kind(X)), y, s, 0.8, 0.1, tol=0.0, max_iter=steps)
        assert np.abs(fit.coef - w[:, :-1]).max() < 1e-9
        centred = w[:, -1] - (w[:, -1].mean() if classes == 3 else 0.0)  # a shift of all is free
        ours = fit.intercept - (fit.intercept.mean() if classes == 3 else 0.0)
        assert np.abs(ours - centred).max() < 1e-9


def test_sweeps_of_coordinate_descent():
    rng = np.random.default_rng(5)
    A, g, w = rng.normal(size=(9, 6)), 3.0 * rng.normal(size=6), rng.normal(size=6)
    H, ours = A.T @ A, w.copy()
    room = (np.empty((6, 6)), np.empty(6, np.int64), np.empty(6))
    model = quadratic_model.GramModel(H, g.copy(), *room)
    start = w.copy()
    quadratic_model.descend(model, ours, 0.7, 0.3, 0.0, 3)
    for _ in range(3):
        for c in range(6):
            slope = g[c] + H[c] @ (w - start)
            u = H[c, c] * w[c] - slope
            w[c] = np.sign(u) * max(abs(u) - 0.7, 0.0) / (H[c, c] + 0.3)
    assert np.abs(ours - w).max() < 1e-12


def test_the_hessian_of_the_softmax():
    X, y = data(700, 7, 3)
    s = np.random.default_rng(0).random(700)
    w = np.random.default_rng(1).normal(size=(3, 8))
    plain = Plain(X, y, s, 1.0, 0.0)
    H = softmax_hessian(X, np.arange(7), s, plain.probabilities(w)[0])
    assert np.abs(H.reshape(24, 24) - plain.hessian(w)).max() < 1e-11


def test_fista_step_by_step():
    X, y = data(60, 5, 2)
    s, w0 = np.full(60, 1.0), np.zeros((1, 6))
    plain = Plain(X, y, s, 1.0, 0.2)
    problem = PenalisedLogistic(design(X), y, s, 1.0, 0.2, True, w0)
    g0 = problem.slopes()
    L = 0.25 * np.sum((g0 @ plain.X.T) ** 2) / np.sum(g0**2)
    x, ahead, t, restarts, grown = w0, w0, 1.0, 0, 0
    for k in range(1, 26):
        while True:
            new = plain.prox(ahead - plain.slopes(ahead) / L, 1.0 / L)
            d = new - ahead
            bound = plain.loss(ahead) + np.sum(plain.slopes(ahead) * d) + 0.5 * L * np.sum(d * d)
            if plain.loss(new) <= bound + 1e-14 * plain.loss(ahead):
                break
            L, grown = 2.0 * L, grown + 1
        new_t = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        momentum = (t - 1.0) / new_t
        if np.sum((ahead - new) * (new - x)) > 0.0:
            momentum, new_t, restarts = 0.0, 1.0, restarts + 1
        ahead, x, t, L = new + momentum * (new - x), new, new_t, 0.9 * L
        if k in (1, 2, 5, 25):
            fit = fista(design(X), y, s, 1.0, 0.2, start=w0, tol=0.0, max_iter=k)
            assert np.abs(joined(fit) - x).max() < 1e-9
    assert restarts and grown


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("classes", [2, 3])
def test_saga_step_by_step(kind, classes):
    X, y = data(30, 4, classes)
    X[np.abs(X) < 0.8] = 0.0
    s = np.random.default_rng(2).uniform(0.5, 1.0, 30)
    plain = Plain(X, y, s, 0.5, 0.1)
    w = np.zeros((plain.K, 5))
    smoothness = (0.25 if classes == 2 else 0.5) * np.max(s * (np.sum(X * X, axis=1) + 1.0))
    step = 1.0 / (3.0 * 30 * smoothness)
    r = plain.residuals(w)
    average = r @ plain.X
    for number in range(2):
        key = row_key(run_key(7, 0), number)
        for now in range(30):
            i = int(integer(np.uint64(key), now, 30))
            new = plain.residuals(w)[:, i]
            change = np.outer(new - r[:, i], plain.X[i])
            w = plain.prox(w - step * (30 * change + average), step)
            average, r[:, i] = average + change, new
    fit = linear_saga(design(kind(X)), y, s, 0.5, 0.1, start=np.zeros_like(w), tol=0.0, max_iter=2, seed=7)
    assert np.abs(joined(fit) - w).max() < 1e-11


@pytest.mark.parametrize("l2", [0.0, 0.4])
def test_what_many_steps_do_is_what_they_do_one_by_one(l2):
    rng = np.random.default_rng(4)
    for _ in range(300):
        w, g, steps = rng.normal() * (rng.random() < 0.8), 2.0 * rng.normal(), int(rng.integers(1, 60))
        expected = w
        for _ in range(steps):
            u = expected - 0.05 * g
            expected = np.sign(u) * max(abs(u) - 0.05 * 1.1, 0.0) / (1.0 + 0.05 * l2)
        assert drift(w, g, steps, 0.05, 1.1, l2) == pytest.approx(expected, abs=1e-12)


# --- data that is odd -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_columns_that_are_constant_alike_or_zero(kind):
    X, y = data(100, 4, 2)
    X = np.column_stack([X, np.ones(100), X[:, 0], X[:, 0] * 1e6, np.zeros(100), np.full(100, 7.0)])
    s = np.full(100, 2.0)
    fit = proximal_newton(design(kind(X)), y, s, 1.0, 0.0, tol=1e-10)
    assert fit.converged
    assert Plain(X, y, s, 1.0, 0.0).distance(joined(fit)) < 1e-2  # of slopes up to 1e7
    assert not fit.coef[0, [4, 7, 8]].any()


def test_one_column_separable_data_and_rows_of_no_weight():
    X, y = data(100, 1, 2)
    apart = (X[:, 0] > 0.1).astype(int)
    fit = proximal_newton(design(X), apart, np.full(100, 100.0), 1.0, 0.0, tol=1e-10)
    assert fit.converged and fit.coef[0, 0] > 10.0

    X, y = data(100, 4, 2)
    s = np.ones(100)
    s[50:] = 0.0
    all_rows = proximal_newton(design(X), y, s, 1.0, 0.0, tol=1e-12)
    half = proximal_newton(design(X[:50]), y[:50], s[:50], 1.0, 0.0, tol=1e-12)
    assert np.abs(all_rows.coef - half.coef).max() < 1e-7


def test_equal_bits_on_any_number_of_threads_and_of_a_seed():
    X, y = data(3000, 6, 2)
    s = np.ones(3000)
    before = numba.get_num_threads()
    found = []
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            found.append([proximal_newton(design(kind(X)), y, s, 1.0, 0.0) for kind in (np.asarray, sparse.csr_matrix)])
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*found):
        assert (joined(one) == joined(other)).all() and one.gap == other.gap
    first, again, third = (linear_saga(design(X), y, s, 1.0, 0.0, max_iter=3, seed=k) for k in (5, 5, 6))
    assert (joined(first) == joined(again)).all() and (joined(first) != joined(third)).any()


def test_it_begins_where_it_is_told_to():
    X, y = data(200, 10, 2)
    s = np.ones(200)
    end = proximal_newton(design(X), y, s, 1.0, 0.0, tol=1e-8)
    again = proximal_newton(design(X), y, s, 1.0, 0.0, tol=1e-7, start=joined(end))
    assert again.n_iter == 0 and (again.coef == end.coef).all()
    short = proximal_newton(design(X), y, s, 1.0, 0.0, tol=1e-12, max_iter=1)
    assert short.n_iter == 1 and not short.converged and short.gap > 0.0


@pytest.mark.parametrize("penalty", [(0.0, 0.0), (-1.0, 1.0), (np.nan, 1.0), (np.inf, 0.0)])
def test_penalties_that_are_none(penalty):
    X, y = data(20, 2, 2)
    with pytest.raises(ValueError, match=r"l1, l2: got .*, expected numbers of 0 or more, not both 0"):
        proximal_newton(design(X), y, np.ones(20), *penalty)
