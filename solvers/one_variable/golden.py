"""The golden section: an interval with two points inside, of which each value cuts off the part behind the worse one.

Kiefer, Sequential minimax search for a maximum, Proc. Amer. Math. Soc. 4 (1953) 502-506, with the golden section in
place of Fibonacci numbers. 1.44 evaluations halve the interval, whatever the function is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.descent.line import LINE, converge, find_bracket, make_line, value_at
from ...kernels.run import RUNNING, STEP_SMALL, Run, make_run
from ..contract import Solver, require

SCALARS = record(a="f8", x1="f8", x2="f8", b="f8", f1="f8", f2="f8", xtol="f8")
C = 0.5 * (3.0 - np.sqrt(5.0))  # the smaller part of the interval; R is the larger one
R = 1.0 - C


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    xtol: float = 1.4901161193847656e-8  # the interval's length, relative to |x1| + |x2|; the root of the rounding unit

    def __post_init__(self):
        require(self.xtol >= 0, "xtol", self.xtol, "a number that is not negative")


class GoldenState(NamedTuple):
    x: Vector  # (1,) what is evaluated
    own: Annotated[np.ndarray, SCALARS]  # a < x1 < x2 < b
    line: Annotated[np.ndarray, LINE]
    run: Run


def init(domain, options, limits, key):
    """domain.x0 (2, 1) or (3, 1): the points of the bracket; without, they are 0 and 1."""
    line = make_line() if domain.x0 is None else make_line(domain.x0[:, 0])
    return GoldenState(np.zeros(1), filled(SCALARS, xtol=options.xtol), line, make_run(1, limits, key))


@inlined
def begin(problem, state):
    """The second inner point divides the longer part of the bracket."""
    own, line = state.own[0], state.line[0]
    own.a, own.b = min(line.a, line.c), max(line.a, line.c)
    if own.b - line.b > line.b - own.a:
        own.x1, own.f1 = line.b, line.fb
        own.x2 = own.x1 + C * (own.b - own.x1)
        own.f2 = value_at(problem, own.x2, state)
    else:
        own.x2, own.f2 = line.b, line.fb
        own.x1 = own.x2 - C * (own.x2 - own.a)
        own.f1 = value_at(problem, own.x1, state)


@inlined
def cut(problem, state):
    """Cut off the part behind the worse point, and divide what is left."""
    own = state.own[0]
    if own.f2 < own.f1:
        own.a, own.x1, own.f1 = own.x1, own.x2, own.f2
        own.x2 = R * own.x1 + C * own.b
        own.f2 = value_at(problem, own.x2, state)
    else:
        own.b, own.x2, own.f2 = own.x2, own.x1, own.f1
        own.x1 = R * own.x2 + C * own.a
        own.f1 = value_at(problem, own.x1, state)


@inlined
def iterate(problem, state):
    own, now = state.own[0], state.run.now[0]
    if now.iteration > 0:
        cut(problem, state)
    elif find_bracket(problem, state):
        begin(problem, state)
    small = own.b - own.a <= own.xtol * (abs(own.x1) + abs(own.x2))
    if now.stop == RUNNING and (small or not own.a < own.x1 < own.x2 < own.b):  # no further numbers in between
        converge(own.a, own.b, STEP_SMALL, state)


SOLVER = Solver(
    "golden", "golden sections of a bracket (Kiefer 1953)", Options, GoldenState, init, iterate=iterate,
    domain="real", integers=False, planned=False,
)  # fmt: skip
