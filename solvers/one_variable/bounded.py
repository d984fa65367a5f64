"""Brent's method on an interval, whose ends are not evaluated.

Brent, Algorithms for Minimization without Derivatives (Prentice-Hall 1973), chapter 5. Tolerances as in SciPy's
`fminbound`, which has them from Forsythe, Malcolm and Moler, Computer Methods for Mathematical Computations (1977)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector, filled
from ...kernels.descent.line import LINE, make_line, value_at
from ...kernels.descent.parabolic import INTERVAL, C, begin_at, look_at_end, step
from ...kernels.run import Run, make_run
from ..contract import Solver, require

RELATIVE = np.sqrt(np.finfo(np.float64).eps)  # tolerance of x beside xatol


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    xatol: float = 1e-5  # tolerance of x, absolute

    def __post_init__(self):
        require(self.xatol >= 0, "xatol", self.xatol, "a number that is not negative")


class BoundedState(NamedTuple):
    x: Vector  # (1,) what is evaluated
    own: Annotated[np.ndarray, INTERVAL]
    line: Annotated[np.ndarray, LINE]
    run: Run


def init(domain, options, limits, key):
    """domain.x0 (2, 1): the ends of the interval, which may be equal."""
    low, high = domain.x0[:, 0]
    own = filled(INTERVAL, a=low, b=high, eps=RELATIVE, t=options.xatol / 3)
    return BoundedState(np.zeros(1), own, make_line(), make_run(1, limits, key))


@inlined
def iterate(problem, state):
    own = state.own[0]
    if state.run.now[0].iteration > 0:
        step(problem, state)
    else:
        x = own.a + C * (own.b - own.a)
        begin_at(own, x, value_at(problem, x, state))
        look_at_end(state)


SOLVER = Solver(
    "bounded", "parabolas and golden sections on an interval (Brent 1973)", Options, BoundedState, init,
    iterate=iterate, domain="real", integers=False, planned=False,
)  # fmt: skip
