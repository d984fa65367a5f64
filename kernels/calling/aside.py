"""Threads: machine code beside the main thread, so that Ctrl-C reaches a caller whose call does not return.

Python looks at signals in the main thread alone, between two of its own instructions, and the loop of a solver has
none: an objective that never returns could not be left. So the main thread hands machine code to a helper thread and
waits for it, which can be interrupted. Any other thread makes the call itself. A helper is used again (15 to 35 µs per
call); one whose call never returns is left to itself, and ends with the process.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

GRACE = 1.0  # seconds that a call is given to return, once its caller was interrupted
LOOK = 0.5  # seconds between looks for signals, where a lock cannot be interrupted (Windows)


class Call:
    """`function(*arguments)`, to be made once."""

    def __init__(self, function: Callable, *arguments):
        self.function, self.arguments = function, arguments
        self.value: Any = None
        self.error: BaseException | None = None
        self.begun = self.over = False
        self.done = threading.Lock()
        self.done.acquire()

    @property
    def at_work(self) -> bool:
        return self.begun and not self.over

    def result(self) -> Any:
        """Make the call. What interrupts the main thread is raised once the call has returned, or GRACE is over."""
        if threading.current_thread() is not threading.main_thread():
            self.make()
        else:
            try:
                _hand_over(self)
                while not self.wait(LOOK):
                    continue
            except BaseException:
                self.wait(GRACE)
                raise
        if self.error is not None:
            raise self.error
        return self.value

    def begin(self) -> None:
        """Have it made beside this thread, which goes on; `wait` tells when it has returned."""
        _hand_over(self)

    def make(self) -> None:
        self.begun = True
        try:
            self.value = self.function(*self.arguments)
        except BaseException as error:
            self.error = error
        self.over = True

    def wait(self, seconds: float) -> bool:
        """Whether it has returned, at the latest after so many seconds."""
        if not self.over and self.done.acquire(timeout=seconds):
            self.done.release()
        return self.over


_idle: deque[queue.SimpleQueue] = deque()  # of helpers, what they wait for
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a child has none of these threads


def _hand_over(call: Call) -> None:
    call.begun = True
    try:
        calls = _idle.pop()
    except IndexError:
        calls = queue.SimpleQueue()
        threading.Thread(target=_help, args=(calls,), name="thalweg helper", daemon=True).start()
    calls.put(call)


def _help(calls: queue.SimpleQueue) -> None:
    while True:
        call = calls.get()
        call.make()
        done = call.done
        del call  # and what it holds
        _idle.append(calls)  # before the caller goes on: its next call finds this thread
        done.release()


def start_all(threads: Sequence[threading.Thread], end: Callable[[], None]) -> None:
    """Start threads, all of them or none: where the system has no more, `end` is to make those end that it gave."""
    for started, thread in enumerate(threads):
        try:
            thread.start()
        except RuntimeError as error:
            end()
            for other in threads[:started]:
                other.join()
            raise RuntimeError(f"threads: got {len(threads)}, expected fewer: the system gave {started}") from error
