"""The logistic loss of two classes over rows of data: its value, its gradient and its curvature, in one pass.

With z = x_i w (+ intercept), y_i 1 or 0 and c_i the weight of the row, the loss of a row is
c_i (log(1 + exp(z)) - y_i z), its slope in z is c_i (p - y_i) with p = 1 / (1 + exp(-z)), its curvature c_i p (1 - p).
All is written with e = exp(-|z|), which is at most 1: nothing overflows, and p (1 - p) keeps its digits where p is
close to 1.

A pass goes along pieces of rows that stay in the cache: z of the piece, then losses and slopes, in a loop that the
vector unit carries out, then the gradient. So the data comes from memory once. A pass with step > 1 is over every
step-th row, without a copy of them; `rows` is the number of those that take part.
"""

from __future__ import annotations

from numba import prange

from ..compile.jit import RELAXED, inlined, kernel
from ..numbers.elementary import exp, log1p
from .rows import BLOCK_ROWS, BLOCKS, Sparse, add_rows, add_squares, block_start, columns_of, dot_rows

PIECE = 32768  # numbers of a piece of rows: 256 KB
LEAST, MOST = 8, 256  # rows of a piece


def relaxed_part(function):
    """What a pass does with one block of rows."""
    return kernel(function, flags=RELAXED, inner=True, cached=False)


@kernel(flags=RELAXED, inner=True, inline=True, cached=False)
def losses_and_slopes(y, weights, z, curvatures):
    """The sum of the losses of a piece; z becomes the slopes."""
    total = 0.0
    for i in range(z.size):
        t = z[i]
        e = exp(-abs(t))
        q = 1.0 / (1.0 + e)
        total += weights[i] * (log1p(e) + 0.5 * (t + abs(t)) - y[i] * t)
        z[i] = weights[i] * ((q if t >= 0.0 else e * q) - y[i])
        curvatures[i] = weights[i] * (e * q * q)
    return total


@inlined
def rows_of_a_piece(X):
    return min(max(PIECE // max(columns_of(X), 1), LEAST), MOST)


@kernel(flags=RELAXED, parallel=True)
def logistic_pass(X, step, y, weights, w, slopes, curvatures, losses, gradients):
    """losses (blocks,) and gradients (blocks, size of w), block by block; slopes and curvatures (rows,)."""
    blocks = losses.size
    for k in prange(blocks):
        begin, end = block_start(y.size, blocks, k), block_start(y.size, blocks, k + 1)
        losses[k] = logistic_block(X, step, begin, end, y, weights, w, slopes, curvatures, gradients[k])


@relaxed_part
def logistic_block(X, step, first, stop, y, weights, w, slopes, curvatures, gradient):
    gradient[:] = 0.0
    total, piece = 0.0, rows_of_a_piece(X)
    for begin in range(first, stop, piece):
        end = min(begin + piece, stop)
        z = slopes[begin:end]
        dot_rows(X, begin * step, step, w, z)
        total += losses_and_slopes(y[begin:end], weights[begin:end], z, curvatures[begin:end])
        add_rows(X, begin * step, step, z, gradient)
    return total


@kernel(flags=RELAXED, parallel=True)
def product_pass(X, step, curvatures, v, scratch, products):
    """products (blocks, size of v): X'DX v, block by block, D the curvatures (rows,); scratch (rows,)."""
    blocks = products.shape[0]
    for k in prange(blocks):
        begin, end = block_start(curvatures.size, blocks, k), block_start(curvatures.size, blocks, k + 1)
        product_block(X, step, begin, end, curvatures, v, scratch, products[k])


@relaxed_part
def product_block(X, step, first, stop, curvatures, v, scratch, product):
    product[:] = 0.0
    piece = rows_of_a_piece(X)
    for begin in range(first, stop, piece):
        end = min(begin + piece, stop)
        z, curvature = scratch[begin:end], curvatures[begin:end]
        dot_rows(X, begin * step, step, v, z)
        for i in range(z.size):
            z[i] *= curvature[i]
        add_rows(X, begin * step, step, z, product)


@kernel(flags=RELAXED, parallel=True)
def squares_pass(X, step, weights, sums):
    """sums (blocks, p or p + 1): weight_k x_ij^2 over the rows of each block; the column beyond p counts as ones."""
    blocks = sums.shape[0]
    for b in prange(blocks):
        begin, end = block_start(weights.size, blocks, b), block_start(weights.size, blocks, b + 1)
        squares_block(X, step, begin, end, weights, sums[b])


@relaxed_part
def squares_block(X, step, first, stop, weights, total):
    p = columns_of(X)
    total[:] = 0.0
    for k in range(first, stop):
        add_squares(X, k * step, weights[k], total)
        if total.size > p:
            total[p] += weights[k]


def blocks_of(X, rows: int, width: int) -> int:
    """Of how many blocks a pass over so many rows consists, whose sums have so many entries.

    A number that hangs on the data alone. Sums of sparse rows may be longer than the block that they are made of: they
    take at most an eighth of the time of the rows.
    """
    entries = X.values.size if isinstance(X, Sparse) else X.x.size
    return int(max(1, min(BLOCKS, rows // BLOCK_ROWS, entries // (8 * width))))
