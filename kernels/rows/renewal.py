"""A population that has nothing left to find begins anew, within the same run.

Fields of a state, beside those of population.py:
    x, f       points and values, of which rows [0, live) are the population
    life       LIFE

The next generation is sampled (`life.fresh`) where all values agree, or none was better for long. The values of the
points before it become inf, so that every candidate is taken; the best so far is kept in the run.
"""

import numpy as np

from ..compile.jit import part
from ..compile.structures import record

LIFE = record(
    fresh="i8",  # 1: this generation is sampled anew
    stall="i8",  # generations since this population's best improved
    longest="i8",  # such generations after which it begins anew
    best="f8",  # of this population
)
AGREE = 1e-12  # values within so much of the best, relatively, are all the same
FLAT = 10  # generations without improvement of a population whose values agree: it may be on its way over a plateau


@part
def renew(life, f, rows, run):
    """After a generation: how far the values agree, and whether the next one is sampled anew.

    run.spread is that of the last population that held the best point so far.
    """
    life, rows, now = life[0], rows[0], run.now[0]
    low, high = np.inf, -np.inf
    for i in range(rows.live):
        low, high = min(low, f[i]), max(high, f[i])
    if now.stall == -1:
        now.spread = high - low
    elif low <= now.best:  # it holds the best point, or one as good
        now.spread = min(now.spread, high - low)
    life.stall = 0 if low < life.best else life.stall + 1
    life.best = min(life.best, low)
    agree = low == high or high - low <= AGREE * abs(low)
    life.fresh = 1 if life.stall >= life.longest or (agree and life.stall >= FLAT) else 0
    if life.fresh == 1:
        rows.given, life.stall, life.best = 0, 0, np.inf
        for i in range(rows.live):
            f[i] = np.inf
