"""Lists of whole numbers: what would be cut off without a word is refused, with its line; all else is as in Python."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.kernels import objective
from thalweg.kernels.calling.objective import CompilationError

X = np.array([0.7, 0.3])


def assigned(x):
    best = [0, 0]
    best[0] = x[1] * 0.3
    return best[0]


def under_a_condition(x):
    best = [0] * 4
    for i in range(2):
        if x[i] > 5.0:
            best[i] = max(best[i - 1] - 1, x[i])
    return best[0]


def added(x):
    total = [0]
    total[0] += x[0]
    return total[0]


def nested(x):
    table = [[0] * 3 for _ in range(2)]
    table[1][1] = x[0]
    return table[1][1]


def flags(x):
    seen = [x[0] > 0, False]
    seen[1] = x[1]
    return seen[1]


def _fill(values, v):
    values[0] = v


def in_a_helper(x):
    values = [0]
    _fill(values, x[0])
    return values[0]


@pytest.mark.parametrize("function", [assigned, under_a_condition, added, nested, flags, in_a_helper])
def test_what_would_be_cut_off_is_refused_with_its_line(function):
    with pytest.raises(CompilationError, match=r"a list of (int64|bool) cuts off the float64[\s\S]*File .*line \d+"):
        objective(function, check=False).bind((), X)


def of_floats(x):
    best = [0.0, 0]
    best[1] = x[0]
    return best[1]


def appended(x):
    values = [0]
    values.append(x[0])
    values.insert(0, x[1])
    return values[2] - values[0]


def of_whole_numbers(x):
    counts = [0] * 3
    counts[int(x[0] * 3)] += 1
    counts[0] = True
    return counts[0] + 2 * counts[1] + 3 * counts[2]


@pytest.mark.parametrize("function", [of_floats, appended, of_whole_numbers])
def test_what_fits_has_pythons_value(function):
    assert objective(function, check=False).bind((), X).evaluate(X[None])[0] == pytest.approx(function(X), abs=1e-15)


def test_the_comparison_looks_at_what_arrays_hold():
    """Data with which both agree must not switch it off for data with which they do not."""

    def wraps(x, t):
        n = 2**62 + int(t[0])
        return (n + n) * 1e-18 + x[0]

    with pytest.warns(UserWarning, match=r"^fun: at x = .* wrap at 64 bits"):
        tw.minimize(wraps, [(-3, 3)], args=(np.array([3.0]),), seed=1, max_evals=20)
    agrees = np.array([-(2.0**62)])
    tw.minimize(wraps, [(-3, 3)], args=(agrees,), seed=1, max_evals=20)
    with pytest.warns(UserWarning, match=r"^fun: at x = .* wrap at 64 bits"):
        tw.minimize(wraps, [(-3, 3)], args=(np.array([5.0]),), seed=1, max_evals=20)
