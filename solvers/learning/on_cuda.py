"""A sum over data whose passes are made by a GPU (kernels/cuda/data.py): the solver stays on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels.calling.objective import Objective, objective
from ...kernels.calling.of_number import objective_of_number
from ...kernels.data.passes import Source
from ...kernels.data.rows import Sparse


class SumOnDevice:
    """The mean of the losses of all rows, or of some, with the penalty; and its gradient.

    w (D,): where the loss is compared with Python.

    Raises
    ------
    RuntimeError, ValueError, CompilationError
        No GPU; sparse rows; a loss that a GPU cannot carry out.
    """

    def __init__(self, source: Source, w: np.ndarray):
        from ...kernels.cuda.data import DataOnDevice  # imports CUDA

        if isinstance(source.X, Sparse):
            raise ValueError("device='cuda': X is sparse, which the passes on a GPU do not take; use device='cpu'")
        source.loss_at(w, 0)
        self.source, X = source, source.X.x
        y = None if source.y is None else source.y
        one = () if y is None else (y[0],)
        if source.loss.linear:
            z = X[:1] @ w[: X.shape[1]] + (w[-1] if w.size > X.shape[1] else 0.0)
            bound = objective_of_number(source.loss.source).bind(one, z)
        else:
            bound = source.loss.source.bind((X[0], *one), w)
        self.passes = DataOnDevice(bound, X, y, source.weights, linear=source.loss.linear)

    def value_and_gradient(self, w: np.ndarray, rows: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """At w (D,), over the rows of these numbers; default: all."""
        count = self.source.rows if rows is None else len(rows)
        value, g = self.passes.value_and_gradient(w, rows)
        if self.passes.fault is not None:
            self.source.loss_at(w, self.passes.fault)
            raise RuntimeError("the loss raised an exception on the GPU, and not when it was called again in Python")
        value, g = value / count, g / count
        if self.source.l2 > 0.0:
            penalised = w.copy()
            penalised[w.size - self.source.intercept :] = 0.0
            value, g = value + 0.5 * self.source.l2 * float(penalised @ penalised), g + self.source.l2 * penalised
        return value, g

    def objective(self) -> Objective:
        """The value and the gradient, as `minimize` takes them with jac=True."""

        def both(w: np.ndarray) -> Any:
            return self.value_and_gradient(w)

        return objective(both, compiled=False)
