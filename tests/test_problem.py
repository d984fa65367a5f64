"""Problem: what is wrong with bounds, x0, integrality and names is said by name, before anything runs."""

import numpy as np
import pytest
from scipy.optimize import Bounds

from thalweg.kernels import Minimum, Problem


def fun(x):
    return x[0]


def make(bounds=((-1, 2), (0, 5)), **options):
    return Problem(fun=fun, bounds=bounds, **options)


# --- bounds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds",
    [
        [(-1, 2), (0, 5)],
        np.array([[-1.0, 2.0], [0.0, 5.0]]),
        Bounds([-1, 0], [2, 5]),
        zip([-1, 0], [2, 5]),
        ([np.float32(-1), 2], (0, np.int8(5))),
    ],
    ids=["pairs", "array", "scipy", "iterator", "mixed"],
)
def test_bounds_of_every_form(bounds):
    problem = make(bounds)
    assert problem.dimension == 2
    np.testing.assert_array_equal(problem.lower, [-1, 0])
    np.testing.assert_array_equal(problem.upper, [2, 5])
    assert problem.bounds.dtype == np.float64


def test_scipy_bounds_are_broadcast():
    np.testing.assert_array_equal(make(Bounds(0, [1, 2, 3])).lower, [0, 0, 0])


@pytest.mark.parametrize(
    "pair", [(None, 1.0), (-np.inf, 1.0), (0.0, None), (0.0, np.inf), (None, None), (-np.inf, None)]
)
def test_an_end_may_be_open(pair):
    problem = make([(0, 1), pair])
    low, high = -np.inf if pair[0] is None else pair[0], np.inf if pair[1] is None else pair[1]
    np.testing.assert_array_equal(problem.bounds, [(0.0, 1.0), (low, high)])
    with pytest.raises(
        ValueError, match=rf"bounds: variable 1 has \({low}, {high}\), expected a finite box: some_method"
    ):
        problem.require_box("some_method")


def test_scipy_bounds_may_be_open():
    with pytest.raises(ValueError, match="expected a finite box"):
        make(Bounds(-np.inf, 1)).require_box("some_method")


def test_x0_alone_says_how_many_variables_there_are():
    assert make(None, x0=[1, 2, 3]).bounds.tolist() == [[-np.inf, np.inf]] * 3
    assert make(None, x0=[[1, 2], [3, 4], [5, 6]]).dimension == 2
    make().require_box("some_method")


def test_equal_bounds_fix_a_variable():
    assert make([(1, 1), (0, 2)]).upper[0] == 1


def test_bounds_are_copied_and_frozen():
    bounds = np.array([[0.0, 1.0]])
    problem = make(bounds)
    bounds[0, 0] = 9.0
    assert problem.lower[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        problem.bounds[0, 0] = 3.0


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ([(0, 1), (2, 1)], r"variable 1 has low 2.0 above high 1.0"),
        ([(0, np.nan)], r"variable 0 has \(0.0, nan\)"),
        ([(0, 1), (None, np.nan)], r"variable 1 has \(-inf, nan\)"),
        ([(0, 1), (None, -np.inf)], r"variable 1 has \(-inf, -inf\)"),
        ([(np.inf, None)], r"variable 0 has \(inf, inf\)"),
        ([(-1.7e308, 1.7e308)], "overflows"),
        ([(0, 1, 2)], r"shape \(1, 3\), expected \(D, 2\)"),
        ([(0, 1), (1,)], "expected a .low, high. pair of numbers"),
        ([0, 1], "expected a .low, high. pair of numbers"),
        ([("a", "b")], "expected a .low, high. pair of numbers"),
        (5, "expected a .low, high. pair of numbers"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        ([], "got none"),
        (np.empty((0, 2)), "got none"),
        (None, "got None"),
        (Bounds(-np.inf, np.nan), r"variable 0 has \(-inf, nan\)"),
        ([(1j, 2)], "pair of numbers"),
    ],
)
def test_wrong_bounds(bounds, message):
    with pytest.raises(ValueError, match=f"bounds: .*{message}"):
        make(bounds)


# --- x0 ----------------------------------------------------------------------------------------------------------


def test_x0_is_one_point_or_a_population():
    assert make().x0 is None
    assert make(x0=[0, 1]).x0.shape == (1, 2)
    assert make(x0=[[0, 1], [2, 5], [-1, 0]]).x0.shape == (3, 2)


@pytest.mark.parametrize(
    ("x0", "message"),
    [
        ([0, 1, 2], r"got shape \(3,\), expected \(2,\) or \(n, 2\)"),
        (0.0, r"got shape \(\)"),
        ([[0, 1, 2]], r"got shape \(1, 3\)"),
        (np.zeros((2, 2, 2)), r"got shape \(2, 2, 2\)"),
        (np.empty((0, 2)), r"got shape \(0, 2\)"),
        ([0, 6], r"variable 1 is 6.0, expected a number in \[0.0, 5.0\]"),
        ([[0, 1], [-3, 1]], r"variable 0 is -3.0"),
        ([0, np.nan], "variable 1 is nan"),
        (["a", "b"], "which holds text; expected numbers"),
        ([[0, 1], [2]], "which is no array of numbers; expected numbers, or rows of numbers"),
    ],
)
def test_wrong_x0(x0, message):
    with pytest.raises(ValueError, match=f"x0: .*{message}"):
        make(x0=x0)


# --- integrality, names and the rest -----------------------------------------------------------------------------


def test_integrality():
    assert not make().integrality.any()
    assert make(integrality=[True, False]).integrality.tolist() == [True, False]
    assert make(integrality=[0, 1]).integrality.tolist() == [False, True]
    assert make(integrality=True).integrality.tolist() == [True, True]


@pytest.mark.parametrize(
    ("integrality", "message"),
    [
        ([True], "got 1 entries, expected one for each of the 2 variables"),
        ([0, 2], "expected True"),
        ([0.0, 1.0], "expected True"),
        (["a", "b"], "expected True"),
        ([[True, False]], "expected True"),
    ],
)
def test_wrong_integrality(integrality, message):
    with pytest.raises(ValueError, match=f"integrality: .*{message}"):
        make(integrality=integrality)


def test_integrality_without_a_whole_number_in_the_box():
    with pytest.raises(ValueError, match=r"no whole number lies in \(0.2, 0.8\), the bounds of variable 1"):
        make([(0, 1), (0.2, 0.8)], integrality=[False, True])


def test_names():
    assert make(names=("a", "b")).names == ["a", "b"]
    with pytest.raises(ValueError, match="names: got 1, expected one for each of the 2 variables"):
        make(names=["a"])


def test_the_rest():
    problem = make(args=3.0, minimum=Minimum(None, 0.0))
    assert problem.args == (3.0,)
    with pytest.raises(TypeError, match="fun: got int, expected a callable"):
        Problem(fun=3, bounds=[(0, 1)])  # pyright: ignore[reportArgumentType]
    with pytest.raises(AttributeError):
        problem.args = ()  # pyright: ignore[reportAttributeAccessIssue]


def test_one_pair_of_numbers_is_for_all_variables_of_x0():
    bounds = Bounds(-5, 5)
    for x0 in ([1.0, 2.0, 3.0], np.ones((2, 3))):
        np.testing.assert_array_equal(Problem(fun=abs, bounds=bounds, x0=x0).bounds, [(-5, 5)] * 3)
    assert Problem(fun=abs, bounds=bounds).dimension == 1


def test_lower_and_upper_ends_by_themselves_are_no_pairs():
    with pytest.raises(ValueError, match="no variable free"):
        Problem(fun=abs, bounds=[[0, 0], [5, 5]])
