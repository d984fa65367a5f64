"""States as compiled code sees them: named tuples of arrays, of records with named fields, and of other such tuples.

A state is declared once, as a NamedTuple whose fields are annotated; what Numba needs to know of it, how it is copied,
and under which names it is stored, follows from that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, get_type_hints

import numpy as np
from numba.core import types
from numba.np.numpy_support import from_dtype

Matrix = Annotated[np.ndarray, types.float64[:, ::1]]
Vector = Annotated[np.ndarray, types.float64[::1]]
Integers = Annotated[np.ndarray, types.int64[::1]]
IntegerMatrix = Annotated[np.ndarray, types.int64[:, ::1]]


def record(**fields: str) -> np.dtype:
    """The type of a record of scalars: `record(weight="f8", slot="i8")`, annotated as `Annotated[np.ndarray, dtype]`.

    A state holds it as an array of one entry, `state.own[0].weight`, in Python and in compiled code. Named scalars cost
    what index constants cost (0.88 against 0.84 ns per step).
    """
    taken = [name for name in fields if hasattr(np.record, name)]
    if taken:
        raise ValueError(f"record: a field cannot be called {taken[0]}, which every record has in Python")
    return np.dtype((np.record, np.dtype(list(fields.items()), align=True)))


def filled(dtype: np.dtype, **values) -> np.ndarray:
    """A record with these values; what is not named is 0."""
    assert dtype.names is not None and values.keys() <= set(dtype.names), "a record has the fields of its type"
    return np.array([tuple(values.get(name, 0) for name in dtype.names)], dtype)


@cache
def numba_type(State: type) -> Any:
    """Numba's type of a state, from the annotations of its fields."""
    hints = get_type_hints(State, include_extras=True)
    return types.BaseTuple.from_types([_member_type(hints[name]) for name in State._fields], State)


def _member_type(hint: Any):
    if hasattr(hint, "_fields"):
        return numba_type(hint)
    (kind,) = hint.__metadata__
    return types.Array(from_dtype(kind), 1, "C") if isinstance(kind, np.dtype) else kind


def leaves(state, prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """(name, array) of all arrays of a state; nested ones have the names of their owners before theirs: "run.now"."""
    for name, member in zip(state._fields, state):
        if hasattr(member, "_fields"):
            yield from leaves(member, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", member


def rebuilt(State: type, make, prefix: str = "") -> Any:
    """A state of this type whose arrays are `make(name, kind)`: names as of `leaves`, the kind as it was declared."""
    hints = get_type_hints(State, include_extras=True)
    members = []
    for field in State._fields:
        name, hint = f"{prefix}{field}", hints[field]
        if hasattr(hint, "_fields"):
            members.append(rebuilt(hint, make, f"{name}."))
        else:
            (kind,) = hint.__metadata__
            members.append(make(name, kind))
    return State(*members)


def mapped(function, *states) -> Any:
    """A state whose arrays are `function` of the arrays that stand in the same place of the given states."""
    members = (mapped(function, *m) if hasattr(m[0], "_fields") else function(*m) for m in zip(*states))
    return type(states[0])(*members)


def copied(state) -> Any:
    """A state of its own, equal to this one."""
    return mapped(np.copy, state)


def stored(array: np.ndarray, kind: Any) -> np.ndarray:
    """An array as a file gave it back, with the type it had: a file forgets that rows are records.

    Raises
    ------
    ValueError
        If the record had other fields.
    """
    if not isinstance(kind, np.dtype):
        return array
    if array.dtype.names != kind.names:
        raise ValueError(f"a record has the fields {array.dtype.names}, expected {kind.names}")
    return array.view(kind)


def leaf_names(State: type) -> list[str]:
    """The names that `leaves` gives, from the type alone."""
    names: list[str] = []
    rebuilt(State, lambda name, kind: names.append(name))
    return names


@cache
def _expected(State: type) -> tuple[tuple[str, np.dtype, int], ...]:
    """(name, dtype, dimensions) of each array that a state of this type has."""
    found: list = []

    def note(name: str, kind: Any) -> None:
        is_record = isinstance(kind, np.dtype)
        found.append((name, kind if is_record else np.dtype(str(kind.dtype)), 1 if is_record else kind.ndim))

    rebuilt(State, note)
    return tuple(found)


def check_arrays(State: type, state, who: str):
    """The state, or TypeError: compiled code reads its arrays by address, and takes for granted what was declared."""
    for (name, dtype, dimensions), (_, array) in zip(_expected(State), leaves(state), strict=True):
        right = isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == dimensions
        if not (right and array.flags.c_contiguous and array.flags.writeable):
            got = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(
                f"{who}: its state has {name} as {got}, expected a C-contiguous, writable array of {dimensions} "
                f"dimension(s) of {dtype}"
            )
    return state


def constructor(State: type, variable: str, index: str = "") -> str:
    """Source text that makes a State of the arrays of `variable`, each followed by `index`.

    Numba has no loop over the members of a tuple of different types, so such functions are written out.
    """
    hints, parts = get_type_hints(State, include_extras=True), []
    for field in State._fields:
        inner = f"{variable}.{field}"
        nested = hasattr(hints[field], "_fields")
        parts.append(constructor(hints[field], inner, index) if nested else inner + index)
    return f"{State.__name__}({', '.join(parts)})"


def classes(State: type) -> dict[str, type]:
    """The named tuples that a state is made of, by name."""
    found = {State.__name__: State}
    for hint in get_type_hints(State, include_extras=True).values():
        if hasattr(hint, "_fields"):
            found |= classes(hint)
    return found
