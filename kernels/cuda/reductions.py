"""What a block of threads does together: the best value, failures, ranks, spread; as population.py does them alone.

Minima are found by a tree in shared memory, by (value, row): the outcome does not depend on the number of threads.
Everywhere, values and numbers are (width,) in shared memory, width the threads of the block: a power of two.
"""

import numpy as np

from .. import run
from ..calling.arguments import RAISED_BITS
from ..run import COLLAPSED, RAISED, RUNNING
from .objective import of_engine
from .shim import cuda, device_function

UNFILLED = np.int64(RAISED_BITS)  # the bits of a value that was never filled in: the objective raised

raised = of_engine(run.raised)


@device_function
def lowest(value, number, values, numbers, thread, width):
    """The smallest (value, number) that any thread of the block brings; all threads call it, all get it."""
    values[thread], numbers[thread] = value, number
    cuda.syncthreads()
    half = width // 2
    while half > 0:
        if thread < half:
            other, other_number = values[thread + half], numbers[thread + half]
            if other < values[thread] or (other == values[thread] and other_number < numbers[thread]):
                values[thread], numbers[thread] = other, other_number
        cuda.syncthreads()
        half //= 2
    found, found_number = values[0], numbers[0]
    cuda.syncthreads()  # all have read before the next call writes
    return found, found_number


@device_function
def total(count, numbers, thread, width):
    """The sum of what the threads of the block bring; all call it, all get it."""
    numbers[thread] = count
    cuda.syncthreads()
    half = width // 2
    while half > 0:
        if thread < half:
            numbers[thread] += numbers[thread + half]
        cuda.syncthreads()
        half //= 2
    found = numbers[0]
    cuda.syncthreads()  # all have read before the next call writes
    return found


@device_function
def collect(state, values, numbers, thread, width):
    """population.note_values by one block: whether all rows have their values; if so, they are behind `cursor`.

    A thread looks at what its neighbour evaluated: where the objective raised, the thread of that row has ended.
    """
    now, count, trial_f = state.run.now[0], state.rows[0].count, state.trial_f
    before, failed = now.best, np.int64(0)
    low, low_row = np.inf, np.int64(0)
    for i in range((thread + 1) % width, count, width):
        value = trial_f[i]
        if value != value:
            if raised(value):
                now.stop = RAISED  # the host finds the row
            else:
                trial_f[i] = np.inf
                failed += 1
        elif value < low:
            low, low_row = value, np.int64(i)
    best, best_row = lowest(low, low_row, values, numbers, thread, width)
    complete = now.stop == RUNNING  # all have read it before anyone writes: the next line has barriers
    failures = total(failed, numbers, thread, width)
    if complete and best < before:
        for j in range(thread, state.run.best_x.size, width):
            state.run.best_x[j] = state.trial[best_row, j]
    if complete and thread == 0:
        now.failed += failures
        now.evaluations += count
        state.rows[0].cursor = count
        if best < before:
            now.stall, now.best = -1, best
    cuda.syncthreads()
    return complete


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
    """population.rank by any number of threads."""
    rows = state.rows[0]
    rank_rows(state.f, state.order, first, np.int64(0), rows.live, step)
    rank_rows(state.f, state.order, first, rows.second, rows.second_end, step)


@device_function
def find_best(state, values, numbers, thread, width):
    """population.find_best by one block."""
    low, low_row = np.inf, np.int64(0)
    for i in range(thread, state.rows[0].live, width):
        if state.f[i] < low:
            low, low_row = state.f[i], np.int64(i)
    _, row = lowest(low, low_row, values, numbers, thread, width)
    if thread == 0:
        state.rows[0].best = row


@device_function
def differs(x, start, stop, thread, width):
    """1 if a row that this thread looks at, of the rows [start, stop), is not row 0, else 0."""
    for i in range(start + thread, stop, width):
        for j in range(x.shape[1]):
            if x[i, j] != x[0, j]:
                return 1
    return 0


@device_function
def measure(state, values, numbers, thread, width):
    """population.measure by one block."""
    now, rows, x, archive = state.run.now[0], state.rows[0], state.x, state.trial_f.size
    low, high = np.inf, -np.inf
    for i in range(thread, rows.live, width):
        low, high = min(low, state.f[i]), max(high, state.f[i])
    smallest, _ = lowest(low, np.int64(0), values, numbers, thread, width)
    largest, _ = lowest(-high, np.int64(0), values, numbers, thread, width)
    spread, collapsed = -largest - smallest, False
    if not spread > 0.0:  # only then can all be the same point; where all are inf, it is NaN
        others = differs(x, 0, rows.live, thread, width)
        others += differs(x, rows.second, rows.second_end, thread, width)
        others += differs(x, archive, archive + rows.archived, thread, width)
        collapsed = total(others, numbers, thread, width) == 0
    if thread == 0:
        now.spread = spread
        if collapsed:
            now.stop = COLLAPSED
