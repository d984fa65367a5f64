"""CR-FM-NES: a natural evolution strategy for hundreds and thousands of variables; O(D) memory and time a point.

Nomura and Ono, Fast moving natural evolution strategy for high-dimensional problems, CEC 2022. Generation 0 is the
points that were given, or one uniform in the box; the best of them is the first mean. Where all values agree, or steps
have become nothing, the run is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Matrix, Vector, filled
from ...kernels.numbers.random import normal
from ...kernels.numbers.ranking import sort_rows
from ...kernels.rows import natural_gradient as distribution
from ...kernels.rows import population as shared
from ...kernels.rows.bounds import margins, out_of_box
from ...kernels.rows.population import Box, RowCounts, population_fields
from ...kernels.run import CONVERGED, ENDED, Run
from ..contract import Rows, Solver, require

TOLFUN, TOLX, TOLFACUPX = 1e-11, 1e-11, 1e3  # as in cma_es


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # lambda, even, at least 4; None: 4 + 3 ln(D), made even
    sigma: float = 0.3  # first step, above 0: a share of the box's width; absolute where a variable has no finite box

    def __post_init__(self):
        even = self.population is None or (self.population >= 4 and self.population % 2 == 0)
        require(even, "population", self.population, "an even number, at least 4")
        require(self.sigma > 0, "sigma", self.sigma, "a number above 0")


class CrFmNesState(NamedTuple):
    mean: Vector  # (D,)   m, in the space that is folded into the box
    scale: Vector  # (D,)   the unit of each variable
    margin: Matrix  # (2, D) of the box
    stretch: Vector  # (D,)   the diagonal of D
    v: Vector  # (D,)   the direction that stands out
    path_sigma: Vector  # (D,)   evolution path of the step size
    path_c: Vector  # (D,)   evolution path of the covariance
    rank_weight: Vector  # (P,)   by rank
    weight: Vector  # (P,)   of each row
    step: Matrix  # (P, D) z of each row
    along: Vector  # (P,)   its part along v
    order: Integers  # (P,)   rows from best to worst
    scratch: Integers  # (P,)
    work: Matrix  # (2, D) room within a generation
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    own: Annotated[np.ndarray, distribution.SCALARS]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    n = domain.dimension
    population = options.population or 2 * ((5 + int(3 * np.log(n))) // 2)
    given = 0 if domain.x0 is None else len(domain.x0)
    size = max(population, given)
    fields = population_fields(domain, size, limits, key)
    fields["rows"][0].live, fields["rows"][0].count = population, min(max(given, 1), limits.max_evals)
    weight, constants = distribution.constants(n, population)
    width = domain.upper - domain.lower
    return CrFmNesState(
        mean=np.zeros(n),
        scale=np.where(np.isfinite(width), width, 1.0),
        margin=margins(domain.lower, domain.upper),
        stretch=np.ones(n),
        v=np.zeros(n),
        path_sigma=np.zeros(n),
        path_c=np.zeros(n),
        rank_weight=weight,
        weight=np.zeros(population),
        step=np.zeros((population, n)),
        along=np.zeros(population),
        order=np.arange(population),
        scratch=np.zeros(population, dtype=np.int64),
        work=np.zeros((2, n)),
        own=filled(distribution.SCALARS, sigma=options.sigma, first=options.sigma, **constants),
        **fields,
    )


@inlined
def draw(start, stop, state):
    now = state.run.now[0]
    if now.iteration > 0:
        distribution.draw_numbers(now.key, start, stop, state.rows[0].live, state.trial)


@inlined
def propose(i, state):
    if state.run.now[0].iteration == 0:
        shared.sample_row(i, state)
    else:
        distribution.sample_row(i, state)


@inlined
def learn(state):
    """What the ranks teach, once the generation is whole; after generation 0 the mean and v are set."""
    rows, now = state.rows[0], state.run.now[0]
    if now.iteration == 0:
        begin(state)
    elif rows.count == rows.live:
        sort_rows(state.trial_f, state.order, state.scratch, 0, rows.live)
        feasible = 0
        for i in range(rows.live):
            feasible += 1 if state.trial_f[i] < np.inf else 0
        distribution.learn(state, float(feasible))
        end(state)


@inlined
def begin(state):
    """At the best of generation 0, with v drawn."""
    box, margin, best, n = state.box, state.margin, 0, state.mean.size
    for i in range(1, state.rows[0].count):
        best = i if state.trial_f[i] < state.trial_f[best] else best
    for j in range(n):
        state.mean[j] = out_of_box(state.trial[best, j], box.lower[j], box.upper[j], margin[0, j], margin[1, j])
        state.v[j] = normal(state.run.now[0].key, j) / np.sqrt(n)


@inlined
def end(state):
    """Converged: values that agree for long (TolFun), steps that are nothing (TolX). Over: steps without end."""
    own, now, f, order, n = state.own[0], state.run.now[0], state.trial_f, state.order, state.mean.size
    population, largest, norm2 = state.rows[0].live, 0.0, 0.0
    now.spread = f[order[population - 1]] - f[order[0]] if f[order[population - 1]] < np.inf else np.inf
    own.calm = own.calm + 1 if now.spread < TOLFUN else 0
    for j in range(n):
        largest = max(largest, state.stretch[j])
        norm2 += state.v[j] * state.v[j]
    largest *= own.sigma * np.sqrt(1.0 + norm2)  # no deviation is above it
    if own.calm >= 10 + (30 * n + population - 1) // population or largest < TOLX * own.first:
        now.stop = CONVERGED
    elif not (largest <= TOLFACUPX * own.first and norm2 > 0.0):
        now.stop = ENDED


SOLVER = Solver(
    "cr_fm_nes", "a natural evolution strategy for many variables (CR-FM-NES)", Options, CrFmNesState, init,
    rows=Rows(propose, (learn,), draw=draw), domain="real", integers=False, planned=False, on_gpu=False,
)  # fmt: skip
