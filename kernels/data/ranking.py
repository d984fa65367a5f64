"""The best items of each user, and how many of them were right."""

from __future__ import annotations

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, kernel
from .factors import estimate


@kernel(parallel=True, flags=RELAXED)
def best_items(users, items, starts, columns, model, found, scores):
    """found, scores (rows of users, n): the items of the highest estimates, best first; of equals, the first.

    Items columns[starts[u] : starts[u + 1]], in ascending order, are left out. Where there are less than n: -1, -inf.
    """
    n = found.shape[1]
    for u in prange(users.shape[0]):
        found[u, :] = -1
        scores[u, :] = -np.inf
        next_seen, end = starts[u], starts[u + 1]
        for i in range(items.shape[0]):
            if next_seen < end and columns[next_seen] == i:
                next_seen += 1
                continue
            score = estimate(users, u, items, i, model)
            if score > scores[u, n - 1]:
                place = n - 1
                while place > 0 and score > scores[u, place - 1]:
                    found[u, place], scores[u, place] = found[u, place - 1], scores[u, place - 1]
                    place -= 1
                found[u, place], scores[u, place] = i, score


@kernel
def ranking_gains(found, starts, columns, precision, gain):
    """Of each user's recommendations found (users, n): precision at n, and normalised discounted cumulative gain.

    Right are the items columns[starts[u] : starts[u + 1]], in ascending order; NaN where there is none. A right item
    at place k = 1, 2 ... gains 1 / log2(k + 1), and the sum is divided by the highest possible one (Jarvelin and
    Kekalainen 2002).
    """
    n = found.shape[1]
    for u in range(found.shape[0]):
        right = columns[starts[u] : starts[u + 1]]
        hits, total, ideal = 0, 0.0, 0.0
        for k in range(n):
            worth = 1.0 / np.log2(k + 2.0)
            place = np.searchsorted(right, found[u, k])
            if place < right.size and right[place] == found[u, k]:
                hits += 1
                total += worth
            if k < right.size:
                ideal += worth
        precision[u] = hits / n if right.size > 0 else np.nan
        gain[u] = total / ideal if right.size > 0 else np.nan
