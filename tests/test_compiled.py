"""Solvers in the user's own compiled code: the answers of `minimize`, bit for bit."""

import numpy as np
import pytest
from numba import njit

import thalweg as tw
from thalweg.solvers import StopReason

STARTS = np.random.default_rng(0).uniform(-2.0, 2.0, (20, 3))


def valley(x, b):
    total = 0.0
    for i in range(x.size - 1):
        total += b[0] * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


@njit
def each(solver, starts):
    values, ends = np.empty(len(starts)), np.empty(len(starts), np.int64)
    points = np.empty_like(starts)
    for k in range(len(starts)):
        points[k], values[k], ends[k] = tw.compiled.solve(solver, starts[k])
    return points, values, ends


@pytest.mark.parametrize("method", ["l_bfgs_b", "bfgs", "newton_cg"])
def test_the_bits_of_minimize(method):
    args = (np.array([100.0]),)
    solver = tw.compiled.solver(method, valley, STARTS[0], args=args)
    points, values, ends = each(solver, STARTS)
    for k in (0, 5, 19):
        alone = tw.minimize(valley, STARTS[k], args, method=method)
        assert alone.fun == values[k] and alone.x.tobytes() == points[k].tobytes() and alone.status == ends[k]
    assert set(ends) <= {StopReason.CONVERGED, StopReason.GRADIENT_SMALL} and values.max() < 1e-8


def test_arguments_that_compiled_code_writes_into_are_seen():
    weight = np.array([1.0])
    solver = tw.compiled.solver("l_bfgs_b", lambda x, w: w[0] + x[0] ** 2, [3.0], args=(weight,))

    @njit
    def twice(solver, weight):
        _, one, _ = tw.compiled.solve(solver, np.array([2.0]))
        weight[0] = 5.0
        _, two, _ = tw.compiled.solve(solver, np.array([2.0]))
        return one, two

    np.testing.assert_allclose(twice(solver, weight), [1.0, 5.0])


def test_a_population_and_bounds():
    solver = tw.compiled.solver("de", lambda x: (x[0] - 9.0) ** 2, bounds=[(-5, 5)], seed=1, max_evals=2000)
    x, value, _ = each(solver, np.zeros((1, 1)))
    assert abs(x[0, 0] - 5.0) < 1e-6 and abs(value[0] - 16.0) < 1e-5
    near = tw.compiled.solver("l_bfgs_b", lambda x: (x[0] - 9.0) ** 2, [0.0], bounds=[(-5, 5)])
    assert each(near, np.zeros((1, 1)))[0][0, 0] == 5.0


def test_an_objective_that_raises_is_told_by_the_status():
    def picky(x):
        if x[0] < -1.0:
            raise ValueError("no")
        return x[0]

    solver = tw.compiled.solver("bfgs", picky, [3.0])
    assert each(solver, np.array([[3.0]]))[2][0] == StopReason.RAISED


def test_what_is_refused():
    with pytest.raises(ValueError, match="method: got 'auto'"):
        tw.compiled.solver("auto", valley, [1.0, 2.0], args=(np.ones(1),))
    with pytest.raises(TypeError, match="fun: got an objective in Python"):
        tw.compiled.solver("bfgs", tw.objective(lambda x: x[0] ** 2, compiled=False), [1.0])
    with pytest.raises(NotImplementedError, match="solve is for compiled code"):
        tw.compiled.solve(None, None)
