"""A digest of a function that stays in Python, for journals: its own code and that of the user's functions it calls.

What is installed counts by name and version; data it refers to counts by content. It says whether a journal belongs to
the same function; it cannot see what the function reads from files."""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..kernels.fingerprint import cell_content, describe_code, names_in


def code_hash(function) -> str:
    """Equal for equal code and data, in any process."""
    return hashlib.sha256(_describe(function, set()).encode()).hexdigest()


def _describe(value: Any, seen: set[int]) -> str:
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if id(value) in seen:
        return "seen"
    seen.add(id(value))
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({','.join(_describe(item, seen) for item in value)})"
    if isinstance(value, set | frozenset):
        return f"set({','.join(sorted(_describe(item, seen) for item in value))})"
    if isinstance(value, dict):
        return f"dict({','.join(_describe(k, seen) + ':' + _describe(v, seen) for k, v in value.items())})"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"{value.dtype}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, functools.partial):
        return f"partial({_describe([value.func, value.args, value.keywords], seen)})"
    if isinstance(value, MethodType):
        return f"method({_describe([value.__func__, value.__self__], seen)})"
    if isinstance(value, ModuleType | type | FunctionType | BuiltinFunctionType) and _installed(value):
        return _name(value)
    if isinstance(value, FunctionType):
        outside = {n: value.__globals__[n] for n in sorted(names_in(value.__code__)) if n in value.__globals__}
        cells = [cell_content(cell) for cell in value.__closure__ or ()]
        inside = [value.__defaults__, value.__kwdefaults__, outside, cells]
        return f"function({describe_code(value.__code__)}{_describe(inside, seen)})"
    if isinstance(value, type):
        return f"class({_describe({k: v for k, v in vars(value).items() if not k.startswith('__')}, seen)})"
    if (function := getattr(value, "py_func", None)) is not None:  # compiled by Numba
        return f"compiled({_describe(function, seen)})"
    return f"{_name(type(value))}({_content(value, seen)})"


def _content(value: Any, seen: set[int]) -> str:
    """An instance: its pickle where its class is installed, its attributes where it is the user's own."""
    if not _installed(type(value)):
        return _describe(getattr(value, "__dict__", {}), seen)
    try:
        return hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception:  # a handle or a lock: its kind has to do
        return ""


def _installed(value: Any) -> bool:
    module = value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", None) or "")
    name = getattr(module, "__name__", "__main__")
    file = getattr(module, "__file__", None)
    return name != "__main__" and (
        file is None or file.startswith((sys.prefix, sys.base_prefix)) or name.startswith("thalweg.")
    )


def _name(value: Any) -> str:
    module = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    version = getattr(sys.modules.get(module.partition(".")[0]), "__version__", "")
    return f"{module}.{getattr(value, '__qualname__', '')} {version}"
