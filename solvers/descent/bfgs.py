"""BFGS: quasi-Newton steps with a full inverse of the Hessian.

Broyden, Fletcher, Goldfarb and Shanno, 1970; algorithm 6.1 of Nocedal and Wright, Numerical Optimization, second
edition (2006), with their scaling (6.20) before the first update, and the line search of Moré and Thuente (1994). c1,
c2, gtol and the length 1 of the first step are SciPy's.

Within bounds: variables that are pushed outwards stay at their bounds, the others take the step that their block of the
inverse gives, up to the nearest bound (the two metrics of Bertsekas, SIAM J. Control Optim. 20 (1982) 221-246). The
inverse learns from the free ones only, so that in a face it is what it would be without the other variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Matrix, Vector, filled, record
from ...kernels.descent.box import start_of
from ...kernels.descent.ends import gradient_at_best, look_at_start, look_at_step
from ...kernels.descent.inverse_hessian import set_to_multiple, step_of_newton, update_inverse
from ...kernels.descent.line_search import first_step, longest_step, strong_wolfe
from ...kernels.numbers.linear_algebra import EPSILON, dot
from ...kernels.reals import shortened
from ...kernels.rows.population import Box, make_box
from ...kernels.run import LINE_SEARCH_FAILED, RUNNING, STEP_SMALL, Run, make_run
from ..contract import Solver, require

NARROW = 1e-14  # of the interval of the line search: only rounding ends it
SCALARS = record(
    f="f8", fall="f8",  # the value at x; how much it fell in the last step
    gtol="f8", xtol="f8", ftol="f8", c1="f8", c2="f8", maxls="i8",
    updates="i8",  # since H was the identity
    bounded="i8",  # 1: there is a bound
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    gtol: float = 1e-5  # largest entry of the gradient: converged
    xtol: float = 0.0  # a step of less than xtol (xtol + |x|): converged (SciPy's xrtol)
    c1: float = 1e-4  # of the line search: decrease and slope
    c2: float = 0.9
    maxls: int = 40  # evaluations of a line search
    hess_inv0: tuple[tuple[float, ...], ...] | None = None  # (D, D) the inverse to begin with; None: the identity

    def __post_init__(self):
        require(self.gtol >= 0, "gtol", self.gtol, "a number that is not negative")
        require(self.xtol >= 0, "xtol", self.xtol, "a number that is not negative")
        require(0 < self.c1 < self.c2 < 1, "c1, c2", (self.c1, self.c2), "0 < c1 < c2 < 1")
        require(self.maxls >= 1, "maxls", self.maxls, "a whole number, at least 1")
        if self.hess_inv0 is not None:
            inverse = np.array(self.hess_inv0)
            if not is_positive(inverse):
                raise ValueError(f"hess_inv0: got {shortened(inverse)}, expected a symmetric, positive definite matrix")


def is_positive(matrix) -> bool:
    """Whether a matrix is symmetric and positive definite."""
    square = matrix.shape[0] == matrix.shape[1] and np.isfinite(matrix).all()
    return bool(square and np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix)[0] > 0)


class BfgsState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    direction: Vector  # (D,)
    trial: Vector  # (D,) a point of the line search; then the step
    trial_g: Vector  # (D,) its gradient; then what the gradient has changed
    H: Matrix  # (D, D) the inverse of the Hessian
    free: Vector  # (D,) 0 where a variable stays at its bound in this iteration, else 1
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, run = domain.dimension, make_run(domain.dimension, limits, key)
    run.now[0].ftol = -1.0  # of two values one after the other, here
    given = {name: getattr(options, name) for name in ("gtol", "xtol", "c1", "c2", "maxls")}
    inverse = np.eye(n) if options.hess_inv0 is None else np.array(options.hess_inv0)
    require(inverse.shape == (n, n), "hess_inv0", inverse.shape, f"a matrix of shape ({n}, {n})")
    learned = int(options.hess_inv0 is not None)  # as if by an update: it is not scaled
    return BfgsState(
        x=start_of(domain),
        g=np.zeros(n),
        direction=np.zeros(n),
        trial=np.zeros(n),
        trial_g=np.zeros(n),
        H=inverse,
        free=np.ones(n),
        own=filled(
            SCALARS,
            f=np.inf,
            ftol=limits.ftol,
            updates=learned,
            bounded=np.isfinite(domain.bounds).any(),
            **given,
        ),
        box=make_box(domain),
        run=run,
    )


@inlined
def iterate(problem, state):
    now, own = state.run.now[0], state.own[0]
    x, g, H, direction, trial, trial_g = state.x, state.g, state.H, state.direction, state.trial, state.trial_g
    if now.iteration == 0:
        own.f = look_at_start(problem, x, g, own.gtol, state.box, state.run)
        if now.stop != RUNNING:
            return
    n, bounded = x.size, own.bounded == 1
    why, step, value, slope, new_slope = LINE_SEARCH_FAILED, 0.0, own.f, 0.0, 0.0
    while True:  # a second time where H has led astray
        if bounded:
            stay_inside(state)
        else:
            step_of_newton(H, g, direction)
        slope = dot(g, direction, n)
        if slope < 0.0:
            step = 1.0 if own.updates > 0 else first_step(direction, slope, own.fall)
            largest = longest_step(x, direction, state.box) if bounded else np.inf
            why, step, value, new_slope = strong_wolfe(
                problem, x, own.f, direction, slope, step, largest, own.c1, own.c2, NARROW, own.maxls, state.box,
                bounded, trial, trial_g, state.run,
            )  # fmt: skip
        if why != LINE_SEARCH_FAILED or own.updates == 0:
            break
        set_to_multiple(H, 1.0)
        own.updates = 0
    if why != RUNNING:
        now.stop = why
        return
    before, optimality = own.f, now.optimality
    own.f, own.fall = value, before - value
    length, size = 0.0, 0.0
    for j in range(n):
        s, y = trial[j] - x[j], trial_g[j] - g[j]
        x[j], g[j] = trial[j], trial_g[j]
        trial[j], trial_g[j] = s, y * state.free[j]
        length += s * s
        size += x[j] * x[j]
    cut = bounded and new_slope < -own.c2 * abs(slope)  # short, as a bound was met: no sign of an end
    look_at_step(x, g, before, value, own.gtol, -1.0 if cut else own.ftol, state.box, state.run)
    if cut:
        learn(state, slope, new_slope)
        return
    if now.stop == RUNNING and own.xtol > 0.0 and np.sqrt(length) <= own.xtol * (own.xtol + np.sqrt(size)):
        now.stop = STEP_SMALL
    if now.stop == RUNNING and value >= before and now.optimality >= optimality:
        now.stop = LINE_SEARCH_FAILED  # rounding hides whether it gets anywhere
    learn(state, slope, new_slope)


@part
def stay_inside(state):
    """The step in the variables that are free: what neither the gradient nor the step pushes beyond its bound."""
    x, g, free, direction, masked, box = state.x, state.g, state.free, state.direction, state.trial_g, state.box
    for j in range(x.size):
        outward = (x[j] <= box.lower[j] and g[j] >= 0.0) or (x[j] >= box.upper[j] and g[j] <= 0.0)
        free[j] = 0.0 if outward else 1.0
    again = True
    while again:
        again = False
        for j in range(x.size):
            masked[j] = free[j] * g[j]
        step_of_newton(state.H, masked, direction)
        for j in range(x.size):
            direction[j] *= free[j]
            outward = (x[j] <= box.lower[j] and direction[j] < 0.0) or (x[j] >= box.upper[j] and direction[j] > 0.0)
            if outward:
                free[j], again = 0.0, True


@part
def learn(state, slope, new_slope):
    """H from the last step, in `trial`, and the change of the gradient, in `trial_g`; direction becomes scratch."""
    own, H, s, y, n = state.own[0], state.H, state.trial, state.trial_g, state.x.size
    sy, yy = dot(s, y, n), dot(y, y, n)
    if not (new_slope - slope > -EPSILON * slope and sy > 0.0 and 0.0 < sy / yy < np.inf):
        return
    if own.updates == 0:
        set_to_multiple(H, sy / yy)
    update_inverse(H, s, y, sy, state.direction)
    own.updates += 1


def report(state) -> dict:
    """The inverse of the Hessian, and the gradient, where the best point is where the run stands."""
    return gradient_at_best(state) | {"hess_inv": state.H.copy()}


SOLVER = Solver(
    "bfgs", "quasi-Newton steps with a full inverse of the Hessian (Nocedal and Wright 2006)", Options, BfgsState, init,
    iterate=iterate, asks=frozenset({"value", "gradient"}), domain="real", integers=False, planned=False, report=report,
)  # fmt: skip
