"""What an objective writes into is its own: x and args stay as they are, and the analysis knows who writes."""

import collections
import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit

import thalweg as tw
from thalweg import objective
from thalweg.kernels.calling.objective import CompilationError
from thalweg.kernels.compile.writes import MAYBE, READ, WRITTEN

POINTS = np.random.default_rng(1).uniform(-2, 2, (40, 6))
PROBE = np.ones(6)


def bound(fun, args=(), **options):
    return objective(fun, **options).bind(args, PROBE)


def copied(args):
    return tuple(copied(a) if isinstance(a, tuple) else a.copy() if isinstance(a, np.ndarray) else a for a in args)


def agrees(fun, args=()):
    """Compiled values are Python's on copies, and neither the points nor the arguments change."""
    points, kept = POINTS.copy(), copied(args)
    expected = [fun(x.copy(), *copied(args)) for x in POINTS]
    found = bound(fun, args)
    np.testing.assert_allclose(found.evaluate(points), expected, rtol=1e-12)
    np.testing.assert_array_equal(points, POINTS)
    for _ in range(2):  # what one evaluation writes, the next does not see
        np.testing.assert_allclose(found.evaluate(points), expected, rtol=1e-12)
    np.testing.assert_equal(args, kept)
    return found.written


# --- x ------------------------------------------------------------------------------------------------------------


def scales_sometimes(x):
    if x[0] > 1.5:  # not at the probe
        x *= 0.5
    return x.sum()


def sorts(x):
    x.sort()
    return x[0] - 2 * x[-1]


def fills(x):
    first = x[0]
    x.fill(7.0)
    return x.sum() + first


def multiplies_out(x):
    np.multiply(x, 0.5, x)
    return np.sum(x)


def multiplies_view_out(x):
    np.multiply(x[1:], 0.5, x[:-1])
    return x[0] - x[1]


def clips_out(x):
    np.clip(x, 0, 1, x)
    return x.sum()


def clips_by_method(x):
    x.clip(0, 1, x)
    return x.sum()


def rounds_out(x):
    np.round(x, 0, x)
    return x.sum()


def writes_view(x):
    x[1:] -= 1
    return x.sum()


def adds_whole(x):
    x += 1
    return np.prod(x)


def assigns_whole(x):
    total = x.sum()
    x[:] = 2.0
    return total + x[3]


def assigns_by_mask(x):
    x[x > 0] = 0.0
    return x.sum()


def assigns_by_index(x):
    x[np.array([0, 2])] = 9.0
    return x.sum()


def transposed(x):
    x.reshape((2, 3)).T[0] = 4.0
    return x.sum()


def flat_items(x):
    x.flat[2] = 4.0
    return x.sum()


def raveled(x):
    y = x.reshape((2, 3)).ravel()
    y[0] = 3.0
    return x[0] + x[1]


def unpacked_views(x):
    a, b = x[:3], x[3:]
    a -= b
    return x.sum()


def tuple_member(x):
    pair = (np.zeros(2), x)
    pair[1][0] = 5.0
    return x[0] + x[1]


def rows_of_view(x):
    for row in x.reshape((2, 3)):
        row[0] = 3.0
    return x.sum()


def rows_by_zip(x):
    for row, value in zip(x.reshape((2, 3)), x[:2]):
        row[1] = value
    return x.sum()


def rows_by_enumerate(x):
    for k, row in enumerate(x.reshape((2, 3))):
        row[1] = k
    return x.sum()


def either(x):
    y = x if x[0] > 0 else x.copy()
    y[0] = 1.0
    return x.sum()


def goes_on_in_a_loop(x):
    y = x
    for _ in range(3):
        y = y[1:]
        y[0] = 1.0
    return x.sum()


def in_a_list(x):
    arrays = [x, x[1:]]
    arrays[1][0] = 3.0
    return x.sum()


def shuffles(x):
    np.random.shuffle(x)
    return x.sum()


def _sort_deep(values):
    values.sort()


def _sort(values):
    _sort_deep(values[1:])


def two_levels_down(x):
    _sort(x)
    return x[1] - x[5]


@njit
def _halve(values, by=0.5):
    values *= by
    return values


def compiled_helper(x):
    return _halve(x).sum() + x[0]


def compiled_helper_by_name(x):
    return _halve(by=0.25, values=x).sum() + x[0]


def _same(values):
    return values


def through_a_result(x):
    y = _same(x)
    y[2] = 0.0
    return x.sum()


def _first(*arrays):
    arrays[0][0] = 1.0


def through_star(x):
    _first(x, np.zeros(2))
    return x.sum()


Pair = collections.namedtuple("Pair", "left right")


def in_a_named_tuple(x):
    pair = Pair(x, np.zeros(2))
    pair.left[0] = 1.0
    return x.sum()


def _views(values):
    for k in range(len(values)):
        yield values[k:]


def through_a_generator(x):
    for view in _views(x):
        view[0] += 1.0
    return x.sum()


def _sink(values, depth):
    if depth > 0:
        values[depth] = 0.0
        _sink(values, depth - 1)
    return 0.0


def calls_itself(x):
    _sink(x, 3)
    return x.sum()


def closure_inside(x):
    def put(k):
        x[k] = 2.0

    put(1)
    return x.sum()


WRITERS = [
    scales_sometimes, sorts, fills, multiplies_out, multiplies_view_out, clips_out, clips_by_method, rounds_out,
    writes_view, adds_whole, assigns_whole, assigns_by_mask, assigns_by_index, transposed, flat_items, raveled,
    unpacked_views, tuple_member, rows_of_view, rows_by_zip, rows_by_enumerate, either, goes_on_in_a_loop, in_a_list,
    two_levels_down, compiled_helper, compiled_helper_by_name, through_a_result, through_star, in_a_named_tuple,
    through_a_generator, calls_itself, closure_inside,
]  # fmt: skip


@pytest.mark.parametrize("fun", WRITERS, ids=lambda f: f.__name__)
def test_an_objective_that_writes_into_x_has_an_x_of_its_own(fun):
    (how,) = agrees(fun)
    assert how == (MAYBE if fun in (either, in_a_list) else WRITTEN)


@pytest.mark.filterwarnings("ignore:fun. np.random.shuffle")
def test_a_shuffled_x_is_the_objectives_own():
    points = POINTS.copy()
    with pytest.warns(UserWarning, match=r"np\.random\.shuffle .* which no seed reaches"):
        own = bound(shuffles)
    np.testing.assert_allclose(own.evaluate(points), POINTS.sum(axis=1))
    np.testing.assert_array_equal(points, POINTS)


# --- who only reads gets no copy -----------------------------------------------------------------------------------


def reads_all_ways(x):
    total = 0.0
    for v in x:
        total += v
    for k, v in enumerate(x[1:]):
        total += k * v
    for a, b in zip(x[:-1], x[1:]):
        total += a * b
    a, b = x[:3], x[3:]
    table = x.reshape((2, 3))
    for row in table:
        total += row[0] + row.max()
    squares = [v * v for v in x]
    mine = np.array([v + 0.0 for v in x]) + table.T.copy().ravel()
    mine[0] = 3.0
    mine += x
    mine.sort()
    picked = x[x > 0]
    picked[:] = 0.0
    ordered = np.sort(x)
    ordered -= 1
    total += len(x) + x.size + x.shape[0] + x.ndim + min(x) + max(squares) + sum(squares)
    total += np.dot(a, b) + (a @ b) + np.sum(x**2) + x.mean() + np.linalg.norm(x) + np.abs(x).std()
    total += np.where(x > 0, x, -x)[2] + np.concatenate((a, b))[1] + np.any(x > 1) + np.argmax(x) + np.cumsum(x)[2]
    return total + mine[1] + picked.sum() + ordered[0]


def _weighted(values, weights=2.0, *more):
    return np.sum(values * weights) + len(more)


@njit
def _total(values):
    result = 0.0
    for k in range(len(values)):
        result += values[k]
    return result


def _to_scratch(scratch, values):
    scratch[:] = values
    scratch *= 2.0
    return scratch


def reads_through_helpers(x):
    scratch = _to_scratch(np.empty(6), x)
    scratch[0] = 1.0
    return _weighted(x) + _weighted(values=x, weights=x) + _weighted(x, 1.0, x, x[1:]) + _total(x[2:]) + scratch.sum()


def reads_a_pair(x):
    pair = (x, np.zeros(2))
    pair[1][0] = 5.0
    (left, right), third = pair, x
    right += 1.0
    return left[0] + right[0] + third[1]


def picks_a_copy(x):
    y = x[1:]
    y = y * 2.0
    y[0] = 1.0
    return y.sum()


@pytest.mark.parametrize("fun", [reads_all_ways, reads_through_helpers, reads_a_pair, picks_a_copy])
def test_an_objective_that_only_reads_is_known_to(fun):
    assert agrees(fun) == [READ]


def test_what_nobody_knows_may_write():
    def fun(x):
        same = np.nan_to_num(x, False)
        return same[0] + x[1]

    points = POINTS.copy()
    points[0, 0] = np.nan
    found = bound(fun, check=False)
    assert found.written == [MAYBE]
    np.testing.assert_allclose(found.evaluate(points)[1:], POINTS[1:, 0] + POINTS[1:, 1])
    assert np.isnan(points[0, 0])
    points[0, 0] = POINTS[0, 0]
    np.testing.assert_array_equal(points, POINTS)


def test_a_copy_of_any_size_is_private():
    def fun(x):
        x *= 2.0
        return x.sum()

    for size in (1, 127, 128, 129, 1000):  # 128 numbers fit on the stack
        points = np.random.default_rng(1).uniform(-1, 1, (5, size))
        kept = points.copy()
        np.testing.assert_allclose(objective(fun).bind((), np.ones(size)).evaluate(points), 2 * points.sum(axis=1))
        np.testing.assert_array_equal(points, kept)


def test_a_c_function_has_an_x_of_its_own():
    @ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    def fun(n, x):
        x[0] = 99.0
        return sum(x[1:n])

    points = POINTS.copy()
    np.testing.assert_allclose(bound(fun).evaluate(points), POINTS[:, 1:].sum(axis=1))
    np.testing.assert_array_equal(points, POINTS)


@pytest.mark.parametrize("options", [{}, {"check": False}, {"precise": True}, {"compiled": False}])
def test_the_answer_of_an_objective_that_writes_is_in_the_box(options):
    def fun(x):  # x**2 + 1 inside, and it halves its x where the probe is not
        value = np.sum(x * x) + 1.0
        if x[0] > 2.0:
            x -= 100.0
        return value

    result = tw.minimize(objective(fun, **options), [(-5, 5)] * 3, method="de", seed=1, max_evals=2000)
    assert np.all(np.abs(result.x) <= 5) and result.fun == pytest.approx(np.sum(result.x**2) + 1.0, rel=1e-12)


def test_the_same_x_vectorized():
    def fun(x):
        values = np.sum(x * x, axis=1)
        x -= 100.0
        return values

    result = tw.minimize(objective(fun, vectorized=True), [(-5, 5)] * 3, method="de", seed=1, max_evals=2000)
    assert result.fun == pytest.approx(np.sum(result.x**2), rel=1e-12)


# --- args ----------------------------------------------------------------------------------------------------------


def scratch(x, t):
    t[:] = x
    t *= 2.0
    return t.sum()


def carries(x, t):
    t[0] += 1.0
    return x.sum() + t[0]


def table_rows(x, table):
    for row in table:
        row[0] = x[0]
    return table.sum()


def integers(x, counts):
    for v in x:
        counts[int(v > 0)] += 1
    return float(counts[1] * 10 + counts[0])


def deep(x, data):
    (left, right), scale = data
    right[0] = x[0]
    return left.sum() + right.sum() * scale


def one_of_two(x, data, scratch):
    np.multiply(x, data, scratch)
    return scratch.sum()


def sorted_median(x, t):
    t[:6] = x
    _sort_deep(t)
    return t[2]


ARGS = [
    (scratch, (np.zeros(6),), [READ, WRITTEN]),
    (carries, (np.zeros(3),), [READ, WRITTEN]),
    (table_rows, (np.ones((4, 3)),), [READ, WRITTEN]),
    (integers, (np.zeros(2, dtype=np.int32),), [READ, WRITTEN]),
    (deep, (((np.ones(2), np.ones(3)), 2.5),), [READ, READ, WRITTEN, READ]),
    (one_of_two, (np.arange(6.0), np.zeros(6)), [READ, READ, WRITTEN]),
    (sorted_median, (np.zeros(500),), [READ, WRITTEN]),
]


@pytest.mark.parametrize(("fun", "args", "written"), ARGS, ids=lambda v: getattr(v, "__name__", ""))
def test_an_array_of_args_that_is_written_is_a_copy_in_each_evaluation(fun, args, written):
    assert agrees(fun, args) == written


def test_the_same_seed_is_the_same_answer_on_any_number_of_threads_where_args_are_written():
    box, args = [(-5, 5)] * 6, (np.zeros(6),)

    def fun(x, t):
        t[:] = x
        t -= 0.5
        return np.sum(t * t) + 10.0 * np.sum(1.0 - np.cos(t))

    answers = [
        tw.minimize(fun, box, args=args, restarts=8, threads=threads, seed=3, max_evals=600, method="de")
        for threads in (1, 2, 2)
    ]
    assert len({answer.fun for answer in answers}) == 1
    assert all(np.array_equal(answer.runs["fun"], answers[0].runs["fun"]) for answer in answers)
    assert answers[0].fun == pytest.approx(fun(answers[0].x.copy(), np.zeros(6)), rel=1e-12)
    assert not args[0].any()


def read_only(kind, tmp_path):
    if kind == "bytes":
        return np.frombuffer(bytes(48))
    if kind == "memmap":
        np.zeros(6).tofile(tmp_path / "data")
        return np.memmap(tmp_path / "data", mode="r")
    array = np.zeros(6)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("kind", ["flag", "bytes", "memmap"])
@pytest.mark.parametrize("check", [True, False])
def test_a_read_only_array_that_is_written_is_refused(kind, check, tmp_path):
    array = read_only(kind, tmp_path)
    array = array.view(np.float64)
    with pytest.raises(ValueError, match=r"^args\[1\]\[0\]: got a read-only array.*expected.*copy"):
        objective(one_of_pair, check=check).bind((1.0, (array, 2.0)), PROBE)
    assert not array.any()


def one_of_pair(x, scale, pair):
    if x[0] > 100.0:
        pair[0][:] = x
    return x.sum() * scale + pair[1] + pair[0].sum()


def test_one_array_in_the_place_of_args_is_args_0():
    with pytest.raises(ValueError, match=r"^args\[0\]: got a read-only array"):
        bound(scratch, np.frombuffer(bytes(48)))


def test_a_plain_call_before_compilation_leaves_args_alone():
    def fun(x, t):
        t[0] = -1.0
        raise ValueError("stop here")

    t = np.zeros(6)
    with pytest.raises(ValueError, match="stop here"):
        bound(fun, (t,))
    assert not t.any()


def test_a_read_only_array_that_is_read_is_taken(tmp_path):
    for kind in ("flag", "bytes", "memmap"):
        array = read_only(kind, tmp_path).view(np.float64)
        np.testing.assert_allclose(bound(_with_data, (array,)).evaluate(POINTS), POINTS.sum(axis=1))


def _with_data(x, data):
    return np.sum(x + data)


def test_a_read_only_array_that_may_be_written_is_copied():
    def fun(x, data):
        y = data if x[0] > 0 else x.copy()
        y[0] = 7.0
        return x.sum() + y[0]

    array = np.frombuffer(bytes(48))
    found = bound(fun, (array,))
    assert found.written == [READ, MAYBE]
    np.testing.assert_allclose(found.evaluate(POINTS), POINTS.sum(axis=1) + 7.0)
    assert not array.any()


def test_arrays_that_share_memory_are_refused_where_one_is_written():
    whole = np.zeros(7)
    with pytest.raises(ValueError, match=r"^args\[1\]: got an array that shares memory with args\[0\]"):
        bound(one_of_two, (whole[:6], whole[1:]))
    bound(lambda x, a, b: np.sum(x * a) + b[0], (whole[:6], whole[1:]))  # both are only read


def test_a_constant_array_is_not_written():
    constant = np.ones(6)

    def whole(x):
        constant[0] = 2.0
        return x.sum()

    def out(x):
        np.multiply(x, 2.0, constant)
        return constant.sum()

    def by_sort(x):
        constant.sort()
        return constant.sum()

    def by_helper(x):
        _sort(constant)
        return constant.sum()

    def by_dot(x):  # Numba lets this pass, and the process would crash
        np.dot(np.ones((6, 6)), x, constant)
        return constant.sum()

    def by_flat(x):
        constant.flat[0] = 2.0
        return constant.sum()

    for fun in (whole, out, by_sort, by_helper, by_dot, by_flat):
        with pytest.raises(CompilationError, match="Arrays that are global, in a closure or in an object are only"):
            bound(fun, check=False)
    np.testing.assert_array_equal(constant, np.ones(6))


def test_another_process_knows_from_the_disk_who_writes(tmp_path):
    program = (
        "import numpy as np; from thalweg import objective; from thalweg.kernels.compile import writes\n"
        "def f(x, a, t): t[:] = x; return t.sum() + a[0]\n"
        "b = objective(f).bind((np.ones(2), np.zeros(3)), np.ones(3)); print(b.written)\n"
        "try: objective(f).bind((np.ones(2), np.frombuffer(bytes(24))), np.ones(3))\n"
        "except ValueError as e: print(str(e)[:7])\n"
        "from thalweg.kernels.compile.cache import ContentCache; print(ContentCache.misses)\n"
    )
    environment = {**os.environ, "THALWEG_CACHE_DIR": str(tmp_path)}
    run = [sys.executable, "-c", program]
    first, second = (subprocess.run(run, env=environment, capture_output=True, text=True, check=True) for _ in "12")
    assert first.stdout.splitlines()[:2] == second.stdout.splitlines()[:2] == ["[0, 0, 2]", "args[1]"]
    assert second.stdout.splitlines()[2] == "0"
