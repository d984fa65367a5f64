"""L-SHADE: differential evolution with success-history adaptation and linear population size reduction.

Tanabe and Fukunaga, Improving the search performance of SHADE using linear population size reduction, CEC 2014; the
defaults are the paper's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, kernel
from ...kernels.numbers.random import integer
from ...kernels.rows import population as shared
from ...kernels.rows import success_history as history
from ...kernels.rows.differential_evolution import cross_binomial_row
from ..contract import Integers, Matrix, Solver, Vector, common_fields, ranked_fields, require

BEST_SHARE = history.OWN_PARAMS


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # N_init, at least 4; None: 18 D
    memory: int = 6  # H, at least 1
    archive: float = 2.6  # archive size per individual, at least 0
    best_share: float = 0.11  # p in (0, 1]

    def __post_init__(self):
        require(self.population is None or self.population >= 4, "population", self.population, "at least 4")
        require(self.memory >= 1, "memory", self.memory, "at least 1")
        require(self.archive >= 0, "archive", self.archive, "a number that is not negative")
        require(0 < self.best_share <= 1, "best_share", self.best_share, "p in (0, 1]")


class State(NamedTuple):
    x: Matrix  # (P + A, D) population, archive
    f: Vector  # (P + A,) values of the population
    order: Integers  # (P + A,) rows from best to worst
    scratch: Integers  # (P + A,)
    weight: Vector  # (P,)   F of each candidate
    crossover: Vector  # (P,)   CR of each candidate
    memory: Matrix  # (2, H) means of F, means of CR
    place: Integers  # (P,)   in the archive, of a replaced parent
    owner: Integers  # (A,)   the row a place was last given to
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    lower: Vector  # (D,)
    upper: Vector  # (D,)
    integer: Vector  # (D,)   1.0 where whole numbers are asked for
    best_x: Vector  # (D,)
    history: Matrix  # (entries, 2) evaluations, best value
    params: Vector  # target, ftol, best; initial size, archive rate; own
    counters: Integers


def init(problem, options, limits, key):
    rows = options.population or max(18 * problem.dimension, 4)
    memory = np.full((2, options.memory), 0.5)
    return history_state(problem, rows, options.archive, memory, limits, key, (options.best_share,))


def history_state(problem, rows, archive_rate, memory, limits, key, own_params):
    """The state of any method with a success history."""
    archive = int(archive_rate * rows + 0.5)
    common = common_fields(problem, rows, limits, key, own_counters=3, own_params=(rows, archive_rate, *own_params))
    common["counters"][history.ARCHIVE] = archive
    return State(
        **ranked_fields(rows + archive, problem.dimension),
        weight=np.zeros(rows),
        crossover=np.zeros(rows),
        memory=memory,
        place=np.full(rows, -1),
        owner=np.full(archive, -1),
        **common,
    )


@inlined
def propose_row(i, state):
    key = shared.row_of(i, state)
    slot = integer(key, history.PERIOD, state.memory.shape[1])
    weight = history.draw_weight(key, state.memory[0, slot])
    crossover = history.draw_crossover(key, state.memory[1, slot])
    state.weight[i], state.crossover[i] = weight, crossover
    donors = history.draw_donors(i, state, key, state.params[BEST_SHARE])
    cross_binomial_row(i, state, key, i, donors, weight, weight, crossover)
    shared.repair_to_midpoint_row(i, state, i)
    shared.round_row(i, state)


@kernel
def tally(state):
    """Archive and memory: the new means replace the old."""
    history.remember(state, 0.0, state.memory.shape[1])


SOLVER = Solver(
    "lshade", "adaptive differential evolution (L-SHADE, CEC 2014)", Options, State, init, propose_row,
    tally=tally, select_row=history.select_row, settle=history.settle, ranked=True,
)  # fmt: skip
