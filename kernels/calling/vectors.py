"""Functions of the user that return several numbers: a gradient, a Hessian, residuals.

They stand behind an address as objectives do, compiled or as a callback into Python: `double f(double x[D], address of
the arguments, double out[M])`, which returns 0, or raises.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..compile.substitution import plain
from ..reals import NotReal, real_array, shortened
from .adapters import address_of, python_vector_adapter
from .arguments import WORD, normalise, pack
from .callback import Callback
from .checking import CompilationError, at_point
from .objective import CompiledObjective, Objective, objective
from .protecting import apart


class VectorFunction:
    """`function(x, *args)`, an array of a known shape, by address.

    Parameters
    ----------
    name : str
        What the caller knows it by, for messages.
    function : callable or Objective
    args : tuple
    probe : (D,) array
        Where it is called first, in Python: its errors appear as themselves, and so does a wrong shape.
    shape : tuple of int, optional
        That is expected; by default the one that it has at `probe`.
    compiled : bool
        False evaluates in Python.
    steady : bool
        Whether `args` stay as they are, so that what Python gave at `probe` need not be asked again.
    """

    def __init__(
        self, name: str, function: Any, args: tuple, probe: np.ndarray, shape: tuple | None = None, compiled=True,
        steady=True,
    ):  # fmt: skip
        self.name, self.args, self.source = name, args, _source(name, function)
        self.compiled: bool = bool(compiled and self.source.compiled)
        self._unless_impossible(lambda: normalise(args))
        self.shape: tuple | None = shape
        self.single: bool = False  # whether it computes in single precision
        self.dimensions: int = 0  # of what it returned
        self.first: np.ndarray = self._evaluate(probe)  # at `probe`
        self.shape = self.first.shape
        self.callback: Callback | None = None
        self._unless_impossible(lambda: self._compile(probe))
        if self.compiled:
            self.address, self.args_address = self.bound.address, self.bound.args_address
        else:
            evaluate = once_known(self._evaluate, probe, self.first) if steady else self._evaluate
            self.callback = Callback(evaluate, self.first.size)
            self.record = np.array([self.callback.address], dtype=np.int64)
            self.address, self.args_address = address_of(python_vector_adapter()), int(self.record.ctypes.data)

    def _unless_impossible(self, step: Callable[[], Any]) -> None:
        """A step of compiling; where it fails the function is evaluated in Python, if compiled='auto' says so."""
        try:
            if self.compiled:
                step()
        except TypeError as error:
            if self.source.compiled != "auto":
                raise
            warnings.warn(f"{error}\nIt is evaluated in Python, as compiled='auto' says", stacklevel=5)
            self.compiled = False

    def _compile(self, probe: np.ndarray) -> None:
        try:
            bound = replace(self.source, way="vector", check=False, compiled=True).bind(self.args, probe)
        except CompilationError as error:
            raise CompilationError(str(error).replace("fun:", f"{self.name}:")) from None
        assert isinstance(bound, CompiledObjective)
        self.bound = bound

    def _evaluate(self, x: np.ndarray) -> np.ndarray:
        """The array that the plain function gives at x."""
        args = apart(normalise(self.args)) if self.compiled else self.args
        try:
            value = plain(self.source.function)(x.copy(), *args)
        except Exception as error:
            raise at_point(error, x) from None
        try:
            self.single = getattr(value, "dtype", None) == np.float32
            array = np.atleast_1d(real_array(dense(value)))
            self.dimensions = array.ndim
        except NotReal as error:
            raise TypeError(f"{self.name}: returned {shortened(value)}, {error}; expected numbers") from error
        if self.shape is None:
            return array
        if [n for n in array.shape if n > 1] != [n for n in self.shape if n > 1]:
            raise ValueError(f"{self.name}: returned an array of shape {array.shape}, expected {self.shape}")
        return array.reshape(self.shape)

    def place_beside(self, objective) -> tuple[int, int]:
        """(address of its arguments; 0, if they are those of the objective, so many bytes behind what that carries)"""
        if not self.compiled or self.bound.held:
            return self.args_address, 0
        return 0, WORD * len(pack(objective.args[: objective.held])) if objective.held else 0

    def record_with(self, first) -> np.ndarray:
        """The record of its arguments, with another one in the place of the first."""
        if not self.compiled:
            return self.record
        held, given = self.bound.args[: self.bound.held], self.bound.given
        return pack((*held, first, *given[1:]))

    def replay(self, x: np.ndarray) -> None:
        """Raise what the function raises at x, if it does."""
        if self.callback is not None and self.callback.errors:
            self.callback.raise_error()
        self._evaluate(x)


def once_known(evaluate: Callable, probe: np.ndarray, first: np.ndarray) -> Callable:
    """`evaluate`, whose first call does not ask again for what is known at `probe`."""
    known: list[np.ndarray] = [first]

    def evaluate_or_tell(x: np.ndarray) -> np.ndarray:
        if known and x.tobytes() == np.asarray(probe, dtype=np.float64).tobytes():
            return known.pop()
        known.clear()
        return evaluate(x)

    return evaluate_or_tell


def like(source: Objective, function: Any) -> Any:
    """A function that is compiled as another one, unless it says itself how."""
    if isinstance(function, Objective) or not callable(function):
        return function
    return replace(source, function=function)


def dense(value: Any) -> Any:
    """A sparse matrix, or a linear operator, as the array that it stands for."""
    if hasattr(value, "toarray"):
        return value.toarray()
    if hasattr(value, "matmat") and hasattr(value, "shape"):
        return value.matmat(np.eye(value.shape[1]))
    return value


def both_of(function: Callable) -> Callable:
    """(value, *gradient) in one array, of a function that returns (value, gradient)."""

    def both(x, *args):
        value, gradient = function(x, *args)
        numbers = np.empty(1 + len(gradient))
        numbers[:1] = value  # a number, or an array of one
        numbers[1:] = gradient
        return numbers

    return both


def value_of(function: Callable) -> Callable:
    """The value alone, of a function that returns (value, gradient)."""

    def value(x, *args):
        return function(x, *args)[0]

    return value


@dataclass(frozen=True)
class Pair:
    """A function that returns (value, gradient), as SciPy's `jac=True` means it."""

    function: Callable


def _source(name: str, function: Any) -> Objective:
    if not callable(function):
        raise TypeError(f"{name}: got {shortened(function)}, expected a function of (x, *args)")
    found: Callable = objective(function)
    return found
