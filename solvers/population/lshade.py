"""L-SHADE: differential evolution with success-history adaptation and linear population size reduction.

Tanabe and Fukunaga, Improving the search performance of SHADE using linear population size reduction, CEC 2014; the
defaults are the paper's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Matrix, Vector, filled
from ...kernels.numbers.random import integer
from ...kernels.rows import population as shared
from ...kernels.rows import success_history as history
from ...kernels.rows.differential_evolution import cross_binomial_row
from ...kernels.rows.migration import populations
from ...kernels.rows.population import Box, RowCounts, population_fields, ranked_fields
from ...kernels.run import Run
from ..contract import Rows, Solver, require


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


class LshadeState(NamedTuple):
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
    own: Annotated[np.ndarray, history.SCALARS]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    rows = options.population or max(18 * domain.dimension, 4)
    memory = np.full((2, options.memory), 0.5)
    return history_state(domain, rows, options.archive, memory, limits, key, options.best_share)


def history_state(domain, rows, archive_rate, memory, limits, key, best_share):
    """The state of any method with a success history."""
    archive = int(archive_rate * rows + 0.5)
    own = {"archive": archive, "initial": rows, "archive_rate": archive_rate, "best_share": best_share}
    return LshadeState(
        **ranked_fields(rows + archive, domain.dimension),
        weight=np.zeros(rows),
        crossover=np.zeros(rows),
        memory=memory,
        place=np.full(rows, -1),
        owner=np.full(archive, -1),
        own=filled(history.SCALARS, **own),
        **population_fields(domain, rows, limits, key),
    )


@inlined
def propose(i, state):
    if state.run.now[0].iteration == 0:
        shared.sample_row(i, state)
        return
    key = shared.row_of(i, state)
    slot = integer(key, history.PERIOD, state.memory.shape[1])
    weight = history.weight_around(state.memory[0, slot], 0.1, state.weight[i], key)
    crossover = history.crossover_around(state.memory[1, slot], 0.1, state.crossover[i])
    state.weight[i], state.crossover[i] = weight, crossover
    donors = history.draw_donors(i, state, key, state.own[0].best_share)
    cross_binomial_row(i, state, key, i, donors, weight, weight, crossover)
    shared.repair_to_midpoint_row(i, state, i)
    shared.round_row(i, state)


@inlined
def learn(state):
    """Archive and memory: the new means replace the old."""
    history.remember(state, 0.0, state.memory.shape[1])


ROWS = Rows(propose, (learn,), history.select, settle=(shared.rank, history.shrink, shared.measure), draw=history.draw)
SOLVER = Solver(
    "lshade", "adaptive differential evolution (L-SHADE, CEC 2014)", Options, LshadeState, init, rows=ROWS,
    points=populations,
)  # fmt: skip
