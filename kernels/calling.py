"""The calling convention: how an objective in whatever form becomes one machine code at one address.

Solver loops know one type of objective: `double f(double x[D], address of its arguments)`. An adapter, compiled once
per objective and process, unpacks the arguments (arguments.py) and calls the user's function, in which `math.cos` and
its kin have been replaced by the engine's vectorisable ones (substitution.py, elementary.py). Every path calls the
adapter by its address, the reported `fun` included: two compilations of one function may differ in the last bit.
"""

from __future__ import annotations

import ctypes
import dis
import hashlib
import math
import threading
import types as python_types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from . import elementary
from .arguments import RAISED_BITS, call_c, call_row, load, normalise, pack, record_type
from .jit import compile_for, fingerprint, kernel, relaxed
from .substitution import plain, rebuild

ADAPTER = types.float64(types.float64[::1], types.intp)
MATRIX, VECTOR = types.float64[:, ::1], types.float64[::1]


class CompilationError(TypeError):
    """The objective is beyond what Numba compiles."""


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
        pointer = _c_pointer(self.function)
        if pointer is not None:
            return _bind_c(self, pointer, args)
        function = _compilable(self.function)
        args = normalise(args)
        copies = probe is not None and self.check and _check(function, args, probe)
        return CompiledObjective(_adapter(function, record_type(args), self.precise, copies), args, self)


def objective(function=None, *, precise=False, check=True, compiled=True, vectorized=False):
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
    if not callable(function) and _c_pointer(function) is None:
        raise TypeError(f"fun: got {type(function).__name__}, expected a callable f(x, *args) -> float")
    return Objective(function, precise, check, compiled and not vectorized, vectorized)


# --- evaluation --------------------------------------------------------------------------------------------------


@kernel
def evaluate_rows(function, args, x, f):
    """f[i] = objective(x[i]) for each row of x (n, D)."""
    for i in range(x.shape[0]):
        f[i] = call_row(function, args, x, i)


@dataclass
class CompiledObjective:
    """An adapter and the record of its arguments: two addresses for compiled code."""

    adapter: Dispatcher
    args: tuple
    source: Objective
    runs_as = "compiled"
    record: np.ndarray = field(init=False)
    address: int = field(init=False)

    def __post_init__(self):
        self.record = pack(self.args)
        compiled = self.adapter.overloads[ADAPTER.args]
        self.address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)

    @property
    def args_address(self) -> int:
        return self.record.ctypes.data

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) of the rows of x (n, D); an exception of the objective comes with the x that raised it."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        values = np.empty(len(x))
        _evaluate_rows()(self.address, self.args_address, x, values)
        for i in np.flatnonzero(np.isnan(values)):
            if values[i : i + 1].view(np.int64)[0] == RAISED_BITS:
                self.replay(x[i])
        return values

    def replay(self, x: np.ndarray) -> None:
        """Raise what the objective raises at x."""
        try:
            self.adapter(x.copy(), self.args_address)
        except Exception as error:
            raise at_point(error, x) from None
        raise RuntimeError(f"the objective raised an exception at x = {x.tolist()}, and not when it was called again")

    def fingerprint(self) -> str:
        """A digest of the compiled code and its arguments, for checkpoints."""
        digest = hashlib.sha256(fingerprint(self.adapter).encode())
        _digest_args(digest, self.args)
        return digest.hexdigest()


@dataclass
class PythonObjective:
    """An objective that stays in Python: one x per call, or a batch per call."""

    source: Objective
    args: tuple

    @property
    def runs_as(self) -> str:
        return "python, vectorized" if self.source.vectorized else "python"

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        if not self.source.vectorized:
            return np.array([self._one(row) for row in x], dtype=np.float64)
        try:
            values = np.asarray(self.source.function(x.copy(), *self.args))
        except Exception as error:
            raise at_point(error, x) from None
        if values.shape != (len(x),) or values.dtype.kind not in "biuf":
            raise TypeError(
                f"fun: got an array of shape {values.shape} and dtype {values.dtype} for {len(x)} points, "
                f"expected {len(x)} real numbers (the function was declared vectorized=True)"
            )
        return values.astype(np.float64)

    def _one(self, row: np.ndarray) -> float:
        try:
            value = self.source.function(row.copy(), *self.args)
        except ARITHMETIC_ERRORS:
            return np.nan
        except Exception as error:
            raise at_point(error, row) from None
        return _as_float(value)

    def fingerprint(self) -> str:
        digest = hashlib.sha256(fingerprint(self.source.function).encode())
        _digest_args(digest, self.args)
        return digest.hexdigest()


def _evaluate_rows():
    return _once("evaluate_rows", lambda: compile_for(evaluate_rows, (types.intp, types.intp, MATRIX, VECTOR)))


def _digest_args(digest, value) -> None:
    if isinstance(value, tuple | list):
        for member in value:
            _digest_args(digest, member)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes() if value.dtype.kind != "O" else repr(value).encode())
    else:
        digest.update(repr(value).encode())


# --- compilation -------------------------------------------------------------------------------------------------

_adapters: dict[Any, Any] = {}
_adapters_lock = threading.RLock()


def _once(key, make):
    """`make()`, once per process and key: there is one machine code per objective."""
    with _adapters_lock:
        if key not in _adapters:
            _adapters[key] = make()
        return _adapters[key]


def _compilable(function):
    """The Python function behind what the user passed, or an error that says what to do."""
    if isinstance(function, Dispatcher):
        return function.py_func
    if isinstance(function, python_types.FunctionType):
        return function
    kind = type(function).__name__
    raise CompilationError(
        f"fun: got {kind} {getattr(function, '__name__', '')!s}, which Numba cannot compile; expected a Python function. "
        "Wrap it in one, or evaluate it in Python with objective(f, compiled=False)"
    )


def _adapter(function, record: types.BaseTuple, precise: bool, copies: bool):
    """The compiled adapter of a function; content decides, so an edited global is never stale."""
    key = (fingerprint(function), str(record), precise, copies)
    return _once(key, lambda: _compile_adapter(function, record, precise, copies))


def _compile_adapter(function, record, precise: bool, copies: bool):
    inner = rebuild(function, {}, kernel) if precise else rebuild(function, elementary.TWINS, relaxed)
    if copies:

        def adapter(x, address):  # the function writes into its x, which is a row of the population
            return inner(x.copy(), *load(address, record))
    elif len(record):

        def adapter(x, address):
            return inner(x, *load(address, record))
    else:

        def adapter(x, address):
            return inner(x)

    try:
        return compile_for(kernel(adapter), ADAPTER)
    except NumbaError as error:
        raise CompilationError(
            f"fun: Numba cannot compile {function.__name__}: {_reason(error)}\n"
            "Write it with numbers, arrays and loops, or evaluate it in Python with objective(f, compiled=False)"
        ) from None


def _reason(error: Exception) -> str:
    """Numba's reason in at most two lines: what it did not understand, and where."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith(("Failed in", "During:", "- Resolution", "There are", "- Of which"))]
    where = [line for line in lines if line.startswith("File ") and "thalweg" not in line]
    return "\n".join([*[line for line in lines if not line.startswith("File ")][:1], *where[-1:]])


# --- C functions -------------------------------------------------------------------------------------------------


def _c_pointer(function) -> tuple[int, int | None] | None:
    """(address, user data or None) of a C function, or None where it is none."""
    if isinstance(function, ctypes._CFuncPtr):
        forms = [(ctypes.c_int, ctypes.POINTER(ctypes.c_double)), (ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_void_p)]
        if function.restype is not ctypes.c_double or tuple(function.argtypes or ()) not in forms:
            raise TypeError("fun: got a ctypes function of another form, expected restype c_double and argtypes (c_int, POINTER(c_double)[, c_void_p])")
        address = ctypes.cast(function, ctypes.c_void_p).value or 0
        return address, 0 if len(function.argtypes) == 3 else None
    module = type(function).__module__
    if module == "_cffi_backend":
        return _cffi_pointer(function)
    if type(function).__name__ == "LowLevelCallable" and module.startswith("scipy"):
        return _low_level_pointer(function)
    return None


def _cffi_pointer(function) -> tuple[int, int | None]:
    import _cffi_backend

    form = _cffi_backend.typeof(function).cname.replace(" ", "")
    if form not in ("double(*)(int,double*)", "double(*)(int,double*,void*)"):
        raise TypeError(f"fun: got the C function {form}, expected double (*)(int, double *[, void *])")
    address = int(_cffi_backend.cast(_cffi_backend.FFI().typeof("intptr_t"), function))
    return address, 0 if form.endswith("void*)") else None


def _low_level_pointer(function) -> tuple[int, int | None]:
    signature = function.signature.replace(" ", "")
    if signature not in ("double(int,double*)", "double(int,double*,void*)"):
        raise TypeError(f"fun: got the C function {function.signature}, expected double (int, double *[, void *])")
    capsule = tuple.__getitem__(function, 0)
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    for read in (api.PyCapsule_GetPointer, api.PyCapsule_GetContext):
        read.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes, api.PyCapsule_GetContext.argtypes = [ctypes.py_object, ctypes.c_char_p], [ctypes.py_object]
    address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return address, (api.PyCapsule_GetContext(capsule) or 0) if signature.endswith("void*)") else None


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
    return CompiledObjective(_once(adapter.__name__, lambda: compile_for(kernel(adapter), ADAPTER)), record, source)


SINGLE, PAIR = types.UniTuple(types.intp, 1), types.UniTuple(types.intp, 2)


# --- the first check ---------------------------------------------------------------------------------------------

ARITHMETIC_ERRORS = (ZeroDivisionError, OverflowError, FloatingPointError)  # compiled code gives inf or nan there


def _check(function, args: tuple, probe: np.ndarray) -> bool:
    """Call the plain Python function once, so that what is wrong with it appears as itself. True: it writes into x."""
    x = np.array(probe, dtype=np.float64)
    try:
        with np.errstate(all="ignore"):
            value = plain(function)(x, *args)
    except ARITHMETIC_ERRORS:
        return not np.array_equal(x, probe)
    except Exception as error:
        if _is_domain_error(error):
            return not np.array_equal(x, probe)
        raise at_point(error, probe) from None
    _as_float(value)
    return not np.array_equal(x, probe, equal_nan=True)


def _as_float(value) -> float:
    """The value of an objective as a float, or an error that says what was returned."""
    if isinstance(value, float | int | bool | np.floating | np.integer | np.bool_):
        return float(value)
    if isinstance(value, np.ndarray):
        got = f"an array of shape {value.shape}"
    else:
        got = "None" if value is None else f"{type(value).__name__} {value!r:.40}"
    raise TypeError(f"fun: the objective returned {got}, expected one real number")


def _is_domain_error(error: Exception) -> bool:
    """math.log(-1) and its kin: a ValueError that no `raise` statement made. Compiled code gives nan there."""
    trace = error.__traceback__
    if not isinstance(error, ValueError) or trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raised = any(i.offset == trace.tb_lasti and i.opname == "RAISE_VARARGS" for i in dis.get_instructions(code))
    return not raised and any(name in code.co_names for name in (*vars(math), "math"))


def at_point(error: Exception, x: np.ndarray) -> Exception:
    """The exception, with the x that raised it as a note and as the attribute `x`."""
    error.add_note(f"raised by the objective at x = {np.array2string(np.asarray(x), threshold=20)}")
    try:
        error.x = np.array(x)  # type: ignore[attr-defined]
    except AttributeError:
        pass
    return error
