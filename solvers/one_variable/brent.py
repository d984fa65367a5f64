"""Brent's method from a bracket: parabolic interpolation, made safe by golden sections.

Brent, Algorithms for Minimization without Derivatives (Prentice-Hall 1973), chapter 5. It begins at the middle point of
a bracket, three numbers that were given, or that are found downhill of two. Tolerances as in SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector, filled
from ...kernels.descent.line import LINE, find_bracket, make_line
from ...kernels.descent.parabolic import INTERVAL, begin_at, look_at_end, step
from ...kernels.run import Run, make_run
from ..contract import Solver, require

ABSOLUTE = 1e-11  # tolerance of x beside the relative one, for a minimum at 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    xtol: float = 1.48e-8  # tolerance of x, relative; below 1e-8 the values tell no more of a smooth minimum

    def __post_init__(self):
        require(self.xtol >= 0, "xtol", self.xtol, "a number that is not negative")


class BrentState(NamedTuple):
    x: Vector  # (1,) what is evaluated
    own: Annotated[np.ndarray, INTERVAL]
    line: Annotated[np.ndarray, LINE]
    run: Run


def init(domain, options, limits, key):
    """domain.x0 (2, 1) or (3, 1): the points of the bracket; without, they are 0 and 1."""
    line = make_line() if domain.x0 is None else make_line(domain.x0[:, 0])
    own = filled(INTERVAL, eps=options.xtol, t=ABSOLUTE)
    return BrentState(np.zeros(1), own, line, make_run(1, limits, key))


@inlined
def iterate(problem, state):
    if state.run.now[0].iteration > 0:
        step(problem, state)
    elif find_bracket(problem, state):
        own, line = state.own[0], state.line[0]
        own.a, own.b = min(line.a, line.c), max(line.a, line.c)
        begin_at(own, line.b, line.fb)
        look_at_end(state)


SOLVER = Solver(
    "brent", "parabolas and golden sections from a bracket (Brent 1973)", Options, BrentState, init, iterate=iterate,
    domain="real", integers=False, planned=False,
)  # fmt: skip
