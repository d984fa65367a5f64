"""The units of one call: which are done, which wait, which failed, and when to stop.

A campaign knows nothing of threads or of Dask. Whoever carries it out takes units from it, in ascending order, and
hands back entries: a record for each unit that was done, a failure for each that was not. Nothing in it depends on the
order in which they come back: the answer is the best by (value, unit), and with a target that of units 0..k, k the
smallest that reached it (lower ones finish, higher ones are cancelled)."""

from __future__ import annotations

import heapq
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...solvers.driving.result import StopReason
from .outcome import Outcome, count_kinds, rank
from .work import Record, Work

if TYPE_CHECKING:
    from ..progress import Status

__all__ = ["Campaign", "Outcome", "count_kinds"]

TICK = 0.05  # seconds between looks at the clock; what a crash may cost beside the units at work
SINGLES = 32  # suspects up to which each is tried by itself; more are first cut into parts
HOPELESS = 100  # units given up before any was done: the others would fare no better
GIVEN_UP = ("error", "attempts", "workers")  # of a failure, what the journal keeps


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
    unfinished: dict[int, Record] = field(default_factory=dict)  # what units had found that were told to end
    trouble: dict[int, dict] = field(default_factory=dict)  # units that failed at least once
    stop: StopReason | None = None
    reached: int | None = None
    best: tuple[float, int] | None = None  # value, unit
    workers: int = 1
    working: int = 0
    tasks: int = 0
    busy: float = 0.0
    dashboard: str | None = None
    unended: int = 0  # units at work in threads of this process that could not be ended
    ended_by: SystemExit | None = None  # raised by a unit

    def __post_init__(self):
        self.begin = time.perf_counter()
        self.ticked = -math.inf
        self.unwritten: list[dict] = []  # entries that the journal does not hold yet
        self.position = 0  # of the first unit never handed out
        self.again: list[int] = []  # a heap: handed out before
        self.suspects: list[list[int]] = []  # parts of tasks whose workers died; one of their units may be the cause
        self.out: set[int] = set()  # handed out and not come back
        if self.journal is not None:
            wanted = self.units if isinstance(self.units, range) else set(self.units)
            for unit, record in self.journal.records.items():
                if unit in wanted:
                    self._note(unit, record)
        self.resumed = len(self.records)
        self.fresh = len(self.units) - self.resumed  # units never handed out

    # --- handing out ---

    def take(self, count: int) -> list[int]:
        """The next units, at most `count` of them; none where there is nothing left to begin."""
        taken = []
        while (room := min(count - len(taken), self.left())) > 0:
            if self.again:
                taken.append(heapq.heappop(self.again))
                continue
            part = self.units[self.position : self.position + room]
            fresh = [unit for unit in part if unit not in self.records]
            self.position += len(part)
            self.fresh -= len(fresh)
            taken += fresh
        self.out.update(taken)
        return taken

    def take_suspects(self) -> list[int]:
        """The next part of a task that lost its worker."""
        while self.suspects and self.stop is None:
            units = [unit for unit in self.suspects.pop() if not self.ends(unit)]
            if units:
                self.out.update(units)
                return units
        return []

    def left(self) -> int:
        """Units to begin, suspects not counted."""
        if self.stop is not None:
            return 0
        if self.again and self.ends(self.again[0]):
            self.again.clear()  # ascending: all others end, too
        fresh = self.fresh
        if fresh and self.reached is not None:
            while self.units[self.position] in self.records:  # of the journal
                self.position += 1
            fresh = max(min(fresh, self.reached + 1 - self.units[self.position]), 0)
        return len(self.again) + fresh

    def ends(self, unit: int) -> bool:
        """Whether a unit has no part in the answer any more."""
        return self.stop is not None or (self.reached is not None and unit > self.reached)

    def over(self) -> bool:
        """Whether nothing that is out or waits can change the answer."""
        if self.stop is not None:
            return True
        if self.left() > 0:
            return False
        if self.reached is None:
            return not self.out and not self.suspects
        return all(unit > self.reached for unit in self.out.union(*self.suspects))

    # --- taking back ---

    def settle(self, units: Sequence[int], entries: Sequence[dict]) -> None:
        """A task came back: entries of the units that it carried out, the others are handed out again."""
        self.out.difference_update(units)
        whole = [entry for entry in entries if "unfinished" not in entry]
        self.unfinished.update({entry["unit"]: entry for entry in entries if "unfinished" in entry})
        self.accept(whole)
        done = {entry["unit"] for entry in whole}
        for unit in units:
            if unit not in done:
                heapq.heappush(self.again, unit)

    def suspect(self, units: Sequence[int]) -> None:
        """A task lost its worker: one of its units may have killed it."""
        self.out.difference_update(units)
        size = 1 if len(units) <= SINGLES else math.isqrt(len(units))
        self.suspects += [list(units[k : k + size]) for k in range(0, len(units), size)][::-1]

    def accept(self, entries: Sequence[dict]) -> None:
        """Entries of units that were done or failed."""
        for entry in entries:
            unit = entry["unit"]
            self.busy += entry.get("seconds", 0.0)
            if "failed" in entry:
                self._failed(entry)
            elif unit not in self.records:
                if self.journal is not None:
                    self.unwritten.append(entry)
                self._note(unit, entry)

    def _note(self, unit: int, record: Record) -> None:
        self.records[unit] = record
        value, best = record["fun"], self.best
        if best is None or not value > best[0]:  # of a hundred thousand, few
            place = rank(unit, record)
            self.best = place if best is None or place < best else best
        if self.target is not None and value <= self.target and (self.reached is None or unit < self.reached):
            self.reached = unit

    def _failed(self, entry: dict) -> None:
        """Count a failure: the unit is tried again, or given up."""
        unit, kind = entry["unit"], entry["failed"]
        if entry.get("ending") and not self._beyond(unit):
            self._end_by(entry["exception"], unit)
            return
        known = self.trouble.setdefault(unit, {"unit": unit, "attempts": 0, "workers": []})
        known["attempts"] += 1
        known["workers"].append(entry["worker"])
        known |= {"kind": kind, "error": entry["error"], "exception": entry.get("exception")}
        if known["attempts"] > self.retries:
            self.failures[unit] = known
            self.unwritten.append({"unit": unit, "failed": kind, **{k: known[k] for k in GIVEN_UP}})
            if len(self.failures) >= HOPELESS and not self.records:
                self.stop = self.stop or StopReason.HOPELESS
        elif entry.get("alone"):  # it took its worker along: the next time, too, nothing else is at work there
            self.suspects.append([unit])
        else:
            heapq.heappush(self.again, unit)

    def _end_by(self, error: BaseException, unit: int) -> None:
        """A unit was interrupted, or called sys.exit(): that is meant for the caller."""
        self.stop = StopReason.INTERRUPTED
        if isinstance(error, SystemExit) and self.ended_by is None:
            error.add_note(f"raised by {self.work.name} {unit}")
            self.ended_by = error

    # --- between ---

    def tick(self) -> None:
        """From the caller's thread, some times a second: the journal, the clock, then the hooks."""
        now = time.perf_counter()
        if now - self.ticked < TICK:
            return
        self.ticked = now
        self.flush()
        if self.max_time is not None and now - self.begin >= self.max_time:
            self.stop = self.stop or StopReason.OUT_OF_TIME
        for hook in self.hooks:
            try:
                hook(self)
            except StopIteration:
                self.stop = self.stop or StopReason.CALLBACK

    def flush(self) -> None:
        """Bring the journal up to date: one write, one fsync. A journal that fails once is not written to again."""
        batch, self.unwritten = self.unwritten, []
        if self.journal is None or not batch:
            return
        journal, self.journal = self.journal, None
        try:
            journal.append(batch)
        except OSError as error:  # of a full disk; it names the file
            warnings.warn(
                f"{error}: from here on nothing is written; the call goes on, and gives its result, without",
                RuntimeWarning,
                stacklevel=2,
            )
        else:
            self.journal = journal

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
        unfinished = {} if self.stop is None else self._found_until_then(self.stop)
        kept = dict(sorted((unfinished | self.records).items()))
        if self.reached is not None:
            kept = {unit: record for unit, record in kept.items() if not self._beyond(unit)}
        failures = {unit: self.failures[unit] for unit in sorted(self.failures) if not self._beyond(unit)}
        seconds = time.perf_counter() - self.begin
        left_out = self.best if self.best is not None and self._beyond(self.best[1]) else None
        done = self.workers, self.tasks, self.busy, self.resumed, self.unended, left_out
        count = len(kept.keys() - self.records.keys())
        return Outcome(kept, failures, self.stop, self.reached, seconds, *done, unfinished=count)

    def _found_until_then(self, stop: StopReason) -> dict[int, Record]:
        """What the units had found that were at work when the call ended."""
        return {unit: record | {"stop": int(stop)} for unit, record in self.unfinished.items()}

    def _beyond(self, unit: int) -> bool:
        return self.reached is not None and unit > self.reached
