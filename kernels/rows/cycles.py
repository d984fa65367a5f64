"""What populations of ARRDE leave behind, and how the next one is made of it.

When a population has converged, the next one either begins anew, away from where those before it ended (a restart), or
is drawn from all that they have left (a refinement). Fields of a state, beside those of population.py and
success_history.py:
    record     (R, D)  points of converged populations, record_f (R,) their values
    improved   (P, D)  the last points that were the first population's best, improved_f (P,) their values
    learnt     (2, M)  means of F and CR that populations ended with
    taken_low, taken_high (D, K)  intervals where populations ended, in order and apart; intervals (D,) how many
    chosen     (R,)    room for a choice
    cycle              the scalars of CYCLE

R = 2 P, M = 10 H: what is left may be any number of points; of these the record holds as many as it has room for, each
with the same chance (Vitter's algorithm R), so a choice from the record is one from all. K = 16: then the two that are
nearest become one.
"""

import numpy as np

from ..compile.jit import inlined, part
from ..compile.structures import record
from ..numbers.elementary import exp, log
from ..numbers.random import integer, uniform
from ..run import progress
from . import population
from .success_history import SMALLEST

FIRST, RESTART, REFINEMENT = 0, 1, 2
CYCLE = record(
    phase="i8",  # of the population that lives
    fresh="i8",  # 1: this generation is sampled anew
    restarts="i8",  # since the last refinement; the first population counts
    last="i8",  # 1: the last refinement has begun
    recorded="i8", improvements="i8", learnings="i8",  # how many were to be kept, whether there was room or not
    tolerance="f8",  # of deviation over mean of the values, at which a population has converged
    best="f8",  # of this population
    best_recorded="f8",
)  # fmt: skip
INTERVALS, RECORDS, LEARNINGS = 16, 2, 10
FIRST_TOLERANCE, RESTART_TOLERANCE, REFINEMENT_TOLERANCE = 1e-8, 1e-4, 1e-6
LAST = 0.9  # of the run is over when the last refinement begins
WEIGHT, CROSSOVER, FIXED = 0.3, 0.8, 0.9  # means that a memory begins with; in its last slot
# slots of an iteration's random numbers
RECORDING, LEARNING, CHOOSING, FORGETTING, REPEATING = (k << 20 for k in range(5))


@inlined
def size_at(share, initial, dimension):
    """How large the population is when this share of the run is over."""
    end = max(4.0, 0.5 * dimension)
    if share <= LAST:
        power = 1.17 + 2.075 * exp(-0.0567 * dimension)
        left = max(1.0 - share / LAST, 1e-300)
        size = initial - (initial - end) * (1.0 - exp(power * log(left)))
    else:
        left = 1.0 - (share - LAST) / (1.0 - LAST)
        again = max(2.0 * dimension, 0.25 * initial)
        size = again - (again - end) * (1.0 - left * left)
    return min(max(int(size + 0.5), SMALLEST), int(initial))


@inlined
def kept_at(key, slot, before, room):
    """Where the next of a stream is kept, `before` of which came already; -1: it is not."""
    place = before if before < room else integer(key, slot, before + 1)
    return place if place < room else -1


# --- a generation -------------------------------------------------------------------------------------------------


@part
def close_generation(state):
    """After the ranks: improvements, the size, whether the population has converged, and what comes then."""
    rows, own, cycle, now = state.rows[0], state.own[0], state.cycle[0], state.run.now[0]
    cycle.fresh = 0
    note_best(state)
    wanted = size_at(progress(state.run), own.initial, state.trial.shape[1])
    final = cycle.last == 0 and wanted > rows.live
    if wanted < rows.live:
        population.keep_best(state.x, state.f, state.order, state.scratch, 0, rows.live, wanted)
        rows.live = wanted
    own.archive = rows.live
    rows.archived = min(rows.archived, own.archive)
    converged = has_converged(state)
    if final or converged:
        leave(state, converged)
        most = max(1, int(1.5 + 4.0 * progress(state.run)))
        again = cycle.best_recorded <= cycle.best and cycle.restarts < most
        again = again or cycle.phase != RESTART
        record_population(state, now.key, cycle.phase == FIRST or converged)
        if final or not again:
            refine(state, now.key, wanted, final)
        else:
            restart(state, wanted)


@inlined
def note_best(state):
    """The best of the population; run.spread is that of the last one that held the best point so far."""
    rows, cycle, now, best = state.rows[0], state.cycle[0], state.run.now[0], state.order[0]
    low, high = state.f[best], state.f[state.order[rows.live - 1]]
    if now.stall == -1:
        now.spread = high - low
    elif low <= now.best:
        now.spread = min(now.spread, high - low)
    if cycle.phase == FIRST and now.iteration > 0 and low < cycle.best:
        place = cycle.improvements % state.improved_f.size
        population.copy_row(state.x, best, state.improved, place)
        state.improved_f[place] = low
        cycle.improvements += 1
    cycle.best = low


@inlined
def has_converged(state):
    """Whether the values deviate by no more than the tolerance times their mean."""
    live, total, squares = state.rows[0].live, 0.0, 0.0
    for i in range(live):
        total += state.f[i]
    mean = total / live
    for i in range(live):
        squares += (state.f[i] - mean) ** 2
    return np.sqrt(squares / live) <= state.cycle[0].tolerance * abs(mean)


# --- what a population leaves -------------------------------------------------------------------------------------


@inlined
def leave(state, converged):
    """The means it has learnt, but for a restart's, and the intervals where it is."""
    cycle, key, room = state.cycle[0], state.run.now[0].key, state.learnt.shape[1]
    if cycle.phase != RESTART:
        for k in range(state.memory.shape[1]):
            place = kept_at(key, LEARNING + k, cycle.learnings, room)
            cycle.learnings += 1
            if place >= 0:
                state.learnt[0, place], state.learnt[1, place] = state.memory[0, k], state.memory[1, k]
    live = state.rows[0].live
    for j in range(state.trial.shape[1]):
        mean, squares = 0.0, 0.0
        for i in range(live):
            mean += state.x[i, j] / live
        for i in range(live):
            squares += (state.x[i, j] - mean) ** 2 / live
        low, high = mean - np.sqrt(squares), mean + np.sqrt(squares)
        take_interval(state, j, max(low, state.box.lower[j]), min(high, state.box.upper[j]))


@inlined
def record_population(state, key, recorded):
    cycle, room = state.cycle[0], state.record_f.size
    for i in range(state.rows[0].live if recorded else 0):
        place = kept_at(key, RECORDING + i, cycle.recorded, room)
        cycle.recorded += 1
        cycle.best_recorded = min(cycle.best_recorded, state.f[i])
        if place >= 0:
            population.copy_row(state.x, i, state.record, place)
            state.record_f[place] = state.f[i]


@part
def take_interval(state, j, low, high):
    """[low, high] and those of variable j that it meets become one; where there is no room, the nearest too."""
    lows, highs, count = state.taken_low, state.taken_high, state.intervals[j]
    k = 0
    while k < count:
        gap = max(lows[j, k] - high, low - highs[j, k])
        nearest = count == lows.shape[1]
        for other in range(count if nearest else 0):
            nearest = nearest and gap <= max(lows[j, other] - high, low - highs[j, other])
        if gap <= 0.0 or nearest:
            low, high = min(low, lows[j, k]), max(high, highs[j, k])
            count -= 1
            for other in range(k, count):
                lows[j, other], highs[j, other] = lows[j, other + 1], highs[j, other + 1]
            k = 0
        else:
            k += 1
    k = count
    while k > 0 and lows[j, k - 1] > low:
        lows[j, k], highs[j, k] = lows[j, k - 1], highs[j, k - 1]
        k -= 1
    lows[j, k], highs[j, k] = low, high
    state.intervals[j] = count + 1


@inlined
def avoid_row(i, state, key):
    """A coordinate within an interval where populations ended is drawn anew, outside of them if there is room."""
    n, box = state.trial.shape[1], state.box
    for j in range(n):
        value, low, width = state.trial[i, j], box.lower[j], box.upper[j] - box.lower[j]
        met, taken = False, 0.0
        for k in range(state.intervals[j]):
            met = met or state.taken_low[j, k] <= value <= state.taken_high[j, k]
            taken += state.taken_high[j, k] - state.taken_low[j, k]
        if met:
            u, room = uniform(key, n + j), width - taken
            anew = low + u * (room if room > 0.0 else width)
            for k in range(state.intervals[j] if room > 0.0 else 0):
                passed = anew >= state.taken_low[j, k]
                anew += state.taken_high[j, k] - state.taken_low[j, k] if passed else 0.0
            state.trial[i, j] = min(max(anew, low), box.upper[j])


# --- the next population ------------------------------------------------------------------------------------------


@inlined
def begin(state, size):
    rows, own = state.rows[0], state.own[0]
    rows.live, rows.archived, rows.given = size, 0, 0
    own.archive, own.memory_slot = size, 0


@inlined
def restart(state, size):
    """The next generation is sampled; every candidate will be taken."""
    cycle, memory = state.cycle[0], state.memory
    begin(state, size)
    for i in range(size):
        state.f[i] = np.inf
    for k in range(memory.shape[1] - 1):
        memory[0, k], memory[1, k] = WEIGHT, CROSSOVER
    cycle.phase, cycle.fresh, cycle.tolerance, cycle.best = RESTART, 1, RESTART_TOLERANCE, np.inf
    cycle.restarts += 1


@inlined
def refine(state, key, size, final):
    """From the record, then from the first population's improvements, the last of them first; with the best at last."""
    cycle, memory, now = state.cycle[0], state.memory, state.run.now[0]
    held, ring = min(cycle.recorded, state.record_f.size), state.improved_f.size
    begin(state, size)
    for k in range(held):
        state.chosen[k] = k
    count = min(held, size)
    for k in range(count):
        other = k + integer(key, CHOOSING + k, held - k)
        one = state.chosen[other]
        state.chosen[other] = state.chosen[k]
        population.copy_row(state.record, one, state.x, k)
        state.f[k] = state.record_f[one]
    known = min(cycle.improvements, ring)
    for k in range(count, size):
        back = k - count if k - count < known else integer(key, REPEATING + k, max(known, 1))
        place = (cycle.improvements - 1 - back) % ring
        if known > 0:
            population.copy_row(state.improved, place, state.x, k)
            state.f[k] = state.improved_f[place]
        else:
            population.copy_row(state.x, k % count, state.x, k)
            state.f[k] = state.f[k % count]
    cycle.last = 1 if final else cycle.last
    if final and now.best < np.inf:
        state.f[0] = now.best
        for j in range(state.x.shape[1]):
            state.x[0, j] = state.run.best_x[j]
    for k in range(memory.shape[1] - 1):
        learnings = min(cycle.learnings, state.learnt.shape[1])
        memory[0, k] = state.learnt[0, integer(key, FORGETTING + 2 * k, learnings)]
        memory[1, k] = state.learnt[1, integer(key, FORGETTING + 2 * k + 1, learnings)]
    population.rank(state)
    cycle.phase, cycle.restarts, cycle.best = REFINEMENT, 0, state.f[state.order[0]]
    cycle.tolerance = 0.0 if progress(state.run) > LAST else REFINEMENT_TOLERANCE
