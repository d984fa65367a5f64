"""newton, newton_cg and trust_exact: each iteration against a plain transcription, and what they come to."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from thalweg.kernels.compile.structures import copied
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.call import begin, bind, parse_call

from .reference import second_order

METHODS = ("newton", "newton_cg", "trust_exact")
REGIONS = ("newton_cg", "trust_exact")


def valley(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def valley_gradient(x):
    g = np.zeros(len(x))
    for i in range(len(x) - 1):
        off = x[i + 1] - x[i] ** 2
        g[i] += -400.0 * x[i] * off - 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * off
    return g


def valley_hessian(x):
    H = np.zeros((len(x), len(x)))
    for i in range(len(x) - 1):
        H[i, i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        H[i + 1, i + 1] += 200.0
        H[i, i + 1] += -400.0 * x[i]
        H[i + 1, i] += -400.0 * x[i]
    return H


def saddles(x):
    """sum x_i^4 / 4 - x_i^2 / 2 + x_i x_{i+1} / 10: a saddle at 0, where many signs meet."""
    total = 0.0
    for i in range(len(x)):
        total += 0.25 * x[i] ** 4 - 0.5 * x[i] ** 2
        if i + 1 < len(x):
            total += 0.1 * x[i] * x[i + 1]
    return total


def saddles_gradient(x):
    g = x**3 - x
    for i in range(len(x) - 1):
        g[i] += 0.1 * x[i + 1]
        g[i + 1] += 0.1 * x[i]
    return g


def saddles_hessian(x):
    H = np.zeros((len(x), len(x)))
    for i in range(len(x)):
        H[i, i] = 3.0 * x[i] ** 2 - 1.0
        if i + 1 < len(x):
            H[i, i + 1] = H[i + 1, i] = 0.1
    return H


VALLEY, SADDLES = (valley, valley_gradient, valley_hessian), (saddles, saddles_gradient, saddles_hessian)
START = (-1.2, 1.0, -0.7, 0.8, 1.4)
BOX = ((-1.5, 0.4), (-2.0, 2.0), (-1.0, np.inf), (0.3, 0.8), (0.5, 1.2))
INSIDE = (-1.2, 1.0, -0.7, 0.8, 1.1)
SETTINGS = {  # objective, x0, bounds, options
    "valley": (VALLEY, START, None, {}),
    "valley in a box": (VALLEY, INSIDE, BOX, {}),
    "saddles": (SADDLES, (0.1, -0.2, 0.05, 0.1, 0.0), None, {}),
    "saddles in a box": (SADDLES, (0.1, -0.2, 0.05, 0.4, 0.6), BOX, {}),
    "no curvature on the diagonal": (SADDLES, (0.577, -0.5774, 0.5773, 0.577, -0.578), None, {}),
    "near bounds": (VALLEY, (-1.2, 1.9988, -0.7, 0.3013, 0.5006), BOX, {}),
    "far": (SADDLES, (30.0, -20.0, 10.0, 5.0, 1.0), None, {}),
}
SHORT = {"radius": 0.3, "largest_radius": 0.8, "eta": 0.1}


for k in range(8):
    draw = np.random.default_rng(k)
    low, high = np.array(BOX).T
    at = draw.uniform(low, np.minimum(high, 2.0))
    SETTINGS[f"random {k}"] = (VALLEY if k % 2 else SADDLES, tuple(at), BOX if k % 4 < 2 else None, {})


def runs(method):
    yield from SETTINGS.items()
    if method in REGIONS:
        yield "short", (VALLEY, START, None, SHORT)
        yield "short in a box", (SADDLES, SETTINGS["saddles in a box"][1], BOX, SHORT)


@cache
def iterations(method, name):
    """(state before, state after) of each iteration but the first, in which nothing but x0 is evaluated."""
    (f, g, h), x0, bounds, options = dict(runs(method))[name]
    call = parse_call(f, x0=x0, bounds=bounds, method=method, jac=g, hess=h, options={"gtol": 1e-7} | options)
    bound = bind(call)
    problem, state, advance = bound.problem(), begin(call, 0), drivers.serial(call.solver)
    pairs = []
    while not state.run.now[0].stop:
        before = copied(state)
        advance(problem, state, 1)
        pairs.append((before, copied(state)))
    return pairs[1:]


def plain(state, functions):
    """What the transcriptions read."""
    own, f, g, h = state.own[0], *functions
    names = [name for name in own.dtype.names if name not in ("slope", "curvature")]
    s = SimpleNamespace(**{name: own[name].item() for name in names}, fun=f, gradient=g, hessian=h)
    s.x, s.g, s.lower, s.upper = state.x.copy(), state.g.copy(), state.box.lower, state.box.upper
    s.step = state.step.copy() if hasattr(state, "step") else None
    return s


@pytest.mark.parametrize(("method", "name"), [(m, name) for m in METHODS for name, _ in runs(m)])
def test_each_iteration_equals_its_transcription(method, name):
    pairs, functions = iterations(method, name), dict(runs(method))[name][0]
    assert len(pairs) >= 2
    for before, after in pairs:
        now, then = after.run.now[0], before.run.now[0]
        if now["evaluations"] == then["evaluations"]:  # the last one only looks at the curvature
            continue
        s = getattr(second_order, method)(plain(before, functions))
        tolerance = 1e-7 if method == "newton_cg" else 1e-9  # conjugate gradients make rounding grow
        close = dict(rtol=tolerance, atol=0.01 * tolerance, err_msg=f"iteration {then['iteration']}")
        np.testing.assert_allclose(after.x, s.x, **close)
        np.testing.assert_allclose(after.g, functions[1](after.x), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(after.own[0].f, s.f, **close)
        if method == "newton":
            assert now["evaluations"] - then["evaluations"] == s.tried
            continue
        np.testing.assert_allclose(after.step, s.step, **close)
        np.testing.assert_allclose(after.own[0].radius, s.radius, **close)
        assert after.own[0].known == (not s.taken) or now["stop"]
        if method == "newton_cg":
            assert now["hessians"] - then["hessians"] == s.products
        else:
            assert after.own[0].curved == s.curved


@pytest.mark.parametrize("method", METHODS)
def test_the_settings_see_all_that_happens(method):
    seen = [pair for name, _ in runs(method) for pair in iterations(method, name)]
    if method == "newton":
        tried = [a.run.now[0]["evaluations"] - b.run.now[0]["evaluations"] for b, a in seen]
        assert 1 in tried and max(tried) > 2
        return
    radii = [(b.own[0].radius, a.own[0].radius) for b, a in seen]
    assert any(after < before for before, after in radii) and any(after > before for before, after in radii)
    assert any(a.own[0].known for _, a in seen) and any(a.own[0].radius == 0.8 for _, a in seen)
    if method == "trust_exact":
        assert {int(a.own[0].curved) for _, a in seen} == {0, 1}
