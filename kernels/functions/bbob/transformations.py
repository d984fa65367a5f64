"""What the BBOB functions are made of: T_osz, T_asy, Lambda, f_pen and rotations (section 0.2 of their definitions)."""

from __future__ import annotations

import math

import numpy as np

TINY = 1e-300  # in place of 0 where a logarithm is taken: its square is 0


def oscillate(z):
    """T_osz: smooth, slight irregularities of a number at every scale, that keep its sign"""
    scale = math.log(abs(z) if z != 0.0 else 1.0)  # choices, no branches: loops over it run on the vector unit
    fast = 10.0 if z > 0.0 else 5.5
    slow = 7.9 if z > 0.0 else 3.1
    return z * math.exp(0.049 * (math.sin(fast * scale) + math.sin(slow * scale)))


def asymmetric(z, power):
    """T_asy of one coordinate, z^(1 + power sqrt(z)) where z > 0; power is beta i / (D - 1), i from 0"""
    base = z if z > 0.0 else 1.0
    stretch = math.exp(power * math.sqrt(base) * math.log(base))
    return z * stretch


def outside(x):
    """f_pen: the squares of the distances by which coordinates leave [-5, 5]"""
    total = 0.0
    for i in range(x.size):
        excess = abs(x[i]) - 5.0
        if excess > 0.0:
            total += excess * excess
    return total


def turned(matrix, i, x):
    """Coordinate i of matrix x"""
    total = 0.0
    for j in range(x.size):
        total += matrix[i, j] * x[j]
    return total


def turned_from(matrix, i, x, centre):
    """Coordinate i of matrix (x - centre); the difference first, as it is exact near the centre"""
    total = 0.0
    for j in range(x.size):
        total += matrix[i, j] * (x[j] - centre[j])
    return total


def spread(condition, dimension):
    """The diagonal (D,) of Lambda^condition: 1 to sqrt(condition), in equal ratios."""
    return np.sqrt(condition) ** (np.arange(dimension) / (dimension - 1))
