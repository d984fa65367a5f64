"""The portfolio: its choices against a plain transcription of its rules, what it finds, plateaus."""

import numpy as np
import pytest
from numba.core import types

import thalweg as tw
from thalweg.kernels.calling.arguments import load, packed
from thalweg.kernels.calling.asking import FUNCTIONS
from thalweg.kernels.compile.jit import compile_for, kernel
from thalweg.kernels.compile.structures import numba_type
from thalweg.kernels.run import RUNNING
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.call import begin, bind, parse_call
from thalweg.solvers.portfolio import coordinates
from thalweg.solvers.portfolio.portfolio import (
    COORDINATES,
    COVARIANCE,
    DESCENT,
    EVOLUTION,
    NONE,
    OPENING,
    SIMPLEX,
)  # fmt: skip

from .reference.draws import Draws


def rastrigin(x, shift):
    total = 0.0
    for i in range(x.size):
        z = x[i] - shift[i]
        total += z * z - 10.0 * np.cos(2.0 * np.pi * z) + 10.0
    return total


def valley(x, shift):
    total = 0.0
    for i in range(x.size - 1):
        a, b = x[i] - shift[i] + 1.0, x[i + 1] - shift[i + 1] + 1.0
        total += 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2
    return total


def square(x, centre, half, beyond):
    inside = True
    for i in range(x.size):
        inside = inside and abs(x[i] - centre[i] - 0.3 * half) < half
    return ((x - centre) ** 2).sum() if inside else beyond


def begun(fun, box, args, **limits):
    """(advance, problem, state) of a run by values alone."""
    call = parse_call(fun, box, args=args, method="portfolio", seed=3, jac="2-point", **limits)
    bound, state = bind(call), begin(call, 0)
    return drivers.serial(call.solver), bound.problem(), state


def test_searches_come_as_the_rules_say():
    """The opening, then local searches while they have had no more than 0.3 of what CMA-ES has; L-SRTDE once, late."""
    n, budget = 3, 20_000
    advance, problem, state = begun(rastrigin, [(-5.0, 5.0)] * n, (np.array([0.4, -1.3, 2.2]),), max_evals=budget)
    own, now, seen, used = state.own[0], state.run.now[0], [], {}
    arm, local, covariance = NONE, 0, 0
    while now["stop"] == RUNNING:
        before, searches = int(now["evaluations"]), state.arms["searches"].copy()
        opening = own["stage"] < OPENING
        advance(problem, state, 1)
        made = int(now["evaluations"]) - before
        (new,) = (
            np.flatnonzero(state.arms["searches"] - searches) if (state.arms["searches"] > searches).any() else (NONE,)
        )
        if new != NONE:
            seen.append(int(new))
            if new == COVARIANCE:
                assert (not opening and local > 0.3 * covariance) or own["exhausted"]
            if new == EVOLUTION:
                assert before > 0.4 * budget
        arm = new if new != NONE else arm
        if own["stage"] == OPENING and arm not in (NONE, EVOLUTION):
            local, covariance = (local, covariance + made) if arm == COVARIANCE else (local + made, covariance)
        used[arm] = used.get(arm, 0) + made
        assert int(own["covariance"]) <= now["evaluations"]
    assert seen[:5] == [DESCENT, COORDINATES, DESCENT, SIMPLEX, COORDINATES]  # solved as separable, and polished
    assert seen.count(EVOLUTION) == 1 and used[EVOLUTION] <= 0.75 * 0.6 * budget
    assert now["evaluations"] == budget == state.arms["evaluations"].sum()


@pytest.mark.parametrize(("n", "ftol", "begins"), [(10, None, 0.15), (9, None, 0.4), (10, 1e-8, 0.4)])
def test_evolution_begins_early_in_many_variables(n, ftol, begins):
    """It is early where its one long run is better than restarts, but where searches that agree would end the run."""
    budget = 5_000 * n
    shift = np.linspace(-1.0, 1.0, n) ** 3
    advance, problem, state = begun(rastrigin, [(-5.0, 5.0)] * n, (shift,), max_evals=budget, ftol=ftol)
    own, now, before = state.own[0], state.run.now[0], 0
    while own["evolved"] == 0 and now["stop"] == RUNNING:
        before = int(now["evaluations"])
        advance(problem, state, 1)
    assert own["evolved"] == 1 and begins * budget < before < (begins + 0.2) * budget
    assert state.lsrtde.own[0]["initial"] == 20 * n


def separable(f, x, draws, lower, upper):
    """Whether the values of two points add up to those of the two that swap a part of their coordinates."""
    n = len(x)
    y = np.array([lower[j] + draws.uniform(None, j) * (upper[j] - lower[j]) for j in range(n)])
    for test in range(2):
        one = int(draws.uniform(test, n) * n)
        part = np.array([draws.uniform(test, j) < 0.5 for j in range(n)])
        part[one], part[(one + 1) % n] = True, False
        a, b, fx, fy = f(np.where(part, y, x)), f(np.where(part, x, y)), f(x), f(y)
        if not abs(a + b - fx - fy) <= 1e-10 * (abs(a) + abs(b) + abs(fx) + abs(fy)):
            return False
    return True


@pytest.mark.parametrize(("fun", "expected"), [(rastrigin, True), (valley, False)])
def test_what_is_separable(fun, expected):
    shift, box = np.array([0.4, -1.3, 2.2, 0.1]), [(-5.0, 5.0)] * 4
    _, problem, state = begun(fun, box, (shift,), max_evals=4000)
    lines = state.coordinates
    lines.x[:], lines.own["f"], lines.run.now["max_evals"] = 0.0, fun(np.zeros(4), shift), 100
    State, test = numba_type(coordinates.PortfolioCoordinates), coordinates.is_separable

    @kernel(cached=False)
    def ask(asked, lines, key):
        return test(load(asked, FUNCTIONS), load(lines, State), key)

    ask = compile_for(ask, (types.intp, types.intp, types.uint64))
    given = problem, packed(lines)
    for generation in range(3):
        draws = Draws(5, 0, generation)
        assert ask(given[0].address, given[1].address, draws.key) == expected
        assert separable(lambda x: fun(x, shift), np.zeros(4), draws, [-5.0] * 4, [5.0] * 4) == expected
        evaluated = lines.trial.copy()  # the last point that was asked for
        one = int(draws.uniform(1 if expected else 0, 4) * 4)
        assert (evaluated[one] == 0.0) and evaluated[(one + 1) % 4] != 0.0


@pytest.mark.parametrize("fun", [rastrigin, valley])
def test_moved_functions_are_solved_with_the_default_budget(fun):
    for dimension in (2, 10):
        for seed in (1, 2):
            shift = np.random.default_rng(seed).uniform(-3.0, 3.0, dimension)
            result = tw.minimize(fun, [(-5.0, 5.0)] * dimension, args=(shift,), seed=seed, target=1e-9)
            assert result.fun <= 1e-9 and result.success and result.method == "portfolio"


@pytest.mark.parametrize("beyond", [np.inf, 1e10])
@pytest.mark.parametrize(("half", "least"), [(0.1, 10), (0.0316, 9)])
def test_small_feasible_squares_are_found(half, least, beyond):
    """1 % and 0.1 % of the box; what is outside is inf, or a plateau."""
    found = 0
    for seed in range(10):
        centre = np.random.default_rng(seed).uniform(-0.8, 0.8, 2)
        found += tw.minimize(square, [(-1, 1)] * 2, args=(centre, half, beyond), seed=seed, target=1e-8).fun <= 1e-8
    assert found >= least


def test_searches_that_agree_end_a_run_where_ftol_asks_for_it():
    found = tw.minimize(valley, [(-5.0, 5.0)] * 3, args=(np.zeros(3),), seed=1, ftol=1e-8)
    assert found.success and found.nfev < 10_000 and found.fun < 1e-10


def test_a_run_in_python_is_not_ended_by_searches_that_began_at_its_best_point():
    """They come back to it wherever it is: each of these runs ended at another local minimum by that."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(4, 4)))[0]
    shift = turn @ np.full(4, 0.7)
    turned = tw.objective(lambda x: float(rastrigin(turn @ x, shift)), compiled=False)
    for seed in (2, 3):
        assert tw.minimize(turned, [(-5, 5)] * 4, method="portfolio", seed=seed).fun < 1e-8


def test_each_search_tells_the_lowest_value_that_it_met():
    found = tw.minimize(lambda x: ((x - 0.3) ** 2).sum() - np.cos(9 * x[0]), [(-5, 5)] * 2, seed=1, max_evals=3000)
    assert all(found.fun <= arm["fun"] < np.inf for arm in found.arms)
    assert found.fun == min(arm["fun"] for arm in found.arms)


@pytest.mark.parametrize("f", [lambda x: 3.0, lambda x: np.floor(abs(x[0])) + np.floor(abs(x[1]))])
def test_a_search_that_ends_at_the_best_value_of_all_has_converged(f):
    assert tw.minimize(f, [(-5, 5)] * 2, seed=1, max_evals=3000).success
