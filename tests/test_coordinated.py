"""Coordinated restarts: plans hang on seed, number and earlier rounds alone; the store; budgets; and that it helps."""

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.kernels import Problem
from thalweg.orchestration import coordinated
from thalweg.orchestration.coordinated import Coordinator
from thalweg.orchestration.execution import Execution
from thalweg.orchestration.runs import Runs
from thalweg.solvers.driving.call import parse_call

BOX = np.array([(-4.0, 4.0), (0.0, 100.0), (7.0, 7.0), (-1e-3, 1e-3)])


def wells(x):
    """Nine wells per coordinate, of which one is the deepest: 9**D minima."""
    total = 0.0
    for i in range(x.size):
        total += 0.02 * abs(x[i] - 3.0) - math.exp(-60.0 * (x[i] - np.floor(x[i] + 0.5)) ** 2)
    return total


def coordinator(seed=3, box=BOX, **changes):
    return Coordinator(Problem(fun=wells, bounds=box, **changes), seed, max_evals=100)


def records(runs, box=BOX, seed=0, better=0.0):
    """What random runs would report: points of the box, values in [0, 1) - better."""
    draw = np.random.default_rng(seed)
    points = draw.uniform(box[:, 0], box[:, 1], (len(runs), len(box)))
    return [{"unit": k, "fun": draw.random() - better, "x": x.tolist()} for k, x in zip(runs, points, strict=True)]


def same(a, b):
    return pickle.dumps(a) == pickle.dumps(b)


def test_a_plan_hangs_on_seed_number_and_earlier_rounds_alone():
    ours, resumed = coordinator(), coordinator()
    for k, round_ in enumerate((range(20), range(20, 40), range(40, 60))):
        found = records(round_, seed=k, better=k)
        plans = {run: ours.plan(run) for run in round_}
        again = {run: resumed.plan(run) for run in reversed(round_)}
        assert all(same(plans[run], again[run]) for run in round_)
        ours.close_round(found)
        resumed.close_round(json.loads(json.dumps(found[::-1])))  # from a journal, in any order
        assert same(ours.store, resumed.store)
    assert not same([ours.plan(run) for run in range(60, 70)], [coordinator(4).plan(run) for run in range(60, 70)])


def test_without_solutions_every_run_explores():
    for run in range(50):
        plan = coordinator().plan(run)
        assert (
            plan.x0 is None
            and plan.around is None
            and plan.max_evals == int(100 * (1 + run / coordinated.PATIENT.doubled))
        )
        assert (plan.lower == BOX[:, 0]).all() and (plan.upper == BOX[:, 1]).all()


@given(st.integers(0, 2**64 - 1), st.integers(1, 40))
def test_plans_lie_in_the_box_around_a_solution(seed, count):
    ours = coordinator(seed)
    ours.close_round(records(range(count), seed=seed % 1000))
    solutions = {solution.run: solution.x for solution in ours.store}
    for run in range(count, count + 20):
        plan = ours.plan(run)
        assert (BOX[:, 0] <= plan.lower).all() and (plan.lower <= plan.upper).all() and (plan.upper <= BOX[:, 1]).all()
        if plan.around is not None:
            good = solutions[plan.around]
            assert (plan.lower <= good).all() and (good <= plan.upper).all() and plan.lower[1] < plan.upper[1]
        if plan.x0 is not None:
            assert plan.x0.shape == (1, 4) and (plan.lower <= plan.x0).all() and (plan.x0 <= plan.upper).all()


def test_the_kinds_have_their_shares():
    ours = Coordinator(Problem(fun=wells, bounds=BOX), 3, max_evals=1600)
    ours.close_round(records(range(100)))
    plans = [ours.plan(run) for run in range(100, 8100)]
    points = {solution.run: solution.x for solution in ours.store}
    kinds = [plan.kind for plan in plans]
    spent = {kind: sum(plan.max_evals for plan in plans if plan.kind == kind) for kind in set(kinds)}
    total = sum(spent.values())
    assert spent["cross"] / total == pytest.approx(coordinated.CROSS, abs=0.03)
    assert spent["vary"] / total == pytest.approx(coordinated.VARY, abs=0.03)
    began = [plan for plan in plans if plan.kind == "vary" and plan.x0 is not None]
    assert len(began) / kinds.count("vary") == pytest.approx(coordinated.FROM_GOOD, abs=0.05)
    assert all((plan.x0[0] == points[plan.around]).all() for plan in began)
    assert all((plan.x0 is not None) == (plan.kind == "cross") for plan in plans if plan.kind != "vary")


def test_a_varied_box_frees_a_few_coordinates_or_none():
    box = np.array([(0.0, 1.0)] * 10)
    ours = coordinator(box=box)
    ours.close_round([{"unit": 0, "fun": 0.0, "x": [0.5] * 10}])
    seen = set()
    for plan in map(ours.plan, range(1, 500)):
        if plan.kind != "vary":
            continue
        width = np.sort(plan.upper - plan.lower)
        free = int((width == 1.0).sum())
        seen.add(free)
        assert width[0] == pytest.approx(width[9 - free]) and 0.006 <= width[0] <= 0.1 * (1 + 1e-9)
        assert plan.max_evals == int(100 * coordinated.PATIENT.varied * max(free, 2))
    assert seen == {0, 1, 2, 3, 4}


def test_good_solutions_are_taken_more_often_and_all_are_taken():
    ours = coordinator(box=np.array([(0.0, 1.0)] * 12))
    ours.close_round(records(range(60), np.array([(0.0, 1.0)] * 12)))
    order = [solution.run for solution in ours.store]
    taken = [plan.around for plan in map(ours.plan, range(60, 6060)) if plan.around is not None]
    counts = np.array([taken.count(run) for run in order])
    assert len(order) > 50 and (counts > 0).all()
    assert counts[:5].sum() > counts[5:15].sum() > counts[-10:].sum()


def test_a_crossed_box_is_narrow_where_the_two_agree():
    ours = coordinator(box=np.array([(0.0, 1.0)] * 6))
    end = [0.5] * 5
    ours.close_round([{"unit": 0, "fun": 0.0, "x": [*end, 0.25]}, {"unit": 1, "fun": 1.0, "x": [*end, 0.75]}])
    plans = [ours.plan(run) for run in range(2, 200)]
    crossed = [plan for plan in plans if plan.kind == "cross" and plan.around == 0]
    assert crossed
    for plan in crossed:
        assert plan.x0[0, 5] == 0.75 and (plan.upper - plan.lower)[0] <= 2 * coordinated.LEAST * 1.001
        assert plan.upper[5] > 0.7499


def test_the_store_keeps_the_best_apart():
    ours = coordinator()
    ours.close_round(records(range(300)))
    funs = [solution.fun for solution in ours.store]
    assert funs == sorted(funs) and 5 < len(funs) <= coordinated.CAPACITY
    wide = BOX[:, 1] > BOX[:, 0]
    points = np.array([(solution.x / (BOX[:, 1] - BOX[:, 0] + ~wide))[wide] for solution in ours.store])
    apart = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2) / len(BOX))
    for k in range(1, len(points)):
        assert apart[k, :k].min() >= coordinated.CLOSE and (apart[k, :k] < coordinated.NEAR).sum() < coordinated.CROWD
    best = ours.store[0]
    ours.close_round([{"unit": 1000, "fun": best.fun - 1.0, "x": (best.x + 1e-6 * wide).tolist()}])
    assert ours.store[0].run == 1000 and best.run not in [solution.run for solution in ours.store]


def test_runs_get_longer_up_to_a_limit():
    lengths = [coordinator().plan(run).max_evals for run in (0, coordinated.PATIENT.doubled, 10**9)]
    assert lengths == [100, 200, 100 * coordinated.LONGEST]


def test_what_is_worse_than_where_it_began_stays_if_it_lies_elsewhere():
    ours = coordinator(box=np.array([(0.0, 1.0)] * 4))
    ours.close_round([{"unit": 0, "fun": 0.0, "x": [0.5] * 4}])
    ours.close_round([{"unit": 1, "fun": 1.0, "x": [0.5, 0.5, 0.5, 0.6]}, {"unit": 2, "fun": 0.5, "x": [0.501] * 4}])
    assert [solution.run for solution in ours.store] == [0, 1]


def test_what_crosses_enters_the_store_only_below_the_better_of_the_two():
    box = np.array([(0.0, 1.0)] * 6)
    for better in (1e-9, -1e-9):
        ours = coordinator(box=box)
        ours.close_round(records(range(60), box))
        crossed = next(run for run in range(60, 200) if ours.plan(run).kind == "cross")
        plan = ours.plan(crossed)
        good = next(solution for solution in ours.store if solution.run == plan.around)
        assert plan.below == good.fun and plan.x0 is not None
        elsewhere = 1.0 - good.x  # far from all that is known
        ours.close_round([{"unit": crossed, "fun": good.fun - better, "x": elsewhere.tolist()}])
        assert (crossed in [solution.run for solution in ours.store]) == (better > 0)


def test_auto_explores_and_crosses_by_cma_es_and_varies_by_jso():
    call, ways = coordinated.short_runs(parse_call(wells, BOX[:3], seed=1), "auto", None, None)
    assert call.limits.max_evals == coordinated.QUICK.first * 3 and call.solver.name == "cma_es"
    ours = Coordinator(call.problem, 1, 100, ways)
    ours.close_round(records(range(60), BOX[:3]))
    for plan in map(ours.plan, range(60, 200)):
        method, options = plan.way
        sigma = coordinated.SIGMA.get(plan.kind)
        assert method == ("jso" if sigma is None else "cma_es") and getattr(options, "sigma", None) == sigma
    given, none = coordinated.short_runs(parse_call(wells, BOX[:3], method="lshade"), "lshade", 300, None)
    assert given.solver.name == "lshade" and given.limits.max_evals != coordinated.QUICK.first * 3 and none == {}


def test_what_is_no_number_is_left_out():
    ours = coordinator()
    ours.close_round(records(range(20)))
    before = ours.store
    ours.close_round([{"unit": k, "fun": fun, "x": [math.nan] * 4} for k in (70, 71) for fun in (math.nan, math.inf)])
    assert same(ours.store, before)


def test_a_round_ends_where_the_evaluations_do():
    ours = coordinator()
    ours.close_round(records(range(20)))
    spent = np.cumsum([ours.plan(run).max_evals for run in range(20, 40)])

    def planned(total):
        plans = ours.round(range(20, 40), total)
        assert all(same(plan, ours.plan(run)) for run, plan in plans.items())
        return list(plans)

    assert planned(math.inf) == planned(spent[-1]) == list(range(20, 40))
    assert planned(spent[4]) == planned(spent[5] - 1) == list(range(20, 25))
    assert planned(spent[0] - 1) == []


def campaign(seed, plans=True, threads=1, round_size=25):
    call = parse_call(wells, [(-4.4, 4.4)] * 8, method="jso", seed=seed, max_evals=600, options={"population": 16})
    ours, found = Coordinator(call.problem, seed, 600), {}
    with Execution(Runs(call), threads=threads) as execution:
        for start in range(0, 200, round_size):
            round_ = range(start, start + round_size)
            outcome = execution.run(round_, ours.plan if plans else None)
            ours.close_round(outcome.records.values())
            found |= outcome.records
    return [(record["fun"], record["x"], record["nfev"]) for record in found.values()]


@pytest.mark.slow
def test_it_finds_what_independent_runs_miss():
    with_plans = [min(campaign(seed))[0] for seed in (1, 2, 3)]
    without = [min(campaign(seed, plans=False))[0] for seed in (1, 2, 3)]
    assert max(with_plans) < min(without) - 0.5  # the minimum is -8


def test_the_bits_do_not_hang_on_threads_but_on_the_size_of_a_round():
    assert campaign(5) == campaign(5, threads=2)
    assert campaign(5) != campaign(5, round_size=40)


def test_whole_numbers_stay_whole():
    box, whole = np.array([(0.0, 9.0), (-0.5, 9.5), (0.3, 9.7)]), [False, True, True]
    ours = coordinator(box=box, integrality=whole)
    ours.close_round([{"unit": k, "fun": float(k), "x": [0.3 * k, float(k), 9.0 - k + (k == 9)]} for k in range(10)])
    for run in range(10, 500):
        plan = ours.plan(run)  # a box without a whole number would be refused
        Problem(fun=wells, bounds=np.column_stack([plan.lower, plan.upper]), x0=plan.x0, integrality=whole)
