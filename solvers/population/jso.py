"""jSO: L-SHADE with a weighted mutation and schedules for its parameters.

Brest, Maucec and Boskovic, Single objective real-parameter optimization: algorithm jSO, CEC 2017; the defaults are the
paper's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.numbers.random import integer
from ...kernels.rows import population as shared
from ...kernels.rows import success_history as history
from ...kernels.rows.differential_evolution import cross_binomial_row
from ...kernels.rows.migration import populations
from ...kernels.run import progress
from ..contract import Rows, Solver, require
from .lshade import LshadeState, history_state


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # N_init, at least 4; None: 25 ln(D) sqrt(D), at least 12
    memory: int = 5  # H, at least 2; the last slot stays at 0.9, 0.9
    archive: float = 1.0  # archive size per individual, at least 0
    best_share: float = 0.25  # p_max in (0, 1]; falls linearly to its half

    def __post_init__(self):
        require(self.population is None or self.population >= 4, "population", self.population, "at least 4")
        require(self.memory >= 2, "memory", self.memory, "at least 2")
        require(self.archive >= 0, "archive", self.archive, "a number that is not negative")
        require(0 < self.best_share <= 1, "best_share", self.best_share, "p in (0, 1]")


def init(domain, options, limits, key):
    dimension = domain.dimension
    rows = options.population or max(12, round(25 * np.log(dimension) * np.sqrt(dimension)))
    memory = np.empty((2, options.memory))
    memory[0], memory[1], memory[:, -1] = 0.3, 0.8, 0.9
    return history_state(domain, rows, options.archive, memory, limits, key, options.best_share)


@inlined
def propose(i, state):
    if state.run.now[0].iteration == 0:
        shared.sample_row(i, state)
        return
    key = shared.row_of(i, state)
    spent = progress(state.run)
    slot = integer(key, history.PERIOD, state.memory.shape[1])
    weight = history.weight_around(state.memory[0, slot], 0.1, state.weight[i], key)
    weight = min(weight, 0.7) if spent < 0.6 else weight
    crossover = history.crossover_around(state.memory[1, slot], 0.1, state.crossover[i])
    crossover = max(crossover, 0.7 if spent < 0.25 else 0.6 if spent < 0.5 else 0.0)
    state.weight[i], state.crossover[i] = weight, crossover
    guide_weight = weight * (0.7 if spent < 0.2 else 0.8 if spent < 0.4 else 1.2)  # F_w
    donors = history.draw_donors(i, state, key, state.own[0].best_share * (1.0 - 0.5 * spent))
    cross_binomial_row(i, state, key, i, donors, weight, guide_weight, crossover)
    shared.repair_to_midpoint_row(i, state, i)
    shared.round_row(i, state)


@inlined
def learn(state):
    """Archive and memory: midway between the old and the new means; the last slot stays."""
    history.remember(state, 0.5, state.memory.shape[1] - 1)


ROWS = Rows(propose, (learn,), history.select, settle=(shared.rank, history.shrink, shared.measure), draw=history.draw)
SOLVER = Solver(
    "jso", "L-SHADE with scheduled parameters (jSO, CEC 2017)", Options, LshadeState, init, rows=ROWS,
    points=populations,
)  # fmt: skip
