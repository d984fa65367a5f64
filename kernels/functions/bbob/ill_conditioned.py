"""f10 to f14: high conditioning, one optimum."""

from __future__ import annotations

import math

import numpy as np

from .draws import Draws, optimum_place, product
from .transformations import TINY, asymmetric, oscillate, spread, turned, turned_from


def ellipsoid(x, x_opt, R, y, weights, f_opt):
    """f10: sum 10^(6 i / (D - 1)) z_i^2, z = T_osz(R (x - x_opt))"""
    for i in range(x.size):
        y[i] = turned_from(R, i, x, x_opt)
    total = 0.0
    for i in range(x.size):
        z = oscillate(y[i])
        total += weights[i] * z * z
    return total + f_opt


def ellipsoid_data(draws: Draws):
    return draws.x_opt, (draws.x_opt, draws.R, draws.memory(), spread(1e12, draws.dimension))


def discus(x, x_opt, R, y, f_opt):
    """f11: 10^6 z_1^2 + sum_{i > 1} z_i^2, z = T_osz(R (x - x_opt))"""
    for i in range(x.size):
        y[i] = turned_from(R, i, x, x_opt)
    total = 999999.0 * oscillate(y[0]) ** 2
    for i in range(x.size):
        total += oscillate(y[i]) ** 2
    return total + f_opt


def discus_data(draws: Draws):
    return draws.x_opt, (draws.x_opt, draws.R, draws.memory())


def bent_cigar(x, x_opt, R, y, f_opt):
    """f12: z_1^2 + 10^6 sum_{i > 1} z_i^2, z = R T_asy^0.5(R (x - x_opt))"""
    for i in range(x.size):
        y[i] = turned_from(R, i, x, x_opt)
    for i in range(x.size):
        y[i] = asymmetric(y[i], 0.5 * i / (x.size - 1))
    total = 0.0
    for i in range(x.size):
        z = turned(R, i, y)
        total += (1.0 if i == 0 else 1e6) * z * z
    return total + f_opt


def bent_cigar_data(draws: Draws):
    x_opt = optimum_place(draws.dimension, draws.seed + 1_000_000)
    return x_opt, (x_opt, draws.R, draws.memory())


def sharp_ridge(x, x_opt, matrix, f_opt):
    """f13: z_1^2 + 100 sqrt(sum_{i > 1} z_i^2), z = Q Lambda^10 R (x - x_opt)"""
    first = turned_from(matrix, 0, x, x_opt)
    total = 0.0
    for i in range(1, x.size):
        z = turned_from(matrix, i, x, x_opt)
        total += z * z
    return first * first + 100.0 * math.sqrt(total) + f_opt


def sharp_ridge_data(draws: Draws):
    return draws.x_opt, (draws.x_opt, product(draws.R * spread(10.0, draws.dimension), draws.Q))


def different_powers(x, x_opt, R, y, exponents, f_opt):
    """f14: sqrt(sum |z_i|^(2 + 4 i / (D - 1))), z = R (x - x_opt)"""
    for i in range(x.size):
        y[i] = turned_from(R, i, x, x_opt)
    total = 0.0
    for i in range(x.size):
        total += math.exp(exponents[i] * math.log(max(abs(y[i]), TINY)))
    return math.sqrt(total) + f_opt


def different_powers_data(draws: Draws):
    exponents = 2.0 + 4.0 * np.arange(draws.dimension) / (draws.dimension - 1)
    return draws.x_opt, (draws.x_opt, draws.R, draws.memory(), exponents)
