"""The plain function against its machine code, at a few points before the run: what differs is refused, or warned of.

Numba's types are not Python's (python_numbers.py), and LLVM may reorder sums and factors. So both are asked for their
values at up to four points of the box. The function itself is the reference:

    one raises and the other gives a number, or one is finite and the other is not    refused
    a relative difference above 1e-6                                                  warned of
    the function differs from itself (noise, a state)                                 nothing is said
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compile.substitution import plain
from .arguments import RAISED_BITS
from .checking import CompilationError, as_float, at_point, undefined
from .protecting import apart

SLOW = 0.1  # seconds of a call of the plain function, above which no second one is made
ALIKE = 1e-6  # relative difference of values that were summed in another order


@dataclass
class Outcome:
    """What a function gave at x."""

    x: np.ndarray
    value: float  # NaN where it raised
    error: Exception | None = None

    def __str__(self) -> str:
        return f"raises {type(self.error).__name__} ({self.error})" if self.error else f"gives {self.value}"

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.value)


def call_plain(function, args: tuple, points: np.ndarray) -> list[Outcome]:
    """The plain Python function at the points (n, D); its errors at the first one are raised."""
    function, outcomes = plain(function), []
    for point in points:
        begin = time.perf_counter()
        outcome = _outcome(function, args, point)
        if outcome.error is not None and not outcomes and not undefined(outcome.error):
            raise at_point(outcome.error, point) from None
        outcomes.append(outcome)
        if time.perf_counter() - begin > SLOW:
            break
    return outcomes


def _outcome(function, args: tuple, point: np.ndarray) -> Outcome:
    try:
        with np.errstate(all="ignore"):
            value = function(np.array(point, dtype=np.float64), *apart(args))
    except Exception as error:
        return Outcome(point, math.nan, error)
    try:
        return Outcome(point, as_float(value))
    except OverflowError as error:  # a whole number that no float holds
        return Outcome(point, math.nan, error)
    except TypeError as error:
        raise at_point(error, point) from None


def compare(function, args: tuple, seen: list[Outcome], bound: Any, precisely: Callable[[], Any]) -> str | None:
    """What to warn of; None: nothing. CompilationError: the machine code is another function than Python's.

    bound: evaluates the machine code; precisely: makes what evaluates that of `precise=True`.
    """
    compiled = _compiled_outcomes(bound, seen)
    values = [abs(outcome.value) for outcome in seen + compiled if outcome.is_finite]
    scale = max(values, default=0.0)
    found = None
    for python, machine in zip(seen, compiled):
        differs = _are_different(python, machine)
        if not differs and abs(python.value - machine.value) <= ALIKE * abs(python.value) + 1e-12 * max(scale, 1e-3):
            continue
        if not differs and not python.is_finite:
            continue
        again = _outcome(plain(function), args, python.x)
        if str(again) != str(python):
            return None
        text = f"fun: at x = {np.array2string(python.x, threshold=20)} Python {python} and compiled code {machine}"
        if differs:
            raise CompilationError(f"{text}, expected the same.\n{_advice(python, machine, precisely)}")
        found = found or (
            f"{text}. Sums and factors may be reordered (objective(f, precise=True) keeps their order), and sums of "
            "whole numbers wrap at 64 bits: see docs/what-compiles.md"
        )
    return found


def _compiled_outcomes(bound, outcomes: list[Outcome]) -> list[Outcome]:
    """What the machine code gives at the same points."""
    x, values = np.array([outcome.x for outcome in outcomes]), np.empty(len(outcomes))
    bound.evaluate_into(x, values)
    found = [Outcome(point, float(value)) for point, value in zip(x, values)]
    for outcome, bits in zip(found, values.view(np.int64)):
        if bits == RAISED_BITS:
            try:
                bound.replay(outcome.x)
            except Exception as error:
                outcome.error = error
    return found


def _are_different(python: Outcome, machine: Outcome) -> bool:
    if machine.error is not None:
        return python.error is None
    if python.error is not None and not undefined(python.error):
        return True
    if machine.value == -math.inf:  # it would be the best
        return python.value != -math.inf
    return python.is_finite != machine.is_finite


def _advice(python: Outcome, machine: Outcome, precisely: Callable[[], Any]) -> str:
    """Why they differ, and what to write."""
    in_python = "evaluate it in Python with thalweg.objective(f, compiled=False)"
    if machine.error is not None:
        return f"Write it so that it fits, or {in_python}"
    if python.error is not None:
        return (
            "Compiled arithmetic goes on with inf or NaN where Python raises: test the values beforehand, write "
            f"NumPy's function (np.exp), which raises in neither, or {in_python}"
        )
    (precise,) = _compiled_outcomes(precisely(), [python])
    if not _are_different(python, precise):
        return "Factors and sums were reordered: thalweg.objective(f, precise=True) keeps their order"
    return (
        "Whole numbers wrap at 64 bits in compiled code, and division by 0 gives inf (docs/what-compiles.md): "
        f"write floats, or {in_python}"
    )
