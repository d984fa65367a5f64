"""What Numba finds for a call is found once, and is what it would find."""

import gc

import numpy as np
import pytest
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.types.functions import BaseFunction
from numba.extending import overload

from thalweg.kernels.compile import call_types, library_functions
from thalweg.kernels.compile.jit import compile_for, kernel, part

NUMBAS_OWN = BaseFunction.get_call_type
FORM = types.float64(types.float64)


def test_a_call_is_looked_up_once_in_a_compilation(monkeypatch):
    asked = []
    find = call_types._find
    monkeypatch.setattr(call_types, "_find", lambda *call: asked.append(call[0]) or find(*call))
    inner = part(lambda x: x * x + 1.0)
    with global_compiler_lock, call_types.found_once():
        first = compile_for(kernel(lambda x: inner(x) * 3.0 + x, cached=False), FORM)
        known = len(asked)
        second = compile_for(kernel(lambda x: (x + 2.0) * x, cached=False), FORM)
        assert len(asked) == known > 0  # sums and products of two numbers are known by then
    assert not call_types._tables  # nothing of the user's is held
    assert first(2.0) == 17.0 and second(2.0) == 8.0
    assert BaseFunction.get_call_type is NUMBAS_OWN  # whoever else compiles meets Numba's own


def grown(x):
    raise NotImplementedError


def test_a_function_that_is_overloaded_once_more_is_looked_up_anew():
    @overload(grown)
    def of_floats(x):
        return (lambda x: x + 1.0) if isinstance(x, types.Float) else None

    assert compile_for(kernel(lambda x: grown(x), cached=False), FORM)(1.0) == 2.0

    whole = types.int64(types.int64)
    with pytest.raises(TypingError):
        compile_for(kernel(lambda x: grown(x), cached=False), whole)

    @overload(grown)
    def of_integers(x):
        return (lambda x: x * 10) if isinstance(x, types.Integer) else None

    assert compile_for(kernel(lambda x: grown(x), cached=False), whole)(3) == 30


def test_what_was_found_is_forgotten_with_what_it_stands_for():
    """After a function was made anew, answers stood for machine code that was gone: nothing more could be compiled."""
    of_array = types.float64(types.float64[::1])

    def of(k):
        return compile_for(kernel(lambda x: np.sum(np.zeros(3) + x[0]) + np.linalg.norm(x) + k, cached=False), of_array)

    with global_compiler_lock, call_types.found_once():
        assert of(1.0)(np.ones(1)) == 5.0
        make_anew()
        gc.collect()
        assert of(2.0)(np.ones(1)) == 6.0


def make_anew():
    answers = iter([ValueError("No definition for lowering"), None])

    def compile_it():
        answer = next(answers)
        if answer is not None:
            raise answer

    library_functions.anew_if_not_found(compile_it, cpu_target.typing_context)
