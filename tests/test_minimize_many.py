"""Thousands of small problems: the answers of `minimize`, whoever solves them, and what is refused."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.solvers import StopReason

T = np.linspace(0.0, 4.0, 20)
RATES = np.linspace(0.5, 2.0, 300)
CURVES = 3.0 * np.exp(-RATES[:, None] * T)


def misfit(b, y, t):
    return np.sum((b[0] * np.exp(-b[1] * t) - y) ** 2)


def gradient(b, y, t):
    r = b[0] * np.exp(-b[1] * t) - y
    return np.array([2 * np.sum(r * np.exp(-b[1] * t)), -2 * np.sum(r * b[0] * t * np.exp(-b[1] * t))])


def shifted(x, k, weights):
    return weights[0] * (x[0] - k) ** 2 + weights[1] * (x[1] + k) ** 2


def test_each_problem_has_the_bits_that_it_has_alone():
    many = tw.minimize_many(misfit, [1.0, 1.0], (CURVES,), args=(T,))
    assert many.success.all() and many.derivatives == {"gradient": "automatic"}
    np.testing.assert_allclose(many.x[:, 1], RATES, rtol=1e-4)
    for k in (0, 7, 299):
        one = tw.minimize(misfit, [1.0, 1.0], (CURVES[k], T), method="l_bfgs_b")
        assert one.fun == many.fun[k] and one.nfev == many.nfev[k] and one.status == many.status[k]


def test_any_number_of_threads_gives_the_same_bits():
    one, two = (tw.minimize_many(misfit, [1.0, 1.0], (CURVES,), args=(T,), threads=t) for t in (1, 2))
    assert one.x.tobytes() == two.x.tobytes() and one.nfev.tobytes() == two.nfev.tobytes()


@pytest.mark.parametrize("jac", [gradient, "3-point"])
def test_gradients_that_are_given(jac):
    found = tw.minimize_many(misfit, np.ones((300, 2)), (CURVES,), args=(T,), jac=jac)
    np.testing.assert_allclose(found.x[:, 1], RATES, rtol=1e-4)


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.int32, np.float32, np.bool_])
def test_numbers_of_each_problem_keep_their_type(kind):
    """An entry of an array of m numbers is handed over as a number of its kind, a row as an array."""
    k = np.array([0, 1, 1, 0]).astype(kind)
    found = tw.minimize_many(shifted, [0.3, 0.4], (k, np.full((4, 2), 2.0)))
    np.testing.assert_allclose(found.x, [[0, 0], [1, -1], [1, -1], [0, 0]], atol=1e-5)


def test_closures_bounds_and_points_of_their_own():
    centre = np.array([3.0, -2.0])
    found = tw.minimize_many(
        lambda x, k: np.sum((x - centre - k) ** 2), np.zeros((3, 2)), (np.arange(3.0),), bounds=[(-1, 4), (-9, 9)]
    )
    np.testing.assert_allclose(found.x, [[3, -2], [4, -1], [4, 0]], atol=1e-6)
    assert list(found.to_frame().columns[:2]) == ["run", "fun"]


def test_a_population_needs_no_points():
    found = tw.minimize_many(
        shifted, args_each=(np.arange(3.0),), args=(np.ones(2),), bounds=[(-5, 5)] * 2, seed=1, max_evals=2000
    )
    assert found.method == "lshade" and found.fun.max() < 1e-6
    assert found.x[0].tobytes() != found.x[1].tobytes()


def test_an_exception_names_its_problem():
    def picky(x, k):
        if k == 5:
            raise ValueError("five")
        return x[0] ** 2 + k

    with pytest.raises(ValueError, match="five") as caught:
        tw.minimize_many(picky, [1.0], (np.arange(10),))
    assert "in problem 5 of 10" in caught.value.__notes__


def test_a_budget_that_is_too_small_is_told():
    found = tw.minimize_many(misfit, [1.0, 1.0], (CURVES[:5],), args=(T,), max_evals=3)
    assert not found.success.any() and set(found.status) == {StopReason.OUT_OF_BUDGET}
    assert "0 of 5 problems are solved" in found.message and "max_evals" in found.message


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (((np.ones(3), np.ones(4)),), ValueError, "args_each: got arrays of 3, 4 entries"),
        ((({},),), TypeError, r"args\[0\]: got a dict"),
        (((5.0,),), TypeError, r"args_each\[0\]: got 5.0, expected an array with an entry for each problem"),
        (((np.ones((3, 2)),), np.zeros((2, 2))), ValueError, "x0s: got 2 points, expected 3"),
        (((np.ones((0, 2)),),), ValueError, "args_each: got no entries"),
    ],
)
def test_what_is_refused(arguments, error, words):
    each, *points = arguments
    with pytest.raises(error, match=words):
        tw.minimize_many(lambda x, a: x[0] ** 2, points[0] if points else [1.0, 2.0], each)


def test_more_that_is_refused():
    with pytest.raises(ValueError, match="x0s, args_each: got none"):
        tw.minimize_many(lambda x: x[0] ** 2)
    with pytest.raises(TypeError, match="fun: got an objective in Python"):
        tw.minimize_many(tw.objective(lambda x: x[0] ** 2, compiled=False), [[1.0]])
    with pytest.raises(ValueError, match="x0s: de does not begin at one point"):
        tw.minimize_many(lambda x: x[0] ** 2, [[1.0]], bounds=[(-2, 2)], method="de")
    held = np.ones(2)
    with pytest.raises(ValueError, match="jac: it carries values"):
        tw.minimize_many(shifted, [[1.0, 1.0]], (np.ones(1),), args=(held,), jac=lambda x, k, w: 2 * x * held)
