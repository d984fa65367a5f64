"""Points of a search over a Python callable as units of work: `train(**point)` for point number k."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.calling.checking import as_float
from .journal.checks import COUNT, LENGTH, NUMBER, Test
from .spaces import Space, draw_block, own_point, qmc_block

AHEAD = 256  # points whose draws are made at once


class PointSearch:
    """Unit k is point k: of the grid, or of a sequence of random, Sobol or Latin hypercube points.

    The function gets copies of values that can change (a list, an array, an estimator), so that no point finds what the
    one before has left.

    `told`: whether a record holds the point as well, for those who read the journal. `order`: of "distinct" points,
    their numbers in the grid.
    """

    name = "point"

    def __init__(self, train: Callable, space: Space, sampling: str, points: int, seed: int, told=False, order=None):
        self.train, self.space, self.sampling, self.points, self.seed = train, space, sampling, points, seed
        self.told, self.order = told, order
        self.block: tuple[int, Any] = (-1, None)  # number, draws: the last ones made

    def __getstate__(self) -> dict:
        return self.__dict__ | {"block": (-1, None)}

    def prepare(self) -> None:
        """Make the draws of the first points: what they need is imported then. Refuse a function that takes others."""
        point = self.point(0)
        try:
            signature = inspect.signature(self.train)
        except ValueError:  # some of C have none
            return
        try:
            signature.bind(**point)
        except TypeError as error:
            raise TypeError(
                f"fun: got a function of {signature}, expected one to call with the point {point!r:.200}: {error}"
            ) from None

    def tests(self) -> dict[str, Test]:
        """What the records in a journal must hold."""
        return {"fun": NUMBER, "n_failed": COUNT, "seconds": LENGTH}

    def carry_out(self, unit: int, given: Any, ends: Callable[[], bool]) -> dict:
        point = self.point(unit)
        told = {"point": _readable(point)} if self.told else {}  # before the call: what has no copy may change in it
        try:
            value = as_float(self.train(**own_point(point)))
        except Exception as error:
            error.add_note(f"raised by the function at {point!r:.500}")
            raise
        failed = math.isnan(value)
        return {"fun": math.inf if failed else value, "n_failed": int(failed), **told}

    def point(self, k: int) -> dict:
        """Point k, from k alone."""
        if self.sampling == "grid":
            return self.space.grid_point(k)
        if self.order is not None:
            return self.space.grid_point(int(self.order[k]))
        number, offset = divmod(k, AHEAD)
        known, draws = self.block
        if known != number:
            draws = self._draws(number * AHEAD)
            self.block = (number, draws)
        return self.space.random_point(draws[offset])

    def _draws(self, first: int) -> np.ndarray:
        if self.sampling == "random":
            return draw_block(self.seed, first, AHEAD, self.space.slots)
        count = AHEAD if self.sampling == "sobol" else min(AHEAD, self.points - first)
        return qmc_block(self.sampling, self.seed, first, count, self.space.slots, self.points)


def _readable(point: dict) -> dict:
    """A point for the journal: what JSON has no form for as its repr. A resume decodes the point anew."""
    return {name: _plain(value) for name, value in point.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
