"""Newton's method for one variable, with slope and curvature, kept on the way to a minimum.

The step is f'/f'' (Newton, Raphson); where f'' < 0 it is f'/|f''|, downhill. It is halved until the value is low enough
(Armijo), and stays between points whose slopes say that a minimum lies between them: else it goes to the middle, as
bisection does. Dennis and Schnabel, Numerical Methods for Unconstrained Optimization (1983), sections 2.5 and 6.3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Matrix, Vector, filled, record
from ...kernels.descent.line import LINE, LOWEST, make_line
from ...kernels.run import (
    GRADIENT_SMALL,
    LINE_SEARCH_FAILED,
    NO_DERIVATIVE,
    RUNNING,
    STEP_SMALL,
    UNBOUNDED,
    Run,
    evaluate_gradient,
    evaluate_hessian,
    make_run,
    spent,
)
from ..contract import Solver, require

SCALARS = record(
    x="f8", f="f8", g="f8",  # the point, its value and slope
    low="f8", high="f8",  # the bounds
    a="f8", b="f8",  # slopes are below 0 at a and above 0 at b: a minimum lies between them
    d="f8",  # the last step
    xtol="f8",
)  # fmt: skip
ABSOLUTE = 1e-11  # tolerance of x beside the relative one, as of Brent
LONGEST = 100.0  # a step is at most so many times max(1, |x|)
ENOUGH = 1e-4  # of the decrease that the slope promises
ASIDE = 1e-3  # how far to look where slope and curvature say nothing, relative to max(1, |x|)
ROUNDING = 4.0 * np.finfo(np.float64).eps  # values that differ by less, relative, are equal


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    xtol: float = 1.48e-8  # a whole step this small, relative to x, ends the run; the error is about its square

    def __post_init__(self):
        require(self.xtol >= 0, "xtol", self.xtol, "a number that is not negative")


class NewtonOnLineState(NamedTuple):
    x: Vector  # (1,)   what is evaluated
    g: Vector  # (1,)   its slope
    h: Matrix  # (1, 1) its curvature
    own: Annotated[np.ndarray, SCALARS]
    line: Annotated[np.ndarray, LINE]
    run: Run


def init(domain, options, limits, key):
    own = filled(
        SCALARS, x=domain.x0[0, 0], f=np.inf, low=domain.lower[0], high=domain.upper[0], a=-np.inf, b=np.inf,
        xtol=options.xtol,
    )  # fmt: skip
    return NewtonOnLineState(np.zeros(1), np.zeros(1), np.zeros((1, 1)), own, make_line(), make_run(1, limits, key))


@inlined
def ask(problem, point, state):
    """The value at a number; its slope is in state.g."""
    state.x[0] = point
    return evaluate_gradient(problem, state.x, state.g, state.run)


@inlined
def narrow(own, x, g):
    """What a slope tells of where the minimum is."""
    if g < 0.0:
        own.a = x
    elif g > 0.0:
        own.b = x


@part
def take(state, f):
    """Go to state.x, and see whether that is the end."""
    own, now = state.own[0], state.run.now[0]
    own.d = state.x[0] - own.x
    own.x, own.f, own.g = state.x[0], f, state.g[0]
    narrow(own, own.x, own.g)
    at_bound = (own.x <= own.low and own.g > 0.0) or (own.x >= own.high and own.g < 0.0)
    now.optimality = 0.0 if at_bound else abs(own.g)
    if now.stop != RUNNING:
        return
    if f == np.inf or abs(own.g) == np.inf or own.g != own.g:
        now.stop = NO_DERIVATIVE
    elif f < LOWEST or abs(own.x) == np.inf:
        now.stop = UNBOUNDED
    elif at_bound:
        now.stop = GRADIENT_SMALL
    elif own.b - own.a <= tolerance(own):
        now.stop = STEP_SMALL


@inlined
def tolerance(own):
    return own.xtol * abs(own.x) + ABSOLUTE


@inlined
def whole_step(own, h):
    """Newton's step, downhill, inside the bounds, and on this side of the points that a and b are."""
    longest = LONGEST * max(1.0, abs(own.x))
    d = abs(own.g / h) if h != 0.0 else longest
    if h < 0.0:
        d = max(d, 2.0 * abs(own.d))  # away from a hill, ever faster
    d = min(d, longest) if own.g < 0.0 else -min(d, longest)
    u = own.x + d
    if u >= own.b:
        u = 0.5 * (own.x + own.b)
    elif u <= own.a:
        u = 0.5 * (own.x + own.a)
    return min(max(u, own.low), own.high) - own.x


@inlined
def follow(problem, state, d):
    """Go a step d, or a part of it, that makes the value less."""
    own, run = state.own[0], state.run
    whole = abs(d) <= tolerance(own)
    while True:
        f = ask(problem, own.x + d, state)
        equal = abs(f - own.f) <= ROUNDING * abs(own.f) and abs(state.g[0]) < abs(own.g)  # slopes tell more here
        if f <= own.f + ENOUGH * own.g * d or equal:
            take(state, f)
            if whole and run.now[0].stop == RUNNING:
                run.now[0].stop = STEP_SMALL
            return
        if state.g[0] * own.g < 0.0:  # too far, as the slope says, too
            narrow(own, own.x + d, state.g[0])
        d *= 0.5
        if not spent(run) and (abs(d) <= tolerance(own) or own.x + d == own.x):
            run.now[0].stop = STEP_SMALL if own.b - own.a <= 2.0 * tolerance(own) else LINE_SEARCH_FAILED
        if spent(run):
            return


@inlined
def look_aside(problem, state):
    """No slope, and no curvature that says it is a minimum: it is one where the values at both sides are not lower."""
    own, now = state.own[0], state.run.now[0]
    here = own.x
    aside = ASIDE * max(1.0, abs(here))
    for side in range(2):
        point = min(max(here + (aside if side == 0 else -aside), own.low), own.high)
        f = ask(problem, point, state)
        if f < own.f:
            take(state, f)
            return
    now.stop = GRADIENT_SMALL if now.stop == RUNNING else now.stop


@inlined
def iterate(problem, state):
    own, now = state.own[0], state.run.now[0]
    if now.iteration == 0:
        take(state, ask(problem, own.x, state))
        return
    state.x[0] = own.x
    if not evaluate_hessian(problem, state.x, state.h, state.run):
        return
    h = state.h[0, 0]
    if h != h or abs(h) == np.inf:
        now.stop = NO_DERIVATIVE
    elif own.g != 0.0:
        follow(problem, state, whole_step(own, h))
    elif h > 0.0:
        now.stop = GRADIENT_SMALL
    else:
        look_aside(problem, state)


def report(state) -> dict:
    """The last point: where values are equal but for rounding, it is nearer to the minimum than the lowest one."""
    own = state.own
    return {"x": np.float64(own["x"][0]), "fun": np.float64(own["f"][0]), "jac": np.float64(own["g"][0])}


SOLVER = Solver(
    "newton", "steps f'/f'' downhill, between points whose slopes say where the minimum is", Options,
    NewtonOnLineState, init, iterate=iterate, asks=frozenset({"value", "gradient", "hessian"}), domain="real",
    integers=False, planned=False, report=report,
)  # fmt: skip
