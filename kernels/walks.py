"""Steps of walks through a box: what leaves it comes back from the bound as from a mirror, whole numbers stay whole."""

import numpy as np

from .compile.jit import inlined
from .numbers.elementary import exp
from .numbers.random import uniform


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
def accepts(value, before, temperature, u):
    """Metropolis' rule: what is not worse is accepted, else with probability exp(-rise / T); at T = 0 nothing else."""
    return value <= before or (temperature > 0.0 and u < exp(-(value - before) / temperature))
