"""f6 to f9: low or moderate conditioning."""

from __future__ import annotations

import numpy as np

from .draws import Draws, product
from .transformations import oscillate, outside, spread, turned, turned_from


def attractive_sector(x, x_opt, matrix, f_opt):
    """f6: T_osz(sum (s_i z_i)^2)^0.9, z = Q Lambda^10 R (x - x_opt), s_i = 100 on the side of x_opt, else 1"""
    total = 0.0
    for i in range(x.size):
        z = turned_from(matrix, i, x, x_opt)
        if z * x_opt[i] > 0.0:
            z *= 100.0
        total += z * z
    return oscillate(total) ** 0.9 + f_opt


def attractive_sector_data(draws: Draws):
    matrix = product(draws.R * spread(10.0, draws.dimension), draws.Q)
    return draws.x_opt, (draws.x_opt, matrix)


def step_ellipsoid(x, x_opt, inner, rounded, outer, weights, f_opt):
    """f7: 0.1 max(|y_1| / 10^4, sum 10^(2 i / (D - 1)) z_i^2) + f_pen(x), y = Lambda^10 R (x - x_opt), z = Q of y
    rounded to whole numbers, to tenths where |y_i| <= 0.5
    """
    first = abs(turned_from(inner, 0, x, x_opt))
    for i in range(x.size):
        y = turned_from(inner, i, x, x_opt)
        rounded[i] = np.floor(y + 0.5) if abs(y) > 0.5 else np.floor(10.0 * y + 0.5) / 10.0
    total = 0.0
    for i in range(x.size):
        z = turned(outer, i, rounded)
        total += weights[i] * z * z
    return 0.1 * max(1e-4 * first, total) + outside(x) + f_opt


def step_ellipsoid_data(draws: Draws):
    inner = spread(10.0, draws.dimension)[:, None] * draws.Q
    return draws.x_opt, (draws.x_opt, inner, draws.memory(), draws.R, spread(1e4, draws.dimension))


def rosenbrock(x, x_opt, factor, f_opt):
    """f8: sum_{i < D} 100 (z_i^2 - z_{i+1})^2 + (z_i - 1)^2, z = max(1, sqrt(D) / 8) (x - x_opt) + 1"""
    total = 0.0
    z = factor * (x[0] - x_opt[0]) + 1.0
    for i in range(1, x.size):
        after = factor * (x[i] - x_opt[i]) + 1.0
        total += 100.0 * (z * z - after) ** 2 + (z - 1.0) ** 2
        z = after
    return total + f_opt


def rosenbrock_data(draws: Draws):
    x_opt = 0.75 * draws.x_opt
    return x_opt, (x_opt, stretch(draws.dimension))


def rosenbrock_rotated(x, matrix, f_opt):
    """f9: as f8, z = max(1, sqrt(D) / 8) R x + 1/2"""
    total = 0.0
    z = turned(matrix, 0, x) + 0.5
    for i in range(1, x.size):
        after = turned(matrix, i, x) + 0.5
        total += 100.0 * (z * z - after) ** 2 + (z - 1.0) ** 2
        z = after
    return total + f_opt


def rosenbrock_rotated_data(draws: Draws):
    factor = stretch(draws.dimension)
    return draws.Q.sum(axis=0) / (2 * factor), (factor * draws.Q,)


def stretch(dimension: int) -> float:
    """max(1, sqrt(D) / 8): it keeps the valley of Rosenbrock's function inside the box."""
    return max(1.0, np.sqrt(dimension) / 8)
