"""least_squares: every method on problems with published minima, bounds, losses, Jacobians, and what is refused."""

import numpy as np
import pytest

from thalweg import least_squares, objective

METHODS = ("lm", "trf", "dogbox", "gauss_newton")
SCHEMES = ("2-point", "3-point", "cs")


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def freudenstein_roth(x):
    first = -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1]
    return np.array([first, -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]])


def helical_valley(x):
    turn = np.arctan(x[1] / x[0]) / (2 * np.pi) + (0.5 if x[0] < 0 else 0.0)
    return np.array([10 * (x[2] - 10 * turn), 10 * (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]])


def jennrich_sampson(x):
    i = np.arange(1.0, 11.0)
    return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))


Y = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


def bard(x):
    u = np.arange(1.0, 16.0)
    v = 16 - u
    return Y - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


# Moré, Garbow and Hillstrom, ACM TOMS 7 (1981) 17: the residuals, x0, the published sums of squares
PROBLEMS = [
    (rosenbrock, [-1.2, 1.0], (0.0,)),
    (freudenstein_roth, [0.5, -2.0], (0.0, 48.9842)),
    (helical_valley, [-1.0, 0.01, 0.0], (0.0,)),
    (jennrich_sampson, [0.3, 0.4], (124.362,)),
    (bard, [1.0, 1.0, 1.0], (8.21487e-3, 17.4286)),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("fun", "x0", "sums"), PROBLEMS, ids=lambda v: getattr(v, "__name__", ""))
def test_published_minima(method, fun, x0, sums):
    result = least_squares(fun, x0, method=method, max_nfev=2000)
    if method == "gauss_newton" and fun in (jennrich_sampson, freudenstein_roth):  # the Jacobian is singular on its way
        assert result.status == -1 and not result.success and "line search" in result.message
        return
    assert result.success
    total = 2 * result.cost
    assert any(total == pytest.approx(s, rel=2e-5, abs=1e-12) for s in sums)
    assert result.cost == pytest.approx(0.5 * np.sum(fun(result.x) ** 2), rel=1e-9, abs=1e-25)
    assert np.allclose(result.fun, fun(result.x), rtol=1e-10, atol=1e-12)
    assert np.allclose(result.grad, result.jac.T @ result.fun)


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_bounds_are_kept_and_met(method):
    seen = []

    def noted(x):
        seen.append(x.copy())
        return rosenbrock(x)

    bounds = ([-2.0, -1.0], [0.5, 3.0])
    result = least_squares(objective(noted, compiled=False), [-1.2, 1.0], bounds=bounds, method=method)
    assert np.allclose(result.x, [0.5, 0.25], atol=1e-6)
    assert list(result.active_mask) == [1, 0]
    assert (np.array(seen) >= bounds[0]).all() and (np.array(seen) <= bounds[1]).all()
    assert least_squares(rosenbrock, [-1.2, 1.0], bounds=bounds, method=method).x == pytest.approx([0.5, 0.25])


T = np.linspace(0, 2, 30)
OUTLIERS = np.where(np.arange(30) % 7 == 3, 3.0, 0.0)


def decay(x):
    return x[0] * np.exp(-x[1] * T) - (2.0 * np.exp(-1.5 * T) + OUTLIERS)


RHO = {  # of z, from SciPy's documentation
    "linear": lambda z: z,
    "soft_l1": lambda z: 2 * (np.sqrt(1 + z) - 1),
    "huber": lambda z: np.where(z <= 1, z, 2 * np.sqrt(np.maximum(z, 1)) - 1),
    "cauchy": np.log1p,
    "arctan": np.arctan,
}


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
@pytest.mark.parametrize("loss", RHO)
def test_losses(method, loss):
    scale = 0.1
    result = least_squares(decay, [1.5, 1.0], method=method, loss=loss, f_scale=scale, max_nfev=500)

    def cost(x):
        return 0.5 * scale**2 * np.sum(RHO[loss]((decay(x) / scale) ** 2))

    assert result.cost == pytest.approx(cost(result.x), rel=1e-10)
    h = 1e-6
    slopes = [(cost(result.x + h * e) - cost(result.x - h * e)) / (2 * h) for e in np.eye(2)]
    assert np.allclose(slopes, result.grad, atol=1e-6)
    assert np.abs(slopes).max() < 1e-4
    if loss != "linear":
        assert np.allclose(result.x, [2.0, 1.5], atol=0.2)


def test_a_loss_of_the_callers():
    def soft_l1(z):
        t = 1 + z
        return np.stack((2 * (t**0.5 - 1), t**-0.5, -0.5 * t**-1.5))

    ours = least_squares(decay, [1.5, 1.0], loss="soft_l1", f_scale=0.1)
    given = least_squares(decay, [1.5, 1.0], loss=soft_l1, f_scale=0.1)
    assert np.allclose(given.x, ours.x, rtol=1e-9) and given.nfev == ours.nfev


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("compiled", [True, False])
def test_differences(scheme, compiled):
    exact = np.stack((np.exp(-T), -1.5 * T * np.exp(-T)), axis=1)
    result = least_squares(objective(decay, compiled=compiled), [1.5, 1.0], jac=scheme, max_nfev=1)
    assert np.allclose(result.jac, exact, atol={"2-point": 1e-7, "3-point": 1e-9, "cs": 1e-15}[scheme])
    assert (result.nfev, result.njev, result.status, result.jacobian) == (1, 1, 0, scheme)


@pytest.mark.parametrize("scheme", ["2-point", "3-point"])
def test_differences_stay_inside(scheme):
    def inside(x):
        if x[0] < 1.0 or x[0] > 1.0 + 1e-7:
            raise ValueError("outside")
        return np.array([x[0] ** 2, x[0]])

    for x0 in (1.0, 1.0 + 1e-7):
        result = least_squares(inside, x0, jac=scheme, bounds=(1.0, 1.0 + 1e-7), method="dogbox", max_nfev=1)
        assert np.allclose(result.jac, [[2.0], [1.0]], atol=1e-6)


def test_the_jacobian_of_the_caller_and_arguments():
    def line(x, t, y):
        return x[0] + x[1] * t - y

    def jac(x, t, y):
        return np.stack((np.ones_like(t), t), axis=1)

    y = 3.0 - 2.0 * T
    for compiled in (True, False):
        result = least_squares(objective(line, compiled=compiled), [0.0, 0.0], jac=jac, args=(T, y))
        assert np.allclose(result.x, [3.0, -2.0]) and result.jacobian == "given"
        assert result.objective == ("compiled" if compiled else "python")
    assert np.allclose(least_squares(line, [0.0, 0.0], kwargs={"t": T, "y": y}).x, [3.0, -2.0])


def test_exceptions_come_with_their_x():
    def fun(x):
        if x[0] < 0.5:
            raise ArithmeticError("too small")
        return np.array([x[0]])

    for compiled in (True, False):
        with pytest.raises(ArithmeticError, match="too small") as caught:
            least_squares(objective(fun, compiled=compiled), 2.0)
        assert caught.value.x[0] < 0.5


def test_a_jacobian_that_is_no_number_ends_the_run():
    def jac(x):
        return np.full((2, 2), np.nan)

    result = least_squares(rosenbrock, [-1.2, 1.0], jac=jac)
    assert not result.success and result.status == -1 and "not finite" in result.message


def test_callbacks_and_limits():
    seen = []
    result = least_squares(rosenbrock, [-1.2, 1.0], callback=lambda x: seen.append(x.copy()))
    assert len(seen) == result.nit and np.array_equal(seen[-1], result.x)
    stopped = least_squares(rosenbrock, [-1.2, 1.0], callback=lambda x: True)
    assert stopped.status == -2 and not stopped.success and stopped.nit == 1
    short = least_squares(rosenbrock, [-1.2, 1.0], max_nfev=3)
    assert short.status == 0 and short.nfev == 3 and not short.success


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"x0": [[1.0, 2.0]]}, "x0: got"),
        ({"x0": [1.0, 2j]}, "x0: got"),
        ({"bounds": (0.0, 5.0)}, "x0: variable 0"),
        ({"bounds": (5.0, -5.0)}, "bounds: variable 0"),
        ({"bounds": ([0.0], [1.0, 2.0])}, "bounds: got an end"),
        ({"bounds": (-5.0, 5.0), "method": "lm"}, "bounds: lm"),
        ({"method": "newton"}, "method: got"),
        ({"jac": "oops"}, "jac: got"),
        ({"jac": lambda x: np.ones((3, 2))}, "jac: returned an array of shape"),
        ({"loss": "hinge"}, "loss: got"),
        ({"f_scale": 0.0}, "f_scale: got"),
        ({"x_scale": -1.0}, "x_scale: got"),
        ({"ftol": None, "xtol": None, "gtol": None}, "ftol, xtol, gtol"),
        ({"ftol": None, "method": "lm"}, "ftol: got None"),
        ({"max_nfev": 0}, "max_nfev: got 0"),
        ({"verbose": 3}, "verbose: got 3"),
        ({"tr_solver": "best"}, "tr_solver: got"),
        ({"diff_step": 0.0}, "diff_step: got"),
        ({"fun": lambda x: np.array([np.nan, x[0]])}, "fun: returned .* finite"),
        ({"fun": lambda x: np.array([x[0]]), "method": "lm"}, "fun: returned 1 residuals of 2"),
        ({"fun": lambda x: np.array([[x[0], x[1]]] * 2)}, "fun: returned an array of shape"),
    ],
)
def test_what_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        least_squares(**{"fun": rosenbrock, "x0": [-1.2, 1.0], **settings})


def test_the_same_bits_again():
    one, two = (least_squares(decay, [1.5, 1.0], method="lm") for _ in range(2))
    assert one.x.tobytes() == two.x.tobytes() and one.nfev == two.nfev
