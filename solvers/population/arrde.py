"""ARRDE: success-history differential evolution that restarts and refines, for short budgets and for long ones.

Muzakka, Möller and Finsterbusch, Adaptive restart-refine differential evolution, in the program minionpy 1.9, whose
rules these are. Ours: the initial sample is uniform, the last slot of the memory holds 0.9 from the beginning, and a
full archive gives a place that is drawn to a newcomer (all as in jSO here); records have bounds, see
kernels/rows/cycles.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Matrix, Vector, filled
from ...kernels.numbers.random import integer
from ...kernels.rows import cycles
from ...kernels.rows import population as shared
from ...kernels.rows import success_history as history
from ...kernels.rows.differential_evolution import COORDINATES, cross_binomial_row
from ...kernels.rows.migration import populations
from ...kernels.rows.population import Box, RowCounts, population_fields, ranked_fields
from ...kernels.run import Run, progress
from ..contract import Rows, Solver, require

BEST_SHARE = 0.11  # p
WIDTH = 0.05  # of the distributions of F and CR
BUDGET = 10_000  # evaluations per variable where a run has no limit of them


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # at least 4; None: D (2 + 5.756 log10(max_evals / (100 D))^1.609), at most 3000
    memory: int = 6  # H, at least 2; the last slot stays at 0.9, 0.9

    def __post_init__(self):
        require(self.population is None or self.population >= 4, "population", self.population, "at least 4")
        require(self.memory >= 2, "memory", self.memory, "at least 2")


class ArrdeState(NamedTuple):
    x: Matrix  # (2 P, D) population, archive
    f: Vector  # (2 P,) values of the population
    order: Integers  # (2 P,) rows from best to worst
    scratch: Integers  # (2 P,)
    weight: Vector  # (P,)   F of each candidate
    crossover: Vector  # (P,)   CR of each candidate
    memory: Matrix  # (2, H) means of F, means of CR
    place: Integers  # (P,)   in the archive, of a replaced parent
    owner: Integers  # (P,)   the row a place was last given to
    record: Matrix  # (R, D) points of populations that have converged
    record_f: Vector  # (R,)
    improved: Matrix  # (P, D) the last best points of the first population
    improved_f: Vector  # (P,)
    learnt: Matrix  # (2, M) means of F and CR at the ends of populations
    taken_low: Matrix  # (D, K) intervals where populations ended
    taken_high: Matrix  # (D, K)
    intervals: Integers  # (D,) how many
    chosen: Integers  # (R,)
    cycle: Annotated[np.ndarray, cycles.CYCLE]
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    own: Annotated[np.ndarray, history.SCALARS]
    rows: RowCounts
    box: Box
    run: Run


def default_population(dimension: int, budget: int | None) -> int:
    decades = max(np.log10(BUDGET if budget is None else max(budget / dimension, 1.0)) - 2.0, 0.0)
    wanted = min(dimension * (2.0 + 5.756 * decades**1.609), 3000.0)
    return max(int(wanted), 2 * dimension, 4)


def init(domain, options, limits, key):
    n = domain.dimension
    size = options.population or default_population(n, limits.budget)
    memory = np.full((2, options.memory), cycles.FIXED)
    memory[0, :-1], memory[1, :-1] = cycles.WEIGHT, cycles.CROSSOVER
    return ArrdeState(
        **ranked_fields(2 * size, n),
        weight=np.zeros(size),
        crossover=np.zeros(size),
        memory=memory,
        place=np.full(size, -1),
        owner=np.full(size, -1),
        record=np.zeros((cycles.RECORDS * size, n)),
        record_f=np.zeros(cycles.RECORDS * size),
        improved=np.zeros((size, n)),
        improved_f=np.zeros(size),
        learnt=np.zeros((2, cycles.LEARNINGS * options.memory)),
        taken_low=np.zeros((n, cycles.INTERVALS)),
        taken_high=np.zeros((n, cycles.INTERVALS)),
        intervals=np.zeros(n, dtype=np.int64),
        chosen=np.zeros(cycles.RECORDS * size, dtype=np.int64),
        cycle=filled(
            cycles.CYCLE, restarts=1, tolerance=cycles.FIRST_TOLERANCE, best=np.inf, best_recorded=np.inf
        ),
        own=filled(history.SCALARS, archive=size, initial=size, archive_rate=1.0, best_share=BEST_SHARE),
        **population_fields(domain, size, limits, key),
    )  # fmt: skip


@inlined
def propose(i, state):
    cycle, key = state.cycle[0], shared.row_of(i, state)
    if state.run.now[0].iteration == 0 or cycle.fresh == 1:
        shared.sample_row(i, state)
        if cycle.fresh == 1:
            cycles.avoid_row(i, state, key)
            shared.round_row(i, state)
        return
    spent = progress(state.run) / cycles.LAST
    slot = integer(key, history.PERIOD, state.memory.shape[1])
    weight = history.weight_around(state.memory[0, slot], WIDTH, state.weight[i], key)
    crossover = history.crossover_around(state.memory[1, slot], WIDTH, state.crossover[i])
    if cycle.phase == cycles.FIRST:
        weight = min(weight, 0.7) if spent < 0.6 else weight
        crossover = max(crossover, 0.7 if spent < 0.25 else 0.6 if spent < 0.5 else 0.0)
    state.weight[i], state.crossover[i] = weight, crossover
    donors = history.draw_donors(i, state, key, state.own[0].best_share)
    cross_binomial_row(i, state, key, i, donors, weight, weight, crossover)
    shared.repair_near_bound_row(i, state, key, COORDINATES + state.trial.shape[1])
    shared.round_row(i, state)


@inlined
def learn(state):
    if state.cycle[0].fresh == 1:
        history.archive_parents(state)
    else:
        history.remember(state, 0.5, state.memory.shape[1] - 1)


ROWS = Rows(propose, (learn,), history.select, settle=(shared.rank, cycles.close_generation), draw=history.draw)
SOLVER = Solver(
    "arrde", "differential evolution that restarts and refines (ARRDE)", Options, ArrdeState, init, rows=ROWS,
    points=populations, agrees=False,
)  # fmt: skip
