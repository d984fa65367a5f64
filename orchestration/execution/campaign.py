"""The units of one call: which are done, which wait, which failed, and when to stop.

A campaign knows nothing of threads or of Dask. Whoever carries it out takes units from it, in ascending order, and hands
back entries: a record for each unit that was done, a failure for each that was not. Nothing in it depends on the order
in which they come back: the answer is the best by (value, unit), and with a target that of units 0..k, k the smallest
that reached it (lower ones finish, higher ones are cancelled)."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...solvers.result import StopReason
from .work import Record, Work

if TYPE_CHECKING:
    from ..progress import Status


WRITE_EVERY = 0.05  # seconds: what a crash may cost beside the units at work
GIVEN_UP = ("error", "attempts", "workers")  # of a failure, what the journal keeps


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

    def best(self) -> int | None:
        """The unit of the lowest value; the lowest such unit."""
        return min(self.records, key=lambda unit: (self.records[unit]["fun"], unit), default=None)


@dataclass
class Campaign:
    work: Work
    units: Sequence[int]  # ascending
    given: Callable[[int], Any] | None = None
    target: float | None = None
    journal: Any = None
    hooks: Sequence[Callable[[Campaign], None]] = ()
    max_time: float | None = None
    retries: int = 0
    records: dict[int, Record] = field(default_factory=dict)
    failures: dict[int, dict] = field(default_factory=dict)
    trouble: dict[int, dict] = field(default_factory=dict)  # units that failed and are tried again
    stop: StopReason | None = None
    reached: int | None = None
    best: tuple[float, int] | None = None  # value, unit
    workers: int = 1
    working: int = 0
    tasks: int = 0
    busy: float = 0.0
    dashboard: str | None = None

    def __post_init__(self):
        self.begin = self.written = time.perf_counter()
        self.unwritten: list[dict] = []  # entries that the journal does not hold yet
        self.position = 0  # of the first unit never handed out
        self.again: list[int] = []  # a heap
        self.out = 0  # units handed out and not come back
        if self.journal is not None:
            wanted = self.units if isinstance(self.units, range) else set(self.units)
            for unit, record in self.journal.records.items():
                if unit in wanted:
                    self._note(unit, record)
        self.resumed = len(self.records)

    # --- handing out ---

    def take(self, count: int) -> list[int]:
        """The next units, at most `count` of them; none where there is nothing left to begin."""
        taken: list[int] = []
        while len(taken) < count and self.stop is None:
            unit = self._next()
            if unit is None:
                break
            taken.append(unit)
        self.out += len(taken)
        return taken

    def _next(self) -> int | None:
        while self.again:
            unit = heapq.heappop(self.again)
            if not self.ends(unit):
                return unit
        while self.position < len(self.units):
            unit = self.units[self.position]
            if self.ends(unit):
                return None  # ascending: all others end, too
            self.position += 1
            if unit not in self.records:
                return unit
        return None

    def remaining(self) -> int:
        """Units not yet begun, at most."""
        if self.stop is not None or (self.position < len(self.units) and self.ends(self.units[self.position])):
            return len(self.again)
        return len(self.again) + len(self.units) - self.position

    def ends(self, unit: int) -> bool:
        """Whether a unit has no part in the answer any more."""
        return self.stop is not None or (self.reached is not None and unit > self.reached)

    # --- taking back ---

    def put_back(self, units: Sequence[int]) -> None:
        """Units that were handed out and not begun, or cut."""
        self.out -= len(units)
        for unit in units:
            heapq.heappush(self.again, unit)

    def accept(self, entries: Sequence[dict]) -> None:
        """Entries of units that were done or failed."""
        for entry in entries:
            unit = entry["unit"]
            self.out -= 1
            self.busy += entry.get("seconds", 0.0)
            if "failed" in entry:
                self._failed(entry)
            elif unit not in self.records:  # else done twice, after a worker was thought to be lost: the same bits
                self.unwritten.append(entry)
                self._note(unit, entry)

    def _note(self, unit: int, record: Record) -> None:
        self.records[unit] = record
        value = record["fun"]
        if self.best is None or (value, unit) < self.best:
            self.best = (value, unit)
        if self.target is not None and value <= self.target and (self.reached is None or unit < self.reached):
            self.reached = unit
        self.failures.pop(unit, None)

    def _failed(self, entry: dict) -> None:
        """Count a failure: the unit is tried again, or given up."""
        unit = entry["unit"]
        known = self.trouble.setdefault(unit, {"unit": unit, "attempts": 0, "workers": []})
        known["attempts"] += entry.get("times", 1)
        known["workers"].append(entry["worker"])
        known |= {"kind": entry["failed"], "error": entry["error"]}
        if "exception" in entry:
            known["exception"] = entry["exception"]
        if known["attempts"] <= self.retries:
            heapq.heappush(self.again, unit)
            return
        self.failures[unit] = known
        self.unwritten.append({"unit": unit, "failed": known["kind"], **{k: known[k] for k in GIVEN_UP}})

    # --- between ---

    def tick(self) -> None:
        """From the caller's thread, some times a second: the journal, the clock, then the hooks."""
        if time.perf_counter() - self.written >= WRITE_EVERY:
            self.flush()
        if self.max_time is not None and time.perf_counter() - self.begin >= self.max_time:
            self.stop = self.stop or StopReason.OUT_OF_TIME
        for hook in self.hooks:
            hook(self)

    def flush(self) -> None:
        """Bring the journal up to date: one write, one fsync."""
        batch, self.unwritten = self.unwritten, []
        if self.journal is not None and batch:
            self.journal.append(batch)
        self.written = time.perf_counter()

    def status(self, finished: bool = False) -> Status:
        """What a progress display shows."""
        from ..progress import Status

        value, unit = self.best or (float("inf"), None)
        return Status(
            name=self.work.name,
            done=len(self.records),
            total=len(self.units),
            best=value,
            best_label="" if unit is None else f"{self.work.name} {unit}",
            failures=len(self.failures),
            workers=self.workers,
            busy=self.working,
            dashboard=self.dashboard,
            elapsed=time.perf_counter() - self.begin,
            finished=finished,
        )

    def outcome(self) -> Outcome:
        kept = {unit: self.records[unit] for unit in sorted(self.records) if not self._beyond(unit)}
        failures = {unit: self.failures[unit] for unit in sorted(self.failures) if not self._beyond(unit)}
        seconds = time.perf_counter() - self.begin
        return Outcome(kept, failures, self.stop, self.reached, seconds, self.workers, self.tasks, self.busy)

    def _beyond(self, unit: int) -> bool:
        return self.reached is not None and unit > self.reached


def count_kinds(failures: dict[int, dict]) -> str:
    """The failures in words: "3 raised, 1 timeout"."""
    return ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(f["kind"] for f in failures.values()).items()))
