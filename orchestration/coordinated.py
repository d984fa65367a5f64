"""Coordinated restarts: later runs search near, and between, the good solutions of earlier ones.

The strategy is that of the coordinated retry of fcmaes (Wolz, fast-cma-es, `advretry`), made deterministic: it goes in
rounds, and what a run does hangs on seed, number and records of earlier rounds alone. A run is one of three:

    explore   the whole box
    cross     two solutions of the store, a good one i and a worse one j: begins at x_j, in a box around x_i whose width
              follows |x_j - x_i|: coordinates in which the two agree are searched closely, the others widely
    vary      a good solution: some coordinates are free in their whole range, the others stay close

The third is ours. The store holds the best solutions so far, none of them close to a better one. Runs get longer as
their number grows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..kernels.problem import Problem
from ..solvers import settings
from ..solvers.call import Call
from .execution import Execution
from .execution.outcome import Outcome

CROSS, VARY = 0.3, 0.5  # shares of the runs; the others explore
CAPACITY = 500  # solutions in the store (fcmaes)
SIMILAR = 0.1  # two solutions are, below this root mean square distance in units of the box (fcmaes)
GREED = 0.2  # the chance that the next of the ranked solutions is taken, at most (fcmaes)
REACH = (2.0, 4.0)  # half width of a crossed box in units of 0.5..1 times |x_j - x_i| (fcmaes)
LEAST = 1e-4  # least half width of a crossed box
FREE = 0.35  # the chance of a coordinate to be free in a varied box
RADIUS = (0.005, 0.05)  # half width of a varied box where it is not, in units of the box
FROM_GOOD = 0.5  # the chance that a varied run begins from the good solution
DOUBLED = 300  # runs after which a run is twice as long as the first
LONGEST = 50  # times the first (fcmaes)
ROUND = 50  # runs in a round
FIRST, POPULATION = 1000, 7.5  # evaluations of the first run, and jSO's population, times the dimension


def for_short_runs(call: Call, method: str, max_evals: int | None, options) -> Call:
    """A call with the method, the first budget and the population that suit many short runs, where none are given."""
    dimension = call.problem.dimension
    if method == "auto":
        solver = settings.find_solver("jso", call.problem, call.limits.max_evals)
        small = options or {"population": max(int(POPULATION * dimension), 20)}
        call = dataclasses.replace(call, solver=solver, options=settings.make_options(solver, small))
    if max_evals is None:
        call = dataclasses.replace(call, limits=dataclasses.replace(call.limits, max_evals=FIRST * dimension))
    return call


class Plan(NamedTuple):
    """What one run searches."""

    lower: np.ndarray  # (D,)
    upper: np.ndarray  # (D,)
    x0: np.ndarray | None  # (1, D)
    max_evals: int
    accept_below: float  # its solution goes to the store if its value is below


class Solution(NamedTuple):
    fun: float
    run: int
    x: np.ndarray  # (D,)


class Coordinator:
    """Plans the runs of a round and learns from their records.

    Parameters
    ----------
    problem : Problem
        Its box.
    seed : int
        0 <= seed < 2**64.
    max_evals : int
        Evaluations of the first run.

    Examples
    --------
    >>> from thalweg.kernels import Problem
    >>> from thalweg.orchestration.coordinated import Coordinator
    >>> coordinator = Coordinator(Problem(fun=abs, bounds=[(-5, 5)]), seed=1, max_evals=1000)
    >>> coordinator.plan(0).max_evals
    1000
    >>> coordinator.close_round([{"unit": 0, "fun": 0.5, "x": [0.5]}])
    >>> coordinator.store[0].fun
    0.5
    """

    def __init__(self, problem: Problem, seed: int, max_evals: int):
        self.lower, self.upper = problem.lower, problem.upper
        self.width = self.upper - self.lower
        self.seed, self.max_evals = seed, max_evals
        self.store: list[Solution] = []  # from best to worst

    def plan(self, run: int) -> Plan:
        """What a run of the current round does: a pure function of (seed, run, records of earlier rounds)."""
        draw = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(run,)))
        kind = draw.random()
        if kind < CROSS and len(self.store) > 1:
            return self._cross(run, draw)
        if CROSS <= kind < CROSS + VARY and self.store:
            return self._vary(run, draw)
        return self._explore(run)

    def close_round(self, records: Iterable[dict]) -> None:
        """Take the records of a finished round: `unit` (the number of the run), `fun`, `x`."""
        new = [Solution(r["fun"], r["unit"], np.array(r["x"])) for r in records]
        new = [solution for solution in new if solution.fun < self.plan(solution.run).accept_below]
        ranked = sorted(self.store + new, key=lambda solution: solution[:2])
        self.store = []
        for solution in ranked:
            if len(self.store) < CAPACITY and not self._resembles_a_better(solution):
                self.store.append(solution)

    def _resembles_a_better(self, solution: Solution) -> bool:
        if not self.store:
            return False
        apart = (np.array([better.x for better in self.store]) - solution.x) / np.where(self.width > 0, self.width, 1.0)
        return bool((np.sqrt(np.mean(apart * apart, axis=1)) < SIMILAR).any())

    def _explore(self, run: int) -> Plan:
        return Plan(self.lower, self.upper, None, length(run, self.max_evals), np.inf)

    def _cross(self, run: int, draw: np.random.Generator) -> Plan:
        good, other = self._choose(2, draw)
        reach = draw.uniform(*REACH) * draw.uniform(0.5, 1.0)
        return self._around(run, good, np.maximum(reach * np.abs(other.x - good.x), LEAST), other.x)

    def _choose(self, wanted: int, draw: np.random.Generator) -> list[Solution]:
        """The first solutions taken when each, from the best on, is taken with the same small chance."""
        count = len(self.store)
        while True:
            chance = draw.uniform(1 / count, max(GREED, 1 / count))
            places = np.cumsum(draw.geometric(chance, wanted)) - 1
            if places[-1] < count:
                return [self.store[place] for place in places]

    def _vary(self, run: int, draw: np.random.Generator) -> Plan:
        (good,) = self._choose(1, draw)
        radius = np.exp(draw.uniform(*np.log(RADIUS)))
        free = draw.random(len(self.width)) < FREE
        start = good.x if draw.random() < FROM_GOOD else None
        return self._around(run, good, np.where(free, 1.0, radius) * self.width, start)

    def _around(self, run: int, good: Solution, half: np.ndarray, start: np.ndarray | None) -> Plan:
        lower, upper = np.maximum(self.lower, good.x - half), np.minimum(self.upper, good.x + half)
        x0 = None if start is None else np.clip(start, lower, upper)[None]
        return Plan(lower, upper, x0, length(run, self.max_evals), good.fun)


def length(run: int, first: int) -> int:
    """Evaluations of a run."""
    return int(first * min(1 + run / DOUBLED, LONGEST))


def rounds(runs: int, round_size: int, first: int, total: int | None = None) -> Iterator[range]:
    """The rounds, as ranges of runs: `runs` in all, or as many of them as fit into `total` evaluations."""
    spent = 0
    for start in range(0, runs, round_size):
        stop = start
        while stop < min(start + round_size, runs) and (total is None or spent + length(stop, first) <= total):
            spent += length(stop, first)
            stop += 1
        if stop > start:
            yield range(start, stop)
        if stop < start + round_size:
            return


def coordinate(
    execution: Execution, call: Call, runs: int, round_size: int, max_time: float | None, **common
) -> Outcome:
    """All rounds, each with what the ones before have found; one outcome of all."""
    coordinator = Coordinator(call.problem, call.seed, call.limits.max_evals)
    total: Outcome | None = None
    for units in rounds(runs, round_size, call.limits.max_evals):
        left = None if max_time is None else max(max_time - (total.seconds if total else 0.0), 1e-9)
        outcome = execution.run(units, coordinator.plan, max_time=left, **common)
        coordinator.close_round(outcome.records.values())
        total = outcome if total is None else total.followed_by(outcome)
        if outcome.stop is not None or outcome.reached is not None:
            break
    assert total is not None, "there is at least one run"
    return total
