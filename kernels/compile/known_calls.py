"""What attributes, methods and functions of Python and NumPy give, of what is known of their arguments (extents.py).

What is not in these tables gives UNKNOWN, which is safe: an index into it is not proven.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numba
import numpy as np

from .extents import (
    SCALAR,
    UNKNOWN,
    Array,
    Elements,
    Known,
    Method,
    NotProven,
    Number,
    Scalar,
    Slice,
    Tuple,
    broadcast,
    exact,
    items_of,
    number,
    product,
    range_of,
    reshaped,
    size,
)  # fmt: skip
from .fingerprint import of_library


def call_library(function, given: list, named: dict) -> Any:
    """What a function of a library returns; NotProven if it may read memory that nobody looks after."""
    if isinstance(function, type) and hasattr(function, "_fields"):
        return Tuple(tuple(given), function._fields) if len(given) == len(function._fields) else UNKNOWN
    if isinstance(function, np.ufunc):
        return _elementwise(function, given, named)
    if function in CALLS:
        return _from_table(CALLS[function], given, named)
    module = getattr(function, "__module__", None) or "builtins"
    if module.split(".")[0] not in ("builtins", "math", "numpy") or not of_library(module) or "stride" in module:
        raise NotProven
    return SCALAR if module == "math" else UNKNOWN


def call_method(method: Method, given: list, named: dict) -> Any:
    known = METHODS.get(method.name) if isinstance(method.owner, Array) else None
    return _from_table(known, [method.owner, *given], named) if known else UNKNOWN


def _from_table(known, given: list, named: dict) -> Any:
    try:
        return known(*given) if set(named) <= {"dtype"} else UNKNOWN
    except (TypeError, AttributeError):  # other arguments than the table knows
        return UNKNOWN


def attribute(value, name: str) -> Any:
    """What `value.name` gives."""
    if name == "flat":  # Numba never checks its indices
        raise NotProven
    if isinstance(value, Array) and name in ATTRIBUTES:
        return ATTRIBUTES[name](value)
    if isinstance(value, Tuple) and name in value.names:
        return value.items[value.names.index(name)]
    return Method(value, name)


def check_update(target, value) -> None:
    """NotProven unless `value` fits into `target`, element by element: Numba does not look whether it does."""
    plain = isinstance(value, Number | Scalar) or isinstance(target, Number | Scalar | Tuple)
    if not plain and not (isinstance(target, Array) and broadcast([target, value]) == target):
        raise NotProven


def _elementwise(function: np.ufunc, given: list, named: dict) -> Any:
    result = broadcast(given[: function.nin])
    for target in [*given[function.nin :], *named.values()]:
        check_update(target, result)
    return result if function.nout == 1 else UNKNOWN


ZERO = exact(0)

# --- tables --------------------------------------------------------------------------------------------------------


def _array_of(shape, *_) -> Any:
    extents = shape.items if isinstance(shape, Tuple) else (shape,)
    fits = all(isinstance(extent, Number) for extent in extents)  # a negative one raises
    return Array(tuple(Number(max(n.low, 0), max(n.high, 0)) for n in extents)) if fits else UNKNOWN


def _like(a, *_) -> Any:
    return a if isinstance(a, Array) else UNKNOWN


def _vector_like(a) -> Any:
    return a if isinstance(a, Array) and len(a.shape) == 1 else UNKNOWN


def _number_of(a) -> Any:
    return SCALAR if isinstance(a, Array | Number | Scalar) else UNKNOWN


def _position_in(a) -> Any:
    most = size(a)
    return Number(0, most.high - 1)  # of an empty array it raises


def _array(a) -> Any:
    """np.array, of an array or of what stands in brackets."""
    if isinstance(a, Tuple) and all(isinstance(item, Number | Scalar) for item in a.items):
        return Array((exact(len(a.items)),))
    return _like(a)


def _arange(*ends) -> Any:
    return Array((_range(*ends).count,)) if all(isinstance(end, Number) for end in ends) else UNKNOWN


def _range(*ends: Number) -> Elements:
    start, stop, step = (exact(0), *ends, exact(1)) if len(ends) == 1 else (*ends, exact(1))[:3]
    return range_of(start, stop, step)


def _tuple(*given) -> Any:
    (value,) = given or (Tuple(()),)
    return value if isinstance(value, Tuple) else UNKNOWN


def _slice(*ends) -> Slice:
    nothing = Known(None)
    return Slice((nothing, *ends, nothing) if len(ends) == 1 else (*ends, nothing)[:3])


def _enumerate(a, start: Any = ZERO) -> Elements:
    given = items_of(a)
    return Elements(Tuple((number(start.low, start.high + given.count.high - 1), given.item)), given.count)


def _zip(*values) -> Elements:
    given = [items_of(value) for value in values]
    shortest = Number(min(e.count.low for e in given), min(e.count.high for e in given))
    return Elements(Tuple(tuple(e.item for e in given)), shortest)


def _len(a) -> Any:
    if isinstance(a, Array):
        return a.shape[0]
    if isinstance(a, Tuple):
        return exact(len(a.items))
    return a.count if isinstance(a, Elements) else Number(0, inf)


def _extreme(choose):
    def extreme(*values):
        if len(values) == 1:
            return _number_of(values[0])
        if not all(isinstance(value, Number) for value in values):
            return SCALAR if all(isinstance(value, Number | Scalar) for value in values) else UNKNOWN
        return Number(choose(v.low for v in values), choose(v.high for v in values))

    return extreme


def _absolute(a) -> Any:
    if not isinstance(a, Number):
        return broadcast([a])
    if a.low == -inf:
        return Number()
    return Number(max(a.low, 0), max(abs(a.low), abs(a.high)))


def _whole(a: Any = ZERO) -> Any:
    """int(a), of 64 bits."""
    return Number(a.low, a.high) if isinstance(a, Number) else Number()


def _eye(n, m: Any = None, *_) -> Any:
    return _array_of(Tuple((n, m if isinstance(m, Number) else n)))


def _linspace(start, stop, n: Any = None) -> Any:
    return _array_of(n or exact(50))


def _difference(a) -> Any:
    (n,) = a.shape
    return Array((Number(max(n.low - 1, 0), max(n.high - 1, 0)),))


def _flat(a) -> Any:
    return Array((size(a),))


def _outer(a, b) -> Any:
    return Array((size(a), size(b)))


CALLS: dict[Any, Any] = {
    len: _len, range: _range, numba.prange: _range, enumerate: _enumerate, zip: _zip, reversed: items_of,
    iter: items_of, min: _extreme(min), max: _extreme(max), abs: _absolute, int: _whole, np.int64: _whole,
    np.intp: _whole, tuple: _tuple, float: _number_of, np.float64: _number_of, slice: _slice, sum: _number_of,
    np.zeros: _array_of, np.ones: _array_of, np.empty: _array_of, np.full: _array_of, np.arange: _arange,
    np.zeros_like: _like, np.ones_like: _like, np.empty_like: _like, np.full_like: _like, np.eye: _eye,
    np.identity: _eye, np.linspace: _linspace,
    np.array: _array, np.asarray: _array,
    np.ascontiguousarray: _like, np.copy: _like, np.sort: _like,
    np.argsort: _vector_like, np.cumsum: _vector_like,
    np.cumprod: _vector_like, np.round: _like, np.diff: _difference, np.ravel: _flat, np.outer: _outer,
    np.dot: product, np.argmax: _position_in, np.argmin: _position_in, np.reshape: reshaped,
    np.transpose: lambda a: Array(a.shape[::-1]), np.shape: lambda a: Tuple(a.shape), np.size: size,
} | dict.fromkeys([
    np.sum, np.prod, np.mean, np.std, np.var, np.median, np.min, np.max, np.amin, np.amax, np.any, np.all, np.ptp,
    np.linalg.norm, np.nansum, np.nanmean, np.nanmin, np.nanmax,
], _number_of)  # fmt: skip

METHODS: dict[str, Any] = {
    "copy": _like, "astype": _like, "conj": _like, "ravel": _flat, "flatten": _flat, "cumsum": _vector_like,
    "argsort": _vector_like, "dot": product, "transpose": lambda a: Array(a.shape[::-1]), "argmax": _position_in,
    "argmin": _position_in, "reshape": lambda a, *n: reshaped(a, n[0] if len(n) == 1 else Tuple(n)),
} | dict.fromkeys(["sum", "prod", "mean", "std", "var", "min", "max", "any", "all", "item"], _number_of)  # fmt: skip

ATTRIBUTES = {
    "shape": lambda a: Tuple(a.shape), "size": size, "ndim": lambda a: exact(len(a.shape)),
    "T": lambda a: Array(a.shape[::-1]), "real": _like, "imag": _like,
}  # fmt: skip
