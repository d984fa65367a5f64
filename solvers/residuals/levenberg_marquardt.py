"""Levenberg-Marquardt in a trust region whose shape follows the columns of the Jacobian.

Moré, The Levenberg-Marquardt algorithm: implementation and theory, Lecture Notes in Mathematics 630 (1978) 105-116,
with the constants and tests of MINPACK's `lmder` (Moré, Garbow and Hillstrom 1980). The Jacobian is factorised by
Householder's QR with pivoting, so that its condition is not squared.

Two things differ. The first radius is a tenth of MINPACK's, with which NIST's BoxBOD leaves the range of its data in
one step and is taken for solved there. And where costs agree to LEVEL, rounding decides which is less: there the step
of Gauss and Newton is taken without being asked what it gains, until it foresees nothing. That is worth one to three
digits of x, and matters only with an ftol below LEVEL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.calling.arguments import row
from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.least_squares.damping import scaled_norm, step_in_region
from ...kernels.least_squares.fit import (
    STATUS_BOTH,
    STATUS_FTOL,
    STATUS_GTOL,
    STATUS_XTOL,
    Fit,
    accept,
    converged_by,
    evaluate_cost,
    linearise,
    make_fit,
    scale_by_columns,
)
from ...kernels.numbers.qr import EPSILON, factorise, norm
from ...kernels.rows.population import Box, make_box
from ...kernels.run import RUNNING, Run, make_run, spent
from ..contract import Solver, require
from .options import Tolerances, report

SCALARS = record(radius="f8", par="f8", factor="f8", blind="i8")
LEVEL = 1e-12  # relative difference of costs that may be rounding
BLIND = 20  # steps, at most, that are taken without a look at the cost
CLOSE = 0.1  # sigma of (5.5): the length of a step is that of the radius, to this share


@dataclass(frozen=True, kw_only=True)
class Options(Tolerances):
    factor: float = 10.0  # the first radius, in lengths of the scaled x0

    def __post_init__(self):
        super().__post_init__()
        require(self.factor > 0, "factor", self.factor, "a number above 0")


class LevenbergMarquardtState(NamedTuple):
    fit: Fit
    A: Matrix  # (max(M, D), D) the Jacobian, factorised
    q: Vector  # (max(M, D),) Q'f
    perm: Integers  # (D,)
    diagonal: Vector  # (D,) of R
    norms: Vector  # (D,) of the columns of J
    p: Vector  # (D,) the step, with the sign of its opposite
    S: Matrix  # (D, D)
    scratch: Matrix  # (5, D)
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, rows = domain.dimension, max(domain.count, domain.dimension)
    return LevenbergMarquardtState(
        fit=make_fit(domain, options),
        A=np.zeros((rows, n)),
        q=np.zeros(rows),
        perm=np.arange(n),
        diagonal=np.zeros(n),
        norms=np.zeros(n),
        p=np.zeros(n),
        S=np.zeros((n, n)),
        scratch=np.zeros((5, n)),
        own=filled(SCALARS, factor=options.factor),
        box=make_box(domain),
        run=make_run(n, limits, key),
    )


@inlined
def factorise_jacobian(state):
    """A, q: R and Q'f of the Jacobian at x."""
    fit, A, q = state.fit, state.A, state.q
    for i in range(fit.r.size):
        q[i] = fit.f[i]
        for j in range(fit.x.size):
            A[i, j] = fit.J[i, j]
    for i in range(fit.r.size, q.size):  # fewer residuals than variables
        q[i] = 0.0
        for j in range(fit.x.size):
            A[i, j] = 0.0
    factorise(A, q, state.perm, state.diagonal, state.norms, state.scratch)


@inlined
def largest_cosine(state, length):
    """Of the angles between the residuals, of this length, and the columns of J."""
    largest = 0.0
    for j in range(state.p.size):
        size = state.norms[state.perm[j]]
        if size > 0.0 and length > 0.0:
            total = state.diagonal[j] * (state.q[j] / length)
            for i in range(j):
                total += state.A[i, j] * (state.q[i] / length)
            largest = max(largest, abs(total / size))
    return largest


@inlined
def length_of_image(state):
    """|J p|, from R."""
    n, work = state.p.size, row(state.scratch, 0)
    for i in range(n):
        work[i] = state.diagonal[i] * state.p[state.perm[i]]
        for j in range(i + 1, n):
            work[i] += state.A[i, j] * state.p[state.perm[j]]
    return norm(work, n)


@inlined
def largest_gradient(fit):
    largest = 0.0
    for j in range(fit.g.size):
        largest = max(largest, abs(fit.g[j]))
    return largest


@inlined
def resize_region(own, gain, slope, ratio, grew, length):
    """The next radius and parameter: MINPACK's rules. slope: the derivative of the model along the step, below 0."""
    if ratio <= 0.25:
        factor = 0.5 if gain >= 0.0 else 0.5 * slope / (slope + 0.5 * gain)
        if grew or factor < 0.1:
            factor = 0.1
        own.radius = factor * min(own.radius, length / 0.1)
        own.par /= factor
    elif own.par == 0.0 or ratio >= 0.75:
        own.radius = length / 0.5
        own.par *= 0.5


@inlined
def tests(state, gain, foreseen, ratio, x_norm):
    """MINPACK's tests of a step; with the last one nothing can be gained in this arithmetic."""
    own, fit = state.own[0], state.fit
    tolerance = fit.own[0]
    by_gain = abs(gain) <= tolerance.ftol and foreseen <= tolerance.ftol and 0.5 * ratio <= 1.0
    by_step = own.radius <= tolerance.xtol * x_norm
    if by_gain or by_step:
        converged_by(fit, state.run, STATUS_BOTH if by_gain and by_step else STATUS_FTOL if by_gain else STATUS_XTOL)
    elif own.radius <= EPSILON * x_norm:
        converged_by(fit, state.run, STATUS_XTOL)


@inlined
def begin(problem, state):
    """Iteration 0: residuals, Jacobian, scale and radius at x0."""
    fit, own = state.fit, state.own[0]
    fit.own[0].cost = evaluate_cost(problem, fit.x, fit.r, fit, state.run)
    if state.run.now[0].raised == 1 or not linearise(problem, fit, state.run):
        return
    scale_by_columns(fit)
    own.radius = own.factor * scaled_norm(fit.scale, fit.x, row(state.scratch, 0))
    if own.radius == 0.0:
        own.radius = own.factor


@inlined
def iterate(problem, state):
    fit, own, run = state.fit, state.own[0], state.run
    now = run.now[0]
    if now.iteration == 0:
        begin(problem, state)
        if now.stop != RUNNING:
            return
    factorise_jacobian(state)
    length = np.sqrt(2.0 * fit.own[0].cost)  # of the residuals
    now.optimality = largest_gradient(fit)
    cosine = largest_cosine(state, length)
    if cosine <= fit.own[0].gtol or cosine <= EPSILON:
        converged_by(fit, run, STATUS_GTOL)
    while not spent(run):
        own.par = step_in_region(
            state.A, state.diagonal, state.perm, fit.scale, state.q, own.radius, CLOSE, own.par, state.S,
            state.scratch, state.p,
        )  # fmt: skip
        step = scaled_norm(fit.scale, state.p, row(state.scratch, 0))
        for j in range(fit.x.size):
            fit.trial[j] = fit.x[j] - state.p[j]
        if now.iteration == 0:
            own.radius = min(own.radius, step)
        cost = evaluate_cost(problem, fit.trial, fit.trial_r, fit, run)
        if now.raised == 1:
            return
        grew = not 0.01 * cost < fit.own[0].cost  # ten times as long, or not finite
        gain = -1.0 if grew else 1.0 - cost / fit.own[0].cost
        image, damped = length_of_image(state) / length, np.sqrt(own.par) * step / length
        foreseen = image * image + 2.0 * damped * damped
        ratio = gain / foreseen if foreseen != 0.0 else 0.0
        blind = own.par == 0.0 and abs(gain) <= LEVEL and foreseen <= LEVEL
        if blind:
            own.blind += 1
        else:
            resize_region(own, gain, -(image * image + damped * damped), ratio, grew, step)
        if ratio >= 1e-4 or blind:
            accept(fit, cost)
        x_norm = scaled_norm(fit.scale, fit.x, row(state.scratch, 0))
        tests(state, gain, foreseen, ratio, x_norm)
        if blind and step <= fit.own[0].xtol * x_norm:
            converged_by(fit, run, STATUS_XTOL)
        elif blind and (foreseen <= EPSILON * EPSILON or own.blind == BLIND):
            converged_by(fit, run, STATUS_FTOL)
        if ratio >= 1e-4 or blind:
            if linearise(problem, fit, run):
                scale_by_columns(fit)
            return


SOLVER = Solver(
    "levenberg_marquardt", "damped Gauss-Newton in a trust region (Moré 1978)", Options, LevenbergMarquardtState, init,
    iterate=iterate, asks=frozenset({"residuals", "jacobian"}), domain="real", integers=False, planned=False,
    report=report,
)  # fmt: skip
