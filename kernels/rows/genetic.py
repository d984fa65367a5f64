"""Genetic algorithms on real and whole numbers: how parents are chosen, crossed and changed.

Fields of a state, beside those of population.py and renewal.py:
    x          (P, D)   population
    f          (2 P,)   its values, then those of the children of this generation, whose points stand in `trial`
    order      (2 P,)   rows of the population from best to worst, then those of the children
    scratch    (2 P,) or (P D,), whichever is more: who survives; genes that mutate, those of row i from i D on
    bends      (2, P D) of each of these genes its number, and where it is or how far it goes
    parents    (P, 2)   rows of each child's parents
    wheel      (P,)     roulette: the sums of weights up to each row of the population
    own        the scalars of SCALARS

Rows 2 k and 2 k + 1 are the two children of pair k: what they share is drawn with the key of the pair.
"""

import numpy as np

from ..compile.jit import inlined
from ..compile.structures import record
from ..compile.whole_vectors import each
from ..numbers.elementary import exp, log
from ..numbers.random import integer, integer_except, row_key, uniform
from ..numbers.ranking import U
from . import population

TOURNAMENT, TRUNCATION, ROULETTE = 0, 1, 2
SBX, ONE_POINT = 0, 1
POLYNOMIAL, UNIFORM = 0, 1
SCALARS = record(
    selection="i8", crossover="i8", mutation="i8",
    rate="f8", mutation_rate="f8",  # of pairs that cross, of genes that mutate
    eta_crossover="f8", eta_mutation="f8",  # distribution indices: the larger, the closer to the parents
    elites="i8",  # parents that may survive
    distinct="i8",  # 1: copies of a point do not survive, and a child that is one of its parent mutates
)  # fmt: skip
SHARE = 0.5  # truncation: of the population that may be parents
PARENTS, CROSSES, CUT, GENES = 0, 4, 5, 6  # slots of a pair's random numbers
WORD, ZERO, ONE = 32, np.int64(0), np.int64(1)  # genes that are marked at a time, in the bits of a number


@inlined
def make_children(start, stop, state):
    """trial[start:stop]: children of two parents each.

    Polynomial mutations are made once all rows are crossed, by whole vectors: two logarithms and two exponentials each.
    """
    n, own, size = state.trial.shape[1], state.own[0], state.trial_f.size
    listed = start * n
    for i in range(start, stop):
        pair, key = row_key(state.run.now[0].key, size + i // 2), population.row_of(i, state)
        one, two = choose_parents(state, pair)
        first, second = (two, one) if i % 2 == 1 else (one, two)
        state.parents[i, 0], state.parents[i, 1] = first, second
        cross_row(i, state, pair, first, second)
        population.round_row(i, state)
        if own.mutation == UNIFORM:
            each(renew_gene, n, (i, state, key, own.mutation_rate, 1.0 / own.mutation_rate))
        else:
            listed = list_genes(i, state, key, listed)
    bend_listed(start * n, listed, state)
    if own.distinct == 1:
        for i in range(start, stop):
            if is_copy(i, state, state.parents[i, 0]) or is_copy(i, state, state.parents[i, 1]):
                key = population.row_of(i, state)
                mutate_gene(i, integer(key, n, n), state, uniform(key, n + 1))


@inlined
def is_copy(i, state, parent):
    return each(differs, state.trial.shape[1], (i, state, parent)) == 0


@inlined
def differs(j, i, state, parent):
    return 1 if state.trial[i, j] != state.x[parent, j] else 0


# --- selection ---------------------------------------------------------------------------------------------------


@inlined
def choose_parents(state, pair):
    """Rows of two parents, which differ but where a roulette wheel chose the same one twice."""
    n, order, kind = state.rows[0].live, state.order, state.own[0].selection
    if kind == ROULETTE:
        return spin(state, uniform(pair, PARENTS), n), spin(state, uniform(pair, PARENTS + 1), n)
    if kind == TRUNCATION:
        best = max(int(SHARE * n), 2)
        one = integer(pair, PARENTS, best)
        return order[one], order[integer_except(pair, PARENTS + 1, best, one)]
    one = min(integer(pair, PARENTS, n), integer(pair, PARENTS + 1, n))
    two = min(integer_except(pair, PARENTS + 2, n, one), integer_except(pair, PARENTS + 3, n, one))
    return order[one], order[two]


@inlined
def spin(state, u, n):
    """The row on which the wheel stops; any, where all weigh the same."""
    wheel = state.wheel
    if not 0.0 < wheel[n - 1] < np.inf:
        return int(u * n)
    low, high, stop = 0, n - 1, u * wheel[n - 1]
    while low < high:
        middle = (low + high) // 2
        if wheel[middle] <= stop:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def weigh(state):
    """The wheel: a row weighs by how much its value is below the highest finite one."""
    if state.own[0].selection != ROULETTE:
        return
    n, highest, total = state.rows[0].live, -np.inf, 0.0
    for i in range(n):
        highest = max(highest, state.f[i]) if state.f[i] < np.inf else highest
    for i in range(n):
        total += highest - state.f[i] if state.f[i] < highest else 0.0
        state.wheel[i] = total


# --- crossover ---------------------------------------------------------------------------------------------------


@inlined
def raised_to(base, power):
    return base * base if power == 2.0 else exp(power * log(base))


@inlined
def root_of(base, power):
    return np.sqrt(base) if power == 2.0 else exp(log(base) / power)


@inlined
def cross_row(i, state, pair, first, second):
    n, own = state.trial.shape[1], state.own[0]
    if not uniform(pair, CROSSES) < own.rate:
        population.copy_row(state.x, first, state.trial, i)
    elif own.crossover == ONE_POINT:
        each(cut_gene, n, (i, state, first, second, 1 + integer(pair, CUT, max(n - 1, 1))))
    elif own.eta_crossover == 1.0:  # a constant: squares and roots, nine times faster
        each(blend_gene, n, (i, state, first, second, pair, 2.0))
    else:
        each(blend_gene, n, (i, state, first, second, pair, own.eta_crossover + 1.0))


@inlined
def blend_gene(j, i, state, first, second, pair, power):
    """Simulated binary crossover within bounds, each gene with probability 1/2 (Deb and Agrawal 1995; Deb 2001).

    A gene's number is one of four quarters, and what is left of it: copied, copied, the lower child first, the upper.
    """
    low, high, p, q = state.box.lower[j], state.box.upper[j], state.x[first, j], state.x[second, j]
    quarters = 4.0 * uniform(pair, GENES + j)
    quarter = np.floor(quarters)
    upper = (quarter == 3.0) ^ (i % 2 == 1)
    gap, room = abs(p - q), high - max(p, q) if upper else min(p, q) - low
    scaled = (quarters - quarter) * (2.0 - raised_to(gap / max(gap + 2.0 * room, 1e-300), power))  # u alpha
    beta = root_of(min(scaled, 1.0) / min(2.0 - scaled, 1.0), power)
    child = 0.5 * (p + q) + (0.5 if upper else -0.5) * beta * gap
    state.trial[i, j] = min(max(child, low), high) if quarter >= 2.0 else p
    return 0


@inlined
def cut_gene(j, i, state, first, second, cut):
    """One-point crossover: the genes before the cut are the first parent's, the others the second's."""
    before, behind = state.x[first, j], state.x[second, j]  # both are read: so the loop is vectorised
    state.trial[i, j] = before if j < cut else behind
    return 0


# --- mutation ----------------------------------------------------------------------------------------------------


@inlined
def renew_gene(j, i, state, key, rate, times):
    """Uniform mutation: where a gene's number is below the rate. Their quotient is uniform again, and says what for."""
    u, value = uniform(key, j), state.trial[i, j]
    anew = population.sample(u * times, state.box.lower[j], state.box.upper[j], state.box.integer[j])
    state.trial[i, j] = anew if u < rate else value
    return 0


@inlined
def list_genes(i, state, key, listed):
    """The genes that mutate join the list, which is so long; returns how long it is then."""
    n, rate = state.trial.shape[1], state.own[0].mutation_rate
    for start in range(0, n, WORD):
        marks = each(mark, min(WORD, n - start), (start, key, rate))
        while marks != 0:
            rest = marks & (marks - 1)
            j = start + exponent(marks ^ rest)
            state.scratch[listed], state.bends[0, listed] = i * n + j, uniform(key, j) / rate
            marks, listed = rest, listed + 1
    return listed


@inlined
def mark(k, start, key, rate):
    """Bit k of a word, where that gene mutates."""
    return ONE << k if uniform(key, start + k) < rate else ZERO


@inlined
def exponent(power):
    """That of a power of two."""
    return int(np.float64(power).view(np.uint64) >> np.uint64(52)) - 1023


@inlined
def bend_listed(first, stop, state):
    """Mutates the genes of the list."""
    n, bends = state.trial.shape[1], state.bends
    for k in range(first, stop):
        i, j = state.scratch[k] // n, state.scratch[k] % n
        bends[1, k] = position(i, j, state)
    each(bend_far, stop - first, (first, bends, polynomial_power(state)))
    for k in range(first, stop):
        i, j = state.scratch[k] // n, state.scratch[k] % n
        bend(i, j, state, bends[0, k], bends[1, k])


@inlined
def bend_far(k, first, bends, power):
    at = U(first + k)
    bends[1, at] = polynomial(bends[0, at], bends[1, at], power)
    return 0


@inlined
def mutate_gene(i, j, state, u):
    low, high, whole = state.box.lower[j], state.box.upper[j], state.box.integer[j]
    if state.own[0].mutation == UNIFORM:
        state.trial[i, j] = population.sample(u, low, high, whole)
    else:
        bend(i, j, state, u, polynomial(u, position(i, j, state), polynomial_power(state)))


@inlined
def position(i, j, state):
    """Where a gene is between its bounds, 0 to 1."""
    low, width = state.box.lower[j], state.box.upper[j] - state.box.lower[j]
    return (state.trial[i, j] - low) / width if width > 0.0 else 0.0


@inlined
def polynomial_power(state):
    return state.own[0].eta_mutation + 1.0


@inlined
def polynomial(u, position, power):
    """Deb's polynomial mutation within bounds (Deb and Goyal 1996): the step, as a share of the box."""
    down = u <= 0.5
    share, left = 2.0 * (u if down else 1.0 - u), 1.0 - position if down else position
    step = 1.0 - root_of(share + (1.0 - share) * raised_to(left, power), power)
    return -step if down else step


@inlined
def bend(i, j, state, u, step):
    low, high, value = state.box.lower[j], state.box.upper[j], state.trial[i, j]
    change = step * (high - low)
    if state.box.integer[j] > 0.0:  # by one at least
        steps = max(np.floor(abs(change) + 0.5), 1.0)
        change = -steps if (u <= 0.5 and value > low) or value >= high else steps
    state.trial[i, j] = min(max(value + change, low), high)
