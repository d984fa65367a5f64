"""A digest of a function that stays in Python, for journals and checkpoints: its code, its data and all it refers to.

What is installed counts by name and version, the user's own functions, classes and modules by their code, data by
content. It says whether finished work belongs to the same function. It cannot see what the function imports when it is
called, or reads from files."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from .fingerprint import STANDARD_LIBRARY, cell_content, describe_code, names_in

PACKAGES = {"site-packages", "dist-packages"}  # folders that distributions are installed to
# Of a class: what hangs on the line it stands in, or is made anew in each process.
PASSED_OVER = {"__module__", "__doc__", "__dict__", "__weakref__", "__firstlineno__", "__static_attributes__"}


def code_hash(value) -> str:
    """Equal for equal code and data, in any process."""
    return hashlib.sha256(_describe(value, {}, frozenset()).encode()).hexdigest()


def installed(name: str | None) -> bool:
    """Whether a module is Python's, ours or of an installed package, whose name and version tell its content."""
    module, top = sys.modules.get(name or ""), (name or "").partition(".")[0]
    if module is None or top == "__main__":
        return False
    place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if place is None:
        return top in sys.stdlib_module_names
    return top == "thalweg" or _in_packages(place)


@functools.cache
def _in_packages(place: str) -> bool:
    return place.startswith(STANDARD_LIBRARY) or not PACKAGES.isdisjoint(Path(place).parts)


def _describe(value: Any, seen: dict, names: frozenset) -> str:
    """Text that is equal for equal content. `seen`: what was described before, kept alive so that its id stays its own.

    `names`: the attributes that a module is asked for.
    """
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    kind = type(value)
    key = (id(value), names) if issubclass(kind, ModuleType) else id(value)
    if key in seen:
        return f"seen {seen[key][0]}"
    seen[key] = len(seen), value

    def inside(*parts) -> str:
        return f"({','.join(_describe(part, seen, names) for part in parts)})"

    if kind in (list, tuple):
        return kind.__name__ + inside(*value)
    if kind in (set, frozenset):  # in no order: what one item refers to is described anew for the next
        return f"set({','.join(sorted(_describe(item, dict(seen), names) for item in value))})"
    if kind is dict:
        return "dict" + inside(*(part for item in value.items() for part in item))
    if kind is np.ndarray:
        content = value.tolist() if value.dtype.hasobject else hashlib.sha256(value.tobytes()).hexdigest()
        return f"{value.dtype}{value.shape}" + inside(content)
    if _known_by_name(value):
        return _name(value)
    if isinstance(value, FunctionType):
        return _describe_function(value, seen)
    if isinstance(value, ModuleType):
        return "module" + inside({n: vars(value)[n] for n in sorted(names) if n in vars(value)})
    if isinstance(value, type):
        return "class" + inside(value.__bases__, {k: v for k, v in vars(value).items() if k not in PASSED_OVER})
    if isinstance(value, MethodType):
        return "method" + inside(value.__func__, value.__self__)
    if isinstance(value, property):
        return "property" + inside(value.fget, value.fset, value.fdel)
    if isinstance(value, Dispatcher):
        return "compiled" + inside(value.py_func)
    if isinstance(value, staticmethod | classmethod | functools._lru_cache_wrapper):
        return kind.__name__ + inside(value.__wrapped__)
    return "object" + inside(kind, _state(value))


def _describe_function(function: FunctionType, seen: dict) -> str:
    names = names_in(function.__code__)
    outside = {n: function.__globals__[n] for n in sorted(names) if n in function.__globals__}
    cells = [cell_content(cell) for cell in function.__closure__ or ()]
    inside = [function.__defaults__, function.__kwdefaults__, outside, cells]
    return f"function({describe_code(function.__code__)}{_describe(inside, seen, names)})"


def _state(value: Any) -> Any:
    """What a copy of an object would be made from; nothing of a lock or of a handle: its class has to do."""
    try:
        parts = value.__reduce_ex__(4)
    except Exception:
        return None
    return parts if isinstance(parts, str) else [list(part) if isinstance(part, Iterator) else part for part in parts]


def _known_by_name(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return installed(value.__name__)
    if isinstance(value, FunctionType):  # a decorator gives its function the names of the one that it wraps
        return installed(value.__module__) and installed(value.__globals__.get("__name__"))
    return isinstance(value, type | BuiltinFunctionType) and installed(value.__module__)


def _name(value: Any) -> str:
    module = value.__name__ if isinstance(value, ModuleType) else value.__module__
    version = getattr(sys.modules.get(module.partition(".")[0]), "__version__", "")
    return f"{module}.{getattr(value, '__qualname__', '')} {version}"
