"""Newton's method with a search along its direction: the textbook's, made safe.

The Hessian is made positive definite where it is not (modified Cholesky, Gill, Murray and Wright 1981; Nocedal and
Wright, Numerical Optimization (1999), sections 3.4 and 6.3); the step is 1 at first, less until the value falls by
enough (Armijo), and more, doubled as long as the value falls, where the Hessian had to be changed.

Bounds: the projected Newton method of Bertsekas, SIAM J. Control Optim. 20 (1982) 221-246. Variables at a bound, or
within epsilon of one, towards which the gradient drives them, take a step along -g; the others Newton's; the search
goes along the path P(x + a d), P being the projection onto the box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.descent.box import inside, projected_gradient, start_of
from ...kernels.descent.ends import gradient_at_best, look_at_start
from ...kernels.descent.stepping import BOTTOM, FIELDS, give_up, is_hidden, move
from ...kernels.numbers.linear_algebra import all_finite
from ...kernels.numbers.modified_cholesky import modified_cholesky, solve_modified
from ...kernels.rows.population import Box, make_box
from ...kernels.run import (
    NO_DERIVATIVE,
    Run,
    evaluate_gradient,
    evaluate_hessian,
    make_run,
    spent,
)
from ..contract import Solver, require
from .trust_exact import check_tolerances

SCALARS = record(sigma="f8", **FIELDS)
BACK_MOST, BACK_LEAST = 0.1, 0.5  # a step becomes at least, at most so much shorter (Dennis and Schnabel, 6.3.2)
FAR = 2.0  # a step becomes so much longer
TRIALS = 60  # that are ever shorter, at most
NEAR = 1e-3  # epsilon: a bound is as good as met; less where the projected gradient is (Bertsekas, equation 32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    gtol: float = 1e-5  # largest entry of the projected gradient at which it has converged; SciPy's gtol
    xtol: float = 0.0  # a step is below xtol (1 + |x_j|) in each variable: it has converged too; 0: never
    sigma: float = 1e-4  # share of the decrease of the linear model that a step must bring (Dennis and Schnabel)

    def __post_init__(self):
        check_tolerances(self)
        require(0 < self.sigma < 0.5, "sigma", self.sigma, "a share between 0 and 0.5")


class NewtonState(NamedTuple):
    x: Vector  # (D,) where it is
    g: Vector  # (D,)   the gradient there
    hessian: Matrix  # (D, D) of the free variables; then its factor
    pivots: Vector  # (D,)
    order: Integers  # (D,)
    free: Integers  # (D,) the variables that take Newton's step
    direction: Vector  # (D,)
    reduced: Vector  # (D,) the gradient in the free variables
    solved: Vector  # (D,)
    trial: Vector  # (D,) the point that is tried
    trial_g: Vector  # (D,)
    farther: Vector  # (D,) one that is beyond it
    farther_g: Vector  # (D,)
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, run = domain.dimension, make_run(domain.dimension, limits, key)
    run.now[0].ftol = -1.0  # it is about the decrease of one step: looked at in stepping.move
    own = filled(SCALARS, gtol=options.gtol, xtol=options.xtol, ftol=limits.ftol, sigma=options.sigma)
    return NewtonState(
        x=start_of(domain),
        g=np.zeros(n),
        hessian=np.zeros((n, n)),
        pivots=np.zeros(n),
        order=np.zeros(n, dtype=np.int64),
        free=np.zeros(n, dtype=np.int64),
        direction=np.zeros(n),
        reduced=np.zeros(n),
        solved=np.zeros(n),
        trial=np.zeros(n),
        trial_g=np.zeros(n),
        farther=np.zeros(n),
        farther_g=np.zeros(n),
        own=own,
        box=make_box(domain),
        run=run,
    )


@part
def split(x, g, lower, upper, near, free, direction):
    """free (D,): first the variables that take Newton's step, then those that a bound holds, whose direction is -g.

    Returns how many are free.
    """
    count, held = 0, x.size
    for j in range(x.size):
        low, high = lower[j], upper[j]
        driven = (g[j] > 0.0 and x[j] <= low + near) or (g[j] < 0.0 and x[j] >= high - near)
        if driven or low == high:
            held -= 1
            free[held] = j
            direction[j] = -g[j]
        else:
            free[count] = j
            count += 1
    return count


@part
def find_direction(hessian, g, pivots, order, free, count, reduced, solved, direction):
    """Newton's direction in the free variables. Returns the most that was added to the diagonal of the Hessian."""
    for a in range(count):  # free ascends: no entry is overwritten before it is read
        reduced[a] = -g[free[a]]
        for b in range(count):
            hessian[a, b] = hessian[free[a], free[b]]
    added = modified_cholesky(hessian, count, pivots, order)
    solve_modified(hessian, count, pivots, order, reduced, solved)
    for a in range(count):
        direction[free[a]] = solved[a]
    return added


@part
def value_on_path(problem, state, step, point, gradient):
    """The value at `point` = P(x + step d), and how far it is from a minimum; inf where one of them is undefined."""
    box = state.box
    for j in range(point.size):
        point[j] = inside(state.x[j] + step * state.direction[j], box.lower[j], box.upper[j])
    value = evaluate_gradient(problem, point, gradient, state.run)
    optimality = projected_gradient(point, gradient, box)
    return value if optimality == optimality or value == -np.inf else np.inf, optimality


@inlined
def promised(state, step, count):
    """The decrease of the linear model: of the free variables along d, of the others as far as they really move."""
    x, g, free, trial = state.x, state.g, state.free, state.trial
    total = 0.0
    for a in range(count):
        total -= step * g[free[a]] * state.direction[free[a]]
    for a in range(count, x.size):
        total += g[free[a]] * (x[free[a]] - trial[free[a]])
    return total


@inlined
def search(problem, state, count, changed):
    """Move to the first point of the path at which the value falls by enough; `changed`: the Hessian was changed."""
    now, own = state.run.now[0], state.own[0]
    step, whole, undefined = 1.0, 0.0, False
    for _ in range(TRIALS):
        value, optimality = value_on_path(problem, state, step, state.trial, state.trial_g)
        decrease = promised(state, step, count)
        if step == 1.0:
            whole = decrease
        hidden = is_hidden(own.f, value, decrease)
        if hidden and (step < 1.0 or not optimality < 0.5 * now.optimality):
            break
        if hidden or own.f - value >= own.sigma * decrease:
            if step == 1.0 and changed and not hidden:
                value, optimality = go_farther(problem, state, value, optimality)
            move(state, value, optimality, False)
            return
        if spent(state.run):
            return
        undefined = undefined or optimality != optimality
        bend = value - own.f + decrease  # the parabola through the two values and the slope
        share = BACK_MOST if not value < np.inf else 0.5 * decrease / bend
        step *= min(max(share, BACK_MOST), BACK_LEAST)
    give_up(state, whole, undefined)


@inlined
def go_farther(problem, state, value, optimality):
    """Double the step as long as the value falls; trial is the last point at which it fell."""
    step = FAR
    while value > BOTTOM and not spent(state.run):
        next_value, next_optimality = value_on_path(problem, state, step, state.farther, state.farther_g)
        if not next_value < value:
            break
        value, optimality = next_value, next_optimality
        for j in range(state.x.size):
            state.trial[j], state.trial_g[j] = state.farther[j], state.farther_g[j]
        step *= FAR
    return value, optimality


@inlined
def iterate(problem, state):
    now, own, x, g, box = state.run.now[0], state.own[0], state.x, state.g, state.box
    if now.iteration == 0:
        own.f = look_at_start(problem, x, g, own.gtol, box, state.run)
        return
    if not evaluate_hessian(problem, x, state.hessian, state.run):
        return
    if not all_finite(state.hessian):
        now.stop = NO_DERIVATIVE
        return
    count = split(x, g, box.lower, box.upper, min(NEAR, now.optimality), state.free, state.direction)
    added = find_direction(
        state.hessian, g, state.pivots, state.order, state.free, count, state.reduced, state.solved, state.direction
    )
    search(problem, state, count, added > 0.0)


SOLVER = Solver(
    "newton", "Newton's method: modified Cholesky and a search along the direction, projected where there are bounds",
    Options, NewtonState, init, iterate=iterate, asks=frozenset({"value", "gradient", "hessian"}), domain="real",
    integers=False, planned=False, report=gradient_at_best,
)  # fmt: skip
