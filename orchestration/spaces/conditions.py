"""Which variables of a space exist together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .kinds import Variable

Held = frozenset["Condition"]  # the conditions that hold, as far as a later variable asks for them
NONE: Held = frozenset()


class Condition(NamedTuple):
    """`child` exists only where `parent` has a value at one of these positions in its domain."""

    child: str
    parent: str
    positions: frozenset[int]


@dataclass(frozen=True)
class Slot:
    """A variable in its place: its number is that of its draw."""

    name: str
    variable: Variable
    conditions: Held = NONE

    def exists(self, held: Held) -> bool:
        return self.conditions <= held


Branch = tuple[Slot, ...]  # the variables of one dict, each after those that it is conditional on


def in_order(slots: Sequence[Slot]) -> Branch:
    """The given order, but each conditional variable right after the last of its parents.

    That keeps the conditions that wait for a later variable few.
    """
    children = defaultdict(list)
    for slot in slots:
        for condition in slot.conditions:
            children[condition.parent].append(slot)
    placed: dict[str, Slot] = {}
    waiting = list(reversed(slots))
    while waiting:
        slot = waiting.pop()
        if slot.name not in placed and all(condition.parent in placed for condition in slot.conditions):
            placed[slot.name] = slot
            waiting.extend(reversed(children[slot.name]))
    circular = [repr(slot.name) for slot in slots if slot.name not in placed]
    if circular:
        raise ValueError(f"space: {', '.join(circular)} wait for one another, expected conditions without a circle")
    return tuple(placed.values())


def find_runs(branch: Branch, positions: Sequence[Sequence[int]]) -> list[dict[int, Held]]:
    """For each variable: where a run of its levels begins, all of which fulfil the same conditions, and which.

    `positions`: for each variable those of its levels in its domain; a range stands for all of them.
    """
    asked = defaultdict(list)
    for slot in branch:
        for condition in slot.conditions:
            asked[condition.parent].append(condition)
    runs = []
    for slot, places in zip(branch, positions):
        made = defaultdict(set)  # by level
        for condition in asked[slot.name]:
            wanted, all_there = condition.positions, isinstance(places, range)
            for level in wanted if all_there else (i for i, place in enumerate(places) if place in wanted):
                made[level].add(condition)
        starts = {0: NONE}
        for level in sorted(made):
            starts[level] = frozenset(made[level])
            if level + 1 < len(places) and level + 1 not in made:
                starts[level + 1] = NONE
        runs.append(starts)
    return runs


def follow(branch: Branch, runs: Sequence[dict[int, Held]]) -> list[set[Held]]:
    """The sets of conditions that may hold before each variable, and at the end."""
    met = [{NONE}]
    for slot, starts in zip(branch, runs):
        met.append({then for held in met[-1] for then in held_after(slot, starts, held)})
    return met


def held_after(slot: Slot, starts: dict[int, Held], held: Held) -> list[Held]:
    """What holds after each run of a variable, less what only this variable asked for."""
    kept = held - slot.conditions
    return [kept | made for made in starts.values()] if slot.exists(held) else [kept]


def never_there(branch: Branch, met: Sequence[set[Held]]) -> list[str]:
    """The names of the variables whose conditions never hold together."""
    return [slot.name for slot, sets in zip(branch, met) if not any(map(slot.exists, sets))]


def conditions_of(slot: Slot, branch: Branch) -> list[tuple[str, list]]:
    """What a variable is conditional on, in words: (parent, values) of each condition."""
    domains = {other.name: other.variable.domain or () for other in branch}
    told = sorted((condition.parent, sorted(condition.positions)) for condition in slot.conditions)
    return [(parent, [domains[parent][p] for p in positions]) for parent, positions in told]
