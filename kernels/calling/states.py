"""A state in compiled code: the address of its record (arguments.py), from which a member is read where it is used.

As a tuple of arrays a state is hundreds of machine words, and each call that hands it on names all of them: the methods
took a fifth to a quarter longer to compile. An address is one word. What stands in the record never changes, and LLVM
is told so: it keeps the place of an array in a register, as it does with an argument.
"""

from __future__ import annotations

import hashlib
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, lower_getattr_generic, models, register_model

from ..compile.fingerprint import type_text
from ..compile.jit import once
from ..compile.structures import numba_type

WORD = 8  # bytes


class StateType(types.Type):
    """Numba's type of such a state. It is told by its layout: two classes of one name are two types."""

    def __init__(self, State: type):
        whole = numba_type(State)
        self.instance_class: Any = State
        self.members: dict[str, tuple[Any, int]] = {}  # by name: its type, and the words of the record before it
        self.words = 0
        for name, kind in zip(whole.fields, whole.types):
            member = kind if isinstance(kind, types.Array) else state_type(kind.instance_class)
            self.members[name] = member, self.words
            self.words += member.words if isinstance(member, StateType) else 1 + member.ndim
        layout = hashlib.sha256(type_text(whole).encode()).hexdigest()
        super().__init__(name=f"{State.__name__}_{layout[:16]}")


register_model(StateType)(models.OpaqueModel)  # an address


@once
def state_type(State: type) -> Any:
    """Numba's type of a state as `load` gives it."""
    return StateType(State)


@infer_getattr
class _Members(AttributeTemplate):
    key = StateType

    def generic_resolve(self, state, attr):  # pyright: ignore[reportIncompatibleMethodOverride]
        return state.members[attr][0] if attr in state.members else None


@lower_getattr_generic(StateType)
def _member(context, builder, state, address, name):
    member, before = state.members[name]
    word, invariant = context.get_value_type(types.intp), builder.module.add_metadata([])

    def place(k):
        return builder.gep(address, [word(WORD * (before + k))])

    def read(k):
        value = builder.load(builder.bitcast(place(k), word.as_pointer()))
        value.set_metadata("invariant.load", invariant)
        return value

    if isinstance(member, StateType):
        return place(0)
    return array_of(context, builder, member, [read(k) for k in range(1 + member.ndim)])


def array_of(context, builder, ty, words: list):
    """A borrowed array, of the words that stand for it in a record: the address of its first entry, and its shape."""
    data = builder.inttoptr(words[0], context.get_data_type(ty.dtype).as_pointer())
    shape, itemsize = words[1:], words[0].type(context.get_abi_sizeof(context.get_data_type(ty.dtype)))
    strides = [itemsize]
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], extent))
    size = words[0].type(1)
    for extent in shape:
        size = builder.mul(size, extent)
    word = words[0].type
    packed = cgutils.pack_array(builder, shape, word), cgutils.pack_array(builder, strides[: ty.ndim], word)
    fields = zip(("nitems", "itemsize", "data", "shape", "strides"), (size, itemsize, data, *packed))
    model, array = context.data_model_manager[ty], ir.Constant(context.get_value_type(ty), None)
    for name, value in fields:  # without a place in memory, which takes LLVM longer
        array = builder.insert_value(array, value, model.get_field_position(name))
    return array
