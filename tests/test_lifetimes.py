"""Lifetimes of variables that wait until they are asked for: what is compiled is the same."""

import contextlib

import numba
import numpy as np
import pytest
from numba import literal_unroll
from numba.core.compiler_lock import global_compiler_lock
from numba.core.postproc import PostProcessor

from thalweg.kernels.compile import lifetimes
from thalweg.kernels.compile.jit import kernel

NUMBAS_OWN = PostProcessor.run


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


def compiled(function, *args, waits):
    """(what the function gives, its code as LLVM gets it), of one of Numba's own functions."""
    around = lifetimes.waiting_lifetimes if waits else contextlib.nullcontext
    dispatcher = numba.njit(function)
    with global_compiler_lock, around():
        dispatcher.compile(tuple(map(numba.typeof, args)))
    return dispatcher(*args), dispatcher


@pytest.mark.parametrize(
    "function, args", [(loops, (np.array([1.0, -2.0, 0.5]),)), (of_members, ((1, 2.5),)), (in_python, (1.0,))]
)
def test_what_is_compiled_is_the_same(function, args):
    (value, long), (same, waits) = (compiled(function, *args, waits=waits) for waits in (False, True))
    assert same == value

    def instructions(dispatcher):
        (text,) = dispatcher.inspect_asm().values()
        return [line.split()[0] for line in text.splitlines() if line.startswith("\t") and not line.startswith("\t.")]

    assert instructions(waits) == instructions(long)


def test_generators_keep_what_lives_between_their_yields():
    assert kernel(summed, cached=False)(4) == 14


def test_outside_of_a_compilation_numba_is_as_it_was():
    waiting = lifetimes.waiting_lifetimes
    with global_compiler_lock, waiting(), pytest.raises(ZeroDivisionError), waiting():
        assert PostProcessor.run is lifetimes._processed
        raise ZeroDivisionError
    assert PostProcessor.run is NUMBAS_OWN


def test_another_step_of_numbas_stays(monkeypatch):
    """As one of a version in which it does something else."""

    def run(self, emit_dels=False, extend_lifetimes=False):
        seen.append(emit_dels)
        return NUMBAS_OWN(self, emit_dels, extend_lifetimes)

    seen = []
    assert lifetimes.is_known(NUMBAS_OWN)  # else the versions that are installed here have changed
    monkeypatch.setattr(PostProcessor, "run", run)
    assert kernel(lambda x: x + 1.0, cached=False)(1.0) == 2.0
    assert True in seen and False in seen and PostProcessor.run is run
