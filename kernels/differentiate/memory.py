"""Words at an address, and memory from Numba's runtime, for compiled code: what the adapters need of a workspace."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

from ..calling.arguments import word_at
from ..compile.jit import kernel
from .workspace import AROUND, FIRST

intrinsic: Any = _intrinsic


def _place(builder, address, kind, k):
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [k])


@intrinsic
def put_word(typingctx, address, k, value):
    """The k-th word behind an address becomes `value`."""

    def codegen(context, builder, signature, values):
        builder.store(values[2], _place(builder, values[0], values[2].type, values[1]))
        return context.get_dummy_value()

    return types.none(types.intp, types.intp, types.intp), codegen


@intrinsic
def number_at(typingctx, address, k):
    """The k-th double behind an address."""

    def codegen(context, builder, signature, values):
        return builder.load(_place(builder, values[0], ir.DoubleType(), values[1]))

    return types.float64(types.intp, types.intp), codegen


@intrinsic
def put_number(typingctx, address, k, value):
    """The k-th double behind an address becomes `value`."""

    def codegen(context, builder, signature, values):
        builder.store(values[2], _place(builder, values[0], ir.DoubleType(), values[1]))
        return context.get_dummy_value()

    return types.none(types.intp, types.intp, types.float64), codegen


@intrinsic
def _take(typingctx, size):
    """Memory of so many bytes; 0 where there is none."""

    def codegen(context, builder, signature, values):
        return builder.ptrtoint(context.nrt.allocate_unchecked(builder, values[0]), values[0].type)

    return types.intp(types.intp), codegen


@intrinsic
def _give_back(typingctx, address):
    def codegen(context, builder, signature, values):
        context.nrt.free(builder, builder.inttoptr(values[0], cgutils.voidptr_t))
        return context.get_dummy_value()

    return types.none(types.intp), codegen


@kernel(inner=True, inline=True)
def grow(work, parts):
    """A workspace of parts twice as large, at least FIRST bytes each; what stood there is gone."""
    size = max(2 * word_at(work, 1), FIRST)
    _give_back(word_at(work, 0))
    put_word(work, 1, 0)
    memory = _take(parts * size + AROUND)
    put_word(work, 0, memory)
    if memory == 0:
        raise MemoryError("the workspace of the derivatives")
    put_word(work, 1, size)
