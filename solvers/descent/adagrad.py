"""AdaGrad: each variable's step falls with the squares of its gradients so far.

Duchi, Hazan and Singer, J. Mach. Learn. Res. 12 (2011) 2121-2159, figure 1 with diagonal matrices. They leave step and
epsilon open; those here are PyTorch's."""

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

SCALARS = scalars(epsilon="f8")


@dataclass(frozen=True, kw_only=True)
class Options(StepOptions):
    epsilon: float = 1e-10  # delta in the paper: keeps the first divisors from 0

    def __post_init__(self):
        StepOptions.__post_init__(self)
        require(self.epsilon > 0, "epsilon", self.epsilon, "a number above 0")


class AdagradState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    squares: Vector  # (D,) sum of the squares of g
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


@inlined
def update(problem, state, step):
    x, g, squares = state.x, state.g, state.squares
    for j in range(x.size):
        squares[j] += g[j] * g[j]
        x[j] -= step * g[j] / (np.sqrt(squares[j]) + state.own[0].epsilon)


SOLVER = first_order("adagrad", "steps that fall by variable (Duchi et al. 2011)", Options, AdagradState, update)
