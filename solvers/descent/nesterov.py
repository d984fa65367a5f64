"""Nesterov's accelerated gradient: a gradient step from x to y, then on along y - y', y' being the y before.

    y = x - a g(x),    x = y + m (y - y')

Nesterov, Soviet Math. Dokl. 27 (1983) 372-376, with y and x as there; the momentum m is fixed, or follows his sequence,
m_k = (a_k - 1) / a_k+1, a_k+1 = (1 + sqrt(4 a_k^2 + 1)) / 2, a_0 = 1. Sutskever, Martens, Dahl and Hinton, ICML 2013,
eq. 3 and 4, is the same with v = y - y': v = m v - a g(y + m v), y + v. Values are those at x, where the gradient is
taken, as in other libraries: one gradient makes one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector
from ...kernels.descent.box import inside
from ...kernels.rows.population import Box
from ...kernels.run import Run
from ..contract import require
from .first_order import StepOptions, first_order, scalars, scale_of

SCALARS = scalars(momentum="f8", a="f8", normalised="i8")


@dataclass(frozen=True, kw_only=True)
class Options(StepOptions):
    momentum: float | None = 0.9  # m in [0, 1); None: the sequence of 1983, for convex objectives
    normalised: bool = False  # g/|g| in place of g

    def __post_init__(self):
        StepOptions.__post_init__(self)
        allowed = self.momentum is None or 0 <= self.momentum < 1
        require(allowed, "momentum", self.momentum, "a share in [0, 1), or None for that of 1983")

    def numbers(self) -> dict[str, Any]:
        return StepOptions.numbers(self) | {"momentum": -1.0 if self.momentum is None else self.momentum}


class NesterovState(NamedTuple):
    x: Vector  # (D,) where the gradient is taken
    g: Vector  # (D,) the gradient at x
    y: Vector  # (D,) where the last gradient step ended
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


@inlined
def update(problem, state, step):
    own, x, g, y, box = state.own[0], state.x, state.g, state.y, state.box
    first = state.run.now[0].iteration == 0
    if own.normalised == 1:
        step *= scale_of(g)
    momentum = own.momentum
    if momentum < 0.0:
        a = 1.0 if first else own.a
        own.a = 0.5 * (1.0 + np.sqrt(4.0 * a * a + 1.0))
        momentum = (a - 1.0) / own.a
    for j in range(x.size):
        before = x[j] if first else y[j]
        y[j] = inside(x[j] - step * g[j], box.lower[j], box.upper[j])
        x[j] = y[j] + momentum * (y[j] - before)


SOLVER = first_order("nesterov", "accelerated gradients (Nesterov 1983)", Options, NesterovState, update)
