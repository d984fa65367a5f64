"""SAGA: each row's gradient is kept, and the mean of all of them corrects the step along one.

Defazio, Bach and Lacoste-Julien, NeurIPS 2014 (arXiv 1407.0202): steps by equation 1, eta = 1/(3 L) as section 2 says,
which needs no knowledge of strong convexity. An epoch is n steps. It begins with the gradients at x0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kernels.data.passes import Passes
from .reduced import Reduced, ReducedOptions


@dataclass(frozen=True, kw_only=True)
class Options(ReducedOptions):
    pass


def begin(passes: Passes, w: np.ndarray, options: Options, seed: int) -> Reduced:
    return Reduced(passes, w, options, seed, learns=True, rule=lambda L: 1.0 / (3.0 * L), steps=passes.source.rows)
