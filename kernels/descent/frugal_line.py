"""A line search that asks for values alone: back where the value does not fall enough, on where it falls further.

x, trial, second (D,)  the point, the best one along the line, and room for another
direction (D,), g (D,) in shares of the box's width, width (D,)
"""

import numpy as np

from ..calling.arguments import copy_array
from ..compile.jit import compact, inlined
from ..run import evaluated, spent
from .box import inside

ARMIJO = 1e-4
BACK = 12  # steps back, at most
ON, ON_AT_FIRST = 3, 10  # steps on
FURTHEST = 1000.0  # times the last step
NOTHING = 1e-13  # of the box: too short a step


@inlined
def point_at(x, direction, t, width, box, point):
    """point = x + t direction, clipped to the box. Whether it is another point than x."""
    moved = False
    for j in range(x.size):
        point[j] = inside(x[j] + t * width[j] * direction[j], box.lower[j], box.upper[j])
        moved = moved or point[j] != x[j]
    return moved


@inlined
def promised(x, point, g, width):
    """By how much the value changes to first order from x to the point."""
    change = 0.0
    for j in range(x.size):
        change += g[j] * (point[j] - x[j]) / width[j] if width[j] > 0.0 else 0.0
    return change


@inlined
def vertex(t, value, f, slope):
    """Where the parabola through f, with the slope, and the value at t is least; 4 t where it has no minimum."""
    bend = 2.0 * (value - f - slope * t)
    return -slope * t * t / bend if bend > 0.0 else 4.0 * t


@compact
def search(problem, x, f, g, direction, slope, length, at_first, width, box, trial, second, run):
    """The value at `trial`, the best point found along the direction; inf where none was tried."""
    t, value, best, best_t, enough = 1.0, np.inf, np.inf, 0.0, False
    for k in range(BACK):
        if spent(run) or not point_at(x, direction, t, width, box, trial):
            break
        value = evaluated(problem, trial, run)
        if value <= f + ARMIJO * promised(x, trial, g, width):
            enough = True
            break
        best, best_t = (value, t) if value < best else (best, best_t)
        share = vertex(t, value, f, slope) / t if value < np.inf else 0.1
        t *= min(max(share, 0.05 if k < 3 else 0.01), 0.5)
        if t * length < NOTHING:
            break
    if not enough:
        if best < f:
            point_at(x, direction, best_t, width, box, trial)
        return best
    if at_first or t >= 1.0:
        value = go_on(problem, x, f, direction, slope, t, value, at_first, width, box, trial, second, run)
    return value


@compact
def go_on(problem, x, f, direction, slope, t, value, at_first, width, box, trial, second, run):
    """Steps further along the line, as long as the parabola through the last one promises more."""
    for _ in range(ON_AT_FIRST if at_first else ON):
        aim = vertex(t, value, f, slope)
        shorter = at_first and aim < 0.7 * t  # the first step was a guess: it may have been too long
        if spent(run) or not (aim >= 1.5 * t or shorter):
            break
        aim = min(aim, FURTHEST * t)
        point_at(x, direction, aim, width, box, second)
        same = True
        for j in range(x.size):
            same = same and second[j] == trial[j]
        if same:
            break
        found = evaluated(problem, second, run)
        if not found < value:
            break
        value, t = found, aim
        copy_array(trial, second)
        if shorter:
            break
    return value
