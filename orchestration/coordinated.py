"""Coordinated restarts: later runs search near, and between, the good solutions of earlier ones.

The strategy is that of the coordinated retry of fcmaes (Wolz, fast-cma-es, `advretry`), made deterministic: it goes in
rounds, and what a run does hangs on seed, number and records of earlier rounds alone. A run is one of three:

    explore   the whole box
    cross     two solutions of the store, a good one i and a worse one j: begins at x_j, in a box around x_i whose width
              follows |x_j - x_i|: coordinates in which the two agree are searched closely, the others widely
    vary      a good solution: a few coordinates are free in their whole range, the others stay close; with none free
              the solution is refined

The third is ours, and so is the store: it holds the best solutions, but of those that lie close together the best only,
and few from one neighbourhood, so that a worse solution elsewhere stays and can be improved in its turn. Runs that
explore or cross get longer as the number of runs grows; those that vary stay short, for there are many ways to vary a
solution, and whether one leads on shows soon.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..kernels.problem import Problem
from ..solvers.driving import settings
from ..solvers.driving.call import Call
from .execution import Execution
from .execution.outcome import Outcome

CROSS, VARY = 0.07, 0.85  # shares of the runs; the others explore
CAPACITY = 500  # solutions in the store (fcmaes)
CLOSE, NEAR = 0.02, 0.1  # root mean square distances in units of the box (fcmaes: 0.15, between neighbours in rank)
CROWD = 3  # solutions of the store that may lie near a worse one
GREED = 0.3  # the chance that the next of the ranked solutions is taken, at most (fcmaes: 0.2)
REACH = (2.0, 4.0)  # half width of a crossed box in units of 0.5..1 times |x_j - x_i| (fcmaes)
LEAST = 1e-4  # least half width of a crossed box
FREE = 4  # coordinates that are free in a varied box, at most
RADIUS = (0.003, 0.05)  # half width of a varied box in the others, in units of the box
FROM_GOOD = 0.5  # the chance that a varied run begins from the good solution
CROSSED = 0.5  # length of a run in a crossed box, in units of one that explores
VARIED = 1 / 16  # length of a run in a varied box for each free coordinate, at least two, in units of the first run
DOUBLED = 1500  # runs after which a run that explores or crosses is twice as long as the first; varied runs stay short
LONGEST = 50  # times the first (fcmaes)
ROUND = 50  # runs in a round
FIRST, POPULATION = 2000, 4  # evaluations of the first run, and jSO's population, times the dimension


def for_short_runs(call: Call, method: str, max_evals: int | None, options) -> Call:
    """A call with the method, the first budget and the population that suit many short runs, where none are given."""
    dimension = call.problem.dimension
    if method == "auto":
        solver = settings.find_solver("jso", call.problem, call.limits)
        small = options or {"population": max(int(POPULATION * dimension), 20)}
        call = dataclasses.replace(call, solver=solver, options=settings.make_options(solver, small))
    if max_evals is None:
        call = dataclasses.replace(call, limits=dataclasses.replace(call.limits, max_evals=FIRST * dimension))
    return call


class Plan(NamedTuple):
    """What one run searches."""

    kind: str  # explore, cross, vary
    lower: np.ndarray  # (D,)
    upper: np.ndarray  # (D,)
    x0: np.ndarray | None  # (1, D)
    max_evals: int
    around: int | None  # the run that found the solution around which it searches; None: it explores


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
        return Plan("explore", self.lower, self.upper, None, self._length(run, 1.0), None)

    def round(self, runs: range, total: float) -> dict[int, Plan]:
        """The plans of these runs: of the first ones whose budgets add up to at most `total`."""
        plans = {}
        for run in runs:
            plan = self.plan(run)
            total -= plan.max_evals
            if total < 0:
                break
            plans[run] = plan
        return plans

    def close_round(self, records: Iterable[dict]) -> None:
        """Take the records of a finished round: `unit` (the number of the run), `fun`, `x`."""
        new = [Solution(r["fun"], r["unit"], np.array(r["x"])) for r in records if r["fun"] < np.inf]
        ranked = sorted(self.store + new, key=lambda solution: solution[:2])
        apart = self._distances([solution.x for solution in ranked])
        close, near = apart < CLOSE, apart < NEAR
        kept = np.zeros(len(ranked), dtype=bool)
        for k in range(len(ranked)):
            kept[k] = not (close[k] & kept).any() and np.count_nonzero(near[k] & kept) < CROWD
        self.store = [ranked[k] for k in np.flatnonzero(kept)[:CAPACITY]]

    def _distances(self, points: list[np.ndarray]) -> np.ndarray:
        """Root mean square distance of each point from each, in units of the box."""
        total = np.zeros((len(points), len(points)))
        for column in (np.array(points).reshape(-1, len(self.width)) / np.where(self.width > 0, self.width, 1.0)).T:
            total += np.subtract.outer(column, column) ** 2
        return np.sqrt(total / len(self.width))

    def _cross(self, run: int, draw: np.random.Generator) -> Plan:
        good, other = self._choose(2, draw)
        reach = draw.uniform(*REACH) * draw.uniform(0.5, 1.0)
        half = np.maximum(reach * np.abs(other.x - good.x), LEAST)
        return self._around("cross", good, half, other.x, self._length(run, CROSSED))

    def _vary(self, run: int, draw: np.random.Generator) -> Plan:
        (good,) = self._choose(1, draw)
        dimension = len(self.width)
        free = draw.permutation(dimension) < draw.integers(min(FREE, dimension) + 1)
        half = np.where(free, 1.0, _log_uniform(draw, *RADIUS)) * self.width
        start = good.x if draw.random() < FROM_GOOD else None
        return self._around("vary", good, half, start, max(int(self.max_evals * VARIED * max(free.sum(), 2)), 1))

    def _choose(self, wanted: int, draw: np.random.Generator) -> list[Solution]:
        """The first solutions taken when each, from the best on, is taken with the same chance."""
        count = len(self.store)
        while True:
            chance = _log_uniform(draw, 1 / count, max(GREED, 1 / count))  # rank r: about as often as 1 / (r + 1)
            places = np.cumsum(draw.geometric(chance, wanted)) - 1
            if places[-1] < count:
                return [self.store[place] for place in places]

    def _around(self, kind: str, good: Solution, half, start: np.ndarray | None, max_evals: int) -> Plan:
        lower, upper = np.maximum(self.lower, good.x - half), np.minimum(self.upper, good.x + half)
        x0 = None if start is None else np.clip(start, lower, upper)[None]
        return Plan(kind, lower, upper, x0, max_evals, good.run)

    def _length(self, run: int, share: float) -> int:
        """Evaluations of a run, in units of `share` of one that explores."""
        return max(int(self.max_evals * share * min(1 + run / DOUBLED, LONGEST)), 1)


def _log_uniform(draw: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(draw.uniform(np.log(low), np.log(high))))


def coordinate(
    execution: Execution, call: Call, runs: int, round_size: int, total_evals: float, max_time: float | None, **common
) -> Outcome:
    """All rounds, each with what the ones before have found; one outcome of all."""
    coordinator = Coordinator(call.problem, call.seed, call.limits.max_evals)
    total: Outcome | None = None
    for start in range(0, runs, round_size):
        plans = coordinator.round(range(start, min(start + round_size, runs)), total_evals)
        if not plans:
            break
        left = None if max_time is None else max(max_time - (total.seconds if total else 0.0), 1e-9)
        total_evals -= sum(plan.max_evals for plan in plans.values())
        outcome = execution.run(range(start, start + len(plans)), plans.__getitem__, max_time=left, **common)
        coordinator.close_round(outcome.records.values())
        total = outcome if total is None else total.followed_by(outcome)
        if outcome.stop is not None or outcome.reached is not None or len(plans) < round_size:
            break
    assert total is not None, "there is at least one run"
    return total
