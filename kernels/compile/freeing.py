"""What LLVM's passes take is given back; and Python looks for garbage seldom while it compiles.

llvmlite's classes of pass managers have a `_dispose` that is never found: they derive from `ObjectRef` first, whose own
does nothing. Every function that was compiled then left some 50 KB behind, an objective 0.3 MB.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite.binding.ffi import ObjectRef
from llvmlite.binding.newpassmanagers import FunctionPassManager, ModulePassManager, NewPassManager


def give_back() -> None:
    """From now on a pass manager that nobody holds is disposed of, as the other objects of llvmlite are."""
    managers: Any = ModulePassManager, FunctionPassManager
    for manager in managers:
        if manager._dispose is ObjectRef._dispose:  # not so in a version that has put it right
            manager._dispose = NewPassManager._dispose


SELDOM = 50_000  # new objects before Python looks for garbage
_compiling, _usual = 0, (0,)  # how many compilations stand within one another, and how often Python looks otherwise


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Numba makes millions of small objects: to look them over takes an eighth of the time of compilation.

    Who enters holds Numba's lock of compilation: one of its own would be taken within that one, and a fork, which takes
    all of them in the order in which they were made, would wait for a thread that waits for the fork.
    """
    global _compiling, _usual
    _compiling += 1
    if _compiling == 1:
        _usual = gc.get_threshold()
        if 0 < _usual[0] < SELDOM:  # 0: never
            gc.set_threshold(SELDOM)
    try:
        yield
    finally:
        _compiling -= 1
        if _compiling == 0:
            gc.set_threshold(*_usual)
