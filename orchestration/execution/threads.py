"""A campaign on threads of this process. Compiled code releases the GIL; Python code takes turns."""

from __future__ import annotations

import contextvars
import queue
import threading
import time

from ...kernels.calling.aside import start_all
from .campaign import Campaign
from .dispatch import Order, Report
from .pace import Aim, Pace
from .task import perform

PATIENCE = 3.0  # seconds that a call waits at its end for units that do not end; `perform` gives them up before


class Threads:
    """Carries out campaigns of one work."""

    window = 2  # tasks per thread, so that none waits for this one

    def __init__(self, work, threads: int, timeout: float | None = None):
        self.work, self.slots, self.timeout = work, threads, timeout
        self.workers = [f"thread {k}" for k in range(threads)]
        self.pace = Pace(Aim(least=0.01, most=0.5, limit=1.0))  # each costs 1 to 3 ms on busy cores
        self.dashboard: str | None = None
        work.prepare()

    def begin(self, campaign: Campaign) -> None:
        self.orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.ended = threading.Event()
        self.out = 0
        self.left: list[threading.Thread] = []  # that could not be ended
        self.pool = [self._thread(campaign, name) for name in self.workers]
        start_all(self.pool, self._let_go)

    def _thread(self, campaign: Campaign, name: str) -> threading.Thread:
        run = contextvars.copy_context().run  # of the caller: numpy.errstate
        return threading.Thread(target=run, args=(self._serve, campaign, name), daemon=True)

    def _serve(self, campaign: Campaign, name: str) -> None:
        orders, reports, ended, left = self.orders, self.reports, self.ended, self.left
        while (order := orders.get()) is not None:
            try:
                entries, thread = perform(
                    self.work, order.units, order.given, order.seconds,
                    lambda unit: ended.is_set() or campaign.ends(unit), self.timeout, name,
                )  # fmt: skip
            except RuntimeError as error:  # each unit has a thread of its own
                refused = RuntimeError(f"threads: got {len(self.pool)}, expected fewer: the system gives no more")
                refused.__cause__ = error
                reports.put(Report(order, name, error=refused))
                return
            if thread is not None:
                left.append(thread)
            reports.put(Report(order, name, entries))

    def submit(self, order: Order) -> None:
        self.out += 1
        self.orders.put(order)

    def collect(self, wait: float) -> list[Report]:
        """What came back; waits at most so many seconds."""
        reports = []
        try:
            reports.append(self.reports.get(timeout=wait))
            while True:
                reports.append(self.reports.get_nowait())
        except queue.Empty:
            pass
        self.out -= len(reports)
        return reports

    def announce(self, unit: int) -> None:
        """Threads ask the campaign itself which units end."""

    def end(self, campaign: Campaign) -> list[Report]:
        """Let the threads go; those whose unit does not end are left to themselves."""
        self._let_go()
        until = time.perf_counter() + PATIENCE
        while any(thread.is_alive() for thread in self.pool) and time.perf_counter() < until:
            time.sleep(0.001)
        campaign.unended = sum(thread.is_alive() for thread in (*self.pool, *self.left))
        return self.collect(0.0)

    def _let_go(self) -> None:
        self.ended.set()
        for _ in self.pool:
            self.orders.put(None)

    def refresh(self) -> None:
        """The number of threads does not change."""

    def close(self) -> None:
        """Nothing is kept."""
