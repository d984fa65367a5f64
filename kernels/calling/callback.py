"""A Python function behind an objective's address, so that every compiled loop takes it: 3 µs per evaluation.

Compiled code calls back into Python with the address of x and of a place for the value, which holds the NaN
`RAISED_BITS` beforehand: whatever goes wrong on the way, no wrong number is taken for the function's. What the function
raised is kept here, per thread, until the run has stopped and asks for it.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

FORM = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_void_p)


class Callback:
    """`evaluate(x) -> float` as a C function `void (double *x, intptr_t size, double *value)`.

    size: of what it returns; where that is given, it is an array of so many doubles.
    """

    def __init__(self, evaluate: Callable[[np.ndarray], Any], size: int | None = None):
        self.evaluate: Callable[[np.ndarray], Any] = evaluate
        self.size: int | None = size
        self.errors: dict[int, BaseException] = {}  # by thread
        self.inside: bool = False  # the function is at work in the main thread, and may be interrupted there
        self.interrupted: bool = False
        self.form: Any = FORM(self._call)
        self.address: int = ctypes.cast(self.form, ctypes.c_void_p).value or 0

    def _call(self, x: int, size: int, value: int) -> None:
        main = False
        try:
            if threading.get_ident() in self.errors:  # the loop is about to end
                return
            main = threading.current_thread() is threading.main_thread()
            if main:
                self.inside = True
                if self.interrupted:
                    raise KeyboardInterrupt
            point = np.frombuffer(bytearray(ctypes.string_at(x, 8 * size)))
            if self.size is None:
                ctypes.c_double.from_address(value).value = self.evaluate(point)
            else:
                values = np.ascontiguousarray(self.evaluate(point), dtype=np.float64)
                ctypes.memmove(value, values.ctypes.data, 8 * self.size)
            if main:
                self.inside = False
        except BaseException as error:  # also sys.exit() and Ctrl-C: they go on when the loop has ended
            if main:
                self.inside = False
            self.errors[threading.get_ident()] = error

    def raise_error(self) -> None:
        """Raise what the function raised in this thread."""
        raise self.errors.pop(threading.get_ident(), None) or KeyboardInterrupt

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C reaches the function while it is at work, and waits where an exception could not leave the callback.

        There, ctypes would print it and go on.
        """
        main = threading.current_thread() is threading.main_thread()
        if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return

        def interrupt(number, frame):
            if self.inside:
                raise KeyboardInterrupt
            self.interrupted = True

        self.interrupted = False
        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
