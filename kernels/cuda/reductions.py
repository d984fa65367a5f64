"""What a block of threads does together: the best value, failures, ranks, spread; as population.py does them alone.

Minima are found in shared memory, by (value, row): the outcome does not depend on the number of threads. Everywhere,
values and numbers are (width,) in shared memory, width the threads of the block: a power of two. Questions whose answer
is nearly always no are asked by a barrier that brings all answers together (`syncthreads_or`, `syncthreads_and`).
"""

import numpy as np

from .. import run
from ..calling.arguments import RAISED_BITS
from ..run import COLLAPSED, RAISED
from .objective import of_engine
from .shim import cuda, device_function

UNFILLED = np.int64(RAISED_BITS)  # the bits of a value that was never filled in: the objective raised
FEW = 8  # threads that look through what the others brought

raised = of_engine(run.raised)


@device_function
def precedes(value, number, other, other_number):
    return value < other or (value == other and number < other_number)


@device_function
def lowest(value, number, values, numbers, thread, width):
    """The smallest (value, number) that any thread of the block brings; all threads call it, all get it.

    A few threads look through what all brought, then all through what the few found: three barriers, however many
    threads there are.
    """
    few = min(width, FEW)
    values[thread], numbers[thread] = value, number
    cuda.syncthreads()
    if thread < few:
        for k in range(thread + few, width, few):
            if precedes(values[k], numbers[k], value, number):
                value, number = values[k], numbers[k]
        values[thread], numbers[thread] = value, number
    cuda.syncthreads()
    value, number = values[0], numbers[0]
    for k in range(1, few):
        if precedes(values[k], numbers[k], value, number):
            value, number = values[k], numbers[k]
    cuda.syncthreads()  # all have read before the next call writes
    return value, number


@device_function
def total(count, numbers, thread, width):
    """The sum of what the threads of the block bring; all call it, all get it."""
    numbers[thread] = count
    cuda.syncthreads()
    found = np.int64(0)
    for k in range(width):
        found += numbers[k]
    cuda.syncthreads()  # all have read before the next call writes
    return found


@device_function
def collect(state, values, numbers, thread, width):
    """population.note_values by one block: whether all rows have their values; if so, they are behind `cursor`.

    A thread looks at what its neighbour evaluated: where the objective raised, the thread of that row has ended.
    """
    now, count, trial_f = state.run.now[0], state.rows[0].count, state.trial_f
    before, failed, unfilled = now.best, np.int64(0), np.int64(0)
    low, low_row = np.inf, np.int64(0)
    for i in range((thread + 1) % width, count, width):
        value = trial_f[i]
        if value < low:
            low, low_row = value, np.int64(i)
        elif raised(value):
            unfilled += 1
        elif value != value:
            trial_f[i] = np.inf
            failed += 1
    if cuda.syncthreads_or(failed + unfilled):
        if cuda.syncthreads_or(unfilled):
            now.stop = RAISED  # the host finds the row by its mark
            return False
        failed = total(failed, numbers, thread, width)
    best, best_row = lowest(low, low_row, values, numbers, thread, width)
    if best < before:
        for j in range(thread, state.run.best_x.size, width):
            state.run.best_x[j] = state.trial[best_row, j]
    if thread == 0:
        now.failed += failed
        now.evaluations += count
        state.rows[0].cursor = count
        if best < before:
            now.stall, now.best = -1, best
    cuda.syncthreads()
    return True


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
def rank_children(state, first, step):
    """survival.rank by any number of threads."""
    size, live = state.trial_f.size, state.rows[0].live
    rank_rows(state.f, state.order, first, np.int64(0 if live == size else size), live, step)


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
def measure_spread(state, values, numbers, thread, width):
    """run.spread by one block."""
    low, high = np.inf, -np.inf
    for i in range(thread, state.rows[0].live, width):
        low, high = min(low, state.f[i]), max(high, state.f[i])
    smallest, _ = lowest(low, np.int64(0), values, numbers, thread, width)
    largest, _ = lowest(-high, np.int64(0), values, numbers, thread, width)
    if thread == 0:
        state.run.now[0].spread = -largest - smallest


@device_function
def is_one_value(f, stop, first, step):
    """Whether the entries before `stop` that this thread looks at are the first one."""
    for i in range(first, stop, step):
        if f[i] != f[0]:
            return False
    return True


@device_function
def is_one_point(x, start, stop, first, step):
    """Whether the rows [start, stop) that this thread looks at are row 0."""
    for i in range(start + first, stop, step):
        for j in range(x.shape[1]):
            if x[i, j] != x[0, j]:
                return False
    return True


@device_function
def end_if_collapsed(state, thread, width):
    """population.has_collapsed by one block. One point has one value: few generations ask for a look at the points."""
    rows, x, archive = state.rows[0], state.x, state.trial_f.size
    if cuda.syncthreads_and(int(is_one_value(state.f, rows.live, thread, width))):
        same = is_one_point(x, 0, rows.live, thread, width)
        same = same and is_one_point(x, rows.second, rows.second_end, thread, width)
        same = same and is_one_point(x, archive, archive + rows.archived, thread, width)
        if cuda.syncthreads_and(int(same)) and thread == 0:
            state.run.now[0].stop = COLLAPSED


@device_function
def measure(state, values, numbers, thread, width):
    """population.measure by one block."""
    measure_spread(state, values, numbers, thread, width)
    end_if_collapsed(state, thread, width)


@device_function
def watch(state, values, numbers, thread, width):
    """As `measure`, for one generation of many: the spread only where a stop hangs on it."""
    if state.run.now[0].ftol >= 0.0:
        measure_spread(state, values, numbers, thread, width)
    end_if_collapsed(state, thread, width)
