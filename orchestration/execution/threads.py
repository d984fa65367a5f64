"""A campaign on threads of this process. Compiled code releases the GIL; Python code takes turns."""

from __future__ import annotations

import queue
import threading
import time

from ...solvers.result import StopReason
from .campaign import Campaign
from .task import perform

TICK = 0.05  # seconds between looks at the clock
PATIENCE = 2.0  # seconds that an interrupted call waits for units that do not poll


class Threads:
    """Carries out campaigns of one work."""

    def __init__(self, work, threads: int, timeout: float | None = None):
        self.work, self.threads, self.timeout = work, threads, timeout
        work.prepare()

    def carry_out(self, campaign: Campaign) -> None:
        campaign.workers = self.threads
        try:
            if self.threads == 1:
                self._here(campaign)
            else:
                self._pool(campaign)
        except KeyboardInterrupt:
            campaign.stop = StopReason.INTERRUPTED

    def close(self) -> None:
        """Nothing is kept."""

    def _here(self, campaign: Campaign) -> None:
        """In the caller's thread, so that Ctrl-C reaches Python code at once."""
        last = time.perf_counter()

        def ends(unit: int) -> bool:
            nonlocal last
            if time.perf_counter() - last >= TICK:
                last = time.perf_counter()
                campaign.tick()
            return campaign.ends(unit)

        while units := campaign.take(1):
            campaign.working, campaign.tasks = 1, campaign.tasks + 1
            self._settle(campaign, units, self._perform(campaign, units, ends, "thread 0"))
            ends(-1)
        campaign.working = 0

    def _pool(self, campaign: Campaign) -> None:
        lock = threading.Lock()
        reports: queue.SimpleQueue = queue.SimpleQueue()
        over = threading.Event()

        def work(name: str) -> None:
            while not over.is_set():
                with lock:
                    units = campaign.take(1)
                    waits = not units and campaign.out > 0 and campaign.stop is None
                if units:
                    try:
                        reports.put((units, self._perform(campaign, units, campaign.ends, name)))
                    except BaseException as error:  # not the unit's own: those are entries
                        reports.put((units, error))
                elif waits:
                    over.wait(TICK)  # what is out may fail and come back
                else:
                    return

        pool = [threading.Thread(target=work, args=(f"thread {k}",), daemon=True) for k in range(self.threads)]
        for thread in pool:
            thread.start()
        try:
            while any(thread.is_alive() for thread in pool) or not reports.empty():
                self._drain(campaign, reports, lock)
                campaign.working = min(campaign.out, self.threads)
                campaign.tick()
        except BaseException:
            campaign.stop = campaign.stop or StopReason.INTERRUPTED
            raise
        finally:
            over.set()
            until = time.perf_counter() + PATIENCE
            while any(thread.is_alive() for thread in pool) and time.perf_counter() < until:
                self._drain(campaign, reports, lock)
            self._drain(campaign, reports, lock)
            campaign.working = 0

    def _drain(self, campaign: Campaign, reports: queue.SimpleQueue, lock) -> None:
        """Wait for a report, then settle all there are, with one write to the journal."""
        batch = []
        try:
            batch.append(reports.get(timeout=TICK))
            while True:
                batch.append(reports.get_nowait())
        except queue.Empty:
            pass
        units = [unit for some, _ in batch for unit in some]
        for _, entries in batch:
            if isinstance(entries, BaseException):
                raise entries
        with lock:
            campaign.tasks += len(batch)
            self._settle(campaign, units, [entry for _, entries in batch for entry in entries])

    def _perform(self, campaign: Campaign, units, ends, name: str) -> list[dict]:
        given = None if campaign.given is None else [campaign.given(unit) for unit in units]
        return perform(self.work, units, given, 0.0, ends, self.timeout, name)

    @staticmethod
    def _settle(campaign: Campaign, units, entries: list[dict]) -> None:
        campaign.accept(entries)
        done = {entry["unit"] for entry in entries}
        campaign.put_back([unit for unit in units if unit not in done])
