"""Keeps the threads or workers of an executor busy with the units of a campaign.

When a worker dies, or answers nobody for longer than a unit may take, every unit of the tasks that it had is a suspect.
Suspects wait until all others are done; then each part of them is carried out on a worker that has nothing else to do.
If that one dies, too, the part is cut smaller; a single unit that was alone with a worker that died has killed it, or
hung there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .campaign import TICK, Campaign
from .pace import Pace

DIED = "the process of its worker died, and nothing else was at work there"
HUNG = "not done in its time (task_timeout), and the process of its worker answered nobody any more; it was ended"
DEATHS = 16  # of workers before any unit was done: it will not get better


@dataclass(eq=False)
class Order:
    """A task on its way to whoever carries it out."""

    units: Sequence[int]
    given: list[Any] | None
    seconds: float  # after these it ends itself
    alone: str | None = None  # the worker that carries it out, with nothing beside it


@dataclass
class Report:
    """A task that came back."""

    order: Order
    worker: str
    entries: list[dict] = field(default_factory=list)
    died: bool = False  # the worker, in the middle of it
    hung: bool = False  # it answered nobody any more, and was given up
    error: BaseException | None = None  # of this library or of the cluster, not of a unit


class Executor(Protocol):
    """Threads or workers; what is said of `threads.Threads` and `workers.Workers` here."""

    pace: Pace
    window: int  # tasks that are out, per slot
    slots: int  # units that are carried out at once
    workers: list[str]
    dashboard: str | None

    @property
    def out(self) -> int: ...  # tasks
    def begin(self, campaign: Campaign) -> None: ...
    def refresh(self) -> None: ...
    def submit(self, order: Order) -> None: ...
    def collect(self, wait: float) -> list[Report]: ...
    def announce(self, unit: int) -> None: ...
    def end(self, campaign: Campaign) -> list[Report]: ...
    def close(self) -> None: ...


class Dispatch:
    """One campaign on its way."""

    def __init__(self, campaign: Campaign, executor: Executor):
        self.campaign, self.executor = campaign, executor
        self.total = campaign.left()
        self.lone: set[str] = set()  # workers that are alone with suspects
        self.limit = math.inf
        self.deaths = 0

    def go(self) -> None:
        campaign, executor = self.campaign, self.executor
        executor.begin(campaign)
        try:
            while not campaign.over():
                executor.refresh()
                self._hand_out()
                self._note_state()
                for report in sorted(executor.collect(TICK), key=lambda report: report.error is not None):
                    self._take_back(report)
                campaign.tick()
                self._announce_limit()
        finally:
            for report in executor.end(campaign):
                self._take_back(report)
            campaign.working = 0

    def _hand_out(self) -> None:
        campaign, executor = self.campaign, self.executor
        while not self.lone and executor.out < max(self._window(), 1) and (left := campaign.left()):
            count, seconds = executor.pace.plan(left, self.total, executor.slots)
            self._submit(campaign.take(count), seconds)
        if executor.out > len(self.lone):
            return
        for worker in executor.workers:
            if worker not in self.lone and (units := campaign.take_suspects()):
                self.lone.add(worker)
                self._submit(units, executor.pace.aim.limit, worker)

    def _window(self) -> int:
        return self.executor.slots * (self.executor.window if self.executor.pace.known else 1)

    def _submit(self, units: list[int], seconds: float, alone: str | None = None) -> None:
        given = None if self.campaign.given is None else [self.campaign.given(unit) for unit in units]
        self.campaign.tasks += 1
        self.executor.submit(Order(units, given, seconds, alone))

    def _take_back(self, report: Report) -> None:
        campaign, order, entries = self.campaign, report.order, report.entries
        self.lone.discard(order.alone or "")
        if report.error is not None:
            raise report.error
        if not report.died:
            campaign.settle(order.units, entries)
            seconds = [entry["seconds"] for entry in entries if "unfinished" not in entry]
            self.executor.pace.learn(report.worker, seconds)
        elif order.alone and len(order.units) == 1:
            kind, error = ("timeout", HUNG) if report.hung else ("killed", DIED)
            entry = {"unit": order.units[0], "worker": report.worker, "failed": kind, "error": error, "alone": True}
            campaign.settle(order.units, [entry])
        else:
            campaign.suspect(order.units)
        self.deaths += report.died
        if self.deaths >= DEATHS and not campaign.records:
            lost = f"{self.deaths} tasks lost their workers, and no {campaign.work.name} was done"
            raise RuntimeError(f"{lost}: does it crash its process, or need more memory than a worker has?")

    def _note_state(self) -> None:
        campaign, executor = self.campaign, self.executor
        campaign.workers, campaign.dashboard = len(executor.workers), executor.dashboard
        campaign.working = min(executor.out, executor.slots)

    def _announce_limit(self) -> None:
        reached = self.campaign.reached
        if reached is not None and reached < self.limit:
            self.limit = reached
            self.executor.announce(reached)
