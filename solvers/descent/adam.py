"""Adam: running means of gradients and of their squares, corrected for their beginning at 0.

Kingma and Ba, ICLR 2015 (arXiv 1412.6980), algorithm 1, with its constants."""

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

MOMENTS = {"beta1": "f8", "beta2": "f8", "epsilon": "f8", "power1": "f8", "power2": "f8"}  # powers: beta^t
SCALARS = scalars(**MOMENTS)


@dataclass(frozen=True, kw_only=True)
class Options(StepOptions):
    step: float = 0.001
    beta1: float = 0.9  # share of the mean of gradients that stays, in [0, 1)
    beta2: float = 0.999  # of the mean of their squares
    epsilon: float = 1e-8

    def __post_init__(self):
        StepOptions.__post_init__(self)
        require(0 <= self.beta1 < 1, "beta1", self.beta1, "a share in [0, 1)")
        require(0 <= self.beta2 < 1, "beta2", self.beta2, "a share in [0, 1)")
        require(self.epsilon > 0, "epsilon", self.epsilon, "a number above 0")


class AdamState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    m: Vector  # (D,) running mean of g
    v: Vector  # (D,) running mean of the squares of g
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


@inlined
def update(problem, state, step):
    own, x, g, m, v = state.own[0], state.x, state.g, state.m, state.v
    first = state.run.now[0].iteration == 0
    own.power1 = own.beta1 * (1.0 if first else own.power1)
    own.power2 = own.beta2 * (1.0 if first else own.power2)
    for j in range(x.size):
        m[j] = own.beta1 * m[j] + (1.0 - own.beta1) * g[j]
        v[j] = own.beta2 * v[j] + (1.0 - own.beta2) * g[j] * g[j]
        mean, square = m[j] / (1.0 - own.power1), v[j] / (1.0 - own.power2)
        x[j] -= step * mean / (np.sqrt(square) + own.epsilon)


SOLVER = first_order("adam", "running means of two moments (Kingma and Ba 2015)", Options, AdamState, update)
