"""Stochastic gradient descent on factors: one rating after another, in parallel where ratings share no row.

    e = r - estimate,   x_u += rate (e y_i - lambda x_u),   y_i += rate (e x_u - lambda y_i),   biases likewise

from the x_u and y_i before the step (Funk 2006; Koren, Bell and Volinsky, Computer 42(8) (2009) 30). The objective is
that of explicit feedback in alternating.py.

Users and items are divided into as many groups each. Blocks (a group of users, a group of items) that have no group in
common are done at once; as many of them as there are groups are a stratum, and an epoch goes through the strata in
random order (Gemulla, Haas, Nijkamp and Sismanis, KDD 2011). Within a block ratings come in a new random order each
epoch. Groups hang on the data and the seed alone, so bits do not hang on threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, kernel
from ..numbers.random import generation_key, permute, row_key, run_key
from .factors import estimate, inlined_relaxed

GROUPS = 16  # at most; and so many threads can work


@kernel(parallel=True, flags=RELAXED)
def epoch(u, i, values, starts, order, shifts, key, rate, penalty, model, users, items):
    """Every rating once. Block g * groups + h has the ratings order[starts[.] : starts[. + 1]], which are shuffled.

    shifts (groups,): a random order of the strata; stratum s has the blocks (g, (g + shifts[s]) % groups).
    """
    groups = shifts.size
    for s in range(groups):
        for g in prange(groups):
            block = g * groups + (g + shifts[s]) % groups
            mine = order[starts[block] : starts[block + 1]]
            permute(row_key(key, block), 0, mine)
            for t in mine:
                descend(users, u[t], items, i[t], values[t], rate, penalty, model)


@inlined_relaxed
def descend(users, u, items, i, r, rate, penalty, model):
    """One step down the gradient of one rating's part of the objective."""
    rank, number = model.rank, users.dtype.type
    pull, keep = number(rate * (r - estimate(users, u, items, i, model))), number(1.0 - rate * penalty)
    for j in range(rank):
        x, y = users[u, j], items[i, j]
        users[u, j] = keep * x + pull * y
        items[i, j] = keep * y + pull * x
    if model.biases:
        users[u, rank] = keep * users[u, rank] + pull
        items[i, rank] = keep * items[i, rank] + pull


@kernel
def epoch_key(seed, number):
    """What the random order of an epoch hangs on: 63 bits, as Numba takes whole numbers from Python as signed ones."""
    return generation_key(run_key(seed, 0), number) >> np.uint64(1)
