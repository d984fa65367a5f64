"""A search space: the points of its grid, and a point for each vector of numbers in [0, 1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .conditions import Branch, conditions_of
from .copies import why_shared
from .describe import describe
from .distinct import is_small, random_order
from .flat import FlatSpace, flatten
from .grid import Grid
from .kinds import When

SHOWN = 12  # variables in a repr


@dataclass(frozen=True, repr=False)
class Space:
    """What `parse_space` returns.

    Attributes
    ----------
    names : tuple of str
        The variables, in the order in which a point has them: that of the dict, but a conditional variable stands right
        after the last one that it is conditional on.
    size : int
        Points of the grid; there is no upper limit.
    slots : int
        Numbers in [0, 1) that a random point takes. Variables that do not exist leave theirs unused.
    """

    branches: tuple[Branch, ...]
    levels: int | dict[str, int] | None = None  # as given, for grids

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slot.name for branch in self.branches for slot in branch))

    @cached_property
    def slots(self) -> int:
        return self._offset + max(map(len, self.branches))

    @cached_property
    def grid(self) -> Grid:
        """Made once; a copy sent to a worker brings it along."""
        return Grid(self.branches, self.levels)

    @property
    def size(self) -> int:
        return self.grid.size

    def grid_point(self, k: int) -> dict[str, Any]:
        """Point k of the grid, the last variable running fastest, as in itertools.product.

        The points of a list of dicts follow one another; one that stands in two dicts comes twice.

        Raises
        ------
        ValueError
            Where a variable that takes real numbers has no levels.
        IndexError
            Where k is not in 0..size-1.
        """
        grid = self.grid
        if not 0 <= k < grid.size:
            raise IndexError(f"grid_point: got {k}, expected 0 <= k < {grid.size}")
        return grid.point(k)

    def random_point(self, u: Iterable[float]) -> dict[str, Any]:
        """The point that `slots` numbers in [0, 1) stand for.

        With a list of dicts, the first number chooses one of them, all equally likely.
        """
        numbers = [float(number) for number in u]
        if len(numbers) != self.slots:
            raise ValueError(f"random_point: got {len(numbers)} numbers, expected {self.slots}: one for each slot")
        last = len(self.branches) - 1
        branch = self.branches[min(int(numbers[0] * (last + 1)), last)]
        point, positions = {}, {}
        for slot, number in zip(branch, numbers[self._offset :]):
            if all(positions.get(condition.parent) in condition.positions for condition in slot.conditions):
                point[slot.name], positions[slot.name] = slot.variable.draw(number)
        return point

    @cached_property
    def small(self) -> bool:
        """Whether all its points can be put in an order: it is finite, and has 2**20 points or fewer."""
        return is_small(self.branches, lambda: self.size)

    def order(self, seed: int) -> np.ndarray:
        """The numbers of its grid's points, of a space that is `small`, as draws without replacement meet them."""
        return random_order(self.branches, self.grid, seed)

    def shared(self) -> Iterator[tuple[str, Any, str]]:
        """(variable, value, why) of the values that can change, but of which no copy can be made."""
        for branch in self.branches:
            for slot in branch:
                domain = slot.variable.domain
                for value in () if domain is None or isinstance(domain, range) else domain:
                    if (reason := why_shared(value)) is not None:
                        yield slot.name, value, reason

    def flat(self, grid: bool = False) -> FlatSpace:
        """The space as arrays, for an objective that is compiled.

        Parameters
        ----------
        grid : bool, default False
            The levels of a grid instead of what random points are made from.

        Raises
        ------
        ValueError
            Where a variable is conditional, is not a number, or is drawn by SciPy.
        """
        return flatten(self.branches, self.levels, grid)

    def header(self) -> dict[str, Any]:
        """All that decides the points, in JSON types, the same in every process."""
        return {"branches": [_header(branch) for branch in self.branches], "levels": self.levels}

    def __repr__(self):
        dicts = [f"{{{', '.join(_lines(branch))}}}" for branch in self.branches]
        return f"Space({dicts[0] if len(dicts) == 1 else '[' + ', '.join(dicts) + ']'})"

    @property
    def _offset(self) -> int:
        """The slot of the first variable."""
        return 1 if len(self.branches) > 1 else 0


def _header(branch: Branch) -> list[dict[str, Any]]:
    told = [{"name": slot.name, **slot.variable.header()} for slot in branch]
    for variable, slot in zip(told, branch):
        if slot.conditions:
            variable["when"] = [[parent, describe(values)] for parent, values in conditions_of(slot, branch)]
    return told


def _lines(branch: Branch) -> list[str]:
    lines = []
    for slot in branch[:SHOWN]:
        variable: Any = slot.variable
        for parent, values in reversed(conditions_of(slot, branch)):
            variable = When(parent, values, variable)
        lines.append(f"{slot.name!r}: {variable!r}")
    return lines if len(branch) <= SHOWN else [*lines, "..."]
