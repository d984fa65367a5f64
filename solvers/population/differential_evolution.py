"""Differential evolution with fixed parameters.

Storn and Price, J. Global Optim. 11 (1997) 341-359; the strategies are named as in SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Matrix, Vector, filled, record
from ...kernels.numbers.random import integer_except, integer_except_three, integer_except_two
from ...kernels.rows import population as shared
from ...kernels.rows.differential_evolution import CHOICES, cross_binomial_row, cross_exponential_row
from ...kernels.rows.migration import populations
from ...kernels.rows.population import Box, RowCounts, population_fields
from ...kernels.run import Run
from ..contract import Rows, Solver, require

STRATEGIES = ("rand1bin", "best1bin", "currenttobest1bin", "rand1exp", "best1exp", "currenttobest1exp")
RAND, BEST, CURRENT_TO_BEST = 0, 1, 2
SCALARS = record(mutation="i8", exponential="i8", weight="f8", crossover="f8")


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    strategy: str = "rand1bin"  # what is mutated, how it is crossed
    population: int | None = None  # P, at least 4; None: 10 D (Storn and Price), 20 to 200; whole numbers 7 D, from 30
    weight: float = 0.5  # F in (0, 2]
    crossover: float = 0.9  # CR in [0, 1]

    def __post_init__(self):
        require(self.strategy in STRATEGIES, "strategy", self.strategy, "one of " + ", ".join(STRATEGIES))
        require(self.population is None or self.population >= 4, "population", self.population, "at least 4")
        require(0 < self.weight <= 2, "weight", self.weight, "F in (0, 2]")
        require(0 <= self.crossover <= 1, "crossover", self.crossover, "CR in [0, 1]")


class DifferentialEvolutionState(NamedTuple):
    x: Matrix  # (P, D) population
    f: Vector  # (P,)   its values
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    own: Annotated[np.ndarray, SCALARS]  # strategy, F, CR
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    each, least = (7, 30) if domain.integrality.any() else (10, 20)  # at 10 D it is too slow, at 5 D it collapses
    rows = options.population or min(max(each * domain.dimension, least), 200)
    number = STRATEGIES.index(options.strategy)
    own = {"mutation": number % 3, "exponential": number // 3, "weight": options.weight, "crossover": options.crossover}
    return DifferentialEvolutionState(
        x=np.zeros((rows, domain.dimension)),
        f=np.full(rows, np.inf),
        own=filled(SCALARS, **own),
        **population_fields(domain, rows, limits, key),
    )


@inlined
def propose(i, state):
    if state.run.now[0].iteration == 0:
        shared.sample_row(i, state)
        return
    n, best, own = state.rows[0].live, state.rows[0].best, state.own[0]
    key = shared.row_of(i, state)
    r1 = integer_except(key, CHOICES, n, i)
    r2 = integer_except_two(key, CHOICES + 1, n, i, r1)
    weight, guide_weight = own.weight, 0.0
    if own.mutation == RAND:
        donors = (integer_except_three(key, CHOICES + 2, n, i, r1, r2), r1, r2, best)
    elif own.mutation == BEST:
        donors = (best, r1, r2, best)
    else:
        donors, guide_weight = (i, r1, r2, best), weight
    if own.exponential == 0:
        cross_binomial_row(i, state, key, i, donors, weight, guide_weight, own.crossover)
    else:
        cross_exponential_row(i, state, key, i, donors, weight, guide_weight, own.crossover)
    shared.repair_to_midpoint_row(i, state, i)
    shared.round_away_row(i, state, i)


@inlined
def select(i, state):
    survives = state.trial_f[i] <= state.f[i]
    state.f[i] = state.trial_f[i] if survives else state.f[i]
    shared.replace_row(survives, state.trial, i, state.x, i)


SOLVER = Solver(
    "de", "differential evolution with fixed weight and crossover", Options, DifferentialEvolutionState, init,
    rows=Rows(propose, select=select, settle=(shared.find_best, shared.measure)), points=populations, planned=False,
)  # fmt: skip
