"""f15 to f19: many optima, with a global structure."""

from __future__ import annotations

import math

from .draws import Draws, product
from .moderate import stretch
from .transformations import TINY, asymmetric, oscillate, outside, spread, turned, turned_from


def rastrigin(x, x_opt, R, y, matrix, z, f_opt):
    """f15: 10 (D - sum cos(2 pi z_i)) + sum z_i^2, z = R Lambda^10 Q T_asy^0.2(T_osz(R (x - x_opt)))"""
    for i in range(x.size):
        y[i] = turned_from(R, i, x, x_opt)
    for i in range(x.size):
        y[i] = oscillate(y[i])
    for i in range(x.size):
        y[i] = asymmetric(y[i], 0.2 * i / (x.size - 1))
    for i in range(x.size):
        z[i] = turned(matrix, i, y)
    total = 0.0
    for i in range(x.size):
        total += 10.0 * (1.0 - math.cos(2.0 * math.pi * z[i])) + z[i] * z[i]
    return total + f_opt


def rastrigin_data(draws: Draws):
    matrix = product(draws.R * spread(10.0, draws.dimension), draws.Q)
    return draws.x_opt, (draws.x_opt, draws.R, draws.memory(), matrix, draws.memory())


def weierstrass(x, x_opt, R, y, matrix, c, s, f_opt):
    """f16: 10 (mean sum_k (cos(2 pi 3^k (z_i + 1/2)) + 1) / 2^k)^3 + 10 f_pen(x) / D, k from 0 to 11,
    z = R Lambda^(1/100) Q T_osz(R (x - x_opt))
    """
    for i in range(x.size):
        y[i] = turned_from(R, i, x, x_opt)
    for i in range(x.size):
        y[i] = oscillate(y[i])
    for i in range(x.size):
        c[i] = 2.0 * math.pi * (turned(matrix, i, y) + 0.5)
    for i in range(x.size):
        angle = c[i]
        c[i], s[i] = math.cos(angle), math.sin(angle)
    total = 0.0
    for k in range(12):
        for i in range(x.size):
            cosine, sine = c[i], s[i]
            total += 0.5**k * (cosine + 1.0)
            c[i] = cosine * (4.0 * cosine * cosine - 3.0)  # of three times the angle
            s[i] = sine * (3.0 - 4.0 * sine * sine)
    return 10.0 * (total / x.size) ** 3 + 10.0 / x.size * outside(x) + f_opt


def weierstrass_data(draws: Draws):
    matrix = product(draws.R * spread(0.01, draws.dimension), draws.Q)
    return draws.x_opt, (draws.x_opt, draws.R, draws.memory(), matrix, draws.memory(), draws.memory())


def schaffers(x, x_opt, R, y, matrix, z, f_opt):
    """f17, f18: (mean_{i < D} sqrt(s_i) (1 + sin^2(50 s_i^(1/5))))^2 + 10 f_pen(x), s_i^2 = z_i^2 + z_{i+1}^2,
    z = Lambda^alpha Q T_asy^0.5(R (x - x_opt)), alpha = 10 (f17) or 1000 (f18)
    """
    for i in range(x.size):
        y[i] = turned_from(R, i, x, x_opt)
    for i in range(x.size):
        y[i] = asymmetric(y[i], 0.5 * i / (x.size - 1))
    for i in range(x.size):
        z[i] = turned(matrix, i, y)
    total = 0.0
    for i in range(x.size - 1):
        square = z[i] * z[i] + z[i + 1] * z[i + 1]
        wave = math.sin(50.0 * math.exp(0.1 * math.log(max(square, TINY))))
        total += math.sqrt(math.sqrt(square)) * (1.0 + wave * wave)
    return (total / (x.size - 1)) ** 2 + 10.0 * outside(x) + f_opt


def schaffers_data(draws: Draws, condition=10.0):
    matrix = spread(condition, draws.dimension)[:, None] * draws.Q
    return draws.x_opt, (draws.x_opt, draws.R, draws.memory(), matrix, draws.memory())


def schaffers_ill_conditioned_data(draws: Draws):
    return schaffers_data(draws, 1000.0)


def griewank_rosenbrock(x, matrix, z, f_opt):
    """f19: 10 + 10 mean_{i < D} (s_i / 4000 - cos(s_i)), s_i = 100 (z_i^2 - z_{i+1})^2 + (z_i - 1)^2,
    z = max(1, sqrt(D) / 8) R x + 1/2
    """
    for i in range(x.size):
        z[i] = turned(matrix, i, x) + 0.5
    total = 0.0
    for i in range(x.size - 1):
        valley = 100.0 * (z[i] * z[i] - z[i + 1]) ** 2 + (z[i] - 1.0) ** 2
        total += valley / 4000.0 + (1.0 - math.cos(valley))
    return 10.0 * total / (x.size - 1) + f_opt


def griewank_rosenbrock_data(draws: Draws):
    factor = stretch(draws.dimension)
    return draws.Q.sum(axis=0) / (2 * factor), (factor * draws.Q, draws.memory())
