"""Numba's bookkeeping in brief: the same answers with less work, while something of ours is compiled.

Behind each of some nine passes Numba computes the lifetimes of all variables of a function, which the next pass throws
away unread; it lists the variables of an instruction by a search through all that hangs on it; it asks LLVM, by a
module of its own, for the size of a type that it has asked for before; and each call of LLVM is told to five listeners
that measure its time for nobody. That is a tenth of the time to compile a method.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite.binding import ffi
from numba.core import ir, transforms
from numba.core.base import BaseContext
from numba.core.cpu import CPUContext
from numba.core.postproc import PostProcessor, VariableLifetime

_process: Any = PostProcessor.run
_size: Any = BaseContext.get_abi_sizeof
_sizes: dict[Any, int] = {}  # of LLVM's types, while something is compiled
NO_VARIABLES = frozenset({ir.Loc, str, int, float, bool, type(None)})
_lock: Any = ffi.lib._lock  # LLVM's


def _processed(processor: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
    """As Numba's; lifetimes wait until they are asked for, which is soon or never.

    They are computed at once where `del`s are written by them, and where blocks are changed before they are asked for:
    in generators, and around a `with`."""
    function = processor.func_ir
    if emit_dels or function.is_generator or any(_has_with(block) for block in function.blocks.values()):
        return _process(processor, emit_dels, extend_lifetimes)
    function.blocks = transforms.canonicalize_cfg(function.blocks)
    function.variable_lifetime = VariableLifetime(function.blocks)
    function.generator_info = None


def _has_with(block: Any) -> bool:
    return any(type(statement) is ir.EnterWith for statement in block.body)


def _variables(instruction: ir.Inst, value: Any) -> list:
    """As Numba's: the variables of a value, in order."""
    found: list = []
    _collect(value, found)
    return found


def _collect(value: Any, found: list) -> None:
    kind = type(value)
    if kind is ir.Var:
        found.append(value)
    elif kind in NO_VARIABLES:
        pass
    elif isinstance(value, dict):
        for member in value.values():
            _collect(member, found)
    elif isinstance(value, list | tuple):
        for member in value:
            _collect(member, found)
    elif isinstance(value, ir.Inst):
        found += value.list_vars()
    elif isinstance(value, ir.Var):
        found.append(value)


def _size_of(context: Any, kind: Any) -> int:
    """As Numba's, for the CPU: bytes of a type, which LLVM is asked for once in a compilation."""
    if not isinstance(context, CPUContext):
        return _size(context, kind)
    if kind not in _sizes:
        _sizes[kind] = _size(context, kind)
    return _sizes[kind]


SHORT: list[tuple[Any, str, Any]] = [
    (PostProcessor, "run", _processed),
    (ir.Inst, "_rec_list_vars", _variables),
    (BaseContext, "get_abi_sizeof", _size_of),
]


@contextmanager
def in_brief() -> Iterator[None]:
    """Within, and in all compilations that stand within this one. Who enters holds Numba's lock of compilation."""
    if PostProcessor.run is _processed:
        yield
        return
    ours = (
        (PostProcessor, "run", _processed),
        (ir.Inst, "_rec_list_vars", _variables),
        (BaseContext, "get_abi_sizeof", _size_of),
    )
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in ours]
    with _lock._lock:  # nobody is between a beginning and an end that are to be told
        told, _lock._cblist = _lock._cblist, []
    try:
        for owner, name, short in SHORT:
            setattr(owner, name, short)
        yield
    finally:
        for owner, name, own in before:
            setattr(owner, name, own)
        with _lock._lock:
            _lock._cblist = told
        _sizes.clear()
