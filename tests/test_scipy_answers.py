"""What SciPy's own tests of local methods found (bench/scipy_suite.py), and what its results have: each is held."""

import json
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.solvers.descent.limited_inverse import LimitedInverse
from thalweg.solvers.driving.stop_reason import StopReason

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


def rosen(x):
    total = 0.0 * x[0]
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def slope_of_rosen(x):
    g = np.zeros(x.size)
    for i in range(x.size - 1):
        d = x[i + 1] - x[i] ** 2
        g[i] += -400.0 * x[i] * d - 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * d
    return g


in_python = tw.objective(rosen, compiled=False)


# --- where it begins, and what it is given --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["l_bfgs_b", "nelder_mead"])
def test_a_point_outside_the_box_is_moved_to_the_nearest_inside(method):
    seen = []
    with pytest.warns(UserWarning, match=r"x0: got \[0, -1\], outside bounds; the run begins at the nearest point"):
        found = tw.minimize(
            tw.objective(lambda x: seen.append(x.copy()) or float(x @ x), compiled=False), [0, -1], method=method,
            bounds=[(1, None), (None, None)],
        )  # fmt: skip
    assert seen[0].tolist() == [1.0, -1.0] and found.success
    np.testing.assert_allclose(found.x, [1, 0], atol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tw.minimize(rosen, [1.0, -1.0], method="l_bfgs_b", bounds=[(1, None), (None, None)])


def test_a_box_of_one_point_is_an_answer_where_no_two_points_can_be_meant():
    ends: Any = SimpleNamespace(lb=[4.0, 5.0], ub=[4.0, 5.0])
    found = tw.minimize(in_python, bounds=ends, method="nelder_mead")
    assert found.success and found.x.tolist() == [4.0, 5.0] and found.fun == rosen(found.x)


def test_other_methods_refuse_it():
    with pytest.raises(ValueError, match="x0: variable 0 is 9"):
        tw.minimize(rosen, [(0, 1), (0, 1)], [9, 0], method="de")


def test_derivatives_that_a_local_method_does_not_use_are_left_out_with_a_warning():
    with pytest.warns(RuntimeWarning, match="hess: bfgs uses no Hessian; it is left out"):
        assert tw.minimize(rosen, START, method="bfgs", hess=lambda x: np.eye(5)).success
    with pytest.raises(ValueError, match="jac: de uses no gradient; leave it out"):
        tw.minimize(rosen, [(0, 1), (0, 1)], method="de", jac=slope_of_rosen)


def test_limits_as_scipy_reads_them():
    free = tw.minimize(rosen, START, method="bfgs")
    given = {"maxiter": np.inf, "maxfev": None}
    assert tw.minimize(rosen, START, method="bfgs", options=given).nfev == free.nfev
    assert tw.minimize(rosen, START, method="bfgs", options={"maxiter": 7.9}).nit == 7


def test_a_simplex_must_be_one_of_as_many_variables_as_x0():
    for wrong in (np.zeros((3, 2)), np.eye(5)):
        with pytest.raises(ValueError, match=r"initial_simplex: got shape \(\d, \d\), expected \(6, 5\)"):
            tw.minimize(rosen, START, method="nelder_mead", options={"initial_simplex": wrong})


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox", "Gauss-Newton", "leastsq"])
def test_methods_of_residuals_are_pointed_to(method):
    with pytest.raises(ValueError, match=r"method: got .* write least_squares\(residuals, x0"):
        tw.minimize(rosen, START, method=method)


def test_the_callback_of_a_local_method_is_told_of_each_iteration():
    """Ended there, the run is where one of so many iterations is."""
    points = []

    def until_five(intermediate_result):
        points.append(intermediate_result.x)
        assert intermediate_result.fun == rosen(intermediate_result.x)
        if len(points) == 5:
            raise StopIteration

    ended = tw.minimize(in_python, START, method="bfgs", jac=slope_of_rosen, callback=until_five)
    limited = tw.minimize(in_python, START, method="bfgs", jac=slope_of_rosen, options={"maxiter": 5})
    assert ended.nit == limited.nit == 5 and ended.stop_reason is StopReason.CALLBACK and not ended.success
    np.testing.assert_array_equal(ended.x, limited.x)
    assert not any(np.shares_memory(a, b) for a in points for b in points if a is not b)


# --- BFGS -----------------------------------------------------------------------------------------------------------


def test_the_inverse_that_bfgs_begins_with():
    """The first step is -H g: with the inverse of a quadratic's Hessian it ends at the minimum."""
    A = np.array([[4.0, 1.0], [1.0, 3.0]])
    seen = []

    def valley(x):
        seen.append(x.copy())
        return float(0.5 * x @ A @ x)

    fun = tw.objective(valley, compiled=False)
    found = tw.minimize(fun, [2.0, -1.0], method="bfgs", jac=lambda x: A @ x, options={"hess_inv0": np.linalg.inv(A)})
    assert len(seen) == 2 and found.success
    np.testing.assert_allclose(seen[1], 0, atol=1e-15)
    assert json.loads(found.to_json())["options"]["hess_inv0"][0][0] == pytest.approx(3 / 11)
    for wrong, told in (
        (-A, "expected a symmetric, positive definite"),
        ([[1, 2], [0, 1]], "expected a symmetric, positive definite"),
        (np.zeros((2, 2)), "expected a symmetric, positive definite"),
        (np.eye(3), r"expected a matrix of shape \(2, 2\)"),
        (3.0, "expected a matrix"),
    ):
        with pytest.raises(ValueError, match=f"hess_inv0: got .*{told}"):
            tw.minimize(fun, [2.0, -1.0], method="bfgs", options={"hess_inv0": wrong})


@pytest.mark.parametrize("method", ["nonlinear_cg", "bfgs"])
@pytest.mark.parametrize("scale", [1e-50, 1.0, 1e50])
def test_the_first_step_whatever_the_scale(method, scale):
    """It was too short to change x where gradients are tiny."""
    found = tw.minimize(
        tw.objective(lambda x: scale * (x[0] - 1) ** 2, compiled=False), [-1.0], method=method,
        jac=lambda x: np.array([scale * (x[0] - 1)]), options={"gtol": scale * 1e-8},
    )  # fmt: skip
    assert found.success and found.nit <= 3
    np.testing.assert_allclose(found.x, 1)


# --- derivatives ----------------------------------------------------------------------------------------------------


def test_calls_of_a_gradient_in_python_are_as_many_as_njev():
    called = []
    found = tw.minimize(in_python, START, method="l_bfgs_b", jac=lambda x: called.append(x.copy()) or slope_of_rosen(x))
    assert len(called) == found.njev
    seen = set()

    def both(x):
        assert x.tobytes() not in seen
        seen.add(x.tobytes())
        return 10 * x**2, 20 * x  # an array of one number, as SciPy takes it

    found = tw.minimize(tw.objective(both, compiled=False), -100, method="bfgs", jac=True, tol=1e-7)
    assert found.success and found.x.shape == (1,) and len(seen) == found.nfev


def test_a_gradient_that_does_not_compile_beside_a_function_that_does():
    """It is evaluated in Python where the function says `compiled="auto"`."""

    def python_only(x):
        return np.array(json.loads(json.dumps(slope_of_rosen(x).tolist())))

    with pytest.warns(UserWarning, match="(?s)jac: .*evaluated in Python, as compiled='auto' says"):
        found = tw.minimize(tw.objective(rosen, compiled="auto"), START, method="bfgs", jac=python_only)
    assert found.success and found.derivatives == {"gradient": "given"}

    def raises(x):
        if json.loads("1") and x[0] < 1.2:
            raise ArithmeticError("here")
        return slope_of_rosen(x)

    with pytest.raises(ArithmeticError, match="here"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tw.minimize(tw.objective(rosen, compiled="auto"), START, method="bfgs", jac=raises)


class Approximation:
    """As SciPy's HessianUpdateStrategy."""

    def update(self, step, change): ...


@pytest.mark.parametrize("hess", ["2-point", "cs", Approximation()])
def test_an_approximated_hessian_is_differences_of_the_gradient(hess):
    called = []
    found = tw.minimize(
        in_python, START, method="newton_cg", jac=lambda x: called.append(1) or slope_of_rosen(x), hess=hess
    )
    assert found.success and found.derivatives["product"] == "differences of gradients"
    assert found.njev == len(called) and found.nhev > 0


def test_the_complex_step():
    exact = tw.minimize(rosen, START, method="bfgs")
    for fun in (rosen, in_python):
        found = tw.minimize(fun, START, method="bfgs", jac="cs")
        assert found.derivatives == {"gradient": "cs"} and found.success
        np.testing.assert_allclose(found.jac, slope_of_rosen(found.x), rtol=1e-12, atol=1e-13)
        assert found.njev == exact.njev and found.nfev == 6 * found.njev


@pytest.mark.parametrize(
    ("fun", "told"),
    [
        (lambda x: abs(x[0]) + x[1] ** 2, "fun loses imaginary parts"),
        (lambda x: float(np.real(x[0])) ** 2 + 0.0, "gives real numbers for complex"),
        (lambda x: x[0] % 2.0, "fun takes no complex numbers"),
    ],
)
def test_a_complex_step_that_would_be_wrong_is_refused(fun, told):
    with pytest.raises((ValueError, TypeError), match=f"jac: got 'cs', .*{told}"):
        tw.minimize(tw.objective(fun, compiled=False), [1.0, 2.0], method="bfgs", jac="cs")


@pytest.mark.parametrize("scheme", [None, "3-point"])
def test_workers_take_the_points_of_a_gradient(scheme):
    """As many evaluations, and the same bits, as without."""
    batches = []

    def by_map(function, rows):
        batches.append(len(rows))
        return list(map(function, rows))

    alone = tw.minimize(in_python, START, method="l_bfgs_b", jac=scheme)
    spread = tw.minimize(in_python, START, method="l_bfgs_b", jac=scheme, workers=by_map)
    np.testing.assert_array_equal(spread.x, alone.x)
    assert (spread.nfev, spread.njev, spread.derivatives) == (alone.nfev, alone.njev, alone.derivatives)
    assert set(batches) == {6 if scheme is None else 11} and sum(batches) == spread.nfev


def test_a_function_of_many_points_is_asked_for_a_gradient_at_once():
    asked = []
    fun = tw.objective(lambda X: asked.append(len(X)) or (X**2).sum(1), vectorized=True)
    found = tw.minimize(fun, [3.0, 1.0], method="l_bfgs_b")
    assert found.success and set(asked) == {3}


# --- results --------------------------------------------------------------------------------------------------------


def test_differences_tell_no_slope_along_a_fixed_variable():
    box = [(0, 2), (0.7, 0.7), (0, 2)]
    x0 = START[:3]
    assert np.isnan(tw.minimize(rosen, x0, bounds=box, method="l_bfgs_b", jac="2-point").jac).tolist() == [0, 1, 0]
    assert np.isfinite(tw.minimize(rosen, x0, bounds=box, method="l_bfgs_b", jac=slope_of_rosen).jac).all()


def test_the_inverse_of_limited_memory():
    """Updates of BFGS one after the other, from I / theta, as a matrix; and what L-BFGS returns, beside BFGS's."""
    random = np.random.default_rng(3)
    s = random.normal(size=(3, 4))
    y = s + 0.1 * random.normal(size=(3, 4))
    H = np.eye(4) / 2.5
    for a, b in zip(s, y):
        V = np.eye(4) - np.outer(b, a) / (a @ b)
        H = V.T @ H @ V + np.outer(a, a) / (a @ b)
    known = LimitedInverse(s, y, 2.5)
    np.testing.assert_allclose(known.todense(), H, rtol=1e-12, atol=1e-14)
    v = random.normal(size=4)
    np.testing.assert_allclose(known @ v, H @ v, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.asarray(known), H, rtol=1e-12, atol=1e-14)
    with pytest.raises(ValueError, match=r"v: got shape \(3,\), expected \(4,\)"):
        known.matvec(np.ones(3))

    A = np.diag([1.0, 4.0, 9.0])
    found = tw.minimize(lambda x: 0.5 * x @ A @ x, [1.0, 1.0, 1.0], args=(), method="l_bfgs_b", options={"gtol": 1e-10})
    assert found.hess_inv.shape == (3, 3) and "shape (3, 3)" in repr(found) and found.to_json()
    np.testing.assert_allclose(found.hess_inv.todense(), np.linalg.inv(A), atol=0.05)
