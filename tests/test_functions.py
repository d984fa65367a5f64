"""The test functions: each against its stated minimum, its gradient, published values and other implementations."""

import math
import pickle
from functools import cache

import numpy as np
import pytest
from scipy import optimize

from thalweg.kernels.compile.jit import relaxed
from thalweg.kernels.functions import ALIASES, FUNCTIONS, find, paraboloid, problem, sphere
from thalweg.kernels.functions.definition import TestFunction

ENTRIES = list(FUNCTIONS.values())
WITH_GRADIENT = [entry for entry in ENTRIES if entry.gradient]
ANY_DIMENSION = [entry for entry in ENTRIES if entry.dimension is None]
by_name = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
by_name_with_gradient = pytest.mark.parametrize("entry", WITH_GRADIENT, ids=lambda entry: entry.name)
by_name_any_dimension = pytest.mark.parametrize("entry", ANY_DIMENSION, ids=lambda entry: entry.name)


def size(entry):
    """Small, but not the smallest: loops that skip the middle or the last variable show."""
    return entry.dimension or (8 if entry.step == 4 else 5)


@cache
def compiled(entry):
    """The function and its gradient as the engine compiles them; on disk after the first run."""
    return relaxed(entry.fun), relaxed(entry.gradient) if entry.gradient else None


def sample(p, count, seed=0):
    return np.random.default_rng(seed).uniform(p.lower, p.upper, (count, p.dimension))


# --- the minimum -------------------------------------------------------------------------------------------------


@by_name
def test_value_at_the_minimiser(entry):
    for dimension in (entry.dimension,) if entry.dimension else (4, 8, 12, 40) if entry.step == 4 else (2, 3, 10, 40):
        p = entry.problem(dimension)
        found = entry.fun(p.minimum.x, *p.args)
        assert abs(found - p.minimum.fun) <= 1e-13 * dimension * (1 + abs(p.minimum.fun))
        assert isinstance(found, float)
        assert found == entry.fun(p.minimum.x) or entry.name in ("shekel_5", "shekel_7")  # args are the default values
        assert p.minimum.x.shape == (dimension,)


@by_name
def test_nothing_in_the_box_is_lower(entry):
    p = entry.problem(size(entry))
    fun, gradient = compiled(entry)
    points = sample(p, 10_000)
    values = np.array([fun(x, *p.args) for x in points])
    slack = 1e-9 * (1 + abs(p.minimum.fun))
    assert values.min() >= p.minimum.fun - slack
    for start in [p.minimum.x, *points[np.argsort(values)[:3]]]:
        polished = optimize.minimize(
            fun, start, args=p.args, jac=gradient and (lambda x, *args: gradient(x, *args)), bounds=p.bounds,
            method="L-BFGS-B", options={"maxiter": 100},
        )  # fmt: skip
        assert polished.fun >= p.minimum.fun - slack


@by_name_with_gradient
def test_gradient_vanishes_at_interior_minimisers(entry):
    p = entry.problem(size(entry))
    x = p.minimum.x
    inside = (x > p.lower) & (x < p.upper)
    slope = entry.gradient(x, *p.args)
    steepest = np.abs([entry.gradient(point, *p.args) for point in sample(p, 20)]).max()
    assert np.abs(slope[inside]).max() <= 1e-12 * (1 + steepest)
    assert (slope[x == p.upper] <= 0).all() and (slope[x == p.lower] >= 0).all()


def test_schwefel_to_the_last_digit():
    x = problem("schwefel", 1).minimum.x[0]
    root = optimize.brentq(lambda t: math.tan(t) + t / 2, 20.45, 21, xtol=1e-15)
    assert x == pytest.approx(root**2, abs=4e-13)
    assert x * math.sin(math.sqrt(x)) == pytest.approx(418.9828872724337, abs=1e-13)


@pytest.mark.parametrize(
    "dimension, value", [(2, -1.8013), (5, -4.687658), (10, -9.66015), (20, -19.6370136), (50, -49.6248323)]
)
def test_michalewicz_in_any_dimension(dimension, value):
    assert problem("michalewicz", dimension).minimum.fun == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("m", [1, 2, 10, 40])
def test_michalewicz_variables_on_a_grid(m):
    """Each variable alone, against all of its interval: the search looks near pi / 2 only."""
    fun = relaxed(FUNCTIONS["michalewicz"].fun)
    minimum = problem("michalewicz", 12, (m,)).minimum
    grid = np.linspace(0, math.pi, 4001)
    for k in range(12):
        x = minimum.x.copy()
        for x[k] in grid:
            assert fun(x, m) >= minimum.fun - 1e-12


# --- the gradient ------------------------------------------------------------------------------------------------


@by_name_with_gradient
def test_gradient_is_the_central_difference(entry):
    p = entry.problem(size(entry))
    fun, _ = compiled(entry)
    steps = np.diag(1e-5 * (p.upper - p.lower))
    for x in sample(p, 10, seed=1):
        slope = entry.gradient(x, *p.args)
        for k, step in enumerate(steps):  # of fourth order
            near = fun(x + step, *p.args) - fun(x - step, *p.args)
            far = fun(x + 2 * step, *p.args) - fun(x - 2 * step, *p.args)
            difference = (8 * near - far) / (12 * step[k])
            rounding = 1e-14 * (1 + abs(fun(x, *p.args))) / step[k]
            assert abs(slope[k] - difference) <= 1e-6 * abs(slope[k]) + 1e-8 + rounding


# --- compiled ----------------------------------------------------------------------------------------------------


@by_name
def test_compiled_as_in_python(entry):
    p = entry.problem(size(entry))
    fun, gradient = compiled(entry)
    for x in [p.minimum.x, *sample(p, 10, seed=2)]:
        frozen = x.copy()
        scale = 1 + abs(p.minimum.fun) + abs(entry.fun(x, *p.args))
        assert abs(fun(x, *p.args) - entry.fun(x, *p.args)) <= 1e-12 * scale
        if gradient:
            plain = entry.gradient(x, *p.args)
            np.testing.assert_allclose(gradient(x, *p.args), plain, rtol=1e-10, atol=1e-12 * (1 + np.abs(plain).max()))
        assert (x == frozen).all()


# --- other sources -----------------------------------------------------------------------------------------------

PUBLISHED = [
    ("ackley", (1.0, 1.0), 3.6253849384403627),
    ("beale", (0.0, 0.0), 14.203125),
    ("beale", (1.0, 1.0), 14.203125),
    ("booth", (0.0, 0.0), 74.0),
    ("branin", (0.0, 0.0), 55.602112642270262),
    ("branin", (-math.pi, 12.275), 0.39788735772973816),
    ("branin", (3 * math.pi, 2.475), 0.39788735772973816),
    ("colville", (0.0, 0.0, 0.0, 0.0), 42.0),
    ("colville", (-3.0, -1.0, -3.0, -1.0), 19192.0),
    ("cross_in_tray", (-1.3494066, 1.3494066), -2.06261),
    ("dixon_price", (1 / 3, 0.0, 0.0, 0.0), 2 / 3),
    ("eggholder", (0.0, 0.0), -25.460337185286313),
    ("goldstein_price", (0.0, 0.0), 600.0),
    ("goldstein_price", (-0.6, -0.4), 30.0),
    ("goldstein_price", (1.8, 0.2), 84.0),
    ("goldstein_price", (1.2, 0.8), 840.0),
    ("hartmann_3", (0.114614, 0.555649, 0.852547), -3.86278),
    ("hartmann_6", (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573), -3.32237),
    ("himmelblau", (0.0, 0.0), 170.0),
    ("himmelblau", (-0.270845, -0.923039), 181.617),
    ("himmelblau", (-2.805118, 3.131313), 0.0),
    ("himmelblau", (-3.779310, -3.283186), 0.0),
    ("himmelblau", (3.584428, -1.848127), 0.0),
    ("mccormick", (0.0, 0.0), 1.0),
    ("perm", (1.0, 1.0), 12.953125),
    ("powell", (3.0, -1.0, 0.0, 1.0), 215.0),
    ("quartic", (1.0, 1.0, 1.0), 6.0),
    ("rastrigin", (0.5, 0.5, 0.5), 60.75),
    ("rosenbrock", (-1.2, 1.0), 24.2),
    ("shekel_5", (4.0, 4.0, 4.0, 4.0), -10.1531958509790),
    ("shekel_7", (4.0, 4.0, 4.0, 4.0), -10.4028188369303),
    ("shekel_10", (4.0, 4.0, 4.0, 4.0), -10.5362837262196),
    ("six_hump_camel", (-0.0898, 0.7126), -1.0316),
    ("step", (0.4, -1.6, 2.5), 13.0),
    ("styblinski_tang", (2.7468, 2.7468), 2 * -25.0294),
    ("three_hump_camel", (1.7475, -0.8738), 0.2986),
    ("zakharov", (1.0, 1.0), 9.3125),
]
EXACT = {"beale", "booth", "colville", "dixon_price", "goldstein_price", "mccormick", "perm", "powell", "quartic",
         "rastrigin", "rosenbrock", "step", "zakharov"}  # fmt: skip


@pytest.mark.parametrize("name, x, value", PUBLISHED)
def test_published_values(name, x, value):
    """To one in the last digit that was published; short numbers are exact."""
    p = problem(name, len(x))
    digits = len(str(value).partition(".")[2])
    tolerance = 1e-11 if name in EXACT or digits > 11 else 10.0**-digits
    assert p.fun(np.array(x), *p.args) == pytest.approx(value, abs=tolerance)


MINIMA = {
    "branin": 0.397887, "cross_in_tray": -2.06261, "drop_wave": -1, "easom": -1, "eggholder": -959.6407,
    "goldstein_price": 3, "hartmann_3": -3.86278, "hartmann_6": -3.32237, "mccormick": -1.9133, "shekel_5": -10.1532,
    "shekel_7": -10.4029, "shekel_10": -10.5364, "six_hump_camel": -1.0316,
}  # fmt: skip


@by_name
def test_published_minima(entry):
    p = entry.problem(size(entry))
    varying = {"styblinski_tang": -39.16617 * 5, "trid": -30, "michalewicz": -4.687658}
    assert p.minimum.fun == pytest.approx(varying.get(entry.name, MINIMA.get(entry.name, 0)), abs=1e-4)


def _levy(x):
    w = 1 + (x - 1) / 4
    middle = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
    return np.sin(np.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)


def _perm(x, beta=0.5):
    i = np.arange(1, x.size + 1)
    return (((i ** i[:, None] + beta) * ((x / i) ** i[:, None] - 1)).sum(axis=1) ** 2).sum()


def _schaffer_f6(x):
    square = x[:-1] ** 2 + x[1:] ** 2
    return (0.5 + (np.sin(np.sqrt(square)) ** 2 - 0.5) / (1 + square / 1000) ** 2).sum()


def _schaffer_f7(x):
    r = np.hypot(x[:-1], x[1:])
    return np.mean(np.sqrt(r) * (1 + np.sin(50 * r**0.2) ** 2)) ** 2


def _powell(x):
    a, b, c, d = x.reshape(-1, 4).T
    return ((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4).sum()


def count(x):
    return np.arange(1, x.size + 1)


ARRAY_FORMULAS = {
    "ackley": lambda x: 20 + np.e - 20 * np.exp(-0.2 * np.sqrt(np.mean(x**2))) - np.exp(np.mean(np.cos(2 * np.pi * x))),
    "alpine_1": lambda x: np.abs(x * np.sin(x) + x / 10).sum(),
    "bent_cigar": lambda x: x[0] ** 2 + 1e6 * (x[1:] ** 2).sum(),
    "different_powers": lambda x: (np.abs(x) ** (count(x) + 1)).sum(),
    "discus": lambda x: 1e6 * x[0] ** 2 + (x[1:] ** 2).sum(),
    "dixon_price": lambda x: (x[0] - 1) ** 2 + (count(x)[1:] * (2 * x[1:] ** 2 - x[:-1]) ** 2).sum(),
    "ellipsoid": lambda x: (np.logspace(0, 6, x.size) * x**2).sum(),
    "griewank": lambda x: 1 + (x**2).sum() / 4000 - np.cos(x / np.sqrt(count(x))).prod(),
    "levy": _levy,
    "michalewicz": lambda x: -(np.sin(x) * np.sin(count(x) * x**2 / np.pi) ** 20).sum(),
    "perm": _perm,
    "powell": _powell,
    "quartic": lambda x: (count(x) * x**4).sum(),
    "rastrigin": lambda x: 10 * x.size + (x**2 - 10 * np.cos(2 * np.pi * x)).sum(),
    "rosenbrock": optimize.rosen,
    "salomon": lambda x: 1 - np.cos(2 * np.pi * np.linalg.norm(x)) + np.linalg.norm(x) / 10,
    "schaffer_f6": _schaffer_f6,
    "schaffer_f7": _schaffer_f7,
    "schwefel": lambda x: 418.9828872724337 * x.size - (x * np.sin(np.sqrt(np.abs(x)))).sum(),
    "schwefel_1_2": lambda x: (np.cumsum(x) ** 2).sum(),
    "schwefel_2_21": lambda x: np.abs(x).max(),
    "schwefel_2_22": lambda x: np.abs(x).sum() + np.abs(x).prod(),
    "sphere": lambda x: x @ x,
    "step": lambda x: (np.floor(x + 0.5) ** 2).sum(),
    "styblinski_tang": lambda x: (x**4 - 16 * x**2 + 5 * x).sum() / 2,
    "trid": lambda x: ((x - 1) ** 2).sum() - (x[1:] * x[:-1]).sum(),
    "zakharov": lambda x: x @ x + (count(x) @ x / 2) ** 2 + (count(x) @ x / 2) ** 4,
}


@by_name_any_dimension
def test_array_formula(entry):
    p = entry.problem(size(entry))
    for x in sample(p, 20, seed=3):
        assert entry.fun(x, *p.args) == pytest.approx(ARRAY_FORMULAS[entry.name](x), rel=1e-11, abs=1e-11)


def test_rosenbrock_gradient_is_that_of_scipy():
    for x in sample(problem("rosenbrock", 7), 20):
        np.testing.assert_allclose(FUNCTIONS["rosenbrock"].gradient(x), optimize.rosen_der(x), rtol=1e-12, atol=1e-9)


# --- traits ------------------------------------------------------------------------------------------------------


@by_name
def test_separable(entry):
    """A sum over the variables has no mixed differences; every other function has some."""
    p = entry.problem(size(entry))
    if p.dimension == 1:
        return
    mixed = scale = 0.0
    for x, y in zip(sample(p, 50, seed=4), sample(p, 50, seed=5), strict=True):
        corners = []
        for first in (x[0], y[0]):
            for second in (x[1], y[1]):
                corners.append(entry.fun(np.array([first, second, *x[2:]]), *p.args))
        mixed = max(mixed, abs(corners[0] - corners[1] - corners[2] + corners[3]))
        scale = max(scale, *map(abs, corners))
    assert (mixed <= 1e-12 * scale) == ("separable" in entry.traits)


@by_name
def test_convex(entry):
    if "convex" in entry.traits:
        p = entry.problem(size(entry))
        assert "multimodal" not in entry.traits
        for x, y in zip(sample(p, 100, seed=6), sample(p, 100, seed=7), strict=True):
            ends = (entry.fun(x, *p.args) + entry.fun(y, *p.args)) / 2
            assert entry.fun((x + y) / 2, *p.args) <= ends + 1e-12 * abs(ends)


# --- the registry ------------------------------------------------------------------------------------------------


def test_registry():
    assert len(FUNCTIONS) >= 40
    assert all(entry.formula and entry.reference for entry in ENTRIES)
    assert set(ARRAY_FORMULAS) == {entry.name for entry in ANY_DIMENSION}
    assert set(ALIASES.values()) <= set(FUNCTIONS) and not set(ALIASES) & set(FUNCTIONS)
    assert paraboloid is sphere and find("paraboloid") is FUNCTIONS["sphere"]


@by_name
def test_problem(entry):
    p = problem(entry.name)
    assert p.dimension == entry.usual_dimension and p.fun is entry.fun and p.jac is entry.gradient
    assert p.reference == entry.reference
    assert pickle.loads(pickle.dumps(p)).minimum.fun == p.minimum.fun  # a cluster gets it


@by_name
def test_summary(entry):
    row = entry.summary()
    assert list(row) == ["name", "dimension", "box", "minimum", "traits"]
    assert all(isinstance(cell, str) for cell in row.values())


def test_summary_in_words():
    assert FUNCTIONS["trid"].summary() == {
        "name": "trid",
        "dimension": "2 or more",
        "box": "[-100, 100] (D = 10)",
        "minimum": "-210 (D = 10)",
        "traits": "convex",
    }
    assert FUNCTIONS["branin"].summary()["box"] == "[-5, 10] x [0, 15]"
    assert FUNCTIONS["powell"].summary()["dimension"] == "multiples of 4"


def test_args():
    p = problem("rosenbrock", 2, (2.0, 10.0))
    assert p.args == (2.0, 10.0) and p.minimum.x.tolist() == [2.0, 4.0] and p.fun(p.minimum.x, *p.args) == 0
    assert problem("rosenbrock", 3, (2.0, 10.0)).minimum is None  # no point makes all squares vanish
    assert problem("rosenbrock", 2, (5.0, 10.0)).minimum is None  # (5, 25) is outside the box
    assert problem("perm", 3, 10.0).args == (10.0,)
    assert problem("shekel_5", args=(7,)).minimum.fun == problem("shekel_7").minimum.fun
    assert problem("shekel_5", args=(6,)).minimum is None
    assert problem("michalewicz", 3, (0.5,)).minimum is None


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("rosenbrok",), ValueError, "name: got 'rosenbrok', which is no test function; did you mean rosenbrock"),
        (("Six-Hump-Camel",), ValueError, "did you mean six_hump_camel"),
        (("xyzzy",), ValueError, "expected one of sphere, "),
        ((sphere,), TypeError, "name: got function"),
        (("branin", 3), ValueError, "dimension: got 3, expected 2: branin has no other"),
        (("powell", 10), ValueError, "dimension: got 10, expected a positive multiple of 4"),
        (("powell", 0), ValueError, "dimension: got 0, expected a positive multiple of 4"),
        (("trid", 1), ValueError, "dimension: got 1, expected at least 2"),
        (("sphere", -1), ValueError, "dimension: got -1, expected at least 1"),
        (("sphere", 2.5), TypeError, "dimension: got 2.5, expected a whole number"),
        (("sphere", True), TypeError, "dimension: got True, expected a whole number"),
        (("rosenbrock", 2, (1.0,)), ValueError, r"args: got 1 values?, expected 2 for rosenbrock"),
        (("sphere", 2, (1.0,)), ValueError, r"args: got 1 values?, expected none for sphere"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        problem(*arguments)


def test_a_function_of_ones_own():
    own = TestFunction(fun=lambda x: x[0] ** 2, low=-1.0, high=2.0, dimension=1, reference="here", name="own")
    assert own.problem().bounds.tolist() == [[-1.0, 2.0]] and own.args == ()
