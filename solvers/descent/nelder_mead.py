"""Nelder-Mead with parameters that adapt to the dimension.

Gao and Han, Implementing the Nelder-Mead simplex algorithm with adaptive parameters, Comput. Optim. Appl. 51 (2012)
259-277; ties as in Lagarias et al., SIAM J. Optim. 9 (1998) 112-147. Points outside the box are clipped to it, as in
SciPy. In 2 dimensions the parameters are those of Nelder and Mead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.descent.simplex import (
    centroid_of_best,
    is_small,
    replace_worst,
    sort_vertices,
    step_from_worst,
)
from ...kernels.numbers.random import uniform
from ...kernels.rows.population import Box, make_box
from ...kernels.run import CONVERGED, RUNNING, Run, evaluate, make_run, spent
from ..contract import Solver, require

SCALARS = record(
    alpha="f8", beta="f8", gamma="f8", delta="f8",  # reflection, expansion, contraction, shrinkage
    edge="f8",  # of the first simplex, relative to x
    xtol="f8", ftol="f8",
    given="i8",  # vertices that the caller gave: none, a point, or all
    draws="i8",  # 1: the box is finite, and all runs but the first begin at a point drawn from it
)  # fmt: skip
EDGE_AT_ZERO = 0.00025  # where x is 0, as in SciPy and MATLAB's fminsearch
EDGE_IN_BOX = 0.1  # of the box's width, where the first vertex is drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    xtol: float = 1e-8  # vertices agree to xtol (1 + |x|), and their values to ftol (1 + |best|): converged
    edge: float = 0.05  # of the first simplex, as a share of each x0; where none is given, edges are 0.1 of the box

    def __post_init__(self):
        require(self.xtol >= 0, "xtol", self.xtol, "a number that is not negative")
        require(self.edge > 0, "edge", self.edge, "a number above 0")


class NelderMeadState(NamedTuple):
    simplex: Matrix  # (D + 1, D) vertices
    f: Vector  # (D + 1,) their values
    order: Integers  # (D + 1,) from best to worst
    centroid: Vector  # (D,)   of all but the worst
    reflected: Vector  # (D,)
    second: Vector  # (D,)   the expanded or contracted point
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, run = domain.dimension, make_run(domain.dimension, limits, key)
    simplex, given = np.zeros((n + 1, n)), 0
    if domain.x0 is not None:
        given = len(domain.x0)
        if given not in (1, n + 1):
            raise ValueError(f"x0: got {given} points, expected one, or {n + 1} that span a simplex")
        simplex[:given] = domain.x0
        if given == n + 1:
            require_volume(domain, simplex)
    ftol = 1e-8 if limits.ftol < 0 else limits.ftol
    run.now[0].ftol = -1.0  # the values alone may agree by symmetry: the two tests are made together, here
    adapted = max(n, 2)  # in one dimension the contraction would be 1/4 and the shrinkage 0
    own = {"alpha": 1.0, "beta": 1 + 2 / adapted, "gamma": 0.75 - 0.5 / adapted, "delta": 1 - 1 / adapted}
    return NelderMeadState(
        simplex=simplex,
        f=np.full(n + 1, np.inf),
        order=np.arange(n + 1),
        centroid=np.zeros(n),
        reflected=np.zeros(n),
        second=np.zeros(n),
        own=filled(
            SCALARS,
            **own,
            edge=options.edge,
            xtol=options.xtol,
            ftol=ftol,
            given=given,
            draws=np.isfinite(domain.bounds).all(),
        ),
        box=make_box(domain),
        run=run,
    )


def require_volume(domain, simplex) -> None:
    """ValueError if the vertices that were given leave out a direction, which no step would ever take."""
    free = domain.lower < domain.upper
    if free.any() and np.linalg.matrix_rank((simplex[1:] - simplex[0])[:, free]) < free.sum():
        raise ValueError(
            f"x0: got {len(simplex)} points that span no volume, expected one point, or the vertices of a simplex; "
            "if these are (low, high) pairs, write bounds="
        )


@part
def make_vertices(state):
    """The vertices that were not given: one point drawn from the box, then a step along each axis."""
    simplex, box, own = state.simplex, state.box, state.own[0]
    n = simplex.shape[1]
    now = state.run.now[0]
    drawn = own.given == 0 or (own.draws == 1 and now.index > 0)
    if own.given == n + 1 and not drawn:
        return
    key = now.key
    for j in range(n):
        low, high = box.lower[j], box.upper[j]
        if drawn:
            simplex[0, j] = low + uniform(key, j) * (high - low)
    for k in range(1, n + 1):
        for j in range(n):
            simplex[k, j] = simplex[0, j]
        x, low, high = simplex[0, k - 1], box.lower[k - 1], box.upper[k - 1]
        edge = EDGE_IN_BOX * (high - low) if drawn else own.edge * x if x != 0.0 else EDGE_AT_ZERO
        if not low <= x + edge <= high:
            edge = -edge
        if not low <= x + edge <= high:  # longer than the box on both sides: half the way to the farther bound
            edge = 0.5 * (high - x) if high - x > x - low else -0.5 * (x - low)
        simplex[k, k - 1] = min(max(x + edge, low), high)


@inlined
def begin(problem, state):
    """Iteration 0: the first simplex."""
    make_vertices(state)
    for k in range(state.f.size):
        if not spent(state.run):
            state.f[k] = evaluate(problem, state.simplex[k], state.run)
    sort_vertices(state.f, state.order)


@inlined
def shrink(problem, state):
    """All vertices move towards the best one (step 6)."""
    simplex, order, delta = state.simplex, state.order, state.own[0].delta
    best = order[0]
    for k in range(1, order.size):
        row = order[k]
        if not spent(state.run):
            for j in range(simplex.shape[1]):
                simplex[row, j] = simplex[best, j] + delta * (simplex[row, j] - simplex[best, j])
            state.f[row] = evaluate(problem, simplex[row], state.run)
    sort_vertices(state.f, order)


@inlined
def move(problem, state):
    """Reflection, expansion or contraction of the worst vertex; False: none of them helped (steps 2 to 5)."""
    simplex, f, order, run, own = state.simplex, state.f, state.order, state.run, state.own[0]
    n = state.centroid.size
    best_f, second_worst_f, worst_f = f[order[0]], f[order[n - 1]], f[order[n]]
    centroid_of_best(simplex, order, state.centroid)
    step_from_worst(simplex, order[n], state.centroid, own.alpha, state.box.lower, state.box.upper, state.reflected)
    reflected_f = evaluate(problem, state.reflected, run)
    if best_f <= reflected_f < second_worst_f or spent(run):
        if reflected_f < worst_f:
            replace_worst(simplex, f, order, state.reflected, reflected_f)
        return True
    if reflected_f < best_f:
        step = own.alpha * own.beta  # expansion
    elif reflected_f < worst_f:
        step = own.alpha * own.gamma  # outside contraction
    else:
        step = -own.gamma  # inside contraction
    step_from_worst(simplex, order[n], state.centroid, step, state.box.lower, state.box.upper, state.second)
    second_f = evaluate(problem, state.second, run)
    if reflected_f < best_f:
        if second_f < reflected_f:
            replace_worst(simplex, f, order, state.second, second_f)
        else:
            replace_worst(simplex, f, order, state.reflected, reflected_f)
        return True
    helped = second_f <= reflected_f if reflected_f < worst_f else second_f < worst_f
    if helped:
        replace_worst(simplex, f, order, state.second, second_f)
    return helped


@inlined
def iterate(problem, state):
    now, own = state.run.now[0], state.own[0]
    if now.iteration == 0:
        begin(problem, state)
    elif not move(problem, state):
        shrink(problem, state)
    now.spread = state.f[state.order[-1]] - state.f[state.order[0]]
    if now.spread <= own.ftol * (1.0 + abs(now.best)):
        if not is_small(state.simplex, state.order, own.xtol):
            now.spread = np.inf  # equal by symmetry: no sign of an end
        elif now.stop == RUNNING:
            now.stop = CONVERGED


@inlined
def place(x, state):
    for j in range(x.size):
        state.simplex[0, j] = x[j]


SOLVER = Solver(
    "nelder_mead", "the downhill simplex with adaptive parameters (Gao and Han 2012)", Options, NelderMeadState, init,
    iterate=iterate, domain="real", integers=False, planned=False, place=place,
)  # fmt: skip
