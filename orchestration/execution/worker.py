"""What runs on a Dask worker: a plugin holds the work, prepared once, and tasks carry out its units."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Sequence
from typing import Any

import numba
from dask.context import thread_state
from distributed import get_worker
from distributed.core import Status
from distributed.diagnostics.plugin import WorkerPlugin

from .task import perform

AT_WORK = (Status.running, Status.paused)  # paused: short of memory, and what was begun goes on


class Shipment(WorkerPlugin):
    """Brings a work to every worker there is and to every one that joins: its bytes once, prepared once."""

    def __init__(self, token: str, payload: bytes):
        self.name, self.payload = token, payload
        self.work: Any = None
        self.error: Exception | None = None
        self.limit: tuple[int, float] = (0, 0.0)  # a campaign, and above which unit (negative) its units are to end

    async def setup(self, worker) -> None:
        # On a thread: a compilation of seconds would keep the worker from answering the scheduler.
        await asyncio.get_running_loop().run_in_executor(None, self._prepare)

    def _prepare(self) -> None:
        numba.set_num_threads(1)
        try:
            work = pickle.loads(self.payload)
            work.prepare()
        except Exception as error:  # Dask forgets that of a worker that joins later: the first task tells it
            self.error = error
            raise
        self.work = work


def nothing() -> None:
    """A task."""


def set_limit(token: str, campaign: int, unit: float, dask_worker) -> None:
    """From the client: units of a campaign above this one are to end. The lowest counts, whichever comes last."""
    if token in dask_worker.plugins:
        shipment = dask_worker.plugins[token]
        shipment.limit = max(shipment.limit, (campaign, -unit))


def carry_out(
    token: str, campaign: int, units: Sequence[int], given: Sequence[Any] | None, seconds: float, timeout: float | None
) -> tuple[str, list[dict], bool]:
    """A task: (address of the worker, entries of the units that were carried out, whether one is still at work)."""
    worker, key = get_worker(), thread_state.key
    shipment: Any = worker.plugins[token]
    if shipment.error is not None:
        raise shipment.error
    tasks = worker.state.tasks

    def ends(unit: int) -> bool:
        # A task that its client cancelled, or whose client is gone, is no longer "executing" here.
        task, limit = tasks.get(key), shipment.limit
        cut = limit[0] == campaign and unit > -limit[1]
        return cut or task is None or task.state != "executing" or worker.status not in AT_WORK

    entries, left = perform(shipment.work, units, given, seconds, ends, timeout, worker.address)
    for entry in entries:
        error = entry.pop("exception", None)  # its class may not exist where the client is
        if entry.get("ending"):
            entry["exception"] = SystemExit(error.code) if isinstance(error, SystemExit) else KeyboardInterrupt()
    return worker.address, entries, left is not None
