"""f20 to f24: many optima, with little global structure."""

from __future__ import annotations

import math

import numpy as np

from .draws import Draws, gauss, product, signs_of
from .transformations import oscillate, outside, spread, turned, turned_from

TWICE = 4.2096874637  # 2 |x_opt| of f20
DOUBLINGS = 2.0 ** np.arange(1, 33)  # of Katsuura's sum


def schwefel(x, signs, y, scales, f_opt):
    """f20: -mean z_i sin(sqrt|z_i|) / 100 + 4.189828872724339 + 100 f_pen(z / 100), a = 4.2096874637 = 2 |x_opt|,
    z_i = 100 (Lambda^10_i (y_i + (y_{i-1} - a) / 4 - a) + a), y = 2 x with the signs of x_opt, y_0 = a
    """
    y[0] = TWICE
    for i in range(x.size):
        y[i + 1] = 2.0 * signs[i] * x[i]
    total = 0.0
    far = 0.0
    for i in range(x.size):
        z = 100.0 * (scales[i] * (y[i + 1] + 0.25 * (y[i] - TWICE) - TWICE) + TWICE)
        total += z * math.sin(math.sqrt(abs(z)))
        far += max(abs(z) - 500.0, 0.0) ** 2
    return 0.01 * (418.9828872724339 - total / x.size + far) + f_opt


def schwefel_data(draws: Draws):
    signs = signs_of(draws.uniform(draws.dimension) - 0.5)
    return 0.5 * TWICE * signs, (signs, draws.memory(draws.dimension + 1), spread(10.0, draws.dimension))


def gallagher(x, R, peaks, scales, levels, depths, f_opt):
    """f21, f22: T_osz(10 - max_k w_k exp(-(y - p_k)' C_k (y - p_k) / (2 D)))^2 + f_pen(x), y = R x

    peaks: p (D, K), as y; scales: the diagonals of C / (2 D), (D, K); levels: log w (K,). The peak is found by the
    logarithms, so that one exponential is enough.
    """
    for k in range(depths.size):
        depths[k] = -levels[k]
    for j in range(x.size):
        y = turned(R, j, x)
        for k in range(depths.size):
            depths[k] += scales[j, k] * (y - peaks[j, k]) ** 2
    least = depths[0]
    for k in range(1, depths.size):
        least = min(least, depths[k])
    gap = 10.0 - math.exp(-least)
    return oscillate(gap) ** 2 + outside(x) + f_opt


def gallagher_data(draws: Draws, count=101, first_condition=1000.0**0.5, width=10.0):
    dimension, steps = draws.dimension, np.arange(count - 1) / (count - 2)
    order = np.argsort(draws.uniform(count - 1), kind="stable")
    conditions = np.append(first_condition, 1000.0 ** steps[order])
    heights = np.append(10.0, 1.1 + 8.0 * steps)
    orders = np.array([np.argsort(draws.uniform(dimension, 1000 * k), kind="stable") for k in range(count)])
    scales = conditions[:, None] ** (orders / (dimension - 1) - 0.5) / (2 * dimension)
    places = width * (draws.uniform(count * dimension).reshape(count, dimension) - 0.5)
    places[0] *= 0.8
    peaks = product(draws.Q, places.T)
    return places[0], (draws.Q, peaks, np.ascontiguousarray(scales.T), np.log(heights), draws.memory(count))


def gallagher_21_data(draws: Draws):
    return gallagher_data(draws, 21, 1000.0, 9.8)


def katsuura(x, x_opt, matrix, doublings, f_opt):
    """f23: 10 / D^2 (prod (1 + i sum_{j = 1}^32 |2^j z_i - round(2^j z_i)| / 2^j)^(10 / D^1.2) - 1) + f_pen(x),
    z = Q Lambda^100 R (x - x_opt)
    """
    product = 1.0
    for i in range(x.size):
        z = turned_from(matrix, i, x, x_opt)
        total = 0.0
        for k in range(doublings.size):
            y = doublings[k] * z
            total += abs(y - np.floor(y + 0.5)) / doublings[k]
        product *= 1.0 + (i + 1) * total
    size = float(x.size)
    return 10.0 / (size * size) * (product ** (10.0 / size**1.2) - 1.0) + outside(x) + f_opt


def katsuura_data(draws: Draws):
    matrix = product(draws.R * spread(100.0, draws.dimension), draws.Q)
    return draws.x_opt, (draws.x_opt, matrix, DOUBLINGS)


def lunacek(x, signs, y, matrix, z, f_opt):
    """f24: min(sum (y_i - 2.5)^2, D + s sum (y_i - m)^2) + 10 (D - sum cos(2 pi z_i)) + 10^4 f_pen(x),
    y = 2 x with the signs of x_opt, z = Q Lambda^100 R (y - 2.5)
    """
    s = 1.0 - 0.5 / (math.sqrt(x.size + 20.0) - 4.1)
    second = 2.5 + math.sqrt((2.5 * 2.5 - 1.0) / s)  # 2.5 - m
    near = 0.0
    far = 0.0
    for i in range(x.size):
        y[i] = 2.0 * signs[i] * x[i] - 2.5
        near += y[i] ** 2
        far += (y[i] + second) ** 2
    for i in range(x.size):
        z[i] = turned(matrix, i, y)
    ripple = 0.0
    for i in range(x.size):
        ripple += 1.0 - math.cos(2.0 * math.pi * z[i])
    return min(near, x.size + s * far) + 10.0 * ripple + 1e4 * outside(x) + f_opt


def lunacek_data(draws: Draws):
    signs = signs_of(gauss(draws.dimension, draws.seed))
    matrix = product(draws.R * spread(100.0, draws.dimension), draws.Q)
    return 1.25 * signs, (signs, draws.memory(), matrix, draws.memory())
