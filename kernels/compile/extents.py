"""What is known of a value before a function runs: whole numbers as intervals, arrays by their shape (indices.py).

    Number      a whole number of 64 bits between two bounds
    Scalar      any other number
    Array       an array, with a Number for each extent
    Tuple       a tuple (or, with names, a named tuple; or the list that stands inside `np.array([...])`)
    Elements    a range, or what else a loop goes over: the item it gives, and how many of them
    Slice       a slice
    Known       a function, a module, None
    Method      a method of any of these
    UNKNOWN     anything

Bounds beyond `LARGEST` are not kept: there compiled numbers wrap. A Number is made anew for each value, as two names of
one object hold the same value (indices.py tells from that what a comparison says of both).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from math import inf, prod
from typing import Any

LARGEST = 2**62


class NotProven(Exception):
    """An index may be outside its array, or this analysis cannot tell."""


@dataclass(frozen=True, slots=True)
class Number:
    low: float = -inf  # an int, or infinite
    high: float = inf

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Scalar:
    pass


@dataclass(frozen=True, slots=True)
class Array:
    shape: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Tuple:
    items: tuple
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elements:
    item: Any
    count: Number


@dataclass(frozen=True, slots=True)
class Slice:
    ends: tuple  # start, stop, step


@dataclass(frozen=True, slots=True)
class Known:
    value: Any

    def __eq__(self, other):
        return isinstance(other, Known) and self.value is other.value


@dataclass(frozen=True, slots=True)
class Method:
    owner: Any
    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    pass


SCALAR, UNKNOWN = Scalar(), Unknown()


def number(low, high) -> Number:
    """The interval; any number at all where it may have wrapped."""
    return Number(low, high) if -LARGEST <= low and high <= LARGEST else Number()


def exact(value: int) -> Number:
    return number(value, value)


def array(extents) -> Array:
    return Array(tuple(map(exact, extents)))


# --- where two paths meet ------------------------------------------------------------------------------------------


def join(a, b, limits=None) -> Any:
    """What holds of both, as new objects. With `limits`, bounds beyond those of `a` go to the next of these."""
    if isinstance(a, Number) and isinstance(b, Number):
        low, high = min(a.low, b.low), max(a.high, b.high)
        if limits is not None:
            low = low if low == a.low else max((v for v in limits if v <= low), default=-inf)
            high = high if high == a.high else min((v for v in limits if v >= high), default=inf)
        return Number(low, high)
    if isinstance(a, Number | Scalar) and isinstance(b, Number | Scalar):
        return SCALAR
    if isinstance(a, Array) and isinstance(b, Array) and len(a.shape) == len(b.shape):
        return Array(tuple(join(m, n, limits) for m, n in zip(a.shape, b.shape)))
    if isinstance(a, Tuple) and isinstance(b, Tuple) and len(a.items) == len(b.items) and a.names == b.names:
        return Tuple(tuple(join(m, n, limits) for m, n in zip(a.items, b.items)), a.names)
    if isinstance(a, Elements) and isinstance(b, Elements):
        return Elements(join(a.item, b.item, limits), join(a.count, b.count, limits))
    if isinstance(a, Slice) and isinstance(b, Slice):
        return Slice(tuple(join(m, n, limits) for m, n in zip(a.ends, b.ends)))
    if a == b:
        return a
    if holds_function(a) or holds_function(b):
        raise NotProven  # which function is called
    return UNKNOWN


def holds_function(value) -> bool:
    """Whether a function may be got out of the value."""
    if isinstance(value, Tuple):
        return any(map(holds_function, value.items))
    return isinstance(value, Known) and callable(value.value)


# --- arithmetic ----------------------------------------------------------------------------------------------------


def binary(function, a, b) -> Any:
    """What `function(a, b)` gives, for an operator."""
    if isinstance(a, Number) and isinstance(b, Number):
        return _of_numbers(function, a, b)
    if isinstance(a, Number | Scalar) and isinstance(b, Number | Scalar):
        return SCALAR
    if function in (operator.matmul, operator.imatmul):
        return product(a, b)
    if isinstance(a, Tuple) and isinstance(b, Tuple) and function in (operator.add, operator.iadd):
        return Tuple(a.items + b.items)
    return broadcast([a, b])


def _of_numbers(function, a: Number, b: Number) -> Any:
    if function in (operator.add, operator.iadd):
        return number(a.low + b.low, a.high + b.high)
    if function in (operator.sub, operator.isub):
        return number(a.low - b.high, a.high - b.low)
    if function in (operator.mul, operator.imul):
        if -inf in (a.low, b.low) or inf in (a.high, b.high):
            return Number()
        ends = [m * n for m in (a.low, a.high) for n in (b.low, b.high)]
        return number(min(ends), max(ends))
    if function in (operator.floordiv, operator.ifloordiv) and b.exact and b.low > 0:
        return Number(a.low // b.low if a.low > -inf else -inf, a.high // b.low if a.high < inf else inf)
    if function in (operator.mod, operator.imod) and b.low > 0:
        return Number(0, min(a.high, b.high - 1)) if a.low >= 0 else Number(0, b.high - 1)
    if function in COMPARISONS:
        return _compared(function, a, b)
    return Number() if function in WHOLE else SCALAR


WHOLE = {  # of whole numbers these make whole numbers
    operator.floordiv, operator.ifloordiv, operator.mod, operator.imod, operator.and_, operator.iand, operator.or_,
    operator.ior, operator.xor, operator.ixor, operator.lshift, operator.ilshift, operator.rshift, operator.irshift,
}  # fmt: skip


COMPARISONS = {  # what holds where the first does not
    operator.lt: operator.ge, operator.le: operator.gt, operator.gt: operator.le, operator.ge: operator.lt,
    operator.eq: operator.ne, operator.ne: operator.eq,
}  # fmt: skip


def _compared(function, a: Number, b: Number) -> Number:
    """1 where it holds of all numbers, 0 where of none."""
    if a.low > a.high or b.low > b.high:
        return Number(0, 1)
    if restricted(function, a, b) is None:
        return Number(0, 0)
    return Number(1, 1) if restricted(COMPARISONS[function], a, b) is None else Number(0, 1)


def restricted(function, a: Number, b: Number) -> tuple[Number, Number] | None:
    """a and b where the comparison holds; None if it never does."""
    if function in (operator.gt, operator.ge):
        swapped = restricted({operator.gt: operator.lt, operator.ge: operator.le}[function], b, a)
        return swapped and (swapped[1], swapped[0])
    if function is operator.ne:
        return None if a.exact and b.exact and a.low == b.low else (a, b)
    if function is operator.eq:
        a = b = Number(max(a.low, b.low), min(a.high, b.high))
    else:
        least = 1 if function is operator.lt else 0
        a, b = Number(a.low, min(a.high, b.high - least)), Number(max(b.low, a.low + least), b.high)
    return None if a.low > a.high or b.low > b.high else (a, b)


# --- shapes --------------------------------------------------------------------------------------------------------


def broadcast(values) -> Any:
    """The result of an operation element by element; where shapes do not fit, it raises."""
    if all(isinstance(value, Number | Scalar) for value in values):
        return SCALAR
    if not all(isinstance(value, Number | Scalar | Array) for value in values):
        return UNKNOWN
    shapes = [value.shape for value in values if isinstance(value, Array)]
    result = list(max(shapes, key=len))
    for shape in shapes:
        for k in range(1, len(shape) + 1):
            result[-k] = _common(result[-k], shape[-k])
    return Array(tuple(result))


def _common(a: Number, b: Number) -> Number:
    if a == b or b == Number(1, 1):
        return a
    return b if a == Number(1, 1) else Number(min(a.low, b.low), max(a.high, b.high))


def product(a, b) -> Any:
    """np.dot of vectors and matrices."""
    if not (isinstance(a, Array) and isinstance(b, Array)):
        return UNKNOWN
    kept = a.shape[:-1] + b.shape[:-2] + b.shape[-1:] * (len(b.shape) > 1)
    return Array(kept) if kept else SCALAR


def size(value: Array) -> Number:
    total = exact(1)
    for extent in value.shape:
        total = _of_numbers(operator.mul, total, extent)
    return Number(max(total.low, 0), total.high)


def items_of(value) -> Elements:
    """What a loop over the value gives."""
    if isinstance(value, Elements):
        return value
    if isinstance(value, Array):
        rest = value.shape[1:]
        return Elements(Array(rest) if rest else SCALAR, value.shape[0])
    if isinstance(value, Tuple) and value.items:
        item = value.items[0]
        for other in value.items[1:]:
            item = join(item, other)
        return Elements(item, exact(len(value.items)))
    return Elements(UNKNOWN, Number(0, inf))


def range_of(start: Number, stop: Number, step: Number) -> Elements:
    if start.exact and stop.exact and step.exact and step.low:
        numbers = range(int(start.low), int(stop.low), int(step.low))
        ends = (numbers[0], numbers[-1]) if numbers else (0, -1)
        return Elements(Number(min(ends), max(ends)), exact(len(numbers)))
    if step.low > 0:
        item = Number(start.low, stop.high - 1)
    elif step.high < 0:
        item = Number(stop.low + 1, start.high)
    else:
        item = Number()
    return Elements(item, Number(0, 0) if item.low > item.high else Number(0, inf))


# --- indices -------------------------------------------------------------------------------------------------------


def element(value, index) -> Any:
    """What `value[index]` gives; NotProven if it may be outside an array."""
    if isinstance(value, Tuple):
        return _element_of_tuple(value, index)
    if not isinstance(value, Array):
        raise NotProven
    parts = index.items if isinstance(index, Tuple) else (index,)
    whole = [part for part in parts if part == Known(...)]
    missing = len(value.shape) - sum(part not in (Known(None), Known(...)) for part in parts)
    if missing < 0 or len(whole) > 1:
        raise NotProven
    full = Slice((Known(None),) * 3)
    if whole:
        at = parts.index(whole[0])
        parts = parts[:at] + (full,) * missing + parts[at + 1 :]
    else:
        parts = (*parts, *(full,) * missing)
    shape, extents = [], iter(value.shape)
    for part in parts:
        if part == Known(None):
            shape.append(exact(1))
        elif isinstance(part, Slice):
            shape.append(_extent_of_slice(part, next(extents)))
        elif not is_inside(part, next(extents)):
            raise NotProven
    return Array(tuple(shape)) if shape else SCALAR


def is_inside(index, extent: Number) -> bool:
    """Whether every such index is one of every such extent; negative ones count from the end."""
    return isinstance(index, Number) and -extent.low <= index.low and index.high < extent.low


def _extent_of_slice(part: Slice, extent: Number) -> Number:
    if part == Slice((Known(None),) * 3):
        return extent
    ends = [None if end == Known(None) else end for end in part.ends]
    if extent.exact and all(end is None or (isinstance(end, Number) and end.exact) for end in ends):
        start, stop, step = (None if end is None else int(end.low) for end in ends)
        if step != 0:
            return exact(len(range(*slice(start, stop, step).indices(int(extent.low)))))
    return Number(0, extent.high)


def _element_of_tuple(value: Tuple, index) -> Any:
    """Compiled code itself looks whether an index is inside a tuple."""
    if isinstance(index, Number) and index.exact and -len(value.items) <= index.low < len(value.items):
        return value.items[int(index.low)]
    if isinstance(index, Number) and value.items:
        return items_of(value).item
    if any(map(holds_function, value.items)):
        raise NotProven
    return UNKNOWN


def reshaped(value, shape) -> Any:
    """`value.reshape(shape)`; -1 stands for what is left."""
    extents = shape.items if isinstance(shape, Tuple) else (shape,)
    if not isinstance(value, Array) or not all(isinstance(extent, Number) and extent.exact for extent in extents):
        return UNKNOWN
    total, given = size(value), [int(extent.low) for extent in extents]
    if given.count(-1) == 1 and total.exact and (rest := prod(n for n in given if n != -1)) > 0:
        given[given.index(-1)] = int(total.low) // rest
    return array(given) if min(given, default=0) >= 0 else UNKNOWN
