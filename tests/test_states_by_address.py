"""A state travels through compiled code as the address of its record: members, nested ones, and types of one name."""

import gc
from typing import Annotated, NamedTuple

import numpy as np
import pytest
from numba.core import types
from numba.core.errors import TypingError

from thalweg.kernels.calling.arguments import load, packed
from thalweg.kernels.calling.states import state_type
from thalweg.kernels.compile.freeing import SELDOM, seldom_collected
from thalweg.kernels.compile.jit import compile_for, kernel, part
from thalweg.kernels.compile.structures import Integers, Matrix, Vector, filled, record

OWN = record(f="f8", count="i8")


class Inner(NamedTuple):
    order: Integers  # (n,)
    own: Annotated[np.ndarray, OWN]


class Outer(NamedTuple):
    A: Matrix  # (m, n)
    inner: Inner
    x: Vector  # (n,)


def outer() -> Outer:
    return Outer(np.arange(6.0).reshape(2, 3), Inner(np.array([2, 0, 1]), filled(OWN, f=0.5)), np.zeros(3))


def compiled(function, State):
    Type = state_type(State)

    def entry(address):
        return function(load(address, Type))

    return compile_for(kernel(entry, cached=False), (types.intp,))


def test_members_are_read_and_written_where_they_are():
    @kernel(cached=False)
    def reorder(state):
        inner = state.inner
        for j in range(state.A.shape[1]):
            state.x[j] = state.A[1, inner.order[j]] + inner.own[0].f
            inner.own[0].count += j
        return state.A.size + 10 * state.A.shape[0]

    state = outer()
    assert compiled(reorder, Outer)(packed(state).address) == 26
    assert state.x.tolist() == [5.5, 3.5, 4.5] and state.inner.own["count"][0] == 3


def test_a_nested_state_is_of_the_type_that_it_has_alone():
    members = state_type(Outer).members
    assert members["inner"] == (state_type(Inner), 3) and members["x"] == (types.float64[::1], 7)
    assert state_type(Outer).words == len(packed(outer()).words) == 9


def test_two_layouts_of_one_name_are_two_types():
    def of(kind):
        return NamedTuple("Other", [("x", kind)])

    assert state_type(of(Vector)) == state_type(of(Vector)) != state_type(of(Matrix))


def test_what_a_state_does_not_have_is_an_error():
    with pytest.raises(TypingError, match=r"Unknown attribute 'y' of type Outer_"):
        compiled(kernel(cached=False)(lambda state: state.y[0]), Outer)


def test_a_part_is_compiled_once_for_all_constants_that_it_is_given():
    @part
    def power(x, k):
        return x**k

    @kernel(cached=False)
    def sum_of_powers(x):
        return power(x, 1) + power(x, 2) + power(x, 3)

    assert sum_of_powers(2.0) == 14.0 and len(power.overloads) == 1


def test_garbage_is_looked_for_seldom_while_something_is_compiled():
    usual = gc.get_threshold()
    with seldom_collected():
        with seldom_collected():
            assert gc.get_threshold()[0] == SELDOM
        assert gc.get_threshold()[0] == SELDOM
    assert gc.get_threshold() == usual
