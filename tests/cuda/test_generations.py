"""Every solver on the device against the CPU: the same draws, the same generations, in both shapes."""

import dataclasses
import math

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from thalweg.kernels import Problem, objective
from thalweg.kernels.calling.arguments import RAISED_BITS
from thalweg.kernels.compile.structures import leaves
from thalweg.kernels.cuda.launches import Rows, Runs, evaluate
from thalweg.kernels.rows.population import find_best, measure
from thalweg.kernels.run import CONVERGED, OUT_OF_BUDGET, RAISED, RUNNING
from thalweg.solvers import SOLVERS
from thalweg.solvers.contract import Key, Limits
from thalweg.solvers.driving import drivers

DIMENSION, SEED = 2, 5
WITH_ROWS = [name for name, solver in SOLVERS.items() if solver.rows and solver.on_gpu]


def rastrigin(x):
    total = 0.0
    for j in range(x.size):
        total += x[j] * x[j] - 10.0 * math.cos(2.0 * math.pi * x[j]) + 10.0
    return total


def with_failures(x):
    return math.nan if x[0] > 1.0 else x[0] * x[0] + x[1] * x[1]


def raises_or_fails(x):
    """As a thread that met a `raise` leaves its row, or NaN."""
    return np.int64(RAISED_BITS).view(np.float64) if x[0] > 1.0 else math.nan


def bind(function, args=(), dimension=DIMENSION):
    return function.bind(args, np.full(dimension, 0.1))


def begin(solver, function, limits, run=0, **options):
    problem = Problem(fun=function, bounds=[(-5, 5)] * DIMENSION, integrality=[False, True])
    return solver.init(problem, solver.Options(**options), limits, Key(SEED, run))


def carry_on(solver, bound, state, generations):
    """On the CPU, by whole generations."""
    advance, now = drivers.serial(solver), state.run.now[0]
    while now.iteration < generations and now.stop == RUNNING:
        advance(bound.problem(), state, int(state.rows[0].count))
    return state


def assert_same(state, expected, close):
    """`scratch` and `bends` are what sorting and mutations left there."""
    values = dict(leaves(state))
    for name, wanted in leaves(expected):
        for field in wanted.dtype.names or [...]:
            if name not in ("scratch", "bends"):
                np.testing.assert_allclose(values[name][field], wanted[field], err_msg=f"{name} {field}", **close)


@pytest.mark.parametrize("shape", [Runs, Rows])
@pytest.mark.parametrize("name", WITH_ROWS)
def test_thirty_generations_equal_those_of_the_cpu(name, shape, simulated, close):
    """On a GPU five: where a difference of a rounding decides between two points, the runs part."""
    solver, function, generations = SOLVERS[name], objective(rastrigin, precise=True), 30 if simulated else 5
    bound, limits = bind(function), Limits(400)
    launcher = shape(solver, bound)
    runs = range(2) if shape is Runs else range(1)
    launcher.load([begin(solver, function, limits, run, population=8) for run in runs])
    launcher.advance(generations, last=len(runs) - 1)
    launcher.pull()
    for run in runs:
        expected = carry_on(solver, bound, begin(solver, function, limits, run, population=8), generations)
        assert expected.run.now[0].iteration == generations
        assert_same(launcher.state(run), expected, close)


@pytest.mark.parametrize(
    ("strategy", "budget", "reason"), [("best1bin", 400, CONVERGED), ("currenttobest1exp", 150, OUT_OF_BUDGET)]
)
def test_the_best_row_and_the_stop_by_spread_equal_those_of_the_cpu(strategy, budget, reason, close):
    solver, function, limits = SOLVERS["de"], objective(with_failures, precise=True), Limits(budget, ftol=1e-2)
    bound, launcher = bind(function), Runs(solver, bind(function))
    options = {"population": 11, "strategy": strategy}
    launcher.load([begin(solver, function, limits, **options)])
    launcher.advance(40, last=0)
    launcher.pull()
    expected = carry_on(solver, bound, begin(solver, function, limits, **options), 40)
    now = expected.run.now[0]
    assert now.stop == reason and now.failed > 0
    assert_same(launcher.state(0), expected, close)


@pytest.mark.parametrize("name", ["de", "lshade"])
def test_a_population_over_several_blocks(name, simulated, close):
    size = 60 if simulated else 700
    solver, function, limits = SOLVERS[name], objective(rastrigin), Limits(5 * size)
    bound, launcher = bind(function), Rows(solver, bind(function))
    launcher.load([begin(solver, function, limits, population=size)])
    assert launcher.grid > 5
    launcher.advance(3, last=0)
    launcher.pull()
    expected = carry_on(solver, bound, begin(solver, function, limits, population=size), 3)
    assert_same(launcher.state(0), expected, close)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pso", {"variant": "spso2011"}),
        ("pso", {"variant": "clpso"}),
        ("genetic", {"selection": "roulette", "crossover": "one_point", "mutation": "uniform", "elites": 1}),
    ],
)
def test_the_forms_that_are_not_the_default(name, options, close):
    """Of whole numbers, which the problems here have."""
    solver, function = SOLVERS[name], objective(rastrigin, precise=True)
    bound, launcher = bind(function), Runs(solver, bind(function))
    launcher.load([begin(solver, function, Limits(100), population=8, **options)])
    launcher.advance(5, last=0)
    launcher.pull()
    expected = carry_on(solver, bound, begin(solver, function, Limits(100), population=8, **options), 5)
    assert_same(launcher.state(0), expected, close)


def test_an_archive_of_no_points(close):
    solver, function, limits = SOLVERS["jso"], objective(rastrigin, precise=True), Limits(100)
    bound, launcher = bind(function), Runs(solver, bind(function))
    launcher.load([begin(solver, function, limits, population=8, archive=0)])
    launcher.advance(3, last=0)
    launcher.pull()
    expected = carry_on(solver, bound, begin(solver, function, limits, population=8, archive=0), 3)
    assert_same(launcher.state(0), expected, close)


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize("name", WITH_ROWS)
def test_runs_that_the_device_makes_of_one_begin_as_those_of_the_host(name):
    solver, function, runs = SOLVERS[name], objective(rastrigin, precise=True), [3, 4, 7, 8, 11]
    made, expected = (Runs(solver, bind(function)) for _ in range(2))
    states = [begin(solver, function, Limits(100), run, population=8) for run in runs]
    made.begin(begin(solver, function, Limits(100), population=8), runs)
    expected.load(states)
    for launcher in (made, expected):
        launcher.pull()
    for k, state in enumerate(states):
        for found, wanted, stated in zip(leaves(made.state(k)), leaves(expected.state(k)), leaves(state)):
            np.testing.assert_array_equal(found[1], wanted[1], err_msg=found[0])
            np.testing.assert_array_equal(found[1], stated[1], err_msg=found[0])


@pytest.mark.parametrize("shape", [Runs, Rows])
def test_a_method_that_measures_before_its_last_part(shape, close):
    solver, function = SOLVERS["de"], objective(rastrigin, precise=True)
    other = dataclasses.replace(solver, rows=dataclasses.replace(solver.rows, settle=(measure, find_best)))
    bound, launcher = bind(function), shape(other, bind(function))
    launcher.load([begin(solver, function, Limits(100), population=8)])
    launcher.advance(5, last=0)
    launcher.pull()
    expected = carry_on(solver, bound, begin(solver, function, Limits(100), population=8), 5)
    assert_same(launcher.state(0), expected, close)


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize("shape", [Runs, Rows])
def test_a_generation_with_a_row_that_was_not_filled_in_is_not_noted(shape):
    solver, function, limits = SOLVERS["de"], objective(raises_or_fails, precise=True), Limits(100)
    launcher = shape(solver, bind(function))
    launcher.load([begin(solver, function, limits, population=8)])
    launcher.advance(3, last=0)
    launcher.pull()
    now, x = launcher.host.run.now[0, 0], launcher.raised_at(np.array([False]))
    assert (now.stop, now.iteration, now.evaluations, now.failed) == (RAISED, 0, 0, 0) and x[0] > 1.0


@pytest.mark.usefixtures("simulated")
def test_runs_behind_the_last_are_left_alone():
    solver, function, limits = SOLVERS["de"], objective(rastrigin, precise=True), Limits(100)
    launcher = Runs(solver, bind(function))
    launcher.load([begin(solver, function, limits, run, population=4) for run in range(3)])
    launcher.advance(2, last=1)
    launcher.pull("run.now")
    assert launcher.host.run.now["iteration"][:, 0].tolist() == [2, 2, 0]


@pytest.mark.parametrize("precise", [True, False])
def test_values_of_a_batch_equal_those_of_the_cpu(precise, simulated):
    def model(x, data, scale, pair):
        x[0] = x[0] * scale  # into its own copy
        total = np.sqrt(abs(x[0])) + np.floor(x[1]) + pair[0] * pair[1]
        for k in range(data.size):
            total += np.exp(-data[k]) * math.sin(x[1])
        return total

    bound = bind(objective(model, precise=precise), (np.arange(3), 2.0, (1, 0.5)))
    points = np.random.default_rng(1).uniform(-3, 3, (20, 2))
    before = points.copy()
    np.testing.assert_allclose(evaluate(bound, points), bound.evaluate(points), rtol=1e-14 if simulated else 1e-12)
    np.testing.assert_array_equal(points, before)
    assert evaluate(bound, points[:0]).size == 0
