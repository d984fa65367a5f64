"""jSO as Brest, Maucec and Boskovic write it, CEC 2017: L-SHADE with schedules.

They count in generations in the text and in evaluations in their program; so does the engine: t = nfes / max_nfes,
or the share of the iterations, where these are limited and end first.
"""

import numpy as np

from . import lshade
from .common import binomial, midpoint, progress, rounded
from .lshade import SLOT, TERMINAL, donors, draw_crossover, draw_weight


def candidate(s, draws, i):
    """(u, F, CR) by current-to-pbest-w/1/bin."""
    t = progress(s)
    slot = draws.integer(i, SLOT, len(s.memory_f))
    weight = draw_weight(draws, i, s.memory_f[slot])
    crossover = draw_crossover(draws, i, s.memory_cr[slot])
    if t < 0.25:
        crossover = max(crossover, 0.7)
    elif t < 0.5:
        crossover = max(crossover, 0.6)
    if t < 0.6:
        weight = min(weight, 0.7)
    if t < 0.2:
        guided = 0.7 * weight  # F_w
    elif t < 0.4:
        guided = 0.8 * weight
    else:
        guided = 1.2 * weight
    p_max, p_min = s.best_share, s.best_share / 2
    pbest, x_r1, x_r2 = donors(s, draws, i, p_max + (p_min - p_max) * t)
    v = s.x[i] + guided * (pbest - s.x[i]) + weight * (x_r1 - x_r2)
    u, _ = binomial(draws, i, v, s.x[i], crossover)
    return rounded(s, midpoint(s, u, s.x[i])), weight, crossover


def update_memory(s, mean_f, mean_cr):
    """Midway between what was and the new means; the last slot holds 0.9 and 0.9 for ever."""
    k = s.slot
    if k == len(s.memory_f) - 1:
        return
    terminal = s.memory_cr[k] == TERMINAL or mean_cr == 0
    s.memory_f[k] = (s.memory_f[k] + mean_f) / 2
    s.memory_cr[k] = TERMINAL if terminal else (s.memory_cr[k] + mean_cr) / 2


def iterate(state, fun, draws):
    return lshade.iterate(state, fun, draws, candidate, update_memory)


def start(dimension):
    """What a run begins with: N_init = 25 ln(D) sqrt(D), |A| = N, p = 0.25, H = 5 slots of 0.3, 0.8; the last 0.9."""
    size = max(12, round(25 * np.log(dimension) * np.sqrt(dimension)))
    return {
        "size": size, "archive_size": size, "best_share": 0.25,
        "memory_f": np.array([0.3, 0.3, 0.3, 0.3, 0.9]), "memory_cr": np.array([0.8, 0.8, 0.8, 0.8, 0.9]),
    }  # fmt: skip
