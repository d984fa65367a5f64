"""Powell's dogleg in a region that is a box, so that it fits into bounds.

Powell, A new algorithm for unconstrained optimization, in Nonlinear Programming (1970) 31-65; Voglis and Lagaris, A
rectangular trust region dogleg approach for unconstrained and bound constrained nonlinear optimization, WSEAS
International Conference on Applied Mathematics (2004). Variables at a bound that the gradient keeps there are fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.least_squares.box import best_on, hits, reach
from ...kernels.least_squares.fit import (
    Fit,
    accept,
    evaluate_cost,
    fit_region,
    gradient_test,
    linearise,
    make_fit,
    scale_by_columns,
    step_test,
)
from ...kernels.numbers.qr import norm
from ...kernels.rows.population import Box, make_box
from ...kernels.run import Run, make_run, spent
from ..contract import Solver
from .factorised import Factorised, gauss_newton_step, make_factorised
from .options import Tolerances, report

SCALARS = record(radius="f8")


@dataclass(frozen=True, kw_only=True)
class Options(Tolerances):
    pass


class DogboxState(NamedTuple):
    fit: Fit
    linear: Factorised
    newton: Vector  # (D,) the step of Gauss and Newton
    step: Vector  # (D,)
    rest: Vector  # (D,) the second leg
    free: Vector  # (D,) 0: held at its bound by the gradient
    low: Vector  # (D,) of the step: region and bounds together
    high: Vector  # (D,)
    zero: Vector  # (D,)
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n = domain.dimension
    vectors = ("newton", "step", "rest", "free", "low", "high", "zero")
    return DogboxState(
        fit=make_fit(domain, options),
        linear=make_factorised(domain.count, n),
        own=filled(SCALARS),
        box=make_box(domain),
        run=make_run(n, limits, key),
        **{name: np.zeros(n) for name in vectors},
    )


@inlined
def find_free(state):
    """free, and the largest entry of the gradient over the free variables."""
    fit, largest = state.fit, 0.0
    for j in range(fit.x.size):
        held = (fit.x[j] <= state.box.lower[j] and fit.g[j] > 0.0) or (
            fit.x[j] >= state.box.upper[j] and fit.g[j] < 0.0
        )
        state.free[j] = 0.0 if held else 1.0
        largest = max(largest, state.free[j] * abs(fit.g[j]))
    return largest


@inlined
def first_radius(state):
    """The largest entry of the scaled x0."""
    radius = 0.0
    for j in range(state.fit.x.size):
        radius = max(radius, abs(state.fit.x[j] * state.fit.scale[j]))
    return radius if radius > 0.0 else 1.0


@part
def model_along(fit, s, free):
    """(a, b) of the model a t^2 + b t along s, over the free variables."""
    a = b = 0.0
    for i in range(fit.r.size):
        image = 0.0
        for j in range(s.size):
            image += fit.J[i, j] * s[j] * free[j]
        a += 0.5 * image * image
    for j in range(s.size):
        b += fit.g[j] * s[j] * free[j]
    return a, b


@part
def dogleg(state):
    """state.step: along the gradient to the least of the model, then towards the step of Gauss and Newton.

    Whether it ends at the edge of the region.
    """
    fit, box, own, n = state.fit, state.box, state.own[0], state.step.size
    within = True
    for j in range(n):
        radius = own.radius / fit.scale[j]
        state.low[j] = max(box.lower[j] - fit.x[j], -radius)
        state.high[j] = min(box.upper[j] - fit.x[j], radius)
        within = within and (state.free[j] == 0.0 or state.low[j] <= state.newton[j] <= state.high[j])
        state.step[j] = -fit.g[j] * state.free[j]
    if within:
        for j in range(n):
            state.step[j] = state.newton[j]
        return False
    a, b = model_along(fit, state.step, state.free)
    t = best_on(a, b, 0.0, reach(state.zero, state.step, state.low, state.high))
    for j in range(n):
        state.step[j] *= t
        state.rest[j] = state.newton[j] - state.step[j]
    t = reach(state.step, state.rest, state.low, state.high)
    at_edge = False
    for j in range(n):
        side = hits(state.step, state.rest, state.low, state.high, t, j)
        radius = own.radius / fit.scale[j]
        at_edge = at_edge or (side == -1 and state.low[j] == -radius) or (side == 1 and state.high[j] == radius)
        if side == 0:
            state.step[j] = min(max(state.step[j] + t * state.rest[j], state.low[j]), state.high[j])
        else:
            state.step[j] = state.low[j] if side == -1 else state.high[j]
    return at_edge


@inlined
def place_trial(state):
    """fit.trial = x + step; what the step takes to a bound stands on it."""
    fit, box = state.fit, state.box
    for j in range(fit.x.size):
        step, low, high = state.step[j], box.lower[j], box.upper[j]
        if step != 0.0 and step == low - fit.x[j]:
            fit.trial[j] = low
        elif step != 0.0 and step == high - fit.x[j]:
            fit.trial[j] = high
        else:
            fit.trial[j] = min(max(fit.x[j] + step, low), high)


@inlined
def iterate(problem, state):
    fit, own, run, n = state.fit, state.own[0], state.run, state.step.size
    now = run.now[0]
    if now.iteration == 0:
        fit.own[0].cost = evaluate_cost(problem, fit.x, fit.r, fit, run)
        if now.raised == 0 and linearise(problem, fit, run):
            scale_by_columns(fit)
            own.radius = first_radius(state)
            gradient_test(fit, run, find_free(state))
        return
    find_free(state)
    gauss_newton_step(fit, state.linear, state.free, state.newton)
    x_norm = norm(fit.x, n)
    while not spent(run):
        at_edge = dogleg(state)
        a, b = model_along(fit, state.step, state.free)
        place_trial(state)
        cost = evaluate_cost(problem, fit.trial, fit.trial_r, fit, run)
        if now.raised == 1:
            return
        length = 0.0
        for j in range(n):
            length = max(length, abs(state.step[j] * fit.scale[j]))
        if not cost < np.inf:
            own.radius = 0.25 * length
            continue
        gain = fit.own[0].cost - cost
        own.radius, ratio = fit_region(own.radius, gain, -(a + b), length, at_edge)
        over = step_test(fit, run, gain, ratio, norm(state.step, n), x_norm)
        if gain > 0.0:
            accept(fit, cost)
            if linearise(problem, fit, run):
                scale_by_columns(fit)
                gradient_test(fit, run, find_free(state))
            return
        if over:
            return


SOLVER = Solver(
    "dogbox", "Powell's dogleg in a region that is a box (Voglis and Lagaris 2004)", Options, DogboxState, init,
    iterate=iterate, asks=frozenset({"residuals", "jacobian"}), domain="real", integers=False, planned=False,
    report=report,
)  # fmt: skip
