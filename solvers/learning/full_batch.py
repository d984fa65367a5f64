"""A sum over data as an objective of every method: value, gradient and products with the Hessian, a pass each."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np

from ...kernels.calling import gradients
from ...kernels.calling.arguments import Packed
from ...kernels.calling.asking import Functions
from ...kernels.calling.derivatives import AUTOMATIC, Derivative, Derivatives
from ...kernels.calling.gradients import compiled
from ...kernels.data.passes import Passes


class NoWork:
    """The workspace of a pass, which has its own memory."""

    address = 0


class SumObjective:
    """Passes in the place of a bound objective; of one run at a time, as their memory is."""

    callback = None
    runs_as = "compiled"

    def __init__(self, passes: Passes, asks: Set[str]):
        self.passes = passes
        self.address = passes.address("value")
        found = {"gradient": Derivative(passes.address("gradient"), AUTOMATIC, NoWork)}
        if asks & {"product", "hessian"}:
            found["product"] = Derivative(passes.address("product"), AUTOMATIC, NoWork)
        if "hessian" in asks:
            found["hessian"] = Derivative(compiled(gradients.by_products, "hessian"), AUTOMATIC, self._columns)
        self.derivatives = Derivatives({name: d for name, d in found.items() if name in asks or name == "gradient"})

    def _columns(self) -> Packed:
        n = self.passes.dimension
        return Packed((self.passes.address("product"), 0, np.empty(n), np.empty(n)))

    def problem(self) -> Packed:
        """What compiled code asks (kernels/calling/asking.py)."""
        return self.derivatives.functions(Functions(self.address, self.passes.record), self)

    def replay(self, w: np.ndarray) -> Any:
        """Raise what the loss raised."""
        self.passes.replay(w)
