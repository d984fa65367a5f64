"""The user's function and the engine's kernels as functions of the device.

CUDA has no function pointers: the user's function is rebuilt as device functions (substitution.py) and compiled into
the kernels that call it. With `precise`, `math`'s functions are CUDA's own; else the engine's elementary functions
stand in for them, as on the CPU. CUDA's compiler rounds a product and a sum at once where it can, so values equal the
CPU's to rounding.

An exception cannot leave a kernel: a `raise` ends the thread that meets it. Before each evaluation the value is set to
the NaN RAISED_BITS, so that the row is known afterwards and the host raises the exception by calling again.
"""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

import numpy as np

from ..calling.objective import CompiledObjective
from ..calling.protecting import members
from ..compile.jit import once
from ..compile.substitution import rebuild
from ..compile.writes import READ
from ..numbers import elementary
from .shim import SIMULATED, cuda, device_function, to_device

_built: dict = {}  # kernels of the engine -> device functions, each made once


@once
def library() -> dict:
    """What numba-cuda lacks of NumPy and the C library -> device functions."""
    return {} if SIMULATED else {**elementary.LIBRARY, **_numpy_on_device()}


@once
def twins() -> dict:
    """Library functions -> the engine's own, on the device."""
    kernels = {known: getattr(twin, "function", twin) for known, twin in elementary.TWINS.items()}
    return {**library(), **{known: of_engine(twin) for known, twin in kernels.items()}}


def of_engine(kernel):
    """A kernel of the engine as a device function."""
    return rebuild(kernel, library(), device_function, _built)


def _numpy_on_device() -> dict:
    """Functions of NumPy and `math` that numba-cuda's table of ufuncs lacks."""
    from numba.cuda import libdevice

    names = {"sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint", "exp": "exp",
             "exp2": "exp2", "expm1": "expm1", "log1p": "log1p", "cbrt": "cbrt", "fabs": "fabs"}  # fmt: skip
    found = {getattr(np, name): device_function(_one_argument(getattr(libdevice, on))) for name, on in names.items()}
    if hasattr(math, "cbrt"):
        found[math.cbrt] = found[np.cbrt]
    found[np.absolute] = device_function(lambda x: abs(x))
    found[np.sign] = device_function(lambda x: x if x != x else 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0)
    found[np.power] = device_function(lambda x, y: x**y)
    return found


def _one_argument(function):
    def call(x):
        return function(np.float64(x))

    return call


def check_is_compiled(bound) -> None:
    """ValueError with the reason if an objective is no function that the engine compiled."""
    reason = ""
    if not isinstance(bound, CompiledObjective):
        reason = f"its objective runs as {bound.runs_as!r}; leave out compiled=False or vectorized=True"
    elif bound.form is None:
        reason = "its objective is a C function, compiled for the CPU; write it in Python"
    _refuse(reason)


def _refuse(reason: str) -> None:
    if reason:
        raise ValueError(f"device='cuda' cannot run this: {reason}, or use device='cpu'")


def check_fits_device(bound) -> None:
    """ValueError with the reason if an objective is nothing that can be compiled for a GPU from its source."""
    check_is_compiled(bound)
    reason = ""
    if not isinstance(_source(bound), FunctionType):
        reason = "its objective is a method, an object or a partial; write a function that has its data in args"
    elif changed := [name for name, how in _written(bound) if how != READ]:
        reason = f"its objective writes into {changed[0]}, which all threads of a GPU share; write into nothing but x"
    _refuse(reason)


def _written(bound: CompiledObjective) -> list[tuple[str, int]]:
    """(name, how it is written) of what is in the user's arguments, which stand behind what the function carries."""
    names = [name for name, _ in members(bound.given)]
    return list(zip(names, bound.written[len(bound.written) - len(names) :]))


def _source(bound: CompiledObjective) -> Any:
    function = bound.source.function
    return getattr(function, "py_func", function)


def writes_into_x(bound: CompiledObjective) -> bool:
    """Whether the objective gets a copy of its x, as it does on the CPU because it may write into it."""
    return bound.written[0] != READ


def function_of(bound: CompiledObjective, dimension: int):
    """`call(x, args) -> float` on the device, for x of shape (dimension,)."""
    inner = rebuild(_source(bound), library() if bound.source.precise else twins(), device_function)
    return _adapter(inner, bool(bound.given), dimension if writes_into_x(bound) else 0)


def _adapter(inner, takes_args: bool, own: int):
    """`inner` with one signature for all objectives; `own` > 0: it writes into its x, which is therefore a copy."""

    def with_args(x, args):
        return inner(x, *args)

    def without_args(x, args):
        return inner(x)

    call = device_function(with_args if takes_args else without_args)
    if not own:
        return call

    def on_a_copy(x, args):
        mine = cuda.local.array(own, np.float64)
        for j in range(own):
            mine[j] = x[j]
        return call(mine, args)

    def on_a_simulated_copy(x, args):
        return call(x.copy(), args)

    return device_function(on_a_simulated_copy if SIMULATED else on_a_copy)


def arguments_on_device(value):
    """Normalised arguments with their arrays on the device; kernels take no empty tuple."""
    if isinstance(value, np.ndarray):
        return to_device(value)
    if isinstance(value, tuple):
        members = [arguments_on_device(member) for member in value]
        return type(value)(*members) if hasattr(value, "_fields") else tuple(members) or (0.0,)
    return value
