"""Objectives that stay in Python: one x per call, from the compiled loop by a callback; or a batch per call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compile.code_hash import code_hash
from .adapters import address_of, python_adapter
from .arguments import Packed
from .asking import Functions
from .callback import Callback
from .checking import as_float, at_point, undefined

if TYPE_CHECKING:
    from .objective import Objective


class PythonObjective:
    """An objective that stays in Python: one x per call, or a batch per call."""

    def __init__(self, source: Objective, args: tuple[Any, ...]):
        self.source: Objective = source
        self.args: tuple[Any, ...] = args
        self.callback: Callback = Callback(self._timed)
        self.record: np.ndarray = np.array([self.callback.address], dtype=np.int64)
        self.seconds: float = 0.0  # spent in the function
        self.batches: bool = source.vectorized  # whether `evaluate` gains by many points at once
        self.derivatives: Any = None  # derivatives.Derivatives, where a method asks for them

    @property
    def runs_as(self) -> str:
        return "python, vectorized" if self.source.vectorized else "python"

    @property
    def given(self) -> tuple[Any, ...]:
        """The arguments that the user gave."""
        return self.args

    @property
    def address(self) -> int:
        return address_of(python_adapter())

    def problem(self) -> Packed:
        """What compiled code asks, for one run: the function by a callback, one x at a time."""
        functions = Functions(self.address, self.record.ctypes.data)
        return Packed(functions, self) if self.derivatives is None else self.derivatives.functions(functions, self)

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
        """Raise what the function raised at x, or one of its derivatives."""
        if self.derivatives is not None and not self.callback.errors:
            self.derivatives.replay(x)
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
    return number_of(value)


def number_of(value) -> float:
    """What a Python function returned as a float: no NaN of the user's is taken for the engine's own."""
    number = as_float(value)
    return number if number == number else np.nan
