"""Residuals r(x) -> (M,), with their Jacobian and, where the user gives one, the loss: as machine code by address.

They are functions of several numbers (vectors.py); how many residuals there are is found by calling the plain function
once at x0, where it is also compared with its machine code. The Jacobian is the user's, automatic, or made by
differences (jacobians.py).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba.core import types

from ..compile.code_hash import code_hash
from ..compile.fingerprint import fingerprint
from ..compile.jit import compile_for, kernel
from ..reals import shortened
from . import jacobians
from .adapters import once
from .arguments import RAISED_VALUE, Packed, call_adapter
from .asking import JACOBIAN_WORK, Functions
from .callback import Callback
from .checking import CompilationError, NotDifferentiable
from .complex_points import ComplexFunction
from .objective import Objective
from .vectors import VectorFunction, like

ALIKE = 1e-6  # relative difference of values that were summed in another order
AUTOMATIC = "automatic"


class Residuals:
    """Residuals by address, with all that a method asks of them.

    Parameters
    ----------
    source : Objective
        `fun(x, *args) -> (M,)`.
    args : tuple
    x0 : (D,) array
        Where it is called first, in Python.
    jac : callable or str
        `jac(x, *args) -> (M, D)`, "2-point", "3-point", "cs" or "automatic".
    loss : callable, optional
        `loss(z) -> (3, M)`: rho, rho' and rho'' of z (M,).
    lower, upper : (D,) arrays
        Differences stay inside.
    step : float or (D,) array, optional
        Of differences, relative to |x|.

    Raises
    ------
    TypeError, ValueError, CompilationError
        Naming the argument, what was given and what is expected.
    """

    derivatives = None

    def __init__(self, source: Objective, args: tuple, x0, jac, loss, lower, upper, step=None):
        self.source, self.args, self.x0 = source, args, x0
        self.fun = vector_function("fun", source, args, x0)
        self.count = self.fun.first.size
        if self.fun.single and step is None:
            step = jacobians.OF_SINGLES
        if self.fun.first.ndim != 1:
            raise ValueError(f"fun: returned an array of shape {self.fun.first.shape}, expected (M,): one dimension")
        self.jac: VectorFunction | None = None
        self.loss: VectorFunction | None = None
        self.make_inner: Callable[[], Any] | None = None  # the workspace of an automatic Jacobian
        self.how, adapter, words = self._jacobian(jac)
        if loss is not None:
            self.loss = vector_function("loss", like(source, loss), (), self.squares(), (3, self.count))
            words |= {"loss": self.loss.address, "loss_record": self.loss.args_address}
        self.jacobian: int = jacobians.address_of_kernel(adapter)
        self.make_work: Callable[..., Any] = partial(jacobians.make_work, lower, upper, self.count, step, **words)

    @property
    def functions(self) -> list[VectorFunction]:
        """Those of the user."""
        return [function for function in (self.fun, self.jac, self.loss) if function is not None]

    @property
    def callback(self) -> Callback | None:
        """Into Python; None: all is machine code."""
        return next((function.callback for function in self.functions if function.callback is not None), None)

    @property
    def runs_as(self) -> str:
        return "compiled" if self.callback is None else "python"

    def squares(self) -> np.ndarray:
        """z at x0, for a loss that is not scaled."""
        return self.fun.first**2

    def _jacobian(self, jac) -> tuple[str, Any, dict]:
        """(where it comes from, its kernel, the addresses that this calls)"""
        plain = {"function": self.fun.address, "record": self.fun.args_address}
        if callable(jac):
            shape = (self.count, len(self.x0))
            self.jac = vector_function("jac", like(self.source, jac), self.args, self.x0, shape)
            if self.jac.dimensions > 2:
                raise ValueError(f"jac: returned an array of {self.jac.dimensions} dimensions, expected {shape}")
            return "given", jacobians.given, {"function": self.jac.address, "record": self.jac.args_address}
        if jac == AUTOMATIC and not self.fun.single:
            try:
                address, self.make_inner = automatic_jacobian(self)
                return AUTOMATIC, jacobians.automatic, {"function": address}
            except NotImplementedError:
                jac = "2-point"
            except NotDifferentiable as error:
                if self.source.compiled != "auto":
                    raise
                warnings.warn(f"{error}\nIt is found by differences, as compiled='auto' says", stacklevel=4)
                jac = "3-point"
        if jac == AUTOMATIC:
            jac = "2-point"
        if jac == "cs":
            return "cs", jacobians.complex_step, self._of_complex()
        return jac, jacobians.SCHEMES[jac], plain

    def _of_complex(self) -> dict:
        """The residuals at complex x, for the complex step."""
        self.of_complex = ComplexFunction(self.fun.source, self.args, self.x0, self.count, self.fun.compiled)
        return {"function": self.of_complex.address, "record": self.of_complex.args_address}

    def problem(self) -> Packed:
        """What compiled code asks (asking.py), for one run."""
        inner = None if self.make_inner is None else self.make_inner()
        work = Packed(self.make_work() if inner is None else self.make_work(inner=inner.address), inner)
        words = np.zeros(4, dtype=np.int64)
        words[JACOBIAN_WORK] = work.address
        functions = Functions(
            0, self.fun.args_address, residuals=self.fun.address, jacobian=self.jacobian, work=int(words.ctypes.data)
        )
        return Packed(functions, (work, words, self))

    def replay(self, x: np.ndarray) -> None:
        """Raise what one of the functions raised at x, or raises there."""
        for function in self.functions:
            if function.callback is not None and function.callback.errors:
                function.callback.raise_error()
        for function in (self.fun, self.jac):
            if function is not None:
                function.replay(x)
        if self.loss is not None:
            self.loss.replay(self.squares())
        raise RuntimeError(f"a function raised an exception at x = {x.tolist()}, and not when it was called again")

    def fingerprint(self) -> str:
        """A digest of the functions and their arguments, for checkpoints."""
        if self.callback is None:
            return fingerprint((self.how, *((f.bound.adapter, f.bound.args) for f in self.functions)))
        return code_hash((self.how, *((f.source.function, f.args) for f in self.functions)))


def vector_function(name: str, source: Objective, args: tuple, probe: np.ndarray, shape=None) -> VectorFunction:
    """A VectorFunction whose machine code is compared with Python."""
    function = VectorFunction(name, source, args, probe, shape)
    if function.compiled and source.check:
        _compare(name, function, probe)
    return function


def _compare(name: str, function: VectorFunction, x: np.ndarray) -> None:
    """Machine code that is another function than Python's is refused; other digits are warned of."""
    seen, found = function.first.ravel(), np.empty(function.first.size)
    ask = once("ask for a vector", lambda: compile_for(kernel(_ask_vector), ASK))
    answer = np.array([ask(function.address, function.args_address, np.array(x, dtype=np.float64), found)])
    raised = answer.view(np.int64)[0] == np.array([RAISED_VALUE]).view(np.int64)[0]
    finite = np.isfinite(seen)
    if raised or (finite != np.isfinite(found)).any():
        gives = "raises" if raised else f"gives {shortened(found)}"
        raise CompilationError(
            f"{name}: at x = {shortened(x)} Python gives {shortened(seen)} and compiled code {gives}, expected the "
            "same.\nEvaluate it in Python with thalweg.objective(f, compiled=False)"
        )
    scale = max(float(np.abs(seen[finite]).max(initial=0.0)), 1e-3)
    if (np.abs(seen - found)[finite] > ALIKE * np.abs(seen[finite]) + 1e-12 * scale).any():
        warnings.warn(
            f"{name}: at x = {shortened(x)} Python gives {shortened(seen)} and compiled code {shortened(found)}. Sums "
            "and factors may be reordered (objective(f, precise=True) keeps their order)",
            stacklevel=2,
        )


ASK = types.float64(types.intp, types.intp, types.float64[::1], types.float64[::1])


def _ask_vector(function, record, x, out):
    return call_adapter(function, (x, record, out))


def automatic_jacobian(residuals: Residuals) -> tuple[int, Callable[[], Any]]:
    """(address of FORMS["jacobian"] by forward mode, what makes its workspace): kernels/differentiate."""
    from ..differentiate.adapters import derivatives
    from ..differentiate.workspace import Workspace

    if not residuals.fun.compiled or residuals.fun.bound.form is None:
        raise NotImplementedError
    return derivatives(residuals.fun.bound).jacobian, Workspace
