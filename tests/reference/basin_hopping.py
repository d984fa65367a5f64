"""Basin hopping after Wales and Doye (1997), as SciPy has it, in plain Python.

A jump displaces each coordinate by a number uniform in [-step, step); after each `interval` jumps the step is divided
by `factor` where more than a share `rate` of all jumps were accepted, else multiplied by it. The local minimum is
accepted by Metropolis' rule. Conventions of the engine: what leaves the box is mirrored; a jump is no wider than the
box, of whole numbers at least 2; the local search from the first point is iteration 0.
"""

import math

import numpy as np

from .common import begin, close, in_box
from .local_search import hill_climbing, hooke_jeeves

ACCEPTS, COORDINATE = 0, 1


def local_minimum(s, fun, draws, point):
    until = s.evaluations + s.moves
    if s.local == "pattern":
        return hooke_jeeves(s, fun, point, s.local_step, s.xtol, s.unit, until)
    return hill_climbing(s, fun, point, s.local_step, draws, s.unit, until)


def mirrored(value, low, high):
    value = 2 * low - value if value < low else value
    value = 2 * high - value if value > high else value
    return min(max(value, low), high)


def jumped(s, draws):
    point = s.x.copy()
    for j, low in enumerate(s.lower):
        step = min(s.stretch * s.reach[j], s.upper[j] - low)
        step = max(step, min(2.0, s.upper[j] - low)) if s.whole[j] else step
        point[j] = mirrored(s.x[j] + step * (2 * draws.uniform(None, COORDINATE + j) - 1), low, s.upper[j])
        point[j] = math.floor(point[j] + 0.5) if s.whole[j] else point[j]
    return point


def iterate(state, fun, draws):
    s = begin(state)
    if s.iteration == 0:
        drawn = in_box(s, draws.uniforms(None, COORDINATE, len(s.lower))) if not len(s.given) else None
        s.x, s.f = local_minimum(s, fun, draws, s.given[0] if drawn is None else drawn)
        return close(s)
    if s.iteration % s.interval == 0:
        s.stretch = s.stretch / s.factor if s.accepted / s.iteration > s.rate else s.stretch * s.factor
    point, value = local_minimum(s, fun, draws, jumped(s, draws))
    u = draws.uniform(None, ACCEPTS)
    if value <= s.f or (s.temperature > 0 and u < math.exp(-(value - s.f) / s.temperature)):
        s.x, s.f, s.accepted = np.array(point), value, s.accepted + 1
    return close(s)
