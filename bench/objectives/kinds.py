"""What an objective of this collection is."""

from typing import NamedTuple

import numpy as np


class Objective(NamedTuple):
    """A function as somebody would write it, a point where it is smooth, and its further arguments."""

    name: str
    fun: object  # f(x, *args) -> float
    x0: np.ndarray  # (n,)
    args: tuple
    exact: bool  # whether plain Python can run it on dual numbers (tests/duals.py): np.interp and lgamma it cannot


def entry(fun, x0, args=(), exact=True, name=None):
    return Objective(name or fun.__name__, fun, np.array(x0, dtype=np.float64), args, exact)
