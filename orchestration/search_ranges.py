"""Ranges of points of a compiled search: how they are made, where they are evaluated, how long they are.

A range is evaluated by `search(first, last) -> (value, index, failed)`: the lowest value, the number of its point (of
the first among equals) and how many gave NaN, which counts as inf. Where nothing is below inf, the first point is the
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.calling.objective import CompiledObjective, PythonObjective
from ..kernels.search import GIVEN, GRID, RANDOM, Space, maker, searcher
from .spaces import FlatSpace, qmc_block

Search = Callable[[int, int], tuple[float, int, int]]
MODES = {"grid": GRID, "random": RANDOM, "sobol": GIVEN, "lhs": GIVEN, "distinct": GIVEN}
SECONDS = 0.1  # of a range
MOST = 2**16  # points of a range whose draws or points are arrays of the host
BATCH = 1024  # points per call of a vectorised function, always: its bits may hang on the size of a batch


class Points:
    """The points of a search, by their numbers."""

    def __init__(self, flat: FlatSpace, mode: str, count: int, seed: int, order: np.ndarray | None = None):
        self.space = Space(*(np.array(array) for array in flat))  # copies: kernels take none that is read-only
        self.name, self.mode, self.count, self.seed, self.order = mode, MODES[mode], count, seed, order

    @property
    def dimension(self) -> int:
        return len(self.space.kinds)

    def choice(self, first: int, last: int) -> tuple:
        """What tells a kernel which points are meant: space, mode, seed, draws."""
        draws = np.empty((0, self.dimension))
        if self.mode == GIVEN:
            given = self._given(first, last)
            draws = np.require(given, requirements=["C", "W"])
        return self.space, self.mode, np.uint64(self.seed), draws

    def _given(self, first: int, last: int) -> np.ndarray:
        """The numbers in [0, 1) that the points first..last-1 are made from, (n, D)."""
        if self.order is None:
            return qmc_block(self.name, self.seed, first, last - first, self.dimension, self.count)
        levels = np.diff(self.space.offsets)
        return (np.column_stack(np.unravel_index(self.order[first:last], levels)) + 0.5) / levels

    def make(self, first: int, last: int) -> np.ndarray:
        """x (n, D): the points first..last-1."""
        x = np.empty((last - first, self.dimension))
        maker()(*self.choice(first, last), first, x)
        return x

    def probe(self) -> np.ndarray:
        """A point where the plain function is called once; of a grid no corner."""
        middle = 0 if self.mode == GIVEN else self.count // 2  # a Sobol sequence takes its time to get there
        return self.make(middle, middle + 1)[0]


class RangeLength:
    """How many points make a range of about 0.1 s, as measured."""

    def __init__(self, least: int, most: int):
        self.points, self.least, self.most = least, least, most

    def learn(self, points: int, seconds: float) -> None:
        wanted = min(SECONDS * points / max(seconds, 1e-9), 16 * self.points)
        self.points = int(min(max(wanted, self.least), self.most))


def in_kernel(bound: CompiledObjective, points: Points) -> Search:
    run = searcher()

    def search(first: int, last: int):
        choice = points.choice(first, last)
        value, index, failed, raised = run(bound.address, bound.args_address, *choice, first, last)
        if raised >= 0:
            bound.replay(points.make(raised, raised + 1)[0])
        return value, index, failed

    return search


def in_python(bound: PythonObjective, points: Points) -> Search:
    def search(first: int, last: int):
        values = bound.evaluate(points.make(first, last))
        failed = np.isnan(values)
        values[failed] = np.inf
        k = int(np.argmin(values))
        return float(values[k]), first + k, int(failed.sum())

    return search


def on_device(bound: Any, points: Points) -> Search:
    from ..kernels.cuda.search import RangeSearch

    device = RangeSearch(bound, points.space, points.mode)

    def search(first: int, last: int):
        _, _, seed, draws = points.choice(first, last)
        value, index, failed, stuck = device.search(seed, draws, first, last)
        if stuck is not None:
            in_kernel(bound, points)(*stuck)  # raises what could not leave the device
            raise RuntimeError(
                f"the device did not finish the points {stuck}, and no exception of the objective says why"
            )
        return value, index, failed

    return search
