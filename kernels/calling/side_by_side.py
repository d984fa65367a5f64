"""A gradient by differences whose points are evaluated in one batch: by workers, or by a function that takes many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .gradients import caller
from .objective import objective


class SideBySide:
    """`x -> (value, *gradient)` by an adapter that asks for one point after another.

    It is carried out twice. The first time its points are noted; these are evaluated together; the second time it is
    told their values. So the numbers are those that it gives without.

    Parameters
    ----------
    evaluate : callable
        Values (n,) of the rows of x (n, D).
    adapter : int
        The address of one of FORMS["gradient"].
    make_work : callable
        Its workspace, from the address of an objective.
    """

    def __init__(self, evaluate: Callable[[np.ndarray], np.ndarray], adapter: int, make_work: Callable[[int], Any]):
        self.evaluate, self.adapter = evaluate, adapter
        self.points: list[np.ndarray] = []
        self.values: Any = None
        self.tried = False  # the first call is for the shape alone, and evaluates nothing
        asked: Any = objective(self._ask, compiled=False)
        self.asked: Any = asked.bind()
        self.work: Any = make_work(self.asked.address)

    def _ask(self, x: np.ndarray) -> float:
        if self.values is not None:
            return next(self.values)
        self.points.append(x)
        return 0.0

    def _carry_out(self, x: np.ndarray, g: np.ndarray) -> float:
        return caller("gradient")(self.adapter, (x, self.asked.record.ctypes.data, g, self.work.address))

    def __call__(self, x: np.ndarray, *args: Any) -> np.ndarray:
        numbers, g = np.zeros(1 + x.size), np.empty(x.size)
        if not self.tried:
            self.tried = True
            return numbers
        self.points, self.values = [], None
        self._carry_out(x, g)
        self.values = iter(self.evaluate(np.array(self.points)).tolist())
        numbers[0], numbers[1:] = self._carry_out(x, g), g
        return numbers
