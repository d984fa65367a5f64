"""The last m steps and what they changed in the gradient: the Hessian as limited-memory methods know it.

    s_k = x_k+1 - x_k,   y_k = g_k+1 - g_k,   s_k y_k > 0

Nocedal, Updating quasi-Newton matrices with limited storage, Math. Comput. 35 (1980) 773-782. A pair stays in its row
of `s` and `y` until the newest one takes it, so rows are in no order of age.
"""

from typing import Annotated, NamedTuple

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..compile.structures import Matrix, Vector, filled, record
from ..numbers.linear_algebra import EPSILON, dot

MEMORY = record(
    kept="i8",  # pairs that there are, in rows 0 ... kept - 1
    next="i8",  # the row of the next one: that of the oldest, when all are taken
    theta="f8",  # y y / s y of the newest pair: the Hessian without its corrections is theta I
)  # fmt: skip


class Pairs(NamedTuple):
    s: Matrix  # (m, D)
    y: Matrix  # (m, D)
    sy: Vector  # (m,) s_k y_k
    factor: Vector  # (m,) scratch
    now: Annotated[np.ndarray, MEMORY]


def make_pairs(memory: int, dimension: int) -> Pairs:
    s, y = np.zeros((memory, dimension)), np.zeros((memory, dimension))
    return Pairs(s, y, np.zeros(memory), np.zeros(memory), filled(MEMORY, theta=1.0))


@inlined
def forget(pairs):
    """Begin anew: the Hessian is the identity."""
    now = pairs.now[0]
    now.kept, now.next, now.theta = 0, 0, 1.0


@part
def remember(pairs, x, g, new_x, new_g, step, slope, new_slope):
    """The row that the pair of two points is in now; -1: its curvature is nothing beside the slope, it is left out.

    slope, new_slope   along the direction, at both ends of the step
    """
    now = pairs.now[0]
    if not new_slope - slope > -EPSILON * slope:
        return -1
    k, n = now.next, x.size
    s, y = row(pairs.s, k), row(pairs.y, k)
    for j in range(n):
        s[j] = new_x[j] - x[j]
        y[j] = new_g[j] - g[j]
    sy, yy = dot(s, y, n), dot(y, y, n)
    if not (sy > 0.0 and 0.0 < yy / sy < np.inf):
        if k < now.kept:  # the oldest pair is gone, so all go
            forget(pairs)
        return -1
    pairs.sy[k], now.theta = sy, yy / sy
    now.next = (k + 1) % pairs.sy.size
    now.kept = max(now.kept, k + 1)
    return k


@part
def quasi_newton_direction(pairs, g, direction):
    """direction (D,) = -H g by the recursion over the pairs, from the newest to the oldest and back (algorithm 7.4)."""
    now, n, memory = pairs.now[0], g.size, pairs.sy.size
    for j in range(n):
        direction[j] = -g[j]
    for age in range(now.kept):
        k = (now.next - 1 - age) % memory
        s, y = row(pairs.s, k), row(pairs.y, k)
        factor = pairs.factor[k] = dot(s, direction, n) / pairs.sy[k]
        for j in range(n):
            direction[j] -= factor * y[j]
    for j in range(n):
        direction[j] /= now.theta
    for age in range(now.kept - 1, -1, -1):
        k = (now.next - 1 - age) % memory
        s, y = row(pairs.s, k), row(pairs.y, k)
        factor = pairs.factor[k] - dot(y, direction, n) / pairs.sy[k]
        for j in range(n):
            direction[j] += factor * s[j]
