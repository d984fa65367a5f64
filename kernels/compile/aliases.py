"""Which arrays a value leads to: what the parts of a function's typed code are described by (writes.py).

A value is described by the arrays it may be a view of, or hold: a frozenset of their numbers, with NEW for what the
function makes itself and CONSTANT for globals and what is in a closure. A tuple is described by the tuple of its
members' descriptions, so that `x` in `(x, y)[0]` is not `y`.
"""

from __future__ import annotations

from typing import Any

from numba.core import types

from .carried_types import Data

TUPLES = types.BaseTuple | Data  # what is described by its members
NEW, CONSTANT = -1, -2
NOTHING: frozenset[int] = frozenset()  # leads to no array
FRESH = frozenset({NEW})
FROZEN = frozenset({CONSTANT})


def is_plain(ty) -> bool:
    """Whether a value of this type leads to no array."""
    if isinstance(ty, TUPLES):
        return all(map(is_plain, ty.types))  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(ty, types.List | types.Set):
        return is_plain(ty.dtype)
    if isinstance(ty, types.Pair):
        return is_plain(ty.first_type)
    return isinstance(ty, PLAIN)


PLAIN = (
    types.Number, types.Boolean, types.NoneType, types.SliceType, types.UnicodeType, types.StringLiteral, types.Omitted,
    types.RangeType, types.RangeIteratorType, types.Module, types.Function, types.Dispatcher, types.NumberClass,
    types.DType, types.NamedTupleClass, types.ExceptionClass, types.ExceptionInstance, types.TypeRef,
)  # fmt: skip


def leaves(ty) -> list:
    """The types that a nested tuple is made of, from left to right."""
    if isinstance(ty, TUPLES):
        return [leaf for member in ty.types for leaf in leaves(member)]  # pyright: ignore[reportAttributeAccessIssue]
    return [ty]


def numbered(ty, numbers) -> Any:
    """The description of a parameter: each of its leaves gets the next number."""
    if isinstance(ty, TUPLES):
        return tuple(numbered(member, numbers) for member in ty.types)  # pyright: ignore[reportAttributeAccessIssue]
    return frozenset({next(numbers)})


def flat(value) -> frozenset[int]:
    """All arrays that a description leads to."""
    return NOTHING.union(*map(flat, value)) if isinstance(value, tuple) else value


def fit(value, ty) -> Any:
    """The description in the form of a type."""
    if is_plain(ty):
        return NOTHING
    if not isinstance(ty, TUPLES):
        return flat(value)
    members = ty.types  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, tuple) and len(value) == len(members):
        return tuple(map(fit, value, members))
    return tuple(fit(flat(value), member) for member in members)


def join(first, second):
    """What is described by either."""
    if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second):
        return tuple(map(join, first, second))
    return flat(first) | flat(second)


def in_order(value, ty) -> list[frozenset[int]]:
    """The descriptions of the `leaves` of a type."""
    if isinstance(ty, TUPLES):
        value = fit(value, ty) or (NOTHING,) * len(ty.types)  # pyright: ignore[reportAttributeAccessIssue]
        pairs = zip(value, ty.types, strict=True)  # pyright: ignore[reportAttributeAccessIssue]
        return [leaf for member, member_ty in pairs for leaf in in_order(member, member_ty)]
    return [flat(value)]


def put_in(value, arrays: list[frozenset[int]]) -> Any:
    """The description of a result, in terms of the caller's arrays."""
    if isinstance(value, tuple):
        return tuple(put_in(member, arrays) for member in value)
    return NOTHING.union(*(arrays[number] if number >= 0 else {number} for number in value))
