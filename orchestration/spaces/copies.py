"""What a function may change of the values of a space: each point is called with copies, so that the space stays."""

from __future__ import annotations

import copy
import types
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

# Nothing in these can change that belongs to a point. Classes, built-in functions and the like are left alone by
# `copy.deepcopy` itself. A bare `object()` is a mark that is looked for by `is`.
AS_THEY_ARE = {types.NoneType, bool, int, float, complex, str, bytes, range, object, types.FunctionType}


def own(value: Any) -> Any:
    """A deep copy of a value that can change; the value itself where nothing in it can, or where it has no copy."""
    return _copy(value)[0]


def own_point(point: dict[str, Any]) -> dict[str, Any]:
    """A point whose values are nobody else's."""
    return {name: own(value) for name, value in point.items()}


def why_shared(value: Any) -> str | None:
    """Why a value that can change is handed on as it is, to all points; None where it is copied, or need not be."""
    return _copy(value)[1]


def _copy(value: Any) -> tuple[Any, str | None]:
    if type(value) in AS_THEY_ARE or isinstance(value, Dispatcher | types.ModuleType):
        return value, None
    try:
        copied = copy.deepcopy(value)
    except MemoryError:  # another time it may have one
        raise
    except Exception as error:  # whatever its class makes of it
        return value, f"{type(error).__name__}: {error}"
    if isinstance(value, np.ndarray):
        copied.flags.writeable = value.flags.writeable
    return copied, None
