"""What LLVM's passes take is given back.

llvmlite's classes of pass managers have a `_dispose` that is never found: they derive from `ObjectRef` first, whose own
does nothing. Every function that was compiled then left some 50 KB behind, an objective 0.3 MB.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding.ffi import ObjectRef
from llvmlite.binding.newpassmanagers import FunctionPassManager, ModulePassManager, NewPassManager


def give_back() -> None:
    """From now on a pass manager that nobody holds is disposed of, as the other objects of llvmlite are."""
    managers: Any = ModulePassManager, FunctionPassManager
    for manager in managers:
        if manager._dispose is ObjectRef._dispose:  # not so in a version that has put it right
            manager._dispose = NewPassManager._dispose
