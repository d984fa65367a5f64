"""What a campaign came to."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from ...solvers.driving.result import StopReason
from .work import Record


@dataclass
class Outcome:
    """What a campaign came to."""

    records: dict[int, Record]  # by unit, ascending; those of units 0..k where unit k reached the target
    failures: dict[int, dict]  # by unit: kind (raised, timeout, killed), error, attempts, workers
    stop: StopReason | None  # why it ended before its units did; None: it did not
    reached: int | None  # the smallest unit that reached the target
    seconds: float
    workers: int
    tasks: int
    busy: float  # seconds of work in all records of this call, the resumed ones not counted
    resumed: int  # units that were taken from the journal
    unended: int = 0  # units at work in threads of this process that could not be ended
    left_out: tuple[float, int] | None = None  # (value, unit) better than all records, but behind the target
    unfinished: int = 0  # records of units that were at work when the call ended

    def best(self) -> int | None:
        """The unit of the lowest value; the lowest such unit."""
        return min(self.records, key=lambda unit: rank(unit, self.records[unit]), default=None)

    def followed_by(self, later: Outcome) -> Outcome:
        """This and a later one of other units as one."""
        return Outcome(
            self.records | later.records,
            self.failures | later.failures,
            later.stop,
            later.reached,
            self.seconds + later.seconds,
            later.workers,
            self.tasks + later.tasks,
            self.busy + later.busy,
            self.resumed + later.resumed,
            self.unended + later.unended,
            later.left_out,
            self.unfinished + later.unfinished,
        )


def rank(unit: int, record: Record) -> tuple[float, int]:
    """What records are compared by. NaN counts as worst."""
    value = record["fun"]
    return (math.inf if math.isnan(value) else value, unit)


def count_kinds(failures: dict[int, dict]) -> str:
    """The failures in words: "3 raised, 1 timeout"."""
    return ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(f["kind"] for f in failures.values()).items()))


def left_behind(unended: int, name: str) -> str:
    """What is said of units that could not be ended."""
    if unended == 0:
        return ""
    if unended == 1:
        return f" 1 {name} did not end: it is still at work, in a thread of this process."
    return f" {unended} {name}s did not end: they are still at work, in threads of this process."
