"""Row functions of the differential evolution family: mutation and crossover of one candidate.

Every member builds its candidates from one formula,
    v = base + F (plus - minus) + K (guide - parent),
in which rand/1 has K = 0, current-to-best/1 and its descendants have base = parent. All points are rows of state.x,
which holds what else may be drawn (an archive, a second population) behind the population.
"""

from ..compile.jit import inlined
from ..numbers.random import uniform

# Slots of a row's random numbers. Those of single choices first, then one per coordinate.
CHOICES = 0
REDRAWS = 16  # F is drawn again until it is positive
COORDINATES = 64


@inlined
def cross_binomial_row(i, state, key, parent, donors, weight, guide_weight, crossover):
    """trial[i]: each coordinate comes from the mutant with probability `crossover`, one of them always.

    donors: rows of x (base, plus, minus, guide). Returns how many coordinates came from the mutant.
    """
    x, trial = state.x, state.trial
    base, plus, minus, guide = donors
    dimension = trial.shape[1]
    always = int(uniform(key, COORDINATES - 1) * dimension)
    crossed = 0
    for j in range(dimension):
        mutant = x[base, j] + weight * (x[plus, j] - x[minus, j]) + guide_weight * (x[guide, j] - x[parent, j])
        crosses = (uniform(key, COORDINATES + j) < crossover) | (j == always)
        trial[i, j] = mutant if crosses else x[parent, j]
        crossed += 1 if crosses else 0
    return crossed


@inlined
def cross_exponential_row(i, state, key, parent, donors, weight, guide_weight, crossover):
    """trial[i]: a run of coordinates, beginning anywhere and cyclic, comes from the mutant."""
    x, trial = state.x, state.trial
    base, plus, minus, guide = donors
    dimension = trial.shape[1]
    first = int(uniform(key, COORDINATES - 1) * dimension)
    length = 1
    while length < dimension and uniform(key, COORDINATES + length) < crossover:
        length += 1
    for j in range(dimension):
        mutant = x[base, j] + weight * (x[plus, j] - x[minus, j]) + guide_weight * (x[guide, j] - x[parent, j])
        distance = j - first if j >= first else j - first + dimension
        trial[i, j] = mutant if distance < length else x[parent, j]
