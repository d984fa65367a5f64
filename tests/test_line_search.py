"""The search of Moré and Thuente against the tables of its paper, and where functions are not finite."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from numba.core import types

from thalweg.kernels.calling.arguments import load, packed
from thalweg.kernels.calling.asking import FORMS, FUNCTIONS, Functions
from thalweg.kernels.compile.jit import compile_for, kernel
from thalweg.kernels.compile.structures import numba_type
from thalweg.kernels.descent.line_search import strong_wolfe
from thalweg.kernels.rows.population import Box
from thalweg.kernels.run import LINE_SEARCH_FAILED, NO_DERIVATIVE, OUT_OF_BUDGET, RUNNING, UNBOUNDED, Run, make_run
from thalweg.solvers.contract import Key, Limits

VECTOR, REAL, RUN, BOX = types.float64[::1], types.float64, numba_type(Run), numba_type(Box)


@cache
def compiled():
    def search(problem, run, box, x, value, direction, slope, how, trials, bounded, trial, trial_g):
        step, largest, c1, c2, narrow = how[0], how[1], how[2], how[3], how[4]
        return strong_wolfe(
            load(problem, FUNCTIONS), x, value, direction, slope, step, largest, c1, c2, narrow, trials,
            load(box, BOX), bounded, trial, trial_g, load(run, RUN),
        )  # fmt: skip

    signature = (*[types.intp] * 3, VECTOR, REAL, VECTOR, REAL, VECTOR, types.int64, types.boolean, VECTOR, VECTOR)
    return compile_for(kernel(search, cached=False), signature)


@cache
def problem_of(function):
    inner = kernel(function, inner=True, cached=False)
    adapter = compile_for(kernel(lambda x, args, g, work: inner(x, g), cached=False), FORMS["gradient"])
    code = adapter.overloads[FORMS["gradient"].args]
    work = np.zeros(4, np.int64)
    address = code.library.get_pointer_to_function(code.fndesc.llvm_func_name)
    return Functions(0, 0, gradient=address, work=work.ctypes.data), adapter, work


def search(
    function, step=1.0, *, x=0.0, c1=1e-4, c2=0.9, largest=np.inf, narrow=1e-14, trials=20, upper=np.inf, max_evals=9999
):
    """From x downhill along the axis, of a function(x, g) of one variable; g is there called with an array."""
    x, g, trial, trial_g = np.array([x]), np.zeros(1), np.zeros(1), np.zeros(1)
    value = function(x, g)
    run, box = make_run(1, Limits(max_evals), Key(1, 0)), Box(np.full(1, -np.inf), np.full(1, upper), np.zeros(1))
    given = [packed(problem_of(function)[0]), packed(run), packed(box)]
    how = np.array([step, largest, c1, c2, narrow])
    found = compiled()(
        *[one.address for one in given], x, value, -np.sign(g), -abs(g[0]), how, trials, upper < np.inf, trial, trial_g
    )
    why, length, lowest, slope = found
    return SimpleNamespace(
        why=why, step=length, value=lowest, slope=slope, evaluations=run.now[0].evaluations, point=trial[0],
        gradient=trial_g[0],
    )  # fmt: skip


# --- the six functions of section 5; beside them steps and evaluations from its tables 1 to 6 ----------------------


def rational(x, g):  # (5.1), b = 2
    a = x[0]
    g[0] = (a * a - 2.0) / (a * a + 2.0) ** 2
    return -a / (a * a + 2.0)


def fifth_power(x, g):  # (5.2), b = 0.004
    a = x[0] + 0.004
    g[0] = 5.0 * a**4 - 8.0 * a**3
    return a**5 - 2.0 * a**4


def rippled(x, g):  # (5.3), b = 0.01, l = 39
    a, b, turns = x[0], 0.01, 39.0 * np.pi / 2.0
    if a <= 1.0 - b:
        value, slope = 1.0 - a, -1.0
    elif a >= 1.0 + b:
        value, slope = a - 1.0, 1.0
    else:
        value, slope = (a - 1.0) ** 2 / (2.0 * b) + b / 2.0, (a - 1.0) / b
    g[0] = slope + (1.0 - b) * np.cos(turns * a)
    return value + (1.0 - b) / turns * np.sin(turns * a)


def hyperbolas(left, right):  # (5.4) and (5.5), Yanai, Ozawa and Kaneko
    first, second = np.sqrt(1.0 + left**2) - left, np.sqrt(1.0 + right**2) - right

    def function(x, g):
        near, far = np.sqrt((1.0 - x[0]) ** 2 + right**2), np.sqrt(x[0] ** 2 + left**2)
        g[0] = -first * (1.0 - x[0]) / near + second * x[0] / far
        return first * near + second * far

    return function


EVEN, LEFT, RIGHT = hyperbolas(1e-3, 1e-3), hyperbolas(1e-2, 1e-3), hyperbolas(1e-3, 1e-2)
TABLES = {  # function, c1, c2: evaluations and steps, from 1e-3, 1e-1, 1e1 and 1e3
    "table 1": (rational, 1e-3, 1e-1, (6, 3, 1, 4), (1.4, 1.4, 10.0, 37.0)),
    "table 2": (fifth_power, 1e-1, 1e-1, (12, 8, 8, 11), (1.6, 1.6, 1.6, 1.6)),
    "table 3": (rippled, 1e-1, 1e-1, (12, 12, 10, 13), (1.0, 1.0, 1.0, 1.0)),
    "table 4": (EVEN, 1e-3, 1e-3, (4, 1, 3, 4), (0.085, 0.10, 0.35, 0.83)),
    "table 5": (LEFT, 1e-3, 1e-3, (6, 3, 7, 8), (0.075, 0.078, 0.073, 0.076)),
    "table 6": (RIGHT, 1e-3, 1e-3, (13, 11, 8, 11), (0.93, 0.93, 0.92, 0.92)),
}


@pytest.mark.parametrize("name", TABLES)
def test_it_takes_the_steps_of_the_paper(name):
    function, c1, c2, evaluations, steps = TABLES[name]
    found = [search(function, first, c1=c1, c2=c2) for first in (1e-3, 1e-1, 1e1, 1e3)]
    assert [one.evaluations for one in found] == list(evaluations)
    assert [float(f"{one.step:.2g}") for one in found] == list(steps)
    g, start = np.zeros(1), np.zeros(1)
    origin, steepness = function(start, g), abs(g[0])
    for one in found:
        assert one.why == RUNNING and one.value == function(np.array([one.step]), g)
        assert abs(g[0] - one.slope) <= 1e-13 and one.gradient == one.slope and one.point == one.step
        assert one.value <= origin - c1 * one.step * steepness and abs(one.slope) <= c2 * steepness


# --- beyond the paper ------------------------------------------------------------------------------------------------


def barrier(x, g):
    """x - log(1 - x) - 3 x: NaN from 1 on."""
    g[0] = -2.0 + 1.0 / (1.0 - x[0])
    return -2.0 * x[0] - np.log(1.0 - x[0])


def cliff(x, g):
    """A bowl around 0.5 that is infinite beyond 0.7."""
    g[0] = 2.0 * (x[0] - 0.5)
    return (x[0] - 0.5) ** 2 if x[0] < 0.7 else np.inf


def hole(x, g):
    """A bowl around 3 that is not defined between 1 and 2."""
    g[0] = 2.0 * (x[0] - 3.0)
    return np.nan if 1.0 < x[0] < 2.0 else (x[0] - 3.0) ** 2


def no_slope(x, g):
    g[0] = -1.0 if x[0] == 0.0 else np.nan
    return -x[0]


def wrong_slope(x, g):
    g[0] = -1.0
    return x[0]


def line(x, g):
    g[0] = -1.0
    return -x[0]


def cubic_fall(x, g):
    g[0] = -1.0 - 3.0 * x[0] ** 2
    return -x[0] - x[0] ** 3


def exponential_fall(x, g):
    g[0] = -np.exp(x[0])
    return g[0]


def shallow(x, g):
    """Near its minimum 1, where values of 1e6 differ by less than their last bit."""
    g[0] = 1e-6 * (x[0] - 1.0)
    return 1e6 + 0.5e-6 * (x[0] - 1.0) ** 2


@pytest.mark.parametrize(("function", "least"), [(barrier, 0.5), (cliff, 0.5)])
@pytest.mark.parametrize("first", [0.9, 1.0, 5.0, 1e6])
def test_it_comes_back_from_where_the_function_is_not_finite(function, least, first):
    one = search(function, first, c2=1e-3)
    assert one.why == RUNNING and abs(one.step - least) < 1e-3 and one.evaluations <= 20


def test_a_hole_on_the_way_is_avoided():
    one = search(hole, 1.5, c2=0.1)
    assert one.why == RUNNING and one.step < 1.0 and one.value < 9.0
    assert search(hole, 4.0, c2=0.1).step == 3.0


def test_why_there_is_no_step():
    assert search(no_slope).why == NO_DERIVATIVE
    assert search(wrong_slope).why == LINE_SEARCH_FAILED
    assert search(cubic_fall, 1e120).why == UNBOUNDED
    near, far = search(exponential_fall), search(cubic_fall, 1e35)
    assert near.why == UNBOUNDED and near.value == -np.inf and near.evaluations < 12
    assert far.why == UNBOUNDED and -np.inf < far.value < -1e100 and far.evaluations <= 20
    assert search(hole, 1.5, max_evals=1).why == OUT_OF_BUDGET
    assert search(cubic_fall, 1.0, max_evals=3).evaluations == 3


def test_no_step_is_longer_than_the_largest():
    one = search(line, 1.0, largest=7.5)
    assert one.why == RUNNING and one.step == 7.5
    assert search(line, 100.0, largest=7.5).evaluations == 1


def test_at_the_end_of_its_trials_it_takes_the_lowest():
    one = search(line, 1.0, trials=3)
    assert one.why == RUNNING and one.step == 21.0 and one.evaluations == 3  # 1, 5 = 1 + 4, 21 = 5 + 4 * 4
    one = search(fifth_power, 1e-3, c1=0.1, c2=0.1, trials=5)
    assert one.why == RUNNING and one.gradient == one.slope < 0.0 and one.evaluations <= 6


def test_a_narrow_interval_ends_it():
    full, early = (search(fifth_power, 10.0, c1=0.1, c2=1e-9, narrow=narrow) for narrow in (1e-14, 0.1))
    assert early.evaluations < full.evaluations and abs(early.step - 1.596) < 0.16
    assert early.gradient == early.slope


def test_a_decrease_that_rounding_hides():
    one = search(shallow, 1.0, x=0.5)
    assert one.why == RUNNING and abs(one.point - 1.0) < 0.51


def test_points_stay_in_the_box():
    one = search(line, 0.3, x=0.0, largest=np.nextafter(0.3, 0), upper=0.3)
    assert one.point == 0.3
