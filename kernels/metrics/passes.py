"""A pass over rows: blocks of them, each with results of its own, side by side on all cores.

A block is `block(data, start, stop, out)`: it goes through the rows start to stop of the arrays in the tuple `data`,
and puts its results into `out`. How many blocks there are hangs on the number of rows alone, and the caller adds their
results in order: so the bits are the same on any number of threads. Threads are used from so many rows on that they
bring more than they cost: to start them, and to wait for one whose core is busy with something else.

A block cuts its rows out of the arrays before it loops over them: an index that begins at `start` might be negative for
all that LLVM knows, and it gathers the numbers one by one then (measured: ten times as slow).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, kernel, parallel_region

BLOCKS = 64  # at most
BLOCK_ROWS = 1 << 16  # at least


class Pass:
    """Made from a block by `passing`."""

    def __init__(self, block, threads_from: int):
        self.block = kernel(block, flags=RELAXED)
        self.threads_from = threads_from
        self.__doc__ = block.__doc__

    def __call__(self, data: tuple, n: int, width: int, dtype: type = np.float64, most: int = BLOCKS) -> np.ndarray:
        """(blocks, width) the results of each block, which begin as zeros."""
        count = max(1, min(most, n // BLOCK_ROWS))
        out = np.zeros((count, width), dtype)
        if n < self.threads_from:
            for k in range(count):
                self.block(data, k * n // count, (k + 1) * n // count, out[k])
        else:
            with parallel_region():
                self.side_by_side(data, n, out)
        return out

    @cached_property
    def side_by_side(self):
        block = self.block

        def side_by_side(data, n, out):
            count = out.shape[0]
            for k in prange(count):
                block(data, k * n // count, (k + 1) * n // count, out[k])

        return kernel(side_by_side, parallel=True)


def passing(threads_from: int):
    """A decorator of blocks: threads from so many rows on."""
    return lambda block: Pass(block, threads_from)
