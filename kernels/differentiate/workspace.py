"""The memory that derivatives need: one per run, thread and kind of derivative, as kinds have several numbers of parts.

    memory    where it begins
    size      bytes of each of its parts

Its parts are, of a gradient, the arena, the adjoints of the arena and the tape. Compiled code takes it, and makes it
larger where it is too small (adapters.py); the owner gives it back.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numba.core.runtime import _nrt_python  # pyright: ignore[reportAttributeAccessIssue]

FIRST = 1 << 14  # bytes of a part at first
AROUND = 192  # bytes beside the parts: for a head of 64, and for where memory begins

_free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_nrt_python.c_helpers["Free"])


class Workspace:
    """Two words that compiled code fills. `address`: what adapters are given as `work`."""

    def __init__(self) -> None:
        self.words = np.zeros(2, np.int64)
        self.address = int(self.words.ctypes.data)

    @property
    def size(self) -> int:
        """Bytes of each part."""
        return int(self.words[1])

    def __del__(self, free: Any = _free) -> None:  # a default: at the end of a program globals may be gone
        memory = int(self.words[0])
        if memory:
            self.words[:] = 0
            free(memory)
