"""What an objective may write into is its own: a copy, made for each evaluation.

x is a row of the population, and the arrays in `args` are the user's, seen by all threads at once. An objective that
writes into them (compile/writes.py) gets copies, so that it stays a function of its x: the same seed gives the same
bits on any number of threads. Small copies stand on the stack, where 30 numbers cost a few ns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.np.arrayobj import _empty_nd_impl

from ..compile.aliases import TUPLES, leaves
from ..compile.writes import MAYBE, READ, WRITTEN, effects_of, effects_of_only
from .arguments import intrinsic
from .checking import CompilationError
from .what_to_write import ONLY_READ

ON_STACK = 1024  # bytes of a copy that needs no memory from elsewhere
MANY = 16  # copies; the stack is for no more


@intrinsic
def protected(typingctx, function, x, arguments):
    """(x, *arguments) for a call of `function`, with a copy in place of each array that it may write into."""
    given: Any = types.BaseTuple.from_types((x, *arguments.types))

    def codegen(context, builder, signature, values):
        _, vector, record = values
        members = [vector, *cgutils.unpack_tuple(builder, record, len(arguments))]
        written = iter(_written(function.dispatcher, given))
        room = room_on_stack(context) if sum(how != READ for how in _written(function.dispatcher, given)) <= MANY else 0
        members = [_protect(context, builder, ty, v, written, room) for ty, v in zip(given, members, strict=True)]
        return context.make_tuple(builder, given, members)

    return given(function, x, arguments), codegen


def room_on_stack(context) -> int:
    """Bytes; none where a target keeps all memory together (differentiate/source.py)."""
    return getattr(context, "room_on_stack", ON_STACK)


@intrinsic
def protected_vector(typingctx, x):
    """A copy of x, for what nobody can look into."""

    def codegen(context, builder, signature, values):
        return _copy(context, builder, x, values[0], room_on_stack(context))

    return x(x), codegen


def _written(dispatcher, given) -> list[int]:
    """READ, MAYBE or WRITTEN of each array, or number, among what the function is given."""
    count = len(leaves(given))
    effects = effects_of_only(dispatcher)
    return [MAYBE] * count if effects is None else list(effects.written[:count])


def _protect(context, builder, ty, value, written, room: int):
    if isinstance(ty, TUPLES):
        members = cgutils.unpack_tuple(builder, value, len(ty.types))  # pyright: ignore[reportAttributeAccessIssue]
        pairs = zip(ty.types, members, strict=True)  # pyright: ignore[reportAttributeAccessIssue]
        return context.make_tuple(builder, ty, [_protect(context, builder, m, v, written, room) for m, v in pairs])
    how = next(written)
    return _copy(context, builder, ty, value, room) if how != READ and isinstance(ty, types.Array) else value


def _copy(context, builder, ty, value, room: int):
    """A copy of a C-contiguous array: on the stack of the adapter if it fits into `room` bytes."""
    source = context.make_array(ty)(context, builder, value=value)
    target = context.make_array(ty)(context, builder, value=value)
    size = builder.mul(source.nitems, source.itemsize)
    if room == 0:
        made = _empty_nd_impl(context, builder, ty, cgutils.unpack_tuple(builder, source.shape, ty.ndim))
        cgutils.raw_memcpy(builder, made.data, source.data, size, 1)
        return made._getvalue()
    with builder.goto_entry_block():
        stack = builder.alloca(ir.ArrayType(ir.IntType(8), room))
    stack.align = 64
    data = cgutils.alloca_once_value(builder, builder.bitcast(stack, source.data.type))
    memory = cgutils.alloca_once_value(builder, cgutils.get_null_value(source.meminfo.type))
    with builder.if_then(builder.icmp_signed(">", size, size.type(room)), likely=False):
        made = _empty_nd_impl(context, builder, ty, cgutils.unpack_tuple(builder, source.shape, ty.ndim))
        builder.store(made.data, data)
        builder.store(made.meminfo, memory)
    target.data, target.meminfo = builder.load(data), builder.load(memory)
    target.parent = cgutils.get_null_value(source.parent.type)
    cgutils.raw_memcpy(builder, target.data, source.data, size, 1)
    return target._getvalue()


# --- what the caller is told ---------------------------------------------------------------------------------------


def written_by(compiled, args: tuple) -> list[int]:
    """READ, MAYBE or WRITTEN of x, then of each array, or number, in the arguments, as the adapter was compiled."""
    effects = effects_of(compiled)
    count = 1 + len(list(members(args)))
    return [MAYBE] * count if effects is None else list(effects.written[:count])


def refuse_changed(function, held: tuple, written: list[int]) -> None:
    """CompilationError if a function writes into an array that it carries, in a closure or an object."""
    for (_, value), how in zip(members(held), written, strict=True):
        if how == WRITTEN and isinstance(value, np.ndarray):
            raise CompilationError(f"fun: {function.__name__} writes into an array that it holds.\n{ONLY_READ}")


def refuse_written(args: tuple, written: list[int]) -> None:
    """ValueError if the objective writes into an array of `args` that is read-only, or part of another of them."""
    given = [(name, value) for name, value in members(args)]
    arrays = [(name, value) for name, value in given if isinstance(value, np.ndarray)]
    for (name, value), how in zip(given, written, strict=True):
        if how != WRITTEN or not isinstance(value, np.ndarray):
            continue
        if not value.flags.writeable:
            raise ValueError(
                f"{name}: got a read-only array, and the objective writes into it; expected an array that may be "
                f"written: pass a copy ({name} = numpy.array(...)), or make the array inside the objective"
            )
        other = next((n for n, array in arrays if n != name and np.may_share_memory(array, value)), None)
        if other:
            raise ValueError(
                f"{name}: got an array that shares memory with {other}, and the objective writes into it; expected "
                "arrays of their own: pass a copy of one of them"
            )


def members(args: tuple, name: str = "args") -> Iterator[tuple[str, Any]]:
    """(name, value) of what is in the arguments, tuples opened, from left to right."""
    for k, value in enumerate(args):
        if isinstance(value, tuple):
            yield from members(value, f"{name}[{k}]")
        else:
            yield f"{name}[{k}]", value


def apart(args: tuple) -> tuple:
    """The arguments with a copy of each array."""
    return tuple(map(_apart, args))


def _apart(value):
    if isinstance(value, tuple):
        copies = map(_apart, value)
        return type(value)(*copies) if hasattr(value, "_fields") else tuple(copies)
    return value.copy() if isinstance(value, np.ndarray) else value
