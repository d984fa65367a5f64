"""The loss of one row as machine code: of a block of rows at once, differentiated automatically.

A user writes `loss(w, x_i, y_i)`, or for linear models `loss(z, y_i)` with z = w x_i; without y, `loss(w, x_i)` or
`loss(z)`. What is compiled is the weighted sum over a block of rows,

    f(z) = sum_i s_i loss(z_i, y_i)        of the linear form: its gradient is the slope of each row
    f(w) = sum_i s_i loss(w, x_i, y_i)     of the general form

as an objective like any other, called by its address. So a row costs 5 ns where a call for each row would cost 90
(logistic loss and slope, measured), and in the linear form the loops over a block run on the vector unit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..calling.arguments import pack
from ..calling.checking import CompilationError, as_float, undefined
from ..calling.objective import CompiledObjective, Objective, objective
from ..compile.substitution import plain
from ..reals import shortened

LINES = 64  # rows of a block: of 50 columns they take 25 KiB, and stay in the cache between two looks


@dataclass(frozen=True)
class Loss:
    """What the user wrote, and in which form."""

    source: Objective
    linear: bool
    supervised: bool  # whether there is a y

    def at(self, w: Any, x: np.ndarray | None, y: Any) -> float:
        """The loss of one row in plain Python; the linear form is given z for w."""
        rest = (() if x is None else (x,)) + ((y,) if self.supervised else ())
        try:
            return as_float(plain(self.source.function)(w, *rest))
        except Exception as error:
            if undefined(error):
                return np.nan
            if isinstance(error, TypeError) and str(error).startswith("fun: the objective returned"):
                raise TypeError(str(error).replace("fun: the objective returned", "loss: returned")) from None
            raise

    def bind(self, w: np.ndarray, X: np.ndarray | None, y: np.ndarray | None) -> CompiledObjective:
        """The sum over a block as machine code; w: where it is compared with Python (in the linear form, z)."""
        weights = np.ones(LINES)
        given = tuple(array for array in (X, y, weights) if array is not None)
        function = _over_block(self.source.function, self.linear, self.supervised)
        try:
            bound = replace(self.source, function=function).bind(given, w)
        except CompilationError as error:
            raise type(error)(str(error).replace("fun:", "loss:")) from None
        assert isinstance(bound, CompiledObjective)
        return bound


def read_loss(loss: Any, linear: bool | None, supervised: bool) -> Loss:
    """A loss and its form, which its signature tells.

    Raises
    ------
    TypeError
        Where it is no function, stays in Python, or its signature fits neither form.
    """
    if not callable(loss):
        raise TypeError(f"loss: got {shortened(loss)}, expected a function, {forms(supervised)}")
    source: Any = objective(loss)
    if source.compiled is not True:
        raise TypeError("loss: got a function that is evaluated in Python, expected one that can be compiled")
    return Loss(source, _is_linear(source.function, supervised) if linear is None else linear, supervised)


def forms(supervised: bool) -> str:
    """How a loss is written."""
    return "loss(w, x, y), or loss(z, y) of z = w x" if supervised else "loss(w, x), or loss(z) of z = w x"


def _is_linear(function: Callable, supervised: bool) -> bool:
    """Whether the loss is one of z, by the number of its arguments."""
    try:
        parameters = inspect.signature(getattr(function, "py_func", function)).parameters.values()
    except (TypeError, ValueError):
        raise TypeError("loss: its signature cannot be read; say linear=True or linear=False") from None
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in places)
    of_linear = 1 + supervised
    for count in (needed, len(places)):
        if count in (of_linear, of_linear + 1) and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return count == of_linear
    raise TypeError(f"loss: got a function of {inspect.signature(function)}, expected {forms(supervised)}")


def _over_block(loss: Callable, linear: bool, supervised: bool) -> Callable:
    def of_z_and_y(z, y, s):
        total = 0.0
        for i in range(z.size):
            total += s[i] * loss(z[i], y[i])
        return total

    def of_z(z, s):
        total = 0.0
        for i in range(z.size):
            total += s[i] * loss(z[i])
        return total

    def of_rows_and_y(w, X, y, s):
        total = 0.0
        for i in range(s.size):
            total += s[i] * loss(w, X[i], y[i])
        return total

    def of_rows(w, X, s):
        total = 0.0
        for i in range(s.size):
            total += s[i] * loss(w, X[i])
        return total

    forms = {(True, True): of_z_and_y, (True, False): of_z, (False, True): of_rows_and_y, (False, False): of_rows}
    over_block = forms[linear, supervised]
    over_block.__name__ = getattr(loss, "__name__", type(loss).__name__)  # for messages
    return over_block


def words_before(bound: CompiledObjective) -> np.ndarray:
    """What the loss carries, the first words of its record; those of the rows follow."""
    return pack(bound.args[: bound.held]) if bound.held else np.zeros(0, np.int64)
