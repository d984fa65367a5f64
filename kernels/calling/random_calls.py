"""Does an objective draw from `np.random` or `random`? Numba has generators of its own behind these names.

They belong to a thread and begin anew in each process: no seed of the caller's reaches them, and each run gives another
answer. `thalweg.random` draws what a seed decides.
"""

from __future__ import annotations

import dis
import types as python_types
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from ..compile.fingerprint import cell_content

ADVICE = (
    "fun: {names} in a compiled objective draws from a generator of Numba's, which no seed reaches: each run gives "
    "another answer. For noise that a seed decides pass the seed in args, and draw by thalweg.random: "
    "normal(point_key(seed, x), 0)"
)


def warn_of_random_calls(functions: Iterable[Any]) -> None:
    """A UserWarning that names what the functions (Numba's dispatchers, or plain ones) draw from."""
    plain = [getattr(function, "py_func", function) for function in functions]
    codes = [f for f in plain if isinstance(f, python_types.FunctionType)]
    names = sorted({name for f in codes for name in _random_names(f.__code__, _outside(f))})
    if names:
        warnings.warn(ADVICE.format(names=" and ".join(names)), stacklevel=2)


def _outside(function: python_types.FunctionType) -> dict[str, Any]:
    cells = map(cell_content, function.__closure__ or ())
    return function.__globals__ | dict(zip(function.__code__.co_freevars, cells))


def _random_names(code: python_types.CodeType, outside: dict[str, Any]) -> Iterator[str]:
    """What names of the code stand for, attributes of modules followed: those that are methods of a generator."""
    value: Any = None
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_FROM_DICT_OR_GLOBALS"):
            value = outside.get(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            value = getattr(value, step.argval, None) if isinstance(value, python_types.ModuleType) else None
        owner = type(getattr(value, "__self__", None)).__module__ or ""
        if owner == "random" or owner.startswith("numpy.random"):
            yield f"{'np.random' if owner.startswith('numpy') else 'random'}.{value.__name__}"
    for inner in code.co_consts:
        if isinstance(inner, python_types.CodeType):
            yield from _random_names(inner, outside)
