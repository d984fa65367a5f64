"""How many units a task gets: few enough that all workers finish together, enough that a task is worth its message.

Half of what is left is shared out evenly, then half of the rest, and so on ("factoring": Hummel, Schonberg and Flynn,
Commun. ACM 35 (1992) 90-101), within bounds in seconds, by what the last tasks took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

PROBE_UNITS, PROBE_SECONDS = 16, 0.05  # of a task, at most, as long as nobody knows how long a unit takes
UNITS = 10_000  # of a task, at most: what a message carries
SHORT = 2.0  # seconds of a campaign in which messages cost more than a late end: two tasks for each worker
KEPT = 0.7  # weight of all earlier tasks against the next one


@dataclass(frozen=True)
class Aim:
    """Seconds of a task."""

    least: float  # towards the end of a campaign
    most: float  # far from it
    limit: float  # after these, and the unit at work, it hands back what it did not begin


class Pace:
    """Seconds per unit, by the tasks that came back; the newer ones count more."""

    def __init__(self, aim: Aim):
        self.aim = aim
        self.seconds = self.units = 0.0
        self.met: set[str] = set()

    def learn(self, worker: str, seconds: Sequence[float]) -> None:
        """A task came back. The first unit of a process also loads and compiles: it does not count."""
        if worker not in self.met:
            self.met.add(worker)
            seconds = seconds[1:]
        if seconds:
            self.seconds = KEPT * self.seconds + sum(seconds)
            self.units = KEPT * self.units + len(seconds)

    @property
    def known(self) -> bool:
        return self.units > 0

    def plan(self, left: int, total: int, slots: int) -> tuple[int, float]:
        """Units of the next task, of `left` not handed out and `total` at first; seconds until it ends itself."""
        if not self.known:
            return (min(PROBE_UNITS, math.ceil(left / (4 * slots))) if slots else 1), PROBE_SECONDS
        unit, slots = max(self.seconds / self.units, 1e-7), max(slots, 1)
        half, short = total / (2 * slots), total * unit / slots < SHORT
        least = half if short else min(self.aim.least / unit, half)
        units = math.ceil(min(max(left / (2 * slots), least), self.aim.most / unit, UNITS))
        return units, self.aim.limit if short else min(max(2 * units * unit, self.aim.least), self.aim.limit)
