"""The objective: how a function in whatever form becomes one machine code at one address.

Solver loops know one type of objective: `double f(double x[D], address of its arguments)` (adapters.py). Every path
calls it by its address, the reported `fun` included: two compilations of one function may differ in the last bit.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, overload

import numpy as np
from numba.core import types

from ..compile.fingerprint import fingerprint
from ..compile.indices import sizes_of, stays_inside
from ..compile.jit import compile_for, kernel
from ..compile.writes import RETURNS
from ..given import as_flag
from .adapters import KEPT, Form, adapter_of, address_of, c_adapter, once
from .arguments import RAISED_BITS, Packed, call, call_value, normalise, pack, record_type, row
from .asking import Functions
from .c_functions import c_pointer
from .carried import carried, opened
from .checking import CompilationError, at_point, takes_batches
from .comparing import call_plain, compare
from .in_python import PythonObjective
from .protecting import apart, members, refuse_changed, refuse_written, written_by

__all__ = ["CompilationError", "CompiledObjective", "Objective", "PythonObjective", "objective"]

MATRIX, VECTOR = types.float64[:, ::1], types.float64[::1]


@dataclass(frozen=True)
class Objective:
    """A function to be minimised and how it is to be called. Made by `objective`."""

    function: Callable[..., Any]
    precise: bool = False
    check: bool = True
    compiled: bool | Literal["auto"] = True
    vectorized: bool = False
    boundscheck: bool | None = None
    way: str = "value"  # what it returns: adapters.WAYS

    def __call__(self, x: Any, *args: Any) -> Any:
        return self.function(x, *args)

    def bind(self, args: tuple[Any, ...] = (), probe: np.ndarray | None = None) -> CompiledObjective | PythonObjective:
        """The objective with its arguments, ready to evaluate.

        `probe` (D,) or (n, D): where the plain function is called first, and compared with its machine code. Without
        one D may be any, and nothing is known of indices.
        """
        if not self.compiled:
            return PythonObjective(self, args)
        pointer = c_pointer(self.function)
        if pointer is not None:
            return _bind_c(self, pointer, args)
        try:
            return self._bind_compiled(args, probe)
        except Exception as error:
            reason = error
        point = None if probe is None else np.atleast_2d(probe)[0]
        if point is not None and _may_be_of_call(reason) and self._takes_batches(args, point):
            raise TypeError(
                "fun: got a function of a batch (n, D) of points, expected one of a point x (D,); "
                "objective(f, vectorized=True) calls it so (from thalweg import objective)"
            ) from reason
        if self.compiled != "auto" or not _is_of_numba(reason):
            raise reason
        if str(reason) not in _told:
            _told.add(str(reason))
            warnings.warn(f"{reason}\nIt is evaluated in Python, as compiled='auto' says", stacklevel=2)
        return PythonObjective(self, args)

    def _takes_batches(self, args: tuple, point: np.ndarray) -> bool:
        return takes_batches(self.function, apart(normalise(args)), point)

    def _bind_compiled(self, args: tuple, probe: np.ndarray | None) -> CompiledObjective:
        given = args if isinstance(args, tuple) else (args,)
        args = normalise(given)
        points = None if probe is None else np.atleast_2d(probe)
        form = _Form(self.function, args, whole=True)
        place, seen = (), None
        if points is not None and self.check:
            place = (*form.known, self.precise, self.boundscheck, points.tobytes(), _sizes(form.held + args))
            if place not in _checked:
                seen = call_plain(self.function, args, points)
        bound = self._compile(given, args, points, form)
        if seen is not None:
            bound.checks = len(seen)
            precise = replace(self, precise=True, check=False)
            _note_check(place, compare(self.function, args, seen, bound, lambda: precise.bind(args, points)))
        if (warning := _checked.get(place)) is not None:
            warnings.warn(warning, stacklevel=2)
        return bound

    def _compile(self, given: tuple, args: tuple, points: np.ndarray | None, form: _Form) -> CompiledObjective:
        """The function as it is, or else with constants in place of what it carries."""
        if (*form.known, self.precise) not in _constant:
            try:
                return self._bind_form(given, args, points, form)
            except CompilationError as error:
                reason = error
            plainer = _Form(self.function, args, whole=False)
            if plainer.known == form.known:
                raise reason
            _constant.add((*form.known, self.precise))
        return self._bind_form(given, args, points, _Form(self.function, args, whole=False))

    def _bind_form(self, given: tuple, args: tuple, points: np.ndarray | None, form: _Form) -> CompiledObjective:
        boundscheck, dimension = self.boundscheck, None
        if boundscheck is None:
            dimension = None if points is None else points.shape[1]
            boundscheck = not _stays_inside(self.function, form, dimension, args)
            dimension = None if boundscheck else dimension
        compiled = Form(form.function, *form.known, self.precise, boundscheck, self.way)
        bound = CompiledObjective(adapter_of(compiled), form.held + args, self, len(form.held), dimension)
        bound.form = compiled
        _, *written = bound.written
        count = len(list(members(form.held)))
        refuse_changed(form.function, form.held, written[:count])
        refuse_written(given, written[count:])
        return bound


class _Form:
    """A function as it is compiled (carried.py), what it is handed before `args`, and what tells its code."""

    def __init__(self, function, args: tuple, whole: bool):
        self.function, self.held = carried(function, len(args), whole)
        record = record_type(args, self.held) if args or self.held else NO_ARGUMENTS
        self.known = fingerprint(self.function), record


@overload
def objective(
    function: Callable[..., Any] | tuple[Any, ...], *, precise: bool = ..., check: bool = ...,
    compiled: bool | Literal["auto"] = ..., vectorized: bool = ..., boundscheck: bool | None = ...,
) -> Objective: ...  # fmt: skip
@overload
def objective(
    function: None = None, *, precise: bool = ..., check: bool = ...,
    compiled: bool | Literal["auto"] = ..., vectorized: bool = ..., boundscheck: bool | None = ...,
) -> Callable[[Callable[..., Any]], Objective]: ...  # fmt: skip
def objective(
    function: Any = None, *, precise=False, check=True, compiled: Any = True, vectorized=False, boundscheck=None
) -> Any:
    """Say how a function is to be compiled and called; also a decorator.

    Parameters
    ----------
    function : callable
        `f(x, *args) -> float` with x of shape (D,): a Python function, closure or lambda, a function compiled by
        Numba, a bound method, an object with `__call__` or a `functools.partial` (the numbers and arrays that they
        hold are read when a call begins), or a C function (ctypes, cffi, scipy.LowLevelCallable) of the form
        `double (int, double *, void *)` or `double (int, double *)`.
        Compiled, it may write into x and into arrays in `args`: each evaluation has its own copies of what it writes
        into, and nobody sees them afterwards.
    precise : bool, default False
        Keep `math`'s own functions and the order of every sum. By default sums may be reordered, and sin, cos, tan,
        exp, log, log1p, expm1 and tanh come from `thalweg.kernels.elementary` (at most 2 ulp, tanh 3), so that loops
        run on the vector unit.
    check : bool, default True
        Call the plain Python function at up to four points of the box (x0, one inside, two corners): its errors appear
        as themselves, and machine code that is another function is refused. One point where a call takes 0.1 s.
    compiled : bool or "auto", default True
        False evaluates in Python, one x per call. "auto" does so where the function cannot be compiled, and warns with
        the reason.
    vectorized : bool, default False
        The function takes a batch (n, D) and returns (n,); evaluated in Python.
    boundscheck : bool, optional
        Whether an index outside its array raises IndexError, in the function and in all it calls. By default that is
        so unless no index can be outside: those of loops over the arrays, as in `for i in range(x.size)`, cannot, and
        cost nothing. False trusts the function: an index outside reads, or overwrites, what stands there in memory.

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
        return lambda f: objective(
            f, precise=precise, check=check, compiled=compiled, vectorized=vectorized, boundscheck=boundscheck
        )
    if isinstance(function, Objective):
        return function
    if not callable(function) and c_pointer(function) is None:
        raise TypeError(f"fun: got {type(function).__name__}, expected a callable f(x, *args) -> float")
    precise, check = as_flag("precise", precise), as_flag("check", check)
    vectorized = as_flag("vectorized", vectorized)
    if isinstance(compiled, str) and compiled != "auto":
        raise TypeError(f"compiled: got {compiled!r}, expected True, False or 'auto'")
    compiled = compiled if isinstance(compiled, str) else as_flag("compiled", compiled)
    if boundscheck is not None:
        boundscheck = as_flag("boundscheck", boundscheck)
    return Objective(function, precise, check, False if vectorized else compiled, vectorized, boundscheck)


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
    args: tuple[Any, ...]  # what the function carries, then those of the user
    source: Objective
    held: int = 0  # how many of `args` the function carries
    dimension: int | None = None  # None: any; else that for which no index is outside, without bounds checks
    checks: int = 0  # calls of the plain function that were made for it
    derivatives: Any = None  # derivatives.Derivatives, where a method asks for them
    form: Form | None = None  # what was compiled; None for a C function
    kept: dict[str, Any] = field(default_factory=dict)  # adapters of its derivatives, which are called by address
    runs_as = "compiled"
    callback = None  # into Python
    record: np.ndarray = field(init=False)
    address: int = field(init=False)

    def __post_init__(self) -> None:
        self.record = pack(self.args)
        self.address = address_of(self.adapter)

    @property
    def args_address(self) -> int:
        return self.record.ctypes.data

    @property
    def given(self) -> tuple[Any, ...]:
        """The arguments that the user gave."""
        return self.args[self.held :]

    def problem(self) -> Packed:
        """What compiled code asks (asking.py), for one run. It holds this: addresses are no references."""
        functions = Functions(self.address, self.args_address)
        return Packed(functions, self) if self.derivatives is None else self.derivatives.functions(functions, self)

    @property
    def written(self) -> list[int]:
        """READ, MAYBE or WRITTEN of x, then of each array, or number, in the arguments (compile/writes.py)."""
        (compiled,) = self.adapter.overloads.values()
        return written_by(compiled, self.args)

    @property
    def returned(self) -> tuple[int, ...]:
        """The shape of what the function returns: () of a number, (1,) of a vector that holds one."""
        (compiled,) = self.adapter.overloads.values()
        return (1,) * (compiled.metadata or {}).get(RETURNS, 0)

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) of the rows of x (n, D); an exception of the objective comes with the x that raised it."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] == 0:
            raise ValueError(f"x: got shape {x.shape}, expected (n, D): rows of D variables, at least one")
        if self.dimension not in (None, x.shape[1]):
            return self.source.bind(self.args).evaluate(x)
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
        """Raise what the objective raises at x, or a function of its derivatives."""
        if self.derivatives is not None:
            self.derivatives.replay(x)
        try:
            _replay_row()(self.address, self.args_address, x.copy())
        except Exception as error:
            raise at_point(error, x) from None
        raise RuntimeError(f"the objective raised an exception at x = {x.tolist()}, and not when it was called again")

    def fingerprint(self) -> str:
        """A digest of the compiled code and its arguments, for checkpoints. C functions are told by their form only."""
        known = () if c_pointer(self.source.function) else self.args
        return fingerprint((self.adapter, known))


def _evaluate_rows():
    return once("evaluate_rows", lambda: compile_for(evaluate_rows, (types.intp, types.intp, MATRIX, VECTOR)))


def _replay_row():
    return once("replay_row", lambda: compile_for(replay_row, (types.intp, types.intp, VECTOR)))


def _may_be_of_call(error: Exception) -> bool:
    """Whether an error may come out of a call of the plain function, with arguments that were fit for it."""
    return not isinstance(error, CompilationError) and not str(error).startswith("args")


def _is_of_numba(error: Exception) -> bool:
    """Whether an error says that something cannot be compiled."""
    return isinstance(error, CompilationError) or (isinstance(error, TypeError) and str(error).startswith("args["))


_told: set[str] = set()  # reasons for which functions are evaluated in Python
_constant: set[tuple] = set()  # what compiles only with whole numbers, and what stands in cells, as constants

# --- what was checked before ---------------------------------------------------------------------------------------

SAMPLE = 10_000  # numbers of a large array that are looked at
NO_ARGUMENTS = record_type(())
_checked: dict[tuple, str | None] = {}  # what was compared in this process -> a warning
_inside: dict[tuple, bool] = {}  # functions, with sizes -> whether no index can be outside


def _stays_inside(function, form: _Form, dimension: int | None, args: tuple) -> bool:
    """Whether no index can be outside: of what is bound to parameters beforehand, nothing is proven."""
    source, positional, keywords = opened(function)
    place = (*form.known, dimension, sizes_of(form.held + args), bool(positional or keywords))
    if place not in _inside:
        if len(_inside) > KEPT:
            _inside.clear()
        _inside[place] = not place[-1] and stays_inside(source, dimension, args)
    return _inside[place]


def _sizes(args: tuple) -> tuple:
    """What decides how the same code runs: numbers, and the shapes and contents of arrays (of large ones a sample)."""
    found: list = []
    for value in args:
        if isinstance(value, tuple):
            found.append(_sizes(value))
        elif isinstance(value, np.ndarray):
            step = max(value.size // SAMPLE, 1)
            found.append((value.shape, hashlib.sha256(value.ravel()[::step].tobytes()).digest()))
        else:
            found.append(value)
    return tuple(found)


def _note_check(known: tuple, warning: str | None) -> None:
    _checked[known] = warning
    if len(_checked) > KEPT:
        del _checked[next(iter(_checked))]


def _bind_c(source: Objective, pointer: tuple[int, int | None], args: tuple) -> CompiledObjective:
    if args:
        raise TypeError("args: a C function takes none; pass user_data through ctypes or scipy.LowLevelCallable")
    address, user_data = pointer
    record = (address,) if user_data is None else (address, user_data)
    return CompiledObjective(c_adapter(user_data is not None), record, source)
