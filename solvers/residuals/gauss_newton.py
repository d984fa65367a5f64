"""Gauss-Newton with a backtracking line search.

Nocedal and Wright, Numerical Optimization, 2nd edition (2006), section 10.3; Armijo's condition (3.4), steps halved. It
has no damping: where columns of the Jacobian depend on each other, those that pivoting puts last stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.least_squares.fit import (
    Fit,
    accept,
    evaluate_cost,
    gradient_test,
    linearise,
    make_fit,
    step_test,
)
from ...kernels.numbers.qr import norm
from ...kernels.rows.population import Box, make_box
from ...kernels.run import LINE_SEARCH_FAILED, Run, make_run, spent
from ..contract import Solver
from .factorised import Factorised, gauss_newton_step, make_factorised
from .options import Tolerances, report

SCALARS = record(rank="i8", t="f8")
ARMIJO = 1e-4  # c1 of (3.4)


@dataclass(frozen=True, kw_only=True)
class Options(Tolerances):
    pass


class GaussNewtonState(NamedTuple):
    fit: Fit
    linear: Factorised
    p: Vector  # (D,) the step
    free: Vector  # (D,) 1: all are
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n = domain.dimension
    return GaussNewtonState(
        fit=make_fit(domain, options),
        linear=make_factorised(domain.count, n),
        p=np.zeros(n),
        free=np.ones(n),
        own=filled(SCALARS),
        box=make_box(domain),
        run=make_run(n, limits, key),
    )


@inlined
def largest_entry(g):
    largest = 0.0
    for j in range(g.size):
        largest = max(largest, abs(g[j]))
    return largest


@inlined
def iterate(problem, state):
    fit, own, run, p = state.fit, state.own[0], state.run, state.p
    now = run.now[0]
    if now.iteration == 0:
        fit.own[0].cost = evaluate_cost(problem, fit.x, fit.r, fit, run)
        if now.raised == 0 and linearise(problem, fit, run):
            gradient_test(fit, run, largest_entry(fit.g))
        return
    own.rank = gauss_newton_step(fit, state.linear, state.free, p)
    slope = 0.0
    for j in range(p.size):
        slope += fit.g[j] * p[j]
    length, x_norm, own.t = norm(p, p.size), norm(fit.x, p.size), 1.0
    while not spent(run):
        for j in range(p.size):
            fit.trial[j] = fit.x[j] + own.t * p[j]
        cost = evaluate_cost(problem, fit.trial, fit.trial_r, fit, run)
        if now.raised == 1:
            return
        gain = fit.own[0].cost - cost
        if gain >= -ARMIJO * own.t * slope and gain >= 0.0:
            step_test(fit, run, gain, own.t, length, x_norm)  # by the whole step: a short one is no sign of an end
            accept(fit, cost)
            if linearise(problem, fit, run):
                gradient_test(fit, run, largest_entry(fit.g))
            return
        if step_test(fit, run, -0.5 * slope, 1.0, length, x_norm):  # what the whole step foresees
            return
        own.t *= 0.5
        if not own.t * length > 1e-16 * x_norm:
            now.stop = LINE_SEARCH_FAILED


SOLVER = Solver(
    "gauss_newton", "the linearised problem, step by step, with a line search", Options, GaussNewtonState, init,
    iterate=iterate, asks=frozenset({"residuals", "jacobian"}), domain="real", integers=False, planned=False,
    report=report,
)  # fmt: skip
