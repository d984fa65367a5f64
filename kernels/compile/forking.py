"""A forked process (os.fork, or multiprocessing where it forks): its locks are free, and it needs no thread of Numba's.

A fork copies the thread that asks for it and no other. A lock that another one holds would be held for ever, what it
was compiling would stay half done, and the threads behind parallel loops are gone: GNU OpenMP ends a process that asks
for them. So a fork waits until nothing is compiled, and the child runs its rows serially, to the same bits.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from llvmlite.binding import ffi
from numba.core.compiler_lock import global_compiler_lock
from numba.np.ufunc import parallel

PATIENCE = 60.0  # seconds that a fork waits for what is compiled; then the child takes the locks as they are
_ours: list[Any] = []
# Of Numba: what all compilation holds, what calls into LLVM hold, what the start of its threads holds.
_others: list[Any] = [global_compiler_lock._lock, ffi.lib._lock._lock, parallel._backend_init_thread_lock]
_taken: list[Any] = []  # by the thread that forks
_threads_are_gone = False


def lock():
    """A lock that is free in a forked process. Those made first are taken first where several are held at once."""
    made = threading.RLock()
    _ours.append(made)
    return made


def threads_are_gone() -> bool:
    """Whether Numba's threads were started by the process that this one was forked from."""
    return _threads_are_gone


def _before() -> None:
    until = time.monotonic() + PATIENCE
    for each in (*_ours, *_others):
        if each.acquire(timeout=max(until - time.monotonic(), 0.0)):
            _taken.append(each)


def _release() -> None:
    while _taken:
        _taken.pop().release()


def _in_child() -> None:
    global _threads_are_gone
    for each in (*_ours, *_others):
        if each not in _taken:  # who holds it is gone
            each._at_fork_reinit()
    _release()
    _threads_are_gone = _threads_are_gone or parallel._is_initialized


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_release, after_in_child=_in_child)
