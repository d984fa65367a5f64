"""Methods that walk, and search locally where they stop, against plain transcriptions: as tests/test_reference.py."""

import numpy as np
import pytest

from thalweg import objective
from thalweg.solvers import SOLVERS, Optimizer, minimize
from thalweg.solvers.descent.local_search import KINDS
from thalweg.solvers.driving.call import begin, parse_call

from .reference import basin_hopping, dual_annealing, parallel_tempering, tabu
from .reference.draws import Draws
from .test_reference import (
    BROKEN,
    FLAT_POINT,
    MIXED,
    SMOOTH,
    WIDE,
    Problem,
    Setting,
    assert_equal,
    generations,
    iterations,
    plain_run,
    rippled,
    terraces,
)  # fmt: skip


def plain_local(state):
    plain, local = plain_run(state), state.local
    plain.x, plain.f, plain.local = state.x, float(state.own[0]["f"]), KINDS[int(local.own[0]["kind"])]
    plain.given = state.x[None][: int(state.own[0]["given"]) if plain.iteration == 0 else 0]
    plain.unit = local.unit
    return plain


def plain_basin_hopping(state):
    plain, own, local = plain_local(state), state.own[0], state.local.own[0]
    for name in ("temperature", "stretch", "rate", "factor"):
        setattr(plain, name, float(own[name]))
    plain.interval, plain.accepted, plain.reach = int(own["interval"]), int(own["accepted"]), state.reach
    plain.moves, plain.local_step, plain.xtol = int(local["moves"]), float(local["step"]), float(local["xtol"])
    return plain


def plain_dual_annealing(state):
    plain, own = plain_local(state), state.own[0]
    plain.chain_x = state.chain_x
    for name in ("chain_f", "first", "last", "temperature", "visit", "accept"):
        setattr(plain, name, float(own[name]))
    plain.step, plain.idle, plain.waits = (int(own[name]) for name in ("step", "idle", "patience"))
    return plain


def plain_parallel_tempering(state, made=0):
    plain, own = plain_run(state, made), state.own[0]
    for name in ("x", "f", "level", "walk", "temperature", "gap", "width", "rate"):
        setattr(plain, name, getattr(state, name))
    plain.rise, plain.exchange = float(own["rise"]), float(own["exchange"])
    plain.rises, plain.rounds = int(own["rises"]), int(own["rounds"])
    return plain


def plain_tabu(state, made=0):
    """Lists in the order of time; they are rings in the engine."""
    plain, own = plain_run(state, made), state.own[0]
    plain.at, plain.f, plain.best_before = state.at, float(own["f"]), float(own["best"])
    for name in ("phase", "idle", "long", "short"):
        setattr(plain, name, int(own[name]))
    for name in ("first", "reach", "least", "area_f"):
        setattr(plain, name, float(own[name]))
    plain.tenure, count = len(state.tabu), int(own["tabu"])
    plain.tabu = state.tabu[[(int(own["next"]) - count + k) % plain.tenure for k in range(count)]]
    found, done, searched = int(own["found"]), int(own["done"]), len(state.done)
    plain.found, plain.found_f = state.found[:found], state.found_f[:found]
    last = done + (plain.phase == 2)  # an area is written down as long as it is searched
    plain.done = state.done[[k % searched for k in range(max(last - searched, 0), last)]]
    return plain


ORACLES = {
    "basin_hopping": (basin_hopping, plain_basin_hopping),
    "dual_annealing": (dual_annealing, plain_dual_annealing),
    "parallel_tempering": (parallel_tempering, plain_parallel_tempering),
    "tabu": (tabu, plain_tabu),
}
WHOLE = Problem(terraces, 4, whole=(0, 1, 2, 3))
MIXED_POINT = Problem(rippled, 4, whole=(1, 3), x0=((0.25, 1.0, 0.5, -2.0),))


def impatient(state):
    """A local search soon, though none has called for it."""
    state.own[0].patience = 5


def settings():
    common = {"local": "pattern", "step": 0.3, "interval": 3, "xtol": 1e-3}
    hopping = "basin_hopping"
    yield Setting(hopping, "smooth", SMOOTH, common, {"max_evals": 4000})
    yield Setting(hopping, "flat", FLAT_POINT, common | {"temperature": 0.05}, {"max_evals": 1500})
    yield Setting(hopping, "undefined", BROKEN, common | {"temperature": 0.0}, {"max_evals": 3000}, least=10)
    yield Setting(hopping, "mixed", MIXED_POINT, common | {"temperature": 30.0}, {"max_evals": 3000})
    yield Setting(hopping, "whole", WHOLE, {"interval": 5}, {"max_evals": 1500})
    climbing = {"local": "hill_climbing", "moves": 13, "local_step": 0.4, "step": 3.0, "interval": 4}
    yield Setting(hopping, "climbing", WIDE, climbing, {"max_evals": 600})
    yield Setting(hopping, "climbing-whole", MIXED, climbing | {"factor": 0.6, "acceptance": 0.1}, {"max_evals": 700})
    free = Problem(rippled, 3, x0=((0.5, -1.0, 0.25),), free=(0, 2), bottomless=(2,))
    yield Setting(hopping, "free", free, common | {"step": None}, {"max_evals": 3000})
    dual = "dual_annealing"
    for local in ("none", "pattern"):
        common = {"local": local, "visit": 1.7, "temperature": 20.0}
        cold = common | {"accept": -50.0, "temperature": 1.0}
        yield Setting(dual, f"smooth-{local}", SMOOTH, common, {"max_evals": 2000})
        yield Setting(dual, f"mixed-{local}", MIXED_POINT, common | {"restart": 0.05}, {"max_evals": 1500})
        yield Setting(dual, f"flat-{local}", FLAT_POINT, cold, {"max_evals": 900}, impatient)
        yield Setting(dual, f"broken-{local}", BROKEN, common | {"visit": 1.3}, {"max_evals": 1500})
        yield Setting(dual, f"whole-{local}", WHOLE, {"local": local}, {"max_evals": 700}, impatient)
    yield Setting(dual, "far", SMOOTH, {"local": "none"}, {"max_evals": 1500})  # jumps of up to 1e8
    yield Setting(dual, "target", SMOOTH, common, {"max_evals": 5000, "target": 10.0}, least=1)
    yield Setting(dual, "stalled", FLAT_POINT, common | {"local": "none"}, {"max_evals": 5000, "patience": 6}, least=6)


def tempering_settings():
    def setting(name, problem, limits, options=None, **more):
        return Setting("parallel_tempering", name, problem, options or {}, limits, **more)

    yield setting("defaults", SMOOTH, {"max_evals": 905})
    yield setting("mixed", MIXED_POINT, {"max_evals": 700}, {"population": 5, "step": 0.9})
    yield setting("whole", WHOLE, {"max_evals": 600}, {"population": 4, "temperature": 2.0, "last": 0.5})
    yield setting("undefined", BROKEN, {"max_evals": 800}, {"population": 9, "exchange": 0.6})
    yield setting("level", Problem(lambda x: 0.0 * x[:, 0] + 2.0, 2), {"max_evals": 300}, {"population": 3})
    yield setting("two", FLAT_POINT, {"max_evals": 300}, {"population": 2})
    yield setting("short", SMOOTH, {"max_evals": 5}, {"population": 8}, least=1)
    yield setting("target", SMOOTH, {"max_evals": 5000, "target": 14.0}, least=2)
    yield setting("stalled", FLAT_POINT, {"max_evals": 5000, "patience": 6}, least=6)


def tabu_settings():
    def setting(name, problem, limits, options=None, **more):
        return Setting("tabu", name, problem, options or {}, limits, **more)

    quick = {"diversify": 4, "intensify": 2, "xtol": 1e-3}
    yield setting("defaults", SMOOTH, {"max_evals": 1505})
    yield setting("rounds", SMOOTH, {"max_evals": 9000}, quick | {"population": 5})
    yield setting("mixed", MIXED_POINT, {"max_evals": 1200}, quick | {"reach": 0.6})
    yield setting("whole", WHOLE, {"max_evals": 1200}, quick | {"population": 7, "tenure": 4})
    yield setting("undefined", BROKEN, {"max_evals": 1200}, quick | {"tenure": 20})
    yield setting("one", Problem(terraces, 1, whole=(0,)), {"max_evals": 300}, quick)
    yield setting("alone", FLAT_POINT, {"max_evals": 300}, quick | {"population": 1})
    yield setting("short", SMOOTH, {"max_evals": 5}, {"population": 8}, least=1)
    yield setting("target", SMOOTH, {"max_evals": 5000, "target": 14.0}, least=2)
    yield setting("stalled", FLAT_POINT, {"max_evals": 5000, "patience": 6}, least=6)


SETTINGS = [*settings(), *tempering_settings(), *tabu_settings()]


def recorded(setting):
    plain = ORACLES[setting.solver][1]
    if SOLVERS[setting.solver].rows is not None:
        for before, after in generations(setting):
            made = int(after.run.now[0]["evaluations"] - before.run.now[0]["evaluations"])
            yield plain(before), plain(after, made)
        return
    for before, after, points in iterations(setting):
        pair = plain(before), plain(after)
        pair[1].points = points
        yield pair


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_each_iteration_equals_its_transcription(setting):
    pairs = list(recorded(setting))
    assert len(pairs) >= setting.least
    for before, after in pairs:
        draws = Draws(before.seed, before.index, before.iteration)
        expected = ORACLES[setting.solver][0].iterate(before, setting.problem.fun, draws)
        expected.key = Draws(expected.seed, expected.index, expected.iteration).key
        if setting.name == "far":
            np.testing.assert_allclose(after.points, expected.points, rtol=0.0, atol=1e-6)
        else:
            assert_equal(after, expected, f"iteration {before.iteration}")


def test_the_settings_of_tabu_see_all_that_may_happen():
    pairs = [pair for setting in SETTINGS if setting.solver == "tabu" for pair in recorded(setting)]
    assert {b.phase for b, _ in pairs} == {0, 1, 2}
    steps = {(b.phase, a.phase) for b, a in pairs}
    assert {(0, 1), (1, 2), (1, 0), (2, 2), (2, 0)} <= steps | {(1, 0)}
    assert sum(a.reach < b.reach for b, a in pairs if b.phase == 2) > 50
    worse = [a.f > b.f for b, a in pairs if b.phase == 1]
    assert sum(worse) > 50 and sum(a.trial_f.min() < a.f for b, a in pairs if b.phase == 1) > 20  # the best was tabu
    assert max(len(a.done) for _, a in pairs) == 10 and max(len(a.found) for _, a in pairs) == 10
    full = [(b, a) for b, a in pairs if b.phase == 1 and len(b.found) == 10]
    assert any((a.found != b.found).any() for b, a in full if len(a.found) == 10)


def test_dual_annealing_begins_with_the_constants_of_scipy():
    call = parse_call(rippled, [(-1.0, 1.0)] * 7, method="dual_annealing", seed=1)
    state = begin(call, 0)
    plain = plain_dual_annealing(state)
    assert (plain.first, plain.visit, plain.accept, plain.waits) == (5230.0, 2.62, -5.0, 1000)
    assert plain.last == 5230.0 * 2e-5 and plain.local == "l_bfgs_b"
    assert state.local.l_bfgs_b.run.now[0].max_iterations == 100  # min(max(6 D, 100), 1000)
    hopping = plain_basin_hopping(begin(parse_call(rippled, [(-1.0, 1.0)] * 7, method="basin_hopping", seed=1), 0))
    assert (hopping.temperature, hopping.interval, hopping.rate, hopping.factor) == (1.0, 50, 0.5, 0.9)


def test_the_ladder_adapts_to_the_exchange_that_was_asked_for():
    """A bowl in 6 dimensions, where the theory holds at every temperature."""
    for asked in (0.2, 0.5):
        options = {"exchange": asked, "population": 8, "temperature": 10.0}
        optimizer = Optimizer("parallel_tempering", [(-50.0, 50.0)] * 6, seed=1, max_evals=60_000, options=options)
        while not optimizer.done:
            optimizer.tell((optimizer.ask() ** 2).sum(axis=1))
        state = optimizer.state
        np.testing.assert_allclose(state.rate[:-2].mean(), asked, atol=0.05)
        assert (np.diff(state.temperature) < 0).all() and state.temperature[-1] == 0.0


def bent(x):
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2 + 3.0 * np.sin(4.0 * x[2]) + x[2] ** 2


@pytest.mark.parametrize("local", ["l_bfgs_b", "nelder_mead"])
def test_a_nested_search_is_the_method_itself(local):
    """From the first point: the same evaluations, the same answer to the bit, in the books of the run around it."""
    x0, box = [-1.2, 1.0, 0.7], [(-5.0, 5.0)] * 3
    alone = minimize(bent, box, x0, method=local)
    within = minimize(bent, box, x0, method="basin_hopping", max_iters=1, options={"local": local})
    assert within.fun == alone.fun and np.array_equal(within.x, alone.x) and within.nfev == alone.nfev
    assert alone.nfev > 20
    cut = minimize(bent, box, x0, method="basin_hopping", max_evals=15, options={"local": local})
    assert cut.nfev == 15 and cut.fun > alone.fun


def test_a_local_search_by_differences_stays_within_the_budget():
    for budget in (3, 4, 5, 40, 41):
        result = minimize(bent, [(-5.0, 5.0)] * 3, method="dual_annealing", jac="2-point", max_evals=budget, seed=1)
        assert result.nfev == budget


def test_differences_stand_in_for_what_has_no_derivative():
    def counted(x):
        return float((x**2).sum())

    result = minimize(
        objective(counted, compiled=False), [(-5.0, 5.0)] * 2, method="dual_annealing", max_evals=400, seed=1
    )
    assert result.fun < 1e-8 and result.nfev == 400


@pytest.mark.parametrize("method", ["basin_hopping", "dual_annealing"])
def test_whole_numbers_have_no_gradient(method):
    with pytest.raises(ValueError, match=r"local: got 'l_bfgs_b' for whole numbers, expected 'auto' or 'pattern'"):
        minimize(bent, [(-5, 5)] * 3, method=method, integrality=[True, False, False], options={"local": "l_bfgs_b"})
    with pytest.raises(ValueError, match=r"local: got 'newton', expected one of auto, "):
        minimize(bent, [(-5, 5)] * 3, method=method, options={"local": "newton"})


def test_the_textbooks_iterated_local_search():
    """100 rounds of 100 moves, 10-D sphere: a hill climber begun anew beside the best point."""
    options = {"local": "hill_climbing", "moves": 100, "local_step": 0.005, "step": 0.05, "temperature": 0}
    result = minimize(
        lambda x: (x**2).sum(), [(-5, 5)] * 10, method="iterated_local_search", seed=1, max_iters=100, options=options
    )
    assert result.nfev == 10_000 and result.nit == 100 and result.fun < 0.1
    best = minimize(lambda x: (x**2).sum(), [(-5, 5)] * 10, method="basin_hopping", seed=1, max_evals=10_000)
    assert best.fun < 1e-12 < result.fun


def separable(x, target, matrix):
    total = 0.0
    for i in range(x.size):
        total += (i + 1) * (x[i] - target[i]) ** 2
    return total


def coupled(x, target, matrix):
    total = 0.0
    for i in range(x.size):
        for j in range(x.size):
            total += (x[i] - target[i]) * matrix[i, j] * (x[j] - target[j])
    return total


def knapsack(x, prices, room):
    gain, taken = 0.0, 0.0
    for i in range(x.size):
        gain += prices[i] * x[i]
        taken += x[i]
    return -gain + 100.0 * max(taken - room, 0.0)


@pytest.mark.parametrize("method", list(ORACLES) + ["simulated_annealing"])
@pytest.mark.parametrize(("variables", "values"), [(3, 15), (10, 8)])
def test_the_best_whole_numbers_are_found(method, variables, values):
    random = np.random.default_rng(variables)
    target = random.integers(0, values, variables).astype(float)
    factor = random.normal(size=(variables, variables))
    matrix = factor @ factor.T + np.eye(variables)
    prices, room = random.permutation(40)[:variables].astype(float), float(4 * variables)
    left, gain = room, 0.0
    for price in sorted(prices, reverse=True):  # the dearest first
        taken = min(left, values - 1)
        left, gain = left - taken, gain + taken * price
    problems = [(separable, (target, matrix), 0.0), (coupled, (target, matrix), 0.0), (knapsack, (prices, room), -gain)]
    for fun, args, best in problems:
        for seed in range(4):
            result = minimize(
                fun,
                [(0, values - 1)] * variables,
                args=args,
                integrality=True,
                method=method,
                seed=seed,
                max_evals=10_000,
            )
            assert result.fun == best, (fun.__name__, seed)


def test_a_run_is_over_when_its_objective_raises():
    calls = []

    def moody(x):
        calls.append(x.copy())
        if len(calls) == 30:
            raise ConnectionError("call 30")
        return float(bent(x))

    with pytest.raises(ConnectionError, match="call 30"):
        minimize(objective(moody, compiled=False), [(-5, 5)] * 3, method="basin_hopping", seed=1, max_evals=500)
    assert len(calls) >= 30
