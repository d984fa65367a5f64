"""Tabu search for boxes after Glover (1989) and Chelouah and Siarry (2000), in plain Python.

One generation: the neighbourhood of the current point, row i of n in a box of half width h 10^(-3 i / (n - 1)); of
three rows one changes all variables, one changes one, one changes two (whole numbers by up to 1 at least); the move to
the best neighbour that is not tabu (in a ball of h / 20 around one of the last points) or better than all before; then
the phase. Balls around promising points and searched areas have a radius of 1/50 of the box. In all of them whole
numbers must be the same.

The state has at, f, tabu (points, the oldest first), tenure, found and found_f (promising points), done (areas,
the oldest first; in phase INTENSIFY the last one is being searched), best_before, phase, reach, first, least,
idle, long, short, area_f.
"""

import math

import numpy as np

from .common import close, copied, evaluate, in_box, initial_sample

SAMPLE, DIVERSIFY, INTENSIFY = range(3)
WHERE, SIDE, OTHER, STEP = range(4)
LISTED = 10


def mirrored(value, low, high):
    value = 2 * low - value if value < low else value
    value = 2 * high - value if value > high else value
    return min(max(value, low), high)


def neighbour(s, draws, i):
    n = len(s.at)
    u = draws.uniforms(i, STEP, n)
    only = draws.integer(i, WHERE, n)
    point = s.at.copy()
    if s.phase == SAMPLE:
        point = in_box(s, u)
    else:
        reach = s.reach * 10 ** (-3 * i / max(s.size - 1, 1))
        changing = (range(n), (only,), {only, draws.integer(i, OTHER, n)})[i % 3]
        for j in changing:
            width = reach * (s.upper[j] - s.lower[j])
            width = max(width, 1.0) if s.whole[j] and i % 3 else width
            point[j] = mirrored(s.at[j] + width * (2 * u[j] - 1), s.lower[j], s.upper[j])
            point[j] = math.floor(point[j] + 0.5) if s.whole[j] else point[j]
    if (point == s.at).all() and s.whole[only]:
        sides = (1, -1) if draws.uniform(i, SIDE) < 0.5 else (-1, 1)
        inside = [s.at[only] + side for side in sides if s.lower[only] <= s.at[only] + side <= s.upper[only]]
        point[only] = inside[0] if inside else point[only]
    return point


def balls(s, x, points, radius):
    """The points in whose ball x is, by number."""
    reach = np.where(s.whole, 0.0, radius * (s.upper - s.lower))
    return [k for k, point in enumerate(points) if (abs(x - point) <= reach).all()]


def best_neighbour(s):
    order = np.argsort(s.trial_f, kind="stable")
    if s.phase == SAMPLE:
        return order[0]
    for i in order:
        if s.trial_f[i] < s.best_before or not balls(s, s.trial[i], s.tabu, s.reach / 20):
            return i
    return order[0]


def go_to(s, point, value):
    s.at, s.f = np.array(point), value
    s.tabu = [*s.tabu, s.at][-s.tenure :]


def is_promising(s, x, value):
    if value == np.inf or balls(s, x, s.done, 1 / 50):
        return False
    near = balls(s, x, s.found, 1 / 50)
    if near:
        place = near[0]
        if value >= s.found_f[place]:
            return False
    elif len(s.found) < LISTED:
        s.found, s.found_f = [*s.found, None], [*s.found_f, None]
        place = len(s.found) - 1
    else:
        if value >= sum(s.found_f) / LISTED:
            return False
        place = int(np.argmax(s.found_f))
    s.found[place], s.found_f[place] = np.array(x), value
    return True


def diversify(s):
    s.idle = 0 if is_promising(s, s.at, s.f) else s.idle
    if s.idle < s.long:
        return
    s.phase, s.idle = SAMPLE, 0
    if s.found:
        best = int(np.argmin(s.found_f))
        s.phase, s.reach, s.area_f, s.tabu = INTENSIFY, s.first / 2, s.found_f[best], []
        s.done = [*s.done, s.found[best]][-LISTED:]
        go_to(s, s.found[best], s.area_f)


def intensify(s):
    if s.f < s.area_f:
        s.area_f, s.idle = s.f, 0
        s.done = [*s.done[:-1], s.at]
    if s.idle < s.short:
        return
    s.reach, s.idle = s.reach / 2, 0
    if s.reach < s.least:
        s.phase = SAMPLE
    else:
        s.tabu = []
        go_to(s, s.done[-1], s.area_f)


def iterate(state, fun, draws):
    s = copied(state)
    s.tabu, s.found, s.found_f, s.done = list(s.tabu), list(s.found), list(s.found_f), list(s.done)
    if s.iteration == 0:
        points = initial_sample(s, draws)
    else:
        points = np.array([neighbour(s, draws, i) for i in range(s.count)])
    evaluate(s, fun, points)
    row, phase = best_neighbour(s), s.phase
    if phase == SAMPLE:
        s.tabu, s.found, s.found_f = [], [], []
        for x, value in zip(s.trial, s.trial_f):
            is_promising(s, x, value)
    go_to(s, s.trial[row], s.trial_f[row])
    s.idle += 1
    if phase == SAMPLE:
        s.phase, s.idle, s.reach = DIVERSIFY, 0, s.first
    elif phase == DIVERSIFY:
        diversify(s)
    else:
        intensify(s)
    s.best_before = s.best
    return close(s)
