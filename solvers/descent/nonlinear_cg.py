"""Nonlinear conjugate gradients: d = -g + b d', d' being the direction before.

With y = g - g', the change of the gradient, b is by variant

    polak_ribiere     max(0, g y / g' g')                  Polak and Ribière, RIRO 3 (1969) 35, as Powell (1986) and
                                                           Gilbert and Nocedal, SIAM J. Optim. 2 (1992) 21, cut it
    fletcher_reeves   g g / g' g'                          Fletcher and Reeves, Computer J. 7 (1964) 149
    hager_zhang       (y - 2 d' y y / d' y) g / d' y       Hager and Zhang, SIAM J. Optim. 16 (2005) 170, eq. 1.3, from
                      but >= -1 / (|d'| min(0.01, |g'|))   below by their eq. 1.5 and 1.6

The first two begin anew from -g where two gradients are far from orthogonal, |g g'| >= 0.2 g g (Powell, Math.
Programming 12 (1977) 241, eq. 11); all where d is no direction of descent. The step satisfies the strong Wolfe
conditions, c1 and c2 as SciPy's; its first trial is the minimum of a parabola that falls as the last step did (Nocedal
and Wright 2006, eq. 3.60).

Within bounds: variables that the gradient pushes outwards stay at their bounds, steps end at the nearest bound of the
others, and the directions begin anew whenever this changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.descent.box import start_of
from ...kernels.descent.ends import gradient_at_best, look_at_start, look_at_step
from ...kernels.descent.line_search import at_least_a_bit, longest_step, strong_wolfe
from ...kernels.numbers.linear_algebra import dot
from ...kernels.rows.population import Box, make_box
from ...kernels.run import LINE_SEARCH_FAILED, RUNNING, Run, make_run
from ..contract import Solver, require

VARIANTS = ("polak_ribiere", "fletcher_reeves", "hager_zhang")
POLAK_RIBIERE, FLETCHER_REEVES, HAGER_ZHANG = range(3)
ORTHOGONAL = 0.2  # Powell's
ETA = 0.01  # Hager and Zhang's
DESCENT = 0.01  # d g <= -DESCENT g g, or it begins anew (as SciPy; Gilbert and Nocedal, eq. 1.4)
NARROW = 1e-14  # of the interval of the line search: only rounding ends it
SCALARS = record(
    f="f8",  # the value at x
    gtol="f8", ftol="f8", c1="f8", c2="f8", maxls="i8", variant="i8",
    change="f8",  # twice that of the value in the last step; 0: there is none
    anew="i8",  # 1: the direction is -g
    bounded="i8",  # 1: there is a bound
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    variant: str = "polak_ribiere"
    gtol: float = 1e-5  # largest entry of the projected gradient: converged
    c1: float = 1e-4  # of the line search: decrease and slope
    c2: float = 0.4
    maxls: int = 40  # evaluations of a line search

    def __post_init__(self):
        require(self.variant in VARIANTS, "variant", self.variant, "one of " + ", ".join(VARIANTS))
        require(self.gtol >= 0, "gtol", self.gtol, "a number that is not negative")
        require(0 < self.c1 < self.c2 < 1, "c1, c2", (self.c1, self.c2), "0 < c1 < c2 < 1")
        require(self.maxls >= 1, "maxls", self.maxls, "a whole number, at least 1")


class NonlinearCgState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x; 0 where a variable stays at its bound
    direction: Vector  # (D,)
    trial: Vector  # (D,) a point of the line search
    trial_g: Vector  # (D,) and its gradient
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, run = domain.dimension, make_run(domain.dimension, limits, key)
    run.now[0].ftol = -1.0  # of two values one after the other, here
    own = filled(
        SCALARS, f=np.inf, gtol=options.gtol, ftol=limits.ftol, c1=options.c1, c2=options.c2, maxls=options.maxls,
        variant=VARIANTS.index(options.variant), bounded=np.isfinite(domain.bounds).any(),
    )  # fmt: skip
    g, direction, trial, trial_g = np.zeros((4, n))
    return NonlinearCgState(start_of(domain), g, direction, trial, trial_g, own, make_box(domain), run)


@inlined
def begin_anew(state):
    """direction = -g"""
    for j in range(state.x.size):
        state.direction[j] = -state.g[j]
    state.own[0].anew = 1


@inlined
def hold_at_bounds(x, g, box):
    """g_j = 0 where it pushes x_j outwards."""
    for j in range(x.size):
        if (x[j] <= box.lower[j] and g[j] > 0.0) or (x[j] >= box.upper[j] and g[j] < 0.0):
            g[j] = 0.0


@inlined
def iterate(problem, state):
    now, own = state.run.now[0], state.own[0]
    x, g, direction, n, bounded = state.x, state.g, state.direction, state.x.size, state.own[0].bounded == 1
    if now.iteration == 0:
        own.f = look_at_start(problem, x, g, own.gtol, state.box, state.run)
        if now.stop != RUNNING:
            return
        hold_at_bounds(x, g, state.box)
        begin_anew(state)
    while True:  # a second time where the direction has led astray
        slope = dot(g, direction, n)
        step = own.change / slope if own.change < 0.0 else at_least_a_bit(1.0 / np.sqrt(-slope))
        largest = longest_step(x, direction, state.box) if bounded else np.inf
        why, step, value, _ = strong_wolfe(
            problem, x, own.f, direction, slope, step, largest, own.c1, own.c2, NARROW, own.maxls, state.box, bounded,
            state.trial, state.trial_g, state.run,
        )  # fmt: skip
        if why != LINE_SEARCH_FAILED or own.anew == 1:
            break
        begin_anew(state)
        own.change = 0.0
    if why != RUNNING:
        now.stop = why
        return
    before, optimality, own.change = own.f, now.optimality, 2.0 * (value - own.f)
    own.f = value
    look_at_step(state.trial, state.trial_g, before, value, own.gtol, own.ftol, state.box, state.run)
    if now.stop == RUNNING and value >= before and now.optimality >= optimality:
        now.stop = LINE_SEARCH_FAILED  # rounding hides whether it gets anywhere
    accept(state, step >= largest)


@part
def accept(state, met_bound):
    """x and g are those of the trial; the next direction."""
    own, x, g, direction, trial, trial_g = state.own[0], state.x, state.g, state.direction, state.trial, state.trial_g
    n, changed = x.size, met_bound
    hold_at_bounds(trial, trial_g, state.box)
    for j in range(n):
        changed = changed or (own.bounded == 1 and (g[j] == 0.0) != (trial_g[j] == 0.0))
    beta = conjugate(own.variant, direction, g, trial_g, n)
    for j in range(n):
        x[j], g[j] = trial[j], trial_g[j]
        direction[j] = beta * direction[j] - g[j]
    own.anew = 0
    if changed or not -np.inf < dot(g, direction, n) <= -DESCENT * dot(g, g, n):
        begin_anew(state)


@inlined
def conjugate(variant, direction, before, g, n):
    """b, the share of the direction that stays."""
    old, new, both = dot(before, before, n), dot(g, g, n), dot(g, before, n)
    if variant == HAGER_ZHANG:
        dy = dot(direction, g, n) - dot(direction, before, n)
        yy, yg = new - 2.0 * both + old, new - both
        bound = -1.0 / (np.sqrt(dot(direction, direction, n)) * min(ETA, np.sqrt(old)))
        return max((yg - 2.0 * dot(direction, g, n) * yy / dy) / dy, bound)
    if abs(both) >= ORTHOGONAL * new:
        return 0.0
    return new / old if variant == FLETCHER_REEVES else max(0.0, (new - both) / old)


SOLVER = Solver(
    "nonlinear_cg", "conjugate gradients (Polak-Ribière, Fletcher-Reeves, Hager-Zhang)", Options, NonlinearCgState,
    init, iterate=iterate, asks=frozenset({"value", "gradient"}), domain="real", integers=False, planned=False,
    report=gradient_at_best,
)  # fmt: skip
