"""l_bfgs_b and bfgs: against plain transcriptions of their papers, on bounds, and where nothing can be done."""

from __future__ import annotations

import inspect
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import types
from scipy.optimize import _lbfgsb_py, _optimize

from thalweg.kernels.calling.arguments import load, packed
from thalweg.kernels.compile.jit import compile_for, kernel
from thalweg.kernels.compile.structures import numba_type
from thalweg.kernels.descent.cauchy_point import cauchy_point
from thalweg.kernels.descent.compact import LOWER, MIXED, SS, SS_BOUND, YY_FREE, factor_middle
from thalweg.kernels.descent.limited_memory import INVERSE, SG, SY, TRANSPOSED, YG, YY
from thalweg.solvers import StopReason, minimize
from thalweg.solvers.contract import Key, Limits
from thalweg.solvers.descent import bfgs, l_bfgs_b
from thalweg.solvers.descent.l_bfgs_b import SOLVER, LBfgsBState, choose_direction

from .reference import quasi_newton

METHODS = ["bfgs", "l_bfgs_b"]
INF = np.inf


def valley(x):
    """Rosenbrock's function."""
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def slope_of_valley(x):
    g = np.zeros(x.size)
    for i in range(x.size - 1):
        a = x[i + 1] - x[i] ** 2
        g[i] -= 400.0 * a * x[i] + 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * a
    return g


def quartic(x):
    """Convex, its variables tied to their neighbours; its minimum is at (1, 2, ...)."""
    total = 0.0
    for i in range(x.size):
        total += (x[i] - i - 1.0) ** 2 * (1.0 + i) + 0.25 * (x[i] - i - 1.0) ** 4
    for i in range(x.size - 1):
        total += (x[i + 1] - x[i] - 1.0) ** 2
    return total


def slope_of_quartic(x):
    g = np.zeros(x.size)
    for i in range(x.size):
        g[i] = 2.0 * (x[i] - i - 1.0) * (1.0 + i) + (x[i] - i - 1.0) ** 3
    for i in range(x.size - 1):
        a = 2.0 * (x[i + 1] - x[i] - 1.0)
        g[i] -= a
        g[i + 1] += a
    return g


VALLEY, QUARTIC = (valley, slope_of_valley), (quartic, slope_of_quartic)


def points_of(method, function, x0, bounds=None, steps=20, **options):
    """Where the method stands after each of its iterations, x0 before them."""
    fun, jac = function
    seen = [np.asarray(x0, float)]
    for k in range(1, steps + 1):  # a run of k iterations is the beginning of a longer one
        result = minimize(
            fun, bounds, x0=x0, jac=jac, method=method, max_iters=k, seed=1, options={"gtol": 1e-6} | options, ftol=0.0
        )
        seen.append(result.x)
        if result.success:
            break
    return np.array(seen)


def both(function):
    fun, jac = function
    return lambda x: (fun(x), jac(x))


def assert_same_path(ours, paper):
    assert abs(len(ours) - len(paper)) <= 1
    count = min(len(ours), len(paper))
    assert count > 8
    np.testing.assert_allclose(ours[:count], paper[:count], rtol=0, atol=1e-10 * (1 + abs(paper[:count]).max()))


# --- against the papers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("function", "x0"), [(VALLEY, [-1.2, 1.0]), (QUARTIC, [5.0, -3.0, 8.0, 0.5])])
def test_bfgs_goes_the_way_of_the_book(function, x0):
    assert_same_path(points_of("bfgs", function, x0), quasi_newton.bfgs(both(function), np.array(x0), 20))


PATHS = {
    "no bounds": (VALLEY, [-1.2, 1.0], [(-INF, INF)] * 2, 10),
    "no bounds, short memory": (QUARTIC, [5.0, -3.0, 8.0, 0.5], [(-INF, INF)] * 4, 3),
    "a box around": (VALLEY, [-1.2, 1.0], [(-10.0, 10.0)] * 2, 10),
    "met on the way": (VALLEY, [-1.2, 1.0, 0.7], [(-1.5, 2.0), (0.2, 2.0), (-0.5, 0.9)], 10),
    "short memory": (VALLEY, [-1.2, 1.0, 0.7], [(-1.5, 2.0), (0.2, 2.0), (-0.5, 0.9)], 2),
    "one side each": (QUARTIC, [5.0, 1.0, 8.0, 0.5], [(1.5, INF), (-INF, 1.8), (-INF, INF), (0.0, 20.0)], 10),
    "on bounds, and one fixed": (VALLEY, [-1.5, 1.0, 0.3, 2.0], [(-1.5, 2), (-1, 1), (0.3, 0.3), (-1, 2)], 10),
}


@pytest.mark.parametrize("name", PATHS)
def test_l_bfgs_b_goes_the_way_of_the_papers(name):
    function, x0, bounds, memory = PATHS[name]
    lower, upper = np.array(bounds, float).T
    paper = quasi_newton.l_bfgs_b(both(function), np.array(x0, float), lower, upper, 20, memory)
    assert_same_path(points_of("l_bfgs_b", function, x0, bounds, memory=memory), paper)


# --- the model within a box ------------------------------------------------------------------------------------------


@cache
def steps_of_model():
    """cauchy(state): state.point becomes the Cauchy point; whole(state): state.direction leads to the minimum."""
    State = numba_type(LBfgsBState)

    def cauchy(address):
        s = load(address, State)
        factor_middle(s.pairs, s.form)
        cauchy_point(s.x, s.g, s.box, s.pairs, s.form, s.point, s.direction, s.breaks, s.heap)

    def whole(address):
        return choose_direction(load(address, State))

    return [compile_for(kernel(function, cached=False), (types.intp,)) for function in (cauchy, whole)]


def state_of_model(x, g, lower, upper, s, y):
    """A state with these pairs, whose products are written down as compact.py defines them."""
    n, memory = len(x), 5
    domain = SimpleNamespace(
        x0=np.array([x]), lower=lower, upper=upper, bounds=np.column_stack([lower, upper]), dimension=n,
        integrality=np.zeros(n, bool),
    )  # fmt: skip
    state = SOLVER.init(domain, SOLVER.Options(memory=memory), Limits(100), Key(1, 0))
    pairs, form, kept = state.pairs, state.form, len(s)
    state.g[:] = g
    squares, inverse = blocks(pairs.squares, memory, kept), np.linalg.inv(np.triu(s @ y.T))
    pairs.s[:kept], pairs.y[:kept] = s, y
    pairs.vectors[[SY, SG, YG], :kept] = (s * y).sum(axis=1), s @ g, y @ g
    squares[YY], squares[INVERSE], squares[TRANSPOSED] = y @ y.T, inverse, inverse.T
    newest = kept - 1
    pairs.now[0] = (kept, kept % memory, (y[newest] @ y[newest]) / (s[newest] @ y[newest]))
    write_products(pairs, form, np.ones(n, bool))
    return state


def write_products(pairs, form, free):
    kept = pairs.now[0].kept
    s, y = pairs.s[:kept], pairs.y[:kept]
    form.free[:] = free
    squares, lower = blocks(form.squares, len(pairs.s), kept), np.tril(s @ y.T, -1)
    squares[SS], squares[LOWER], squares[YY_FREE] = s @ s.T, lower, (y * free) @ y.T
    squares[SS_BOUND], squares[MIXED] = (s * ~free) @ s.T, lower - (s * free) @ y.T


def blocks(squares, memory, kept):
    """The matrices (kept, kept) that stand in an array one below the other, as a view."""
    return squares.reshape(-1, memory, squares.shape[1])[:, :kept, :kept]


def random_model(seed, n, kept):
    """A point in a small box, a gradient, and pairs of a convex quadratic; some numbers meet on purpose."""
    rng = np.random.default_rng(seed)
    lower, upper = -rng.uniform(0, 2, n), rng.uniform(0, 2, n)
    lower[rng.random(n) < 0.2], upper[rng.random(n) < 0.2] = -INF, INF
    x = np.clip(rng.normal(size=n), lower, upper)
    g = rng.normal(size=n) * rng.choice([0.0, 1.0, 1.0, 1.0], n) * 3
    fixed = rng.random(n) < 0.1
    lower, upper = np.where(fixed, x, lower), np.where(fixed, x, upper)
    root = rng.normal(size=(n, n))
    s = rng.normal(size=(kept, n))
    return x, g, lower, upper, s, s @ (root @ root.T + 0.1 * np.eye(n))


def model(x, g, B, point):
    return g @ (point - x) + 0.5 * (point - x) @ B @ (point - x)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 5))
def test_the_cauchy_point_is_the_first_minimum_on_the_path(seed, n, kept):
    x, g, lower, upper, s, y = random_model(seed, n, kept)
    one = np.ones((1, n))
    state = state_of_model(x, g, lower, upper, s, y) if kept else state_of_model(x, g, lower, upper, one, one)
    if not kept:
        state.pairs.now[0] = (0, 0, 1.0)
    B = quasi_newton.hessian_of(list(zip(s, y)), n)
    steps_of_model()[0](packed(state).address)
    paper, free = quasi_newton.cauchy_point(x, g, B, lower, upper)
    scale = 1e-8 * (1 + abs(paper).max())
    np.testing.assert_allclose(state.point, paper, rtol=0, atol=scale)
    np.testing.assert_array_equal(state.form.free == 1.0, free)
    # brute force: the values fall along the path up to this point, and rise behind it
    times = np.linspace(0, 5, 2001)
    path = np.clip(x - times[:, None] * g, lower, upper)
    values = np.array([model(x, g, B, point) for point in path])
    rises = np.flatnonzero(np.diff(values) > 1e-12)
    last = rises[0] if len(rises) else len(times) - 1
    assert model(x, g, B, state.point) <= values[: last + 1].min() + 1e-9 * (1 + abs(values).max())
    # products follow the variables that came to bounds
    right = blocks(state.form.squares, len(state.pairs.s), state.pairs.now[0].kept)
    found = right.copy()
    write_products(state.pairs, state.form, free)
    for which in (YY_FREE, SS_BOUND, MIXED):
        scale = 1e-10 * (1 + abs(right[which]).max(initial=0))
        np.testing.assert_allclose(found[which], right[which], rtol=0, atol=scale)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 5))
def test_the_minimum_over_the_subspace(seed, n, kept):
    x, g, lower, upper, s, y = random_model(seed, n, min(kept, n))
    upper[0] = max(x[0], 5.0)  # one bound at least, or there is no Cauchy point
    state = state_of_model(x, g, lower, upper, s, y)
    B = quasi_newton.hessian_of(list(zip(s, y)), n)
    if np.linalg.cond(B) > 1e6:
        return
    assert steps_of_model()[1](packed(state).address)
    point, free = quasi_newton.cauchy_point(x, g, B, lower, upper)
    paper = quasi_newton.subspace_minimum(x, g, B, lower, upper, point, free)
    np.testing.assert_allclose(x + state.direction, paper, rtol=0, atol=1e-7 * (1 + abs(paper).max()))
    np.testing.assert_array_equal(state.form.free == 1.0, free)


# --- bounds ----------------------------------------------------------------------------------------------------------


def distance(x, low, high):
    return float(np.abs(np.clip(x - slope_of_quartic(x), low, high) - x).max())


BOXES = {
    "inside": ([(-10, 10)] * 3, [5.0, -5.0, 0.0]),
    "active": ([(-10, 0.5), (2.5, 10), (-10, 10)], [0.0, 5.0, 0.0]),
    "begins on bounds": ([(-1, 4), (-1, 1.5), (-1, 4)], [-1.0, 1.5, 4.0]),
    "begins at a corner that is the answer": ([(1.5, 4), (3, 4), (-5, 2)], [1.5, 3.0, 2.0]),
    "one fixed": ([(-5, 5), (0.25, 0.25), (-5, 5)], [3.0, 0.25, -3.0]),
    "all but one fixed": ([(1, 1), (0.25, 5), (2, 2)], [1.0, 4.0, 2.0]),
    "half open": ([(None, 0.5), (None, None), (4, None)], [-3.0, 7.0, 9.0]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", BOXES)
def test_the_minimum_within_bounds(method, name):
    bounds, x0 = BOXES[name]
    low, high = np.array([[-INF if a is None else a, INF if b is None else b] for a, b in bounds], float).T
    result = minimize(
        quartic, bounds, x0=x0, jac=slope_of_quartic, method=method, seed=1, options={"gtol": 1e-8}, ftol=0.0
    )
    assert result.success and ((result.x >= low) & (result.x <= high)).all()
    assert distance(result.x, low, high) <= 1e-8 and result.optimality <= 1e-8
    np.testing.assert_allclose(result.jac, slope_of_quartic(result.x), rtol=1e-12, atol=1e-12)
    if "corner" in name:
        assert result.nfev == 1 and result.stop_reason == StopReason.GRADIENT_SMALL


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_both_find_the_one_minimum_of_a_convex_function_in_any_box(seed):
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.normal(2, 2, (3, 2)), axis=1)
    x0 = np.clip(ends[:, 0] + rng.choice([0.0, 0.5, 1.0], 3) * (ends[:, 1] - ends[:, 0]), *ends.T)
    for method in METHODS:
        result = minimize(quartic, ends, x0=x0, jac=slope_of_quartic, method=method, seed=1, ftol=0.0)
        assert result.success and distance(result.x, *ends.T) <= 1e-5


# --- where nothing can be done, or too much --------------------------------------------------------------------------


def downhill(x):
    return -x[0] - 2.0 * x[1]


def slope_of_downhill(x):
    return np.array([-1.0, -2.0])


def saddle_fall(x):
    return x[0] ** 2 - x[1] ** 4


def slope_of_saddle_fall(x):
    return np.array([2.0 * x[0], -4.0 * x[1] ** 3])


def barrier(x):
    """Infinite, or NaN, on and beyond the lines x = 0."""
    return np.inf if min(x[0], x[1]) <= 0.0 else x[0] + 2.0 * x[1] - 1e-3 * np.log(x[0]) - 1e-3 * np.log(x[1])


def slope_of_barrier(x):
    return np.array([1.0 - 1e-3 / x[0], 2.0 - 1e-3 / x[1]])


def nan_slope(x):
    return np.array([2.0 * x[0], np.nan])


def bowl(x):
    return x[0] ** 2 + x[1] ** 2


def uphill(x):
    return np.array([-2.0 * x[0], -2.0 * x[1]])


def nan_below_one(x):
    return np.array([2.0 * x[0] if x[0] > 1.0 else np.nan, 2.0 * x[1]])


def nowhere(x):
    return np.nan * x[0]


@pytest.mark.parametrize("method", METHODS)
def test_why_it_ends(method):
    def reason(fun, jac, x0, **more):
        result = minimize(fun, x0, jac=jac, method=method, seed=1, **more)
        assert not result.success
        return result.stop_reason

    assert reason(downhill, slope_of_downhill, [0.0, 0.0]) == StopReason.UNBOUNDED
    assert reason(saddle_fall, slope_of_saddle_fall, [1.0, 1.0]) == StopReason.UNBOUNDED
    assert reason(bowl, nan_slope, [1.0, 1.0]) == StopReason.NO_DERIVATIVE
    assert reason(bowl, nan_below_one, [3.0, 1.0]) == StopReason.NO_DERIVATIVE
    assert reason(bowl, uphill, [1.0, 1.0]) == StopReason.LINE_SEARCH_FAILED
    assert reason(nowhere, uphill, [1.0, 1.0]) == StopReason.NO_DERIVATIVE
    assert reason(valley, slope_of_valley, [-1.2, 1.0], max_evals=7) == StopReason.OUT_OF_BUDGET
    assert reason(valley, slope_of_valley, [-1.2, 1.0], max_iters=7) == StopReason.OUT_OF_ITERATIONS


@pytest.mark.parametrize("method", METHODS)
def test_it_keeps_away_from_where_the_function_is_infinite(method):
    result = minimize(barrier, [1.0, 1.0], jac=slope_of_barrier, method=method, seed=1, options={"gtol": 1e-6})
    assert result.success
    np.testing.assert_allclose(result.x, [1e-3, 5e-4], rtol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_it_is_as_exact_as_doubles_are(method):
    """A minimum where rounding hides the last decreases: the gradient still becomes small."""
    shifted = lambda x: bowl(x) + 1e4
    result = minimize(
        shifted, [1.3, -0.7], jac=lambda x: 2.0 * x, method=method, seed=1, options={"gtol": 1e-10}, ftol=0.0
    )
    assert result.stop_reason in (StopReason.GRADIENT_SMALL, StopReason.CONVERGED) and abs(result.x).max() <= 1e-7


def test_the_inverse_of_the_hessian():
    B = np.array([[4.0, 1.0], [1.0, 3.0]])
    result = minimize(
        lambda x: 0.5 * (4.0 * x[0] ** 2 + 2.0 * x[0] * x[1] + 3.0 * x[1] ** 2) - x[0], [5.0, 5.0],
        jac=lambda x: np.array([4.0 * x[0] + x[1] - 1.0, x[0] + 3.0 * x[1]]), method="bfgs", seed=1,
        options={"c2": 0.1, "gtol": 1e-9},
    )  # fmt: skip
    np.testing.assert_allclose(result.hess_inv, np.linalg.inv(B), rtol=1e-2, atol=1e-2)
    np.testing.assert_array_equal(result.hess_inv, result.hess_inv.T)


@pytest.mark.parametrize(
    ("method", "options", "told"),
    [
        ("bfgs", {"c1": 0.9, "c2": 0.1}, "c1, c2"), ("bfgs", {"gtol": -1.0}, "gtol"), ("bfgs", {"maxls": 0}, "maxls"),
        ("l_bfgs_b", {"memory": 0}, "memory"), ("l_bfgs_b", {"ftol": -1.0}, "ftol"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense(method, options, told):
    with pytest.raises(ValueError, match=f"^{told}: got"):
        minimize(bowl, [1.0, 1.0], jac=lambda x: 2.0 * x, method=method, options=options)


def test_the_constants_are_those_of_the_papers_and_of_scipy():
    theirs = inspect.signature(_lbfgsb_py._minimize_lbfgsb).parameters
    ours = l_bfgs_b.Options()
    assert (ours.memory, ours.gtol, ours.ftol, ours.maxls) == tuple(
        theirs[name].default for name in ("maxcor", "gtol", "ftol", "maxls")
    )
    assert (l_bfgs_b.C1, l_bfgs_b.C2, l_bfgs_b.NARROW) == (1e-3, 0.9, 0.1)
    theirs, ours = inspect.signature(_optimize._minimize_bfgs).parameters, bfgs.Options()
    assert (ours.gtol, ours.xtol, ours.c1, ours.c2) == tuple(
        theirs[name].default for name in ("gtol", "xrtol", "c1", "c2")
    )
