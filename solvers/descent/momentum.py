"""Momentum, the heavy ball: x - a g + m (x - x'), x' being the point before.

Polyak, USSR Comput. Math. Math. Phys. 4 (1964) 1-17, eq. 9. With v = x - x' this is v = m v - a g, x + v. The default m
is that of common libraries (0.9; Goodfellow, Bengio and Courville 2016, section 8.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector
from ...kernels.rows.population import Box
from ...kernels.run import Run
from ..contract import require
from .first_order import StepOptions, first_order, scalars, scale_of

SCALARS = scalars(momentum="f8", normalised="i8")


@dataclass(frozen=True, kw_only=True)
class Options(StepOptions):
    momentum: float = 0.9  # m, the share of the last step that is made again, in [0, 1)
    normalised: bool = False  # g/|g| in place of g

    def __post_init__(self):
        StepOptions.__post_init__(self)
        require(0 <= self.momentum < 1, "momentum", self.momentum, "a share in [0, 1)")


class MomentumState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    before: Vector  # (D,) the point before x
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


@inlined
def update(problem, state, step):
    own, x, g, before = state.own[0], state.x, state.g, state.before
    first = state.run.now[0].iteration == 0
    if own.normalised == 1:
        step *= scale_of(g)
    for j in range(x.size):
        velocity = 0.0 if first else x[j] - before[j]
        before[j] = x[j]
        x[j] += own.momentum * velocity - step * g[j]


SOLVER = first_order("momentum", "the heavy ball (Polyak 1964)", Options, MomentumState, update)
