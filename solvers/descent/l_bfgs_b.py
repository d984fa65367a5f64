"""L-BFGS-B: quasi-Newton steps of limited memory, within bounds.

Byrd, Lu, Nocedal and Zhu, A limited memory algorithm for bound constrained optimization, SIAM J. Sci. Comput. 16 (1995)
1190-1208; its line search is that of Moré and Thuente, the subspace step is projected as in Morales and Nocedal, ACM
Trans. Math. Softw. 38 (2011) 7. Where no variable has a bound it is L-BFGS (Liu and Nocedal, Math. Programming 45
(1989) 503-528). Options and the first step are those of SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Vector, filled, record
from ...kernels.descent.box import start_of
from ...kernels.descent.cauchy_point import cauchy_point
from ...kernels.descent.compact import CompactForm, add_pair, factor_middle, make_form, move_variable
from ...kernels.descent.ends import gradient_at_best, look_at_start, look_at_step
from ...kernels.descent.limited_memory import Pairs, forget, make_pairs, multiply, quasi_newton_direction, remember
from ...kernels.descent.line_search import first_step, longest_step, strong_wolfe
from ...kernels.descent.subspace import minimise_subspace
from ...kernels.numbers.linear_algebra import dot
from ...kernels.rows.population import Box, make_box
from ...kernels.run import LINE_SEARCH_FAILED, RUNNING, Run, make_run
from ..contract import Solver, require
from .limited_inverse import limited_inverse

C1, C2, NARROW = 1e-3, 0.9, 0.1  # of the line search (section 6 of the paper; the width is the program's)
SCALARS = record(
    f="f8", fall="f8",  # the value at x; how much it fell in the last step
    gtol="f8", ftol="f8", maxls="i8",
    bounded="i8",  # 1: there is a bound
    boxed="i8",  # 1: every variable has two
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    memory: int = 10  # m, pairs that are kept (SciPy's maxcor)
    gtol: float = 1e-5  # largest entry of the projected gradient: converged
    ftol: float = 2.220446049250313e-09  # decrease of the value relative to max(|f|, |f'|, 1): converged
    maxls: int = 20  # evaluations of a line search

    def __post_init__(self):
        require(self.memory >= 1, "memory", self.memory, "a whole number, at least 1")
        require(self.gtol >= 0, "gtol", self.gtol, "a number that is not negative")
        require(self.ftol >= 0, "ftol", self.ftol, "a number that is not negative")
        require(self.maxls >= 1, "maxls", self.maxls, "a whole number, at least 1")


class LBfgsBState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    direction: Vector  # (D,)
    trial: Vector  # (D,) a point of the line search
    trial_g: Vector  # (D,) and its gradient
    point: Vector  # (D,) the Cauchy point, then the minimum over the subspace; (1,) where there are no bounds, as below
    breaks: Vector  # (D,) scratch
    heap: Integers  # (D,) scratch
    pairs: Pairs
    form: CompactForm
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, run, box = domain.dimension, make_run(domain.dimension, limits, key), make_box(domain)
    bounded = np.isfinite([box.lower, box.upper])
    inner = n if bounded.any() else 1
    ftol = options.ftol if limits.ftol < 0 else limits.ftol
    run.now[0].ftol = -1.0  # its own test, of two values one after the other
    return LBfgsBState(
        x=start_of(domain),
        g=np.zeros(n),
        direction=np.zeros(n),
        trial=np.zeros(n),
        trial_g=np.zeros(n),
        point=np.zeros(inner),
        breaks=np.zeros(inner),
        heap=np.zeros(inner, np.int64),
        pairs=make_pairs(options.memory, n),
        form=make_form(options.memory, inner),
        own=filled(
            SCALARS,
            f=np.inf,
            gtol=options.gtol,
            ftol=ftol,
            maxls=options.maxls,
            bounded=bounded.any(),
            boxed=bounded.all(),
        ),
        box=box,
        run=run,
    )


@inlined
def choose_direction(state):
    """direction (D,) from x to the minimum of the model. False: rounding has spoilt the model."""
    x, g, direction, pairs, form, box = state.x, state.g, state.direction, state.pairs, state.form, state.box
    bounded = state.own[0].bounded == 1
    if not bounded or (pairs.now[0].kept > 0 and is_inside(x, g, box)):
        quasi_newton_direction(pairs, g, direction)
        if not bounded or stays_inside(x, g, box, pairs, form, direction):
            return True
    if not factor_middle(pairs, form):
        return False
    cauchy_point(x, g, box, pairs, form, state.point, direction, state.breaks, state.heap)
    sound = pairs.now[0].kept == 0 or minimise_subspace(x, g, box, pairs, form, state.point, direction, state.trial)
    for j in range(x.size):
        direction[j] = state.point[j] - x[j]
    return sound


@inlined
def is_inside(x, g, box):
    """Whether no variable is fixed, or stands at a bound that -g (D,) leads beyond."""
    for j in range(x.size):
        low, high = box.lower[j], box.upper[j]
        if low == high or (g[j] > 0.0 and x[j] <= low) or (g[j] < 0.0 and x[j] >= high):
            return False
    return True


@inlined
def stays_inside(x, g, box, pairs, form, direction):
    """Whether the path to the Cauchy point meets no bound; then direction (D,) leads to the minimum of the model.

    That is the direction -H g that it was, brought back into the box, without the compact form. The Cauchy point lies
    at t = g'g / g'B g, which is at most g'H g / g'g (Cauchy and Schwarz). False, too, where the projection does not
    lead down.
    """
    n = x.size
    latest = -dot(g, direction, n) / dot(g, g, n)
    slope, clear = 0.0, True
    for j in range(n):
        low, high = box.lower[j], box.upper[j]
        path = x[j] - latest * g[j]
        clear = clear and (low < path or g[j] <= 0.0) and (path < high or g[j] >= 0.0)
        direction[j] = min(max(x[j] + direction[j], low), high) - x[j]
        slope += g[j] * direction[j]
    if not (clear and slope < 0.0):
        return False
    for j in range(n):
        if form.free[j] == 0.0:
            move_variable(pairs, form, j)
    return True


@inlined
def iterate(problem, state):
    now, own, pairs = state.run.now[0], state.own[0], state.pairs
    x, g, direction, trial, trial_g = state.x, state.g, state.direction, state.trial, state.trial_g
    if now.iteration == 0:
        own.f = look_at_start(problem, x, g, own.gtol, state.box, state.run)
        if now.stop != RUNNING:
            return
    n, bounded = x.size, own.bounded == 1
    first = now.iteration == 0
    why, step, value, slope, new_slope = LINE_SEARCH_FAILED, 0.0, own.f, 0.0, 0.0
    while True:  # a second time where the pairs have led astray
        sound = choose_direction(state)
        slope = dot(g, direction, n)
        if sound and slope < 0.0:
            fresh = pairs.now[0].kept == 0
            largest = longest_step(x, direction, state.box) if bounded else np.inf
            step = 1.0
            if fresh and own.boxed == 0:
                step = first_step(direction, slope, own.fall)
            if first and bounded:
                largest = 1.0
            why, step, value, new_slope = strong_wolfe(
                problem, x, own.f, direction, slope, step, largest, C1, C2, NARROW, own.maxls, state.box, bounded,
                trial, trial_g, state.run,
            )  # fmt: skip
        if why != LINE_SEARCH_FAILED or pairs.now[0].kept == 0:
            break
        forget(pairs)
    if why != RUNNING:
        now.stop = why
        return
    k = remember(pairs, x, g, trial, trial_g, step, slope, new_slope)
    multiply(pairs, trial_g, k)
    if bounded and k >= 0:
        add_pair(pairs, state.form, k)
    before = own.f
    own.f, own.fall = value, before - value
    for j in range(n):
        x[j], g[j] = trial[j], trial_g[j]
    look_at_step(x, g, before, value, own.gtol, own.ftol, state.box, state.run)


def report(state) -> dict:
    """The inverse of the Hessian by its products, and the gradient, where the best point is where the run stands."""
    return gradient_at_best(state) | {"hess_inv": limited_inverse(state.pairs)}


SOLVER = Solver(
    "l_bfgs_b", "quasi-Newton steps of limited memory, within bounds (Byrd, Lu, Nocedal and Zhu 1995)", Options,
    LBfgsBState, init, iterate=iterate, asks=frozenset({"value", "gradient"}), domain="real", integers=False,
    planned=False, report=report,
)  # fmt: skip
