"""In-place arithmetic of arrays that share memory, as NumPy has it: `a[1:] += a[:-1]`, `a -= a[0]`, `a += a.T`.

NumPy computes as if all operands were read before anything is written. Numba reads and writes element by element, so
that later elements see what earlier ones wrote. Here an operand that may overlap the array that is written is copied
beforehand; where it does not, or is the very same view (`a *= a`), a comparison of addresses is all it costs.

    in_place(operation, sig)    whether an operation is such
    apart(operation)            its machine code
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.np.arrayobj import extents_may_overlap, get_array_memory_extents, make_array

IN_PLACE = {
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod, operator.ipow,
    operator.iand, operator.ior, operator.ixor, operator.ilshift, operator.irshift,
}  # fmt: skip


def in_place(operation, sig) -> bool:
    """Whether the operation writes into one of the arrays that it is given, and reads another."""
    return bool(_written(operation, len(sig.args))) and sum(isinstance(ty, types.Array) for ty in sig.args) > 1


def _written(operation, given: int) -> range:
    """The arguments that are written."""
    if isinstance(operation, np.ufunc):
        return range(operation.nin, given)
    return range(operation in IN_PLACE)


def apart(operation) -> Any:
    """The answer of a context: Numba's own machine code, given copies of the operands that overlap what it writes."""

    def lower(context, builder, sig, arguments, numbas):
        written = _written(operation, len(sig.args))
        outputs = [(sig.args[i], arguments[i]) for i in written if isinstance(sig.args[i], types.Array)]
        given, copies = list(arguments), []
        for i, ty in enumerate(sig.args):
            if i not in written and isinstance(ty, types.Array):
                given[i], copy = _copied_where_needed(context, builder, ty, arguments[i], outputs)
                copies.append((ty, copy))
        result = numbas(builder, given)
        for ty, copy in copies:
            context.nrt.decref(builder, ty, builder.load(copy))
        return result

    return lower


def _copied_where_needed(context, builder, ty, operand, outputs) -> tuple[Any, Any]:
    """The operand or its copy; and where the copy is, all zero where there is none."""
    used = cgutils.alloca_once_value(builder, operand)
    copy = cgutils.alloca_once_value(builder, cgutils.get_null_value(operand.type))
    overlaps = cgutils.false_bit
    for output_ty, output in outputs:
        overlaps = builder.or_(overlaps, _overlap(context, builder, ty, operand, output_ty, output))
    with builder.if_then(overlaps, likely=False):
        made = context.compile_internal(builder, _copy_of(ty), _copying(ty), [operand])
        builder.store(made, copy)
        builder.store(made, used)
    return builder.load(used), copy


def _copy_of(ty):
    if ty.layout == "F" and ty.ndim > 1:
        return lambda a: a.T.copy().T
    return lambda a: a.copy()


def _copying(ty):
    """The signature of that."""
    copied = types.Array(ty.dtype, ty.ndim, "F" if ty.layout == "F" and ty.ndim > 1 else "C", aligned=ty.aligned)
    return copied(ty)


def _overlap(context, builder, ty, operand, output_ty, output):
    """Whether the two share memory, and are not the same view."""
    first, second = make_array(ty)(context, builder, operand), make_array(output_ty)(context, builder, output)
    extents = []
    for array_ty, array in ((ty, first), (output_ty, second)):
        shape = cgutils.unpack_tuple(builder, array.shape)
        strides = cgutils.unpack_tuple(builder, array.strides)
        extents += get_array_memory_extents(context, builder, array_ty, array, shape, strides, array.data)
    share = extents_may_overlap(context, builder, *extents)
    if ty.ndim != output_ty.ndim:
        return share
    same = builder.icmp_unsigned("==", *(builder.ptrtoint(a.data, extents[0].type) for a in (first, second)))
    for name in ("shape", "strides"):
        pairs = zip(*(cgutils.unpack_tuple(builder, getattr(a, name)) for a in (first, second)), strict=True)
        for mine, other in pairs:
            same = builder.and_(same, builder.icmp_signed("==", mine, other))
    return builder.and_(share, builder.not_(same))
