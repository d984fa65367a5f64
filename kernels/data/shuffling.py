"""In which order rows are read in an epoch: runs of rows that stand together, the runs in random order.

The order of rows inside a batch makes no difference, only which rows are in it. So rows are not permuted one by one,
which would read the memory at random (88 ns a row of 50 columns, where 30 are for rows in order), but in runs of about
RUN_BYTES: 36 ns. A batch is drawn from PLACES places at least. The runs begin at another row in each epoch, so that
the same rows do not always meet. Data that fit into a cache, and batches of a few rows, are permuted row by row.

Rows in a file (`mapped`) are read in runs of MAPPED_BYTES, whatever the batch.
"""

from __future__ import annotations

import numpy as np
from numba.core import types

from ..calling.adapters import once
from ..compile.jit import compile_for, kernel
from ..numbers.random import generation_key, integer, run_key
from .rows import block_start

RUN_BYTES = 1 << 15
MAPPED_BYTES = 1 << 20
CACHED = 1 << 22  # bytes of data that are permuted row by row
PLACES = 16
TRAINING = 1 << 32  # the number of the run from whose keys orders are drawn; HELD_OUT: the rows of a validation
HELD_OUT = TRAINING + 1


def run_length(rows: int, row_bytes: float, batch: int, mapped: bool) -> int:
    """Rows of a run."""
    if mapped:
        return max(1, min(int(MAPPED_BYTES / row_bytes), rows // PLACES))
    if rows * row_bytes <= CACHED:
        return 1
    return max(1, min(int(RUN_BYTES / row_bytes), batch // PLACES))


def shuffle(seed: int, epoch: int, rows: np.ndarray, run: int, order: np.ndarray) -> None:
    """order (m,): the rows in the order of this epoch, a function of (seed, epoch). rows (m,); (0,): 0 ... m - 1."""
    runs = max(1, order.size // run)
    _shuffle()(np.uint64(seed), epoch, TRAINING, rows, np.empty(runs, np.int64), order)


def hold_out(seed: int, rows: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows to train on, rows held out), each in their order; a function of the seed."""
    order = np.empty(rows, np.int64)
    _shuffle()(np.uint64(seed), 0, HELD_OUT, np.zeros(0, np.int64), np.empty(rows, np.int64), order)
    return np.sort(order[count:]), np.sort(order[:count])


def _shuffle():
    vector = types.int64[::1]
    form = types.none(types.uint64, types.int64, types.int64, vector, vector, vector)
    return once("shuffle rows", lambda: compile_for(kernel(_in_runs), form))


def _in_runs(seed, epoch, purpose, rows, runs, order):
    key, m, count = generation_key(run_key(seed, purpose), epoch), order.size, runs.size
    for r in range(count):
        runs[r] = r
    for r in range(count - 1, 0, -1):  # Fisher and Yates
        other = integer(key, r, r + 1)
        runs[r], runs[other] = runs[other], runs[r]
    shift, k = integer(key, 0, m), 0
    for r in range(count):
        for position in range(block_start(m, count, runs[r]), block_start(m, count, runs[r] + 1)):
            i = position + shift
            i = i - m if i >= m else i
            order[k] = rows[i] if rows.size > 0 else i
            k += 1
