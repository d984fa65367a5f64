"""A trust region inside bounds whose steps are reflected at them.

Branch, Coleman and Li, A subspace, interior, and conjugate gradient method for large-scale bound-constrained
minimization problems, SIAM J. Sci. Comput. 21 (1999) 1-23: variables are scaled by their distance to the bound that the
gradient points to (Coleman and Li 1996), so that the region is long where there is room. The step in the region is that
of Moré (kernels/least_squares/damping.py). Without bounds it is a trust region in the scaled variables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.calling.arguments import row
from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.least_squares.box import best_on, clear_of_bounds, hits, inside, reach, to_sphere
from ...kernels.least_squares.damping import step_in_region
from ...kernels.least_squares.fit import (
    Fit,
    accept,
    evaluate_cost,
    fit_region,
    gradient_test,
    linearise,
    make_fit,
    scale_by_columns,
    step_test,
)
from ...kernels.numbers.qr import factorise, norm
from ...kernels.rows.population import Box, make_box
from ...kernels.run import Run, make_run, spent
from ..contract import Solver
from .options import Tolerances, report

SCALARS = record(radius="f8", par="f8")
CLOSE = 0.01  # the length of a step is that of the radius, to this share
INSIDE = 0.995  # of the way to a bound, at least, is allowed


@dataclass(frozen=True, kw_only=True)
class Options(Tolerances):
    pass


class TrustRegionReflectiveState(NamedTuple):
    fit: Fit
    v: Vector  # (D,) the distance to the bound that matters, 1 where there is none
    slope: Vector  # (D,) -1 or 1 where v is one, else 0
    d: Vector  # (D,) of the scaled variables: x = d x^
    curvature: Vector  # (D,) what the scaling adds to the diagonal of J^'J^
    A: Matrix  # (M + D, D) the scaled Jacobian over the roots of `curvature`, factorised
    q: Vector  # (M + D,)
    perm: Integers  # (D,)
    diagonal: Vector  # (D,)
    norms: Vector  # (D,)
    ones: Vector  # (D,)
    steps: Matrix  # (3, D) in scaled variables: along the region's step, reflected, along the gradient
    step: Vector  # (D,) in x
    edge: Vector  # (D,) where the step meets a bound
    S: Matrix  # (D, D)
    scratch: Matrix  # (5, D)
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, rows = domain.dimension, domain.count + domain.dimension
    vectors = ("v", "slope", "d", "curvature", "diagonal", "norms", "step", "edge")
    return TrustRegionReflectiveState(
        fit=make_fit(domain, options),
        A=np.zeros((rows, n)),
        q=np.zeros(rows),
        perm=np.arange(n),
        ones=np.ones(n),
        steps=np.zeros((3, n)),
        S=np.zeros((n, n)),
        scratch=np.zeros((5, n)),
        own=filled(SCALARS),
        box=make_box(domain),
        run=make_run(n, limits, key),
        **{name: np.zeros(n) for name in vectors},
    )


@inlined
def measure_room(state):
    """v, d and the largest entry of the scaled gradient (Coleman and Li 1996, (2.2))."""
    fit, box, largest = state.fit, state.box, 0.0
    for j in range(fit.x.size):
        state.v[j], state.slope[j] = 1.0, 0.0
        if fit.g[j] < 0.0 and box.upper[j] < np.inf:
            state.v[j], state.slope[j] = box.upper[j] - fit.x[j], -1.0
        elif fit.g[j] > 0.0 and box.lower[j] > -np.inf:
            state.v[j], state.slope[j] = fit.x[j] - box.lower[j], 1.0
        largest = max(largest, abs(fit.g[j] * state.v[j]))
        if state.slope[j] != 0.0:
            state.v[j] *= fit.scale[j]
        state.d[j] = np.sqrt(state.v[j]) / fit.scale[j]
        state.curvature[j] = max(fit.g[j] * state.slope[j] / fit.scale[j], 0.0)
    return largest


@inlined
def first_radius(state):
    """The length of x0 in scaled variables."""
    fit, work = state.fit, row(state.scratch, 0)
    for j in range(fit.x.size):
        work[j] = fit.x[j] * fit.scale[j] / np.sqrt(state.v[j])
    radius = norm(work, work.size)
    return radius if radius > 0.0 else 1.0


@inlined
def factorise_scaled(state):
    """A, q: R and Q'f of the scaled Jacobian."""
    fit, A, q, m, n = state.fit, state.A, state.q, state.fit.r.size, state.fit.x.size
    for i in range(m):
        q[i] = fit.f[i]
        for j in range(n):
            A[i, j] = fit.J[i, j] * state.d[j]
    for i in range(n):
        q[m + i] = 0.0
        for j in range(n):
            A[m + i, j] = 0.0
        A[m + i, i] = np.sqrt(state.curvature[i])
    factorise(A, q, state.perm, state.diagonal, state.norms, state.scratch)


@part
def image_into(state, s, out):
    """out = R P's: the scaled model along s is 1/2 |out|^2 and the gradient."""
    for i in range(s.size):
        out[i] = state.diagonal[i] * s[state.perm[i]]
        for j in range(i + 1, s.size):
            out[i] += state.A[i, j] * s[state.perm[j]]


@part
def along(state, s):
    """(a, b) of the model a t^2 + b t along s, in scaled variables."""
    work, b = row(state.scratch, 0), 0.0
    image_into(state, s, work)
    size = norm(work, s.size)
    for j in range(s.size):
        b += state.d[j] * state.fit.g[j] * s[j]
    return 0.5 * size * size, b


@inlined
def unscale(state, s):
    """state.step = d s"""
    for j in range(s.size):
        state.step[j] = state.d[j] * s[j]


@part
def reflect_step(state, theta):
    """The second step: to the bound along the first, then reflected at it; the value of its model, inf: there is none.

    The first step is left at the bound.
    """
    x, lower, upper = state.fit.x, state.box.lower, state.box.upper
    p, r, n = row(state.steps, 0), row(state.steps, 1), state.step.size
    unscale(state, p)
    stride = reach(x, state.step, lower, upper)
    for j in range(n):
        r[j] = -p[j] if hits(x, state.step, lower, upper, stride, j) != 0 else p[j]
    for j in range(n):
        p[j] *= stride
        state.edge[j] = min(max(x[j] + stride * state.step[j], lower[j]), upper[j])
    unscale(state, r)
    to_bound, to_edge = reach(state.edge, state.step, lower, upper), to_sphere(p, r, state.own[0].radius)
    longest = min(to_bound, to_edge)
    if not longest > 0.0:
        return np.inf
    least = (1.0 - theta) * stride / longest
    longest = theta * to_bound if longest == to_bound else to_edge
    if least > longest:
        return np.inf
    a, b = along_from(state, p, r)
    t = best_on(a, b, least, longest)
    for j in range(n):
        r[j] = p[j] + t * r[j]
    a, b = along(state, r)
    return a + b


@part
def along_from(state, p, s):
    """(a, b) of the model along s, from p."""
    n, first, second = s.size, row(state.scratch, 0), row(state.scratch, 1)
    image_into(state, p, first)
    image_into(state, s, second)
    a = b = 0.0
    for j in range(n):
        a += 0.5 * second[j] * second[j]
        b += first[j] * second[j] + state.d[j] * state.fit.g[j] * s[j]
    return a, b


@part
def gradient_step(state, theta):
    """The third step: along the scaled gradient, as far as that is of use; the value of its model."""
    s, n = row(state.steps, 2), state.step.size
    for j in range(n):
        s[j] = -state.d[j] * state.fit.g[j]
    unscale(state, s)
    to_bound, to_edge = (
        reach(state.fit.x, state.step, state.box.lower, state.box.upper),
        state.own[0].radius / norm(s, n),
    )
    a, b = along(state, s)
    t = best_on(a, b, 0.0, theta * to_bound if to_bound < to_edge else to_edge)
    for j in range(n):
        s[j] *= t
    return t * (a * t + b)


@part
def choose_step(state, theta):
    """(which of the three steps has the least model, its value); section 4 of the paper."""
    p = row(state.steps, 0)
    unscale(state, p)
    if inside(state.fit.x, state.step, state.box.lower, state.box.upper):
        a, b = along(state, p)
        return 0, a + b
    reflected = reflect_step(state, theta)
    for j in range(p.size):
        p[j] *= theta
    a, b = along(state, p)
    straight, steepest = a + b, gradient_step(state, theta)
    if straight < reflected and straight < steepest:
        return 0, straight
    if reflected < straight and reflected < steepest:
        return 1, reflected
    return 2, steepest


@inlined
def begin(problem, state):
    """Iteration 0: residuals and Jacobian at x0, moved off the bounds, and the first radius."""
    fit, own = state.fit, state.own[0]
    clear_of_bounds(fit.x, state.box.lower, state.box.upper, 1e-10)
    fit.own[0].cost = evaluate_cost(problem, fit.x, fit.r, fit, state.run)
    if state.run.now[0].raised == 1 or not linearise(problem, fit, state.run):
        return
    scale_by_columns(fit)
    size = measure_room(state)
    own.radius = first_radius(state)
    gradient_test(fit, state.run, size)


@inlined
def iterate(problem, state):
    fit, own, run = state.fit, state.own[0], state.run
    now = run.now[0]
    if now.iteration == 0:
        begin(problem, state)
        return
    size = measure_room(state)
    factorise_scaled(state)
    theta = max(INSIDE, 1.0 - size)
    x_norm = norm(fit.x, fit.x.size)
    while not spent(run):
        own.par = step_in_region(
            state.A, state.diagonal, state.perm, state.ones, state.q, own.radius, CLOSE, own.par, state.S,
            state.scratch, row(state.steps, 0),
        )  # fmt: skip
        for j in range(fit.x.size):
            state.steps[0, j] = -state.steps[0, j]
        which, model = choose_step(state, theta)
        s = row(state.steps, which)
        unscale(state, s)
        for j in range(fit.x.size):
            fit.trial[j] = fit.x[j] + state.step[j]
        clear_of_bounds(fit.trial, state.box.lower, state.box.upper, 0.0)
        cost = evaluate_cost(problem, fit.trial, fit.trial_r, fit, run)
        if now.raised == 1:
            return
        length = norm(s, s.size)
        if not cost < np.inf:
            own.radius = 0.25 * length
            continue
        gain, before = fit.own[0].cost - cost, own.radius
        own.radius, ratio = fit_region(own.radius, gain, -model, length, length > 0.95 * own.radius)
        over = step_test(fit, run, gain, ratio, norm(state.step, s.size), x_norm)
        own.par *= before / own.radius
        if gain > 0.0:
            accept(fit, cost)
            if linearise(problem, fit, run):
                scale_by_columns(fit)
                gradient_test(fit, run, measure_room(state))
            return
        if over:
            return


SOLVER = Solver(
    "trust_region_reflective", "a trust region reflected at the bounds (Branch, Coleman and Li 1999)", Options,
    TrustRegionReflectiveState, init, iterate=iterate, asks=frozenset({"residuals", "jacobian"}), domain="real",
    integers=False, planned=False, report=report,
)  # fmt: skip
