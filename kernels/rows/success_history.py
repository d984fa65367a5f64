"""Success-history adaptation: what L-SHADE and its descendants share.

F and CR of a candidate are drawn around means kept in a memory; the means move towards what made candidates better
than their parents. Replaced parents go to an archive, which stands in x behind the population; the population shrinks
linearly. Equations as in Tanabe and Fukunaga, CEC 2014.

Fields of a state, beside those of population.py:
    x          (P + A, D)  population, then archive
    weight, crossover (P,) F and CR of each candidate
    memory     (2, H)      means of F and of CR
    place      (P,)        where in the archive a replaced parent goes, or -1
    owner      (A,)        the last row that was given this place
    own                    the scalars of SCALARS
"""

import numpy as np

from ..compile.jit import inlined, part
from ..compile.structures import record
from ..numbers.random import cauchy, integer, integer_except, integer_except_two, normal, row_key
from ..run import progress
from . import population

SCALARS = record(
    memory_slot="i8",  # the next to be written
    archive="i8",  # how many points it may hold
    initial="f8",  # size of the first population
    archive_rate="f8",  # points of the archive per individual
    best_share="f8",  # p
)
SMALLEST = 4  # individuals at the end of the run

# slots of a candidate's random numbers
PERIOD, CROSSOVER, GUIDE, PLUS, MINUS, PLACE = range(6)
REDRAWS, MOST_REDRAWS = 16, 40
TERMINAL = -1.0  # a memory of CR that stays at 0


@inlined
def draw(start, stop, state):
    """weight, crossover: standard Cauchy and normal numbers, one of each for each row.

    Of many rows at once the vector unit makes them: 60 ns less per candidate.
    """
    draw_numbers(state.run.now[0].key, start, stop, state.weight, state.crossover)


@part
def draw_numbers(generation, start, stop, weight, crossover):
    for i in range(start, stop):
        weight[i] = cauchy(row_key(generation, i), REDRAWS)
    for i in range(start, stop):
        crossover[i] = normal(row_key(generation, i), CROSSOVER)


@inlined
def weight_around(mean, width, drawn, key):
    """F from Cauchy(mean, width): again while <= 0, cut at 1 (eq. 2: width 0.1). drawn: the first of the numbers."""
    weight, k = mean + width * drawn, 1
    while weight <= 0.0 and k < MOST_REDRAWS:
        weight = mean + width * cauchy(key, REDRAWS + k)
        k += 1
    return min(weight, 1.0) if weight > 0.0 else mean


@inlined
def crossover_around(mean, width, drawn):
    """CR from Normal(mean, width) cut to [0, 1]; 0 for the terminal value (eq. 1: width 0.1)."""
    return 0.0 if mean < 0.0 else min(max(mean + width * drawn, 0.0), 1.0)


@inlined
def draw_donors(i, state, key, best_share):
    """Rows (base, plus, minus, guide) of current-to-pbest/1: minus may come from the archive."""
    n = state.rows[0].live
    elite = max(int(best_share * n + 0.5), 2)
    guide = state.order[integer(key, GUIDE, elite)]
    plus = integer_except(key, PLUS, n, i)
    minus = integer_except_two(key, MINUS, n + state.rows[0].archived, i, plus)
    minus = minus if minus < n else minus - n + state.trial_f.size  # the archive begins behind the largest population
    return i, plus, minus, guide


@inlined
def archive_parents(state):
    """Give each parent that is about to be replaced by a better candidate its place in the archive."""
    rows, capacity = state.rows[0], state.own[0].archive
    for i in range(rows.count):
        state.place[i] = -1
        if state.trial_f[i] < state.f[i] < np.inf and capacity > 0:
            if rows.archived < capacity:
                place = rows.archived
                rows.archived += 1
            else:
                place = integer(population.row_of(i, state), PLACE, capacity)
            state.place[i] = place
            state.owner[place] = i


@inlined
def successful_means(state):
    """Weighted Lehmer means of F and CR over the successes (eq. 7-9), or (-1, -1) without any.

    The mean of CR is 0 where every successful CR was.
    """
    total_f, total_f2, total_c, total_c2 = 0.0, 0.0, 0.0, 0.0
    for i in range(state.rows[0].count):
        if state.trial_f[i] < state.f[i]:
            gain = min(state.f[i] - state.trial_f[i], 1e100)  # a parent of value inf would make all else vanish
            weight, crossover = state.weight[i], state.crossover[i]
            total_f += gain * weight
            total_f2 += gain * weight * weight
            total_c += gain * crossover
            total_c2 += gain * crossover * crossover
    if not total_f > 0.0:
        return -1.0, -1.0
    return total_f2 / total_f, total_c2 / total_c if total_c > 0.0 else 0.0


@part
def remember(state, inertia, slots):
    """The next slot of the memory moves to the new means, by 1 - inertia of the way (algorithm 1).

    Slots from `slots` on keep what they hold; their turn is lost.
    """
    archive_parents(state)
    if state.run.now[0].iteration == 0:
        return
    mean_f, mean_c = successful_means(state)
    if mean_f < 0.0:
        return
    slot = state.own[0].memory_slot
    if slot < slots:
        memory = state.memory
        memory[0, slot] = inertia * memory[0, slot] + (1.0 - inertia) * mean_f
        terminal = memory[1, slot] == TERMINAL or mean_c == 0.0
        memory[1, slot] = TERMINAL if terminal else inertia * memory[1, slot] + (1.0 - inertia) * mean_c
    state.own[0].memory_slot = (slot + 1) % state.memory.shape[1]


@inlined
def select(i, state):
    """The candidate replaces its parent if it is not worse; a better one sends the parent to the archive."""
    place = state.place[i]
    if place >= 0 and state.owner[place] == i:
        population.copy_row(state.x, i, state.x, state.trial_f.size + place)
    survives = state.trial_f[i] <= state.f[i]
    state.f[i] = state.trial_f[i] if survives else state.f[i]
    population.replace_row(survives, state.trial, i, state.x, i)


@part
def shrink(state):
    """Linear reduction of the population (eq. 10); the archive shrinks with it."""
    rows, own = state.rows[0], state.own[0]
    wanted = max(int(own.initial + (SMALLEST - own.initial) * progress(state.run) + 0.5), SMALLEST)
    if wanted < rows.live:
        population.keep_best(state.x, state.f, state.order, state.scratch, 0, rows.live, wanted)
        rows.live = wanted
    own.archive = int(own.archive_rate * rows.live + 0.5)
    rows.archived = min(rows.archived, own.archive)
