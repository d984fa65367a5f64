"""Pure random search: independent points, uniform in the box.

Point k of a run depends on (seed, run, k) alone, whatever the size of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...kernels.compile.jit import inlined
from ...kernels.numbers.random import generation_key, row_key, run_key, uniform
from ...kernels.rows import population
from ..contract import Integers, Matrix, Solver, Vector, common_fields, require


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int = 256  # points per generation, at least 1; changes nothing but how often the stops are looked at

    def __post_init__(self):
        require(self.population >= 1, "population", self.population, "at least 1")


class State(NamedTuple):
    trial: Matrix  # (P, D) points of this generation
    trial_f: Vector  # (P,)   their values
    lower: Vector  # (D,)
    upper: Vector  # (D,)
    integer: Vector  # (D,)   1.0 where whole numbers are asked for
    best_x: Vector  # (D,)
    history: Matrix  # (H, 2) evaluations, best value
    params: Vector
    counters: Integers


def init(problem, options, limits, key):
    rows = min(options.population, limits.max_evals)
    return State(**common_fields(problem, rows, limits, key))


@inlined
def propose_row(i, state):
    counters, trial = state.counters, state.trial
    point = counters[population.EVALUATIONS] + i
    key = row_key(generation_key(run_key(counters[population.SEED], counters[population.RUN]), 0), point)
    for j in range(trial.shape[1]):
        trial[i, j] = population.sample(uniform(key, j), state.lower[j], state.upper[j], state.integer[j])


SOLVER = Solver(
    "random_search", "independent uniform points: the baseline", Options, State, init, propose_row, has_population=False
)
