"""Numbers as a user writes them, in an array: what only looks like numbers is refused, as it would be read wrongly."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, KeysView, Mapping, Set, ValuesView
from decimal import Decimal
from typing import Any

import numpy as np

OTHER_KINDS = {  # of NumPy's dtypes, that it would turn into numbers, or might
    "U": "text", "T": "text", "S": "bytes", "c": "complex numbers", "m": "spans of time", "M": "dates", "V": "records",
}  # fmt: skip


class NotReal(ValueError):
    """What was given instead of real numbers, as in "x0: got ..., which holds text"."""


def real_array(value: Any) -> np.ndarray:
    """A new array of float64. Booleans are 0 and 1, as Python has it; fractions and decimals are rounded.

    Raises
    ------
    NotReal
        Saying what the value is.
    """
    if not isinstance(value, list | tuple | np.ndarray):
        value = listed(value)
    if _is_masked(value):
        raise NotReal("which is masked")
    try:
        array = np.asarray(value)
    except Exception as error:  # rows of several lengths; a tensor that is on a GPU
        raise NotReal("which is no array of numbers") from error
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if array.dtype.kind == "O":
        return np.array([_real(member) for member in array.ravel()], dtype=np.float64).reshape(array.shape)
    raise NotReal(f"which holds {OTHER_KINDS[array.dtype.kind]}")


def listed(value: Any) -> Any:
    """What can be gone through only once, or not by place, as a list; NotReal where no order is seen."""
    if isinstance(value, Set) and not isinstance(value, KeysView):
        raise NotReal("whose members have no order")
    if hasattr(value, "toarray") and not isinstance(value, np.ndarray):  # of scipy.sparse
        raise NotReal("which is sparse")
    if isinstance(value, Mapping):
        raise NotReal("which is a dict (list(d.values()) has its values)")
    return list(value) if isinstance(value, Iterator | KeysView | ValuesView) else value


def is_real(value: Any) -> bool:
    """Whether it is one real number."""
    return isinstance(value, numbers.Real | Decimal) and not isinstance(value, np.timedelta64)


def _real(member: Any) -> float:
    if is_real(member):
        try:
            return float(member)
        except OverflowError:
            raise NotReal("which holds a number beyond 1.8e308") from None
    if getattr(member, "shape", None) == () and np.asarray(member).dtype.kind in "biuf":
        return float(np.asarray(member))
    raise NotReal(f"which holds {'text' if isinstance(member, str) else shortened(member)}")


def _is_masked(value: Any) -> bool:
    if isinstance(value, np.ma.MaskedArray):
        return bool(np.ma.is_masked(value))
    if not isinstance(value, list | tuple):
        return False
    return any(_is_masked(part) for part in value if not isinstance(part, float | int))


def shortened(value: Any) -> str:
    """Its repr on one line, for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
