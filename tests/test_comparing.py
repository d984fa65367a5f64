"""Before a run the machine code of an objective is compared with the function itself, at four points at most."""

import itertools
import math
import time
import warnings

import numpy as np
import pytest

from thalweg import minimize
from thalweg.kernels import objective
from thalweg.kernels.calling.comparing import SLOW, Outcome, Seen, call_plain, compare
from thalweg.kernels.calling.objective import CompilationError
from thalweg.solvers.driving.call import _points, parse_call

BOX = [(0, 5), (-1, 3)]


def wraps(x):
    """The sum of whole numbers is not watched."""
    n = int(x[0]) + 9_223_372_036_854_775_800
    return float(n + int(x[0]) + 3)


def logistic(x):
    return 1.0 / (1.0 + math.exp(1000.0 * x[0]))


def minus_infinity(x):
    return -1.0 / math.exp(-1000.0 * x[0])


def product_of_factors(x):
    return np.prod(np.array([1e150, 1e150, 1e-150, 1e-150]) * (1.0 + x[0]))


def small_divisors(x):
    total = 0.0
    for v in x:
        total += 1e-309 / (1e-309 + 0.0 * v)
    return total


def first_key(x):
    return {1: 2.0, 2: 3.0}.get(int(x[0]), 1.0)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (logistic, r"raises OverflowError \(math range error\) and compiled code gives 0.0"),
        (minus_infinity, r"raises ZeroDivisionError \(float division by zero\) and compiled code gives -inf"),
        (lambda x: 10.0 ** int(x[0]) + 7 ** (30 * int(x[0])), r"compiled code raises OverflowError \(a whole number"),
        (lambda x: 2 ** (3 - int(x[0])), r"compiled code raises ValueError \(a whole number to a negative power"),
    ],
)
def test_what_differs_is_refused_with_both_values(function, message):
    with pytest.raises(CompilationError, match=message) as caught:
        minimize(function, BOX, seed=1, max_evals=100)
    assert str(caught.value).startswith("fun: at x = [") and "compiled=False" in str(caught.value)
    minimize(objective(function, compiled=False), BOX, seed=1, max_evals=20)
    objective(function, check=False).bind((), np.zeros(2))


def test_precise_is_named_where_it_mends():
    """1e300 is beyond the half of what a product of these four factors may pass through, in another order."""
    bound = objective(product_of_factors).bind()
    python = call_plain(product_of_factors, (), np.ones((1, 2)))
    assert math.isfinite(python.outcomes[0].value)

    class Reordered:
        def evaluate_into(self, x, values):
            values[:] = np.inf

    with pytest.raises(CompilationError, match="precise=True"):
        compare(product_of_factors, (), python, Reordered(), lambda: bound)
    with pytest.raises(CompilationError, match="wrap at 64 bits"):
        compare(product_of_factors, (), python, Reordered(), Reordered)


@pytest.mark.parametrize("function", [product_of_factors, small_divisors])
def test_factors_that_overflow_when_reordered_are_refused_or_right(function):
    reference = function(np.array([1.0, 1.0]))
    try:
        found = objective(function).bind((), np.array([1.0, 1.0])).evaluate(np.array([[1.0, 1.0]]))[0]
    except CompilationError as error:
        assert "precise=True" in str(error)
        found = objective(function, precise=True).bind((), np.array([1.0, 1.0])).evaluate(np.array([[1.0, 1.0]]))[0]
    assert found == pytest.approx(reference)


def test_values_that_differ_by_more_than_rounding_are_warned_of_in_every_call():
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"Python gives 9.22.* and compiled code gives -9.22") as caught:
            minimize(wraps, [(0, 9)], integrality=[True], seed=1, max_evals=20)
        assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minimize(objective(wraps, check=False), [(0, 9)], integrality=[True], seed=1, max_evals=20)


def test_sums_in_another_order_are_no_difference():
    def nothing_at_the_minimum(x):
        return ((x - 0.1) ** 2).sum() + math.sin(x[0] - 0.1) ** 2

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        objective(lambda x: x.sum()).bind((), np.random.default_rng(1).uniform(-1, 1, (4, 3000)))
        minimize(nothing_at_the_minimum, [(-1, 1)] * 3, [0.1] * 3, seed=1, max_evals=100)


def test_a_function_that_differs_from_itself_is_not_judged():
    calls = itertools.count()

    def noisy(x):
        return float(next(calls))

    class Machine:
        def evaluate_into(self, x, values):
            values[:] = -1.0

    seen = call_plain(noisy, (), np.zeros((2, 1)))
    assert compare(noisy, (), seen, Machine(), Machine) is None


def test_a_slow_function_is_called_once():
    calls = []

    def slow(x):
        calls.append(x)
        time.sleep(1.2 * SLOW)
        return 1.0

    assert len(call_plain(slow, (), np.zeros((4, 2))).outcomes) == len(calls) == 1


def test_an_error_away_from_the_first_point_is_not_raised_where_machine_code_raises_it_too():
    def picky(x):
        if x[0] > 4.9:
            raise ValueError("too far")
        return x[0]

    bound = objective(picky).bind((), np.array([[1.0], [5.0]]))
    with pytest.raises(ValueError, match="too far"):
        bound.evaluate(np.array([[5.0]]))


def test_an_error_of_python_alone_is_refused():
    seen = Seen([Outcome(np.zeros(1), math.nan, IndexError("out of bounds"))], False)
    bound = objective(lambda x: x[0]).bind()

    def function(x):
        raise IndexError("out of bounds")

    with pytest.raises(CompilationError, match="raises IndexError"):
        compare(function, (), seen, bound, lambda: bound)


def test_infinities_and_undefined_values_agree():
    for function in (
        lambda x: 1 / x[0], lambda x: np.log(x[0]), lambda x: math.log(x[0] - 9.0), lambda x: 12 // int(x[0]),
        lambda x: np.inf * x[1], lambda x: np.nan if x[0] > 1 else 2.0,
    ):  # fmt: skip
        objective(function).bind((), _points(parse_call(function, BOX).problem))


def test_the_points_are_x0_one_inside_and_two_corners():
    call = parse_call(wraps, [(0, 5), (-1.5, 3.5), (0, 1)], [1, 2, 0.5], integrality=[True, True, False])
    points = _points(call.problem)
    np.testing.assert_array_equal(points[[0, 2, 3]], [[1, 2, 0.5], [0, -1, 0], [5, 3, 1]])
    assert (points[1, :2] == np.rint(points[1, :2])).all() and len(points) == 4
    np.testing.assert_array_equal(_points(parse_call(wraps, None, [1.0, 2.0]).problem), [[1.0, 2.0]])
    half = parse_call(wraps, [(0, None), (-1, 3)], [1, 2], method="nelder_mead")
    np.testing.assert_array_equal(_points(half.problem), [[1, 2], [0, -1]])


def test_known_functions_are_not_called_again():
    calls = []

    def function(x):
        return x[0]

    points = _points(parse_call(function, BOX).problem)
    first, second = (objective(function).bind((), points) for _ in range(2))
    assert (first.checks, second.checks, calls) == (3, 0, [])


def test_numpys_warnings_are_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minimize(lambda x: -x[0] + 1 / x[0] + np.log(x[0]), [(0, 5)], seed=1, max_evals=50)
