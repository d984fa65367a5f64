"""Generalised simulated annealing (Tsallis and Stariolo 1996; Xiang et al. 1997, 2013), in plain Python, as in SciPy.

Conventions of the engine: the first point is part of iteration 0; a whole number is drawn from the interval of its
numbers, widened by one half on both sides, and rounded; where all stay, one goes to a neighbour, of the moves of all
coordinates two.
"""

import math

import numpy as np

from .common import begin, close, in_box, value_at
from .local_search import hooke_jeeves

ABOVE, BELOW, ACCEPTS, SIDE, OTHER, OTHER_SIDE, VISIT = range(7)  # slots of a move, whose number is its row
TAIL_LIMIT, MIN_VISIT_BOUND = 1e8, 1e-10


def temperature(s):
    q = s.visit
    return s.first * (2 ** (q - 1) - 1) / ((s.step + 2) ** (q - 1) - 1)


def visiting(s, draws, move, j):
    """A number of Tsallis' distribution: x sigma / |y|^((q - 1) / (3 - q)), x and y normal."""
    q, T = s.visit, s.temperature
    factor_2 = math.exp((4 - q) * math.log(q - 1))
    factor_3 = math.exp((2 - q) * math.log(2) / (q - 1))
    factor_4 = math.sqrt(math.pi) * factor_2 / (factor_3 * (3 - q)) * math.exp(math.log(T) / (q - 1))
    factor_5 = 1 / (q - 1) - 0.5
    factor_6 = math.pi * (1 - factor_5) / math.sin(math.pi * (1 - factor_5)) / math.gamma(2 - factor_5)
    sigma = math.exp(-(q - 1) * math.log(factor_6 / factor_4) / (3 - q))
    x, y = draws.normal(move, VISIT + 2 * j), draws.normal(move, VISIT + 2 * j + 1)
    jump = x * sigma / abs(y) ** ((q - 1) / (3 - q))
    if jump > TAIL_LIMIT:
        return TAIL_LIMIT * draws.uniform(move, ABOVE)
    return -TAIL_LIMIT * draws.uniform(move, BELOW) if jump < -TAIL_LIMIT else jump


def wrapped(value, low, high):
    if low == high:
        return low
    there = math.fmod(math.fmod(value - low, high - low) + (high - low), high - low) + low
    return there + 1e-10 if abs(there - low) < MIN_VISIT_BOUND else there


def candidate(s, draws, move):
    n, point = len(s.x), s.x.copy()
    for j in range(n) if move < n else (move - n,):
        low, high, jump = s.lower[j], s.upper[j], visiting(s, draws, move, j)
        if s.whole[j]:
            point[j] = min(max(math.floor(wrapped(s.x[j] + jump, low - 0.5, high + 0.5) + 0.5), low), high)
        else:
            point[j] = wrapped(s.x[j] + jump, low, high)
    if (point == s.x).all():
        j, k = move % n, draws.integer(move, OTHER, n)
        step_aside(s, point, j, draws.uniform(move, SIDE))
        if move < n and k != j:
            step_aside(s, point, k, draws.uniform(move, OTHER_SIDE))
    return point


def step_aside(s, point, j, u):
    """A whole number goes to a neighbour."""
    if s.whole[j]:
        sides = (1, -1) if u < 0.5 else (-1, 1)
        point[j] = next((s.x[j] + side for side in sides if s.lower[j] <= s.x[j] + side <= s.upper[j]), s.x[j])


def chain(s, fun, draws):
    """2 D moves; whether the best has improved."""
    improved, T_step = s.step == 0, s.temperature / (s.step + 1)
    s.idle += 1
    for move in range(2 * len(s.x)):
        if s.evaluations >= s.max_evals:
            break
        point, best = candidate(s, draws, move), s.best
        value = value_at(s, fun, point)
        if value < s.f:
            s.x, s.f = point, value
            if value < best:
                improved, s.idle = True, 0
            continue
        with np.errstate(invalid="ignore"):
            base = 1 - (1 - s.accept) * np.subtract(value, s.f) / T_step
        if base > 0 and draws.uniform(move, ACCEPTS) <= base ** (1 / (1 - s.accept)):
            s.x, s.f, s.chain_x = point, value, point
        if s.idle >= s.waits and (move == 0 or s.f < s.chain_f):
            s.chain_x, s.chain_f = s.x, s.f
    return improved


def local_searches(s, fun, improved):
    if improved and s.evaluations < s.max_evals:
        best = s.best
        point, value = hooke_jeeves(s, fun, s.best_x, 0.01, 1e-8, s.unit, s.max_evals)
        if value < best:
            s.x, s.f, s.idle = point, value, 0
    if s.idle >= s.waits and s.evaluations < s.max_evals:
        best = s.best
        point, value = hooke_jeeves(s, fun, s.chain_x, 0.01, 1e-8, s.unit, s.max_evals)
        s.idle, s.waits = 0, len(s.x)
        if value < s.chain_f:
            s.chain_x, s.chain_f = point, value
        if value < best:
            s.x, s.f = point, value


def iterate(state, fun, draws):
    s = begin(state)
    s.temperature = temperature(s)
    if s.iteration == 0 or s.temperature < s.last:
        first = s.iteration == 0 and len(s.given) > 0
        s.x = np.array(s.given[0]) if first else in_box(s, draws.uniforms(None, 0, len(s.lower)))
        s.f, s.step = value_at(s, fun, s.x), 0
        s.temperature = temperature(s)
        if s.iteration == 0:
            s.chain_x, s.chain_f = s.x, s.f
    improved = chain(s, fun, draws)
    if s.local == "pattern":
        local_searches(s, fun, improved)
    s.step += 1
    return close(s)
