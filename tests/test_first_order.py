"""First-order methods: each against a plain transcription of its paper, step by step; schedules, bounds, bad ends."""

import numpy as np
import pytest

from thalweg.solvers import StopReason, minimize
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.call import begin, bind, parse_call

from .reference import first_order


def valley(x):
    return (x[0] - 1.0) ** 2 + 10.0 * (x[1] - x[0] ** 2) ** 2 + 0.5 * x[2] ** 2


def gradient_of_valley(x):
    inner = x[1] - x[0] ** 2
    return np.array([2.0 * (x[0] - 1.0) - 40.0 * x[0] * inner, 20.0 * inner, x[2]])


def rosenbrock(x):
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


def gradient_of_rosenbrock(x):
    inner = x[1] - x[0] ** 2
    return np.array([-2.0 * (1.0 - x[0]) - 400.0 * x[0] * inner, 200.0 * inner])


START = np.array([-0.5, 1.0, 2.0])


def path_of(fun, x0, jac, method, steps, bounds=None, **options):
    """(result, the points after each step)"""
    path = []

    def note(intermediate_result):
        path.append((intermediate_result.fun, *intermediate_result.x))

    found = minimize(
        fun, x0, jac=jac, method=method, bounds=bounds, max_iters=steps, callback=note, callback_every="generation",
        options=options,
    )  # fmt: skip
    return found, np.array(path)


# --- the update of each paper ----------------------------------------------------------------------------------------

CASES = [
    ("gradient_descent", first_order.gradient_descent, {}),
    ("gradient_descent", first_order.gradient_descent, {"step": 0.002}),
    ("gradient_descent", first_order.gradient_descent, {"step": 0.05, "normalised": True}),
    ("momentum", first_order.momentum, {}),
    ("momentum", first_order.momentum, {"step": 0.002, "momentum": 0.8}),
    ("nesterov", first_order.nesterov, {}),
    ("nesterov", first_order.nesterov, {"step": 0.002, "momentum": 0.6}),
    ("nesterov", first_order.nesterov_1983, {"momentum": None}),
    ("adagrad", first_order.adagrad, {}),
    ("adagrad", first_order.adagrad, {"step": 0.3, "epsilon": 0.1}),
    ("rmsprop", first_order.rmsprop, {}),
    ("rmsprop", first_order.rmsprop, {"step": 0.05, "forget": 0.99, "epsilon": 0.1}),
    ("adam", first_order.adam, {}),
    ("adam", first_order.adam, {"step": 0.1, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.1}),
    ("adamw", first_order.adamw, {}),
    ("adamw", first_order.adamw, {"step": 0.1, "weight_decay": 0.5}),
]


@pytest.mark.parametrize(("method", "paper", "options"), CASES)
def test_every_step_is_that_of_the_paper(method, paper, options):
    found, path = path_of(valley, START, gradient_of_valley, method, 40, **options)
    expected = np.array(
        list(paper(START, gradient_of_valley, 40, **{k: v for k, v in options.items() if v is not None}))
    )
    np.testing.assert_allclose(path[:, 1:], expected, rtol=1e-12, atol=1e-13)
    assert found.nit == 40 and found.nfev == found.njev == 41  # x0, and the point after each step
    np.testing.assert_allclose(path[:, 0], [valley(x) for x in expected], rtol=1e-11)


def test_armijo_takes_the_first_half_that_is_low_enough():
    _, path = path_of(valley, START, gradient_of_valley, "gradient_descent", 30, line_search="armijo")
    expected = list(first_order.armijo(START, valley, gradient_of_valley, 30))
    np.testing.assert_allclose(path[:, 1:], expected, rtol=1e-10)
    _, path = path_of(valley, START, gradient_of_valley, "gradient_descent", 5, line_search="armijo", step=0.3)
    np.testing.assert_allclose(path[:, 1:], list(first_order.armijo(START, valley, gradient_of_valley, 5, 0.3)))


def test_an_exact_step_ends_where_the_slope_along_the_ray_is_0():
    x0, weights = np.array([3.0, 1.0, -1.0]), np.array([1.0, 10.0, 0.5])
    _, path = path_of(
        lambda x: 0.5 * (x[0] ** 2 + 10.0 * x[1] ** 2 + 0.5 * x[2] ** 2), x0,
        lambda x: np.array([x[0], 10.0 * x[1], 0.5 * x[2]]), "gradient_descent", 12, line_search="exact",
    )  # fmt: skip
    x = x0
    for found in path[:, 1:]:
        g = weights * x
        x = x - (g @ g) / (g @ (weights * g)) * g  # of a quadratic
        np.testing.assert_allclose(found, x, rtol=1e-9, atol=1e-12)
    for step in (1e-4, 1.0, 100.0):  # whatever the first trial
        _, path = path_of(valley, START, gradient_of_valley, "gradient_descent", 8, line_search="exact", step=step)
        points = np.vstack([START, path[:, 1:]])
        gradients = np.array([gradient_of_valley(x) for x in points])
        slopes = [g @ h / (g @ g) for g, h in zip(gradients, gradients[1:])]
        np.testing.assert_allclose(slopes, 0.0, atol=1e-9)
        assert (np.diff([valley(x) for x in points]) < 0).all()


@pytest.mark.parametrize("method", ["gradient_descent", "adam"])
@pytest.mark.parametrize(
    ("schedule", "factor"),
    [
        ("constant", lambda t: 1.0 + 0.0 * t),
        ("1/t", lambda t: 1.0 / (1.0 + 0.5 * t)),
        ("1/sqrt(t)", lambda t: 1.0 / np.sqrt(1.0 + 0.5 * t)),
        ("exponential", lambda t: np.exp(-0.5 * t)),
        ("cosine", lambda t: 0.5 * (1.0 + np.cos(np.pi * t / 12))),
    ],
)
def test_the_length_of_steps_follows_the_schedule(method, schedule, factor):
    """On a slope of 1 a step of either method is as long as the schedule says."""
    for warm_up in (0, 4):
        _, path = path_of(
            lambda x: x[0], [3.0], lambda x: np.ones(1), method, 12, step=0.25, schedule=schedule, rate=0.5,
            warm_up=warm_up,
        )  # fmt: skip
        t = np.arange(12)
        warm = np.minimum(1.0, (t + 1) / warm_up) if warm_up else 1.0
        np.testing.assert_allclose(-np.diff([3.0, *path[:, 1]]), 0.25 * warm * factor(t), rtol=1e-6)


# --- the lessons ------------------------------------------------------------------------------------------------------


def test_the_parabola_of_the_lesson():
    for steps, x in ((25, 5.0 * 0.8**25), (50, 7.136e-05)):
        found, path = path_of(lambda x: x[0] ** 2, [5.0], lambda x: 2.0 * x, "gradient_descent", steps, step=0.1)
        assert len(path) == found.nit == steps and found.x[0] == path[-1, 1]
        assert found.x[0] == pytest.approx(x, rel=1e-4)


def test_the_paraboloid_of_the_lesson():
    x0 = [2.9, -2.9]
    found, path = path_of(lambda x: x[0] ** 2 + x[1] ** 2, x0, lambda x: 2.0 * x, "gradient_descent", 100, step=0.025)
    np.testing.assert_allclose(path[:, 1:], [[2.9 * 0.95**k, -2.9 * 0.95**k] for k in range(1, 101)], rtol=1e-12)
    assert found.fun == pytest.approx(2.0 * (2.9 * 0.95**100) ** 2)


def test_plain_descent_diverges_in_the_valley_and_a_normalised_step_does_not():
    """From (0.1, 3) the gradient is 600 long: a step of 0.01 leaves the valley; one of length 0.01 finds its floor."""
    for method in ("gradient_descent", "momentum"):
        plain = minimize(rosenbrock, [0.1, 3.0], jac=gradient_of_rosenbrock, method=method, max_iters=1000, lr=0.01)
        assert plain.stop_reason == StopReason.DIVERGED and not plain.success and plain.nit < 10
        assert "the steps are too long" in plain.message and np.array_equal(plain.x, [0.1, 3.0])
    options = {"step": 0.01, "normalised": True}
    slow = minimize(rosenbrock, [0.1, 3.0], jac=gradient_of_rosenbrock, method="gradient_descent", max_iters=200,
                    options=options)  # fmt: skip
    fast = minimize(rosenbrock, [0.1, 3.0], jac=gradient_of_rosenbrock, method="momentum", max_iters=200,
                    options=options | {"momentum": 0.8})  # fmt: skip
    assert slow.fun < 0.2 and fast.fun < 0.05 and not slow.success and not fast.success


# --- what a run is ----------------------------------------------------------------------------------------------------


def test_the_answer_is_the_best_point_and_the_path_goes_through_all():
    found, path = path_of(lambda x: x[0] ** 2, [5.0], lambda x: 2.0 * x, "momentum", 60, step=0.1)
    assert (np.diff(path[:, 0]) > 0).any()  # it swings
    best = path[path[:, 0].argmin()]
    assert found.fun == best[0] and found.x[0] == best[1]
    assert found.optimality == pytest.approx(abs(2.0 * best[1]))


def test_a_small_gradient_ends_a_run_with_success_only_at_its_best():
    found = minimize(lambda x: x[0] ** 2, [5.0], jac=lambda x: 2.0 * x, method="gradient_descent", lr=0.1)
    assert found.success and found.stop_reason == StopReason.GRADIENT_SMALL and found.optimality <= 1e-5
    assert minimize(lambda x: x[0] ** 2, [5.0], jac=lambda x: 2.0 * x, method="gradient_descent", lr=0.1,
                    options={"gtol": 0.1}).nit < found.nit  # fmt: skip
    # Over the lower minimum at -1 in one step, and to rest in the higher one at 1.
    double = minimize(
        lambda x: (x[0] ** 2 - 1.0) ** 2 + 0.1 * x[0], [-1.6], method="gradient_descent", max_iters=2000,
        jac=lambda x: 4.0 * x * (x**2 - 1.0) + 0.1, options={"step": 0.24, "schedule": "1/t", "rate": 0.5},
    )  # fmt: skip
    assert double.stop_reason in (StopReason.GRADIENT_SMALL, StopReason.ENDED)
    assert double.success == (double.stop_reason == StopReason.GRADIENT_SMALL)


def test_values_that_agree_end_a_run_where_ftol_asks_for_it():
    arguments = dict(jac=gradient_of_valley, method="gradient_descent", max_iters=100_000)
    found = minimize(valley, START, ftol=1e-6, **arguments)
    assert found.stop_reason == StopReason.CONVERGED and found.nit < minimize(valley, START, **arguments).nit


@pytest.mark.parametrize("method", ["gradient_descent", "nesterov", "adam"])
def test_points_stay_in_the_box_and_its_walls_are_minima(method):
    bounds = [(-1.0, 0.5), (-2.0, 2.0), (0.25, 3.0)]
    found, path = path_of(valley, [-0.5, 1.0, 2.0], gradient_of_valley, method, 3000, bounds, step=0.02)
    lower, upper = np.array(bounds).T
    assert (lower <= path[:, 1:]).all() and (path[:, 1:] <= upper).all()
    assert found.success and found.stop_reason == StopReason.GRADIENT_SMALL
    np.testing.assert_allclose(found.x, [0.5, 0.25, 0.25], atol=1e-5)
    assert np.abs(gradient_of_valley(found.x)).max() > 0.1  # it is the projected gradient that is small


def test_projected_steps_are_those_of_the_formula():
    bounds = [(-1.0, 0.5), (-2.0, 0.4), (0.25, 3.0)]
    lower, upper = np.array(bounds).T
    x = x0 = np.array([-0.5, 0.3, 2.0])
    _, path = path_of(valley, x0, gradient_of_valley, "gradient_descent", 30, bounds, step=0.03)
    for found in path[:, 1:]:
        x = np.clip(x - 0.03 * gradient_of_valley(x), lower, upper)
        np.testing.assert_allclose(found, x, rtol=1e-12)
    y = before = x0
    _, path = path_of(valley, x0, gradient_of_valley, "nesterov", 30, bounds, step=0.03)
    for found in path[:, 1:]:
        new = np.clip(y - 0.03 * gradient_of_valley(y), lower, upper)
        y, before = np.clip(new + 0.9 * (new - before), lower, upper), new
        np.testing.assert_allclose(found, y, rtol=1e-12)
    for search in ("armijo", "exact"):
        found, path = path_of(valley, x0, gradient_of_valley, "gradient_descent", 500, bounds, line_search=search)
        assert found.success and (np.diff(path[:, 0]) <= 0).all()
        np.testing.assert_allclose(found.x, [0.5, 0.25, 0.25], atol=1e-5)


# --- bad ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fun", "jac", "x0", "step", "reason"),
    [
        (lambda x: x[0] ** 2, lambda x: 2.0 * x, 5.0, 1.1, "DIVERGED"),  # swings ever farther
        (lambda x: x[0] - np.log(x[0]), lambda x: 1.0 - 1.0 / x, 0.01, -1.0, "GRADIENT_SMALL"),
        (lambda x: np.log(x[0]), lambda x: 1.0 / x, 0.01, 1.0, "DIVERGED"),  # into what is undefined
        (lambda x: -(x[0] ** 2), lambda x: -2.0 * x, 5.0, 1.1, "UNBOUNDED"),
        (lambda x: x[0] ** 2, lambda x: 0.0 / (x - x), 5.0, 0.1, "NO_DERIVATIVE"),
        (lambda x: x[0] ** 2, lambda x: 2.0 * x / (x > 4.0), 5.0, 0.1, "NO_DERIVATIVE"),  # not at once
        (lambda x: np.nan * x[0], lambda x: 2.0 * x, 5.0, 0.1, "NO_DERIVATIVE"),
    ],
)
def test_bad_ends_are_told(fun, jac, x0, step, reason):
    options = {"line_search": "exact"} if step < 0 else {"step": step}
    with np.errstate(all="ignore"):
        found = minimize(fun, [x0], jac=jac, method="gradient_descent", max_iters=5000, options=options)
    assert found.stop_reason == StopReason[reason]
    assert found.success == (reason == "GRADIENT_SMALL")


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("gradient_descent", {"step": 0.0}, "step: got 0.0, expected a number above 0"),
        ("gradient_descent", {"line_search": "wolfe"}, "line_search: got 'wolfe', expected one of none, armijo, exact"),
        ("adam", {"schedule": "linear"}, "schedule: got 'linear', expected one of constant, 1/t"),
        ("adam", {"beta2": 1.0}, r"beta2: got 1.0, expected a share in \[0, 1\)"),
        ("momentum", {"momentum": 1.0}, r"momentum: got 1.0, expected a share in \[0, 1\)"),
        ("rmsprop", {"warm_up": -1}, "warm_up: got -1, expected a number of steps"),
        ("adamw", {"weight_decay": -0.1}, "weight_decay: got -0.1, expected a number that is not negative"),
        ("nonlinear_cg", {"variant": "dai_yuan"}, "variant: got 'dai_yuan', expected one of polak_ribiere"),
        ("nonlinear_cg", {"c1": 0.5, "c2": 0.4}, "c1, c2: got .*, expected 0 < c1 < c2 < 1"),
    ],
)
def test_options_that_mean_nothing_are_refused(method, options, words):
    with pytest.raises(ValueError, match=words):
        minimize(valley, START, jac=gradient_of_valley, method=method, options=options)


# --- conjugate gradients ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["polak_ribiere", "fletcher_reeves", "hager_zhang"])
def test_directions_of_conjugate_gradients_are_those_of_the_paper(variant):
    """Each from the state before it; and each step satisfies the strong Wolfe conditions."""
    call = parse_call(rosenbrock, x0=[-1.2, 1.0], jac=gradient_of_rosenbrock, method="CG", options={"variant": variant})
    problem, state, advance = bind(call).problem(), begin(call, 0), drivers.serial(call.solver)
    advance(problem, state, 1)
    betas = 0
    while state.run.now[0].stop == 0:
        x, g, d, value = state.x.copy(), state.g.copy(), state.direction.copy(), state.own[0].f
        advance(problem, state, 1)
        new = state.g
        if state.run.now[0].stop == 0:
            beta = first_order.conjugate(variant, d, g, new)
            expected = beta * d - new
            if expected @ new > -0.01 * (new @ new):
                expected = -new
            np.testing.assert_allclose(state.direction, expected, rtol=1e-10, atol=1e-12 * np.abs(new).max())
            betas += beta != 0.0
        step = (state.x - x) @ d / (d @ d)
        np.testing.assert_allclose(state.x, x + step * d, rtol=1e-9, atol=1e-12)
        assert state.own[0].f <= value + 1e-4 * step * (g @ d) + 1e-15 and abs(new @ d) <= -0.4 * (g @ d)
    assert state.run.now[0].stop == StopReason.GRADIENT_SMALL and betas > 5
    np.testing.assert_allclose(state.x, 1.0, atol=1e-4)


@pytest.mark.parametrize("variant", ["polak_ribiere", "fletcher_reeves", "hager_zhang"])
def test_conjugate_directions_end_on_a_quadratic_after_as_many_steps_as_it_has_variables(variant):
    def bowl(x):
        total = 0.0
        for i in range(x.size):
            total += (i + 1.0) ** 2 * (x[i] - 1.0) ** 2
        return total

    def jac(x):
        return 2.0 * np.arange(1.0, x.size + 1.0) ** 2 * (x - 1.0)

    options = {"variant": variant, "c2": 1e-3, "c1": 1e-4}  # steps that are nearly exact
    found = minimize(bowl, np.zeros(8), jac=jac, method="CG", options=options)
    assert found.success and found.nit <= 12 and found.fun < 1e-10
    with_walls = minimize(bowl, np.zeros(8), jac=jac, method="CG", bounds=[(-1.0, 0.5)] * 4 + [(None, None)] * 4)
    np.testing.assert_allclose(with_walls.x, [0.5] * 4 + [1.0] * 4, atol=1e-5)
    assert with_walls.success and with_walls.stop_reason == StopReason.GRADIENT_SMALL


def test_conjugate_gradients_say_what_stops_them():
    falling = minimize(lambda x: -(x[0] ** 2), [1.0], jac=lambda x: -2.0 * x, method="CG")
    assert falling.stop_reason == StopReason.UNBOUNDED and not falling.success
    wrong = minimize(lambda x: x[0] ** 2, [1.0], jac=lambda x: -2.0 * x, method="CG")
    assert wrong.stop_reason == StopReason.LINE_SEARCH_FAILED and not wrong.success
    missing = minimize(lambda x: x[0] ** 2, [1.0], jac=lambda x: np.nan * x, method="CG")
    assert missing.stop_reason == StopReason.NO_DERIVATIVE and not missing.success
