"""X' C X of dense rows, for each pair of classes: the Hessian of a softmax in the coefficients, in one parallel loop.

C is diagonal, for classes k and m: c_i = s_i p_ki ([k is m] - p_mi). A block of rows is gone through in pieces that
stay in the cache: a piece is transposed, once for all pairs, and multiplied by c; then tiles of 4 x 4 entries of H are
sums of products of its lines. Each block has sums of its own, added in order: the same bits on any number of threads.

BLAS (dsyrk over pieces of 1,024 rows) is as fast on a machine with nothing else to do: 100,000 x 101 in 30 ms on two
threads, both. But it is a hundred calls with a barrier each: beside other programs it took 15 times as long.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ..calling.arguments import row
from ..compile.jit import RELAXED, inlined, kernel, parallel_region
from ..numbers.sums import dots
from .rows import block_start

TILE = 4
PIECE = 16384  # numbers of a piece, about
BLOCKS = 16  # at most; each has a matrix of its own


def softmax_hessian(x: np.ndarray, active: np.ndarray, s: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(K, a + 1, K, a + 1) of the active columns of x (n, any) and a column of ones; s (n,), p (K, n)."""
    n, K, size = len(s), len(p), active.size + 1
    lines = -(-size // TILE) * TILE
    pairs = [(k, m) for k in range(K) for m in range(k + 1)]
    blocks = max(2, min(BLOCKS, n // (16 * len(pairs) * size)))  # matrices of a sixteenth of the data
    piece = max(32, min(256, PIECE // lines // 8 * 8))
    rooms = np.zeros((blocks, 2, lines, piece))
    c = np.empty((blocks, piece))
    sums = np.zeros((blocks, len(pairs), lines, lines))
    with parallel_region():
        _add_blocks(x, active, s, p, np.array(pairs), rooms, c, sums)
    for b in range(1, blocks):
        sums[0] += sums[b]
    H = np.empty((K, size, K, size))
    for (k, m), block in zip(pairs, sums[0, :, :size, :size]):
        H[k, :, m] = H[m, :, k] = np.tril(block) + np.tril(block, -1).T
    return H


@kernel(flags=RELAXED, parallel=True)
def _add_blocks(x, active, s, p, pairs, rooms, c, sums):
    n, blocks, piece = s.size, len(sums), c.shape[1]
    for b in prange(blocks):
        plain, scaled = rooms[b, 0], rooms[b, 1]
        stop = block_start(n, blocks, b + 1)
        for begin in range(block_start(n, blocks, b), stop, piece):
            rows = min(piece, stop - begin)
            transpose(x, active, begin, rows, plain)
            for pair in range(len(pairs)):
                k, m = pairs[pair]
                for i in range(rows):
                    p_m = p[m, begin + i]
                    c[b, i] = s[begin + i] * p[k, begin + i] * ((1.0 - p_m) if k == m else -p_m)
                for j in range(active.size + 1):
                    for i in range(rows):
                        scaled[j, i] = plain[j, i] * c[b, i]
                add_products(scaled, plain, rows, sums[b, pair])


@inlined
def transpose(x, active, begin, rows, out):
    """out (at least a + 1, at least rows): the active columns of so many rows of x, and ones."""
    for first in range(0, rows, 8):  # a cache line of out
        for j in range(active.size):
            for i in range(first, min(first + 8, rows)):
                out[j, i] = x[begin + i, active[j]]
    for i in range(rows):
        out[active.size, i] = 1.0


@inlined
def add_products(left, right, n, out):
    """out (lines, lines) += left right' of the first n columns, by tiles of the lower triangle; lines: 4, 8, 12 ..."""
    for a in range(0, len(out), 4):
        for b in range(0, a + 1, 4):
            t = dots(
                (row(left, a), row(left, a + 1), row(left, a + 2), row(left, a + 3)),
                (row(right, b), row(right, b + 1), row(right, b + 2), row(right, b + 3)),
                n,
            )
            add_line(out, a, b, t[0], t[1], t[2], t[3])
            add_line(out, a + 1, b, t[4], t[5], t[6], t[7])
            add_line(out, a + 2, b, t[8], t[9], t[10], t[11])
            add_line(out, a + 3, b, t[12], t[13], t[14], t[15])


@inlined
def add_line(out, a, b, first, second, third, fourth):
    out[a, b] += first
    out[a, b + 1] += second
    out[a, b + 2] += third
    out[a, b + 3] += fourth
