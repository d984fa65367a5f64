"""Newton's method for many variables: products with the Hessian in the place of the Hessian, in a trust region.

Steihaug, SIAM J. Numer. Anal. 20 (1983) 626-637: each step is a few conjugate gradients towards the minimum of the
quadratic model, fewer far from the solution (Dembo, Eisenstat and Steihaug, SIAM J. Numer. Anal. 19 (1982) 400-408).
A step that is refused is tried again, shorter, without new products (Nocedal and Yuan, in Advances in Nonlinear
Programming (1998) 153-175). It needs some vectors as memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.descent.box import start_of
from ...kernels.descent.ends import gradient_at_best, look_at_start
from ...kernels.descent.truncated_step import truncated_step
from ...kernels.descent.trust_region import FIELDS, try_step
from ...kernels.numbers.linear_algebra import dot
from ...kernels.rows.population import Box, make_box
from ...kernels.run import RUNNING, Run, make_run
from ..contract import Solver, require
from .trust_exact import check_region, check_tolerances

SCALARS = record(slope="f8", curvature="f8", forcing="f8", **FIELDS)  # g's and s'Hs of the step


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    gtol: float = 1e-5  # largest entry of the projected gradient at which it has converged; SciPy's gtol
    xtol: float = 0.0  # an accepted step is below xtol (1 + |x_j|) in each variable: it has converged too; 0: never
    radius: float = 0.0  # the first; 0: as far as the first minimum along the gradient. SciPy: 1
    largest_radius: float = np.inf  # SciPy: 1000
    eta: float = 1e-4  # a step is taken that brings this share of the predicted decrease; SciPy: 0.15
    forcing: float = 0.1  # the model is solved to this share of |g|, or sqrt(|g|), whichever is less. SciPy: 0.5

    def __post_init__(self):
        check_tolerances(self)
        require(0 <= self.radius < np.inf, "radius", self.radius, "a finite number that is not negative")
        check_region(self)
        require(0 < self.forcing < 1, "forcing", self.forcing, "a share between 0 and 1")


class NewtonCgState(NamedTuple):
    x: Vector  # (D,) where it is
    g: Vector  # (D,)   the gradient there
    step: Vector  # (D,)
    trial: Vector  # (D,) where the step leads
    trial_g: Vector  # (D,)
    residual: Vector  # (D,) of conjugate gradients, as are the three that follow
    direction: Vector  # (D,)
    product: Vector  # (D,)
    held: Vector  # (D,)   1 where a bound holds the variable
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, run = domain.dimension, make_run(domain.dimension, limits, key)
    run.now[0].ftol = -1.0  # it is about the decrease of one step: looked at in stepping.move
    largest = options.largest_radius
    own = filled(
        SCALARS, radius=min(options.radius, largest), largest=largest, eta=options.eta, gtol=options.gtol,
        xtol=options.xtol, ftol=limits.ftol, forcing=options.forcing,
    )  # fmt: skip
    return NewtonCgState(
        x=start_of(domain),
        g=np.zeros(n),
        step=np.zeros(n),
        trial=np.zeros(n),
        trial_g=np.zeros(n),
        residual=np.zeros(n),
        direction=np.zeros(n),
        product=np.zeros(n),
        held=np.zeros(n),
        own=own,
        box=make_box(domain),
        run=run,
    )


@inlined
def shorten(state):
    """The step that was refused, as long as the radius has become."""
    own, step = state.own[0], state.step
    share = own.radius / np.sqrt(dot(step, step, step.size))
    for j in range(step.size):
        step[j] *= share
    own.slope *= share
    own.curvature *= share * share


@inlined
def iterate(problem, state):
    now, own, g, at_edge = state.run.now[0], state.own[0], state.g, True
    if now.iteration == 0:
        own.f = look_at_start(problem, state.x, g, own.gtol, state.box, state.run)
        return
    if own.known == 1:
        shorten(state)
    else:
        tolerance = min(own.forcing, dot(g, g, g.size) ** 0.25)
        own.slope, own.curvature, at_edge = truncated_step(problem, state, tolerance)
        if now.stop != RUNNING:
            return
    try_step(problem, state, -(own.slope + 0.5 * own.curvature), at_edge)


SOLVER = Solver(
    "newton_cg", "Newton's method by conjugate gradients, for many variables (Steihaug 1983)", Options, NewtonCgState,
    init, iterate=iterate, asks=frozenset({"value", "gradient", "product"}), domain="real", integers=False,
    planned=False, report=gradient_at_best,
)  # fmt: skip
