"""Compiled searches: points against NumPy and the solver, blocks and cuts that change nothing, failures, exceptions."""

import itertools
import math

import cloudpickle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.kernels import objective
from thalweg.kernels.search import INTEGER, LOG, LOG_INTEGER, REAL, TABLE
from thalweg.orchestration.compiled_search import CompiledSearch
from thalweg.orchestration.search_ranges import RangeLength
from thalweg.orchestration.spaces import FlatSpace, integer, log_integer, log_uniform, parse_space, uniform
from thalweg.solvers import minimize

LEVELS = [[-1.0, 0.5, 2.0], [3.0], [0.0, 1.0, 1.0, 4.0], [5.0, -5.0]]
POINTS = np.array(list(itertools.product(*LEVELS)))


def table(levels):
    offsets = np.cumsum([0, *map(len, levels)])
    ends = np.zeros(len(levels))
    return FlatSpace(np.full(len(levels), TABLE), ends, ends, np.concatenate(levels).astype(float), offsets)


def ranges(*variables):
    """REAL, LOG ... with their ends."""
    kinds, low, high = map(np.array, zip(*variables))
    return FlatSpace(kinds, low.astype(float), high.astype(float), np.empty(0), np.zeros(len(kinds) + 1, np.int64))


def bumpy(x):
    total = 0.0
    for j in range(x.size):
        total += math.cos(3.0 * j + x[j]) + abs(x[j] - 1.0)
    return total


def never():
    return False


def search(fun, space, mode="grid", points=24, args=(), **options):
    return CompiledSearch(objective(fun), args, space, mode, points, **options)


def best_of(work):
    """All units, reduced by (value, number)."""
    records = [work.carry_out(unit, None, never) for unit in range(work.units)]
    assert sum(record["points"] for record in records) == work.points
    best = min(records, key=lambda record: (record["fun"], record["index"]))
    return best["fun"], best["index"], best["x"], sum(record["n_failed"] for record in records)


# --- points ---


def test_a_grid_is_the_product_of_its_levels_the_last_the_fastest():
    work = search(bumpy, table(LEVELS))
    np.testing.assert_array_equal([work.point(k) for k in range(24)], POINTS)
    np.testing.assert_array_equal(work.prepared.points.make(5, 24), POINTS[5:])


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.lists(st.floats(-10, 10), min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(1, 40),
    st.data(),
)
def test_the_best_of_a_grid_is_that_of_brute_force_however_it_is_cut(levels, block, data):
    grid = np.array(list(itertools.product(*levels)))
    points = data.draw(st.integers(1, len(grid)))
    work = search(bumpy, table(levels), points=points, block=block)
    values = work.prepared.bound.evaluate(grid[:points])
    k = int(np.argmin(values))
    assert best_of(work) == (values[k], k, grid[k].tolist(), 0)
    middle = data.draw(st.integers(0, points - 1))
    pieces = [work.prepared.search(a, b) for a, b in ((0, middle), (middle, points)) if a < b]
    assert min(pieces)[:2] == (values[k], k)


def test_a_grid_of_10_to_the_18_points():
    levels = [np.arange(1000.0) * 10**j for j in range(6)]
    work = search(lambda x: abs(x[5] - 123.0e5) - x[0], table(levels), points=10**18)
    k = 987_654_321_012_345_678
    digits = [int(f"{k:018d}"[3 * j : 3 * j + 3]) for j in range(6)]
    expected = [digits[j] * 10.0**j for j in range(6)]
    np.testing.assert_array_equal(work.point(k), expected)
    np.testing.assert_array_equal(work.point(10**18 - 1), [999.0 * 10**j for j in range(6)])
    assert work.block == 2**20 and work.units == math.ceil(10**18 / 2**20)
    assert work.prepared.search(10**18 - 2000, 10**18) == (-999.0, 10**18 - 1877, 0)
    last = work.carry_out(work.units - 1, None, never)
    assert last["first"] + last["points"] == 10**18


def test_random_points_are_those_of_the_solver():
    bounds, mask, seen = [(-5.0, 5.0), (-2.0, 7.0), (0.0, 1e-3)], [False, True, False], []

    def note(x):
        seen.append(x.copy())
        return float(np.sum(x))

    minimize(objective(note, compiled=False), bounds, integrality=mask, method="random_search", seed=7, max_evals=300)
    space = ranges((REAL, -5, 5), (INTEGER, -2, 7), (REAL, 0, 1e-3))
    work = search(bumpy, space, "random", 300, seed=7)
    np.testing.assert_array_equal(work.prepared.points.make(0, 300), seen)
    solved = minimize(objective(bumpy), bounds, integrality=mask, method="random_search", seed=7, max_evals=300)
    fun, _, x, _ = best_of(work)
    assert fun == solved.fun and x == solved.x.tolist()
    assert best_of(search(bumpy, space, "random", 300, seed=8))[0] != fun


def test_every_kind_of_variable_takes_the_values_of_its_range():
    space = ranges((LOG, 1e-3, 10.0), (INTEGER, -1, 1), (LOG_INTEGER, 1, 7), (REAL, 2, 2))
    x = search(bumpy, space, "random", 50_000).prepared.points.make(0, 50_000)
    assert x[:, 0].min() >= 1e-3 and x[:, 0].max() <= 10.0
    logs = np.log10(x[:, 0])
    assert abs(logs.mean() + 1) < 0.02 and abs(logs.std() - 4 / math.sqrt(12)) < 0.02
    np.testing.assert_allclose(np.bincount(x[:, 1].astype(int) + 1) / 50_000, 1 / 3, atol=0.01)
    shares = np.log1p(1 / np.arange(1, 8)) / math.log(8)
    np.testing.assert_allclose(np.bincount(x[:, 2].astype(int))[1:] / 50_000, shares, atol=0.01)
    assert (x[:, 2] == np.floor(x[:, 2])).all() and (x[:, 3] == 2).all()
    drawn = search(bumpy, table(LEVELS), "random", 9000).prepared.points.make(0, 9000)
    for j, levels in enumerate(LEVELS):
        assert set(drawn[:, j]) == set(levels)
    assert abs((drawn[:, 2] == 1.0).mean() - 0.5) < 0.03  # it stands twice in its table


@pytest.mark.parametrize("mode", ["random", "sobol", "lhs"])
def test_points_are_those_that_a_python_callable_gets(mode):
    space = parse_space(
        {"a": uniform(-1, 3), "b": log_uniform(1e-5, 1), "c": integer(0, 9), "d": log_integer(2, 500), "e": [4, 8, 1]}
    )
    points = search(bumpy, space.flat(), mode, 200, seed=3).prepared.points
    if mode == "random":
        from thalweg.orchestration.spaces import draw_block

        draws = draw_block(3, 0, 200, space.slots)
    else:
        draws = points.choice(0, 200)[-1]
    expected = [list(space.random_point(u).values()) for u in draws]
    np.testing.assert_array_equal(points.make(0, 200), expected)
    np.testing.assert_array_equal(points.make(77, 200), expected[77:])


# --- values ---


@pytest.mark.parametrize("mode", ["grid", "random", "sobol", "lhs"])
@pytest.mark.parametrize("how", [{}, {"compiled": False}, {"vectorized": True}], ids=str)
def test_cuts_change_nothing(monkeypatch, mode, how):
    if "vectorized" in how:

        def fun(x, shift):
            return np.sum(np.abs(x - shift), axis=1)
    else:

        def fun(x, shift):
            return np.sum(np.abs(x - shift))

    levels = [np.linspace(-1, 1, 7)] * 4
    work = search(objective(fun, **how), table(levels), mode, 2000, (0.3,), block=1500)
    values = work.prepared.bound.evaluate(work.prepared.points.make(0, 2000))
    k = int(np.argmin(values))
    found = best_of(work)
    assert found == (values[k], k, work.point(k).tolist(), 0)
    lengths = itertools.cycle([1, 7, 64, 65, 400])
    monkeypatch.setattr(RangeLength, "learn", lambda self, points, seconds: setattr(self, "points", next(lengths)))
    assert best_of(work) == found
    assert best_of(search(objective(fun, **how), table(levels), mode, 2000, (0.3,), block=1)) == found


@pytest.mark.parametrize("compiled", [True, False])
def test_nan_counts_as_infinity_and_the_first_of_equals_wins(compiled):
    def fun(x):
        if x[0] < 0.0:
            return math.nan
        return math.inf if x[0] == 0.0 else max(x[0], 2.0)

    def best(levels):
        return best_of(search(objective(fun, compiled=compiled), table([levels]), points=len(levels), block=3))

    assert best([-1, 0, 3, 2, 1, -2, 2]) == (2.0, 3, [2.0], 2)
    assert best([-1, 0, -1, 0, -1]) == (math.inf, 0, [-1.0], 3)
    assert best([0, 0]) == (math.inf, 0, [0.0], 0)


@pytest.mark.parametrize("how", [{}, {"compiled": False}], ids=str)
def test_an_exception_appears_as_itself_with_its_x(how):
    def picky(x):
        if x[0] >= 70.0:
            raise ValueError("too large")
        return x[0]

    work = search(objective(picky, **how), table([np.arange(100.0)]), points=100, block=50)
    assert work.carry_out(0, None, never)["fun"] == 0.0
    with pytest.raises(ValueError, match="too large") as caught:
        work.carry_out(1, None, never)
    assert caught.value.x[0] == 70.0


def test_an_objective_that_writes_into_its_x_changes_no_point():
    def model(x):
        x[0] += 10.0
        return x[0] + x[1]

    work = search(model, table([[3.0, 1.0], [2.0, 4.0]]), points=4)
    assert best_of(work) == (13.0, 2, [1.0, 2.0], 0)


def test_the_end_is_polled_between_ranges():
    work = search(bumpy, table([np.arange(1000.0)] * 2), points=10**6, block=10**6)
    asked = iter([False, False, True])
    assert work.carry_out(0, None, lambda: next(asked)) is None
    assert work.carry_out(0, None, never)["points"] == 10**6


def test_a_range_takes_about_a_tenth_of_a_second():
    length = RangeLength(1, 10**9)
    for _ in range(10):
        length.learn(length.points, length.points * 1e-6)
    assert length.points == 10**5
    length.learn(10, 10.0)
    assert length.points == 1


# --- as a work ---


def test_a_search_travels_without_what_is_compiled():
    def fun(x, shift):
        return abs(x[0] - shift[0])

    work = search(fun, ranges((REAL, -1, 1)), "random", 5000, (np.array([0.25]),), seed=5)
    work.prepare()
    prepared = work.prepared
    work.prepare()
    assert work.prepared is prepared
    copy = cloudpickle.loads(cloudpickle.dumps(work))
    assert copy._prepared is None
    assert best_of(copy) == best_of(work)
    assert copy.prepared.bound.fingerprint() == prepared.bound.fingerprint()


@pytest.mark.parametrize(
    ("points", "block"), [(1, 1), (5, 1), (1024, 1), (5000, 4), (10**9, 976_562), (10**12, 2**20), (10**18, 2**20)]
)
def test_blocks_hang_on_the_number_of_points_alone(points, block):
    assert search(bumpy, ranges((REAL, 0, 1)), "random", points).block == block


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "halton"}, "mode: got 'halton'"),
        ({"device": "tpu"}, "device: got 'tpu'"),
        ({"points": 25}, "points: got 25, expected 1 to 24"),
        ({"points": 0}, "points: got 0"),
        ({"mode": "random", "points": 2**63}, "points: got 9223372036854775808"),
        ({"mode": "sobol", "points": 2**31}, "Sobol"),
    ],
    ids=str,
)
def test_what_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        search(bumpy, table(LEVELS), **change)
