"""BFGS and L-BFGS-B as their papers write them, with full matrices in plain NumPy: what the engine is tested by.

J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed. (2006), algorithm 6.1 with (6.17) and (6.20).

R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, SIAM J. Sci. Comput. 16 (1995) 1190. The Hessian B is made here by as many
updates of theta I as there are pairs, not in compact form; the subspace step is projected as in J. L. Morales,
J. Nocedal, ACM Trans. Math. Softw. 38 (2011) 7.

The line search is SciPy's own of Moré and Thuente (1994), which the engine's equals step by step.
"""

import numpy as np
from scipy.optimize._dcsrch import DCSRCH


def wolfe(fun, x, f, g, d, first, largest, c1, c2, narrow, trials, clip):
    """(x, f, g) at the end of the search along d; fun(x) -> f, g."""
    search, step = DCSRCH(None, None, c1, c2, narrow, 0.0, largest), min(first, largest)
    value, slope, task, new_g = f, g @ d, b"START", g
    for _ in range(trials + 1):
        step, value, slope, task = search._iterate(step, value, slope, task)
        if not task.startswith(b"FG"):  # converged, or a warning: the interval is narrow, or the step the largest
            break
        value, new_g = fun(clip(x + step * d))
        slope = new_g @ d
    return clip(x + step * d), value, new_g


def projected(x, g, lower, upper):
    return np.abs(np.clip(x - g, lower, upper) - x).max()


# --- BFGS ----------------------------------------------------------------------------------------------------------


def bfgs(fun, x, steps, c1=1e-4, c2=0.9):
    """The points x_0, x_1, ... of so many steps."""
    n, (f, g) = len(x), fun(x)
    H, points = np.eye(n), [x]
    for k in range(steps):
        d = -H @ g
        first = 1.0 if k else min(1.0, 1.0 / np.linalg.norm(g))
        new_x, f, new_g = wolfe(fun, x, f, g, d, first, 1e100, c1, c2, 1e-14, 40, lambda z: z)
        s, y = new_x - x, new_g - g
        if k == 0:
            H = (y @ s) / (y @ y) * np.eye(n)  # (6.20)
        rho = 1.0 / (y @ s)
        left = np.eye(n) - rho * np.outer(s, y)
        H = left @ H @ left.T + rho * np.outer(s, s)  # (6.17)
        x, g = new_x, new_g
        points.append(x)
    return np.array(points)


# --- L-BFGS-B --------------------------------------------------------------------------------------------------------


def hessian_of(pairs, n):
    """theta I, updated by each pair from the oldest to the newest."""
    if not pairs:
        return np.eye(n)
    s, y = pairs[-1]
    B = (y @ y) / (s @ y) * np.eye(n)
    for s, y in pairs:
        Bs = B @ s
        B = B - np.outer(Bs, Bs) / (s @ Bs) + np.outer(y, y) / (s @ y)
    return B


def cauchy_point(x, g, B, lower, upper):
    """(x^c, which variables the path has left free): section 4 of the paper, each segment from scratch."""
    with np.errstate(divide="ignore", invalid="ignore"):
        breaks = np.where(g < 0, (x - upper) / g, np.where(g > 0, (x - lower) / g, np.inf))
    breaks[lower == upper] = 0.0

    def on_path(t):
        return np.where(t < breaks, x - t * g, np.where(breaks > 0, np.where(g < 0, upper, lower), x))

    ends, t = [*np.unique(breaks[(breaks > 0) & (breaks < np.inf)]), np.inf], 0.0
    for end in ends:
        d = np.where(breaks > t, -g, 0.0)
        slope, curvature = g @ d + d @ B @ (on_path(t) - x), d @ B @ d
        if slope >= 0:
            break
        if -slope / curvature < end - t:
            t -= slope / curvature
            break
        t = end
    return on_path(t), breaks > t


def subspace_minimum(x, g, B, lower, upper, point, free):
    """The minimum over the free variables, brought back into the box."""
    if not free.any():
        return point
    r = (g + B @ (point - x))[free]
    step = np.zeros(len(x))
    step[free] = -np.linalg.solve(B[np.ix_(free, free)], r)
    inside = np.clip(point + step, lower, upper)
    if g @ (inside - x) < 0:
        return inside
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(step > 0, (upper - point) / step, np.where(step < 0, (lower - point) / step, np.inf))
    return point + min(1.0, room.min()) * step


def l_bfgs_b(fun, x, lower, upper, steps, memory=10):
    """The points x_0, x_1, ... of so many steps; fewer where it has converged to 1e-6."""
    n, (f, g), pairs, points = len(x), fun(x), [], [x]
    bounded, boxed = np.isfinite([lower, upper]).any(), np.isfinite([lower, upper]).all()
    for k in range(steps):
        if projected(x, g, lower, upper) <= 1e-6:
            break
        B = hessian_of(pairs, n)
        if bounded:
            point, free = cauchy_point(x, g, B, lower, upper)
            d = (subspace_minimum(x, g, B, lower, upper, point, free) if pairs else point) - x
            with np.errstate(divide="ignore", invalid="ignore"):
                room = np.where(d > 0, (upper - x) / d, np.where(d < 0, (lower - x) / d, np.inf))
            largest = room.min() if k else 1.0
        else:
            d, largest = -np.linalg.solve(B, g), 1e100
        first = min(1.0, 1.0 / np.linalg.norm(d)) if not pairs and not boxed else 1.0
        clip = lambda z: np.clip(z, lower, upper)
        new_x, f, new_g = wolfe(fun, x, f, g, d, first, largest, 1e-3, 0.9, 0.1, 20, clip)
        s, y = new_x - x, new_g - g
        if s @ y > 0:
            pairs = [*pairs, (s, y)][-memory:]
        x, g = new_x, new_g
        points.append(x)
    return np.array(points)
