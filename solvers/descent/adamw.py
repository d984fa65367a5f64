"""AdamW: Adam, and beside it x decays towards 0 by a share of each step.

Loshchilov and Hutter, ICLR 2019 (arXiv 1711.05101), algorithm 2. As in PyTorch, Keras and optax the share of x that
goes is step * weight_decay: their lambda is alpha * weight_decay here, and follows the schedule as it does there. So
the point of rest is not the minimum of the objective; with weight_decay=0 this is `adam`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector
from ...kernels.rows.population import Box
from ...kernels.run import Run
from ..contract import require
from . import adam
from .first_order import first_order, scalars

SCALARS = scalars(weight_decay="f8", **adam.MOMENTS)
adam_update = adam.update


@dataclass(frozen=True, kw_only=True)
class Options(adam.Options):
    weight_decay: float = 0.01  # as PyTorch's

    def __post_init__(self):
        adam.Options.__post_init__(self)
        require(self.weight_decay >= 0, "weight_decay", self.weight_decay, "a number that is not negative")


class AdamwState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    m: Vector  # (D,) running mean of g
    v: Vector  # (D,) running mean of the squares of g
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


@inlined
def update(problem, state, step):
    for j in range(state.x.size):
        state.x[j] -= step * state.own[0].weight_decay * state.x[j]
    adam_update(problem, state, step)


SOLVER = first_order("adamw", "Adam with weight decay (Loshchilov and Hutter 2019)", Options, AdamwState, update)
