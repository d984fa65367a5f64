"""One variable: the value at a number, and three numbers that have a minimum between them.

The search for a bracket goes downhill by steps that grow, or by the vertex of the parabola through the last three
points (Press, Teukolsky, Vetterling and Flannery, Numerical Recipes, section 10.1)."""

from __future__ import annotations

import numpy as np

from ..compile.jit import inlined, part
from ..compile.structures import filled, record
from ..run import ENDED, RUNNING, UNBOUNDED, evaluate, spent

LINE = record(
    a="f8", b="f8", c="f8", fa="f8", fb="f8", fc="f8",  # the bracket: b between a and c, fb the least of the values
    given="i8",  # how many of a, b, c stand there from the beginning: 2, or 3
    grow="f8", most="i8",  # the next point is at most so many times (c - b) from b; so many steps
    nan_at="f8",  # the last point without a value; NaN: there was none
    fault="i8",  # why there is no bracket, or no minimum in it
)  # fmt: skip
NO_BRACKET, TOO_MANY, NO_ORDER, AT_NAN = 1, 2, 3, 4  # faults
GOLD = 0.5 * (1.0 + np.sqrt(5.0))  # growth of a step that no parabola makes
GROW_LIMIT, MOST_STEPS = 110.0, 1000  # as in SciPy
LOWEST = -1e300  # a value below: the function has no minimum
TINY = 1e-21  # in place of a denominator that is 0


def make_line(points=(0.0, 1.0), grow: float = GROW_LIMIT, most: int = MOST_STEPS) -> np.ndarray:
    """The record with the points that a bracket begins from."""
    a, b, *rest = map(float, points)
    c = rest[0] if rest else np.nan
    return filled(LINE, a=a, b=b, c=c, given=len(points), grow=grow, most=most, nan_at=np.nan)


@inlined
def value_at(problem, point, state):
    """The value at a number, inf where it is NaN; `state` has x (1,), line and run."""
    failed = state.run.now[0].failed
    state.x[0] = point
    value = evaluate(problem, state.x, state.run)
    if state.run.now[0].failed > failed:
        state.line[0].nan_at = point
    return value


@inlined
def vertex(line):
    """Where the parabola through the three points has its vertex."""
    r = (line.b - line.a) * (line.fb - line.fc)
    q = (line.b - line.c) * (line.fb - line.fa)
    difference = q - r
    if abs(difference) < TINY:
        difference = TINY if difference >= 0.0 else -TINY
    return line.b - ((line.b - line.c) * q - (line.b - line.a) * r) / (2.0 * difference)


@inlined
def go_on(line, u, fu):
    """The next point downhill is u: the farthest of the three goes."""
    line.a, line.fa = line.b, line.fb
    line.b, line.fb = line.c, line.fc
    line.c, line.fc = u, fu


@inlined
def go_downhill(problem, state):
    """From a and b to three points of which the middle one is the lowest; a fault where there are none."""
    line, now = state.line[0], state.run.now[0]
    line.fa, line.fb = value_at(problem, line.a, state), value_at(problem, line.b, state)
    if line.fa < line.fb:
        line.a, line.b, line.fa, line.fb = line.b, line.a, line.fb, line.fa
    line.c = line.b + GOLD * (line.b - line.a)
    line.fc = value_at(problem, line.c, state)
    steps = 0
    while line.fc < line.fb and not spent(state.run):
        if line.fc < LOWEST or abs(line.c) == np.inf:
            now.stop = UNBOUNDED
            return
        if steps == line.most:
            line.fault, now.stop = TOO_MANY, ENDED
            return
        steps += 1
        farthest = line.b + line.grow * (line.c - line.b)
        u = vertex(line)
        if (u - line.b) * (line.c - u) > 0.0:
            fu = value_at(problem, u, state)
            if fu < line.fc:  # b, u, c
                line.a, line.fa, line.b, line.fb = line.b, line.fb, u, fu
                return
            if fu > line.fb:  # a, b, u
                line.c, line.fc = u, fu
                return
            u = line.c + GOLD * (line.c - line.b)
        elif (u - line.c) * (farthest - u) > 0.0:
            fu = value_at(problem, u, state)
            go_on(line, u, fu)
            if not line.fc < line.fb:
                return
            u = line.c + GOLD * (line.c - line.b)  # vertices alone may creep up to the minimum and never pass it
        elif (u - farthest) * (farthest - line.c) >= 0.0:
            u = farthest
        else:  # on the wrong side, or no number
            u = line.c + GOLD * (line.c - line.b)
        go_on(line, u, value_at(problem, u, state))


@part
def check_bracket(line):
    """0, or the fault of the three points."""
    if not (line.a < line.b < line.c or line.a > line.b > line.c) or abs(line.a) == np.inf or abs(line.c) == np.inf:
        return NO_BRACKET
    if not (line.fb <= line.fa and line.fb <= line.fc and (line.fb < line.fa or line.fb < line.fc)):
        return NO_BRACKET
    return 0


@inlined
def find_bracket(problem, state):
    """Iteration 0: evaluate the bracket that was given, or find one. False: there is none, and the run has stopped."""
    line, now = state.line[0], state.run.now[0]
    if line.given == 3:
        line.fa, line.fb = value_at(problem, line.a, state), value_at(problem, line.b, state)
        line.fc = value_at(problem, line.c, state)
        if not (line.fb < line.fa and line.fb < line.fc) and now.stop == RUNNING:
            line.fault, now.stop = NO_ORDER, ENDED
    else:
        go_downhill(problem, state)
        fault = check_bracket(line)
        if fault != 0 and now.stop == RUNNING:
            line.fault, now.stop = fault, ENDED
    return now.stop == RUNNING


@inlined
def converge(low, high, stop, state):
    """The minimum lies in [low, high], as narrow as was asked for; no minimum where a point there has no value."""
    line, now = state.line[0], state.run.now[0]
    if low <= line.nan_at <= high:
        line.fault, now.stop = AT_NAN, ENDED
    else:
        now.stop = stop
