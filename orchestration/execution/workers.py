"""A campaign on the workers of a Dask client.

The client keeps a bounded window of tasks and tops it up as they come back. The work itself travels once per worker
(worker.py). Tasks go wherever the scheduler puts them, but for those that may kill their worker: these are placed."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from distributed.comm.core import CommClosedError

from ...solvers.driving.result import StopReason
from . import shipping, worker
from .campaign import TICK, Campaign
from .compatibility import check_workers
from .dispatch import Order, Report
from .pace import Aim, Pace
from .silence import Silence

COUNT_EVERY = 1.0  # seconds between questions for the workers
MEETING = 30.0  # seconds that a scheduler has to take up a first task
ANSWER = 2.0  # seconds that the scheduler has to answer
PREFIX = "thalweg-"  # of the names of our plugins; the client's follows
SHIPPINGS = 3  # attempts to bring the work to workers that die
FAREWELL = 0.5  # seconds that tasks have at the end to hand back what they did
_swept: WeakSet[Any] = WeakSet()  # clients that were here before


class Workers:
    """Carries out campaigns of one work; the work lies on the workers until `close`."""

    window = 4  # tasks per thread: one at work, one waiting beside it, two that tell an adaptive cluster to grow

    def __init__(self, work, client, timeout: float | None = None):
        check_workers(client)
        self.client, self.timeout = client, timeout
        self.silence = None if timeout is None else Silence(timeout)
        self.lost: list[Report] = []  # tasks that were taken from workers that answer nobody
        self.token = f"{PREFIX}{client.id}-{uuid.uuid4().hex[:8]}"
        self.pace = Pace(Aim(least=0.1, most=2.0, limit=5.0))
        self.tasks: dict[Any, Order] = {}  # by future
        self.arrived: queue.SimpleQueue = queue.SimpleQueue()  # (future, what it came to)
        self.restarted: set[str] = set()  # workers whose end we asked for
        self.slots, self.workers, self.counted = 0, [], -math.inf
        self.campaigns = self.serial = 0
        self.campaign: Any = None
        self.dashboard = client.dashboard_link or None
        payload = shipping.pack(work)
        if client not in _swept:
            self._sweep()
            self._meet()
            _swept.add(client)
        try:
            self._ship(worker.Shipment(self.token, payload), work.name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take the work from the workers."""
        if self.client.status == "running":
            self._remove(self.token)

    def _ship(self, shipment: worker.Shipment, name: str) -> None:
        """To all workers; if one dies meanwhile, anew to those that there are then."""
        error: Exception | None = None
        for _ in range(SHIPPINGS):
            try:
                return self.client.register_plugin(shipment, name=self.token)
            except CommClosedError as closed:
                error = closed
                self.close()
                check_workers(self.client)
        raise RuntimeError(f"client: workers died while the {name} was prepared there") from error

    def _sweep(self) -> None:
        """Take from the workers what clients left there that were killed."""
        with contextlib.suppress(Exception):  # a scheduler may refuse to run functions
            names, clients = self.client.run_on_scheduler(
                lambda dask_scheduler: (list(dask_scheduler.worker_plugins), list(dask_scheduler.clients))
            )
            for name in names:
                if name.startswith(PREFIX) and not any(name.startswith(PREFIX + client) for client in clients):
                    self._remove(name)

    def _meet(self) -> None:
        """A first task: a scheduler loads what tasks are made of when it gets one, which is no time of the runs."""
        with contextlib.suppress(Exception):
            self.client.submit(worker.nothing, key=f"{self.token}-0", pure=False).result(timeout=MEETING)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(Exception):  # a scheduler that goes now has nothing of ours any more
            self._ask(self.client.scheduler.unregister_worker_plugin, name=name)

    def _ask(self, question: Callable, **arguments) -> Any:
        return self.client.sync(question, callback_timeout=ANSWER, **arguments)

    def _aside(self, call: Callable, *arguments, **options) -> None:
        """A call that waits for workers, while this thread goes on."""

        def run() -> None:
            with contextlib.suppress(Exception):
                call(*arguments, **options)

        threading.Thread(target=run, daemon=True).start()

    # --- a campaign ---

    @property
    def out(self) -> int:
        return len(self.tasks)

    def begin(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.campaigns += 1

    def refresh(self) -> None:
        """Who is there, and whether the scheduler is."""
        if self.client.status != "running":
            self.campaign.stop = self.campaign.stop or StopReason.SCHEDULER_LOST
        elif time.perf_counter() - self.counted >= COUNT_EVERY:
            with contextlib.suppress(Exception):
                threads = self._ask(self.client.scheduler.ncores)
                self.slots = sum(threads.values())
                self.workers = [address for address in threads if address not in self.restarted]
            self.counted = time.perf_counter()
        if self.silence is not None and self.silence.due(time.perf_counter()):
            with contextlib.suppress(Exception):
                workers = self._ask(self.client.scheduler.identity, n_workers=-1)["workers"]
                signs = {address: worker["last_seen"] for address, worker in workers.items()}
                for address in self.silence.look(signs, time.perf_counter()):
                    if address not in self.restarted:
                        self._give_up(address, workers[address]["nanny"])

    def submit(self, order: Order) -> None:
        units = order.units
        sent = range(units[0], units[-1] + 1) if units[-1] - units[0] == len(units) - 1 else units
        self.serial += 1
        future = self.client.submit(
            worker.carry_out, self.token, self.campaigns, sent, order.given, order.seconds, self.timeout,
            key=f"{self.token}-{self.serial}", pure=False, workers=order.alone and [order.alone],
        )  # fmt: skip
        self.tasks[future] = order
        self.client.loop.add_callback(self._arrive, future)

    async def _arrive(self, future) -> None:
        """On the client's own thread, so that nobody waits for a result that was lost with its worker."""
        try:
            result = await self.client.gather(future, asynchronous=True)
        except BaseException as error:  # its own, KilledWorker, or CancelledError
            result = error
        self.arrived.put((future, result))

    def collect(self, wait: float) -> list[Report]:
        """What came back; waits at most so many seconds."""
        over = []
        with contextlib.suppress(queue.Empty):
            over.append(self.arrived.get(timeout=wait))
            while True:
                over.append(self.arrived.get_nowait())
        reports = [self._report(future, result) for future, result in over if future in self.tasks]
        lost, self.lost = self.lost, []
        return reports + lost + self._vanished()

    def _report(self, future, result) -> Report:
        from distributed.scheduler import KilledWorker

        order, failed = self.tasks.pop(future), future.status == "error"
        future.release()
        if isinstance(result, tuple):
            address, entries, hung = result
            if hung:
                self._restart(address)
            return Report(order, address, entries)
        if isinstance(result, KilledWorker):
            address = result.last_worker.address
            self._gone(address)
            return Report(order, address, died=address not in self.restarted)
        # Cancelled with the scheduler, or by somebody else: nothing has happened.
        return Report(order, "", error=result if failed else None)

    # --- workers that go ---

    def _gone(self, address: str) -> None:
        self.workers = [other for other in self.workers if other != address]

    def _vanished(self) -> list[Report]:
        """Tasks placed on workers that are no more, which the scheduler would keep for their return."""
        reports = []
        for future, order in list(self.tasks.items()):
            if order.alone and order.alone not in self.workers:
                self.client.cancel([future], force=True)
                reports.append(Report(self.tasks.pop(future), order.alone, died=self._killed(order.alone, future.key)))
        return reports

    def _killed(self, address: str, key: str) -> bool:
        """Whether a worker died with a task, or was told to go, or never had it."""
        events: Any = ()
        with contextlib.suppress(Exception):
            events = self._ask(self.client.scheduler.events, topic=address)
        for _, event in events:
            if isinstance(event, dict) and event.get("action") == "remove-worker":
                return key in event["processing-tasks"] and not event.get("expected")
        return False

    def _give_up(self, address: str, nanny: str | None) -> None:
        """A worker answers nobody for longer than a unit may take: one of its tasks hangs, or its process is stopped.

        Its nanny ends the process and begins another; without one, the scheduler gives it no more work."""
        keys = set(self._ask(self.client.scheduler.processing, workers=[address])[address])
        lost = {future: order for future, order in self.tasks.items() if future.key in keys}
        if not lost:  # it hangs for somebody else
            return
        self.restarted.add(address)
        self._gone(address)
        self.client.cancel(list(lost), force=True)
        for future, order in lost.items():
            del self.tasks[future]
            self.lost.append(Report(order, address, died=True, hung=True))
        if nanny:
            self._aside(self.client.restart_workers, [address], timeout=30, raise_for_error=False)
        else:
            self._aside(self._ask, self.client.scheduler.unregister, address=address, stimulus_id=self.token)

    def _restart(self, address: str) -> None:
        """A thread that hangs cannot be ended, its process can. Without a nanny it would not come back: it stays."""

        def restart() -> None:
            if self.client.scheduler_info(n_workers=-1)["workers"][address]["nanny"]:
                self.client.restart_workers([address], timeout=30, raise_for_error=False)
            else:
                self.restarted.discard(address)

        self.restarted.add(address)
        self._gone(address)
        self._aside(restart)

    # --- the end ---

    def announce(self, unit: float) -> None:
        """Units above this one are to end, also those at work."""
        self._aside(self.client.run, worker.set_limit, self.token, self.campaigns, unit, on_error="ignore")

    def end(self, campaign: Campaign) -> list[Report]:
        """Cancel what is out, once nobody waits for it; what it did until then still counts."""
        reports = []
        if self.tasks and self.client.status == "running":
            if campaign.stop is not None:
                self.announce(-1)
                until = time.perf_counter() + FAREWELL
                while self.tasks and time.perf_counter() < until:
                    reports += self.collect(TICK)
            self.client.cancel(list(self.tasks), force=True)
        self.tasks.clear()
        return [report for report in reports if report.error is None]
