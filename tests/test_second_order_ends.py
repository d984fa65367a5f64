"""How newton, newton_cg and trust_exact end: minima, saddles, singular Hessians, no bottom, no derivative, budgets."""

import numpy as np
import pytest

from thalweg import StopReason, minimize, objective

from .test_second_order import METHODS, REGIONS, SADDLES, START, VALLEY, saddles_hessian

NEARER = (1.3, 0.7, 0.8, 1.9, 1.2)  # from where the valley leads to the minimum at 1, as from START it does not
pytestmark = pytest.mark.filterwarnings("error")


def run(method, functions, x0, **more):
    """A run of functions in Python, which nothing has to be compiled for."""
    f, g, h = functions
    return minimize(objective(f, compiled=False), x0=x0, method=method, jac=g, hess=h, **more)


def of_one(f, g, h):
    """An objective of one variable, from functions of a number."""
    return lambda x: f(x[0]), lambda x: np.array([g(x[0])]), lambda x: np.array([[h(x[0])]])


CUBIC = of_one(lambda x: x**3 - 2 * x**2 + 2, lambda x: 3 * x**2 - 4 * x, lambda x: 6 * x - 4)


@pytest.mark.parametrize("method", METHODS)
def test_the_cubic_of_the_lesson_from_3(method):
    """f(x) = x^3 - 2 x^2 + 2 has its minimum at 4/3."""
    result = run(method, CUBIC, [3.0])
    assert result.success and result.stop_reason == StopReason.GRADIENT_SMALL
    assert result.x[0] == pytest.approx(4 / 3, abs=1e-7) and result.fun == pytest.approx(22 / 27, abs=1e-12)


def test_newtons_steps_on_the_cubic_are_the_textbooks():
    """x - f'(x) / f''(x) from 3: 15/7 at the second point, and so on."""
    x = 3.0
    for k in range(1, 5):
        x -= (3 * x**2 - 4 * x) / (6 * x - 4)
        assert run("newton", CUBIC, [3.0], max_iters=k + 1).x[0] == pytest.approx(x, rel=1e-13)


@pytest.mark.parametrize("method", ["newton", "trust_exact"])
def test_the_digits_double(method):
    """Quadratic convergence: near the minimum the error is squared by each step."""
    f, g, h = VALLEY
    whole = minimize(f, x0=NEARER, method=method, jac=g, hess=h, options={"gtol": 1e-13})
    points = [minimize(f, x0=NEARER, method=method, jac=g, hess=h, max_iters=k).x for k in range(1, whole.nit + 1)]
    errors = [np.abs(x - 1.0).max() for x in points]
    near = [(a, b) for a, b in zip(errors, errors[1:]) if 1e-7 < a < 1e-2]
    assert len(near) >= 2 and all(after <= 200.0 * before**2 + 1e-15 for before, after in near)


def test_a_saddle_is_left_by_the_exact_step():
    """At 0 the gradient is 0 and the curvature negative; a first-order test would stay there."""
    result = minimize(SADDLES[0], x0=np.zeros(5), method="trust_exact", jac=SADDLES[1], hess=SADDLES[2])
    assert result.success and result.fun < -1.0 and np.linalg.eigvalsh(saddles_hessian(result.x))[0] > 0


@pytest.mark.parametrize("method", ["newton", "newton_cg"])
def test_the_others_stay_where_the_gradient_is_nothing(method):
    result = minimize(SADDLES[0], x0=np.zeros(5), method=method, jac=SADDLES[1], hess=SADDLES[2])
    assert result.stop_reason == StopReason.GRADIENT_SMALL and result.nfev == 1 and result.fun == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_negative_curvature_on_the_way(method):
    """Where the Hessian is indefinite at the start, as it is here, a plain Newton step would go to the saddle."""
    x0 = np.array([0.1, -0.2, 0.05, 0.1, 0.02])
    assert np.linalg.eigvalsh(saddles_hessian(x0))[0] < 0
    result = minimize(SADDLES[0], x0=x0, method=method, jac=SADDLES[1], hess=SADDLES[2])
    assert result.success and np.linalg.eigvalsh(saddles_hessian(result.x))[0] > 0


# --- singular Hessians ------------------------------------------------------------------------------------------------


def test_singular_at_every_point():
    """(x_1 + x_2 - 1)^2 + (x_1 + x_2 - 1)^4, and a variable that is not used."""

    def f(x):
        off = x[0] + x[1] - 1.0
        return off**2 + off**4

    def g(x):
        off = x[0] + x[1] - 1.0
        return np.array([1.0, 1.0, 0.0]) * (2 * off + 4 * off**3)

    def h(x):
        off = x[0] + x[1] - 1.0
        return np.outer([1.0, 1.0, 0.0], [1.0, 1.0, 0.0]) * (2 + 12 * off**2)

    for method in METHODS:
        result = run(method, (f, g, h), [3.0, 5.0, 7.0])
        assert result.success and result.fun < 1e-9, method
        assert result.x[2] == 7.0 and result.nfev < 30, method


@pytest.mark.parametrize("method", METHODS)
def test_singular_at_the_minimum(method):
    quartic = of_one(lambda x: x**4, lambda x: 4 * x**3, lambda x: 12 * x**2)
    result = run(method, quartic, [3.0])
    assert result.success and abs(result.x[0]) < 0.02 and result.nfev < 60


@pytest.mark.parametrize("method", METHODS)
def test_no_curvature_where_it_begins(method):
    """x^4 + x at 0: the Hessian is 0, the gradient is not."""
    functions = of_one(lambda x: x**4 + x, lambda x: 4 * x**3 + 1, lambda x: 12 * x**2)
    result = run(method, functions, [0.0])
    assert result.success and result.x[0] == pytest.approx(-(0.25 ** (1 / 3)), abs=1e-5)


# --- what has no minimum, or no derivative ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "functions",
    [
        of_one(lambda x: -(x**2), lambda x: -2 * x, lambda x: -2.0),
        of_one(lambda x: x, lambda x: 1.0, lambda x: 0.0),
        of_one(lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x),
        of_one(*[lambda x: -np.exp(min(x, 709.0))] * 3),
    ],
    ids=["parabola", "line", "cubic", "exponential"],
)
def test_values_that_fall_without_end(method, functions):
    result = run(method, functions, [-1.0])
    assert result.stop_reason == StopReason.UNBOUNDED and not result.success
    assert result.fun <= -1e100 and "unbounded below" in result.message and result.nfev < 3000


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", ["the start", "the way"])
def test_a_gradient_that_is_nan(method, place):
    """Where it is NaN at all points but the start, the step becomes shorter until it is nothing."""

    def g(x):
        return np.array([np.nan if place == "the start" or x[0] != 3.0 else 6.0])

    result = run(method, (lambda x: x[0] ** 2, g, lambda x: np.array([[2.0]])), [3.0])
    assert result.stop_reason == StopReason.NO_DERIVATIVE and not result.success
    assert "not finite" in result.message


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_hessian_that_is_not_finite(method, bad):
    functions = lambda x: x @ x, lambda x: 2 * x, lambda x: np.array([[2.0, 0.0], [0.0, bad]])
    result = run(method, functions, [1.0, 2.0])
    assert result.stop_reason == StopReason.NO_DERIVATIVE and not result.success


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_start_where_there_is_no_value(method, value):
    functions = lambda x: value, lambda x: np.zeros(2), lambda x: np.eye(2)
    result = run(method, functions, [1.0, 2.0])
    assert not result.success and result.nfev == 1
    assert "No evaluation gave a finite value" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_a_region_without_values_is_gone_round(method):
    """x - log(x), and NaN below 0."""
    functions = of_one(
        lambda x: x - np.log(x) if x > 0 else np.nan, lambda x: 1 - 1 / x if x > 0 else np.nan, lambda x: x**-2
    )
    result = run(method, functions, [30.0])
    assert result.success and result.x[0] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_gradient(method):
    """Uphill: no step makes the value less, and it says so."""
    result = run(method, (lambda x: x @ x, lambda x: -2 * x, lambda x: 2 * np.eye(2)), [1.0, 2.0])
    assert result.stop_reason == StopReason.LINE_SEARCH_FAILED and not result.success


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("which", ["value", "gradient", "hessian"])
def test_what_raises_is_raised(method, which):
    def raising(name, function):
        def inner(x):
            if name == which and x[0] < 2.0:
                raise ZeroDivisionError("of the user")
            return function(x)

        return inner

    f, g, h = (raising(name, part) for name, part in zip(("value", "gradient", "hessian"), CUBIC))
    with pytest.raises(ZeroDivisionError, match="of the user"):
        run(method, (f, g, h), [3.0])


# --- budgets, tolerances, bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_budgets(method):
    f, g, h = VALLEY
    spent = minimize(f, x0=START, method=method, jac=g, hess=h, max_evals=5)
    assert spent.nfev == 5 and spent.stop_reason == StopReason.OUT_OF_BUDGET and not spent.success
    ended = minimize(f, x0=START, method=method, jac=g, hess=h, max_iters=4)
    assert ended.nit == 4 and ended.stop_reason == StopReason.OUT_OF_ITERATIONS and not ended.success


@pytest.mark.parametrize("method", METHODS)
def test_tolerances(method):
    f, g, h = VALLEY
    loose, tight = (minimize(f, x0=START, method=method, jac=g, hess=h, options={"gtol": t}) for t in (1.0, 1e-10))
    assert loose.success and 1e-10 < loose.optimality <= 1.0 and loose.nfev < tight.nfev
    assert tight.success and tight.optimality <= 1e-10
    assert tight.optimality == pytest.approx(np.abs(tight.jac).max(), rel=1e-12)
    by_step = minimize(f, x0=START, method=method, jac=g, hess=h, options={"gtol": 0.0, "xtol": 1e-3})
    assert by_step.stop_reason == StopReason.STEP_SMALL and by_step.success
    by_value = minimize(f, x0=START, method=method, jac=g, hess=h, ftol=1e-2, options={"gtol": 0.0})
    assert by_value.stop_reason == StopReason.CONVERGED and by_value.success and by_value.nfev < tight.nfev
    as_far_as_doubles_go = minimize(f, x0=NEARER, method=method, jac=g, hess=h, options={"gtol": 0.0})
    assert as_far_as_doubles_go.success and as_far_as_doubles_go.fun < 1e-25


@pytest.mark.parametrize("method", METHODS)
def test_bounds(method):
    """The conditions of Karush, Kuhn and Tucker, and the same minimum from several starts."""
    f, g, h = VALLEY
    low, high = np.array(bounds := [(0.0, 0.4), (-2, 2), (-1, np.inf), (0.3, 0.7), (0.1, 0.3)]).T
    starts = [np.clip(at, low, high) for at in (np.zeros(5), np.ones(5), np.full(5, 0.2), low, np.full(5, -3.0))]
    results = [minimize(f, x0=x0, bounds=bounds, method=method, jac=g, hess=h) for x0 in starts]
    for result in results:
        assert result.success and (result.x >= low).all() and (result.x <= high).all()
        gradient = g(result.x)
        at_low, at_high = result.x == low, result.x == high
        assert (gradient[at_low] >= 0).all() and (gradient[at_high] <= 0).all()
        assert np.abs(gradient[~at_low & ~at_high]).max() <= 1e-5
        assert (at_low | at_high).any()
    assert len({round(result.fun, 8) for result in results}) == 1


@pytest.mark.parametrize("method", METHODS)
def test_fixed_variables(method):
    f, g, h = VALLEY
    bounds = [(-5, 5), (0.3, 0.3), (-5, 5), (-5, 5), (-5, 5)]
    result = minimize(f, x0=[0, 0.3, 0, 0, 0], bounds=bounds, method=method, jac=g, hess=h)
    assert result.success and result.x[1] == 0.3 and np.abs(np.delete(g(result.x), 1)).max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_same_bits_twice_and_several_starts(method):
    f, g, h = SADDLES
    call = dict(bounds=[(-2, 2)] * 4, method=method, jac=g, hess=h, seed=5)
    one, two = minimize(f, **call), minimize(f, **call)
    assert one.x.tobytes() == two.x.tobytes() and one.nfev == two.nfev
    many = minimize(f, restarts=6, **call)
    assert len(many.runs) == 6 and len({x.tobytes() for x in many.runs["x"]}) > 1
    assert many.fun == many.runs["fun"].min() <= one.fun


@pytest.mark.parametrize("method", REGIONS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gtol": -1.0}, "gtol: got -1.0, expected a number that is not negative"),
        ({"xtol": -1.0}, "xtol: got -1.0, expected a number that is not negative"),
        ({"radius": np.inf}, "radius: got inf, expected a finite number"),
        ({"largest_radius": 0.0}, "largest_radius: got 0.0, expected a number above 0"),
        ({"eta": 0.3}, "eta: got 0.3, expected a share from 0"),
    ],
)
def test_options_that_make_no_sense(method, options, words):
    with pytest.raises(ValueError, match=words):
        run(method, CUBIC, [3.0], options=options)


def test_more_options_that_make_no_sense():
    with pytest.raises(ValueError, match=r"sigma: got 0.5, expected a share between 0 and 0.5"):
        run("newton", CUBIC, [3.0], options={"sigma": 0.5})
    with pytest.raises(ValueError, match=r"forcing: got 1.0, expected a share between 0 and 1"):
        run("newton_cg", CUBIC, [3.0], options={"forcing": 1.0})


# --- as SciPy's -------------------------------------------------------------------------------------------------------

CALLS = [
    ("Newton-CG", {"xtol": 1e-8, "maxiter": 200}),
    ("trust-exact", {"initial_trust_radius": 0.5, "max_trust_radius": 100.0, "eta": 0.15, "gtol": 1e-6}),
    ("trust-ncg", {"initial_trust_radius": 0.5, "max_trust_radius": 100.0, "eta": 0.15, "gtol": 1e-6}),
    ("trust-krylov", {"inexact": True, "gtol": 1e-6}),
    ("dogleg", {"max_trust_radius": 5.0, "maxiter": 300}),
]


@pytest.mark.parametrize(("method", "options"), CALLS)
def test_scipys_calls(method, options):
    f, g, h = VALLEY
    result = minimize(f, np.array(NEARER), method=method, jac=g, hess=h, options=dict(options))
    assert result.success and result.fun < 1e-9
    assert {"x", "fun", "jac", "nfev", "njev", "nhev", "nit", "status", "message"} <= set(result)
    again = minimize(f, np.array(NEARER), method=method, jac=g, hess=h, tol=1e-9)
    assert again.success and again.optimality <= 1e-9


def test_radii_of_scipys_are_ours():
    f, g, h = VALLEY
    theirs = {"initial_trust_radius": 0.5, "max_trust_radius": 2.0, "eta": 0.15, "gtol": 1e-6}
    ours = {"radius": 0.5, "largest_radius": 2.0, "eta": 0.15, "gtol": 1e-6}
    for method in REGIONS:
        one, two = (minimize(f, x0=START, method=method, jac=g, hess=h, options=o) for o in (theirs, ours))
        assert one.x.tobytes() == two.x.tobytes() and one.options == two.options
    with pytest.raises(ValueError, match=r"initial_trust_radius: got 0.5 .*trust_exact"):
        minimize(f, x0=START, method="newton", jac=g, hess=h, options={"initial_trust_radius": 0.5})


def test_products_in_the_place_of_a_hessian():
    f, g, h = VALLEY
    n = 200
    x0 = np.tile([-1.2, 1.0], n // 2)

    def product(x, p):
        out = np.zeros(len(x))
        for i in range(len(x) - 1):
            out[i] += (1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0) * p[i] - 400.0 * x[i] * p[i + 1]
            out[i + 1] += 200.0 * p[i + 1] - 400.0 * x[i] * p[i]
        return out

    result = minimize(f, x0=x0, method="newton_cg", jac=g, hessp=product)
    np.testing.assert_allclose(product(x0, x0), h(x0) @ x0)
    assert result.success and result.optimality <= 1e-5 and result.derivatives["product"] == "given"
    assert result.nhev < 20 * n  # conjugate gradients end long before n products for each step
