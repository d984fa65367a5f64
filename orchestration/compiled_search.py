"""Searches whose units are blocks of consecutive points, evaluated inside one kernel (kernels/search.py).

A block is cut into ranges that take about 0.1 s, between which its end is polled. The best is chosen by (value, number
of the point), so neither these cuts nor the blocks leave a trace in the answer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..kernels.calling.objective import CompiledObjective, Objective, PythonObjective
from ..kernels.given import as_word
from ..solvers.driving.settings import DEVICES
from .journal.checks import COUNT, LENGTH, NUMBER, Test, is_count, numbers
from .search_ranges import BATCH, MODES, MOST, Points, RangeLength, Search, in_kernel, in_python, on_device
from .spaces import FlatSpace
from .spaces.draws import check_qmc

MOST_POINTS = 2**62  # numbers of points are 64-bit integers
MOST_IN_BLOCK = 2**20


class Prepared(NamedTuple):
    """What a search needs in a process."""

    bound: CompiledObjective | PythonObjective
    points: Points
    search: Search
    length: RangeLength


@dataclass
class CompiledSearch:
    """A search over a flat space: the Work whose unit k is the k-th block of points.

    Parameters
    ----------
    objective : Objective
        What is minimised, `f(x, *args)` with x of shape (D,); with compiled=False or vectorized=True in Python.
    args : tuple
        Its further arguments.
    space : FlatSpace
        The variables; for a grid all levels of each.
    mode : {"grid", "random", "distinct", "sobol", "lhs"}
        Which points. "random" visits those of the solver `random_search`, run 0 of the same seed.
    points : int
        How many, at most 2**62; of a grid the first so many.
    seed : int, default 0
        64 bits; a grid needs none.
    block : int, optional
        Points of a unit. Default (0 or None): points // 1024, from 1 to 2**20; a function of `points` alone.
    device : {"cpu", "cuda"}, default "cpu"
        On a GPU values equal those of the CPU to rounding.

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.kernels import objective
    >>> from thalweg.orchestration.compiled_search import CompiledSearch
    >>> from thalweg.orchestration.spaces import FlatSpace
    >>> levels, ends = np.array([-1.0, 0.0, 1.0, 2.0]), np.zeros(2)
    >>> space = FlatSpace(np.full(2, 4), ends, ends, np.tile(levels, 2), np.array([0, 4, 8]))
    >>> work = CompiledSearch(
    ...     objective(lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2), (), space, "grid", points=16, block=16
    ... )
    >>> work.carry_out(0, None, lambda: False)["x"]
    [2.0, 0.0]
    """

    objective: Objective
    args: tuple
    space: FlatSpace
    mode: str
    points: int
    seed: int = 0
    block: int = 0
    device: str = "cpu"
    order: np.ndarray | None = None  # of "distinct" points, their numbers in the grid
    name = "block"

    def __post_init__(self):
        as_word("mode", self.mode, MODES)
        as_word("device", self.device, DEVICES)
        levels = [int(n) for n in np.diff(self.space.offsets)]
        most = min(math.prod(levels), MOST_POINTS) if self.mode in ("grid", "distinct") else MOST_POINTS
        if not 1 <= self.points <= most:
            raise ValueError(f"points: got {self.points}, expected 1 to {most}")
        if self.mode in ("sobol", "lhs"):
            check_qmc(self.mode, len(self.space.kinds), self.points)
        self.block = self.block or min(max(self.points // 1024, 1), MOST_IN_BLOCK)
        self._prepared: Prepared | None = None

    def __getstate__(self):
        return self.__dict__ | {"_prepared": None}  # compiled, or loaded from disk, where it arrives

    @property
    def units(self) -> int:
        return -(-self.points // self.block)

    @property
    def prepared(self) -> Prepared:
        if self._prepared is None:
            self._prepared = self._make()
        return self._prepared

    def _make(self) -> Prepared:
        points = Points(self.space, self.mode, self.points, self.seed, self.order)
        bound = self.objective.bind(self.args, points.probe())
        if self.device == "cuda":
            search = on_device(bound, points)
        else:
            search = in_kernel(bound, points) if isinstance(bound, CompiledObjective) else in_python(bound, points)
        in_kernels = isinstance(bound, CompiledObjective) and self.mode in ("grid", "random")
        length = RangeLength(1, MOST_POINTS if in_kernels else MOST)
        return Prepared(bound, points, search, RangeLength(BATCH, BATCH) if self.objective.vectorized else length)

    def prepare(self) -> None:
        """Compile, or load from disk. A second call costs nothing."""
        _ = self.prepared

    def tests(self) -> dict[str, Test]:
        """What the records in a journal must hold."""
        number = (lambda value: is_count(value) and value < self.points), "the number of a point"
        counts = dict.fromkeys(("points", "n_failed"), COUNT)
        x = numbers(len(self.space.kinds))
        return {"fun": NUMBER, "index": number, "first": number, "x": x, **counts, "seconds": LENGTH}

    def point(self, k: int) -> np.ndarray:
        """Point k, x of shape (D,)."""
        return self.prepared.points.make(k, k + 1)[0]

    def carry_out(self, unit: int, given: Any, ends: Callable[[], bool]) -> dict | None:
        """The best of block `unit`; None if `ends()` turned true before it was done."""
        _, _, search, length = self.prepared
        first = done = unit * self.block
        last = min(first + self.block, self.points)
        best, n_failed = (math.inf, first), 0
        while done < last:
            if ends():
                return None
            begin, stop = time.perf_counter(), min(done + length.points, last)
            value, index, failed = search(done, stop)
            length.learn(stop - done, time.perf_counter() - begin)
            best, n_failed, done = min(best, (value, index)), n_failed + failed, stop
        x = self.point(best[1]).tolist()
        return {"fun": best[0], "index": best[1], "x": x, "first": first, "points": last - first, "n_failed": n_failed}
