"""What Numba's own bounds checks leave out: a pass over functions that are compiled with them.

Numba looks at each index, but not whether two shapes fit in `a += b` and `np.multiply(a, b, out)`, nor whether a mask
has the length of what it is laid upon, nor at `a.flat[i]`. It would read and write beyond the arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir as llvm
from numba.core import cgutils, ir, types
from numba.core.compiler_machinery import FunctionPass, register_pass

OPERATION = "thalweg_guard"  # an expression of Numba's IR: kind (`update`, `mask`, `flat`), a, b, axis


@register_pass(mutates_CFG=False, analysis_only=False)
class Guard(FunctionPass):
    """Puts a guard before each such operation; runs behind the inference of types."""

    _name = "thalweg_guard"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not state.flags.boundscheck:
            return False
        state.targetctx.special_ops.setdefault(OPERATION, _lower)
        changed = False
        for block in state.func_ir.blocks.values():
            body: list[Any] = []
            for instruction in block.body:
                for kind, a, b, axis in _needed(instruction, state.typemap, state.func_ir):
                    result = ir.Var(block.scope, f"$guard{len(state.typemap)}", instruction.loc)
                    state.typemap[result.name] = types.none
                    guard = ir.Expr(OPERATION, instruction.loc, kind=kind, a=a, b=b, axis=axis)
                    body.append(ir.Assign(guard, result, instruction.loc))
                    changed = True
                body.append(instruction)
            block.body = body
        return changed


def _needed(instruction, typemap, func_ir) -> list[tuple[str, Any, Any, int]]:
    """(kind, a, b, axis) of the guards that an instruction needs."""
    if isinstance(instruction, ir.SetItem):
        return _of_index(instruction.target, instruction.index, typemap, func_ir)
    if not (isinstance(instruction, ir.Assign) and isinstance(instruction.value, ir.Expr)):
        return []
    expression: Any = instruction.value
    if expression.op == "getitem":
        return _of_index(expression.value, expression.index, typemap, func_ir)
    if expression.op == "inplace_binop":
        return _of_update(expression.lhs, [expression.rhs], typemap)
    if expression.op == "call":
        function = getattr(typemap[expression.func.name], "typing_key", None)
        if isinstance(function, np.ufunc):
            outputs = [*expression.args[function.nin :], *(var for _, var in expression.kws)]
            return [g for out in outputs for g in _of_update(out, expression.args[: function.nin], typemap)]
    return []


def _of_update(target, values, typemap) -> list:
    if not isinstance(typemap[target.name], types.Array):
        return []
    return [("update", target, value, 0) for value in values if isinstance(typemap[value.name], types.Array)]


def _of_index(target, index, typemap, func_ir) -> list:
    if isinstance(typemap[target.name], types.NumpyFlatType):
        return [("flat", target, index, 0)] if isinstance(typemap[index.name], types.Integer) else []
    if not isinstance(typemap[target.name], types.Array):
        return []
    if _is_mask(typemap[index.name]):
        return [("mask", target, index, 0)]
    if not isinstance(typemap[index.name], types.BaseTuple) or not any(map(_is_mask, typemap[index.name])):
        return []
    parts: Any = func_ir.get_definition(index)
    return [("mask", target, part, axis) for axis, part in enumerate(parts.items) if _is_mask(typemap[part.name])]


def _is_mask(ty) -> bool:
    return isinstance(ty, types.Array) and isinstance(ty.dtype, types.Boolean)


# --- machine code --------------------------------------------------------------------------------------------------


def _lower(lowerer, expression):
    """Raise where it does not fit."""
    a, b = (lowerer.loadvar(var.name) for var in (expression.a, expression.b))
    a_type, b_type = lowerer.typeof(expression.a.name), lowerer.typeof(expression.b.name)
    context, builder = lowerer.context, lowerer.builder
    if expression.kind == "flat":
        array = context.make_helper(builder, a_type, value=a).array
        total = context.make_array(a_type.array_type)(context, builder, value=array).nitems
        index = context.cast(builder, b, b_type, types.intp)
        fits = [builder.icmp_unsigned("<", index, total)]  # negative ones, too, are none of Numba's
        error, message = IndexError, "index is out of bounds"
    else:
        extents = _extents(context, builder, a_type, a)
        others = _extents(context, builder, b_type, b)
        if expression.kind == "mask":
            fits = [builder.icmp_signed("==", m, n) for m, n in zip(extents[expression.axis :], others)]
            error, message = IndexError, "boolean index did not match indexed array"
        else:
            fits = [
                builder.or_(builder.icmp_signed("==", m, n), builder.icmp_signed("==", n, n.type(1)))
                for m, n in zip(reversed(extents), reversed(others))
            ]
            fits += [llvm.IntType(1)(0)] * (len(others) > len(extents))
            error, message = ValueError, "operands could not be broadcast together"
    for fit in fits:
        with cgutils.if_unlikely(builder, builder.not_(fit)):
            context.call_conv.return_user_exc(builder, error, (message,))
    return context.get_dummy_value()


def _extents(context, builder, ty, value) -> list:
    return cgutils.unpack_tuple(builder, context.make_array(ty)(context, builder, value=value).shape, ty.ndim)
