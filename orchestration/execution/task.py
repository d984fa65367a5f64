"""One task: units carried out one after another, on a thread of its own, and somebody who watches it.

An exception is a failure of its unit alone, and so is a unit that takes longer than `timeout`; Ctrl-C and sys.exit() in
a unit are meant for the whole program. A task ends early, after a whole unit, when its time is up, and at once when a
unit does not end though it should. What it did not do goes back to the campaign."""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numba

from .work import Work

ERROR_LINES = 12  # of a traceback, the last ones: what a journal keeps
LOOK = 0.25  # seconds between looks at a unit
GRACE = 1.0  # seconds until a unit ends that was told to


ENDING = (KeyboardInterrupt, SystemExit)  # raised by a unit, they end the call, as they do where no thread is between


class _GivenUp(SystemExit):
    """Raised in a thread that nobody waits for any more; threads end by it without a word."""


class Task:
    """What is carried out, and how far it is."""

    def __init__(self, work: Work, units: Sequence[int], given: Sequence[Any] | None, seconds, ends, worker, timed):
        self.work, self.units, self.given, self.worker = work, units, given, worker
        self.timed = timed  # each unit has a time limit of its own: none is carried out together with others
        self.ends: Callable[[int], bool] = ends
        self.until = time.perf_counter() + seconds
        self.entries: list[dict] = []
        self.unit: int | None = None  # at work
        self.begun = 0.0  # since then
        self.given_up = False
        self.lock = threading.Lock()  # one entry per unit: its own, or that it was given up
        self.over = threading.Event()
        # The context holds numpy.errstate and, on a Dask worker, what get_worker() looks up.
        run = contextvars.copy_context().run
        self.thread = threading.Thread(target=run, args=(self._run,), name="thalweg task", daemon=True)

    def _run(self) -> None:
        numba.set_num_threads(1)  # of this thread; the other cores have tasks of their own
        try:
            position = 0
            while position < len(self.units):
                unit = self.units[position]
                if self._ends(unit) or (self.entries and time.perf_counter() >= self.until):
                    return
                self.begun, self.unit = time.perf_counter(), unit
                done = self._range(position) or [
                    self._attempt(unit, None if self.given is None else self.given[position])
                ]
                seconds = (time.perf_counter() - self.begun) / len(done)
                with self.lock:
                    self.unit = None
                    if done[0] is None or self.given_up:
                        return
                    for k, entry in enumerate(done):
                        if entry is not None:
                            entry["unit"], entry["worker"], entry["seconds"] = unit + k, self.worker, seconds
                            self.entries.append(entry)
                    if "unfinished" in done[0]:
                        return
                position += len(done)
        finally:
            self.over.set()

    def _ends(self, unit: int) -> bool:
        return self.given_up or self.ends(unit)

    def _range(self, position: int) -> list[dict]:
        """Records of units that follow one another, where many of them cost less together."""
        count, first = len(self.units) - position, self.units[position]
        carry_out_range = getattr(self.work, "carry_out_range", None)
        if carry_out_range is None or self.timed or self.given is not None or self.units[-1] - first != count - 1:
            return []
        try:
            return carry_out_range(first, count)
        except Exception:  # the unit that fails says so when it is carried out by itself
            return []

    def _attempt(self, unit: int, given: Any) -> dict | None:
        try:
            return self.work.carry_out(unit, given, lambda: self._ends(unit))
        except BaseException as error:
            text = "".join(traceback.format_exception(error)[-ERROR_LINES:]).strip()
            return {"failed": "raised", "error": text, "exception": error, "ending": isinstance(error, ENDING)}

    def give_up(self, unit: int) -> bool:
        """Do not wait for a unit any more. False if it came to its end just now."""
        with self.lock:
            self.given_up = self.unit == unit
        return self.given_up

    def end_thread(self) -> bool:
        """End what was given up; whether it ended. Python code does, a sleep or a long call of C code does not."""
        if not self.over.wait(LOOK):
            identity = ctypes.c_ulong(self.thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_GivenUp))
        return self.over.wait(GRACE)


def perform(
    work: Work,
    units: Sequence[int],
    given: Sequence[Any] | None,
    seconds: float,
    ends: Callable[[int], bool],
    timeout: float | None,
    worker: str,
) -> tuple[list[dict], threading.Thread | None]:
    """Entries (records or failures) of the units that were carried out; the thread, if it could not be ended."""
    task = Task(work, units, given, seconds, ends, worker, timeout is not None)
    task.thread.start()
    told: tuple[int, float] | None = None  # the unit that was told to end, and when
    while not task.over.wait(LOOK if timeout is None else min(LOOK, timeout / 4)):
        unit, begun, now = task.unit, task.begun, time.perf_counter()
        if unit is None:
            continue
        if timeout is not None and now - begun > timeout and task.give_up(unit):
            left = None if task.end_thread() else task.thread
            error = f"not done after {timeout:g} s (task_timeout){'; its thread did not end' if left else ''}"
            entry = {"unit": unit, "worker": worker, "failed": "timeout", "error": error, "seconds": now - begun}
            return [*task.entries, entry], left
        if ends(unit):
            told = told if told is not None and told[0] == unit else (unit, now)
            if now - told[1] > GRACE and task.give_up(unit):
                return task.entries, None if task.end_thread() else task.thread
    return task.entries, None
