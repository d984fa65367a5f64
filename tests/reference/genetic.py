"""A genetic algorithm: Deb's operators on real numbers, and those of the textbooks.

Simulated binary crossover: Deb and Agrawal, Complex Systems 9 (1995) 115-148, within bounds as in Deb's programs.
Polynomial mutation: Deb and Goyal, Computer Science and Informatics 26 (1996) 30-45, within bounds likewise.

Conventions of the engine: children 2 k and 2 k + 1 share what is drawn for pair k; a gene's number says by its quarter
whether it is crossed and which child gets the upper value, and by the rest of it how far; a gene mutates where another
number is below the rate, and their quotient, which is uniform again, says how; a whole-numbered gene mutates by one at
least; survivors have places as in common.keep_best.

The state has x, f, order, selection, crossover, mutation, rate, mutation_rate, eta_crossover, eta_mutation, elites
(parents that may survive), distinct (no point twice), and what renewal.py says.
"""

import math
from collections.abc import Callable

import numpy as np

from .common import close, copied, evaluate, in_box, initial_sample, keep_best, ranks, rounded
from .renewal import renew


def tournament(s, draws, pair):
    """The better of two, twice; the second parent is another one."""
    n = s.size
    one = min(draws.integer(pair, 0, n), draws.integer(pair, 1, n))
    two = min(draws.integer(pair, 2, n, without=(one,)), draws.integer(pair, 3, n, without=(one,)))
    return s.order[one], s.order[two]


def truncation(s, draws, pair):
    """Any two of the better half."""
    half = max(s.size // 2, 2)
    one = draws.integer(pair, 0, half)
    return s.order[one], s.order[draws.integer(pair, 1, half, without=(one,))]


def roulette(s, draws, pair):
    """Each with the probability of its weight: by how much it is better than the worst whose value is finite."""
    highest = max((value for value in s.f if value < np.inf), default=-np.inf)
    weights = np.array([highest - value if value < highest else 0.0 for value in s.f])
    if not weights.any():
        return tuple(draws.integer(pair, slot, s.size) for slot in (0, 1))
    wheel = np.cumsum(weights)
    return tuple(int(np.argmax(wheel > draws.uniform(pair, slot) * wheel[-1])) for slot in (0, 1))


def sbx(s, draws, i, pair, first, second):
    child, power = first.copy(), s.eta_crossover + 1
    for j in range(len(first)):
        quarter, u = divmod(4 * draws.uniform(pair, 6 + j), 1)
        y1, y2 = sorted((first[j], second[j]))
        if quarter < 2 or y1 == y2:
            continue
        upper = (quarter == 3) != (i % 2 == 1)
        beta_of_bound = 1 + 2 * (s.upper[j] - y2 if upper else y1 - s.lower[j]) / (y2 - y1)
        alpha = 2 - beta_of_bound**-power
        beta = (u * alpha) ** (1 / power) if u * alpha <= 1 else (1 / (2 - u * alpha)) ** (1 / power)
        child[j] = (y1 + y2 + (beta if upper else -beta) * (y2 - y1)) / 2
        child[j] = min(max(child[j], s.lower[j]), s.upper[j])
    return child


def one_point(s, draws, i, pair, first, second):
    cut = 1 + draws.integer(pair, 5, max(len(first) - 1, 1))
    return np.concatenate([first[:cut], second[cut:]])


def polynomial(s, u, j, value):
    low, high, power = s.lower[j], s.upper[j], s.eta_mutation + 1
    if high == low:
        delta = 0.0
    elif u <= 0.5:
        delta_1 = (value - low) / (high - low)
        delta = (2 * u + (1 - 2 * u) * (1 - delta_1) ** power) ** (1 / power) - 1
    else:
        delta_2 = (high - value) / (high - low)
        delta = 1 - (2 * (1 - u) + 2 * (u - 0.5) * (1 - delta_2) ** power) ** (1 / power)
    change = delta * (high - low)
    if s.whole[j]:
        steps = max(math.floor(abs(change) + 0.5), 1)
        down = (u <= 0.5 and value > low) or value == high
        change = -steps if down else steps
    return min(max(value + change, low), high)


def uniform(s, u, j, value):
    return in_box(s, np.full(len(s.lower), u))[j]


OPERATORS: dict[str, Callable] = {
    operator.__name__: operator for operator in (tournament, truncation, roulette, sbx, one_point, polynomial, uniform)
}


def mutated(s, draws, i, child):
    """Each gene with probability mutation_rate."""
    change, rate = OPERATORS[s.mutation], s.mutation_rate
    for j in range(len(child)):
        u = draws.uniform(i, j)
        if u < rate:
            child[j] = change(s, u / rate, j, child[j])
    return child


def candidate(s, draws, i):
    pair, n = s.size + i // 2, len(s.lower)
    parents = [s.x[row] for row in OPERATORS[s.selection](s, draws, pair)]
    first, second = parents if i % 2 == 0 else parents[::-1]
    crosses = draws.uniform(pair, 4) < s.rate
    child = OPERATORS[s.crossover](s, draws, i, pair, first, second) if crosses else first.copy()
    child = mutated(s, draws, i, rounded(s, child))
    if s.distinct and any((child == parent).all() for parent in parents):
        j = draws.integer(i, n, n)
        child[j] = OPERATORS[s.mutation](s, draws.uniform(i, n + 1), j, child[j])
    return child


def survive(s, x, f):
    """Of parents and children the best stay, then what was passed over, as many as the population has.

    Of equal values the parents come first, in the order that they have.
    """
    kept, others, parents = [], [], 0
    rows = np.concatenate([s.order, np.arange(s.size, len(f))])
    for row in rows[ranks(f[rows])]:
        copy = s.distinct and any(f[k] == f[row] and (x[k] == x[row]).all() for k in kept)
        if copy or (row < s.size and parents == s.elites):
            others.append(row)
        elif len(kept) < s.size:
            kept.append(row)
            parents += row < s.size
    s.x, s.f, s.order = keep_best(x, f, np.array(kept + others), s.size)
    if len(kept) < s.size:
        s.order = ranks(s.f)


def iterate(state, fun, draws):
    s = copied(state)
    trial = initial_sample(s, draws) if s.fresh else np.array([candidate(s, draws, i) for i in range(s.count)])
    evaluate(s, fun, trial)
    if s.fresh:
        s.x[: s.count], s.f[: s.count] = trial, s.trial_f
        s.order = ranks(s.f)
    else:
        survive(s, np.concatenate([s.x, trial]), np.concatenate([s.f, s.trial_f]))
    renew(s)
    return close(s, [s.spread, 0.0])


def start(dimension):
    """What a run begins with: 100 individuals, SBX with index 1, mutation with index 20 of one gene in D."""
    return {
        "size": 100, "fresh": True, "selection": "tournament", "crossover": "sbx", "mutation": "polynomial",
        "rate": 0.9, "mutation_rate": 1 / dimension, "eta_crossover": 1.0, "eta_mutation": 20.0, "elites": 100,
        "distinct": True, "longest": 100 + 10 * dimension,
    }  # fmt: skip
