"""What every population method shares: counters, the best so far, failures, stops, ranking, repair.

The functions take the `state` of any solver and use these fields of it:
    trial     (P, D)   candidates of this generation, one per row
    trial_f   (P,)     their values
    lower, upper (D,)  the box
    integer   (D,)     1.0 where a variable takes whole numbers, else 0.0
    best_x    (D,)     the best point so far
    history   (H, 2)   evaluations and best value, every STRIDE generations
    params    float64  scalars, indexed by the names below
    counters  int64    whole numbers, indexed by the names below
and where a method keeps a population: x (R, D), its values f (R,), `order` (R,) the rows from best to worst.
"""

import numpy as np

from ..calling.arguments import RAISED_BITS
from ..compile.jit import inlined, kernel
from ..numbers.random import generation_key, row_key, run_key, uniform

# counters
SEED = 0  # its 64 bits
RUN = 1
GENERATION = 2
EVALUATIONS = 3
LIVE = 4  # rows of a full generation: the size of the population
MAX_EVALS = 5
STOP = 6  # 0 while running, else one of the reasons below
FAILED = 7  # evaluations that gave NaN
CURSOR = 8  # rows of this generation that have been evaluated
ROWS = 9  # rows of this generation: LIVE, or what is left of the budget
STALL = 10  # generations since the best value improved
PATIENCE = 11  # generations; 0: no limit
HISTORY = 12  # entries of the history in use
STRIDE = 13  # generations per entry
KEY = 14  # 64 bits: generation_key(seed, run, generation)
RAISED_ROW = 15
BEST_ROW = 16  # of the population, where a method asks for it
RANK_1 = 17  # rows [0, RANK_1) are the population
RANK_2 = 18  # and, where there are two populations, rows [RANK_2, RANK_3) are the second
RANK_3 = 19
PAUSE_AT = 20  # the generation before which the run pauses; 0: none
IMMIGRANTS = 21  # points taken in from other populations
COUNTERS = 22  # the first counter of a solver's own

# params
TARGET = 0  # -inf: none
FTOL = 1  # negative: none
BEST = 2
PARAMS = 3  # the first parameter of a solver's own

# reasons to stop, as the solvers report them
RUNNING, REACHED_TARGET, OUT_OF_BUDGET, CONVERGED, STALLED, RAISED = 0, 1, 2, 3, 4, 5
PAUSED = -1  # no end: whoever asked for the pause sets STOP back


@inlined
def row_of(i, state):
    """The key of row i in this generation: its slots are this row's random numbers."""
    return row_key(np.uint64(state.counters[KEY]), i)


@inlined
def open_generation(state):
    """The key and the number of rows of the generation that begins."""
    counters = state.counters
    key = generation_key(run_key(counters[SEED], counters[RUN]), counters[GENERATION])
    counters[KEY] = np.int64(key)
    counters[CURSOR] = 0
    counters[ROWS] = min(counters[LIVE], counters[MAX_EVALS] - counters[EVALUATIONS])


@inlined
def sample(u, low, high, integer):
    """The point of [low, high] that u in [0, 1) stands for; k whole numbers have equal shares."""
    value = low + u * (high - low + integer)
    value = np.floor(value) if integer > 0.0 else value
    return min(max(value, low), high)


@inlined
def sample_row(i, state):
    """Row i of trial: uniform in the box."""
    key = row_of(i, state)
    for j in range(state.trial.shape[1]):
        state.trial[i, j] = sample(uniform(key, j), state.lower[j], state.upper[j], state.integer[j])


@kernel
def collect(state):
    """After the last row of a generation: NaN becomes inf and is counted, the best so far is kept."""
    counters, trial_f = state.counters, state.trial_f
    best, best_row = state.params[BEST], -1
    for i in range(counters[ROWS]):
        value = trial_f[i]
        if value != value:
            if np.float64(value).view(np.int64) == RAISED_BITS:
                counters[STOP], counters[RAISED_ROW] = RAISED, i
                return
            trial_f[i] = np.inf
            counters[FAILED] += 1
        elif value < best:
            best, best_row = value, i
    counters[EVALUATIONS] += counters[ROWS]
    counters[STALL] += 1
    if best_row >= 0:
        counters[STALL] = 0
        state.params[BEST] = best
        for j in range(state.best_x.size):
            state.best_x[j] = state.trial[best_row, j]


@kernel
def find_best_row(state):
    """counters[BEST_ROW]: the first row of the population with the lowest value."""
    best = 0
    for i in range(1, state.counters[LIVE]):
        best = i if state.f[i] < state.f[best] else best
    state.counters[BEST_ROW] = best


@inlined
def spread(state):
    """Largest minus smallest value of the population."""
    low, high = np.inf, -np.inf
    for i in range(state.counters[RANK_1]):
        low, high = min(low, state.f[i]), max(high, state.f[i])
    return high - low


@kernel
def close_generation(state, width):
    """Record the generation, decide whether to stop, open the next. `width`: the spread of the values."""
    counters, params = state.counters, state.params
    record(state)
    counters[GENERATION] += 1
    best = params[BEST]
    if -np.inf < params[TARGET] and best <= params[TARGET]:
        counters[STOP] = REACHED_TARGET
    elif counters[EVALUATIONS] >= counters[MAX_EVALS]:
        counters[STOP] = OUT_OF_BUDGET
    elif width <= params[FTOL] * (1.0 + abs(best)):
        counters[STOP] = CONVERGED
    elif 0 < counters[PATIENCE] <= counters[STALL]:
        counters[STOP] = STALLED
    elif counters[GENERATION] == counters[PAUSE_AT]:
        counters[STOP] = PAUSED
    open_generation(state)


@inlined
def record(state):
    """Append to the history; when it is full, keep every second entry and record half as often."""
    counters, history = state.counters, state.history
    if counters[GENERATION] % counters[STRIDE] != 0:
        return
    if counters[HISTORY] == history.shape[0]:
        kept = history.shape[0] // 2
        for k in range(kept):
            history[k, 0], history[k, 1] = history[2 * k, 0], history[2 * k, 1]
        counters[HISTORY] = kept
        counters[STRIDE] *= 2
        if counters[GENERATION] % counters[STRIDE] != 0:
            return
    k = counters[HISTORY]
    history[k, 0], history[k, 1] = counters[EVALUATIONS], state.params[BEST]
    counters[HISTORY] = k + 1


# --- ranking -----------------------------------------------------------------------------------------------------


@kernel
def rank(state):
    """order: the rows of each population from best to worst, equal values by row."""
    counters = state.counters
    sort_rows(state.f, state.order, state.scratch, 0, counters[RANK_1])
    sort_rows(state.f, state.order, state.scratch, counters[RANK_2], counters[RANK_3])


@kernel
def sort_rows(f, order, scratch, start, stop):
    """Stable merge sort of the rows [start, stop) by f into order[start:stop], runs of 8 by insertion."""
    for i in range(start, stop):
        order[i] = i
    for left in range(start, stop, 8):
        for i in range(left + 1, min(left + 8, stop)):
            moved, k = order[i], i
            while k > left and f[moved] < f[order[k - 1]]:
                order[k] = order[k - 1]
                k -= 1
            order[k] = moved
    width = 8
    while width < stop - start:
        for left in range(start, stop, 2 * width):
            merge_runs(f, order, scratch, left, min(left + width, stop), min(left + 2 * width, stop))
        width *= 2


@inlined
def merge_runs(f, order, scratch, left, middle, right):
    """Merge order[left:middle] and order[middle:right], each sorted."""
    if middle >= right or f[order[middle - 1]] <= f[order[middle]]:
        return
    for k in range(left, middle):
        scratch[k] = order[k]
    a, b = left, middle
    for k in range(left, right):
        if a < middle and (b >= right or f[scratch[a]] <= f[order[b]]):
            order[k] = scratch[a]
            a += 1
        elif a < middle:
            order[k] = order[b]
            b += 1
        else:
            return


@kernel
def keep_best(state, start, count, kept):
    """Keep the best `kept` of the `count` ranked rows from `start` on; they move to the front of these rows."""
    x, f, order, dropped = state.x, state.f, state.order, state.scratch
    for k in range(start, start + count):
        dropped[order[k]] = 1 if k >= start + kept else 0
    hole = start
    for k in range(start, start + kept):
        row = order[k]
        if row >= start + kept:
            while dropped[hole] == 0:
                hole += 1
            copy_row(x, row, x, hole)
            f[hole] = f[row]
            order[k] = hole
            hole += 1


# --- repair ------------------------------------------------------------------------------------------------------


@inlined
def round_row(i, state):
    """Whole numbers where they are asked for; the box of such a variable ends on whole numbers."""
    for j in range(state.trial.shape[1]):
        value = state.trial[i, j]
        state.trial[i, j] = np.floor(value + 0.5) if state.integer[j] > 0.0 else value


@inlined
def repair_to_midpoint_row(i, state, parent):
    """A coordinate outside the box goes midway between the bound and its parent (L-SHADE, section II)."""
    for j in range(state.trial.shape[1]):
        value, low, high, inside = state.trial[i, j], state.lower[j], state.upper[j], state.x[parent, j]
        value = 0.5 * low + 0.5 * inside if value < low else value  # halved first: the sum may overflow
        state.trial[i, j] = 0.5 * high + 0.5 * inside if value > high else value


@inlined
def repair_by_redraw_row(i, state, key, slot):
    """A coordinate outside the box is drawn anew, uniformly (L-SRTDE)."""
    for j in range(state.trial.shape[1]):
        value, low, high = state.trial[i, j], state.lower[j], state.upper[j]
        anew = sample(uniform(key, slot + j), low, high, state.integer[j])
        state.trial[i, j] = anew if value < low or value > high else value


@inlined
def copy_row(source, row, target, to):
    for j in range(source.shape[1]):
        target[to, j] = source[row, j]


@inlined
def replace_row(replaces, source, row, target, to):
    """Copy a row if `replaces`; without a branch, which LLVM turns into better code than a copy under a condition."""
    for j in range(source.shape[1]):
        target[to, j] = source[row, j] if replaces else target[to, j]
