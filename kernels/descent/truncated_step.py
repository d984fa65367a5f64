"""A step towards the minimum of a quadratic model by conjugate gradients, cut off at the edges of a ball and a box.

    m(s) = g's + s'Hs / 2,   |s| <= radius

Steihaug, SIAM J. Numer. Anal. 20 (1983) 626-637; Toint, in Sparse Matrices and Their Uses (1981) 57-88: along a
direction of negative curvature, and where the next iterate lies beyond the edge, the step goes to the edge. Only
products with H are asked for. Bounds as in Conn, Gould and Toint, Math. Comp. 50 (1988) 399-430: a variable that meets
its bound stays there, and conjugate gradients begin anew from there in the others.
"""

import numpy as np

from ..compile.jit import inlined
from ..numbers.linear_algebra import dot
from ..run import NO_DERIVATIVE, evaluate_product

ITERATIONS = 2  # for each variable, at most: in exact arithmetic one is enough


@inlined
def truncated_step(problem, state, tolerance):
    """state.step (D,), within the ball and the box, with |g + H s| <= tolerance |g| where no edge comes before.

    Returns g's, s'Hs, and whether the step ends at the edge of the ball. own.radius 0: the first minimum along -g makes
    the radius. A product that is not finite stops the run.
    """
    x, g, step, box, own = state.x, state.g, state.step, state.box, state.own[0]
    n, at_edge = x.size, False
    residual, direction, product, held = state.residual, state.direction, state.product, state.held
    for j in range(n):
        step[j], residual[j] = 0.0, g[j]  # r = g + H s
        out = (g[j] > 0.0 and x[j] <= box.lower[j]) or (g[j] < 0.0 and x[j] >= box.upper[j])
        held[j] = 1.0 if out or box.lower[j] == box.upper[j] else 0.0
    size = steepest(residual, held, direction)
    small = tolerance * tolerance * size
    for _ in range(ITERATIONS * n + 2):
        if not size > 0.0:
            break
        if not evaluate_product(problem, x, direction, product, state.run):
            break
        curvature, length = dot(direction, product, n), dot(direction, direction, n)
        if not abs(curvature) < np.inf:
            state.run.now[0].stop = NO_DERIVATIVE
            break
        far = size / curvature if curvature > 0.0 else np.inf
        if own.radius == 0.0:
            own.radius = min(far * np.sqrt(length) if far < np.inf else 1.0, own.largest)
        to_edge = distance_to_edge(dot(step, direction, n), length, own.radius * own.radius - dot(step, step, n))
        to_bound = distance_to_bound(x, step, direction, box)
        share = min(far, to_edge, to_bound)
        at_bound = to_bound <= share
        for j in range(n):
            residual[j] += share * product[j]
            if at_bound and room(x, step, direction, box, j) <= share:
                step[j] = box.upper[j] - x[j] if direction[j] > 0.0 else box.lower[j] - x[j]
                held[j] = 1.0
            else:
                step[j] += share * direction[j]
        if at_bound:
            size = steepest(residual, held, direction)
            if size <= small:
                break
            continue
        if to_edge <= far:
            at_edge = True
            break
        before = size
        size = free_size(residual, held)
        if size <= small:
            break
        for j in range(n):
            direction[j] = size / before * direction[j] - (residual[j] if held[j] == 0.0 else 0.0)
    slope, curvature = dot(g, step, n), 0.0
    for j in range(n):
        curvature += (residual[j] - g[j]) * step[j]
    return slope, curvature, at_edge


@inlined
def free_size(residual, held):
    """The sum of squares over the variables that are not held."""
    size = 0.0
    for j in range(residual.size):
        if held[j] == 0.0:
            size += residual[j] * residual[j]
    return size


@inlined
def steepest(residual, held, direction):
    """direction (D,) = -r in the variables that are free, 0 in the others. Returns its length squared."""
    for j in range(direction.size):
        direction[j] = -residual[j] if held[j] == 0.0 else 0.0
    return dot(direction, direction, direction.size)


@inlined
def distance_to_edge(along, length, gap):
    """t >= 0 with |s + t p| = radius; along = s'p, length = p'p, gap = radius^2 - s's."""
    gap = max(gap, 0.0)
    root = np.sqrt(along * along + length * gap)
    return gap / (along + root) if along > 0.0 else (root - along) / length


@inlined
def distance_to_bound(x, step, direction, box):
    """The least t at which x + s + t p meets a bound; inf: none."""
    least = np.inf
    for j in range(x.size):
        least = min(least, room(x, step, direction, box, j))
    return least


@inlined
def room(x, step, direction, box, j):
    """The t at which variable j of x + s + t p meets a bound."""
    if direction[j] > 0.0:
        return max(0.0, (box.upper[j] - x[j] - step[j]) / direction[j])
    return max(0.0, (box.lower[j] - x[j] - step[j]) / direction[j]) if direction[j] < 0.0 else np.inf
