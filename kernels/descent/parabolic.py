"""Brent's minimum of a function on an interval, one step of it: parabolic interpolation, or a golden section.

Brent, Algorithms for Minimization without Derivatives (Prentice-Hall 1973), chapter 5, procedure `localmin`; its
letters. The interval is [a, b], x the best point so far, w the second best, v the one before w."""

from __future__ import annotations

import numpy as np

from ..compile.jit import inlined
from ..compile.structures import record
from ..run import RUNNING, STEP_SMALL
from .line import converge, value_at

INTERVAL = record(
    a="f8", b="f8",
    x="f8", w="f8", v="f8", fx="f8", fw="f8", fv="f8",
    d="f8", e="f8",  # the last step, and the one before it
    eps="f8", t="f8",  # tolerance of x: eps |x| + t
)  # fmt: skip
C = 0.5 * (3.0 - np.sqrt(5.0))  # share of the golden section


@inlined
def begin_at(own, x, fx):
    """The first point inside the interval."""
    own.x = own.w = own.v = x
    own.fx = own.fw = own.fv = fx
    own.d = own.e = 0.0


@inlined
def next_point(own):
    """Where to evaluate next."""
    a, b, x, w, v = own.a, own.b, own.x, own.w, own.v
    m = 0.5 * (a + b)
    tol = own.eps * abs(x) + own.t
    p = q = r = 0.0
    if abs(own.e) > tol:  # the parabola through x, w, v: its vertex is at x + p / q
        r = (x - w) * (own.fx - own.fv)
        q = (x - v) * (own.fx - own.fw)
        p = (x - v) * q - (x - w) * r
        q = 2.0 * (q - r)
        if q > 0.0:
            p = -p
        else:
            q = -q
        r, own.e = own.e, own.d
    if abs(p) < abs(0.5 * q * r) and q * (a - x) < p < q * (b - x):
        own.d = p / q
        u = x + own.d
        if u - a < 2.0 * tol or b - u < 2.0 * tol:  # not too close to the ends
            own.d = tol if x < m else -tol
    else:
        own.e = (b if x < m else a) - x
        own.d = C * own.e
    if abs(own.d) >= tol:  # not too close to x
        return x + own.d
    return x + tol if own.d > 0.0 else x - tol


@inlined
def take_in(own, u, fu):
    """What the value at u tells: the new ends, and the new x, w, v."""
    if fu <= own.fx:
        if u < own.x:
            own.b = own.x
        else:
            own.a = own.x
        own.v, own.fv = own.w, own.fw
        own.w, own.fw = own.x, own.fx
        own.x, own.fx = u, fu
        return
    if u < own.x:
        own.a = u
    else:
        own.b = u
    if fu <= own.fw or own.w == own.x:
        own.v, own.fv = own.w, own.fw
        own.w, own.fw = u, fu
    elif fu <= own.fv or own.v == own.x or own.v == own.w:
        own.v, own.fv = u, fu


@inlined
def look_at_end(state):
    """Whether the interval is small enough, so that x is known to within 2 (eps |x| + t)."""
    own = state.own[0]
    tol = own.eps * abs(own.x) + own.t
    if abs(own.x - 0.5 * (own.a + own.b)) <= 2.0 * tol - 0.5 * (own.b - own.a):
        if state.run.now[0].stop == RUNNING:
            converge(own.a, own.b, STEP_SMALL, state)


@inlined
def step(problem, state):
    """One evaluation."""
    own = state.own[0]
    u = next_point(own)
    take_in(own, u, value_at(problem, u, state))
    look_at_end(state)
