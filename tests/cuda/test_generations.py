"""Every solver on the device against the CPU: the same draws, the same generations, in both shapes."""

import math

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from numba.core import config

from thalweg.kernels import Problem, objective
from thalweg.kernels.cuda.launches import Rows, Runs, evaluate
from thalweg.kernels.rows import population
from thalweg.solvers import SOLVERS
from thalweg.solvers.contract import Key, Limits
from thalweg.solvers.driving import drivers

simulated = pytest.mark.skipif(not config.ENABLE_CUDASIM, reason="compares with the simulator: NUMBA_ENABLE_CUDASIM=1")
DIMENSION, SEED = 2, 5


def rastrigin(x):
    total = 0.0
    for j in range(x.size):
        total += x[j] * x[j] - 10.0 * math.cos(2.0 * math.pi * x[j]) + 10.0
    return total


def with_failures(x):
    return math.nan if x[0] > 1.0 else x[0] * x[0] + x[1] * x[1]


def bind(function, args=(), dimension=DIMENSION):
    return function.bind(args, np.full(dimension, 0.1))


def begin(solver, function, limits, run=0, **options):
    problem = Problem(fun=function, bounds=[(-5, 5)] * DIMENSION, integrality=[False, True])
    return solver.init(problem, solver.Options(**options), limits, Key(SEED, run))


def carry_on(solver, bound, state, generations):
    """On the CPU, by whole generations."""
    advance, counters = drivers.serial(solver), state.counters
    while counters[population.GENERATION] < generations and counters[population.STOP] == population.RUNNING:
        advance(bound.address, bound.args_address, state, int(counters[population.ROWS]))
    return state


def assert_same(state, expected):
    for name in expected._fields:
        if name != "scratch":  # what sorting left there
            np.testing.assert_allclose(
                getattr(state, name), getattr(expected, name), rtol=1e-12, atol=1e-300, err_msg=name
            )


@simulated
@pytest.mark.parametrize("shape", [Runs, Rows])
@pytest.mark.parametrize("name", SOLVERS)
def test_thirty_generations_equal_those_of_the_cpu(name, shape):
    solver, function = SOLVERS[name], objective(rastrigin, precise=True)
    bound, limits = bind(function), Limits(400)
    launcher = shape(solver, bound)
    runs = range(2) if shape is Runs else range(1)
    launcher.load([begin(solver, function, limits, run, population=8) for run in runs])
    launcher.advance(30, last=len(runs) - 1)
    launcher.pull()
    for run in runs:
        expected = carry_on(solver, bound, begin(solver, function, limits, run, population=8), 30)
        assert expected.counters[population.GENERATION] == 30
        assert_same(launcher.state(run), expected)


@simulated
@pytest.mark.parametrize(
    ("strategy", "reason"), [("best1bin", population.CONVERGED), ("currenttobest1exp", population.OUT_OF_BUDGET)]
)
def test_the_best_row_and_the_stop_by_spread_equal_those_of_the_cpu(strategy, reason):
    solver, function, limits = SOLVERS["de"], objective(with_failures, precise=True), Limits(400, ftol=1e-2)
    bound, launcher = bind(function), Runs(solver, bind(function))
    options = {"population": 11, "strategy": strategy}
    launcher.load([begin(solver, function, limits, **options)])
    launcher.advance(40, last=0)
    launcher.pull()
    expected = carry_on(solver, bound, begin(solver, function, limits, **options), 40)
    assert expected.counters[population.STOP] == reason
    assert expected.counters[population.FAILED] > 0
    assert_same(launcher.state(0), expected)


@simulated
@pytest.mark.parametrize("name", ["de", "lshade"])
def test_a_population_over_several_blocks(name):
    solver, function, limits = SOLVERS[name], objective(rastrigin), Limits(300)
    bound, launcher = bind(function), Rows(solver, bind(function))
    launcher.load([begin(solver, function, limits, population=60)])
    assert launcher.grid > 5
    launcher.advance(3, last=0)
    launcher.pull()
    assert_same(launcher.state(0), carry_on(solver, bound, begin(solver, function, limits, population=60), 3))


@simulated
def test_an_archive_of_no_points():
    solver, function, limits = SOLVERS["jso"], objective(rastrigin), Limits(100)
    bound, launcher = bind(function), Runs(solver, bind(function))
    launcher.load([begin(solver, function, limits, population=8, archive=0)])
    launcher.advance(3, last=0)
    launcher.pull()
    assert_same(launcher.state(0), carry_on(solver, bound, begin(solver, function, limits, population=8, archive=0), 3))


@simulated
def test_runs_behind_the_last_are_left_alone():
    solver, function, limits = SOLVERS["de"], objective(rastrigin), Limits(100)
    launcher = Runs(solver, bind(function))
    launcher.load([begin(solver, function, limits, run, population=4) for run in range(3)])
    launcher.advance(2, last=1)
    launcher.pull("counters")
    assert launcher.host.counters[:, population.GENERATION].tolist() == [2, 2, 0]


@simulated
@pytest.mark.parametrize("precise", [True, False])
def test_values_of_a_batch_equal_those_of_the_cpu(precise):
    def model(x, data, scale, pair):
        x[0] = x[0] * scale  # into its own copy
        total = np.sqrt(abs(x[0])) + np.floor(x[1]) + pair[0] * pair[1]
        for k in range(data.size):
            total += np.exp(-data[k]) * math.sin(x[1])
        return total

    bound = bind(objective(model, precise=precise), (np.arange(3), 2.0, (1, 0.5)))
    points = np.random.default_rng(1).uniform(-3, 3, (20, 2))
    before = points.copy()
    np.testing.assert_allclose(evaluate(bound, points), bound.evaluate(points), rtol=1e-14)
    np.testing.assert_array_equal(points, before)
    assert evaluate(bound, points[:0]).size == 0
