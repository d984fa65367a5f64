"""Pure random search: independent points, uniform in the box.

Point k of a run depends on (seed, run, k) alone, whatever the size of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Matrix, Vector
from ...kernels.numbers.random import generation_key, row_key, run_key, uniform
from ...kernels.rows import population
from ...kernels.rows.population import Box, RowCounts, population_fields
from ...kernels.run import Run
from ..contract import Rows, Solver, require


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int = 256  # points per generation, at least 1; changes nothing but how often the stops are looked at

    def __post_init__(self):
        require(self.population >= 1, "population", self.population, "at least 1")


class RandomSearchState(NamedTuple):
    trial: Matrix  # (P, D) points of this generation
    trial_f: Vector  # (P,)   their values
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    return RandomSearchState(**population_fields(domain, options.population, limits, key))


@inlined
def propose(i, state):
    now, box, trial = state.run.now[0], state.box, state.trial
    point = now.evaluations + i
    if point < state.rows[0].given:
        return
    key = row_key(generation_key(run_key(now.seed, now.index), 0), point)
    for j in range(trial.shape[1]):
        trial[i, j] = population.sample(uniform(key, j), box.lower[j], box.upper[j], box.integer[j])


SOLVER = Solver(
    "random_search", "independent uniform points: the baseline", Options, RandomSearchState, init,
    rows=Rows(propose), converges=False, planned=False,
)  # fmt: skip
