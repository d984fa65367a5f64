"""Numba's bookkeeping in brief gives what Numba's own gives."""

import contextlib

import numba
import numpy as np
import pytest
from llvmlite.binding import ffi
from numba import literal_unroll
from numba.core import ir
from numba.core.base import BaseContext
from numba.core.compiler_lock import global_compiler_lock
from numba.core.postproc import PostProcessor

from thalweg.kernels.compile import brief
from thalweg.kernels.compile.jit import kernel

NUMBAS_OWN = PostProcessor.run, ir.Inst._rec_list_vars, BaseContext.get_abi_sizeof


def loops(x):
    total, low = 0.0, np.inf
    for i in range(x.size):
        y = x[i] ** 2
        if y < low and not np.isnan(y):
            low = y
        total += min(y, 3.0) if i % 2 else np.sum(x[:i])
    return total, low, (x + 1.0)[-1]


def yields(n):
    for i in range(n):
        yield i * i


def summed(n):
    total = 0
    for v in yielding(n):
        total += v
    return total


def of_members(pair):
    total = 0.0
    for v in literal_unroll(pair):
        total += v
    return total


def in_python(x):
    y = x + 1.0
    with numba.objmode(z="float64"):
        z = round(y, 1)
    return y + z


yielding = kernel(yields, cached=False)


def compiled(function, *args, short):
    """(what the function gives, its code as LLVM gets it), of one of Numba's own functions."""
    around = brief.in_brief if short else contextlib.nullcontext
    dispatcher = numba.njit(function)
    with global_compiler_lock, around():
        dispatcher.compile(tuple(map(numba.typeof, args)))
    return dispatcher(*args), dispatcher


@pytest.mark.parametrize(
    "function, args", [(loops, (np.array([1.0, -2.0, 0.5]),)), (of_members, ((1, 2.5),)), (in_python, (1.0,))]
)
def test_what_is_compiled_is_the_same(function, args):
    (value, long), (same, short) = (compiled(function, *args, short=short) for short in (False, True))
    assert same == value

    def instructions(dispatcher):
        (text,) = dispatcher.inspect_asm().values()
        return [line.split()[0] for line in text.splitlines() if line.startswith("\t") and not line.startswith("\t.")]

    assert instructions(short) == instructions(long)


def test_generators_keep_what_lives_between_their_yields():
    assert kernel(summed, cached=False)(4) == 14


def test_variables_are_listed_in_numbas_order():
    where = ir.Loc("", 1)
    a, b, c = (ir.Var(None, name, where) for name in "abc")
    call = ir.Expr.call(a, (b, c), (("k", a),), where)
    for value in (call._kws, [b, (a, [c])], {"x": call, "y": None}, a, call, 3):
        assert brief._variables(call, value) == NUMBAS_OWN[1](call, value)


def test_outside_of_a_compilation_numba_is_as_it_was():
    told = list(ffi.lib._lock._cblist)
    with global_compiler_lock, brief.in_brief(), pytest.raises(ZeroDivisionError), brief.in_brief():
        assert PostProcessor.run is brief._processed and not ffi.lib._lock._cblist
        raise ZeroDivisionError
    assert (PostProcessor.run, ir.Inst._rec_list_vars, BaseContext.get_abi_sizeof) == NUMBAS_OWN
    assert ffi.lib._lock._cblist == told and not brief._sizes
