"""Parallel tempering: a step of each walk, then exchanges of every second pair of neighbours, in plain Python.

Swendsen and Wang (1986), Hukushima and Nemoto (1996). Two neighbours exchange with probability
min(1, exp((1 / T_cold - 1 / T_hot) (f_cold - f_hot))). The ladder adapts as Miasojedow, Moulines and Vihola (2013)
write it, seen from the hottest: T_k+1 = T_k exp(-exp(rho_k)), rho_k grows by (n + 1)^-0.6 (p - 0.25) in round n.

Conventions of the engine: one coordinate of a walk moves, by a step uniform in [-w, w) times the box's width; ln w of
its level grows by 0.1 (accepted - 0.44), w stays below 1; the hottest temperature is where rises like those of the
first 10 generations, which are all accepted, would be with probability 0.8; the last level has T = 0.

The state has x, f (by walk), level (of a walk), walk (of a level); temperature, gap (rho), width, rate (by level);
rise, rises, exchange, rounds.
"""

import math

import numpy as np

from .common import close, copied, evaluate, initial_sample
from .simulated_annealing import mirrored, with_partners

WHERE, HOW_FAR, ACCEPTS, SIDE = range(4)


def candidate(s, draws, i):
    j = draws.integer(i, WHERE, len(s.lower))
    low, high = s.lower[j], s.upper[j]
    point = s.x[i].copy()
    step = s.width[s.level[i]] * (high - low) * (2 * draws.uniform(i, HOW_FAR) - 1)
    point[j] = mirrored(s.x[i, j] + step, low, high)
    if s.whole[j]:
        point[j] = math.floor(point[j] + 0.5)
        if point[j] == s.x[i, j]:
            sides = (1, -1) if draws.uniform(i, SIDE) < 0.5 else (-1, 1)
            inside = [s.x[i, j] + side for side in sides if low <= s.x[i, j] + side <= high]
            point[j] = inside[0] if inside else s.x[i, j]
    return with_partners(s, draws, i, s.x[i], point, j, s.width[s.level[i]])


def metropolis(value, before, temperature, u):
    if value <= before:
        return True
    return value < np.inf and temperature > 0 and u < math.exp(-(value - before) / temperature)


def ladder(s):
    for k in range(len(s.temperature) - 2):
        s.temperature[k + 1] = s.temperature[k] * math.exp(-math.exp(s.gap[k]))
    s.temperature[-1] = 0.0


def exchanges(s, draws):
    gain, row = (s.rounds + 1) ** -0.6, len(s.temperature)
    for k in range(s.rounds % 2, len(s.temperature) - 1, 2):
        hot, cold = s.walk[k], s.walk[k + 1]
        if s.f[hot] <= s.f[cold]:
            p = 1.0
        elif s.temperature[k + 1] == 0 or s.f[hot] == np.inf:
            p = 0.0
        else:
            p = min(1.0, math.exp((1 / s.temperature[k + 1] - 1 / s.temperature[k]) * (s.f[cold] - s.f[hot])))
        s.rate[k] = 0.98 * s.rate[k] + 0.02 * p
        s.gap[k] = min(s.gap[k] + gain * (p - s.exchange), math.log(5))
        if draws.uniform(row, k) < p:
            s.walk[k], s.walk[k + 1] = cold, hot
            s.level[hot], s.level[cold] = k + 1, k
    s.rounds += 1
    ladder(s)


def iterate(state, fun, draws):
    s = copied(state)
    if s.iteration == 0:
        evaluate(s, fun, initial_sample(s, draws))
        better = s.trial_f <= s.f[: s.count]
        s.x[: s.count][better], s.f[: s.count][better] = s.trial[better], s.trial_f[better]
        return close(s)
    evaluate(s, fun, np.array([candidate(s, draws, i) for i in range(s.count)]))
    explores = s.temperature[0] == 0
    if explores:
        rises = [v - f for v, f in zip(s.trial_f, s.f) if f < v < np.inf]
        s.rise, s.rises = s.rise + sum(rises), s.rises + len(rises)
        if s.iteration >= 10:
            s.temperature[0] = (s.rise / s.rises if s.rises else 1.0) / math.log(1 / 0.8)
            explores = False
    if not explores and s.rounds == 0:
        ladder(s)
    for i in range(s.count):
        temperature = np.inf if explores else s.temperature[s.level[i]]
        taken = metropolis(s.trial_f[i], s.f[i], temperature, draws.uniform(i, ACCEPTS))
        if taken:
            s.x[i], s.f[i] = s.trial[i], s.trial_f[i]
        if not explores:
            k = s.level[i]
            s.width[k] = min(s.width[k] * math.exp(0.1 * (float(taken) - 0.44)), 1.0)
    if not explores:
        exchanges(s, draws)
    return close(s)
