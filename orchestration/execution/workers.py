"""A campaign on the workers of a Dask client.

The client keeps a bounded window of tasks and tops it up as they come back. A task is a range of units, worth one or
two seconds by what the last ones took; it ends by itself when it takes much longer, and hands back what it did not begin.
The work itself travels once per worker (worker.py). What a task loses with its worker is carried out again: the same
units, the same bits."""

from __future__ import annotations

import contextlib
import math
import queue
import time
import uuid
from collections.abc import Sequence
from typing import Any

from ...solvers.result import StopReason
from . import shipping, worker
from .campaign import Campaign
from .compatibility import check_workers

TICK = 0.05  # seconds between looks at the clock
WINDOW = 2  # tasks per thread of a worker: one at work, one waiting there
TASK, LEAST, MOST = 2.0, 0.5, 5.0  # seconds of a task: aimed at, at the end of a campaign, when it ends by itself
UNITS = 10_000  # of a task, at most: what a message carries
PARTS = 16  # into which a task is cut that lost its workers
COUNT_EVERY = 1.0  # seconds between questions for the number of workers
LOST = ("closed", "closing", "connecting")  # the states of a client that has no scheduler


class Workers:
    """Carries out campaigns of one work; the work lies on the workers until `close`."""

    def __init__(self, work, client, timeout: float | None = None):
        check_workers(client)
        self.client, self.timeout = client, timeout
        self.token = f"thalweg-{uuid.uuid4().hex[:12]}"
        self.serial = 0
        client.register_plugin(worker.Shipment(self.token, shipping.pack(work)), name=self.token)

    def close(self) -> None:
        if self.client.status == "running":
            with contextlib.suppress(Exception):  # a scheduler that goes now has nothing of ours any more
                self.client.unregister_worker_plugin(self.token)

    def carry_out(self, campaign: Campaign) -> None:
        flight = Flight(self, campaign)
        try:
            flight.go()
        except KeyboardInterrupt:
            campaign.stop = StopReason.INTERRUPTED
        finally:
            flight.end()


class Flight:
    """One campaign on the way: the tasks that are out, and how long a unit takes."""

    def __init__(self, workers: Workers, campaign: Campaign):
        self.workers, self.client, self.campaign = workers, workers.client, campaign
        self.token = workers.token
        self.tasks: dict[Any, Sequence[int]] = {}  # future -> its units
        self.finished: queue.SimpleQueue = queue.SimpleQueue()
        self.suspects: list[list[int]] = []  # parts of tasks that lost their workers
        self.alone = False  # a single suspect is out, and nothing beside it
        self.deaths: dict[int, int] = {}  # of workers, by the unit that was alone with them
        self.pace: float | None = None  # seconds per unit
        self.limit = math.inf
        self.slots, self.counted = 0, -math.inf

    def go(self) -> None:
        while True:
            self._count_workers()
            self._top_up()
            if not self.tasks:
                return
            self._take_back()
            self.campaign.working = min(len(self.tasks), self.slots)
            self.campaign.tick()
            self._announce_limit()
            if self.campaign.stop is not None:
                return

    def end(self) -> None:
        """Cancel what is out, once nobody waits for it."""
        self.campaign.working = 0
        if self.tasks and self.client.status == "running":
            with contextlib.suppress(Exception):
                self.client.cancel(list(self.tasks), force=True)
        self.tasks.clear()

    # --- handing out ---

    def _count_workers(self) -> None:
        if time.perf_counter() - self.counted < COUNT_EVERY:
            return
        with contextlib.suppress(OSError):
            threads = self.client.nthreads()
            self.slots = sum(threads.values())
            self.campaign.workers = len(threads)
        self.campaign.dashboard = self.client.dashboard_link or None if self.slots else None
        self.counted = time.perf_counter()

    def _top_up(self) -> None:
        window = self.slots * (WINDOW if self.pace is not None else 1) or 1
        while len(self.tasks) < window and not self.alone:
            units = self._next_suspects() or self.campaign.take(self._size())
            if not units:
                return
            self._submit(units)

    def _next_suspects(self) -> list[int]:
        """A part of a task that lost its workers. A single unit goes alone, so that it takes no innocent with it."""
        while self.suspects:
            single = len(self.suspects[-1]) == 1
            if single and self.tasks:
                return []
            units = [unit for unit in self.suspects.pop() if not self.campaign.ends(unit)]
            if units:
                self.alone = single
                return units
        return []

    def _size(self) -> int:
        """Units of the next task: two seconds' worth, less towards the end, so that all workers finish together."""
        if self.pace is None:
            return 1
        left = self.campaign.remaining()
        share = left * self.pace / max(self.slots, 1)  # seconds per worker that are left
        seconds = share if share <= 2 * LEAST else min(TASK, max(share / 2, LEAST))
        return min(max(math.ceil(seconds / self.pace), 1), max(math.ceil(left / max(self.slots, 1)), 1), UNITS)

    def _submit(self, units: list[int]) -> None:
        campaign, workers = self.campaign, self.workers
        given = None if campaign.given is None else [campaign.given(unit) for unit in units]
        sent = range(units[0], units[-1] + 1) if units[-1] - units[0] == len(units) - 1 else units
        workers.serial += 1
        future = self.client.submit(
            worker.carry_out, self.token, sent, given, MOST, workers.timeout,
            key=f"{self.token}-{workers.serial}", pure=False,
        )  # fmt: skip
        self.tasks[future] = units
        campaign.tasks += 1
        future.add_done_callback(self.finished.put)

    # --- taking back ---

    def _take_back(self) -> None:
        """Wait for a task that is over, then settle all that are."""
        over = []
        with contextlib.suppress(queue.Empty):
            over.append(self.finished.get(timeout=TICK))
            while True:
                over.append(self.finished.get_nowait())
        over = [future for future in over if future in self.tasks]
        done = [future for future in over if future.status == "finished"]
        results = dict(zip(done, self._gather(done), strict=True))
        for future in over:
            units = self.tasks.pop(future)
            if results.get(future) is not None:
                self._settle(units, *results[future])
            else:
                self._mourn(units, future)
            self.alone = False
        if self.client.status in LOST:
            self.campaign.stop = self.campaign.stop or StopReason.SCHEDULER_LOST

    def _gather(self, futures: list) -> list:
        try:
            return self.client.gather(futures)
        except Exception:  # a worker died with results that were not fetched yet
            return [None] * len(futures)

    def _settle(self, units: Sequence[int], address: str, entries: list[dict]) -> None:
        campaign = self.campaign
        campaign.accept(entries)
        done = {entry["unit"] for entry in entries}
        campaign.put_back([unit for unit in units if unit not in done])
        if entries:
            pace = sum(entry["seconds"] for entry in entries) / len(entries)
            self.pace = pace if self.pace is None else (self.pace + pace) / 2
        if any(entry.get("failed") == "timeout" for entry in entries):
            # Its thread cannot be ended, its process can.
            with contextlib.suppress(Exception):
                self.client.restart_workers([address], raise_for_error=False)

    def _mourn(self, units: Sequence[int], future) -> None:
        """A task that came to nothing: its worker died as often as the scheduler allows, or the scheduler is gone."""
        from distributed.scheduler import KilledWorker

        error = future.exception() if future.status == "error" else None
        if error is None:  # cancelled, or lost with the scheduler or with the worker that held the result
            self.campaign.put_back(list(units))
        elif not isinstance(error, KilledWorker):
            raise error  # ours, not a unit's
        elif self.alone:
            self._suspect(units[0], error.last_worker.address, error.allowed_failures + 1)
        else:
            size = math.ceil(len(units) / PARTS)
            self.suspects += [list(units[k : k + size]) for k in range(0, len(units), size)][::-1]

    def _suspect(self, unit: int, address: str, deaths: int) -> None:
        """A unit killed its worker, and nothing else was there to do it."""
        self.deaths[unit] = deaths = self.deaths.get(unit, 0) + deaths
        if deaths <= self.campaign.retries:
            self.suspects.append([unit])
            return
        entry = {"unit": unit, "failed": "killed", "error": "the process of its worker died", "times": deaths}
        self.campaign.accept([entry | {"worker": address}])

    # --- the target ---

    def _announce_limit(self) -> None:
        """When a unit has reached the target, tell the workers that higher ones are to end."""
        reached = self.campaign.reached
        if reached is None or reached >= self.limit:
            return
        self.limit = reached
        with contextlib.suppress(Exception):
            self.client.run(worker.set_limit, self.token, reached, on_error="ignore")
