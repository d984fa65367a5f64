"""SVRG: a full gradient now and then, and steps along single rows, corrected by their gradients at that point.

Johnson and Zhang, NeurIPS 2013, figure 1, option I (the next point is the last one): eta = 0.1/L as below theorem 1,
and 2 n steps between two full gradients, as section 5 has it for convex problems. An epoch is such a block of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kernels.data.passes import Passes
from ..contract import require
from .reduced import Reduced, ReducedOptions


@dataclass(frozen=True, kw_only=True)
class Options(ReducedOptions):
    inner: float = 2.0  # steps between two full gradients, as a multiple of n

    def __post_init__(self):
        ReducedOptions.__post_init__(self)
        require(self.inner > 0, "inner", self.inner, "a number above 0")


def begin(passes: Passes, w: np.ndarray, options: Options, seed: int) -> Reduced:
    steps = max(1, round(options.inner * passes.source.rows))
    return Reduced(passes, w, options, seed, learns=False, rule=lambda L: 0.1 / L, steps=steps)
