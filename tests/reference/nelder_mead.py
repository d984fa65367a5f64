"""Gao and Han's adaptive Nelder-Mead, one iteration after the paper, in plain Python: what the engine is tested by.

F. Gao, L. Han, "Implementing the Nelder-Mead simplex algorithm with adaptive parameters", Comput. Optim. Appl. 51
(2012) 259. Ties after Lagarias, Reeds, Wright and Wright, SIAM J. Optim. 9 (1998) 112: a new vertex goes behind its
equals, and the best one stays the best through a shrinkage. SciPy's sort is not stable: where there are no ties the
iterates are SciPy's to the bit, where there are they may part.

Conventions of the engine: points outside are clipped to the box; the first simplex is a step along each axis from x0,
or from a point drawn from the box; where the budget ends after the reflection, that counts if it is better than the
worst vertex; vertices that a shrinkage has no evaluation left for stay where they are.

The state has simplex and f (from best to worst), edge, xtol, tolerance (of the values).
"""

import numpy as np

from .common import CONVERGED, RUNNING, begin, budget_left, close, value_at

AT_ZERO, OF_BOX = 0.00025, 0.1  # edges: absolute where x is 0 (SciPy), of the box's width where the point is drawn


def parameters(n):
    """Of reflection, expansion, contraction and shrinkage; with one variable the plain ones, as delta would be 0."""
    return (1.0, 1.0 + 2.0 / n, 0.75 - 0.5 / n, 1.0 - 1.0 / n) if n > 1 else (1.0, 2.0, 0.5, 0.5)


def order(simplex, f):
    """From the best to the worst; equals keep their order, NaN comes last."""
    rank = np.argsort(f, kind="stable")
    return simplex[rank], f[rank]


def first_simplex(s, draws):
    """The vertices that were given, all of them or one; or one drawn from the box. Restarts draw where they can."""
    n, given = len(s.lower), np.asarray(s.given)
    bounded = np.isfinite(s.lower).all() and np.isfinite(s.upper).all()
    drawn = len(given) == 0 or (bounded and s.index > 0)
    if len(given) == n + 1 and not drawn:
        return given.copy()
    x = s.lower + np.array(draws.uniforms(None, 0, n)) * (s.upper - s.lower) if drawn else given[0]
    vertices = [x]
    for j in range(n):
        edge = OF_BOX * (s.upper[j] - s.lower[j]) if drawn else s.edge * x[j] if x[j] != 0 else AT_ZERO
        farther = s.upper[j] if s.upper[j] - x[j] > x[j] - s.lower[j] else s.lower[j]
        steps = [x[j] + edge, x[j] - edge, (x[j] + farther) / 2]  # ahead, back, or half the way to the farther bound
        vertex = x.copy()
        vertex[j] = next(step for step in steps if s.lower[j] <= step <= s.upper[j])
        vertices.append(vertex)
    return np.array(vertices)


def evaluate_first(s, fun, draws):
    s.simplex = first_simplex(s, draws)
    s.f = np.full(len(s.simplex), np.inf)
    for i, vertex in enumerate(s.simplex):
        if budget_left(s):
            s.f[i] = value_at(s, fun, vertex)
    return "first"


def step(s, fun):
    """One iteration of the paper on the vertices in their order. Returns what was done."""
    n = len(s.f) - 1
    alpha, beta, gamma, delta = parameters(n)
    simplex, f = s.simplex, s.f
    centroid = np.add.reduce(simplex[:-1], axis=0) / n
    worst = simplex[-1].copy()

    def along(step):  # centroid + step (centroid - worst), in the rounding of SciPy
        point = np.clip((1.0 + step) * centroid - step * worst, s.lower, s.upper)
        return point, value_at(s, fun, point)

    def accept(point, value, name):
        simplex[-1], f[-1] = point, value
        return name

    reflected, value = along(alpha)
    if f[0] <= value < f[-2]:
        return accept(reflected, value, "reflection")
    if not budget_left(s):
        return accept(reflected, value, "reflection, the last") if value < f[-1] else "nothing"
    if value < f[0]:
        expanded, lowest = along(alpha * beta)
        return accept(expanded, lowest, "expansion") if lowest < value else accept(reflected, value, "no expansion")
    if value < f[-1]:
        contracted, found = along(alpha * gamma)
        if found <= value:
            return accept(contracted, found, "outside contraction")
    else:
        contracted, found = along(-gamma)
        if found < f[-1]:
            return accept(contracted, found, "inside contraction")
    for i in range(1, n + 1):
        if budget_left(s):
            simplex[i] = simplex[0] + delta * (simplex[i] - simplex[0])
            f[i] = value_at(s, fun, simplex[i])
    return "shrinkage"


def converged(s):
    """Values and vertices agree with the best to their tolerances, relative to 1 and to the best."""
    with np.errstate(invalid="ignore"):
        values_agree = s.f[-1] - s.f[0] <= s.tolerance * (1 + abs(s.best))
    best = s.simplex[0]
    return bool(values_agree and (abs(s.simplex - best) <= s.xtol * (1 + abs(best))).all())


def iterate(state, fun, draws):
    s = begin(state)
    s.moved = evaluate_first(s, fun, draws) if s.iteration == 0 else step(s, fun)
    s.simplex, s.f = order(s.simplex, s.f)
    s.stop = CONVERGED if converged(s) else RUNNING
    return close(s)


def start(dimension):
    """What a run begins with: SciPy's edge of 5 %, tolerances of 1e-8."""
    return {"edge": 0.05, "xtol": 1e-8, "tolerance": 1e-8, "simplex": np.zeros((dimension + 1, dimension))}
