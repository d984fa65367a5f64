"""One variable at a time: a line through the box is looked over point by point, and its minima are refined.

x, trial (D,)      the point on the line, and room for another
place, value (N,)  places along the line in ascending order, and the values there; room for all of them
own                an interval of Brent's method (parabolic.py)
"""

import numpy as np

from ..compile.jit import compact, inlined
from ..numbers.random import uniform
from ..run import evaluated, spent
from .parabolic import begin_at, next_point, take_in

COARSE, FINE = (8, 1e-5), (40, 1e-12)  # refinements: evaluations, and tolerance as a share of the width
CLOSE = 0.05  # of the distance of the neighbours: where the fine refinement looks


@inlined
def value_at(problem, trial, j, place, run):
    """The value where variable j of `trial` has this place."""
    trial[j] = place
    return evaluated(problem, trial, run)


@compact
def refine(problem, trial, j, low, place, value, high, most, tolerance, own, run):
    """(place, value) of the minimum in [low, high] by Brent's method, from a point inside it."""
    own.a, own.b, own.eps, own.t = low, high, 0.0, tolerance
    begin_at(own, place, value)
    for _ in range(most):
        if spent(run) or abs(own.x - 0.5 * (own.a + own.b)) <= 2.0 * own.t - 0.5 * (own.b - own.a):
            break
        u = min(max(next_point(own), low), high)
        take_in(own, u, value_at(problem, trial, j, u, run))
    return own.x, own.fx


@compact
def look_over(problem, x, f, trial, j, low, high, cells, place, value, run):
    """Values in the middle of so many cells of [low, high], with the one at x_j among them. How many there are."""
    count, here = 0, x[j]
    for k in range(cells + 1):
        middle = low + (k + 0.5) / cells * (high - low) if k < cells else np.inf
        if count == k and here <= middle:
            place[count], value[count] = here, f
            count += 1
        if k < cells and not spent(run):
            place[count], value[count] = middle, value_at(problem, trial, j, middle, run)
            count += 1
    return count


@compact
def best_of_line(problem, x, f, trial, j, low, high, cells, keep, place, value, own, run):
    """(place, value) of the lowest minimum along variable j: the best `keep` of those seen are refined, then the best.

    Of equal ones the first. (x_j, f) where nothing is lower.
    """
    count = look_over(problem, x, f, trial, j, low, high, cells, place, value, run)
    best, best_value, best_low, best_high = x[j], f, low, low
    floor, floor_k = -np.inf, -1  # of those refined so far
    for _ in range(keep):
        chosen, lowest = -1, np.inf
        for k in range(count):
            left, right = value[k - 1] if k > 0 else np.inf, value[k + 1] if k < count - 1 else np.inf
            later = value[k] > floor or (value[k] == floor and k > floor_k)
            if later and value[k] <= left and value[k] <= right and value[k] < lowest:
                chosen, lowest = k, value[k]
        if chosen < 0 or spent(run):
            break
        floor, floor_k = lowest, chosen
        a, b = place[chosen - 1] if chosen > 0 else low, place[chosen + 1] if chosen < count - 1 else high
        most, tolerance = COARSE
        found, found_value = refine(
            problem, trial, j, a, place[chosen], lowest, b, most, tolerance * (high - low), own, run
        )
        if found_value < best_value or best_high == best_low:
            best, best_value, best_low, best_high = found, found_value, a, b
    if best_high > best_low:
        reach, (most, tolerance) = CLOSE * (best_high - best_low), FINE
        best, best_value = refine(
            problem, trial, j, max(low, best - reach), best, best_value, min(high, best + reach), most,
            tolerance * (high - low), own, run,
        )  # fmt: skip
    return best, best_value


@compact
def best_of_cells(problem, x, f, trial, j, low, high, cells, most, tolerance, key, own, run):
    """(place, value): the best of a drawn point in each of so many cells and of x_j, refined. Coarse and cheap."""
    best, best_value = x[j], f
    for k in range(cells):
        if spent(run):
            break
        drawn = low + (k + uniform(key, k)) / cells * (high - low)
        found = value_at(problem, trial, j, drawn, run)
        best, best_value = (drawn, found) if found < best_value else (best, best_value)
    reach = (high - low) / cells
    return refine(
        problem, trial, j, max(low, best - reach), best, best_value, min(high, best + reach), most,
        tolerance * (high - low), own, run,
    )  # fmt: skip
