"""`Execution`: the one door to threads and to Dask."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...solvers.driving.result import StopReason
from ...solvers.driving.settings import as_positive_real, count_of
from .campaign import Campaign, Outcome
from .dispatch import Dispatch, Executor
from .work import Work


class Execution:
    """Carries out units of one work, on threads of this process or on the workers of a Dask client.

    Parameters
    ----------
    work : Work
    client : distributed.Client, optional
        Its workers do the units; without it, threads of this process do.
    threads : int, optional
        Without a client. Default: all cores.
    retries : int, default 0
        How often a unit is tried again after it raised, took too long or killed its worker.
    task_timeout : float, optional
        Seconds that one unit may take. A worker that does not end it is restarted; a thread here that cannot be ended
        is left at work (`Outcome.unended`), and a unit that holds Python's lock stops this process until it is done.
    """

    def __init__(self, work: Work, *, client=None, threads: int | None = None, retries=0, task_timeout=None):
        if client is not None and threads is not None:
            raise ValueError("threads: the workers of a client have their own; leave this out")
        if not isinstance(retries, int) or retries < 0:
            raise ValueError(f"retries: got {retries!r}, expected a whole number, at least 0")
        timeout = None if task_timeout is None else as_positive_real("task_timeout", task_timeout)
        self.work, self.retries = work, retries
        self.executor: Executor
        if client is None:
            from .threads import Threads

            self.executor = Threads(work, count_of("threads", threads), timeout)
        else:
            from .workers import Workers

            self.executor = Workers(work, client, timeout)

    def __enter__(self) -> Execution:
        return self

    def __exit__(self, *exception) -> None:
        self.executor.close()

    def run(
        self,
        units: Sequence[int],
        given: Callable[[int], Any] | None = None,
        *,
        target: float | None = None,
        journal=None,
        hooks: Sequence[Callable[[Campaign], None]] = (),
        max_time: float | None = None,
    ) -> Outcome:
        """Carry out `units` (ascending); those that the journal holds are taken from it.

        Hooks are called some times a second; StopIteration ends the campaign, any other exception reaches the caller.
        So does Ctrl-C the second time; the first time ends the campaign with what there is. KeyboardInterrupt in a unit
        counts as Ctrl-C; its SystemExit reaches the caller.
        """
        campaign = Campaign(self.work, units, given, target, journal, hooks, max_time, self.retries)
        try:
            with _interruptible(campaign):
                Dispatch(campaign, self.executor).go()
        finally:
            campaign.flush()
        if campaign.ended_by is not None:
            raise campaign.ended_by
        return campaign.outcome()


@contextlib.contextmanager
def _interruptible(campaign: Campaign) -> Iterator[None]:
    """The first Ctrl-C asks the campaign to end instead of raising wherever this thread happens to be."""

    def interrupt(number, frame) -> None:
        if campaign.stop is StopReason.INTERRUPTED:
            raise KeyboardInterrupt
        campaign.stop = StopReason.INTERRUPTED

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
