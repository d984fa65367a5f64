"""The logistic loss of K classes over rows of data: value, gradient and products with the Hessian, a pass each.

With z_k = x_i w_k (+ intercept of class k) and p_k = exp(z_k) / sum_l exp(z_l), the loss of a row of class y_i and
weight c_i is c_i (-log p_yi), its slope in z_k is c_i (p_k - [y_i = k]), its second derivative in z_k and z_l
c_i p_k ([k = l] - p_l). The largest z is taken off all before exp, so nothing overflows.

As in logistic.py, data comes from memory once: a piece of rows stays in the cache for all classes. Arrays are
(K, rows), a class after the other, so that loops along the rows run on the vector unit.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, kernel
from ..numbers.elementary import exp, log
from .logistic import LEAST, MOST, PIECE
from .rows import add_rows, block_start, columns_of, dot_rows


@kernel(flags=RELAXED, inner=True, inline=True, cached=False)
def probabilities_of(z, top, total):
    """z (K, rows) becomes p; top and total (rows,): the largest z, and the sum of exp(z - top)."""
    for i in range(top.size):
        top[i] = z[0, i]
        total[i] = 0.0
    for k in range(1, z.shape[0]):
        for i in range(top.size):
            top[i] = top[i] if top[i] >= z[k, i] else z[k, i]
    for k in range(z.shape[0]):
        for i in range(top.size):
            e = exp(z[k, i] - top[i])
            z[k, i] = e
            total[i] += e
    for k in range(z.shape[0]):
        for i in range(top.size):
            z[k, i] /= total[i]


@kernel(flags=RELAXED, parallel=True)
def multinomial_pass(X, step, y, weights, W, probabilities, scratch, losses, gradients):
    """losses (blocks,) and gradients (blocks, K, width), block by block, at W (K, width).

    y (rows,) numbers of classes; probabilities (K, rows) are kept; scratch (blocks, 4, MOST).
    """
    blocks, classes = losses.size, W.shape[0]
    piece = min(max(PIECE // max(columns_of(X), 1), LEAST), MOST)
    for b in prange(blocks):
        gradient, lines = gradients[b], scratch[b]
        gradient[:] = 0.0
        total, stop = 0.0, block_start(y.size, blocks, b + 1)
        for begin in range(block_start(y.size, blocks, b), stop, piece):
            end = min(begin + piece, stop)
            rows = end - begin
            top, sums, own, slopes = lines[0, :rows], lines[1, :rows], lines[2, :rows], lines[3, :rows]
            z = probabilities[:, begin:end]
            for k in range(classes):
                dot_rows(X, begin * step, step, W[k], z[k])
            for i in range(rows):
                own[i] = z[y[begin + i], i]
            probabilities_of(z, top, sums)
            for i in range(rows):
                total += weights[begin + i] * (log(sums[i]) + (top[i] - own[i]))
            for k in range(classes):
                for i in range(rows):
                    slopes[i] = weights[begin + i] * (z[k, i] - (1.0 if y[begin + i] == k else 0.0))
                add_rows(X, begin * step, step, slopes, gradient[k])
        losses[b] = total


@kernel(flags=RELAXED, parallel=True)
def multinomial_product_pass(X, step, weights, probabilities, V, scratch, products):
    """products (blocks, K, width), block by block: the Hessian of the losses times V (K, width).

    scratch (K + 1, rows).
    """
    blocks, classes = products.shape[0], V.shape[0]
    piece = min(max(PIECE // max(columns_of(X), 1), LEAST), MOST)
    for b in prange(blocks):
        product = products[b]
        product[:] = 0.0
        stop = block_start(weights.size, blocks, b + 1)
        for begin in range(block_start(weights.size, blocks, b), stop, piece):
            end = min(begin + piece, stop)
            z, p = scratch[:, begin:end], probabilities[:, begin:end]
            mean = z[classes]
            mean[:] = 0.0
            for k in range(classes):
                dot_rows(X, begin * step, step, V[k], z[k])
                for i in range(mean.size):
                    mean[i] += p[k, i] * z[k, i]
            for k in range(classes):
                for i in range(mean.size):
                    z[k, i] = weights[begin + i] * p[k, i] * (z[k, i] - mean[i])
                add_rows(X, begin * step, step, z[k], product[k])


def scratch_of(blocks: int) -> np.ndarray:
    """Memory of a pass: four rows of a piece for each block."""
    return np.empty((blocks, 4, MOST))
