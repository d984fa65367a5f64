"""What a solver is: options, state, init, and four small functions from which the drivers build everything else.

One generation of any solver, as the drivers run it:
    propose_row(i, state)   for each row, in any order    the candidate of one individual
    (the candidates are evaluated: trial_f; best and failures are noted)
    tally(state)            once                          what is learnt from the generation: memories, places
    select_row(i, state)    for each row, in any order    which points survive
    (if the solver is `ranked`: `order` lists the rows of each population from best to worst)
    settle(state)           once                          the size of the next generation
Generation 0 is the initial sample: it is in `trial` when the run begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np
from numba.core import types

from ..kernels.compile.jit import inlined, kernel
from ..kernels.problem import Problem
from ..kernels.rows import population

Matrix = Annotated[np.ndarray, types.float64[:, ::1]]
Vector = Annotated[np.ndarray, types.float64[::1]]
Integers = Annotated[np.ndarray, types.int64[::1]]

HISTORY_ENTRIES = 512


@dataclass(frozen=True)
class Solver:
    """A row of the registry. The functions are kernels; all but `propose_row` may be left out."""

    name: str
    summary: str
    Options: type
    State: type
    init: Callable[[Problem, Any, Limits, Key], Any]
    propose_row: Callable
    tally: Callable | None = None
    select_row: Callable | None = None
    settle: Callable | None = None
    ranked: bool = False
    seeks_best: bool = False  # counters[BEST_ROW] is kept: the row of the lowest value
    has_population: bool = True  # False: the values of a generation do not converge, so `ftol` has no meaning

    def __reduce__(self):
        return solver_named, (self.name,)  # its kernels are compiled, or loaded from disk, where it arrives


def solver_named(name: str) -> Solver:
    from . import SOLVERS

    return SOLVERS[name]


class Key(NamedTuple):
    """What the random numbers of a run hang on."""

    seed: int  # 64 bits
    run: int


@dataclass(frozen=True)
class Limits:
    """The stops that are kept inside compiled code, so that they do not depend on how a run is cut into chunks."""

    max_evals: int
    target: float = -np.inf
    ftol: float = -1.0  # spread of the values <= ftol * (1 + |best|); negative: no such stop
    patience: int = 0  # generations without improvement; 0: no such stop


@inlined
def nothing(state):
    pass


@inlined
def nothing_row(i, state):
    pass


@cache
def state_type(State: type) -> types.NamedTuple:
    """Numba's type of a state, from the annotations of its fields."""
    hints = get_type_hints(State, include_extras=True)
    return types.NamedTuple([hints[name].__metadata__[0] for name in State._fields], State)


def common_fields(problem: Problem, rows: int, limits: Limits, key: Key, own_counters=0, own_params=()) -> dict:
    """The fields that every state has, with the initial sample in `trial`: x0 first, the rest uniform in the box."""
    dimension = problem.dimension
    counters = np.zeros(population.COUNTERS + own_counters, dtype=np.int64)
    counters[population.SEED] = np.uint64(key.seed).astype(np.int64)
    counters[population.RUN] = key.run
    counters[population.LIVE] = counters[population.RANK_1] = rows
    counters[population.MAX_EVALS] = limits.max_evals
    counters[population.PATIENCE] = limits.patience
    counters[population.STRIDE] = 1
    integer = problem.integrality.astype(np.float64)
    whole = problem.integrality
    fields = {
        "trial": np.zeros((rows, dimension)),
        "trial_f": np.full(rows, np.inf),
        "lower": np.where(whole, np.ceil(problem.lower), problem.lower),
        "upper": np.where(whole, np.floor(problem.upper), problem.upper),
        "integer": integer,
        "best_x": np.full(dimension, np.nan),
        "history": np.zeros((HISTORY_ENTRIES, 2)),
        "params": np.array([limits.target, limits.ftol, np.inf, *own_params], dtype=np.float64),
        "counters": counters,
    }
    sample = Sample(fields["trial"], fields["lower"], fields["upper"], integer, fields["params"], counters)
    sample_all(sample)
    if problem.x0 is not None:
        given = problem.x0
        if len(given) > rows:
            raise ValueError(f"x0: got {len(given)} points, expected at most {rows}, the size of the population")
        rounded = np.clip(np.rint(given), fields["lower"], fields["upper"])
        fields["trial"][: len(given)] = np.where(whole, rounded, given)
    return fields


class Sample(NamedTuple):
    """The part of a state that the initial sample needs."""

    trial: Matrix
    lower: Vector
    upper: Vector
    integer: Vector
    params: Vector
    counters: Integers


@kernel
def sample_all(state):
    population.open_generation(state)
    for i in range(state.trial.shape[0]):
        population.sample_row(i, state)


def ranked_fields(rows: int, dimension: int) -> dict:
    """The fields of a ranked method: `rows` points, their values and ranks."""
    return {
        "x": np.zeros((rows, dimension)),
        "f": np.full(rows, np.inf),
        "order": np.arange(rows, dtype=np.int64),
        "scratch": np.zeros(rows, dtype=np.int64),
    }


def require(condition: bool, name: str, got, expected: str) -> None:
    """ValueError that names the option, what was given and what is expected."""
    if not condition:
        raise ValueError(f"{name}: got {got!r}, expected {expected}")
