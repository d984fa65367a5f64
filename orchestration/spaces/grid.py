"""The points of a grid by number, where some variables exist only for certain values of others.

The choices left at a variable hang on the conditions that hold by then, and on nothing else. So a grid is a diagram: a
node for each variable and each set of conditions, with the number of points that follow each of its levels (decision
diagrams: Bryant, IEEE Trans. Computers C-35 (1986) 677). Without conditions that is mixed radix.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from .conditions import NONE, Branch, Held, Slot, find_runs, follow, held_after, never_there

END = -1  # in place of a node: the point is complete


class Node(NamedTuple):
    """A variable whose levels come in runs; after each level of a run the same choices are left."""

    name: str
    values: Sequence
    before: list[int]  # (runs,) points before the run
    first: list[int]  # (runs,) its first level
    each: list[int]  # (runs,) points per level
    following: list[int]  # (runs,) the next node


class Grid:
    """Nodes refer to each other by number, so that a grid of many variables can be pickled."""

    def __init__(self, branches: Sequence[Branch], levels: int | dict[str, int] | None):
        self.nodes: list[Node] = []
        self.roots: list[int] = []
        self.before: list[int] = []  # points before each branch
        self.size = 0
        for branch in branches:
            root, points = self._grow(branch, levels)
            self.roots.append(root)
            self.before.append(self.size)
            self.size += points

    def point(self, k: int) -> dict[str, Any]:
        branch = bisect_right(self.before, k) - 1
        k -= self.before[branch]
        number, nodes, point = self.roots[branch], self.nodes, {}
        while number != END:
            name, values, before, first, each, following = nodes[number]
            run = bisect_right(before, k) - 1
            level, k = divmod(k - before[run], each[run])
            point[name] = values[first[run] + level]
            number = following[run]
        return point

    def _grow(self, branch: Branch, levels) -> tuple[int, int]:
        """The nodes of one branch, from its last variable to its first: the root, and the number of points."""
        values, positions = zip(*(levels_of(slot, levels) for slot in branch))
        runs = find_runs(branch, positions)
        met = follow(branch, runs)
        for name in never_there(branch, met):
            raise ValueError(f"levels: they leave out all values that {name!r} is conditional on, expected more levels")
        below = dict.fromkeys(met.pop(), (END, 1))
        for slot, its_values, starts in zip(reversed(branch), reversed(values), reversed(runs)):
            below = {held: self._add(slot, its_values, starts, held, below) for held in met.pop()}
        return below[NONE]

    def _add(self, slot: Slot, values: Sequence, starts: dict[int, Held], held: Held, below) -> tuple[int, int]:
        """The node of a variable where these conditions hold, if it exists there, and the points from it on."""
        targets = [below[then] for then in held_after(slot, starts, held)]
        if not slot.exists(held):
            return targets[0]
        node, points = Node(slot.name, values, [], [], [], []), 0
        for (following, each), start, stop in zip(targets, starts, [*list(starts)[1:], len(values)]):
            if not node.following or node.following[-1] != following:
                node.before.append(points)
                node.first.append(start)
                node.each.append(each)
                node.following.append(following)
            points += (stop - start) * each
        self.nodes.append(node)
        return len(self.nodes) - 1, points


def levels_of(slot: Slot, levels: int | dict[str, int] | None) -> tuple[Sequence, Sequence[int]]:
    """The values of a variable in a grid, and their positions in its domain."""
    count = levels.get(slot.name) if isinstance(levels, dict) else levels
    if count is None and slot.variable.domain is None:
        raise ValueError(
            f"levels: got none for {slot.name!r}, which takes real numbers; expected how many of them the grid has: "
            f"levels={{{slot.name!r}: 10}}, or levels=10 for all such variables"
        )
    return slot.variable.levels(count)
