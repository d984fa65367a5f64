"""Coordinated restarts: later runs search near, and between, the good solutions of earlier ones.

The strategy is that of the coordinated retry of fcmaes (Wolz, fast-cma-es, `advretry`), made deterministic: it goes in
rounds, and what a run does hangs on seed, number and records of earlier rounds alone. A run is one of three:

    explore   the whole box, by CMA-ES that begins at a random point with small steps: down into one valley
    cross     two solutions of the store, a good one i and a worse one j: CMA-ES from x_j in a box around x_i whose
              width follows |x_j - x_i|: coordinates in which the two agree are searched closely, the others widely.
              Only what is better than x_i enters the store
    vary      a good solution: a few coordinates are free in their whole range, the others stay close; with none free
              the solution is refined. By jSO with a small population

The third is ours, and so is the store: it holds the best solutions, but of those that lie close together the best only,
and few from one neighbourhood, so that a worse solution elsewhere stays and can be improved in its turn. Runs begin
short. Those that explore or cross get longer as the number of runs grows; those that vary stay short, for there are
many ways to vary a solution, and whether one leads on shows soon. The three share out the evaluations, not the runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..kernels.problem import Problem
from ..solvers.driving import settings
from ..solvers.driving.call import Call
from ..solvers.registry import SOLVERS
from .execution import Execution
from .execution.outcome import Outcome

CROSS, VARY = 0.4, 0.3  # shares of the evaluations; the others explore
CAPACITY = 500  # solutions in the store (fcmaes)
CLOSE, NEAR = 0.02, 0.1  # root mean square distances in units of the box (fcmaes: 0.15, between neighbours in rank)
CROWD = 3  # solutions of the store that may lie near a worse one
GREED = 0.3  # the chance that the next of the ranked solutions is taken, at most (fcmaes: 0.2)
REACH = (2.0, 4.0)  # half width of a crossed box in units of 0.5..1 times |x_j - x_i| (fcmaes)
LEAST = 1e-4  # least half width of a crossed box
FREE = 4  # coordinates that are free in a varied box, at most
RADIUS = (0.003, 0.05)  # half width of a varied box in the others, in units of the box
FROM_GOOD = 0.5  # the chance that a varied run begins from the good solution
LONGEST = 50  # length of a run that explores or crosses, at most, times the first (fcmaes)
ROUND = 50  # runs in a round
SIGMA = {"explore": 0.08, "cross": 0.2}  # first steps of CMA-ES, in units of the box that is searched
POPULATION = 4  # of jSO, times the dimension
SEPARABLE = 200  # variables above which CMA-ES learns a diagonal only

FREED = np.mean([max(free, 2) for free in range(FREE + 1)])  # coordinates by which a varied run's length is reckoned


class Lengths(NamedTuple):
    """How long runs are."""

    first: int  # evaluations of the first run, times the dimension
    varied: float  # of a run in a varied box for each free coordinate, at least two, in units of the first run
    doubled: int  # runs after which a run that explores or crosses is twice as long as the first


QUICK = Lengths(first=125, varied=1.0, doubled=100)  # of our ways (fcmaes: 1500 evaluations, 100 runs)
PATIENT = Lengths(first=2000, varied=1 / 16, doubled=1500)  # of a method of the user's choice, which may need more


class Way(NamedTuple):
    """How a run searches."""

    method: str
    options: Any  # of this solver


def short_runs(call: Call, method: str, max_evals: int | None, options) -> tuple[Call, dict[str, Way]]:
    """A call with a short first budget where none is given, and the ways of each kind of run where it is "auto".

    No ways: every run searches as the call says.
    """
    dimension, ways = call.problem.dimension, {}
    if method == "auto":
        small = options or {"population": max(POPULATION * dimension, 20)}
        ways["vary"] = _way("jso", small)
        if options is None:
            covariance = "full" if dimension <= SEPARABLE else "diagonal"
            ways |= {kind: _way("cma_es", {"sigma": s, "covariance": covariance}) for kind, s in SIGMA.items()}
        main = ways.get("cross", ways["vary"])
        call = dataclasses.replace(call, solver=SOLVERS[main.method], options=main.options)
    if max_evals is None:
        first = _lengths(ways).first * dimension
        call = dataclasses.replace(call, limits=dataclasses.replace(call.limits, max_evals=first))
    return call, ways


def _way(method: str, options: dict) -> Way:
    return Way(method, settings.make_options(SOLVERS[method], options))


def _lengths(ways: dict[str, Way]) -> Lengths:
    return QUICK if "cross" in ways else PATIENT


class Plan(NamedTuple):
    """What one run searches."""

    kind: str  # explore, cross, vary
    lower: np.ndarray  # (D,)
    upper: np.ndarray  # (D,)
    x0: np.ndarray | None  # (1, D)
    max_evals: int
    around: int | None  # the run that found the solution around which it searches; None: it explores
    below: float  # only a value below it enters the store
    way: Way | None  # None: as the call says


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
    ways : dict, optional
        How runs of a kind search, where that is not what the call says.

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

    def __init__(self, problem: Problem, seed: int, max_evals: int, ways: dict[str, Way] | None = None):
        self.lower, self.upper = problem.lower, problem.upper
        self.width = self.upper - self.lower
        self.seed, self.max_evals, self.ways = seed, max_evals, ways or {}
        self.lengths = _lengths(self.ways)
        self.store: list[Solution] = []  # from best to worst

    def plan(self, run: int) -> Plan:
        """What a run of the current round does: a pure function of (seed, run, records of earlier rounds)."""
        draw = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(run,)))
        length = min(1 + run / self.lengths.doubled, LONGEST)  # to explore or to cross, in units of the first
        max_evals = max(int(self.max_evals * length), 1)
        cross, vary = CROSS / length, VARY / (self.lengths.varied * FREED)
        kind = draw.random() * ((1 - VARY) / length + vary)
        if kind < cross and len(self.store) > 1:
            return self._cross(draw, max_evals)
        if cross <= kind < cross + vary and self.store:
            return self._vary(draw)
        return Plan("explore", self.lower, self.upper, None, max_evals, None, np.inf, self.ways.get("explore"))

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
        entering = [r for r in records if r["fun"] < np.inf and r["fun"] < self.plan(r["unit"]).below]
        new = [Solution(r["fun"], r["unit"], np.array(r["x"])) for r in entering]
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

    def _cross(self, draw: np.random.Generator, max_evals: int) -> Plan:
        good, other = self._choose(2, draw)
        reach = draw.uniform(*REACH) * draw.uniform(0.5, 1.0)
        half = np.maximum(reach * np.abs(other.x - good.x), LEAST)
        return self._around("cross", good, half, other.x, max_evals, good.fun)

    def _vary(self, draw: np.random.Generator) -> Plan:
        (good,) = self._choose(1, draw)
        dimension = len(self.width)
        free = draw.permutation(dimension) < draw.integers(min(FREE, dimension) + 1)
        half = np.where(free, 1.0, _log_uniform(draw, *RADIUS)) * self.width
        start = good.x if draw.random() < FROM_GOOD else None
        max_evals = max(int(self.max_evals * self.lengths.varied * max(free.sum(), 2)), 1)
        return self._around("vary", good, half, start, max_evals, np.inf)

    def _choose(self, wanted: int, draw: np.random.Generator) -> list[Solution]:
        """The first solutions taken when each, from the best on, is taken with the same chance."""
        count = len(self.store)
        while True:
            chance = _log_uniform(draw, 1 / count, max(GREED, 1 / count))  # rank r: about as often as 1 / (r + 1)
            places = np.cumsum(draw.geometric(chance, wanted)) - 1
            if places[-1] < count:
                return [self.store[place] for place in places]

    def _around(self, kind: str, good: Solution, half, start: np.ndarray | None, max_evals: int, below: float) -> Plan:
        lower, upper = np.maximum(self.lower, good.x - half), np.minimum(self.upper, good.x + half)
        x0 = None if start is None else np.clip(start, lower, upper)[None]
        return Plan(kind, lower, upper, x0, max_evals, good.run, below, self.ways.get(kind))


def _log_uniform(draw: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(draw.uniform(np.log(low), np.log(high))))


def coordinate(
    execution: Execution, call: Call, ways: dict[str, Way], runs: int, round_size: int, total_evals: float,
    max_time: float | None, **common,
) -> Outcome:  # fmt: skip
    """All rounds, each with what the ones before have found; one outcome of all."""
    coordinator = Coordinator(call.problem, call.seed, call.limits.max_evals, ways)
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
