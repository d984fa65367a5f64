"""One variable: the methods against their sources and against SciPy, the bracket, and what callers get wrong."""

import functools
import math
import warnings

import numpy as np
import pytest
import scipy.optimize

import thalweg as tw
from thalweg import BracketError, StopReason, bracket, minimize_scalar, objective

from .reference import one_variable

FUNCTIONS = {  # with a pair of points to begin from, and a box
    "parabola": (lambda x: (x - 1.5) ** 2 - 0.8, (0.0, 1.0), (-2.0, 5.0)),
    "quartic": (lambda x: (x - 2) * x * (x + 2) ** 2, (0.0, 1.0), (0.0, 2.0)),
    "cubic": (lambda x: x**3 - 2 * x**2 + 2, (1.0, 2.0), (0.5, 3.0)),
    "flat quartic": (lambda x: (x - 3) ** 4, (0.0, 1.0), (-1.0, 8.0)),
    "cosine": (lambda x: math.cos(x), (2.0, 4.0), (1.0, 6.0)),
    "sine and line": (lambda x: math.sin(x) + 0.1 * x, (3.0, 4.0), (2.0, 7.0)),
    "exponential": (lambda x: math.exp(x) - 3 * x, (0.0, 1.0), (-3.0, 3.0)),
    "logarithm": (lambda x: x - math.log(x), (0.5, 0.8), (0.1, 4.0)),
    "x log x": (lambda x: x * math.log(x), (0.5, 0.6), (0.01, 2.0)),
    "hyperbola": (lambda x: x + 4 / x, (0.5, 1.0), (0.2, 9.0)),
    "kink": (lambda x: abs(x - 0.3), (0.0, 1.0), (-1.0, 2.0)),
    "root": (lambda x: math.sqrt(1 + (x + 2) ** 2), (0.0, 1.0), (-6.0, 3.0)),
    "gaussian": (lambda x: -math.exp(-((x - 1) ** 2)), (0.0, 0.5), (-1.0, 2.5)),
    "lorentzian": (lambda x: -1 / (1 + (x - 4) ** 2), (2.0, 3.0), (1.0, 6.0)),
    "rational": (lambda x: (x**2 - 5 * x + 6) / (x**2 + 1), (1.0, 2.0), (0.0, 6.0)),
    "tanh": (lambda x: math.tanh(x) ** 2 + 0.01 * x, (0.5, 1.0), (-1.0, 1.0)),
    "polynomial of 6": (lambda x: x**6 - 4 * x**3 + x, (0.5, 1.0), (0.5, 2.0)),
    "far": (lambda x: (x - 1e6) ** 2, (0.0, 1.0), (0.0, 3e6)),
    "small": (lambda x: (1e6 * x - 2) ** 2, (0.0, 1.0), (-1e-5, 1e-5)),
    "asymmetric": (lambda x: math.exp(4 * x) + math.exp(-x), (-1.0, 0.0), (-3.0, 1.0)),
}


def noting(function):
    """(the function in Python, the points that it is asked for)"""
    points = []

    def noted(x):
        points.append(float(x))
        return function(float(x))

    return objective(noted, compiled=False), points


@pytest.mark.parametrize("name", FUNCTIONS)
def test_brent_asks_for_the_points_of_the_procedure_localmin(name):
    function, (a, b), (low, high) = FUNCTIONS[name]
    inside, expected = noting(function)
    _, fx = one_variable.localmin(inside, low, high, math.sqrt(np.finfo(float).eps), 1e-5 / 3)
    asked, points = noting(function)
    result = minimize_scalar(asked, bounds=(low, high))
    assert points == expected and len(points) == result.nfev
    assert result.fun == fx and function(result.x) == fx and result.success

    inside, expected = noting(function)
    left, middle, right, _, value, _ = one_variable.downhill(inside, a, b)
    one_variable.localmin(inside, min(left, right), max(left, right), 1.48e-8, 1e-11, middle, value)
    asked, points = noting(function)
    assert minimize_scalar(asked, bracket=(a, b)).success and points == expected


@pytest.mark.parametrize(
    ("c", "power", "xatol"), [(0.62, 1.5, 1e-5), (0.21, 1.2, 1e-2), (0.85, 3, 0.1), (0.19, 3, 1e-2)]
)
def test_brent_where_each_tolerance_decides(c, power, xatol):
    """Points near the left end, near the right end, near x, and steps that are too small to trust a parabola."""

    def function(x):
        return abs(x - c) ** power + 0.3 * x

    inside, expected = noting(function)
    one_variable.localmin(inside, 0.0, 1.0, math.sqrt(np.finfo(float).eps), xatol / 3)
    asked, points = noting(function)
    minimize_scalar(asked, bounds=(0, 1), tol=xatol)
    assert points == expected


@pytest.mark.parametrize("name", FUNCTIONS)
def test_golden_sections_are_those_of_the_transcription(name):
    function, (a, b), _ = FUNCTIONS[name]
    inside, expected = noting(function)
    left, middle, right, _, value, _ = one_variable.downhill(inside, a, b)
    one_variable.golden(inside, min(left, right), middle, max(left, right), value, 1e-6)
    asked, points = noting(function)
    assert minimize_scalar(asked, bracket=(a, b), method="golden", tol=1e-6).success
    assert points == pytest.approx(expected, rel=1e-13, abs=1e-18)


@pytest.mark.parametrize("method", ["brent", "golden", "bounded"])
def test_the_minima_of_scipy_with_no_more_evaluations(method):
    ratios = []
    for name, (function, points, box) in FUNCTIONS.items():
        where = {"bounds": box} if method == "bounded" else {"bracket": points}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = scipy.optimize.minimize_scalar(function, method=method, **where)
        ours = minimize_scalar(function, method=method, **where)
        assert ours.success and ours.objective == "compiled", name
        assert ours.fun <= theirs.fun + 1e-9 * (1 + abs(theirs.fun)), name
        assert abs(ours.x - theirs.x) <= 3e-5 * (1 + abs(theirs.x)) or name == "flat quartic", name
        ratios.append(ours.nfev / theirs.nfev)
    assert np.median(ratios) <= 1.0


SMOOTH = {  # value, slope, curvature; a point to begin from, the minimum
    "parabola": (lambda x: (x - 1.5) ** 2 - 0.8, lambda x: 2 * (x - 1.5), lambda x: 2.0, 7.0, 1.5),
    "cubic": (lambda x: x**3 - 2 * x**2 + 2, lambda x: 3 * x**2 - 4 * x, lambda x: 6 * x - 4, 3.0, 4 / 3),
    "cubic from its hill": (lambda x: x**3 - 2 * x**2 + 2, lambda x: 3 * x**2 - 4 * x, lambda x: 6 * x - 4, 0.2, 4 / 3),
    "cosine": (lambda x: math.cos(x), lambda x: -math.sin(x), lambda x: -math.cos(x), 0.3, math.pi),
    "logarithm": (lambda x: x - math.log(x), lambda x: 1 - 1 / x, lambda x: 1 / x**2, 0.01, 1.0),
    "logarithm from afar": (lambda x: x - math.log(x), lambda x: 1 - 1 / x, lambda x: 1 / x**2, 30.0, 1.0),
    "gaussian": (
        lambda x: -math.exp(-(x**2)),
        lambda x: 2 * x * math.exp(-(x**2)),
        lambda x: (2 - 4 * x**2) * math.exp(-(x**2)),
        2.0,
        0.0,
    ),
    "root": (
        lambda x: math.sqrt(1 + (x + 2) ** 2),
        lambda x: (x + 2) / math.sqrt(1 + (x + 2) ** 2),
        lambda x: (1 + (x + 2) ** 2) ** -1.5,
        1.0,
        -2.0,
    ),
    "kink": (lambda x: abs(x - 0.3), lambda x: math.copysign(1.0, x - 0.3), lambda x: 0.0, -1.0, 0.3),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("box", [(-math.inf, math.inf), (0.05, 2.5)])
def test_newton_is_the_transcription(name, box):
    function, slope, curvature, start, minimum = SMOOTH[name]
    start = min(max(start, box[0]), box[1])

    def value(x):
        return function(x) if name[:3] != "log" or x > 0 else math.nan

    inside, expected = noting(value)
    x = one_variable.newton(inside.function, slope, curvature, start, 1.48e-8, *box)
    asked, points = noting(value)
    result = minimize_scalar(asked, method="newton", x0=start, bounds=box, jac=slope, hess=curvature)
    assert points == pytest.approx(expected, rel=1e-12, abs=1e-15) and len(points) == result.nfev == result.njev
    assert result.success and result.x == pytest.approx(x, rel=1e-12, abs=1e-15)
    assert result.x == pytest.approx(min(max(minimum, box[0]), box[1]), abs=1e-8 if name == "kink" else 1e-11)
    assert result.derivatives == {"gradient": "given", "hessian": "given"}


def test_newton_finds_the_minimum_of_the_lesson():
    cubic = SMOOTH["cubic"][0]
    given = {"jac": lambda x: 3 * x * x - 4 * x, "hess": lambda x: 6 * x - 4}
    for how, sources in {"automatic": {}, "3-point": {"jac": "3-point"}, "given": given}.items():
        result = minimize_scalar(cubic, method="newton", x0=3, **sources)
        assert result.success and result.nit <= 7 and abs(result.x - 4 / 3) < 1e-10
        assert abs(result.jac) < 1e-9 and result.optimality == abs(result.jac)
        assert result.derivatives["gradient"] == how


def test_newton_is_at_no_maximum_and_at_no_saddle():
    hill = minimize_scalar(np.cos, method="newton", x0=0, jac=lambda x: -np.sin(x), hess=lambda x: -np.cos(x))
    assert hill.success and abs(hill.x) == pytest.approx(math.pi)
    flat = minimize_scalar(lambda x: x**4, method="newton", x0=0, jac=lambda x: 4 * x**3, hess=lambda x: 12 * x**2)
    assert flat.success and flat.x == 0 and flat.nfev == 3
    saddle = minimize_scalar(lambda x: x**3, method="newton", x0=0, jac=lambda x: 3 * x**2, hess=lambda x: 6 * x)
    assert not saddle.success and saddle.stop_reason is StopReason.UNBOUNDED
    edge = minimize_scalar(np.sqrt, method="newton", x0=0.5, bounds=(0, 1), jac=lambda x: 0.5 / np.sqrt(x))
    assert not edge.success or edge.x == 0  # the slope has no value there
    nan = minimize_scalar(lambda x: x**2, method="newton", x0=1, jac=lambda x: x * np.nan, hess=lambda x: 2.0)
    assert nan.stop_reason is StopReason.NO_DERIVATIVE and not nan.success
    wrong = minimize_scalar(lambda x: x**2, method="newton", x0=1, jac=lambda x: -2 * x, hess=lambda x: 2.0)
    assert wrong.stop_reason is StopReason.LINE_SEARCH_FAILED and not wrong.success


# --- the bracket ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bracket_is_one(name):
    function, (a, b), _ = FUNCTIONS[name]
    xa, xb, xc, fa, fb, fc, nfev = bracket(function, a, b)
    assert (xa < xb < xc or xa > xb > xc) and fb <= fa and fb <= fc and (fb < fa or fb < fc)
    asked, points = noting(function)
    assert bracket(asked, a, b)[:3] == pytest.approx(one_variable.downhill(function, a, b)[:3], rel=1e-12)
    assert len(points) == nfev and fb == pytest.approx(function(xb), rel=1e-12)


def no_valley(x):
    return x**2 if -1 < x < 1 else 100.0


def falls(x):
    return -5 * x**5 + 4 * x**4 - 12 * x**3 + 11 * x**2 - 2 * x + 1


def test_where_there_is_no_bracket():
    with pytest.raises(BracketError, match="No valid bracket was found: ") as error:
        bracket(no_valley, -1, 1)
    assert error.value.data[3:] == (100.0, 100.0, 100.0, 3)
    with pytest.raises(BracketError, match="No valid bracket"):
        bracket(no_valley, -1, np.inf)
    with pytest.raises(BracketError, match="before the iteration limit"):
        bracket(falls, -0.5, 0.5, maxiter=10)
    with pytest.raises(BracketError, match="unbounded below"):
        bracket(falls, -0.5, 0.5)
    for method in ("brent", "golden"):
        result = minimize_scalar(no_valley, bracket=(-1, 1), method=method)
        assert not result.success and "No valid bracket" in result.message
        assert (result.nfev, result.nit, result.fun) == (3, 0, 100.0)
        result = minimize_scalar(lambda x: -x, method=method)
        assert not result.success and result.stop_reason is StopReason.UNBOUNDED


def test_steps_grow_as_they_are_allowed_to():
    far = [bracket(lambda x: (x - 1e3) ** 4, grow_limit=grow)[6] for grow in (2.0, 5.0, 110.0)]
    assert far[0] > 100 > far[1] > far[2]


def test_three_points_are_a_bracket_or_are_refused():
    f = FUNCTIONS["parabola"][0]
    for points in ((-15, -1, 15), (15, -1, -15), [np.array([-15]), -1, np.array(15)]):
        assert minimize_scalar(f, points).x == pytest.approx(1.5, abs=1e-6)
    message = r"bracket: got \(-1, 0, 1\) with the values .*expected \(f\(xb\) < f\(xa\)\) and \(f\(xb\) < f\(xc\)\)"
    for method in ("brent", "golden"):
        with pytest.raises(ValueError, match=message):
            minimize_scalar(f, (-1, 0, 1), method=method)
        with pytest.raises(ValueError, match=r"bracket: got \(0, -1, 1\), expected \(xa < xb\) and \(xb < xc\)"):
            minimize_scalar(f, (0, -1, 1), method=method)


# --- what a function may be, and give -------------------------------------------------------------------------------


class Shifted:
    def __init__(self, a):
        self.a = a

    def __call__(self, x, b=0.0):
        return (x - self.a) ** 2 + b

    def value(self, x, a=1.5):
        return (x - a) ** 2 - 0.8


@pytest.mark.parametrize(
    ("function", "args", "x"),
    [
        (lambda x, a, b: (x - a * b[1]) ** 2, (2.0, np.array([7.0, 3.0])), 6.0),
        (lambda x, a: (x - a) ** 2, 4.0, 4.0),
        (Shifted(2.5), (), 2.5),
        (Shifted(2.5).value, (), 1.5),
        (Shifted(2.5).value, (3.5,), 3.5),
        (functools.partial(lambda a, x: (x - a) ** 2, 0.25), (), 0.25),
        (np.cos, (), math.pi),
        (math.cosh, (), 0.0),
        (lambda x: np.array((x - 2) ** 2).reshape(1), (), 2.0),
        (lambda x: np.array([(x - 2) ** 2]), (), 2.0),
        (objective(lambda x: float(str((x - 2) ** 2)), compiled=False), (), 2.0),
    ],
)
def test_forms_of_functions(function, args, x):
    result = minimize_scalar(function, (0.5, 1), args=args)
    assert result.success and result.x == pytest.approx(x, abs=1e-6)
    shape = np.shape(function(1.0, *args) if isinstance(args, tuple) else 0.0)
    assert np.shape(result.x) == np.shape(result.fun) == shape
    assert shape or (isinstance(result.x, float) and isinstance(result.fun, float))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_number_in_an_array(shape, compiled):
    result = minimize_scalar(objective(lambda x: np.array((x - 2) ** 2).reshape(shape), compiled=compiled))
    assert np.shape(result.x) == np.shape(result.fun) == shape
    assert float(result.x.item()) == pytest.approx(2.0) and result.objective == ("compiled" if compiled else "python")


def test_errors_of_the_function_come_with_their_x():
    def fails(x):
        if x > 1.2:
            raise ValueError("no value there")
        return (x - 2) ** 2

    for function in (fails, objective(fails, compiled=False)):
        with pytest.raises(ValueError, match="no value there") as error:
            minimize_scalar(function)
        assert error.value.x > 1.2
    with pytest.raises(TypeError, match="expected one real number"):
        minimize_scalar(lambda x: None)
    with pytest.raises(TypeError, match="expected one real number"):
        minimize_scalar(lambda x: np.array([x, x]))
    with pytest.raises(TypeError, match="fun: got int, expected a callable"):
        minimize_scalar(3)


@pytest.mark.parametrize("method", ["brent", "golden", "bounded"])
def test_nan_is_no_value(method):
    where = {"bounds": (-3.0, 1.0)} if method == "bounded" else {"bracket": (-0.25, 0.0, 1.0)}
    result = minimize_scalar(lambda x: x**2 + 0.1 * x if x > -0.02 else np.nan, method=method, **where)
    assert not result.success and "NaN" in result.message and result.n_failed > 0 and result.x > -0.02
    well = minimize_scalar(lambda x: x - np.log(x), (2.0, 1.0))  # steps to the left of 0, and comes back
    assert well.success and well.x == pytest.approx(1.0, abs=1e-6)
    where = {"bounds": (-3.0, 1.0)} if method == "bounded" else {}
    never = minimize_scalar(lambda x: np.nan * x, method=method, **where)
    assert not never.success and never.fun == np.inf


def test_walls_of_infinity_are_values():
    result = minimize_scalar(lambda x: x if x >= 0.25 else np.inf, (0.0, 0.5, 1.0))
    assert result.success and result.x == pytest.approx(0.25, abs=1e-6)


# --- stops, options, and what is refused ------------------------------------------------------------------------------


def test_iterations_are_counted_and_limited():
    f = FUNCTIONS["quartic"][0]
    result = minimize_scalar(f, options={"maxiter": 3})
    assert not result.success and result.nit == 3 and result.stop_reason is StopReason.OUT_OF_ITERATIONS
    with pytest.warns(tw.OptimizeWarning, match="Maximum number of iterations"):
        minimize_scalar(f, options={"maxiter": 3, "disp": True})
    first = minimize_scalar(f, method="golden", options={"maxiter": 0}).nfev
    assert [minimize_scalar(f, method="golden", options={"maxiter": n}).nfev - first for n in (1, 5)] == [1, 5]


def test_tolerances():
    f = FUNCTIONS["parabola"][0]
    assert minimize_scalar(f, method="golden", tol=0).success  # ends where no number is left between two others
    assert abs(minimize_scalar(f, bounds=(1, 100), options={"xatol": 1e-10}).x - 1.5) < 1e-7
    loose, tight = (minimize_scalar(f, method="golden", tol=tol).nfev for tol in (1e-2, 1e-6))
    assert loose < tight
    at_bound = minimize_scalar(lambda x: x, bounds=(2, 3))
    assert at_bound.success and 2 < at_bound.x < 2.00002
    point = minimize_scalar(lambda x: x**2, bounds=(0, 0))
    assert point.success and point.x == 0 and point.nfev == 1


def test_a_method_of_the_callers_own():
    def own(fun, args, bracket, bounds, step):
        assert (bracket, bounds, step) == ((0, 4), None, 0.5)
        return fun(1.0, *args)

    assert minimize_scalar(lambda x, a: x + a, (0, 4), args=2.0, method=own, options={"step": 0.5}) == 3.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "nelder_mead"}, r"method: got 'nelder_mead', expected one of brent, bounded, golden, newton"),
        ({"x0": 1.0}, "x0: brent does not use it; leave it out, or write method='newton'"),
        ({"hess": np.sin, "bounds": (0, 1)}, "hess: bounded does not use it"),
        ({"method": "newton"}, "x0: got None, expected a number"),
        ({"method": "newton", "x0": np.inf}, "x0: got inf, expected a finite number"),
        ({"method": "newton", "x0": 3, "bounds": (1, 2)}, r"x0: variable 0 is 3.0, expected a number in \[1.0, 2.0\]"),
        ({"method": "newton", "x0": 3, "bracket": (1, 2)}, "bracket: got .*which newton does not use"),
        ({"method": "brent", "bounds": (1, 2)}, "bounds: brent has none"),
        ({"method": "golden", "bounds": (1, 2)}, "bounds: golden has none"),
        ({"method": "bounded"}, r"bounds: got None, expected \(low, high\)"),
        ({"bounds": (1, np.inf)}, "bounds: got .* must be finite scalars"),
        ({"bounds": (np.nan, 1)}, "bounds: got .* must be finite scalars"),
        ({"bounds": (np.zeros(2), 1)}, "bounds: got .* must be finite scalars"),
        ({"bounds": [(0, 1), (0, 1)]}, "bounds: got .* must be finite scalars"),
        ({"bounds": 3}, "bounds: got .* must be finite scalars"),
        ({"bounds": (5, 1)}, r"bounds: got \(5, 1\), expected low <= high"),
        ({"bracket": (1, 2, 3, 4)}, "bracket: got .*expected two numbers, or three"),
        ({"bracket": 1.0}, "bracket: got .*expected two numbers, or three"),
        ({"bracket": (0, np.nan)}, "bracket: got nan, expected a number"),
        ({"bracket": (0, "1")}, "bracket: got '1', which holds text; expected a number"),
        ({"tol": -0.01}, "xtol: got -0.01, expected a number that is not negative"),
        ({"options": {"xatol": 1e-3}}, "brent has no option 'xatol'; did you mean 'xtol'"),
        ({"options": {"maxiter": -1}}, "maxiter: got -1, expected"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        minimize_scalar(np.sin, **arguments)


def test_options_are_a_dict():
    with pytest.raises(TypeError, match="options: got list, expected a dict"):
        minimize_scalar(np.sin, options=[1])
    with pytest.raises(ValueError, match="xa: got None"):
        bracket(np.sin, None)
    with pytest.raises(ValueError, match="grow_limit: got 0"):
        bracket(np.sin, grow_limit=0)
    assert tw.minimize_scalar is minimize_scalar
