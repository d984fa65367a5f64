"""What a block of threads does together: the best value, failures, ranks, spread; as population.py does them alone.

Minima are found by a tree in shared memory, by (value, row): the outcome does not depend on the number of threads.
"""

import numpy as np

from ..calling.arguments import RAISED_BITS
from ..rows import population
from .shim import cuda, device_function

UNFILLED = np.int64(RAISED_BITS)  # the bits of a value that was never filled in: the objective raised


@device_function
def lowest(value, row, values, rows, thread, width):
    """The smallest (value, row) that any thread of the block brings; all threads call it, all get it.

    values, rows: (width,) in shared memory, width a power of two.
    """
    values[thread], rows[thread] = value, row
    cuda.syncthreads()
    half = width // 2
    while half > 0:
        if thread < half:
            other, other_row = values[thread + half], rows[thread + half]
            if other < values[thread] or (other == values[thread] and other_row < rows[thread]):
                values[thread], rows[thread] = other, other_row
        cuda.syncthreads()
        half //= 2
    found, found_row = values[0], rows[0]
    cuda.syncthreads()  # all have read before the next call writes
    return found, found_row


@device_function
def collect(state, values, rows, thread, width):
    """population.collect by one block."""
    counters, trial_f = state.counters, state.trial_f
    before, low, low_row = state.params[population.BEST], np.inf, np.int64(0)
    for i in range((thread + 1) % width, counters[population.ROWS], width):
        value = trial_f[i]
        if value != value:
            if np.float64(value).view(np.int64) == UNFILLED:
                counters[population.STOP] = population.RAISED  # the host finds the row
            else:
                trial_f[i] = np.inf
                cuda.atomic.add(counters, population.FAILED, 1)
        elif value < low:
            low, low_row = value, np.int64(i)
    best, best_row = lowest(low, low_row, values, rows, thread, width)
    improves = best < before
    if improves:
        for j in range(thread, state.best_x.size, width):
            state.best_x[j] = state.trial[best_row, j]
    if thread == 0 and counters[population.STOP] == population.RUNNING:
        counters[population.EVALUATIONS] += counters[population.ROWS]
        counters[population.STALL] = 0 if improves else counters[population.STALL] + 1
        if improves:
            state.params[population.BEST] = best


@device_function
def rank_rows(f, order, first, start, stop, step):
    """order[start:stop]: the rows [start, stop) by (f, row); the place of a row is the number of those before it."""
    for i in range(start + first, stop, step):
        place, own = start, f[i]
        for k in range(start, stop):
            place += 1 if f[k] < own or (f[k] == own and k < i) else 0
        order[place] = i


@device_function
def rank(state, first, step):
    counters = state.counters
    rank_rows(state.f, state.order, first, np.int64(0), counters[population.RANK_1], step)
    rank_rows(state.f, state.order, first, counters[population.RANK_2], counters[population.RANK_3], step)


@device_function
def find_best_row(state, values, rows, thread, width):
    """population.find_best_row by one block."""
    low, low_row = np.inf, np.int64(0)
    for i in range(thread, state.counters[population.LIVE], width):
        if state.f[i] < low:
            low, low_row = state.f[i], np.int64(i)
    _, row = lowest(low, low_row, values, rows, thread, width)
    if thread == 0:
        state.counters[population.BEST_ROW] = row


@device_function
def spread(state, values, rows, thread, width):
    """population.spread by one block."""
    low, high = np.inf, -np.inf
    for i in range(thread, state.counters[population.RANK_1], width):
        low, high = min(low, state.f[i]), max(high, state.f[i])
    smallest, _ = lowest(low, np.int64(0), values, rows, thread, width)
    largest, _ = lowest(-high, np.int64(0), values, rows, thread, width)
    return -largest - smallest
