"""Loops over the genes of a row by whole vectors, of which the last one is masked.

LLVM runs a loop over 30 genes by four vectors of eight at a time, which is never, then by one of them, and the last six
genes one by one: as long as all others. Of a loop with this wish it makes four rounds of one vector each. It is made
here, as LLVM reads the wish off the branch that closes a loop, which Numba cannot be told to mark.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, type_callable

WISHES = {"llvm.loop.vectorize.predicate.enable": ir.Constant(ir.IntType(1), 1),
          "llvm.loop.interleave.count": ir.Constant(ir.IntType(32), 1)}  # fmt: skip


def each(function, n, arguments):
    """function(j, *arguments) for j = 0 .. n - 1, in any order, as none needs what another has written.

    Returns the sum of what it returns: whole numbers.
    """
    total = 0
    for j in range(n):
        total += function(j, *arguments)
    return total


def _signature(context, function, arguments):
    return function.get_call_type(context, (types.intp, *arguments.types), {})


@type_callable(each)
def _type(context) -> Any:
    def typer(function, n, arguments):
        return _signature(context, function, arguments).return_type

    return typer


@lower_builtin(each, types.Dispatcher, types.Integer, types.BaseTuple)
def _lower(context, builder, signature, values):
    function, count, arguments = signature.args
    inner = _signature(context.typing_context, function, arguments)
    call = context.get_function(function, inner)
    word, number = context.get_value_type(types.intp), context.get_value_type(inner.return_type)
    n, given = context.cast(builder, values[1], count, types.intp), cgutils.unpack_tuple(builder, values[2])
    total = cgutils.alloca_once_value(builder, ir.Constant(number, 0))
    with builder.if_then(builder.icmp_signed(">", n, word(0))):
        before, loop = builder.block, builder.append_basic_block("whole")
        builder.branch(loop)
        builder.position_at_end(loop)
        j = builder.phi(word)
        j.add_incoming(word(0), before)
        builder.store(builder.add(builder.load(total), call(builder, (j, *given))), total)
        following = builder.add(j, word(1), flags=["nsw", "nuw"])
        j.add_incoming(following, builder.block)
        after = builder.append_basic_block("after")
        branch = builder.cbranch(builder.icmp_signed("<", following, n), loop, after)
        if _has_masks():
            branch.set_metadata("llvm.loop", _loop(builder.module))
        builder.position_at_end(after)
    return builder.load(total)


def _has_masks() -> bool:
    """Whether the vector unit stores some of the numbers of a vector as fast as all."""
    return binding.get_host_cpu_features().get("avx512vl", False)


def _loop(module):
    """The name of a loop: a list of itself and its wishes."""
    wishes = [module.add_metadata([name, value]) for name, value in WISHES.items()]
    own = ir.MDValue(module, wishes, name=str(len(module.metadata)))
    own.operands = (own, *own.operands)
    return own
