"""A genetic algorithm on real and whole numbers.

Deb and Agrawal, Simulated binary crossover for continuous search space, Complex Systems 9 (1995) 115-148; Deb,
Multi-objective optimization using evolutionary algorithms (2001): binary tournaments, polynomial mutation, the best of
parents and children survive, copies do not. With selection="truncation" or "roulette", crossover="one_point",
mutation="uniform" and elites=1 it is the one of the textbooks (Goldberg 1989).

A population whose values agree, or whose best stood still for long, begins anew within the same run. Mutation changes
a whole number by one at least; where there are two, the gene is binary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import IntegerMatrix, Integers, Matrix, Vector, filled
from ...kernels.rows import genetic, renewal, survival
from ...kernels.rows import population as shared
from ...kernels.rows.migration import populations
from ...kernels.rows.population import Box, RowCounts, population_fields
from ...kernels.run import Run
from ..contract import Rows, Solver, require

SELECTIONS = ("tournament", "truncation", "roulette")
CROSSOVERS = ("sbx", "one_point")
MUTATIONS = ("polynomial", "uniform")
POPULATION = {False: 100, True: 30}  # True: whole numbers alone, of which fewer points are told apart
PATIENCE, PATIENCE_EACH = 100, 10  # generations without improvement before a new population, and more for each variable


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # P, at least 2; None: Deb's 100; of whole numbers alone 30
    selection: str = "tournament"  # of two; "truncation": among the better half; "roulette": by value
    crossover: str = "sbx"  # simulated binary; "one_point"
    mutation: str = "polynomial"  # or "uniform": drawn anew
    crossover_rate: float = 0.9  # of pairs that cross, in [0, 1]
    mutation_rate: float | None = None  # of genes that mutate, in [0, 1]; None: 1 / D
    crossover_eta: float = 1.0  # distribution index of sbx, at least 0; the larger, the closer to the parents
    mutation_eta: float = 20.0  # distribution index of the polynomial mutation, at least 0
    elites: int | None = None  # parents that survive, in 0..P-1; None: the best of parents and children, without copies

    def __post_init__(self):
        require(self.population is None or self.population >= 2, "population", self.population, "at least 2")
        for name, words in (("selection", SELECTIONS), ("crossover", CROSSOVERS), ("mutation", MUTATIONS)):
            require(getattr(self, name) in words, name, getattr(self, name), "one of " + ", ".join(words))
        for name in ("crossover_rate", "mutation_rate"):
            rate = getattr(self, name)
            require(rate is None or 0 <= rate <= 1, name, rate, "a share in [0, 1]")
        for name in ("crossover_eta", "mutation_eta"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "a number that is not negative")
        used = self.crossover == "sbx" or self.crossover_eta == 1.0
        require(used, "crossover_eta", self.crossover_eta, "it beside crossover='sbx'; one_point has none")
        used = self.mutation == "polynomial" or self.mutation_eta == 20.0
        require(used, "mutation_eta", self.mutation_eta, "it beside mutation='polynomial'; uniform has none")
        fits = self.elites is None or 0 <= self.elites < (self.population or min(POPULATION.values()))
        require(fits, "elites", self.elites, "a number of parents below the size of the population")


class GeneticState(NamedTuple):
    x: Matrix  # (P, D) population
    f: Vector  # (2 P,) its values, those of its children
    order: Integers  # (2 P,) rows from best to worst
    scratch: Integers  # (2 P,) or (P D,), whichever is more
    bends: Matrix  # (2, P D) of genes that mutate
    parents: IntegerMatrix  # (P, 2) of each child
    wheel: Vector  # (P,)   of the roulette
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    own: Annotated[np.ndarray, genetic.SCALARS]
    life: Annotated[np.ndarray, renewal.LIFE]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    rows, n = options.population or POPULATION[bool(domain.integrality.all())], domain.dimension
    rate = 1 / n if options.mutation_rate is None else options.mutation_rate
    own = {
        "selection": SELECTIONS.index(options.selection),
        "crossover": CROSSOVERS.index(options.crossover),
        "mutation": MUTATIONS.index(options.mutation),
        "rate": options.crossover_rate,
        "mutation_rate": rate,
        "eta_crossover": options.crossover_eta,
        "eta_mutation": options.mutation_eta,
        "elites": rows if options.elites is None else options.elites,
        "distinct": options.elites is None,
    }
    return GeneticState(
        x=np.zeros((rows, n)),
        f=np.full(2 * rows, np.inf),
        order=np.arange(2 * rows),
        scratch=np.zeros(rows * max(2, n), dtype=np.int64),
        bends=np.zeros((2, rows * n)),
        parents=np.zeros((rows, 2), dtype=np.int64),
        wheel=np.zeros(rows),
        own=filled(genetic.SCALARS, **own),
        life=filled(renewal.LIFE, fresh=1, longest=PATIENCE + PATIENCE_EACH * n, best=np.inf),
        **population_fields(domain, rows, limits, key),
    )


@inlined
def draw(start, stop, state):
    if state.life[0].fresh == 0:
        genetic.make_children(start, stop, state)


@inlined
def propose(i, state):
    if state.life[0].fresh == 1:
        shared.sample_row(i, state)


@inlined
def renew(state):
    renewal.renew(state.life, state.f, state.rows, state.run)


SETTLE = (survival.rank, survival.survive, genetic.weigh, renew)
SOLVER = Solver(
    "genetic", "genetic algorithm (simulated binary crossover, polynomial mutation, elitism)", Options, GeneticState,
    init, rows=Rows(propose, (survival.join,), survival.place_row, settle=SETTLE, draw=draw), points=populations,
    planned=False,
)  # fmt: skip
