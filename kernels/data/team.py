"""A team of threads that stays together over many short passes: to wake one takes as long as a batch of rows, 0.1 ms.

One thread leads. It opens a pass of so many blocks, and takes one block after another; helpers do the same, and wait
for the next pass where none is left. The leader goes on when all blocks are done. It never waits for a helper that has
taken none: threads may come late, or never.

    words[NEXT]                 the block that is taken next, counted over all passes
    words[BEGIN], words[END]    the blocks of the pass that stands are BEGIN <= number < END
    words[DONE]                 blocks that are done
    words[OVER]                 1: helpers go home

A block is taken by comparing and swapping NEXT, so who falls asleep between a look and the swap takes nothing of a
later pass. What the leader writes before it opens a pass, helpers see, and it sees what they wrote in their blocks.

Who waits looks on for about 50 us, then sleeps as long between looks. A helper goes home after a few of these: the
machine has other work, for which the leader sleeps, or leads on the same processor. To let others run in place of the
sleep (sched_yield) is worse: Linux then has everybody else go first.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic as _intrinsic

from ..compile.jit import inlined

intrinsic: Any = _intrinsic  # what it makes takes one argument less than what is written
LINE = 16  # words from one to the next: two lines of the cache, as the machine fetches them in pairs
NEXT, BEGIN, END, DONE, OVER = (k * LINE for k in range(5))
NONE = -1
LOOKS = 1 << 11  # before it sleeps
PATIENCE = LOOKS + 20  # of a helper
ORDER = "seq_cst"


def new_team() -> np.ndarray:
    """Words of a team of one."""
    return np.zeros(5 * LINE, np.int64)


# The system's call under a name of its own, by which compiled code on the disk knows it. On Windows the shortest sleep.
_sleep = ctypes.windll.kernel32.Sleep if os.name == "nt" else ctypes.CDLL(None).usleep  # type: ignore[attr-defined]
llvmlite.binding.add_symbol("thalweg_sleep", ctypes.cast(_sleep, ctypes.c_void_p).value)
_nap: Any = types.ExternalFunction("thalweg_sleep", types.int32(types.int32))
NAP = 0 if os.name == "nt" else 50  # us


def _place(context, builder, signature, arguments):
    array = context.make_array(signature.args[0])(context, builder, value=arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic
def _read(typingctx, words, k):
    def codegen(context, builder, signature, arguments):
        return builder.load_atomic(_place(context, builder, signature, arguments), ORDER, 8)

    return types.int64(words, types.intp), codegen


@intrinsic
def _write(typingctx, words, k, value):
    def codegen(context, builder, signature, arguments):
        builder.store_atomic(arguments[2], _place(context, builder, signature, arguments), ORDER, 8)
        return context.get_dummy_value()

    return types.none(words, types.intp, types.int64), codegen


@intrinsic
def _add(typingctx, words, k, value):
    def codegen(context, builder, signature, arguments):
        return builder.atomic_rmw("add", _place(context, builder, signature, arguments), arguments[2], ORDER)

    return types.int64(words, types.intp, types.int64), codegen


@intrinsic
def _swap(typingctx, words, k, old, new):
    """Whether the word was `old`; then it is `new`."""

    def codegen(context, builder, signature, arguments):
        place = _place(context, builder, signature, arguments)
        return builder.extract_value(builder.cmpxchg(place, arguments[2], arguments[3], ORDER), 1)

    return types.boolean(words, types.intp, types.int64, types.int64), codegen


@intrinsic
def _pause(typingctx):
    """Tell the processor that a loop only waits."""

    def codegen(context, builder, signature, arguments):
        if builder.module.triple.startswith("x86_64"):
            form = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), form), [])
        return context.get_dummy_value()

    return types.none(), codegen


@inlined
def look_again(looks):
    """Between two looks; how many there were."""
    if looks < LOOKS:
        _pause()
    else:
        _nap(NAP)
    return looks + 1


@inlined
def open_pass(words, blocks):
    begin = _read(words, END)
    _write(words, BEGIN, begin)
    _write(words, END, begin + blocks)


@inlined
def take_block(words, helps):
    """A block of the pass that stands, or NONE: for the leader where none is left, for a helper where all is over."""
    looks = 0
    while True:
        number = _read(words, NEXT)
        if number < _read(words, END):
            if _swap(words, NEXT, number, number + 1):
                return number - _read(words, BEGIN)
        elif not helps:
            return NONE
        elif _read(words, OVER) == 1 or looks == PATIENCE:
            return NONE
        else:
            looks = look_again(looks)


@inlined
def block_done(words):
    _add(words, DONE, 1)


@inlined
def wait_for_all(words):
    """Until all blocks of the pass are done."""
    looks = 0
    while _read(words, DONE) < _read(words, END):
        looks = look_again(looks)
