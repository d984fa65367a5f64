"""An index outside its array is an IndexError in compiled code, as in Python; functions of which it is known beforehand
that they stay inside are compiled without a look at their indices."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from thalweg.kernels import objective
from thalweg.kernels.compile.indices import stays_inside
from thalweg.kernels.compile.substitution import plain
from thalweg.solvers import minimize

TABLE = np.array([5.0, 3.0, 4.0, 2.0, 6.0])


def is_checked(f, args=(), dimension=3) -> bool:
    """Whether the objective is compiled with bounds checks."""
    bound = objective(f, check=False).bind(args, np.full(dimension, 0.5))
    return bound.dimension is None


# --- beyond the end ------------------------------------------------------------------------------------------------


def looked_up(x, t):
    return t[int(x[0])]


def rounded(x, t):
    return t[int(round(x[0]))]


def from_behind(x, t):
    return t[int(x[0]) - 13]


@pytest.mark.parametrize("f", [looked_up, rounded, from_behind])
def test_an_index_beyond_the_end_is_an_error_with_its_x(f):
    with pytest.raises(IndexError) as raised:
        minimize(f, [(0, 8)], args=(TABLE,), seed=1, max_evals=2000, threads=1)
    with pytest.raises(IndexError):
        f(raised.value.x, TABLE)


def test_the_minimum_of_a_table_inside_its_bounds():
    result = minimize(looked_up, [(0, 4.999)], args=(TABLE,), seed=1, max_evals=2000, threads=1)
    assert result.fun == 2.0 and 3 <= result.x[0] < 4


def test_a_write_beyond_the_end_is_an_error_and_not_a_crash():
    def histogram(x, d):
        bins = np.zeros(4)
        for i in range(d.size):
            bins[int(d[i] * x[0])] += 1.0
        return -bins.max()

    with pytest.raises(IndexError) as raised:
        minimize(
            histogram, [(0.5, 1000.0)], x0=[1.0], args=(np.linspace(0, 3.99, 2000),), seed=1, max_evals=300, threads=1
        )
    assert raised.value.x[0] * 3.99 >= 4.0


# --- whatever else leads outside: the kind of error is that of Python ----------------------------------------------


def pick(a, i):
    return a[i]


@njit
def pick_compiled(a, i):
    return a[i]


def deep(a, i):
    return pick_compiled(a[2:], i - 2)


def put(a, i):
    a[i] = 1.0
    return a.sum()


def in_slice(x, n):
    return x[1:][n - 1]


def in_list_comprehension(x, n):
    return sum([x[i] for i in range(n)])


def in_lambda(x, n):
    f = lambda i: x[i]
    return f(n)


def far_in_row(x, n):
    return np.zeros((3, 4))[1, n]


def row_beyond(x, n):
    return np.zeros((3, 4))[n].sum()


def row_written(x, n):
    a = np.zeros((3, 4))
    a[n] = 1.0
    return a.sum()


def last_of_nothing(x, n):
    return x[:0][-1]


def far_before(x, n):
    return x[-n]


def tuple_at_run_time(x, n):
    return (1.0, 2.0, 3.0)[n]


def two_lengths(x, n):
    other, total = np.ones(n), 0.0
    for i in range(other.size):
        total += x[i] * other[i]
    return total


def fancy(x, n):
    return x[np.array([1, n])].sum()


def fancy_written(x, n):
    y = x.copy()
    y[np.array([1, n])] = 1.0
    return y.sum()


def mask_too_long(x, n):
    return x[np.ones(n) > 0].sum()


def mask_too_short(x, n):
    return x[np.ones(2) > 0].sum()


def mask_of_rows(x, n):
    return np.zeros((3, 4))[np.ones(n) > 0, 1].sum()


def mask_written(x, n):
    y = x.copy()
    y[np.ones(2) > 0] = 1.0
    return y.sum()


def taken(x, n):
    return np.take(x, n)


def of_flat(x, n):
    return np.zeros((2, 2)).flat[n]


def flat_written(x, n):
    y = np.zeros((2, 2))
    y.flat[n] = 1.0
    return y.sum()


def beyond_in_itself(x, n):
    return x.flat[n] if n < 6 else beyond_in_itself(x, n - 1) + beyond_in_itself(x, n - 2)


def counted(x, n):
    total = 0.0
    for i, v in np.ndenumerate(np.ones(n)):
        total += v * x[i]
    return total


def sum_of_unequal(x, n):
    return np.sum(x + np.ones(n))


def unequal(x, n):
    return (x + np.ones(n))[0]


def added_in_place(x, n):
    y = x.copy()
    y += np.ones(n)
    return y[0]


def grown_in_place(x, n):
    y = np.ones(1)
    y *= x
    return y[0]


def result_put_elsewhere(x, n):
    y = np.ones(n)
    np.multiply(x, 2.0, y)
    return y[0]


def assigned(x, n):
    y = np.zeros(n)
    y[:] = x
    return y[0]


def reshaped(x, n):
    return x.reshape(2, n)[0, 0]


def dotted(x, n):
    return np.dot(x, np.ones(n))


BEYOND = [
    pick, pick_compiled, deep, put, in_slice, in_list_comprehension, in_lambda, far_in_row, row_beyond, row_written,
    last_of_nothing, far_before, tuple_at_run_time, two_lengths, fancy, fancy_written, mask_too_long, mask_too_short,
    mask_of_rows, mask_written, taken, of_flat, flat_written, beyond_in_itself, counted, sum_of_unequal, unequal,
    added_in_place, grown_in_place, result_put_elsewhere, assigned, reshaped, dotted,
]  # fmt: skip


@pytest.mark.parametrize("f", BEYOND, ids=lambda f: f.__name__)
def test_beyond_the_end_as_in_python(f):
    x = np.linspace(0.0, 1.0, 5)
    with pytest.raises((IndexError, ValueError)) as expected:
        plain(f)(x.copy(), 8)
    with pytest.raises(expected.type):
        objective(f, check=False).bind((8,), x).evaluate(x[None])


def test_what_is_inside_keeps_its_value_under_checks():
    def inside(x, n):
        y = x.copy()
        y += np.ones(1)
        y[x > 0.5] *= 2.0
        np.multiply(y, y[n:], y)
        grid = np.zeros((2, 3))
        grid += np.arange(3.0)
        grid.flat[4] = 7.0
        return y.sum() + grid.sum() + x[n] + x[-n]

    x = np.linspace(0.0, 1.0, 5)
    assert is_checked(lambda x, n: x[n + int(x[0])], (1,))
    bound = objective(inside, boundscheck=True, check=False).bind((4,), x)
    assert bound.evaluate(x[None])[0] == pytest.approx(inside(x, 4), rel=1e-14)


# --- what is known to stay inside ----------------------------------------------------------------------------------


def neighbours(x, t, a, n):
    total = 0.0
    for i in range(len(x) - 1):
        total += (x[i + 1] - x[i]) ** 2 + x[-1 - i]
    return total


def backwards(x, t, a, n):
    return sum_of(x[::-1]) + x[len(x) - 1] + x[-len(x)]


def sum_of(v):
    total = 0.0
    for i in range(v.size - 1, -1, -1):
        total += v[i]
    return total


def model(x, t, a, n):
    y, total = np.sin(t), 0.0
    for i in range(t.size):
        r = y[i] - x[0] * math.exp(-x[1] * t[i]) - x[2]
        total += r * r
    return total


def matrix(x, t, a, n):
    rows, columns = a.shape
    total = 0.0
    for i in range(rows):
        for j in range(columns):
            total += a[i, j] * x[j]
        total += a[i].sum() + a[i, :][0] + a[:, 1][i] + a.T[0, i] + np.dot(a, x)[i] + (a @ x)[i]
    return total


def a_number_of_args(x, t, a, n):
    total = 0.0
    for i in range(n):
        total += x[i]
    return total


def counting_up(x, t, a, n):
    i, total = 0, 0.0
    while i < len(x) and x[i] < 100.0:
        total += x[i]
        i += 1
    while i > 0:
        i -= 1
        total += x[i]
    return total


def pairs(x, t, a, n):
    total = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            total += x[i] * x[j]
        for j in range(i):
            total -= x[j]
    return total


def scratch(x, t, a, n):
    y, z = np.zeros(n + 1), np.zeros((n, 2 * n))
    for i in range(n):
        y[i + 1] = y[i] + x[i]
        z[i, 2 * i + 1] = x[i]
    return y[n] + z[n - 1, -1]


def arrays(x, t, a, n):
    y = np.array([x[0], x[1], 1.0])
    z = y * x - np.cumsum(x)
    z += 1.0
    z[1:] -= x[:-1]
    return z[2] + np.sort(t)[len(t) - 1] + np.diff(t)[len(t) - 2] + np.linspace(0.0, 1.0, 7)[6] + np.sqrt(z[0] ** 2)


def clipped(x, t, a, n):
    k = min(max(int(x[0]), 0), len(t) - 1)
    j = int(x[1])
    return t[k] + (t[j] if 0 <= j < len(t) else 0.0) + t[int(x[2]) % len(t)]


def unpacked(x, t, a, n):
    total = 0.0
    for i, (v, w) in enumerate(zip(x, a[0])):
        total += v * w * x[i]
    return total + sum([v * v for v in x]) + x[np.argmax(x)]


def with_default(x, t, a, n, weights=None, k=2):
    if weights is None:
        weights = np.ones(n)
    if len(t) < 3:
        return x[len(x)]
    return weights[k] * x[k]


def many(x, *rest):
    t, a, _ = rest
    return pick_all(x, *rest) + t[0] + a[0, 0]


def pick_all(x, t, a, n):
    return t[n] + x[n - 1]


INSIDE = [
    neighbours, backwards, model, matrix, a_number_of_args, counting_up, pairs, scratch, arrays, clipped, unpacked,
    with_default, many,
]  # fmt: skip
ARGS = (np.linspace(0.0, 2.0, 11), np.arange(12.0).reshape(4, 3), 3)


@pytest.mark.parametrize("f", INSIDE, ids=lambda f: f.__name__)
def test_known_to_stay_inside(f):
    assert not is_checked(f, ARGS)
    x = np.array([[0.3, 0.6, 0.9], [1.5, -7.25, 40.0]])
    values = objective(f, check=False).bind(ARGS, x[0]).evaluate(x)
    np.testing.assert_allclose(values, [f(row.copy(), *ARGS) for row in x], rtol=1e-12)


def test_what_is_known_hangs_on_the_sizes():
    assert not is_checked(model, ARGS) and is_checked(model, ARGS, dimension=2)
    assert is_checked(a_number_of_args, (*ARGS[:2], 4)) and not is_checked(
        a_number_of_args, (*ARGS[:2], 4), dimension=4
    )
    assert is_checked(matrix, (ARGS[0], np.ones((4, 4)), 3)) and is_checked(neighbours, ARGS, dimension=1) is False


def may_count_too_far(x, n):
    i = 0
    while x[0] < 3.0 and i < 100:
        i += 1
    return x[i]


def compared_with_a_float(x, n):
    k = int(x[0] * 10.0)
    return x[k] if k < 2.5 and k >= 0 else 0.0


def swapped(x, n):
    i, j = 0, 2
    for _ in range(n):
        i, j = j, i + 1
    return x[i] + x[j]


def previous(x, n):
    last, total = 0, 0.0
    for i in range(n):
        if last < 2:
            total += x[i - last]
        last = i
    return total + x[last + 1]


def wraps(x, n):
    k = 2**62
    for _ in range(2):
        k = k * 2
    return x[k + 3]


def wraps_below(x, n):
    k = n
    for _ in range(40):
        k = k * 9
    return x[min(k, 2)]


def not_a_number(x, n):
    return x[int(min(max(x[0] * math.inf * 0.0, 0.0), 2.0))]


def of_a_function(x, n):
    return of_both(pick, x, n)


def of_both(f, x, n):
    return f(x, n)


def one_of_two(x, n):
    f = pick if x[0] > 0.5 else of_a_function
    return f(x, n)


def remembered(x, n):
    k = np.array([n])
    return x[k[0]]


def in_try(x, n):
    k = 7
    try:
        k = 1
        if x[0] > 0.0:
            raise ValueError
        k = 5
    except Exception:
        k = k + 0
    return x[k]


@pytest.mark.parametrize(
    "f",
    [
        may_count_too_far, compared_with_a_float, swapped, previous, wraps, wraps_below, not_a_number, of_a_function,
        one_of_two, remembered, in_try,
    ],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_not_known_to_stay_inside(f):
    assert not stays_inside(f, 3, (3,))


# --- any loop ------------------------------------------------------------------------------------------------------

wholes = st.recursive(
    st.sampled_from(["i", "j", "k", "n", "len(x)", "0", "1", "2", "3"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["//", "%"]), st.sampled_from(["2", "3", "n", "len(x)"])),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
        st.builds("(-{})".format, inner),
        st.builds("abs({})".format, inner),
    ),
    max_leaves=4,
)
arrays_ = st.sampled_from(["x", "x[1:]", "y", "x[::-1]", "y[:n]", "x[:{}]", "y[{}:]"])
conditions = st.builds("{} {} {}".format, wholes, st.sampled_from(["<", "<=", ">", ">=", "=="]), wholes)
FORM = """
def f(x, y, n):
    total, k = 0.0, {first}
    for i in range({range}):
        for j in {inner}:
            if {condition}:
                total += {array}[{index}]
            k = {next}
        while {other}:
            total += {array}[{index}]
            k += {step}
            if total > 40.0 or k > 40 or k < -40:
                break
            total += 1.0
    return total
"""


ranges = st.sampled_from(["n", "len(x)", "1, n", "len(x) - 1", "n - 1, -1, -1", "0, len(y), 2"])
inner_ranges = st.sampled_from(
    ["range(n)", "range(i)", "range(i, n)", "range(n - 1, -1, -1)", "range(0, n, 2)", "(0, i, 1)"]
)


@given(
    first=st.sampled_from("012"), range=ranges, inner=inner_ranges, condition=conditions, array=arrays_, index=wholes,
    next=wholes, other=conditions, step=st.sampled_from(["1", "2", "-1"]),
    size=st.integers(1, 5), length=st.integers(0, 6), n=st.integers(0, 5),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_what_is_told_to_stay_inside_stays_inside(size, length, n, **parts):
    """Python's own check of indices is the judge."""
    scope: dict = {}
    parts["array"] = parts["array"].format(parts["first"])
    exec(FORM.format(**parts), scope)
    if stays_inside(scope["f"], size, (np.ones(length), n)):
        try:
            scope["f"](np.ones(size), np.ones(length), n)
        except (ZeroDivisionError, UnboundLocalError, ValueError):
            pass


# --- how it is asked for -------------------------------------------------------------------------------------------


def test_boundscheck_overrides():
    x = np.ones((1, 3))
    with pytest.raises(IndexError):
        objective(looked_up, check=False, boundscheck=True).bind((np.ones(1),), x[0]).evaluate(x)
    free = objective(looked_up, check=False, boundscheck=False).bind((TABLE[:1],), x[0])
    assert free.evaluate(x)[0] == TABLE[1]  # what stands behind the slice
    with pytest.raises(TypeError, match="boundscheck: got"):
        objective(looked_up, boundscheck="yes")


def test_another_number_of_variables_than_it_was_bound_for():
    bound = objective(lambda x: x[2], check=False).bind((), np.ones(3))
    assert bound.evaluate(np.full((1, 4), 7.0))[0] == 7.0
    with pytest.raises(IndexError):
        bound.evaluate(np.ones((1, 2)))


def test_what_is_known_is_found_at_once():
    f, x = objective(model), np.ones(3)
    f.bind(ARGS, x)
    best = min(_seconds(lambda: stays_inside(model, 3, ARGS)) for _ in range(5))
    assert best < 0.02


def _seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
