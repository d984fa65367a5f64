"""A random order of the points of a finite space: a random search that draws none of them twice.

It is the order in which independent draws would meet the points for the first time: the next one is any of those left,
in proportion to how likely a draw is. That takes no draws: point i of weight w gets the time of its first draw,
-ln(1 - u) / w, and the points are sorted by it (Efraimidis and Spirakis, Inf. Process. Lett. 97 (2006) 181).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .conditions import Branch
from .draws import draw_block
from .grid import END, Grid
from .kinds import Integer, Variable

MOST = 2**20  # points; of a larger space hardly a point is drawn twice, and an order takes time and memory


def is_small(branches: Sequence[Branch], grid_size) -> bool:
    """Whether a space has an order. `grid_size()` is asked for only where all variables can be counted."""
    return all(slot.variable.domain is not None for branch in branches for slot in branch) and grid_size() <= MOST


def random_order(branches: Sequence[Branch], grid: Grid, seed: int) -> np.ndarray:
    """The numbers of all points of the grid; the first n of them are n points drawn without replacement."""
    u = draw_block(seed, 0, grid.size, 1)[:, 0]
    return np.argsort(-np.log1p(-u) / likelihoods(branches, grid), kind="stable")


def likelihoods(branches: Sequence[Branch], grid: Grid) -> np.ndarray:
    """How likely each point of the grid is to be drawn: each of several dicts alike, then each variable by its kind."""
    found = [_of_branch(branch, grid, root) for branch, root in zip(branches, grid.roots)]
    return np.concatenate(found) / len(branches)


def _of_branch(branch: Branch, grid: Grid, root: int) -> np.ndarray:
    shares = {slot.name: _shares(slot.variable) for slot in branch}
    below = {END: np.ones(1)}
    for number in sorted(_reached(grid, root)):  # a node comes after those that follow it
        name, values, _, first, _, following = grid.nodes[number]
        ends = [*first[1:], len(values)]
        parts = [np.outer(shares[name][a:b], below[then]).ravel() for a, b, then in zip(first, ends, following)]
        below[number] = np.concatenate(parts) if len(values) > 1 else below[following[0]]
    return below[root]


def _reached(grid: Grid, root: int) -> set[int]:
    found, waiting = set(), [root]
    while waiting:
        number = waiting.pop()
        if number != END and number not in found:
            found.add(number)
            waiting += grid.nodes[number].following
    return found


def _shares(variable: Variable) -> np.ndarray:
    """How likely each value of the domain is to be drawn."""
    domain = variable.domain
    assert domain is not None, "a space with an order has variables that can be counted"
    if isinstance(variable, Integer) and variable.log:
        values = np.arange(variable.low, variable.high + 1, dtype=np.float64)
        return np.log1p(1.0 / values) / np.log((variable.high + 1.0) / variable.low)
    return np.full(len(domain), 1.0 / len(domain))
