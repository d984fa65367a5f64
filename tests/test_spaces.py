"""Search spaces: grids against brute force, random points against the engine's own, and everything that is refused."""

import itertools
import json
import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import Bounds
from scipy.stats import qmc

from thalweg.kernels import search
from thalweg.kernels.compile.jit import kernel
from thalweg.orchestration.spaces import (
    check_qmc,
    choice,
    draw_block,
    draws,
    integer,
    log_integer,
    log_uniform,
    parse_space,
    qmc_block,
    uniform,
    when,
)
from thalweg.solvers import Optimizer

BELOW_ONE = 1 - 2.0**-53
REALS = [0.0, 0.5, 1.0]  # three levels of uniform(0, 1)
SVM = {"kernel": ["linear", "rbf", "poly"], "C": log_uniform(1e-2, 1e2)}


def points(space):
    return [space.grid_point(k) for k in range(space.size)]


def levels_of(variable, levels=None):
    return [point["v"] for point in points(parse_space({"v": variable}, levels=levels))]


# --- spaces made up by hypothesis, and their points by brute force ---------------------------------------------------


@st.composite
def spaces(draw):
    """(space, {name: levels}, {name: [(parent, values)]}): up to six variables, conditional on any earlier ones."""
    names = [f"v{i}" for i in range(draw(st.integers(1, 6)))]
    space, levels, asked = {}, {}, {}
    for i, name in enumerate(names):
        kind = draw(st.sampled_from(["choice", "integer", "uniform"]))
        count = draw(st.integers(1, 4))
        variable, levels[name] = {
            "choice": (list("abcd"[:count]), list("abcd"[:count])),
            "integer": (integer(3, 2 + count), list(range(3, 3 + count))),
            "uniform": (uniform(0, 1), REALS),
        }[kind]
        parents = [other for other in names[:i] if levels[other] != REALS]
        asked[name] = []
        for parent in draw(st.lists(st.sampled_from(parents), max_size=2)) if parents else []:
            values = draw(st.lists(st.sampled_from(levels[parent]), min_size=1, unique=True))
            asked[name].append((parent, values))
            variable = when(parent, values, variable)
        space[name] = variable
    return {name: space[name] for name in draw(st.permutations(names))}, levels, asked


def exists(name, point, asked):
    return all(parent in point and point[parent] in values for parent, values in asked[name])


def brute_force(names, levels, asked):
    """All combinations of all levels, less what does not exist, each once, in the order of itertools.product."""
    found = {}
    for combination in itertools.product(*(levels[name] for name in names)):
        point = {}
        for name, value in zip(names, combination, strict=True):
            if exists(name, point, asked):
                point[name] = value
        found[tuple(point.items())] = point
    return list(found.values())


def parsed(space, levels):
    try:
        return parse_space(space, levels={name: 3 for name in space if levels[name] == REALS})
    except ValueError as error:
        assume("never exists" not in str(error))
        raise


@settings(deadline=None)
@given(spaces())
def test_a_grid_has_each_combination_that_exists_once(made):
    space, levels, asked = made
    space = parsed(space, levels)
    expected = brute_force(space.names, levels, asked)
    assert space.size == len(expected)
    assert points(space) == expected
    assert [list(point) for point in points(space)] == [list(point) for point in expected]


@settings(deadline=None)
@given(spaces(), st.data())
def test_a_random_point_lies_in_the_space(made, data):
    space, levels, asked = made
    space = parsed(space, levels)
    unit = st.sampled_from([0.0, BELOW_ONE]) | st.floats(0, BELOW_ONE)
    point = space.random_point(data.draw(st.lists(unit, min_size=space.slots, max_size=space.slots)))
    for name in space.names:
        assert (name in point) == exists(name, point, asked)
        if name in point:
            assert point[name] in levels[name] or 0 <= point[name] <= 1


@settings(deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=5, max_size=7), st.integers(0, 10**30))
def test_a_number_near_10_to_the_18_is_decoded_as_in_mixed_radix(counts, k):
    counts += [1000] * 6
    space = parse_space({f"v{j}": integer(0, count - 1) for j, count in enumerate(counts)})
    assert space.size == math.prod(counts)
    k %= space.size
    point, rest = space.grid_point(k), k
    for j in reversed(range(len(counts))):
        rest, digit = divmod(rest, counts[j])
        assert point[f"v{j}"] == digit


# --- grids -----------------------------------------------------------------------------------------------------------


def test_the_grid_of_a_list_of_dicts_is_that_of_scikit_learn():
    model_selection = pytest.importorskip("sklearn.model_selection")
    space = [{"a": [1, 2], "b": ["x", "y", None]}, {"a": (3,)}]
    assert points(parse_space(space)) == list(model_selection.ParameterGrid(space))


def test_the_last_variable_runs_fastest():
    space = {"b": [1, 2], "a": range(3), "c": (True, False)}
    assert [tuple(point.values()) for point in points(parse_space(space))] == list(itertools.product(*space.values()))


def test_a_parent_with_few_levels_is_asked_for_its_values():
    space = parse_space({"n": integer(1, 9), "b": when("n", [4, 5, 6, 9], ["x", "y"])}, levels=3)
    assert points(space) == [
        {"n": 1},
        {"n": 5, "b": "x"},
        {"n": 5, "b": "y"},
        {"n": 9, "b": "x"},
        {"n": 9, "b": "y"},
    ]


def test_the_order_is_that_of_the_dict_with_conditional_variables_right_after_their_parents():
    space = {"gamma": when("kernel", "rbf", uniform(0, 1)), **SVM}
    assert parse_space(space).names == ("kernel", "gamma", "C")


def test_a_variable_may_be_conditional_on_conditional_ones_and_on_several():
    space = parse_space(
        {
            "layers": integer(1, 3),
            "width": when("layers", [2, 3], [16, 32]),
            "skip": when("width", 32, when("layers", range(3, 4), [True, False])),
        }
    )
    assert points(space) == [
        {"layers": 1},
        {"layers": 2, "width": 16},
        {"layers": 2, "width": 32},
        {"layers": 3, "width": 16},
        {"layers": 3, "width": 32, "skip": True},
        {"layers": 3, "width": 32, "skip": False},
    ]


@pytest.mark.parametrize(
    ("variable", "levels", "expected"),
    [
        (uniform(-1, 2), 4, [-1.0, 0.0, 1.0, 2.0]),
        (uniform(0.1, 0.7), 1, [0.1]),
        (uniform(3, 3), 5, [3.0]),
        (log_uniform(1e-3, 1e3), 7, [1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3]),
        (integer(-2, 2), None, [-2, -1, 0, 1, 2]),
        (integer(-2, 2), 9, [-2, -1, 0, 1, 2]),
        (integer(1, 10), 4, [1, 4, 7, 10]),
        (integer(1, 10), 1, [1]),
        (log_integer(1, 3), None, [1, 2, 3]),
        (log_integer(1, 1000), 4, [1, 10, 100, 1000]),
        (log_integer(1, 8), 7, [1, 2, 3, 4, 6, 8]),
        (stats.norm(5, 2), 1, [5.0]),
        (stats.uniform(0, 8), 4, [1.0, 3.0, 5.0, 7.0]),
        (stats.randint(0, 3), 9, [0, 1, 2]),
        (range(10, 0, -5), None, [10, 5]),
        (np.array(["a", "b"]), None, ["a", "b"]),
    ],
)
def test_levels(variable, levels, expected):
    found = levels_of(variable, levels)
    assert found == pytest.approx(expected, rel=1e-14) if isinstance(expected[0], float) else found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


@settings(deadline=None)
@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.integers(2, 40))
def test_real_levels_begin_and_end_exactly_at_the_bounds(a, b, levels):
    low, high = min(a, b), max(a, b)
    found = levels_of(uniform(low, high), levels)
    assert (found[0], found[-1]) == (low, high)
    assert found == sorted(set(found))
    if low > 0:
        found = levels_of(log_uniform(low, high), levels)
        assert (found[0], found[-1]) == (low, high)
        assert found == sorted(set(found))


@given(st.integers(-(2**53), 2**53), st.integers(0, 2**53), st.integers(1, 50))
def test_whole_levels_are_distinct_and_evenly_spread(low, width, levels):
    high = min(low + width, 2**53)
    assume(levels <= high - low)
    found = levels_of(integer(low, high), levels)
    gaps = {b - a for a, b in itertools.pairwise(found)}
    assert len(found) == levels
    assert found[0] == low
    assert levels == 1 or (found[-1] == high and min(gaps) > 0 and max(gaps) - min(gaps) <= 1)


def test_levels_by_name_leave_other_integers_whole():
    space = parse_space({"a": uniform(0, 1), "n": integer(1, 9)}, levels={"a": 2})
    assert space.size == 18


def test_a_large_grid_takes_no_memory_and_goes_through_pickle():
    space = pickle.loads(pickle.dumps(parse_space([(0, 2**53)] * 3000, integrality=True)))
    assert space.size == (2**53 + 1) ** 3000
    assert set(space.grid_point(space.size - 1).values()) == {2**53}


def test_a_number_outside_the_grid_is_refused():
    space = parse_space({"a": [1, 2]})
    for k in (-1, 2):
        with pytest.raises(IndexError, match=f"got {k}, expected 0 <= k < 2"):
            space.grid_point(k)


def test_conditions_that_wait_for_one_another_do_not_multiply():
    flags = {f"flag{i}": [True, False] for i in range(40)}
    sizes = {f"size{i}": when(f"flag{i}", True, uniform(0, 1)) for i in range(40)}
    assert parse_space({**flags, **sizes}, levels=10).size == 11**40


# --- random points ---------------------------------------------------------------------------------------------------


def test_the_points_are_those_of_the_solver_random_search():
    bounds, integrality = [(-5, 5), (0.3, 7.9), (-1e300, 2e-5)], [False, True, False]
    space = parse_space(bounds, integrality=integrality)
    trial = Optimizer("random_search", bounds, seed=2**63 + 5, integrality=integrality).ask()
    ours = [list(space.random_point(draws(2**63 + 5, k, space.slots)).values()) for k in range(len(trial))]
    assert np.array_equal(trial, np.array(ours, dtype=np.float64))


@kernel
def place_all(u, space):
    for j in range(len(space.kinds)):
        search.place(u[:, j], 0, len(u), j, space)


def test_compiled_code_makes_the_same_points_of_every_kind():
    space = parse_space(
        {
            "a": uniform(-3, 8),
            "b": log_uniform(1e-5, 3),
            "c": integer(-4, 9),
            "d": log_integer(1, 500),
            "e": [0.5, 2, 7],
        }
    )
    u = draw_block(1, 0, 2000, space.slots)
    u[0], u[1] = 0, BELOW_ONE
    ours = np.array([list(space.random_point(row).values()) for row in u])
    place_all(u, space.flat())
    assert np.array_equal(u, ours)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**62), st.integers(1, 5), st.integers(1, 5))
@settings(deadline=None)
def test_a_draw_is_a_function_of_seed_and_number(seed, first, count, slots):
    block = draw_block(seed, first, count, slots)
    assert block.shape == (count, slots)
    for i in range(count):
        assert np.array_equal(block[i], draws(seed, first + i, slots))
        assert np.array_equal(block[i], draws(seed, first + i, slots + 3)[:slots])


def test_shares():
    n = 20_000
    u = draw_block(1, 0, n, 5)
    space = parse_space(
        {
            "a": ["x", "y", "z"],
            "b": integer(1, 4),
            "c": log_integer(1, 3),
            "d": log_uniform(1e-4, 1e4),
            "e": stats.expon(scale=3),
        }
    )
    made = [space.random_point(row) for row in u]
    for name, shares in {
        "a": {"x": 1 / 3, "y": 1 / 3, "z": 1 / 3},
        "b": dict.fromkeys(range(1, 5), 1 / 4),
        "c": {k: math.log((k + 1) / k) / math.log(4) for k in (1, 2, 3)},
    }.items():
        counts = [sum(point[name] == value for point in made) for value in shares]
        assert sum(counts) == n
        assert stats.chisquare(counts, [n * share for share in shares.values()]).pvalue > 1e-4
    assert stats.kstest([math.log10(point["d"]) for point in made], "uniform", (-4, 8)).pvalue > 1e-4
    assert stats.kstest([point["e"] for point in made], "expon", (0, 3)).pvalue > 1e-4


def test_each_dict_of_a_list_is_drawn_as_often_as_the_others():
    space = parse_space([{"a": [1, 2], "b": uniform(0, 1)}, {"c": uniform(5, 6)}, {"d": [0]}])
    assert space.slots == 3
    assert [list(space.random_point([u, 0.25, 0.5])) for u in (0, 0.33, 0.34, 0.66, 0.67, BELOW_ONE)] == [
        ["a", "b"], ["a", "b"], ["c"], ["c"], ["d"], ["d"]
    ]  # fmt: skip
    assert space.random_point([0.5, 0.25, 0.9]) == {"c": 5.25}


@pytest.mark.parametrize("distribution", [stats.norm(0, 1), stats.randint(0, 10), stats.poisson(3), stats.cauchy()])
def test_a_distribution_stays_in_its_support_at_the_ends(distribution):
    space = parse_space({"x": distribution})
    low, high = (space.random_point([u])["x"] for u in (0.0, BELOW_ONE))
    assert distribution.support()[0] <= low < high <= distribution.support()[1]
    assert math.isfinite(low) and math.isfinite(high)


def test_a_point_wants_as_many_numbers_as_there_are_slots():
    with pytest.raises(ValueError, match="random_point: got 1 numbers, expected 2"):
        parse_space(SVM).random_point([0.5])


# --- Sobol points and Latin hypercubes -------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", [1, 6, 3000])
def test_sobol_points_are_those_of_scipy_wherever_they_are_cut(slots):
    rows = 2 * 2**16 // slots  # over several chunks
    whole = qmc.Sobol(slots, seed=np.random.default_rng(5)).random(2 ** math.ceil(math.log2(rows)))[:rows]
    assert np.array_equal(qmc_block("sobol", 5, 0, rows, slots, rows), whole)
    for first, count in ((rows - 3, 3), (1, 1), (rows // 2, 0), (rows // 3, rows // 2)):
        assert np.array_equal(qmc_block("sobol", 5, first, count, slots, rows), whole[first : first + count])


def test_a_latin_hypercube_has_one_point_in_each_layer():
    n = 300
    blocks = [qmc_block("lhs", 3, first, 100, 4, n) for first in (200, 0, 100)]
    found = np.concatenate(blocks)
    assert (np.sort(np.floor(found * n), axis=0) == np.arange(n)[:, None]).all()
    assert np.array_equal(qmc_block("lhs", 3, 200, 100, 4, n), blocks[0])
    assert not np.array_equal(qmc_block("lhs", 4, 200, 100, 4, n), blocks[0])
    assert blocks[0].flags.c_contiguous and blocks[0].flags.writeable


@pytest.mark.parametrize(
    ("kind", "slots", "count", "message"),
    [
        ("halton", 2, 10, "kind: got 'halton', expected 'sobol' or 'lhs'"),
        ("sobol", 21_202, 10, "expected at most 21201"),
        ("sobol", 2, 2**30 + 1, "expected at most 2\\*\\*30"),
        ("lhs", 3, 4_000_000, "expected at most 3333333"),
    ],
)
def test_sets_of_points_that_cannot_be_had_are_refused(kind, slots, count, message):
    with pytest.raises(ValueError, match=message):
        check_qmc(kind, slots, count)


# --- arrays for compiled objectives ----------------------------------------------------------------------------------


def test_a_grid_as_arrays_holds_all_levels():
    space = parse_space({"a": uniform(0, 1), "b": [3, 1, True], "c": stats.norm(0, 1), "d": integer(5, 6)}, levels=3)
    flat = space.flat(grid=True)
    assert flat.kinds.tolist() == [search.TABLE] * 4
    assert flat.offsets.tolist() == [0, 3, 6, 9, 11]
    assert flat.values[:6].tolist() == [0, 0.5, 1, 3, 1, 1]
    assert flat.values[9:].tolist() == [5, 6]
    digits = itertools.product(*(flat.values[a:b] for a, b in itertools.pairwise(flat.offsets)))
    assert [tuple(point.values()) for point in points(space)] == list(digits)


def test_a_space_as_arrays_has_kinds_ends_and_tables():
    space = parse_space(
        {"a": uniform(0, 1), "b": [3, 1], "c": integer(5, 6), "d": log_uniform(1, 2), "e": log_integer(1, 9)}
    )
    flat = space.flat()
    assert flat.kinds.tolist() == [search.REAL, search.TABLE, search.INTEGER, search.LOG, search.LOG_INTEGER]
    assert flat.low.tolist() == [0, 1, 5, 1, 1]
    assert flat.high.tolist() == [1, 3, 6, 2, 9]
    assert flat.offsets.tolist() == [0, 0, 2, 2, 2, 2]
    assert flat.values.tolist() == [3, 1]
    assert [array.dtype for array in flat] == [np.int64, np.float64, np.float64, np.float64, np.int64]
    assert all(array.flags.c_contiguous for array in flat)


@pytest.mark.parametrize("bounds", [[(0, 1), (2.5, 4.5)], np.array([[0, 1], [2.5, 4.5]]), Bounds([0, 2.5], [1, 4.5])])
def test_bounds_are_a_space(bounds):
    space = parse_space(bounds, integrality=[False, True], levels=2)
    assert space.names == ("x0", "x1")
    assert points(space) == [{"x0": a, "x1": b} for a in (0.0, 1.0) for b in (3, 4)]


@pytest.mark.parametrize(
    ("space", "grid", "message"),
    [
        ({"a": [1], "b": when("a", 1, [2])}, False, "conditional variables, expected one dict without `when`"),
        ([{"a": [1]}, {"a": [2]}], True, "a list of dicts, expected one dict"),
        ({"a": ["l1", "l2"]}, False, "'a' has the value 'l1', expected float64 numbers"),
        ({"a": [2**53 + 1]}, True, "'a' has the value 9007199254740993, expected float64"),
        ({"a": [math.nan]}, True, "'a' has the value nan"),
        ({"a": [10**400]}, True, "'a' has the value 1000"),
        ({"a": range(2**60, 2**60 + 4)}, True, "'a' has the value 1152921504606846977"),
        ({"a": stats.norm(0, 1)}, False, "'a' is scipy.stats.norm\\(0, 1\\), which only SciPy can draw"),
        ({"a": integer(0, 10**8)}, True, "'a' has 100000001 levels, expected at most 10000000"),
        ({"a": uniform(0, 1)}, True, "levels: got none for 'a'"),
    ],
)
def test_what_compiled_code_cannot_take_is_refused(space, grid, message):
    with pytest.raises(ValueError, match=message):
        parse_space(space).flat(grid=grid)


# --- what is said of a space -----------------------------------------------------------------------------------------

TELL = """
import json
from fractions import Fraction
import numpy as np
from scipy import stats
from thalweg.orchestration.spaces import choice, integer, parse_space, uniform, when
class Thing:
    def __init__(self, part):
        self.part = part
space = parse_space({
    "a": [1, 0.5, "x", None, True, (1, 2), float("nan"), np.float64(3), abs, Thing, Thing(abs), np.arange(3),
        {"p": 1}, {2: 3}, {"p", "q"}, Fraction(1, 3)],
    "n": integer(1, 9), "b": when("n", range(2, 5), uniform(0, 1)), "c": when("a", [1, "x"], when("n", 3, range(5))),
    "d": stats.norm(0, scale=2), "e": stats.rv_discrete(values=([1, 2], [0.5, 0.5]))(), "f": list(range(2000)),
}, levels={"b": 3})
print(json.dumps(space.header(), allow_nan=False))
"""


def tell(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run([sys.executable, "-c", TELL], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_header_is_json_and_the_same_in_every_process():
    first = tell(1)
    assert first == tell(2)
    variables = {variable["name"]: variable for variable in json.loads(first)["branches"][0]}
    assert variables["a"]["values"][:6] == [1, 0.5, "x", None, True, [1, 2]]
    assert variables["b"]["when"] == [["n", [2, 3, 4]]]
    assert variables["c"]["when"] == [["a", [1, "x"]], ["n", [3]]]
    assert variables["d"]["kwds"] == {"scale": 2}
    assert set(variables["e"]["quantiles"]) == {1.0, 2.0}


def test_a_header_tells_spaces_apart():
    spaces = [
        {"a": [1, 2]}, {"a": [2, 1]}, {"b": [1, 2]}, [{"a": [1]}, {"a": [2]}], {"a": uniform(1, 2)},
        {"a": integer(1, 2)}, {"a": log_uniform(1, 2)},
        {"a": stats.uniform(1, 1)}, {"a": stats.norm(1, 1)}, {"a": [math.nan]}, {"a": [abs]},
        {"a": [1, 2], "b": [0]}, {"a": [1, 2], "b": when("a", 1, [0])}, {"a": [1, 2], "b": when("a", 2, [0])},
        *({"a": stats.rv_discrete(values=([1, 2], [p, 1 - p]))()} for p in (0.3, 0.5)),
    ]  # fmt: skip
    headers = [json.dumps(parse_space(space).header()) for space in spaces]
    headers.append(json.dumps(parse_space({"a": uniform(1, 2)}, levels=3).header()))
    assert len(set(headers)) == len(spaces) + 1


def test_the_text_of_a_space_is_what_the_user_wrote():
    space = parse_space({**SVM, "d": when("kernel", ["rbf", "poly"], log_integer(1, 9)), "z": stats.norm(0, scale=2)})
    assert repr(space) == (
        "Space({'kernel': choice(['linear', 'rbf', 'poly']), 'd': when('kernel', ['rbf', 'poly'], log_integer(1, 9)), "
        "'C': log_uniform(0.01, 100.0), 'z': scipy.stats.norm(0, scale=2)})"
    )
    assert repr(parse_space([{"a": [1]}, {"b": range(3)}])) == "Space([{'a': choice([1])}, {'b': choice(range(0, 3))}])"
    assert len(repr(parse_space([(0, 1)] * 1000))) < 400


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "space: got an empty dict"),
        ([], "space: got \\[\\], expected a dict"),
        ([{"a": [1]}, {}], "space: got an empty dict"),
        ([{"a": [1]}, 3], "space: got 3 in the list, expected dicts only"),
        (None, "space: got None, expected a dict"),
        ("a", "space: got 'a', expected a dict"),
        ([uniform(0, 1)], "bounds: got \\[uniform"),
        ([(1, 0)], "bounds: variable 0 has low 1.0 above high 0.0"),
        ({"a": []}, "space: 'a': got no values"),
        ({"a": np.array([])}, "space: 'a': got no values"),
        ({"a": np.eye(2)}, "space: 'a': got an array of shape \\(2, 2\\), expected one dimension"),
        ({"a": "l1"}, "space: 'a': got the text 'l1', expected a list of values, such as \\['l1'\\]"),
        ({"a": {1, 2}}, "space: 'a': got a set, which has no order"),
        ({"a": (i for i in range(3))}, "space: 'a': got a generator, which is exhausted"),
        ({"a": map(abs, [1])}, "space: 'a': got a map, which is exhausted"),
        ({"a": 3}, "space: 'a': got 3, expected a list of values"),
        ({"a": {"b": 1}}, "space: 'a': got {'b': 1}, expected a list of values"),
        ({"a": stats.norm}, "the distribution norm without its parameters"),
        ({"a": stats.norm(0, -1)}, "norm has the median nan"),
        ({"a": stats.norm([0, 1], 1)}, "norm has the median \\[0. 1.\\]"),
        ({1: [1]}, "space: got the name 1, expected a str"),
        ({"a": when("b", 1, [1])}, "'a' is conditional on 'b', expected one of a"),
        ({"a": when("a", 1, [1])}, "'a' wait for one another"),
        ({"a": when("b", 1, [1]), "b": when("c", 1, [1]), "c": when("a", 1, [1])}, "'a', 'b', 'c' wait"),
        ({"a": [1, 2], "b": when("a", 3, [1])}, "'b' exists when 'a' is 3, expected a value of choice"),
        ({"a": [1, 2], "b": when("a", (1, 2), [1])}, "any of several values is written as a list"),
        ({"a": [1, 2], "b": when("a", True, [1])}, "'b' exists when 'a' is True"),
        ({"a": integer(1, 3), "b": when("a", [1, 4], [1])}, "'b' exists when 'a' is 4, expected a value of integer"),
        ({"a": integer(1, 3), "b": when("a", 1.5, [1])}, "'b' exists when 'a' is 1.5"),
        ({"a": integer(1, 3), "b": when("a", 10**400, [1])}, "'b' exists when 'a' is 1000"),
        ({"a": uniform(1, 3), "b": when("a", 1, [1])}, "'a', which is uniform\\(1.0, 3.0\\); expected a choice"),
        ({"a": [1, 2], "b": when("a", 1, when("a", 2, [1]))}, "'b' never exists"),
        ({"a": [1, 2], "b": when("a", 1, [1]), "c": when("b", 1, when("a", 2, [1]))}, "'c' never exists"),
    ],
)  # fmt: skip
def test_a_space_that_means_nothing_is_refused(space, message):
    with pytest.raises((TypeError, ValueError), match=message):
        parse_space(space)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: uniform(1, 0), "uniform: got low 1.0 above high 0.0, expected low <= high"),
        (lambda: uniform(0, math.nan), "uniform: high: got nan, expected a number"),
        (lambda: uniform(-math.inf, 0), "uniform: got \\(-inf, 0.0\\), expected two finite numbers"),
        (lambda: uniform(math.inf, math.inf), "uniform: got \\(inf, inf\\), expected two finite numbers"),
        (lambda: uniform(-1e308, 1e308), "less than 1.8e308 apart"),
        (lambda: uniform("0", 1), "uniform: low: got '0', expected a number"),
        (lambda: log_uniform(0, 1), "log_uniform: got low 0.0, expected a number above 0"),
        (lambda: log_uniform(-1, 1), "log_uniform: got low -1.0, expected a number above 0"),
        (lambda: log_uniform(2, 1), "log_uniform: got low 2.0 above high 1.0"),
        (lambda: log_uniform(1, math.inf), "two finite numbers"),
        (lambda: integer(3, 2), "integer: got low 3 above high 2"),
        (lambda: integer(0.5, 2), "integer: low: got 0.5, expected a whole number"),
        (lambda: integer(0, math.inf), "integer: high: got inf, expected a whole number"),
        (lambda: integer(0, 2**53 + 1), "at most 2\\*\\*53 in size"),
        (lambda: log_integer(0, 5), "log_integer: got low 0, expected at least 1"),
        (lambda: log_integer(-3, 5), "log_integer: got low -3, expected at least 1"),
        (lambda: choice([]), "choice: got no values"),
        (lambda: choice("ab"), "choice: got the text 'ab'"),
        (lambda: when(1, 2, [3]), "when: got the name 1, expected a str"),
        (lambda: when("a", [], [3]), "when\\('a'\\): got no values"),
    ],
)
def test_a_variable_that_means_nothing_is_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (0, "levels: got 0, expected at least 1"),
        (2.5, "levels: got 2.5, expected a whole number"),
        (10**8, "levels: got 100000000, expected at most 10000000"),
        ({"C": 0}, "levels\\['C'\\]: got 0, expected at least 1"),
        ({"D": 3}, "levels: got 'D', which is no variable of the space; it has kernel, C"),
        ({"kernel": 3}, "levels: got 'kernel', which is a list of values"),
        (None, "levels: got none for 'C', which takes real numbers; .* levels={'C': 10}, or levels=10"),
        ({}, "levels: got none for 'C'"),
    ],
)
def test_levels_that_mean_nothing_are_refused(levels, message):
    with pytest.raises((TypeError, ValueError), match=message):
        parse_space(SVM, levels=levels).size


def test_levels_that_leave_a_conditional_variable_out_are_refused():
    space = {"n": integer(1, 9), "b": when("n", 2, [1, 2])}
    assert parse_space(space).size == 10
    with pytest.raises(ValueError, match="they leave out all values that 'b' is conditional on"):
        parse_space(space, levels=3).size


def test_whole_numbers_of_a_dict_are_written_as_integer():
    with pytest.raises(ValueError, match="integrality: got one beside a dict"):
        parse_space(SVM, integrality=[True, False])
