"""What Numba finds for a call is found once, and is what it would find."""

import pytest
from numba.core import types
from numba.core.errors import TypingError
from numba.core.types.functions import BaseFunction
from numba.extending import overload

from thalweg.kernels.compile import call_types
from thalweg.kernels.compile.jit import compile_for, kernel, part

NUMBAS_OWN = BaseFunction.get_call_type
FORM = types.float64(types.float64)


def test_a_call_is_looked_up_once_for_all_kernels(monkeypatch):
    asked = []
    find = call_types._find
    monkeypatch.setattr(call_types, "_find", lambda *call: asked.append(call[0]) or find(*call))
    inner = part(lambda x: x * x + 1.0)
    first = compile_for(kernel(lambda x: inner(x) * 3.0 + x, cached=False), FORM)
    known = len(asked)
    second = compile_for(kernel(lambda x: (x + 2.0) * x, cached=False), FORM)
    assert len(asked) == known  # sums and products of two numbers are known by then
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
