"""`try` in an objective: compiled arithmetic raises nothing, so that an `except` branch would never be taken."""

import contextlib
import math
from pathlib import Path

import numba
import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.kernels.calling.objective import CompilationError


def bare(x):
    try:
        return 10 / int(x[0])
    except:  # noqa: E722
        return 3.0


def any_exception(x):
    try:
        value = math.sqrt(x[0] - 1.0)
    except Exception:
        value = 0.0
    return value


def by_name(x):
    try:
        return -math.log(x[0])
    except ValueError as error:
        return float(len(str(error)))


def one_of_two(x):
    try:
        return math.exp(1000 * x[0])
    except (ValueError, OverflowError):
        return 1.0
    else:
        return 2.0


def passes(x):
    value = 1.0
    for k in range(3):
        try:
            value += 1 / (k - x[0])
        except ZeroDivisionError:
            pass
    return value


def in_a_helper(x):
    return any_exception(x)


compiled = numba.njit(any_exception)


def in_a_compiled_helper(x):
    return compiled(x)


def in_an_inner_function(x):
    def inner(v):
        try:
            return 1 / v
        except Exception:
            return 0.0

    return inner(x[0])


def returns_at_last(x):
    try:
        return 1 / int(x[0])
    finally:
        return 5.0  # noqa: B012


def breaks_at_last(x):
    for _ in range(3):
        try:
            return 1 / int(x[0])
        finally:
            break  # noqa: B012
    return 4.0


CATCHING = [
    bare, any_exception, by_name, one_of_two, passes, in_a_helper, in_a_compiled_helper, in_an_inner_function,
    returns_at_last, breaks_at_last,
]  # fmt: skip


@pytest.mark.parametrize("function", CATCHING)
@pytest.mark.parametrize("check", [True, False])
def test_what_catches_is_refused_with_its_line_and_what_to_write(function, check):
    with pytest.raises(CompilationError, match=r"^fun: ") as caught:
        objective(function, check=check).bind((), np.array([2.0]))
    message = str(caught.value)
    first = message[message.index(", line ") + 7 :]
    source = Path(__file__).read_text().splitlines()[int(first.split("\n")[0]) - 1]
    assert "except" in source or "return 5.0" in source or "break" in source
    assert "Test the values beforehand" in message and "compiled=False" in message


def finally_(x):
    total = 1.0
    try:
        total += 1 / x[0]
    finally:
        total *= 2.0
    return total


def raises(x):
    if x[0] < 0:
        raise ValueError("below 0")
    return x[0]


@pytest.mark.parametrize("function", [finally_, raises])
def test_what_does_not_catch_is_compiled(function):
    assert objective(function).bind((), np.array([2.0])).evaluate(np.array([[2.0]]))[0] == function([2.0])


def test_with_is_numbas_to_refuse():
    def suppressed(x):
        with contextlib.suppress(ZeroDivisionError):
            return 1 / int(x[0])
        return 5.0

    with pytest.raises(CompilationError, match=r"^fun: Numba cannot compile"):
        objective(suppressed).bind((), np.array([2.0]))
