"""Boxes and points in whatever form: read as meant, or refused with what to write; never in another shape."""

import datetime
import re
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import Bounds

import thalweg as tw
from thalweg.kernels import Problem

from .test_problem import fun

LOWER, UPPER = [-1, 0], [2, 5]
BOX = [(-1.0, 2.0), (0.0, 5.0)]
DAYS = np.array([["2020-01-01", "2021-01-01"]] * 2, dtype="M8[D]")


def without_addresses(value):
    """What a test is called: the same in every process."""
    return re.sub(r" at 0x\w+", "", str(value))


def bowl(x):
    return (x[0] - 1.0) ** 2 + (x[1] - 2.0) ** 2


def box_of(bounds, **more):
    return Problem(fun=fun, bounds=bounds, **more).bounds.tolist()


def frame(data):
    return pytest.importorskip("pandas").DataFrame(data)


# --- boxes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds",
    [
        [[-1, 2], [0, 5]],
        ((-1, 2), (0, 5)),
        ([-1, 2], (0, 5)),
        zip(LOWER, UPPER),
        (pair for pair in BOX),
        {"a": (-1, 2), "b": (0, 5)}.values(),
        [(Fraction(-1), Decimal(2)), (np.float32(0), np.int8(5))],
        [(-1, 2), (False, 5)],
        np.array(BOX, dtype=object),
        np.ma.array(BOX),
        [np.array([-1, 2]), np.array([0, 5])],
        SimpleNamespace(lb=LOWER, ub=(v for v in UPPER)),
        Bounds(LOWER, UPPER, keep_feasible=True),
    ],
    ids=without_addresses,
)
def test_every_form_of_a_box_is_that_box(bounds):
    assert box_of(bounds) == [[-1, 2], [0, 5]]


def test_frames_are_boxes_by_rows():
    """Going through a frame gives the names of its columns: of two letters each they were pairs of digits."""
    assert box_of(frame({"01": LOWER, "05": UPPER})) == [[-1, 2], [0, 5]]
    assert box_of(frame({"b": [BOX[0], BOX[1]]})["b"]) == [[-1, 2], [0, 5]]


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (([-5, -5], [5, 5]), r"a tuple of two, which are two pairs or the lower and the upper ends; .* lb= and ub="),
        (([-5, 0], [5, 10]), "a tuple of two"),  # two boxes, and both make sense
        (([-5, -5, -5], [5, 5, 5]), "a tuple of two"),
        ((np.array([-5, 0]), np.array([5, 10])), "a tuple of two"),
        ((np.array([-5, 0]), [5, 10]), "a tuple of two"),
        ([[-5, -5, -5], [5, 5, 5]], r"shape \(2, 3\), expected \(D, 2\): .*zip\(lower, upper\)"),
        (((-5, -5), (5, 5)), "leaves no variable free"),
        ([(1, 1)], "leaves no variable free"),
        ([(1, 1), (2, 2), (3.0, 3)], "leaves no variable free"),
        (("01", "05"), "holds text"),
        ([("0", "5")], "holds text"),
        ([(0, "5")], "holds text"),
        (np.array([[0, "5"]], dtype=object), "holds text"),
        ("05", "holds text"),
        ([b"05"], "holds text"),
        ([(b"0", b"5")], "holds bytes"),
        ([(0j, 5)], "holds complex numbers"),
        (DAYS, "holds dates"),
        (DAYS - DAYS, "holds spans of time"),
        ([(datetime.date(2020, 1, 1), datetime.date(2021, 1, 1))], r"holds datetime.date\(2020, 1, 1\)"),
        (np.ma.array(BOX, mask=[[0, 0], [1, 0]]), "is masked"),
        ([np.ma.array([-5.0, 5.0], mask=[1, 0]), (0, 1)], "is masked"),
        (sparse.csr_array(BOX), "is sparse"),
        (sparse.csr_matrix(BOX), "is sparse"),
        ({"01": 1, "05": 5}, r"is a dict \(list\(d.values\(\)\)"),
        ({(0, 1), (2, 3)}, "no order"),
        ([{0, 5}], "no order"),
        ([range(2)], "a range for a pair"),
        ((0, 1), "no pair for each variable"),
        (np.array(5.0), "no pair for each variable"),
        (np.zeros(2, dtype=[("low", "f8"), ("high", "f8")]), "no pair for each variable"),
        ([(0, 10**400)], "beyond 1.8e308"),
        (SimpleNamespace(lb=[0, 0], ub=[1, 1, 1]), "lb of 2 and ub of 3 numbers"),
        (SimpleNamespace(lb=[[0, 0]], ub=[1, 1]), r"lb of shape \(1, 2\)"),
        (SimpleNamespace(lb=["0", "1"], ub=[5, 5]), "lb=.*holds text"),
        (SimpleNamespace(lb=[0, 0], ub=np.ma.array([1, 1], mask=[0, 1])), "ub=.*is masked"),
    ],
)
def test_what_only_looks_like_a_box_is_refused(bounds, words):
    with pytest.raises(ValueError, match=f"(?s)^bounds: .*{words}"):
        box_of(bounds)


def test_lower_and_upper_ends_are_lb_and_ub():
    """What the message of a tuple of two says to write has the right minimum, which lies inside."""
    for box in ({"lb": [-5, -5], "ub": [5, 5]}, {"bounds": zip([-5, -5], [5, 5])}, {"lb": -5, "ub": [5, 5]}):
        found = tw.minimize(bowl, **box, seed=1, max_evals=2000)
        np.testing.assert_allclose(found.x, [1, 2], atol=1e-3)


def test_an_iterator_is_read_once():
    """`popsize` asks for the number of variables before the problem is made."""
    found = tw.minimize(bowl, zip([-5, -5], [5, 5]), method="de", popsize=5, seed=1, max_evals=2000)
    assert found.options["population"] == 10 and np.allclose(found.x, [1, 2], atol=1e-2)


@pytest.mark.parametrize("door", [tw.minimize, tw.restarts, tw.islands, tw.Optimizer])
def test_all_doors_refuse_alike(door):
    place = ("de",) if door is tw.Optimizer else (bowl,)
    for bounds, words in ((([-5, 0], [5, 10]), "a tuple of two"), ([("0", "5")] * 2, "text"), ({"a": (0, 1)}, "dict")):
        with pytest.raises(ValueError, match=f"^bounds: .*{words}"):
            door(*place, bounds=bounds)
    with pytest.raises(ValueError, match=r"^x0: .*text"):
        door(*place, BOX, x0=["1", "2"])


# --- points -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x0",
    [
        [1, 2],
        (v for v in (1.0, 2.0)),
        [Fraction(1), Decimal(2)],
        np.ma.array([1.0, 2.0]),
        np.array([1, 2], dtype=object),
        np.float16([1, 2]),
        [True, 2],
        [np.array(1), np.array(2.0)],
    ],
    ids=without_addresses,
)
def test_every_form_of_a_point_is_that_point(x0):
    assert Problem(fun=fun, bounds=BOX, x0=x0).x0.tolist() == [[1, 2]]


def test_fractions_are_a_point_in_the_place_of_the_box():
    assert tw.minimize(bowl, [Fraction(1), Fraction(2)], seed=1).fun == 0.0
    assert tw.minimize(bowl, iter([1.0, 2.0]), seed=1).fun == 0.0


@pytest.mark.parametrize(
    ("x0", "words"),
    [
        (["1", "2"], "holds text"),
        ([1, "2"], "holds text"),
        ("12", "holds text"),
        (np.array([1, "2"], dtype=object), "holds text"),
        ([b"1", b"2"], "holds bytes"),
        ([1 + 0j, 2], "holds complex numbers"),
        (DAYS[0], "holds dates"),
        ([np.timedelta64(1, "s")] * 2, "holds spans of time"),
        (np.array([np.timedelta64(1, "s"), 1.0], dtype=object), "holds np.timedelta64"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "is masked"),
        ([None, 1], "holds None"),
        ({"a": 1, "b": 2}, "is a dict"),
        ({1, 2}, "no order"),
        (sparse.csr_array([[1.0, 2.0]]), "is sparse"),
        ([[1, 2], [1]], "no array of numbers"),
        ([1, 10**400], "beyond 1.8e308"),
        (object(), "holds <object"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
    ],
)
def test_what_only_looks_like_a_point_is_refused(x0, words):
    with pytest.raises(ValueError, match=f"(?s)^x0: .*{words}"):
        Problem(fun=fun, bounds=BOX, x0=x0)


@pytest.mark.parametrize("method", [name for name in tw.SOLVERS if name not in ("cma_es", "cr_fm_nes")])
def test_more_points_than_a_method_takes_are_refused_with_their_number(method):
    with pytest.raises(ValueError, match=r"^x0: got 300 points, expected "):
        tw.minimize(bowl, BOX, np.ones((300, 2)), method=method, max_evals=200)


def test_cma_es_takes_as_many_points_as_are_given():
    x0 = np.column_stack([np.linspace(-1, 2, 300), np.linspace(0, 5, 300)])
    found = tw.minimize(bowl, BOX, x0, method="cma_es", max_evals=300, seed=1)
    assert found.fun == min(map(bowl, x0))


# --- searches of boxes ------------------------------------------------------------------------------------------------


def test_searches_read_boxes_alike():
    function = tw.objective(bowl, compiled=False)
    assert tw.grid_search(function, zip([0, 0], [2, 4]), levels=3).x.tolist() == [1, 2]
    for bounds, words in ((([-5, 0], [5, 10]), "a tuple of two"), ([("0", "5")] * 2, "text"), ([(1, 1)] * 2, "free")):
        with pytest.raises(ValueError, match=f"^bounds: .*{words}"):
            tw.random_search(function, bounds, points=5, seed=1)
