"""Differential evolution with fixed parameters.

Storn and Price, J. Global Optim. 11 (1997) 341-359; the strategies are named as in SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.numbers.random import integer_except, integer_except_three, integer_except_two
from ...kernels.rows import population as shared
from ...kernels.rows.differential_evolution import CHOICES, cross_binomial_row, cross_exponential_row
from ..contract import Integers, Matrix, Solver, Vector, common_fields, require

STRATEGIES = ("rand1bin", "best1bin", "currenttobest1bin", "rand1exp", "best1exp", "currenttobest1exp")
MUTATION, EXPONENTIAL, WEIGHT, CROSSOVER = (shared.PARAMS + k for k in range(4))
RAND, BEST, CURRENT_TO_BEST = 0, 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    strategy: str = "rand1bin"  # what is mutated, how it is crossed
    population: int | None = None  # P, at least 4; None: 10 D as Storn and Price advise, within 20..200
    weight: float = 0.5  # F in (0, 2]
    crossover: float = 0.9  # CR in [0, 1]

    def __post_init__(self):
        require(self.strategy in STRATEGIES, "strategy", self.strategy, "one of " + ", ".join(STRATEGIES))
        require(self.population is None or self.population >= 4, "population", self.population, "at least 4")
        require(0 < self.weight <= 2, "weight", self.weight, "F in (0, 2]")
        require(0 <= self.crossover <= 1, "crossover", self.crossover, "CR in [0, 1]")


class State(NamedTuple):
    x: Matrix  # (P, D) population
    f: Vector  # (P,)   its values
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    lower: Vector  # (D,)
    upper: Vector  # (D,)
    integer: Vector  # (D,)   1.0 where whole numbers are asked for
    best_x: Vector  # (D,)
    history: Matrix  # (H, 2) evaluations, best value
    params: Vector  # target, ftol, best, then MUTATION..CROSSOVER
    counters: Integers


def init(problem, options, limits, key):
    rows = options.population or min(max(10 * problem.dimension, 20), 200)
    number = STRATEGIES.index(options.strategy)
    own = (number % 3, number // 3, options.weight, options.crossover)
    return State(
        x=np.zeros((rows, problem.dimension)),
        f=np.full(rows, np.inf),
        **common_fields(problem, rows, limits, key, own_params=own),
    )


@inlined
def propose_row(i, state):
    n, params = state.counters[shared.LIVE], state.params
    key = shared.row_of(i, state)
    best = state.counters[shared.BEST_ROW]
    r1 = integer_except(key, CHOICES, n, i)
    r2 = integer_except_two(key, CHOICES + 1, n, i, r1)
    weight, guide_weight = params[WEIGHT], 0.0
    if params[MUTATION] == RAND:
        donors = (integer_except_three(key, CHOICES + 2, n, i, r1, r2), r1, r2, best)
    elif params[MUTATION] == BEST:
        donors = (best, r1, r2, best)
    else:
        donors, guide_weight = (i, r1, r2, best), weight
    if params[EXPONENTIAL] == 0.0:
        cross_binomial_row(i, state, key, i, donors, weight, guide_weight, params[CROSSOVER])
    else:
        cross_exponential_row(i, state, key, i, donors, weight, guide_weight, params[CROSSOVER])
    shared.repair_to_midpoint_row(i, state, i)
    shared.round_row(i, state)


@inlined
def select_row(i, state):
    survives = state.trial_f[i] <= state.f[i]
    state.f[i] = state.trial_f[i] if survives else state.f[i]
    shared.replace_row(survives, state.trial, i, state.x, i)


SOLVER = Solver(
    "de", "differential evolution with fixed weight and crossover", Options, State, init, propose_row,
    select_row=select_row, seeks_best=True,
)  # fmt: skip
