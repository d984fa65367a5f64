"""X'DX, the Hessian of a sum over rows of data.

Rows are scaled by the root of their weight, some at a time, into memory that stays in the cache, and added to the sum
eight at a time: a row of the sum is then loaded and stored once for eight products. One thread does so at the speed of
BLAS (measured on 100,000 x 101: 35 ms, OpenBLAS's dsyrk 29), and several threads share blocks of rows, where those of
OpenBLAS wait for each other actively and stand still beside a busy neighbour. No copy of the data is made.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, kernel
from .rows import add_row, block_start

LINES = 32  # rows at a time
TOGETHER = 8  # of them in one sum
SUMS = 16  # blocks, at most
ROWS_PER_COLUMN = 12  # of a block, at least: its sum takes less than a tenth of the memory of its rows


def gram(X, step: int, weights: np.ndarray, width: int) -> np.ndarray:
    """The sum of weight_k x_i x_i' over the rows i = k step, (width, width).

    X is a design, `width` its columns p, or p + 1 with a column of ones; weights (rows,) are not below zero.
    """
    blocks = max(1, min(SUMS, weights.size // (ROWS_PER_COLUMN * width)))
    padded = -width % TOGETHER + width
    lines, sums = np.zeros((blocks, LINES, padded)), np.zeros((blocks, padded, padded))
    gram_pass(X, step, np.sqrt(weights), width, lines, sums)
    for k in range(1, blocks):
        sums[0] += sums[k]
    total = sums[0, :width, :width]
    return np.triu(total) + np.triu(total, 1).T


@kernel(flags=RELAXED, parallel=True)
def gram_pass(X, step, roots, width, lines, sums):
    """Add to sums (blocks, W, W), the upper triangle, those of each block; lines (blocks, LINES, W) is scratch."""
    blocks = sums.shape[0]
    for b in prange(blocks):
        scaled, total = lines[b], sums[b]
        stop = block_start(roots.size, blocks, b + 1)
        for begin in range(block_start(roots.size, blocks, b), stop, LINES):
            for r in range(LINES):
                line = scaled[r, :width]
                line[:] = 0.0
                if begin + r < stop:
                    add_row(X, (begin + r) * step, roots[begin + r], line)
            for j in range(width):
                add_products(scaled, j, total)


@kernel(flags=RELAXED, inner=True, inline=True, cached=False)
def add_products(x, j, total):
    """Row j of total, from its diagonal on, += the sum of x_ij x_i over the rows of x (LINES, W)."""
    first = j - j % TOGETHER  # so that the loop is over whole vectors
    for i in range(0, LINES, TOGETHER):
        a, b, c, d = x[i, j], x[i + 1, j], x[i + 2, j], x[i + 3, j]
        e, f, g, h = x[i + 4, j], x[i + 5, j], x[i + 6, j], x[i + 7, j]
        for t in range(x.shape[1] - first):
            k = t + first
            upper = (a * x[i, k] + b * x[i + 1, k]) + (c * x[i + 2, k] + d * x[i + 3, k])
            lower = (e * x[i + 4, k] + f * x[i + 5, k]) + (g * x[i + 6, k] + h * x[i + 7, k])
            total[j, k] += upper + lower
