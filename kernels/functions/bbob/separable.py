"""f1 to f5: separable."""

from __future__ import annotations

import math

import numpy as np

from .draws import Draws, signs_of
from .transformations import asymmetric, oscillate, outside, spread


def sphere(x, x_opt, f_opt):
    """f1: sum z_i^2, z = x - x_opt"""
    total = 0.0
    for i in range(x.size):
        z = x[i] - x_opt[i]
        total += z * z
    return total + f_opt


def sphere_data(draws: Draws):
    return draws.x_opt, (draws.x_opt,)


def ellipsoid_separable(x, x_opt, weights, f_opt):
    """f2: sum 10^(6 i / (D - 1)) z_i^2, z = T_osz(x - x_opt)"""
    total = 0.0
    for i in range(x.size):
        z = oscillate(x[i] - x_opt[i])
        total += weights[i] * z * z
    return total + f_opt


def ellipsoid_separable_data(draws: Draws):
    return draws.x_opt, (draws.x_opt, spread(1e12, draws.dimension))


def rastrigin_separable(x, x_opt, y, scales, f_opt):
    """f3: 10 (D - sum cos(2 pi z_i)) + sum z_i^2, z = Lambda^10 T_asy^0.2(T_osz(x - x_opt))"""
    for i in range(x.size):
        y[i] = oscillate(x[i] - x_opt[i])
    for i in range(x.size):
        y[i] = scales[i] * asymmetric(y[i], 0.2 * i / (x.size - 1))
    total = 0.0
    for i in range(x.size):
        z = y[i]
        total += 10.0 * (1.0 - math.cos(2.0 * math.pi * z)) + z * z
    return total + f_opt


def rastrigin_separable_data(draws: Draws):
    return draws.x_opt, (draws.x_opt, draws.memory(), spread(10.0, draws.dimension))


def bueche_rastrigin(x, x_opt, y, scales, f_opt):
    """f4: 10 (D - sum cos(2 pi z_i)) + sum z_i^2 + 100 f_pen(x), z_i = s_i T_osz(x - x_opt)_i, ten times that where a
    coordinate of even index is positive
    """
    for i in range(x.size):
        y[i] = scales[i] * oscillate(x[i] - x_opt[i])
    for i in range(0, x.size, 2):
        y[i] *= 10.0 if y[i] > 0.0 else 1.0
    total = 0.0
    for i in range(x.size):
        z = y[i]
        total += 10.0 * (1.0 - math.cos(2.0 * math.pi * z)) + z * z
    return total + 100.0 * outside(x) + f_opt


def bueche_rastrigin_data(draws: Draws):
    x_opt = draws.x_opt
    x_opt[::2] = np.abs(x_opt[::2])
    return x_opt, (x_opt, draws.memory(), spread(10.0, draws.dimension))


def linear_slope(x, slopes, f_opt):
    """f5: sum 5 |s_i| - s_i z_i; its minimiser is a corner, and z_i stays 5 (or -5) beyond it"""
    total = 0.0
    for i in range(x.size):
        total += max(5.0 * abs(slopes[i]) - slopes[i] * x[i], 0.0)
    return total + f_opt


def linear_slope_data(draws: Draws):
    signs = signs_of(draws.x_opt)
    return 5.0 * signs, (signs * spread(100.0, draws.dimension),)
