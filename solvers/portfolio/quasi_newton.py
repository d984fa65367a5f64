"""An arm of the portfolio: BFGS that pays for each value, with exact gradients where there are any.

Steps of BFGS in a box (Nocedal and Wright 2006, chapters 6 and 8.1), whose parts were chosen by measurements over BBOB:
a line search without gradients, differences whose steps follow the curvature, central ones only where forward ones get
no further, and in 4 to 12 variables one Hessian by differences early on. All is measured in widths of the box."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.calling import asking
from ...kernels.calling.arguments import copy_array
from ...kernels.compile.jit import compact, inlined, part
from ...kernels.compile.structures import Matrix, Vector, filled, record
from ...kernels.descent import differences, frugal_line
from ...kernels.descent.inverse_hessian import set_to_multiple, step_of_newton, update_inverse
from ...kernels.numbers.linear_algebra import dot, eigensystem
from ...kernels.rows.population import Box, make_box
from ...kernels.run import (
    CONVERGED,
    GRADIENT_SMALL,
    NO_DERIVATIVE,
    OUT_OF_BUDGET,
    STEP_SMALL,
    Run,
    evaluate_gradient,
    make_run,
    spent,
)

SCALARS = record(
    f="f8",  # the value at x
    typical="f8",  # size of values: at the beginning
    stride="f8",  # the longest coordinate of the last step
    learnt="i8",  # 1: H knows a curvature
    central="i8",  # 1: differences to both sides
    failures="i8",  # since H was forgotten
)  # fmt: skip
FEW = 12  # variables up to which the Hessian is taken by differences
FIRST_STEP, LONGEST = 0.2, 0.5  # of the box's width; the second times sqrt(D)
PRECISION = 1e-14  # relative: falls that are less are rounding
PRICE = 4  # evaluations that an exact gradient counts as: reverse mode takes 2 to 4 times as long as the value
CURVED = 1e-10  # s'y / (|s| |y|) from which a step teaches H
FLATTEST = 1e-9  # eigenvalue, relative to the largest


class PortfolioDescent(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient, by shares of the width
    old: Vector  # (D,) the one before
    direction: Vector  # (D,) in shares of the width
    masked: Vector  # (D,) the gradient of the variables that are free
    trial: Vector  # (D,)
    second: Vector  # (D,)
    change: Vector  # (D,) the step, in shares of the width
    step: Vector  # (D,) of the differences
    width: Vector  # (D,) of the box
    H: Matrix  # (D, D) the inverse of the Hessian
    B: Matrix  # (D, D) the Hessian
    axes: Matrix  # (D, D) its eigenvectors; empty beyond FEW variables
    work: Matrix  # (D + 3, D) room for them
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def make(domain, limits, key) -> PortfolioDescent:
    n, box = domain.dimension, make_box(domain)
    few = n if n <= FEW else 0
    return PortfolioDescent(
        *(np.zeros(n) for _ in range(9)),
        width=box.upper - box.lower,
        H=np.eye(n),
        B=np.eye(n),
        axes=np.zeros((few, few)),
        work=np.zeros((few + 3, few)),
        own=filled(SCALARS),
        box=box,
        run=make_run(n, limits, key),
    )


@compact
def begin(state, x, value):
    """Begin at x, whose value is known."""
    own = state.own[0]
    copy_array(state.x, x)
    own.f = own.typical = value
    own.learnt = own.central = own.failures = 0
    for j in range(x.size):
        state.step[j] = differences.FIRST


@compact
def iterate(problem, state):
    """One step."""
    now, own, run = state.run.now[0], state.own[0], state.run
    if now.iteration == 0:
        if not own.f < np.inf:
            now.stop = NO_DERIVATIVE
            return
        find_gradient(problem, state)
    elif now.iteration == when_hessian(state.x.size) and not asking.has_gradient(problem):
        take_hessian(problem, state)
    if spent(run):
        now.stop = OUT_OF_BUDGET if now.stop == 0 else now.stop
        return
    slope, length = find_direction(state)
    if slope == 0.0:
        now.stop = GRADIENT_SMALL
        return
    precise = own.central == 1 or asking.has_gradient(problem)
    if precise and own.learnt == 1 and -0.5 * slope <= PRECISION * abs(own.f):
        now.stop = STEP_SMALL
        return
    value = frugal_line.search(
        problem, state.x, own.f, state.g, state.direction, slope, length, own.learnt == 0, state.width, state.box,
        state.trial, state.second, run,
    )  # fmt: skip
    if spent(run):
        return
    if value < own.f:
        move(problem, state, value, precise)
    elif not precise:
        own.central = 1
        find_gradient(problem, state)
    elif own.learnt == 1 and own.failures == 0:
        own.failures, own.learnt = 1, 0
        find_gradient(problem, state)
    else:
        now.stop = STEP_SMALL


@inlined
def when_hessian(n):
    """The iteration at which the Hessian is taken by differences; -1: never."""
    return -1 if n < 4 or n > FEW else 4 if n <= 7 else 6


@compact
def find_gradient(problem, state):
    """g at x; 0 where it is not finite."""
    x, g, now = state.x, state.g, state.run.now[0]
    if asking.has_gradient(problem):
        if now.evaluations + PRICE > now.max_evals:
            now.stop = OUT_OF_BUDGET
            return
        before = now.evaluations
        evaluate_gradient(problem, x, g, state.run)
        now.evaluations = before + PRICE
        for j in range(x.size):
            g[j] = g[j] * state.width[j] if abs(g[j]) < np.inf else 0.0
        return
    own = state.own[0]
    if own.learnt == 1:
        differences.fit_steps(state.step, state.B, max(abs(own.f), 1e-8 * abs(own.typical)))
    if own.central == 1:
        differences.two_sided(problem, x, own.f, state.trial, state.width, state.step, state.box, g, state.run)
    else:
        differences.one_sided(problem, x, own.f, state.trial, state.width, state.step, state.box, g, state.run)


@compact
def take_hessian(problem, state):
    """B and H from differences; what curves downwards counts as curved upwards, so that steps lead away from it."""
    n, length, lengths = state.x.size, min(max(state.own[0].stride, 1e-5), 1e-2), state.change
    sound = differences.second_differences(
        problem, state.x, state.own[0].f, state.trial, state.width, length, state.box, state.B, state.masked,
        state.direction, state.old, state.run,
    )  # fmt: skip
    if not (sound and eigensystem(state.B, lengths, state.axes, state.work)):
        state.own[0].learnt = 0
        return
    copy_array(state.g, state.old)
    largest = 0.0
    for k in range(n):
        largest = max(largest, abs(lengths[k]))
    for k in range(n):
        lengths[k] = max(abs(lengths[k]), FLATTEST * largest)
    if largest == 0.0:
        return
    for i in range(n):
        for j in range(n):
            inverse = curvature = 0.0
            for k in range(n):
                product = state.axes[k, i] * state.axes[k, j]
                inverse += product / lengths[k]
                curvature += product * lengths[k]
            state.H[i, j], state.B[i, j] = inverse, curvature
    state.own[0].learnt = 1


@part
def find_direction(state):
    """(slope, length) of the direction in the variables that are free; slope 0: nowhere to go."""
    x, g, masked, direction, own, n = state.x, state.g, state.masked, state.direction, state.own[0], state.x.size
    steepest = 0.0
    for j in range(n):
        outward = (x[j] <= state.box.lower[j] and g[j] > 0.0) or (x[j] >= state.box.upper[j] and g[j] < 0.0)
        masked[j] = 0.0 if outward else g[j]
        steepest += masked[j] * masked[j]
    steepest = np.sqrt(steepest)
    if not 0.0 < steepest < np.inf:
        return 0.0, 0.0
    slope = 0.0
    if own.learnt == 1:
        step_of_newton(state.H, masked, direction)
        for j in range(n):
            direction[j] = direction[j] if masked[j] != 0.0 else 0.0
        slope = dot(direction, g, n)
    if not -np.inf < slope < 0.0:
        own.learnt = 0
        for j in range(n):
            direction[j] = -FIRST_STEP * masked[j] / steepest
        slope = -FIRST_STEP * steepest
    length, longest = np.sqrt(dot(direction, direction, n)), LONGEST * np.sqrt(n)
    if length > longest:
        for j in range(n):
            direction[j] *= longest / length
        return slope * longest / length, longest
    return slope, length


@compact
def move(problem, state, value, precise):
    """Stand at `trial`; learn from the step."""
    own, now, n = state.own[0], state.run.now[0], state.x.size
    fallen = own.f - value
    own.f, own.stride = value, 0.0
    for j in range(n):
        state.change[j] = (state.trial[j] - state.x[j]) / state.width[j] if state.width[j] > 0.0 else 0.0
        own.stride = max(own.stride, abs(state.change[j]))
    copy_array(state.x, state.trial)
    copy_array(state.old, state.g)
    find_gradient(problem, state)
    if spent(state.run):
        return
    learn(state)
    if fallen <= PRECISION * abs(value):
        own.failures += 1 if precise else 0
        if own.failures > 1:
            now.stop = CONVERGED
        elif not precise:
            own.central = 1
            find_gradient(problem, state)


@part
def learn(state):
    """H and B from the step in `change` and the gradients."""
    own, s, y, n = state.own[0], state.change, state.old, state.x.size
    for j in range(n):
        y[j] = state.g[j] - y[j]
    sy, yy, ss = dot(s, y, n), dot(y, y, n), dot(s, s, n)
    if not sy > CURVED * np.sqrt(ss) * np.sqrt(yy):
        return
    if own.learnt == 0:
        scale = (1e6 if n <= 3 else 1.0) * sy / yy  # in few variables: forget what is not known
        set_to_multiple(state.H, scale)
        set_to_multiple(state.B, 1.0 / scale)
        own.learnt = 1
    update_inverse(state.H, s, y, sy, state.masked)
    step_of_newton(state.B, s, state.masked)  # -B s
    bent = -dot(s, state.masked, n)
    for i in range(n):
        a, b = y[i] / sy, state.masked[i] / bent
        for j in range(n):
            state.B[i, j] += a * y[j] - b * state.masked[j]
