"""Smooth objectives of linear models by the methods of `minimize`: a pass over the data behind a callback.

A callback costs 3 µs, a pass over 100,000 x 100 numbers a thousand times as much, so nothing is compiled for a kind of
data here. Each coefficient is counted in units of 1 / sqrt(its second derivative) at the start: columns of unlike sizes
then look alike to the method. The gradient that is held against the tolerance is the one in the units of the user.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ...kernels.calling.objective import objective as as_objective
from ..learning.newton_cholesky import Descent
from ..minimize import minimize


class InUnits:
    """The objective of u = w / unit. Its gradient is called zero where no entry of that in w is larger than tol."""

    def __init__(self, total: Any, w: np.ndarray, tol: float):
        self.total, self.tol = total, tol
        self.look(w)
        diagonal = total.diagonal()
        self.unit = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))

    def look(self, w: np.ndarray) -> None:
        """A pass at w."""
        self.value, self.g = self.total.value_and_gradient(w)
        self.w, self.largest = w, float(np.abs(self.g).max())

    def at(self, u: np.ndarray) -> None:
        """A pass at u, if the last one was at another point."""
        w = u * self.unit
        if not np.array_equal(w, self.w):
            self.look(w)

    def __call__(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        self.at(u)
        return self.value, self.g * self.unit if self.largest > self.tol else np.zeros_like(u)

    def product(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian at u times v."""
        self.at(u)
        return self.unit * self.total.product(self.unit * v)


Method = Literal["l_bfgs_b", "newton_cg"]


def by_minimize(method: Method, total: Any, w: np.ndarray, tol: float, max_iter: int) -> Descent:
    """From w until no entry of the gradient is larger than tol."""
    fun = InUnits(total, w, tol)
    if fun.largest <= tol or max_iter == 0:
        return Descent(w, fun.value, fun.largest, 0, fun.largest <= tol)
    more: dict[str, Any] = {"hessp": fun.product} if method == "newton_cg" else {}
    found = minimize(
        as_objective(fun, compiled=False), x0=w / fun.unit, jac=True, method=method, max_iters=max_iter, ftol=0.0,
        options={"gtol": 0.0}, seed=0, **more,
    )  # fmt: skip
    fun.at(found.x)
    return Descent(fun.w, fun.value, fun.largest, int(found.nit), bool(fun.largest <= tol or found.success))
