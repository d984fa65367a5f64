"""Long curved or flat valleys, easy to enter and slow to follow. Formulas count from i = 1 to D."""

from __future__ import annotations

import numpy as np

from ..problem import Minimum
from .definition import TestFunction


def rosenbrock(x, a=1.0, b=100.0):
    """sum_{i < D} b (x_{i+1} - x_i^2)^2 + (a - x_i)^2

    From D = 4 on there is a second, local minimum near (-1, 1, ..., 1).
    """
    total = 0.0
    for i in range(x.size - 1):
        bend = x[i + 1] - x[i] * x[i]
        total += b * bend * bend + (a - x[i]) * (a - x[i])
    return total


def rosenbrock_gradient(x, a=1.0, b=100.0):
    out = np.zeros(x.size)
    for i in range(x.size - 1):
        bend = x[i + 1] - x[i] * x[i]
        out[i] -= 4 * b * x[i] * bend + 2 * (a - x[i])
        out[i + 1] += 2 * b * bend
    return out


def _rosenbrock_minimum(dimension, a, b):
    if b < 0 or (dimension > 2 and a not in (0, 1)):  # all squares vanish together only where a^2 = a
        return None
    return Minimum(np.array([a] * (dimension - 1) + [a * a]), 0.0)


ROSENBROCK = TestFunction(
    fun=rosenbrock,
    gradient=rosenbrock_gradient,
    low=-5.0,
    high=10.0,
    smallest=2,
    minimum=_rosenbrock_minimum,
    traits=("multimodal",),
    reference="Rosenbrock, Computer J. 3 (1960) 175",
)


def dixon_price(x):
    """(x_1 - 1)^2 + sum_{i > 1} i (2 x_i^2 - x_{i-1})^2

    The minimiser is x_i = 2^(2^(1-i) - 1), its last coordinate with either sign. From D = 3 on, (1/3, 0, ..., 0) is a
    local minimum of value 2/3.
    """
    total = (x[0] - 1) * (x[0] - 1)
    for i in range(1, x.size):
        bend = 2 * x[i] * x[i] - x[i - 1]
        total += (i + 1) * bend * bend
    return total


def dixon_price_gradient(x):
    out = np.zeros(x.size)
    out[0] = 2 * (x[0] - 1)
    for i in range(1, x.size):
        bend = 2 * x[i] * x[i] - x[i - 1]
        out[i] += 8 * (i + 1) * x[i] * bend
        out[i - 1] -= 2 * (i + 1) * bend
    return out


def _dixon_price_minimum(dimension):
    return Minimum(2.0 ** (2.0 ** -np.arange(dimension) - 1), 0.0)


DIXON_PRICE = TestFunction(
    fun=dixon_price,
    gradient=dixon_price_gradient,
    low=-10.0,
    high=10.0,
    smallest=2,
    minimum=_dixon_price_minimum,
    traits=("multimodal",),
    reference="Dixon and Price, J. Optim. Theory Appl. 60 (1989) 261",
)


def powell(x):
    """sum over groups of four: (a + 10 b)^2 + 5 (c - d)^2 + (b - 2 c)^4 + 10 (a - d)^4

    The Hessian is singular at the minimiser.
    """
    total = 0.0
    for k in range(0, x.size, 4):
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        total += (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4
    return total


def powell_gradient(x):
    out = np.empty(x.size)
    for k in range(0, x.size, 4):
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        out[k] = 2 * (a + 10 * b) + 40 * (a - d) ** 3
        out[k + 1] = 20 * (a + 10 * b) + 4 * (b - 2 * c) ** 3
        out[k + 2] = 10 * (c - d) - 8 * (b - 2 * c) ** 3
        out[k + 3] = -10 * (c - d) - 40 * (a - d) ** 3
    return out


POWELL = TestFunction(
    fun=powell,
    gradient=powell_gradient,
    low=-4.0,
    high=5.0,
    smallest=4,
    step=4,
    traits=("convex", "ill-conditioned"),
    reference="Powell, Computer J. 5 (1962) 147",
)


def perm(x, beta=0.5):
    """sum_i (sum_j (j^i + beta) ((x_j / j)^i - 1))^2

    Its valleys are so flat that D = 10 is out of reach in double precision.
    """
    total = 0.0
    for i in range(1, x.size + 1):
        inner = 0.0
        for j in range(1, x.size + 1):
            inner += (float(j) ** i + beta) * ((x[j - 1] / j) ** i - 1)
        total += inner * inner
    return total


def perm_gradient(x, beta=0.5):
    out = np.zeros(x.size)
    for i in range(1, x.size + 1):
        inner = 0.0
        for j in range(1, x.size + 1):
            inner += (float(j) ** i + beta) * ((x[j - 1] / j) ** i - 1)
        for j in range(1, x.size + 1):
            out[j - 1] += 2 * inner * (float(j) ** i + beta) * i / j * (x[j - 1] / j) ** (i - 1)
    return out


def _perm_minimum(dimension, beta):
    return Minimum(np.arange(1.0, dimension + 1), 0.0)


PERM = TestFunction(
    fun=perm,
    gradient=perm_gradient,
    low=lambda dimension: -float(dimension),
    high=lambda dimension: float(dimension),
    smallest=2,
    minimum=_perm_minimum,
    traits=("multimodal", "ill-conditioned"),
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013), perm d, beta",
)


def colville(x):
    """100 (x1^2 - x2)^2 + (x1 - 1)^2 + (x3 - 1)^2 + 90 (x3^2 - x4)^2
    + 10.1 ((x2 - 1)^2 + (x4 - 1)^2) + 19.8 (x2 - 1) (x4 - 1)"""
    x1, x2, x3, x4 = x[0], x[1], x[2], x[3]
    return (
        100 * (x1 * x1 - x2) ** 2
        + (x1 - 1) ** 2
        + (x3 - 1) ** 2
        + 90 * (x3 * x3 - x4) ** 2
        + 10.1 * ((x2 - 1) ** 2 + (x4 - 1) ** 2)
        + 19.8 * (x2 - 1) * (x4 - 1)
    )


def colville_gradient(x):
    x1, x2, x3, x4 = x[0], x[1], x[2], x[3]
    out = np.empty(4)
    out[0] = 400 * x1 * (x1 * x1 - x2) + 2 * (x1 - 1)
    out[1] = -200 * (x1 * x1 - x2) + 20.2 * (x2 - 1) + 19.8 * (x4 - 1)
    out[2] = 360 * x3 * (x3 * x3 - x4) + 2 * (x3 - 1)
    out[3] = -180 * (x3 * x3 - x4) + 20.2 * (x4 - 1) + 19.8 * (x2 - 1)
    return out


COLVILLE = TestFunction(
    fun=colville,
    gradient=colville_gradient,
    low=-10.0,
    high=10.0,
    dimension=4,
    minimum=Minimum(1.0, 0.0),
    reference="Colville, IBM New York Scientific Center report 320-2949 (1968)",
)
