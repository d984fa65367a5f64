"""When a population begins anew: the engine's rule, of `pso` and `genetic`.

The state has fresh, still (generations since this population's best improved), longest, own_best, spread.
"""

import numpy as np

AGREE, FLAT = 1e-12, 10


def renew(s):
    """Values that agree for 10 generations, or no better one for `longest`: all values are forgotten."""
    low, high = s.f.min(), s.f.max()
    with np.errstate(invalid="ignore"):
        width = high - low
    if s.stall == 0:
        s.spread = width
    elif low <= s.best and width < s.spread:
        s.spread = width
    s.still = 0 if low < s.own_best else s.still + 1
    s.own_best = min(s.own_best, low)
    agree = low == high or width <= AGREE * abs(low)
    s.fresh = s.still >= s.longest or (agree and s.still >= FLAT)
    if s.fresh:
        s.f, s.still, s.own_best = np.full(len(s.f), np.inf), 0, np.inf
