"""A point and its box: where a local method begins, how it stays inside, how far it is from a minimum.

x, g (D,)   a point, and the gradient there
"""

import numpy as np

from ..compile.jit import inlined, part
from ..numbers.random import uniform


def start_of(domain):
    """x (D,): the point that the caller gave; NaN where `place_start` draws one."""
    if domain.x0 is None:
        return np.full(domain.dimension, np.nan)
    if len(domain.x0) != 1:
        pairs = "; if these are (low, high) pairs, write bounds=" if domain.dimension == 2 else ""
        raise ValueError(f"x0: got {len(domain.x0)} points, expected one, at which the method begins{pairs}")
    return domain.x0[0].copy()


@part
def place_start(x, box, run):
    """The point that was given stays; in a finite box all runs but the first, or all, begin at one drawn from it."""
    finite = True
    for j in range(x.size):
        finite = finite and -np.inf < box.lower[j] and box.upper[j] < np.inf
    if x[0] == x[0] and (run.now[0].index == 0 or not finite):
        return
    for j in range(x.size):
        x[j] = box.lower[j] + uniform(run.now[0].key, j) * (box.upper[j] - box.lower[j])


@inlined
def inside(value, lower, upper):
    """The number in [lower, upper] that is nearest to a value; NaN stays."""
    return lower if value < lower else upper if value > upper else value


@inlined
def clip(x, box):
    """x becomes the nearest point of the box."""
    for j in range(x.size):
        x[j] = inside(x[j], box.lower[j], box.upper[j])


@inlined
def projected_gradient(x, g, box):
    """The largest entry of x - P(x - g), P being the projection onto the box: 0 at a minimum.

    Where there are no bounds it is the largest |g_j|. NaN where g is not finite.
    """
    largest = np.int64(0)  # as bits: those of numbers that are not negative are in their order, NaN is above all
    for j in range(x.size):
        below, above = x[j] - box.lower[j], box.upper[j] - x[j]
        step = min(g[j], below) if g[j] > 0.0 else min(-g[j], above)
        step = step if abs(g[j]) < np.inf else np.nan
        largest = max(largest, np.float64(step).view(np.int64))
    return np.int64(largest).view(np.float64)
