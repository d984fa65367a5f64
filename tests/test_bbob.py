"""The BBOB functions: COCO's values and minima, in Python and compiled; derivatives; one machine code for all."""

import doctest
import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from thalweg.kernels import objective
from thalweg.kernels.functions.bbob import FUNCTIONS, bbob

ROOT = Path(__file__).parent.parent
ROWS = json.loads((ROOT / "tests" / "data" / "bbob.json").read_text())["function, dimension, instance, values, minimum"]
point = runpy.run_path(str(ROOT / "bench" / "bbob_reference.py"))["point"]


def rows_of(*wanted):
    """(problem, its points, COCO's values there, the minimum)"""
    for function, dimension, instance, first, second, minimum in ROWS:
        if function in wanted:
            p = bbob(function, dimension, instance)
            yield p, [point(dimension, 0), point(dimension, 1)], [first, second], minimum


@pytest.mark.parametrize("function", FUNCTIONS)
def test_values_and_minimum_are_those_of_coco(function):
    for p, points, values, minimum in rows_of(function):
        found = [p.fun(x, *p.args) for x in points]
        np.testing.assert_allclose(found, values, rtol=1e-9)
        assert abs(p.minimum.fun - minimum) < 1e-12
        assert abs(p.fun(p.minimum.x, *p.args) - minimum) < 1e-12


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_beside_the_minimiser_is_lower(function):
    p = bbob(function, 3, 7)
    random = np.random.default_rng(function)
    steps = random.normal(size=(200, 3)) * 10.0 ** random.uniform(-4, 0, (200, 1))
    assert all(p.fun(np.clip(p.minimum.x + step, -5, 5), *p.args) >= p.minimum.fun - 1e-9 for step in steps)


@pytest.mark.parametrize("function", [3, 7, 17, 20, 21])
def test_machine_code_and_gradient(function):
    value_and_gradient, worst = tw.value_and_grad(FUNCTIONS[function].fun), 0.0
    for p, (x, _), (expected, _), _ in rows_of(function):
        value, gradient = value_and_gradient(x, *p.args)
        assert value == pytest.approx(expected, rel=1e-9)
        steps = 1e-6 * np.eye(p.dimension)[:5]
        differences = [(p.fun(x + step, *p.args) - p.fun(x - step, *p.args)) / 2e-6 for step in steps]
        worst = max(worst, np.abs(gradient[:5] - differences).max() / (1 + np.abs(gradient).max()))
    assert worst < 1e-5


def test_instances_and_dimensions_share_one_machine_code():
    problems = [bbob(21, 5, 1), bbob(21, 10, 3), bbob(22, 40, 80)]
    bound = [objective(p.fun).bind(p.args, p.minimum.x) for p in problems]
    assert len({b.address for b in bound}) == 1
    assert [b.evaluate(p.minimum.x[None])[0] for b, p in zip(bound, problems)] == [p.minimum.fun for p in problems]


def test_examples():
    from thalweg.kernels.functions import bbob as module

    assert doctest.testmod(module).failed == 0


def test_minimize_takes_it():
    p = bbob(1, dimension=4, instance=2)
    result = tw.minimize(p, method="l_bfgs_b", x0=[0.0] * 4)
    assert result.fun == pytest.approx(p.minimum.fun, abs=1e-10)
    np.testing.assert_allclose(result.x, p.minimum.x, atol=1e-6)


@pytest.mark.parametrize(
    "given, message",
    [
        ((0, 5), r"function: got 0, expected a whole number from 1 to 24"),
        ((25, 5), r"function: got 25, expected a whole number from 1 to 24"),
        ((1, 1), r"dimension: got 1, expected a whole number of at least 2"),
        ((1, 2, 0), r"instance: got 0, expected a whole number of at least 1"),
        (("sphere", 2), r"function: got 'sphere', expected a whole number from 1 to 24"),
        ((1, 2.0), r"dimension: got 2\.0, expected a whole number of at least 2"),
        ((1, 2, True), r"instance: got True, expected a whole number of at least 1"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        bbob(*given)
