"""Searches along the projected ray P(x - t g), t > 0, P being the projection onto the box.

They work on a state with x, g (D,), the point and its gradient, trial and trial_g (D,), box and run.
"""

import numpy as np

from ..compile.jit import inlined, part
from ..run import LINE_SEARCH_FAILED, evaluate, evaluate_gradient, spent
from .box import inside

SUFFICIENT = 1e-4  # share of the decrease that the slope promises (Nocedal and Wright 2006, section 3.1)
SHORTER = 0.5
HALVINGS = 60  # then t g is below the last bit of any x that it could change
FLAT = 1e-10  # a slope of this share of the first one is 0
STEPS = 100  # of the search for it, and doublings before it


@inlined
def take_step(state, t):
    """trial = P(x - t g). The decrease that the gradient promises there, g (x - trial)."""
    x, g, trial, box, promised = state.x, state.g, state.trial, state.box, 0.0
    for j in range(x.size):
        trial[j] = inside(x[j] - t * g[j], box.lower[j], box.upper[j])
        promised += g[j] * (x[j] - trial[j])
    return promised


@part
def armijo_step(problem, state, value, step):
    """The first of step, step/2, step/4 ... that makes the value less by SUFFICIENT of what the gradient promises.

    0 where there is none, which ends the run.
    """
    for _ in range(HALVINGS):
        if spent(state.run):
            return 0.0
        promised = take_step(state, step)
        if evaluate(problem, state.trial, state.run) <= value - SUFFICIENT * promised:
            return step
        step *= SHORTER
    state.run.now[0].stop = LINE_SEARCH_FAILED
    return 0.0


@inlined
def slope_at(problem, state, value, t):
    """The derivative of the value along the ray; inf where the value is above that at x, or undefined.

    Where bounds have stopped every variable: 0 if they would go on, inf if they went too far.
    """
    take_step(state, t)
    x, g, trial, trial_g, box = state.x, state.g, state.trial, state.trial_g, state.box
    slope, beyond, inside_it = 0.0, 0.0, False
    if not evaluate_gradient(problem, trial, trial_g, state.run) <= value:
        return np.inf
    for j in range(x.size):
        if box.lower[j] < trial[j] < box.upper[j]:
            slope -= g[j] * trial_g[j]
            inside_it = True
        elif trial[j] != x[j]:
            beyond -= g[j] * trial_g[j]
    if not inside_it:
        return np.inf if beyond > 0.0 else 0.0
    return slope if slope == slope else np.inf


@part
def exact_step(problem, state, value, step):
    """Where the slope along the ray becomes 0: step is doubled until it is positive, then false position.

    The Illinois variant (Dowell and Jarratt, BIT 11 (1971) 168), and halves where that brings no end nearer.
    """
    x, g, box = state.x, state.g, state.box
    low, low_slope, high, high_slope = 0.0, 0.0, step, -1.0
    for j in range(x.size):
        if (g[j] > 0.0 and x[j] > box.lower[j]) or (g[j] < 0.0 and x[j] < box.upper[j]):
            low_slope -= g[j] * g[j]
    flat = FLAT * abs(low_slope)
    for _ in range(STEPS):
        if spent(state.run):
            return low
        high_slope = slope_at(problem, state, value, high)
        if high_slope >= -flat:
            break
        low, low_slope, high = high, high_slope, 2.0 * high
    if high_slope <= flat:
        return high
    side = 0
    for k in range(STEPS):
        t = 0.5 * (low + high)
        if high_slope < np.inf and k % 4 != 3:
            t = (low * high_slope - high * low_slope) / (high_slope - low_slope)
        if spent(state.run) or not low < t < high:
            break
        slope = slope_at(problem, state, value, t)
        if abs(slope) <= flat:
            return t
        if slope > 0.0:
            high, high_slope, low_slope = t, slope, 0.5 * low_slope if side == 1 else low_slope
            side = 1
        else:
            low, low_slope, high_slope = t, slope, 0.5 * high_slope if side == -1 else high_slope
            side = -1
    return low
