"""What runs on a Dask worker: it keeps the works it was sent, prepares them once, and carries out their units."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import numba
from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin
from distributed.worker import thread_state

from .task import perform
from .work import Work

_works: dict[str, Work] = {}  # by token: what this process was sent
_limits: dict[str, float] = {}  # by token: units above it have no part in the answer any more
_lock = threading.Lock()


class Shipment(WorkerPlugin):
    """Brings a work to every worker there is and to every one that joins: its bytes once, prepared once."""

    def __init__(self, token: str, payload: bytes):
        self.token, self.payload, self.name = token, payload, token

    async def setup(self, worker) -> None:
        # On a thread: a compilation of seconds would keep the worker from answering the scheduler.
        await asyncio.get_running_loop().run_in_executor(None, self._unpack)

    def _unpack(self) -> None:
        import pickle

        with _lock:
            if self.token in _works:  # a cluster whose workers are threads of one process
                return
            work = pickle.loads(self.payload)
            _limits[self.token] = float("inf")
            _works[self.token] = work
        numba.set_num_threads(1)
        work.prepare()

    def teardown(self, worker) -> None:
        _limits[self.token] = -1.0
        _works.pop(self.token, None)


def set_limit(token: str, unit: float) -> None:
    """From the client: units above this one are to end."""
    _limits[token] = unit


def carry_out(
    token: str, units: Sequence[int], given: Sequence[Any] | None, seconds: float, timeout: float | None
) -> tuple[str, list[dict]]:
    """A task: (address of the worker, entries of the units that were carried out)."""
    worker, key = get_worker(), thread_state.key
    numba.set_num_threads(1)
    tasks = worker.state.tasks

    def ends(unit: int) -> bool:
        # A task that its client cancelled, or whose client is gone, is no longer "executing" here.
        task = tasks.get(key)
        return unit > _limits.get(token, -1.0) or task is None or task.state != "executing"

    entries = perform(_works[token], units, given, seconds, ends, timeout, worker.address)
    for entry in entries:
        entry.pop("exception", None)  # its class may not exist where the client is
    return worker.address, entries
