"""Derivatives of the user's, by differences, and each from the others: right, counted, refused where they are wrong."""

import numpy as np
import pytest

import thalweg as tw

START = [3.0, 4.0]
MINIMUM = np.array([18.0, -14.0]) / 11.0
HESSIAN = np.array([[2.0, 1.0], [1.0, 6.0]])


def bowl(x, a):
    return (x[0] - a) ** 2 + 3 * (x[1] + 1) ** 2 + x[0] * x[1]


def slope(x, a):
    return np.array([2 * (x[0] - a) + x[1], 6 * (x[1] + 1) + x[0]])


def curvature(x, a):
    return np.array([[2.0, 1.0], [1.0, 6.0]])


def product(x, p, a):
    return np.array([2 * p[0] + p[1], p[0] + 6 * p[1]])


def both(x, a):
    return bowl(x, a), slope(x, a)


@pytest.mark.parametrize("in_python", [False, True])
@pytest.mark.parametrize(
    ("fun", "given", "how"),
    [
        (bowl, {"jac": slope}, ("given", "differences of gradients")),
        (bowl, {"jac": slope, "hess": curvature}, ("given", "given")),
        (bowl, {"jac": slope, "hessp": product}, ("given", "given")),
        (bowl, {"jac": "3-point"}, ("3-point", "differences of gradients")),
        (both, {"jac": True}, ("given", "differences of gradients")),
    ],
)
def test_where_derivatives_come_from(fun, given, how, in_python):
    fun = tw.objective(fun, compiled=False) if in_python else fun
    found = tw.minimize(fun, START, (1.0,), method="newton_cg", **given)
    np.testing.assert_allclose(found.x, MINIMUM, atol=1e-4)
    assert found.success and tuple(found.derivatives.values()) == how


def test_differences_are_counted_as_evaluations():
    exact = tw.minimize(bowl, START, (1.0,), method="bfgs", jac=slope)
    two = tw.minimize(bowl, START, (1.0,), method="bfgs", jac="2-point")
    three = tw.minimize(bowl, START, (1.0,), method="bfgs", jac="3-point")
    assert exact.nfev == exact.njev and two.nfev == 3 * two.njev and three.nfev == 5 * three.njev


@pytest.mark.parametrize("scheme", ["2-point", "3-point"])
def test_differences_stay_inside_the_box(scheme):
    """The minimum lies outside: steps go back from the bound, and no evaluation leaves the box."""

    def walled(x):
        if x[0] > 1.0 or x[1] < 0.0:
            raise ValueError("outside")
        return (x[0] - 2.0) ** 2 + (x[1] + 3.0) ** 2

    found = tw.minimize(walled, x0=[0.5, 0.5], bounds=[(0, 1), (0, 1)], method="l_bfgs_b", jac=scheme)
    np.testing.assert_allclose(found.x, [1.0, 0.0], atol=1e-7)


def test_an_exception_of_the_gradient_is_raised_as_itself():
    def picky(x, a):
        if x[0] < 2.9:
            raise ValueError("not here")
        return slope(x, a)

    for fun in (bowl, tw.objective(bowl, compiled=False)):
        with pytest.raises(ValueError, match="not here") as caught:
            tw.minimize(fun, START, (1.0,), method="bfgs", jac=picky)
        assert "raised by the objective at x" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"jac": lambda x, a: np.zeros(3)}, ValueError, r"jac: returned an array of shape \(3,\), expected \(2,\)"),
        ({"jac": lambda x, a: "steep"}, TypeError, "jac: returned 'steep'"),
        ({"jac": "forward"}, ValueError, "jac: got 'forward', expected"),
        ({"jac": slope, "hess": lambda x, a: np.zeros(2)}, ValueError, r"hess: returned .* expected \(2, 2\)"),
    ],
)
def test_what_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        tw.minimize(bowl, START, (1.0,), method="newton_cg", **given)
