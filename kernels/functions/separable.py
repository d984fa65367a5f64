"""Many basins, any dimension, one variable at a time. Formulas count from i = 1 to D."""

from __future__ import annotations

import math

import numpy as np

from ..problem import Minimum
from .definition import TestFunction


def rastrigin(x):
    """10 D + sum x_i^2 - 10 cos(2 pi x_i)"""
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i] - 10 * math.cos(2 * math.pi * x[i]) + 10
    return total


def rastrigin_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2 * x[i] + 20 * math.pi * math.sin(2 * math.pi * x[i])
    return out


RASTRIGIN = TestFunction(
    fun=rastrigin,
    gradient=rastrigin_gradient,
    low=-5.12,
    high=5.12,
    traits=("separable", "multimodal"),
    reference="Rastrigin (1974), in D variables by Muehlenbein, Schomisch and Born, Parallel Comput. 17 (1991) 619",
)


# The root of tan(t) + t / 2 = 0 at which t sin(t) is largest below sqrt(500), squared; and that largest t^2 sin(t).
# Published as 420.9687 and 418.9829, with which the minimum is about D / 40,000 off 0.
SCHWEFEL_X = 420.96874635998205
SCHWEFEL_OFFSET = 418.9828872724337


def schwefel(x):
    """418.9828872724337 D - sum x_i sin(sqrt(|x_i|))

    The second best minimum is far from the best one, which is near a corner.
    """
    total = 0.0
    for i in range(x.size):
        total += SCHWEFEL_OFFSET - x[i] * math.sin(math.sqrt(abs(x[i])))
    return total


def schwefel_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        root = math.sqrt(abs(x[i]))
        out[i] = -math.sin(root) - 0.5 * root * math.cos(root)
    return out


SCHWEFEL = TestFunction(
    fun=schwefel,
    gradient=schwefel_gradient,
    low=-500.0,
    high=500.0,
    minimum=Minimum(SCHWEFEL_X, 0.0),
    traits=("separable", "multimodal"),
    reference="Schwefel, Numerical Optimization of Computer Models (1981), problem 2.26",
)


def styblinski_tang(x):
    """1/2 sum x_i^4 - 16 x_i^2 + 5 x_i"""
    total = 0.0
    for i in range(x.size):
        square = x[i] * x[i]
        total += square * square - 16 * square + 5 * x[i]
    return 0.5 * total


def styblinski_tang_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2 * x[i] * x[i] * x[i] - 16 * x[i] + 2.5
    return out


def _styblinski_tang_minimum(dimension):
    root = -2 * math.sqrt(8 / 3) * math.cos(math.acos(0.625 / (8 / 3) ** 1.5) / 3)  # the lowest of x^3 - 8 x + 5/4 = 0
    return Minimum(root, dimension * styblinski_tang(np.array([root])))


STYBLINSKI_TANG = TestFunction(
    fun=styblinski_tang,
    gradient=styblinski_tang_gradient,
    low=-5.0,
    high=5.0,
    minimum=_styblinski_tang_minimum,
    traits=("separable", "multimodal"),
    reference="Styblinski and Tang, Neural Networks 3 (1990) 467",
)


def michalewicz(x, m=10):
    """-sum sin(x_i) sin(i x_i^2 / pi)^(2 m), D! basins with steep walls between plateaus"""
    total = 0.0
    for i in range(x.size):
        ridge = math.sin((i + 1) * x[i] * x[i] / math.pi)
        total -= math.sin(x[i]) * (ridge * ridge) ** m
    return total


def michalewicz_gradient(x, m=10):
    out = np.empty(x.size)
    for i in range(x.size):
        phase = (i + 1) * x[i] * x[i] / math.pi
        ridge = math.sin(phase)
        power = (ridge * ridge) ** (m - 1) * ridge
        slope = 4 * m * (i + 1) * x[i] / math.pi * math.cos(phase)
        out[i] = -power * (math.cos(x[i]) * ridge + math.sin(x[i]) * slope)
    return out


def _michalewicz_minimum(dimension, m):
    """Each variable alone: of the peaks of its ridge, the highest is one of those nearest to pi / 2."""
    if m < 1:  # the ridges are too broad for the search below
        return None
    x = np.empty(dimension)
    total = 0.0
    for i in range(1, dimension + 1):
        orders = range(max(0, i // 4 - 2), min(i, i // 4 + 3))
        peaks = [_michalewicz_peak(i, k, m) for k in orders]
        total, x[i - 1] = total - max(peaks)[0], max(peaks)[1]
    return Minimum(x, total)


def _michalewicz_peak(i, k, m):
    """Height and place of the maximum of sin(x) sin(u)^(2 m), u = i x^2 / pi, between the zeros k and k + 1 of sin(u).

    Newton's method for the derivative of the logarithm, which falls from +inf to -inf between the zeros.
    """
    x = math.pi * math.sqrt((k + 0.5) / i)
    for _ in range(20):
        u, slope = i * x * x / math.pi, 2 * i * x / math.pi
        value = 1 / math.tan(x) + 2 * m * slope / math.tan(u)
        falls = 1 / math.sin(x) ** 2 + 2 * m * (slope**2 / math.sin(u) ** 2 - slope / x / math.tan(u))
        x += value / falls
    return math.sin(x) * math.sin(i * x * x / math.pi) ** (2 * m), x


MICHALEWICZ = TestFunction(
    fun=michalewicz,
    gradient=michalewicz_gradient,
    low=0.0,
    high=math.pi,
    minimum=_michalewicz_minimum,
    traits=("separable", "multimodal"),
    reference="Michalewicz, Genetic Algorithms + Data Structures = Evolution Programs (1992)",
)


def levy(x):
    """sin^2(pi w_1) + sum_{i < D} (w_i - 1)^2 (1 + 10 sin^2(pi w_i + 1)) + (w_D - 1)^2 (1 + sin^2(2 pi w_D)),
    w_i = 1 + (x_i - 1) / 4"""
    last = x.size - 1
    total = math.sin(math.pi * (1 + 0.25 * (x[0] - 1))) ** 2
    for i in range(last):
        shift = 0.25 * (x[i] - 1)
        total += shift * shift * (1 + 10 * math.sin(math.pi * (1 + shift) + 1) ** 2)
    shift = 0.25 * (x[last] - 1)
    return total + shift * shift * (1 + math.sin(2 * math.pi * (1 + shift)) ** 2)


def levy_gradient(x):
    last = x.size - 1
    out = np.empty(x.size)
    for i in range(last):
        shift = 0.25 * (x[i] - 1)
        phase = math.pi * (1 + shift) + 1
        out[i] = 0.5 * shift * (1 + 10 * math.sin(phase) ** 2) + 2.5 * math.pi * shift * shift * math.sin(2 * phase)
    shift = 0.25 * (x[last] - 1)
    phase = 2 * math.pi * (1 + shift)
    out[last] = 0.5 * shift * (1 + math.sin(phase) ** 2) + 0.5 * math.pi * shift * shift * math.sin(2 * phase)
    out[0] += 0.25 * math.pi * math.sin(2 * math.pi * (1 + 0.25 * (x[0] - 1)))
    return out


LEVY = TestFunction(
    fun=levy,
    gradient=levy_gradient,
    low=-10.0,
    high=10.0,
    minimum=Minimum(1.0, 0.0),
    traits=("separable", "multimodal"),
    reference="Levy and Montalvo, SIAM J. Sci. Stat. Comput. 6 (1985) 15; "
    "Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
)


def alpine_1(x):
    """sum |x_i sin(x_i) + x_i / 10|"""
    total = 0.0
    for i in range(x.size):
        total += abs(x[i] * math.sin(x[i]) + 0.1 * x[i])
    return total


ALPINE_1 = TestFunction(
    fun=alpine_1,
    low=-10.0,
    high=10.0,
    traits=("separable", "multimodal", "nonsmooth"),
    reference="Jamil and Yang, arXiv 1308.4008 (2013), no. 6",
)
