"""Ctrl-C while something is compiled: it waits for the end of a step of Numba's, and is not lost.

Python raises KeyboardInterrupt wherever it is. Inside Numba that is a callback of LLVM's or a finalizer, where it is
printed and forgotten, or between the taking of a lock and the promise to give it back, or in the middle of reading a
registry. Between two steps Numba can be left, as any error of a step leaves it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core.event import Listener, install_listener


class _Interrupt(Listener):
    """Notes Ctrl-C, and raises it when the main thread begins a step."""

    noted = False

    def note(self, number, frame) -> None:
        self.noted = True

    def on_start(self, event) -> None:
        if self.noted and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    def on_end(self, event) -> None:
        pass


@contextmanager
def between_steps() -> Iterator[None]:
    """Ctrl-C within is raised between steps of compilation, or at the end. A program's own handler of it stays."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    interrupt = _Interrupt()
    signal.signal(signal.SIGINT, interrupt.note)
    try:
        with install_listener("numba:run_pass", interrupt):
            yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupt.noted:
            raise KeyboardInterrupt from None
