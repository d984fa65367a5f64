"""Factors of a matrix of ratings, r_ui ~ mean + b_u + c_i + x_u y_i, and how they are kept.

Users and items have a row each in an array of `width` columns: x_u (rank), then its bias b_u where there are biases,
then zeros up to a whole number of tiles. A solver of rows is thus the same for users and for items. Sums of losses are
in double, whatever the factors are.

Ratings are compressed rows (`starts`, `columns`, `values`), once by users and once by items.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, kernel
from ..numbers.tiles import add_squares, padded

BLOCKS = 64  # of rows, at most: what one thread does at a time
PRICE = 16  # of a row without ratings, in ratings (measured at rank 32)

# What the parts of a relaxed pass are: copied into it, with sums that may be reordered.
inlined_relaxed = kernel(inner=True, inline=True, cached=False, flags=RELAXED)


class Model(NamedTuple):
    """What an entry of the data means."""

    rank: int
    biases: int  # 1 or 0
    mean: float
    confidence: float  # alpha of Hu, Koren and Volinsky; 0: explicit feedback


def width_of(rank: int, biases: bool) -> int:
    return padded(rank + biases)


def blocks_of(starts: np.ndarray, price: int = PRICE) -> np.ndarray:
    """(blocks + 1,) where blocks of rows begin that cost about the same; a function of the data alone."""
    n = starts.size - 1
    work = starts + price * np.arange(n + 1, dtype=np.int64)
    return np.searchsorted(work, np.linspace(0, work[-1], min(BLOCKS, n) + 1))


@kernel(parallel=True, flags=RELAXED)
def squares(rows, out):
    """out (blocks, width, width): sums of products of rows; out[0] becomes their sum, added in their order."""
    n, blocks = rows.shape[0], out.shape[0]
    for k in prange(blocks):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                out[k, i, j] = 0
        add_squares(rows, k * n // blocks, (k + 1) * n // blocks, out[k])
    for k in range(1, blocks):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                out[0, i, j] += out[k, i, j]
    for i in range(out.shape[1]):
        for j in range(i):
            out[0, i, j] = out[0, j, i]


@inlined_relaxed
def estimate(users, u, items, i, model):
    """mean + b_u + c_i + x_u y_i. (Rows go by number: a view of one costs as much as the sum, to be counted.)"""
    total, rank = np.float64(0.0), model.rank
    for j in range(rank):
        total += np.float64(users[u, j] * items[i, j])
    if model.biases:
        total += np.float64(users[u, rank]) + np.float64(items[i, rank])
    return model.mean + total


@kernel(parallel=True, flags=RELAXED)
def squared_errors(starts, columns, values, blocks, users, items, model, out):
    """out (blocks,): sums of (r - estimate)² over the ratings of each block of users."""
    for k in prange(blocks.size - 1):
        total = 0.0
        for u in range(blocks[k], blocks[k + 1]):
            for t in range(starts[u], starts[u + 1]):
                error = values[t] - estimate(users, u, items, columns[t], model)
                total += error * error
        out[k] = total


@kernel(parallel=True, flags=RELAXED)
def estimates(u, i, users, items, model, out):
    """out[t]: the estimate of user u[t] and item i[t]."""
    for t in prange(u.size):
        out[t] = estimate(users, u[t], items, i[t], model)
