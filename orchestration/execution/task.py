"""One task: units carried out one after another, on whatever thread or worker it runs.

A task ends early, after a whole unit, when its time is up; what it did not begin goes back to the campaign. An exception
is a failure of its unit alone, and so is a unit that takes longer than `timeout`."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from .work import Work

ERROR_LINES = 12  # of a traceback, the last ones: what a journal keeps


def perform(
    work: Work,
    units: Sequence[int],
    given: Sequence[Any] | None,
    seconds: float,
    ends: Callable[[int], bool],
    timeout: float | None,
    worker: str,
) -> list[dict]:
    """Entries (records or failures) of the units that were carried out."""
    entries: list[dict] = []
    until = time.perf_counter() + seconds
    for position, unit in enumerate(units):
        if ends(unit) or (entries and time.perf_counter() >= until):
            break
        entry = _carry_out(work, unit, None if given is None else given[position], ends, timeout)
        if entry is None:
            break
        entries.append(entry | {"unit": unit, "worker": worker})
        if entry.get("failed") == "timeout":
            break  # its thread is still at it: nobody should wait beside it
    return entries


def _carry_out(work: Work, unit: int, given, ends, timeout: float | None) -> dict | None:
    begin = time.perf_counter()
    if timeout is None:
        entry = _attempt(work, unit, given, lambda: ends(unit))
    else:
        entry = _within(timeout, lambda late: _attempt(work, unit, given, lambda: late() or ends(unit)))
    return None if entry is None else entry | {"seconds": time.perf_counter() - begin}


def _attempt(work: Work, unit: int, given, ends: Callable[[], bool]) -> dict | None:
    try:
        record = work.carry_out(unit, given, ends)
    except Exception as error:
        text = "".join(traceback.format_exception(error)[-ERROR_LINES:]).strip()
        return {"failed": "raised", "error": text, "exception": error}
    return record


def _within(timeout: float, attempt: Callable[[Callable[[], bool]], dict | None]) -> dict | None:
    """`attempt` on a thread of its own, given up after `timeout` seconds: a thread cannot be ended from outside."""
    box: list = []
    late = threading.Event()
    thread = threading.Thread(target=lambda: box.append(attempt(late.is_set)), daemon=True)
    thread.start()
    thread.join(timeout)
    if box:
        return box[0]
    late.set()
    return {"failed": "timeout", "error": f"not done after {timeout:g} s (task_timeout)"}
