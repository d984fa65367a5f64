"""Differential evolution as Storn and Price write it, J. Global Optim. 11 (1997) 341-359, in six strategies.

The paper keeps the parent when values are equal; the engine, as nearly everybody since (Price, Storn and Lampinen
2005), takes the candidate. Halves of whole-numbered variables are rounded away from the parent. Slots of the
differences are 0 and 1, of the base of rand/1 it is 2.

The state has x, f, best_row, mutation ("rand", "best", "currenttobest"), crossing ("bin", "exp"), weight, crossover.
"""

import math

import numpy as np

from .common import (
    ALWAYS,
    COORDINATES,
    binomial,
    close,
    copied,
    evaluate,
    initial_sample,
    midpoint,
    note_collapse,
)

STRATEGIES = ("rand1bin", "best1bin", "currenttobest1bin", "rand1exp", "best1exp", "currenttobest1exp")


def mutant(s, draws, i):
    """The mutant vector of row i: eq. 2 (rand/1), and the variants best/1 and current-to-best/1."""
    n, x, weight = s.size, s.x, s.weight
    r1 = draws.integer(i, 0, n, without=(i,))
    r2 = draws.integer(i, 1, n, without=(i, r1))
    if s.mutation == "rand":
        r3 = draws.integer(i, 2, n, without=(i, r1, r2))
        return x[r3] + weight * (x[r1] - x[r2])
    if s.mutation == "best":
        return x[s.best_row] + weight * (x[r1] - x[r2])
    return x[i] + weight * (x[s.best_row] - x[i]) + weight * (x[r1] - x[r2])


def exponential(draws, i, v, parent, rate):
    """Coordinates n, n + 1, ... n + L - 1 (modulo D) cross; L grows while a draw is below CR."""
    dimension = len(parent)
    first, length = draws.integer(i, ALWAYS, dimension), 1
    while length < dimension and draws.uniform(i, COORDINATES + length) < rate:
        length += 1
    u = parent.copy()
    for k in range(length):
        u[(first + k) % dimension] = v[(first + k) % dimension]
    return u


def whole_away(s, point, parent):
    """Whole-numbered variables: to the nearest, halves away from the parent."""
    return np.array(
        [
            v if not whole else math.floor(v + 0.5) if v > p else math.ceil(v - 0.5)
            for v, p, whole in zip(point, parent, s.whole)
        ]
    )


def candidate(s, draws, i):
    v, parent = mutant(s, draws, i), s.x[i]
    crossed = (
        binomial(draws, i, v, parent, s.crossover)[0]
        if s.crossing == "bin"
        else exponential(draws, i, v, parent, s.crossover)
    )
    return whole_away(s, midpoint(s, crossed, parent), parent)


def iterate(state, fun, draws):
    s = copied(state)
    n = s.count
    trial = initial_sample(s, draws) if s.iteration == 0 else np.array([candidate(s, draws, i) for i in range(n)])
    evaluate(s, fun, trial)
    survives = s.trial_f <= s.f[:n]
    s.x[:n] = np.where(survives[:, None], s.trial, s.x[:n])
    s.f[:n] = np.where(survives, s.trial_f, s.f[:n])
    s.best_row = int(np.argmin(s.f))
    note_collapse(s, s.x)
    return close(s, s.f)


def start(dimension):
    """What a run begins with where nothing else is asked for; the paper advises 10 D, F = 0.5, CR = 0.9."""
    return {"size": min(max(10 * dimension, 20), 200), "weight": 0.5, "crossover": 0.9}
