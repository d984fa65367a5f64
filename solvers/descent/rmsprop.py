"""RMSProp: each variable's step is divided by the root of a running mean of its squared gradients.

Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5 (2012): the mean forgets by 0.9. The step 0.001
is what Hinton suggests there (Ruder, arXiv 1609.04747, section 4.5), epsilon is PyTorch's; Graves, arXiv 1308.0850, and
PyTorch forget by 0.95 and 0.99."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector
from ...kernels.rows.population import Box
from ...kernels.run import Run
from ..contract import require
from .first_order import StepOptions, first_order, scalars

SCALARS = scalars(forget="f8", epsilon="f8")


@dataclass(frozen=True, kw_only=True)
class Options(StepOptions):
    step: float = 0.001
    forget: float = 0.9  # the share of the mean that stays, in [0, 1)
    epsilon: float = 1e-8  # beside the root

    def __post_init__(self):
        StepOptions.__post_init__(self)
        require(0 <= self.forget < 1, "forget", self.forget, "a share in [0, 1)")
        require(self.epsilon > 0, "epsilon", self.epsilon, "a number above 0")


class RmspropState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    mean: Vector  # (D,) running mean of the squares of g
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


@inlined
def update(problem, state, step):
    own, x, g, mean = state.own[0], state.x, state.g, state.mean
    for j in range(x.size):
        mean[j] = own.forget * mean[j] + (1.0 - own.forget) * g[j] * g[j]
        x[j] -= step * g[j] / (np.sqrt(mean[j]) + own.epsilon)


SOLVER = first_order("rmsprop", "steps by running mean squares (Hinton 2012)", Options, RmspropState, update)
