"""Derivatives as functions of Python: grad, value_and_grad, jacobian, hvp, hessian, check_grad.

They call the machine code that solvers call (adapters.py): exact to the last bits, and nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..calling.arguments import RAISED_BITS, normalise
from ..calling.gradients import caller
from ..calling.objective import CompiledObjective, Objective, objective
from ..calling.protecting import apart
from ..compile.substitution import plain
from ..reals import shortened
from .adapters import derivatives
from .workspace import Workspace

STEP = float(np.finfo(float).eps) ** (1 / 3)  # of central differences


def value_and_grad(
    fun: Callable[..., Any] | Objective, *, args: tuple[Any, ...] = ()
) -> Callable[..., tuple[float, np.ndarray]]:
    """The function that gives an objective's value and its exact gradient.

    Parameters
    ----------
    fun : callable
        `f(x, *args) -> float` with x of shape (D,), plain Python that Numba compiles, or what `objective` made.
    args : tuple, default ()
        What follows x where the function that is returned is called with x alone.

    Returns
    -------
    callable
        `(x, *args) -> (value, gradient (D,))`.

    Raises
    ------
    CompilationError
        When it is first called: `fun` cannot be compiled, or cannot be differentiated; the line is named.

    Examples
    --------
    >>> import thalweg as tw
    >>> both = tw.value_and_grad(lambda x, a: a * x[0] ** 2 + x[1])
    >>> value, gradient = both([3.0, 1.0], 2.0)
    >>> float(value), gradient.tolist()
    (19.0, [12.0, 1.0])
    """

    def evaluate(x: Any, *given: Any) -> tuple[float, np.ndarray]:
        return _Point(fun, x, given or args).gradient()

    return evaluate


def grad(fun: Callable[..., Any] | Objective, *, args: tuple[Any, ...] = ()) -> Callable[..., np.ndarray]:
    """The function that gives an objective's exact gradient.

    Parameters
    ----------
    fun, args
        As of `value_and_grad`.

    Returns
    -------
    callable
        `(x, *args) -> gradient (D,)`.

    Examples
    --------
    >>> import math
    >>> import thalweg as tw
    >>> def f(x):
    ...     s = 0.0
    ...     for v in x:
    ...         s += math.sin(v) * v
    ...     return s
    >>> tw.grad(f)([0.0, math.pi]).round(12).tolist()
    [0.0, -3.14159265359]
    """
    both = value_and_grad(fun, args=args)

    def evaluate(x: Any, *given: Any) -> np.ndarray:
        return both(x, *given)[1]

    return evaluate


def hvp(fun: Callable[..., Any] | Objective, *, args: tuple[Any, ...] = ()) -> Callable[..., np.ndarray]:
    """The function that gives the product of an objective's Hessian with a vector, exact and without the Hessian.

    Parameters
    ----------
    fun, args
        As of `value_and_grad`.

    Returns
    -------
    callable
        `(x, v, *args) -> Hessian at x times v (D,)`; it costs two to three gradients.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.hvp(lambda x: x[0] ** 2 * x[1])([3.0, 1.0], [1.0, 0.0]).tolist()
    [2.0, 6.0]
    """

    def evaluate(x: Any, v: Any, *given: Any) -> np.ndarray:
        return _Point(fun, x, given or args).product(_vector("v", v))

    return evaluate


def hessian(fun: Callable[..., Any] | Objective, *, args: tuple[Any, ...] = ()) -> Callable[..., np.ndarray]:
    """The function that gives an objective's exact Hessian, by a product with each unit vector.

    Parameters
    ----------
    fun, args
        As of `value_and_grad`.

    Returns
    -------
    callable
        `(x, *args) -> Hessian (D, D)`, symmetric to the last bit: the mean of it and of its transpose.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.hessian(lambda x: x[0] ** 2 * x[1])([3.0, 1.0]).tolist()
    [[2.0, 6.0], [6.0, 0.0]]
    """

    def evaluate(x: Any, *given: Any) -> np.ndarray:
        point = _Point(fun, x, given or args)
        found = np.array([point.product(unit) for unit in np.eye(point.x.size)])
        return 0.5 * (found + found.T)

    return evaluate


def jacobian(fun: Callable[..., Any] | Objective, *, args: tuple[Any, ...] = ()) -> Callable[..., np.ndarray]:
    """The function that gives the exact Jacobian of a function that returns an array, by forward mode.

    Parameters
    ----------
    fun : callable
        `r(x, *args) -> array (M,)` with x of shape (D,), plain Python that Numba compiles.
    args : tuple, default ()
        As of `value_and_grad`.

    Returns
    -------
    callable
        `(x, *args) -> Jacobian (M, D)`.

    Examples
    --------
    >>> import numpy as np
    >>> import thalweg as tw
    >>> tw.jacobian(lambda x: np.array([x[0] * x[1], x[1] ** 2]))([3.0, 2.0]).tolist()
    [[2.0, 3.0], [0.0, 4.0]]
    """

    def evaluate(x: Any, *given: Any) -> np.ndarray:
        return _Point(fun, x, given or args, way="vector").jacobian()

    return evaluate


def check_grad(
    fun: Callable[..., Any] | Objective, x: Any, jac: Callable[..., Any] | None = None, *, args: tuple[Any, ...] = ()
) -> GradientCheck:
    """Compare a gradient with central differences.

    Parameters
    ----------
    fun : callable
        As of `value_and_grad`.
    x : array (D,)
        Where.
    jac : callable, optional
        `(x, *args) -> gradient (D,)` that is checked; by default the automatic one.
    args : tuple, default ()

    Returns
    -------
    GradientCheck
        With `error`, the largest difference relative to max(1, |gradient|), `ok`, and both gradients. As a float it
        is the 2-norm of the difference, which is what SciPy's function of this name returns.

    Examples
    --------
    >>> import thalweg as tw
    >>> bool(tw.check_grad(lambda x: x[0] ** 3, [2.0]).ok)
    True
    >>> print(tw.check_grad(lambda x: x[0] ** 3, [2.0], jac=lambda x: [3.0 * x[0]]))
    the gradient differs from differences by 0.5 of its size, most in variable 0: 6 against 12
    """
    point = _Point(fun, x, args)
    given = point.gradient()[1] if jac is None else np.asarray(jac(point.x.copy(), *args), dtype=np.float64)
    if given.shape != point.x.shape:
        raise ValueError(f"jac: returned an array of shape {given.shape}, expected {point.x.shape}")
    steps = STEP * np.maximum(1.0, np.abs(point.x))
    ahead, behind = point.x + np.diag(steps), point.x - np.diag(steps)
    values = point.bound.evaluate(np.vstack([ahead, behind]))
    n = len(point.x)
    return GradientCheck(given, (values[:n] - values[n:]) / (np.diag(ahead) - np.diag(behind)))


@dataclass(frozen=True)
class GradientCheck:
    """What `check_grad` found: `gradient` that was checked, and `differences` (D,)."""

    gradient: np.ndarray
    differences: np.ndarray
    tolerance: float = 1e-5

    @property
    def errors(self) -> np.ndarray:
        """|gradient - differences| relative to the largest entry of the differences, or to 1 (D,)."""
        scale = max(1.0, float(np.max(np.abs(self.differences), initial=0.0)))
        return np.abs(self.gradient - self.differences) / scale

    @property
    def error(self) -> float:
        return float(np.max(self.errors))

    @property
    def ok(self) -> bool:
        return bool(self.error <= self.tolerance)

    def __float__(self) -> float:
        return float(np.linalg.norm(self.gradient - self.differences))

    def __str__(self) -> str:
        if self.ok:
            return f"the gradient agrees with differences to {self.error:.1g} of its size"
        worst = int(np.argmax(np.where(np.isnan(self.errors), np.inf, self.errors)))
        return (
            f"the gradient differs from differences by {self.error:.2g} of its size, most in variable {worst}: "
            f"{self.gradient[worst]:.6g} against {self.differences[worst]:.6g}"
        )


class _Point:
    """A function, compiled, at a point."""

    def __init__(self, fun: Any, x: Any, args: tuple[Any, ...], way: str = "value"):
        self.x = _vector("x", x)
        source = replace(as_objective(fun), check=False, way=way)
        bound = source.bind(args, self.x)
        if not isinstance(bound, CompiledObjective) or bound.form is None:
            raise TypeError("fun: got a function that is not compiled by Numba, expected one that is")
        self.source, self.args, self.bound = source, args, bound
        self.derivatives, self.work = derivatives(bound), Workspace()

    def gradient(self) -> tuple[float, np.ndarray]:
        g = np.empty_like(self.x)
        return self._ask("gradient", g), g

    def product(self, v: np.ndarray) -> np.ndarray:
        if v.shape != self.x.shape:
            raise ValueError(f"v: got shape {v.shape}, expected that of x, {self.x.shape}")
        hv = np.empty_like(v)
        self._ask("product", v, hv)
        return hv

    def jacobian(self) -> np.ndarray:
        residuals = np.atleast_1d(np.asarray(plain(self.source.function)(self.x.copy(), *apart(normalise(self.args)))))
        J = np.empty((residuals.size, self.x.size))
        self._ask("jacobian", np.empty(residuals.size), J)
        return J

    def _ask(self, kind: str, *arrays: np.ndarray) -> float:
        given = (self.x, self.bound.args_address, *arrays, self.work.address)
        value = caller(kind)(getattr(self.derivatives, kind), given)
        if np.isnan(value) and np.float64(value).view(np.int64) == RAISED_BITS:
            plain(self.source.function)(self.x.copy(), *apart(normalise(self.args)))
            raise RuntimeError(f"the function raised an exception at x = {self.x.tolist()}, and not when called again")
        return value


def as_objective(fun: Any) -> Objective:
    made: Any = objective(fun)  # as it is, where it was made before
    return made


def _vector(name: str, given: Any) -> np.ndarray:
    array = np.atleast_1d(np.asarray(given))
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: got {shortened(given)}, expected a vector (D,) of real numbers")
    return np.array(array, dtype=np.float64)
