"""A function at complex x, for derivatives by the complex step: `double f(complex x[D], arguments, complex out[M])`."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from ..compile.jit import compile_for, kernel
from ..compile.substitution import plain
from .adapters import SINGLE, WAYS, address_of, once
from .arguments import call_python_into, load, normalise
from .callback import Callback
from .jacobians import parts_of
from .objective import Objective
from .protecting import apart


class ComplexFunction:
    """`fun` at complex points, by address; a number that it returns is an array of one.

    Parameters
    ----------
    source : Objective
    args : tuple
    probe : (D,) array
    count : int
        Of the numbers that it returns.
    compiled : bool

    Raises
    ------
    TypeError
        Where it takes no complex numbers, or gives real ones for them: its derivative would be 0.
    """

    def __init__(self, source: Objective, args: tuple, probe: np.ndarray, count: int, compiled: bool):
        self.source, self.args, self.callback = source, args, None
        if compiled:
            self._ask(probe.astype(np.complex128), apart(normalise(args)))
            exact: Any = replace(source, way="complex vector", precise=True, check=False, compiled=True)
            self.bound: Any = exact.bind(args, probe)
            self.address, self.args_address = self.bound.address, self.bound.args_address
            return
        self.callback = Callback(lambda parts: self._ask(parts.view(np.complex128), args).view(np.float64), 2 * count)
        self.record = np.array([self.callback.address], dtype=np.int64)
        self.address, self.args_address = address_of(_python_adapter()), int(self.record.ctypes.data)

    def _ask(self, x: np.ndarray, args: tuple) -> np.ndarray:
        try:
            value = np.atleast_1d(plain(self.source.function)(x.copy(), *args))
        except TypeError as error:
            raise TypeError(f"jac: got 'cs', and fun takes no complex numbers: {error}; expected {ELSE}") from error
        if not np.iscomplexobj(value):
            raise TypeError(f"jac: got 'cs', and fun gives real numbers for complex ones; expected {ELSE}")
        return np.ascontiguousarray(value, dtype=np.complex128)

    def check_slope(self, x: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        """Refuse a function that loses imaginary parts on its way (abs, math.sin): differences give another slope.

        Along one random direction, at four evaluations, which do not count. Where differences tell nothing, it passes.
        """
        args = apart(normalise(self.args)) if self.callback is None else self.args
        scale = np.where(upper - lower > 4 * STEP * (1.0 + np.abs(x)), 1.0 + np.abs(x), 0.0)
        inward = np.where(x + 4 * STEP * scale > upper, -1.0, 1.0)
        along = scale * inward * np.random.default_rng(20261126).uniform(0.5, 1.0, len(x))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            slope = float(self._ask(x + 1e-20j * along, args)[0].imag / 1e-20)
            first, near, far = (self._ask((x + h * STEP * along) + 0j, args)[0].real for h in (0.0, 1.0, 2.0))
        found = (4.0 * near - 3.0 * first - far) / (2.0 * STEP)
        doubt = 10.0 * abs((near - first) / STEP - found) + 1e-3 * abs(found) + 1e-9 * abs(first) / STEP
        if abs(slope - found) > doubt:
            raise ValueError(
                f"jac: got 'cs', whose slope of fun is {slope:.6g} where differences give {found:.6g}: fun loses "
                f"imaginary parts on its way (abs, math.sin ...); expected {ELSE}"
            )

    def replay(self, x: np.ndarray) -> None:
        """Raise what the function raised, if it did."""
        if self.callback is not None and self.callback.errors:
            self.callback.raise_error()


STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # of differences
ELSE = "'2-point', '3-point', a function, or None"


def _python_adapter():
    """Of functions in Python; complex numbers travel as pairs of real ones."""

    def adapter(x, words, out):
        return call_python_into(load(words, SINGLE)[0], parts_of(x), parts_of(out))

    return once("python complex", lambda: compile_for(kernel(adapter, inner=True), WAYS["complex vector"][1]))
