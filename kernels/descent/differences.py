"""Derivatives from values alone, whose steps follow the curvature: for a method that pays for each evaluation.

All lengths are shares of the box's width, one for each variable: x = lower + width u, g is the gradient by u.
    x, trial (D,)  a point of the box, and room for another
    width    (D,)  of the box; 0: this variable stays
    step     (D,)  lengths of the differences
    g        (D,)  the gradient
    B        (D, D)  the Hessian
"""

import numpy as np

from ..compile.jit import compact, inlined
from ..numbers.linear_algebra import EPSILON
from ..run import evaluated, spent

FIRST = 1e-8  # the step where nothing is known of the curvature
LEAST, MOST = 1e-10, 1e-3  # steps
CENTRAL = 20.0  # how much longer a step to both sides is
MOST_CENTRAL = 1e-2


@inlined
def fit_steps(step, B, value):
    """Steps that balance rounding, of a value of this size, and curvature: 2 sqrt(4 eps |f| / B_jj)."""
    noise = 4.0 * EPSILON * value
    for j in range(step.size):
        curvature = max(abs(B[j, j]), 1e-300)
        step[j] = min(max(2.0 * np.sqrt(noise / curvature), LEAST), MOST)


@compact
def beside(problem, x, trial, width, lower, upper, j, length, run):
    """(the value at x + length along axis j, the length as it came out); length 0 where that leaves the box."""
    trial[j] = x[j] + length * width[j]
    if not lower[j] <= trial[j] <= upper[j]:
        trial[j] = x[j]
        return np.inf, 0.0
    moved = (trial[j] - x[j]) / width[j]
    value = evaluated(problem, trial, run)
    trial[j] = x[j]
    return value, moved


@compact
def one_sided(problem, x, f, trial, width, step, box, g, run):
    """g by forward differences, D evaluations; backward at a bound, and where the value ahead is not finite."""
    for j in range(x.size):
        trial[j] = x[j]
    for j in range(x.size):
        g[j] = 0.0
        if width[j] == 0.0 or spent(run):
            continue
        length = step[j] if x[j] + step[j] * width[j] <= box.upper[j] else -step[j]
        value, moved = beside(problem, x, trial, width, box.lower, box.upper, j, length, run)
        if not value < np.inf and not spent(run):
            value, moved = beside(problem, x, trial, width, box.lower, box.upper, j, -length, run)
        g[j] = (value - f) / moved if value < np.inf and moved != 0.0 else 0.0


@compact
def two_sided(problem, x, f, trial, width, step, box, g, run):
    """g by central differences, 2 D evaluations; by one side where the other leaves the box or is not finite."""
    for j in range(x.size):
        trial[j] = x[j]
    for j in range(x.size):
        g[j] = 0.0
        if width[j] == 0.0 or spent(run):
            continue
        length = min(CENTRAL * step[j], MOST_CENTRAL)
        above, up = beside(problem, x, trial, width, box.lower, box.upper, j, length, run)
        below, down = np.inf, 0.0
        if not spent(run):
            below, down = beside(problem, x, trial, width, box.lower, box.upper, j, -length, run)
        above, up = (above, up) if above < np.inf else (f, 0.0)
        below, down = (below, down) if below < np.inf else (f, 0.0)
        g[j] = (above - below) / (up - down) if up != down else 0.0


@compact
def second_differences(problem, x, f, trial, width, length, box, B, ahead, signed, g, run):
    """B and g at x, by D (D + 3) / 2 evaluations. False: the run has no more of them, or a value is not finite.

    length: of all steps; ahead, signed (D,): room for the values ahead and for the steps.
    """
    n, finite = x.size, True
    for j in range(n):
        trial[j] = x[j]
    for j in range(n):
        if width[j] == 0.0 or spent(run):
            return False
        signed[j] = length if x[j] + length * width[j] <= box.upper[j] else -length
        ahead[j], h = beside(problem, x, trial, width, box.lower, box.upper, j, signed[j], run)
        signed[j] = h
        behind, moved = beside(problem, x, trial, width, box.lower, box.upper, j, -h, run)
        if moved != 0.0:
            B[j, j], g[j] = (ahead[j] + behind - 2.0 * f) / (h * h), (ahead[j] - behind) / (2.0 * h)
        else:
            behind, moved = beside(problem, x, trial, width, box.lower, box.upper, j, 2.0 * h, run)
            B[j, j] = (behind - 2.0 * ahead[j] + f) / (h * h)
            g[j] = (4.0 * ahead[j] - 3.0 * f - behind) / (2.0 * h)
        finite = finite and abs(B[j, j]) < np.inf
    for i in range(n):
        trial[i] = x[i] + signed[i] * width[i]
        for j in range(i):
            if spent(run):
                return False
            both, _ = beside(problem, x, trial, width, box.lower, box.upper, j, signed[j], run)
            B[i, j] = B[j, i] = (both - ahead[i] - ahead[j] + f) / (signed[i] * signed[j])
            finite = finite and abs(B[i, j]) < np.inf
        trial[i] = x[i]
    return finite
