"""Lifetimes of variables are computed when they are asked for, while something of ours is compiled.

Behind each of some nine passes Numba computes the lifetimes of all variables of a function, which the next pass throws
away unread: a sixteenth of the time to compile a method. They are read where `del`s are written, at the end, in
generators, and around a `with`; there all is as Numba does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import ir, transforms
from numba.core.postproc import PostProcessor, VariableLifetime

_process: Any = PostProcessor.run
USES = {  # the names in it, as we know it
    "transforms", "canonicalize_cfg", "func_ir", "blocks", "VariableLifetime", "variable_lifetime", "analysis",
    "compute_live_variables", "cfg", "usedefs", "defmap", "deadmaps", "combined", "items", "block_entry_vars",
    "is_generator", "GeneratorInfo", "generator_info", "_compute_generator_info", "_insert_var_dels",
}  # fmt: skip


def _processed(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
    """What Numba's own does, but for lifetimes that wait: a `VariableLifetime` computes what it is asked for."""
    function = self.func_ir
    if emit_dels or function.is_generator or any(_has_with(block) for block in function.blocks.values()):
        return _process(self, emit_dels, extend_lifetimes)
    function.blocks = transforms.canonicalize_cfg(function.blocks)
    function.variable_lifetime = VariableLifetime(function.blocks)
    function.generator_info = None


def _has_with(block: Any) -> bool:
    return any(type(statement) is ir.EnterWith for statement in block.body)


def is_known(process: Any) -> bool:
    """Whether this is the step that ours stands for: a version of Numba in which it is another one keeps its own."""
    return set(getattr(getattr(process, "__code__", None), "co_names", ())) == USES


@contextmanager
def waiting_lifetimes() -> Iterator[None]:
    """Within, and in all compilations that stand within this one. Who enters holds Numba's lock of compilation."""
    before: Any = PostProcessor.run
    if is_known(before):
        PostProcessor.run = _processed
    try:
        yield
    finally:
        PostProcessor.run = before
