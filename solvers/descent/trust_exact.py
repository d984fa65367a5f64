"""A trust region in which the step is nearly exact: Newton's method for any start, bounds included.

Moré and Sorensen, Computing a trust region step, SIAM J. Sci. Stat. Comput. 4 (1983) 553-572. Each iteration asks for
a Hessian, unless the step before was refused, and solves a few systems with it: for problems of up to some hundreds of
variables. Indefinite and singular Hessians are its ordinary business, and it leaves saddle points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.descent.box import start_of
from ...kernels.descent.ends import gradient_at_best, look_at_start
from ...kernels.descent.exact_step import exact_step
from ...kernels.descent.trust_region import FIELDS, try_step
from ...kernels.numbers.linear_algebra import all_finite
from ...kernels.rows.population import Box, make_box
from ...kernels.run import GRADIENT_SMALL, NO_DERIVATIVE, Run, evaluate_hessian, make_run
from ..contract import Solver, require

SCALARS = record(**FIELDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    gtol: float = 1e-5  # largest entry of the projected gradient at which it has converged; SciPy's gtol
    xtol: float = 0.0  # an accepted step is below xtol (1 + |x_j|) in each variable: it has converged too; 0: never
    radius: float = 10.0  # the first, at most; SciPy's 1 takes 7 % more evaluations on the problems of bench/local.py
    largest_radius: float = np.inf  # SciPy: 1000
    eta: float = 1e-4  # a step is taken that brings this share of the predicted decrease; SciPy: 0.15

    def __post_init__(self):
        check_tolerances(self)
        require(0 < self.radius < np.inf, "radius", self.radius, "a finite number above 0")
        check_region(self)


def check_tolerances(options) -> None:
    """ValueError if one of gtol and xtol is no tolerance."""
    require(options.gtol >= 0, "gtol", options.gtol, "a number that is not negative")
    require(options.xtol >= 0, "xtol", options.xtol, "a number that is not negative")


def check_region(options) -> None:
    """ValueError if largest_radius or eta make no sense."""
    largest, eta = options.largest_radius, options.eta
    require(largest > 0, "largest_radius", largest, "a number above 0, which may be inf")
    require(0 <= eta < 0.25, "eta", eta, "a share from 0 up to, but not including, 0.25")


class TrustExactState(NamedTuple):
    x: Vector  # (D,) where it is
    g: Vector  # (D,)   the gradient there
    hessian: Matrix  # (D, D) there, where own.known is 1
    step: Vector  # (D,)
    trial: Vector  # (D,) where the step leads
    trial_g: Vector  # (D,)
    free: Integers  # (D,) the variables that no bound holds
    block: Matrix  # (D, D) their Hessian
    factor: Matrix  # (D, D)   its Cholesky factor, shifted
    scratch: Matrix  # (5, D)
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, run = domain.dimension, make_run(domain.dimension, limits, key)
    run.now[0].ftol = -1.0  # it is about the decrease of one step: looked at in stepping.move
    largest = options.largest_radius
    own = filled(
        SCALARS, radius=min(options.radius, largest), largest=largest, eta=options.eta, gtol=options.gtol,
        xtol=options.xtol, ftol=limits.ftol,
    )  # fmt: skip
    return TrustExactState(
        x=start_of(domain),
        g=np.zeros(n),
        hessian=np.zeros((n, n)),
        step=np.zeros(n),
        trial=np.zeros(n),
        trial_g=np.zeros(n),
        free=np.zeros(n, dtype=np.int64),
        block=np.zeros((n, n)),
        factor=np.zeros((n, n)),
        scratch=np.zeros((5, n)),
        own=own,
        box=make_box(domain),
        run=run,
    )


@inlined
def iterate(problem, state):
    now, own, box = state.run.now[0], state.own[0], state.box
    if now.iteration == 0:
        own.f = look_at_start(problem, state.x, state.g, -1.0, box, state.run)  # a small gradient is no end yet
        return
    if own.known == 0:
        if not evaluate_hessian(problem, state.x, state.hessian, state.run):
            return
        if not all_finite(state.hessian):
            now.stop = NO_DERIVATIVE
            return
    decrease, at_edge, curved = exact_step(
        state.x, state.g, state.hessian, own.radius, box.lower, box.upper, state.step, state.free, state.block,
        state.factor, state.scratch,
    )  # fmt: skip
    own.curved = 1 if curved else 0
    if now.optimality <= own.gtol and not curved:
        now.stop = GRADIENT_SMALL
        return
    try_step(problem, state, decrease, at_edge)


SOLVER = Solver(
    "trust_exact", "Newton's method in a trust region, the step nearly exact (Moré and Sorensen 1983)", Options,
    TrustExactState, init, iterate=iterate, asks=frozenset({"value", "gradient", "hessian"}), domain="real",
    integers=False, planned=False, report=gradient_at_best,
)  # fmt: skip
