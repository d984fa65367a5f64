"""Gao and Han's adaptive Nelder-Mead, one iteration after the paper, in plain Python: what the engine is tested by.

F. Gao, L. Han, "Implementing the Nelder-Mead simplex algorithm with adaptive parameters", Comput. Optim. Appl. 51
(2012) 259. Ties after Lagarias, Reeds, Wright and Wright, SIAM J. Optim. 9 (1998) 112: a new vertex goes behind its
equals, and the best one stays the best through a shrinkage. SciPy's sort is not stable: where there are no ties the
iterates are SciPy's to the bit, where there are they may part.
"""

import numpy as np


def parameters(n):
    """Of reflection, expansion, contraction and shrinkage; with one variable the plain ones, as delta would be 0."""
    return (1.0, 1.0 + 2.0 / n, 0.75 - 0.5 / n, 1.0 - 1.0 / n) if n > 1 else (1.0, 2.0, 0.5, 0.5)


def iterate(simplex, f, fun, lower=None, upper=None):
    """One iteration on the vertices (n + 1, n) and their values: both anew, in order, and the number of evaluations.

    Points are clipped to the box, as SciPy does; each lies on the line through the worst vertex and the centroid of the
    others before it is clipped.
    """
    n = len(f) - 1
    alpha, beta, gamma, delta = parameters(n)
    simplex, f = order(np.array(simplex, dtype=float), np.array(f, dtype=float))
    centroid = np.add.reduce(simplex[:-1], axis=0) / n
    worst = simplex[-1].copy()
    evaluations = 0

    def evaluate(x):
        nonlocal evaluations
        evaluations += 1
        x = x if lower is None and upper is None else np.clip(x, lower, upper)
        return x, fun(x)

    def along(step):  # centroid + step (centroid - worst), in the rounding of SciPy
        return evaluate((1.0 + step) * centroid - step * worst)

    new, value = along(alpha)
    accepted = True
    if value < f[0]:
        further, lowest = along(alpha * beta)
        if lowest < value:
            new, value = further, lowest
    elif value < f[-2]:
        pass
    elif value < f[-1]:
        reflected = value
        new, value = along(alpha * gamma)
        accepted = value <= reflected
    else:
        new, value = along(-gamma)
        accepted = value < f[-1]
    if accepted:
        simplex[-1], f[-1] = new, value
    else:
        for i in range(1, n + 1):
            simplex[i], f[i] = evaluate(simplex[0] + delta * (simplex[i] - simplex[0]))
    return *order(simplex, f), evaluations


def order(simplex, f):
    """From the best to the worst; equals keep their order, NaN comes last."""
    rank = np.argsort(f, kind="stable")
    return simplex[rank], f[rank]
