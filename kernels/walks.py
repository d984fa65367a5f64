"""Steps of walks through a box: what leaves it comes back from the bound as from a mirror, whole numbers stay whole."""

import numpy as np

from .compile.jit import inlined
from .numbers.elementary import exp
from .numbers.random import integer, uniform

PARTNER, FURTHER = 0.75, 0.25  # tried on knapsacks: bench/whole_numbers.py --tune


@inlined
def mirrored(value, low, high):
    """A number in [low, high]; what is still outside after both mirrors goes to the bound."""
    value = 2.0 * low - value if value < low else value
    value = 2.0 * high - value if value > high else value
    return min(max(value, low), high)


@inlined
def moved(value, step, key, side, low, high, integer):
    """A coordinate after a step. A whole number that it leaves unchanged goes to a neighbour, by the slot `side`."""
    new = value + step
    new = 2.0 * low - new if new < low else new
    new = 2.0 * high - new if new > high else new
    if integer > 0.0:
        new = np.floor(new + 0.5)
        if new == value:  # a step of less than one half
            new += 1.0 if uniform(key, side) < 0.5 else -1.0
            new = value + value - new if new < low or new > high else new
    return min(max(new, low), high)


@inlined
def move_partners(x, trial, j, width, key, slot, box):
    """Beside the whole number j, others change, as under a constraint one alone seldom can.

    There is one with probability PARTNER, after it another one with FURTHER, and so on.

    x, trial (D,); width: of a step, as a share of the box; four slots from `slot` on for each of them
    """
    partners, n, likely = 0, x.size, PARTNER
    while box.integer[j] > 0.0 and partners < n - 1 and uniform(key, slot + 1) < likely:
        k = integer(key, slot, n)
        if box.integer[k] > 0.0 and k != j:
            step = width * (box.upper[k] - box.lower[k]) * (2.0 * uniform(key, slot + 2) - 1.0)
            trial[k] = moved(x[k], step, key, slot + 3, box.lower[k], box.upper[k], 1.0)
        slot, partners, likely = slot + 4, partners + 1, FURTHER


@inlined
def accepts(value, before, temperature, u):
    """Metropolis' rule: what is not worse is accepted, else with probability exp(-rise / T); at T = 0 nothing else."""
    return value <= before or (temperature > 0.0 and u < exp(-(value - before) / temperature))
