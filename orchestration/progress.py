"""Progress of many units: a live table with rich, or plain lines where the output is no terminal."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..solvers.driving.progress import Display, fitted
from ..solvers.driving.times import duration, per_time

RECENT = 10.0  # seconds over which the rate is taken; more where units are rare:
LEAST = 2  # units per worker that it is taken over
IN_LINE = ("best", "time", "failures", "rate", "workers")  # of a log file, what comes first fits first


@dataclass(frozen=True)
class Status:
    """Where a campaign stands."""

    name: str  # of a unit: "run", "point", "block", "island"
    done: int
    total: int | None  # None: as many as fit
    best: float  # inf or NaN: none yet
    best_label: str  # where: "run 17"
    failures: int
    workers: int
    busy: int  # of the workers, those at work
    dashboard: str | None  # a link to that of Dask
    elapsed: float  # seconds
    finished: bool = False


class Reports(Protocol):
    """What a campaign is to a progress display."""

    def status(self, finished: bool = ...) -> Status: ...


@contextlib.contextmanager
def hooks_for(progress: bool) -> Iterator[list[Progress]]:
    """The hooks of a campaign, or of several one after another: a progress display if one is asked for."""
    hooks = [Progress()] if progress else []
    try:
        yield hooks
    finally:
        for hook in hooks:
            hook.close()


class Progress:
    """A hook of a campaign: a table that is redrawn, or lines of a log file. Nothing is shown before the first call."""

    def __init__(self, console=None):
        self.console = console
        self.display: Display | None = None
        self.campaign: Reports | None = None  # the last one seen
        self.linked = False  # a log file gets the link once

    def __call__(self, campaign: Reports) -> None:
        self._look(campaign, False)
        assert self.display is not None
        self.display()

    def close(self, campaign: Reports | None = None) -> None:
        """Show how the campaign, or the last one seen, ended."""
        campaign = campaign or self.campaign
        if campaign is not None:
            self._look(campaign, True)
            assert self.display is not None
            self.display.close()

    def _look(self, campaign: Reports, finished: bool) -> None:
        if campaign is not self.campaign:
            self.campaign, self.rate = campaign, Rate()
        self.status = campaign.status(finished)
        self.rate.note(self.status)
        if self.display is None:
            self.display = Display(self._table, self._line, self.console)

    def _table(self):
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, text in facts(self.status, self.rate.value):
            table.add_row(Text(name, "bold"), Text(text, "red" if name == "failures" else ""))
        return table

    def _line(self) -> str:
        told = dict(facts(self.status, self.rate.value))
        told["best"] = told["best"].partition(" (")[0]  # where it is stands in the table
        line = fitted([f"{name} {told[name]}" for name in (self.status.name, *IN_LINE) if name in told])
        if self.status.dashboard and not self.linked:
            self.linked = True
            line += f"\ndashboard {self.status.dashboard}"
        return line


class Rate:
    """Units per second of late; of the whole campaign once it is finished. Units taken from a journal do not count."""

    def __init__(self):
        self.value = 0.0
        self.samples: deque[tuple[float, int]] = deque()  # (elapsed, done) whenever `done` had changed

    def note(self, status: Status) -> None:
        samples, now, done = self.samples, status.elapsed, status.done
        if not samples:
            self.first = now, done
        if not samples or done != samples[-1][1]:
            samples.append((now, done))
        enough = LEAST * max(status.workers, 1)
        while len(samples) > 1 and now - samples[1][0] >= RECENT and done - samples[1][1] >= enough:
            samples.popleft()
        since, had = self.first if status.finished else samples[0]
        self.value = (done - had) / (now - since) if now > since else 0.0


def facts(status: Status, rate: float) -> Iterator[tuple[str, str]]:
    """Names and texts."""
    done, total = status.done, status.total
    share = "" if total is None else f" of {total:,} ({100 * done // total if total else 100} %)"
    yield status.name, f"{done:,}{share}"
    where = f" ({status.best_label})" if status.best_label else ""
    yield "best", f"{status.best:.10g}{where}" if status.best < math.inf else "none"  # NaN is not below
    if rate > 0:
        yield "rate", per_time(rate)
    left = ""
    if rate > 0 and total is not None and not status.finished:
        left = f", {duration((total - done) / rate)} left"
    yield "time", duration(status.elapsed) + left
    yield "workers", f"{status.workers}" + ("" if status.finished else f", {status.busy} busy")
    if status.failures:
        yield "failures", f"{status.failures:,}"
    if status.dashboard:
        yield "dashboard", status.dashboard
