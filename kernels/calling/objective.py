"""The calling convention: how an objective in whatever form becomes one machine code at one address.

Solver loops know one type of objective: `double f(double x[D], address of its arguments)`. An adapter, compiled once
per objective and process, unpacks the arguments (arguments.py) and calls the user's function, in which `math.cos` and
its kin have been replaced by the engine's vectorisable ones (substitution.py, elementary.py). Every path calls the
adapter by its address, the reported `fun` included: two compilations of one function may differ in the last bit.
"""

from __future__ import annotations

import threading
import time
import types as python_types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numba.core import types
from numba.core.dispatcher import Dispatcher

from ..compile.code_hash import code_hash
from ..compile.fingerprint import fingerprint
from ..compile.jit import RELAXED, compile_for, kernel
from ..compile.substitution import rebuild
from ..numbers import elementary
from .arguments import (
    RAISED_BITS,
    call,
    call_c,
    call_python,
    call_value,
    contiguous,
    load,
    normalise,
    pack,
    record_type,
    row,
)
from .asking import Functions
from .c_functions import c_pointer
from .callback import Callback
from .checking import CompilationError, as_float, at_point, check, explain, stores_items, undefined

__all__ = ["CompilationError", "CompiledObjective", "Objective", "PythonObjective", "objective"]

ADAPTER = types.float64(types.float64[::1], types.intp)
MATRIX, VECTOR = types.float64[:, ::1], types.float64[::1]


@dataclass(frozen=True)
class Objective:
    """A function to be minimised and how it is to be called. Made by `objective`."""

    function: Callable
    precise: bool = False
    check: bool = True
    compiled: bool = True
    vectorized: bool = False

    def __call__(self, x, *args):
        return self.function(x, *args)

    def bind(self, args: tuple = (), probe: np.ndarray | None = None) -> CompiledObjective | PythonObjective:
        """The objective with its arguments, ready to evaluate. `probe` (D,): where it is first checked."""
        if not self.compiled:
            return PythonObjective(self, args)
        pointer = c_pointer(self.function)
        if pointer is not None:
            return _bind_c(self, pointer, args)
        function = _compilable(self.function)
        args = normalise(args)
        record = record_type(args) if args else NO_ARGUMENTS
        known = (fingerprint(function), record)
        copies = False
        if probe is not None and self.check:
            place = (*known, probe.tobytes(), _sizes(args))
            copies = _checked[place] if place in _checked else _note_check(place, check(function, args, probe))
        return CompiledObjective(_adapter(function, known, self.precise, copies), args, self)


def objective(function=None, *, precise=False, check=True, compiled=True, vectorized=False) -> Any:
    """Say how a function is to be compiled and called; also a decorator.

    Parameters
    ----------
    function : callable
        `f(x, *args) -> float` with x of shape (D,): a Python function, closure or lambda, a function compiled by
        Numba, or a C function (ctypes, cffi, scipy.LowLevelCallable) of the form `double (int, double *, void *)` or
        `double (int, double *)`.
    precise : bool, default False
        Keep `math`'s own functions and the order of every sum. By default sums may be reordered, and sin, cos, tan,
        exp, log, log1p, expm1 and tanh come from `thalweg.kernels.elementary` (at most 2 ulp, tanh 3), so that loops
        run on the vector unit.
    check : bool, default True
        Call the plain Python function once, inside the box, before it is compiled: errors then appear as themselves.
    compiled : bool, default True
        False evaluates in Python, one x per call.
    vectorized : bool, default False
        The function takes a batch (n, D) and returns (n,); evaluated in Python.

    Returns
    -------
    Objective

    Examples
    --------
    >>> from thalweg.kernels import objective
    >>> objective(lambda x: x[0] ** 2, precise=True).precise
    True
    """
    if function is None:
        return lambda f: objective(f, precise=precise, check=check, compiled=compiled, vectorized=vectorized)
    if isinstance(function, Objective):
        return function
    if not callable(function) and c_pointer(function) is None:
        raise TypeError(f"fun: got {type(function).__name__}, expected a callable f(x, *args) -> float")
    return Objective(function, precise, check, compiled and not vectorized, vectorized)


# --- evaluation --------------------------------------------------------------------------------------------------


@kernel
def evaluate_rows(function, args, x, f):
    """f[i] = objective(x[i]) for each row of x (n, D)."""
    for i in range(x.shape[0]):
        f[i] = call_value(function, args, row(x, i))


@kernel
def replay_row(function, args, x):
    """objective(x); raises what it raises."""
    return call(function, args, x)


@dataclass
class CompiledObjective:
    """An adapter and the record of its arguments: two addresses for compiled code."""

    adapter: Any  # a dispatcher
    args: tuple
    source: Objective
    runs_as = "compiled"
    record: np.ndarray = field(init=False)
    address: int = field(init=False)

    def __post_init__(self):
        self.record = pack(self.args)
        self.address = address_of(self.adapter)

    @property
    def args_address(self) -> int:
        return self.record.ctypes.data

    @property
    def problem(self) -> Functions:
        """What compiled code asks (asking.py)."""
        return Functions(self.address, self.args_address)

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) of the rows of x (n, D); an exception of the objective comes with the x that raised it."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        values = np.empty(len(x))
        self.evaluate_into(x, values)
        for i in np.flatnonzero(np.isnan(values)):
            if values[i : i + 1].view(np.int64)[0] == RAISED_BITS:
                self.replay(x[i])
        return values

    def evaluate_into(self, x: np.ndarray, values: np.ndarray) -> None:
        """values (n,) of the rows of x (n, D), C-contiguous doubles; RAISED_BITS where an exception was raised."""
        _evaluate_rows()(self.address, self.args_address, x, values)

    def replay(self, x: np.ndarray) -> None:
        """Raise what the objective raises at x."""
        try:
            _replay_row()(self.address, self.args_address, x.copy())
        except Exception as error:
            raise at_point(error, x) from None
        raise RuntimeError(f"the objective raised an exception at x = {x.tolist()}, and not when it was called again")

    def fingerprint(self) -> str:
        """A digest of the compiled code and its arguments, for checkpoints. C functions are told by their form only."""
        known = () if c_pointer(self.source.function) else self.args
        return fingerprint((self.adapter, known))


class PythonObjective:
    """An objective that stays in Python: one x per call, or a batch per call."""

    def __init__(self, source: Objective, args: tuple):
        self.source, self.args = source, args
        self.callback = Callback(self._timed)
        self.record = np.array([self.callback.address], dtype=np.int64)
        self.seconds = 0.0  # spent in the function
        self.batches = source.vectorized  # whether `evaluate` gains by many points at once

    @property
    def runs_as(self) -> str:
        return "python, vectorized" if self.source.vectorized else "python"

    @property
    def problem(self) -> Functions:
        """What compiled code asks: the function by a callback, one x at a time."""
        return Functions(_python_adapter(), self.record.ctypes.data)

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) of the rows of x (n, D)."""
        begin = time.perf_counter()
        try:
            if self.source.vectorized:
                return self._batch(x)
            return np.array([self._one(row.copy()) for row in x], dtype=np.float64)
        finally:
            self.seconds += time.perf_counter() - begin

    def replay(self, x: np.ndarray) -> None:
        """Raise what the function raised at x."""
        self.callback.raise_error()

    def _batch(self, x: np.ndarray) -> np.ndarray:
        try:
            values = np.asarray(self.source.function(x.copy(), *self.args))
        except Exception as error:
            raise at_point(error, x) from None
        if values.shape != (len(x),) or values.dtype.kind not in "biuf":
            raise TypeError(
                f"fun: got an array of shape {values.shape} and dtype {values.dtype} for {len(x)} points, "
                f"expected {len(x)} real numbers (the function was declared vectorized=True)"
            )
        values = values.astype(np.float64)
        return np.where(np.isnan(values), np.nan, values)  # no NaN of the user's is taken for the engine's own

    def _one(self, x: np.ndarray) -> float:
        return evaluate_one(self.source.function, self.args, x)

    def _timed(self, x: np.ndarray) -> float:
        begin = time.perf_counter()
        try:
            return float(self._batch(x[None])[0]) if self.source.vectorized else self._one(x)
        finally:
            self.seconds += time.perf_counter() - begin

    def fingerprint(self) -> str:
        return code_hash((self.source.function, self.args))


def evaluate_one(function: Callable, args: tuple, x: np.ndarray) -> float:
    """The value of a Python function at x, NaN where Python raises and compiled code would not; errors with their x."""
    given = x.copy()
    try:
        value = function(x, *args)
    except Exception as error:
        if undefined(error):
            return np.nan
        raise at_point(error, given) from None
    number = as_float(value)
    return number if number == number else np.nan  # no NaN of the user's is taken for the engine's own


def _python_adapter() -> int:
    """The address of the adapter of all Python objectives: the callback's address travels in the record."""

    def adapter(x, words):
        return call_python(load(words, SINGLE)[0], x)

    return address_of(_once("python", lambda: compile_for(kernel(adapter, inner=True), ADAPTER)))


def address_of(adapter) -> int:
    """Where the machine code of an adapter stands."""
    if not hasattr(adapter, "address"):
        compiled = adapter.overloads[ADAPTER.args]
        adapter.address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    return adapter.address


def _evaluate_rows():
    return _once("evaluate_rows", lambda: compile_for(evaluate_rows, (types.intp, types.intp, MATRIX, VECTOR)))


def _replay_row():
    return _once("replay_row", lambda: compile_for(replay_row, (types.intp, types.intp, VECTOR)))


# --- compilation -------------------------------------------------------------------------------------------------

_adapters: dict[Any, Any] = {}
_adapters_lock = threading.RLock()
KEPT = 1000  # adapters; the oldest goes first, and comes back from the disk with the same bits


def _once(key, make):
    """`make()`, once per process and key: there is one machine code per objective."""
    with _adapters_lock:
        if key not in _adapters:
            _adapters[key] = make()
            if len(_adapters) > KEPT:
                _adapters.pop(next(iter(_adapters)))
        return _adapters[key]


def _compilable(function):
    """The Python function behind what the user passed, or an error that says what to do."""
    if isinstance(function, Dispatcher):
        return function.py_func
    if isinstance(function, python_types.FunctionType):
        return function
    raise CompilationError(
        f"fun: got {type(function).__name__} {getattr(function, '__name__', '')}, expected a Python function, which "
        "Numba can compile.\nWrap it in one, as in lambda x: f(x, ...), with its data in args; "
        "or evaluate it in Python with objective(f, compiled=False)"
    )


NO_ARGUMENTS = record_type(())
_checked: dict[tuple, bool] = {}  # functions that were called once in this process -> whether they wrote into their x


def _sizes(args: tuple) -> tuple:
    """What the same code may read beyond: the shapes of arrays and the whole numbers in them, and numbers."""
    found: list = []
    for value in args:
        if isinstance(value, tuple):
            found.append(_sizes(value))
        elif isinstance(value, np.ndarray):
            found.append((value.shape, value.dtype.kind in "biu" and value.tobytes()))
        else:
            found.append(value)
    return tuple(found)


def _note_check(known: tuple, wrote: bool) -> bool:
    if len(_checked) > KEPT:
        _checked.clear()
    _checked[known] = wrote
    return wrote


def _adapter(function, known: tuple, precise: bool, copies: bool):
    """The compiled adapter of a function; content decides, so an edited global is never stale."""
    return _once((*known, precise, copies), lambda: _compile_adapter(function, known[1], precise, copies))


def _compile_adapter(function, record, precise: bool, copies: bool):
    reached: dict = {}
    try:
        flags, twins = (frozenset(), {}) if precise else (RELAXED, elementary.TWINS)
        compile_inner = partial(kernel, flags=flags, inner=True, inline=True, cached=False)
        inner = rebuild(function, twins, compile_inner, reached)
        if copies or stores_items(reached.values()):  # it may write into its x, which is a row of the population

            def adapter(x, address):
                return inner(x.copy(), *load(address, record))
        else:

            def adapter(x, address):
                return inner(contiguous(x), *load(address, record))

        return compile_for(kernel(adapter, inner=True), ADAPTER)
    except Exception as error:  # Numba's own, and whatever its inside stumbles upon
        raise explain(error, function) from None


# --- C functions -------------------------------------------------------------------------------------------------

SINGLE, PAIR = types.UniTuple(types.intp, 1), types.UniTuple(types.intp, 2)


def _bind_c(source: Objective, pointer: tuple[int, int | None], args: tuple) -> CompiledObjective:
    """A C function's address travels in the record, so that one cached adapter serves every C function."""
    if args:
        raise TypeError("args: a C function takes none; pass user_data through ctypes or scipy.LowLevelCallable")
    address, user_data = pointer
    record = (address,) if user_data is None else (address, user_data)

    def with_data(x, words):
        function, data = load(words, PAIR)
        return call_c(function, x, data)

    def without_data(x, words):
        return call_c(load(words, SINGLE)[0], x, None)

    adapter = without_data if user_data is None else with_data
    compiled = _once(adapter.__name__, lambda: compile_for(kernel(adapter, inner=True), ADAPTER))
    return CompiledObjective(compiled, record, source)
