"""Two variables, polynomials: every stationary point of these can be found by hand."""

from __future__ import annotations

import math

import numpy as np

from ..problem import Minimum
from .definition import TestFunction


def booth(x):
    """(x1 + 2 x2 - 7)^2 + (2 x1 + x2 - 5)^2"""
    x1, x2 = x[0], x[1]
    return (x1 + 2 * x2 - 7) ** 2 + (2 * x1 + x2 - 5) ** 2


def booth_gradient(x):
    x1, x2 = x[0], x[1]
    out = np.empty(2)
    out[0] = 10 * x1 + 8 * x2 - 34
    out[1] = 8 * x1 + 10 * x2 - 38
    return out


BOOTH = TestFunction(
    fun=booth,
    gradient=booth_gradient,
    low=-10.0,
    high=10.0,
    dimension=2,
    minimum=Minimum((1.0, 3.0), 0.0),
    traits=("convex",),
    reference="Jamil and Yang, arXiv 1308.4008 (2013), no. 17",
)


def matyas(x):
    """0.26 (x1^2 + x2^2) - 0.48 x1 x2"""
    return 0.26 * (x[0] * x[0] + x[1] * x[1]) - 0.48 * x[0] * x[1]


def matyas_gradient(x):
    out = np.empty(2)
    out[0] = 0.52 * x[0] - 0.48 * x[1]
    out[1] = 0.52 * x[1] - 0.48 * x[0]
    return out


MATYAS = TestFunction(
    fun=matyas,
    gradient=matyas_gradient,
    low=-10.0,
    high=10.0,
    dimension=2,
    traits=("convex",),
    reference="Jamil and Yang, arXiv 1308.4008 (2013), no. 71",
)


def beale(x):
    """(1.5 - x1 + x1 x2)^2 + (2.25 - x1 + x1 x2^2)^2 + (2.625 - x1 + x1 x2^3)^2"""
    x1, x2 = x[0], x[1]
    return (1.5 - x1 * (1 - x2)) ** 2 + (2.25 - x1 * (1 - x2**2)) ** 2 + (2.625 - x1 * (1 - x2**3)) ** 2


def beale_gradient(x):
    x1, x2 = x[0], x[1]
    first, second, third = 1.5 - x1 * (1 - x2), 2.25 - x1 * (1 - x2**2), 2.625 - x1 * (1 - x2**3)
    out = np.empty(2)
    out[0] = -2 * (first * (1 - x2) + second * (1 - x2**2) + third * (1 - x2**3))
    out[1] = 2 * x1 * (first + 2 * second * x2 + 3 * third * x2**2)
    return out


BEALE = TestFunction(
    fun=beale,
    gradient=beale_gradient,
    low=-4.5,
    high=4.5,
    dimension=2,
    minimum=Minimum((3.0, 0.5), 0.0),
    traits=("multimodal",),
    reference="Beale, Princeton Statistical Techniques Research Group report 25 (1958)",
)


def himmelblau(x):
    """(x1^2 + x2 - 11)^2 + (x1 + x2^2 - 7)^2

    Four minima of value 0: (3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127).
    """
    x1, x2 = x[0], x[1]
    return (x1 * x1 + x2 - 11) ** 2 + (x1 + x2 * x2 - 7) ** 2


def himmelblau_gradient(x):
    x1, x2 = x[0], x[1]
    first, second = x1 * x1 + x2 - 11, x1 + x2 * x2 - 7
    out = np.empty(2)
    out[0] = 4 * x1 * first + 2 * second
    out[1] = 2 * first + 4 * x2 * second
    return out


HIMMELBLAU = TestFunction(
    fun=himmelblau,
    gradient=himmelblau_gradient,
    low=-5.0,
    high=5.0,
    dimension=2,
    minimum=Minimum((3.0, 2.0), 0.0),
    traits=("multimodal",),
    reference="Himmelblau, Applied Nonlinear Programming (1972)",
)


def goldstein_price(x):
    """(1 + (x1 + x2 + 1)^2 (19 - 14 x1 + 3 x1^2 - 14 x2 + 6 x1 x2 + 3 x2^2))
    (30 + (2 x1 - 3 x2)^2 (18 - 32 x1 + 12 x1^2 + 48 x2 - 36 x1 x2 + 27 x2^2))"""
    x1, x2 = x[0], x[1]
    first = 19 - 14 * x1 + 3 * x1 * x1 - 14 * x2 + 6 * x1 * x2 + 3 * x2 * x2
    second = 18 - 32 * x1 + 12 * x1 * x1 + 48 * x2 - 36 * x1 * x2 + 27 * x2 * x2
    return (1 + (x1 + x2 + 1) ** 2 * first) * (30 + (2 * x1 - 3 * x2) ** 2 * second)


def goldstein_price_gradient(x):
    x1, x2 = x[0], x[1]
    s, t = x1 + x2 + 1, 2 * x1 - 3 * x2  # either factor is a function of one of these alone
    left = 1 + s * s * (19 - 14 * (s - 1) + 3 * (s - 1) ** 2)
    right = 30 + t * t * (18 - 16 * t + 3 * t * t)
    left_slope = 2 * s * (36 - 20 * s + 3 * s * s) + s * s * (6 * s - 20)
    right_slope = t * (36 - 48 * t + 12 * t * t)
    out = np.empty(2)
    out[0] = left_slope * right + 2 * left * right_slope
    out[1] = left_slope * right - 3 * left * right_slope
    return out


GOLDSTEIN_PRICE = TestFunction(
    fun=goldstein_price,
    gradient=goldstein_price_gradient,
    low=-2.0,
    high=2.0,
    dimension=2,
    minimum=Minimum((0.0, -1.0), 3.0),
    traits=("multimodal",),
    reference="Goldstein and Price, Math. Comput. 25 (1971) 569",
)


def six_hump_camel(x):
    """(4 - 2.1 x1^2 + x1^4 / 3) x1^2 + x1 x2 + (4 x2^2 - 4) x2^2, the same at x and -x"""
    a, b = x[0] * x[0], x[1] * x[1]
    return (4 - 2.1 * a + a * a / 3) * a + x[0] * x[1] + (4 * b - 4) * b


def six_hump_camel_gradient(x):
    a, b = x[0] * x[0], x[1] * x[1]
    out = np.empty(2)
    out[0] = x[0] * (8 - 8.4 * a + 2 * a * a) + x[1]
    out[1] = x[0] + x[1] * (16 * b - 8)
    return out


SIX_HUMP_CAMEL = TestFunction(
    fun=six_hump_camel,
    gradient=six_hump_camel_gradient,
    low=(-3.0, -2.0),
    high=(3.0, 2.0),
    dimension=2,
    minimum=Minimum((0.08984201310031806, -0.7126564030207396), -1.0316284534898774),
    traits=("multimodal",),
    reference="Dixon and Szegoe, Towards Global Optimisation 2 (1978)",
)


def three_hump_camel(x):
    """2 x1^2 - 1.05 x1^4 + x1^6 / 6 + x1 x2 + x2^2"""
    a = x[0] * x[0]
    return (2 - 1.05 * a + a * a / 6) * a + x[0] * x[1] + x[1] * x[1]


def three_hump_camel_gradient(x):
    a = x[0] * x[0]
    out = np.empty(2)
    out[0] = x[0] * (4 - 4.2 * a + a * a) + x[1]
    out[1] = x[0] + 2 * x[1]
    return out


THREE_HUMP_CAMEL = TestFunction(
    fun=three_hump_camel,
    gradient=three_hump_camel_gradient,
    low=-5.0,
    high=5.0,
    dimension=2,
    traits=("multimodal",),
    reference="Jamil and Yang, arXiv 1308.4008 (2013), no. 29",
)


def bohachevsky(x):
    """x1^2 + 2 x2^2 - 0.3 cos(3 pi x1) - 0.4 cos(4 pi x2) + 0.7"""
    x1, x2 = x[0], x[1]
    return x1 * x1 + 2 * x2 * x2 - 0.3 * math.cos(3 * math.pi * x1) - 0.4 * math.cos(4 * math.pi * x2) + 0.7


def bohachevsky_gradient(x):
    out = np.empty(2)
    out[0] = 2 * x[0] + 0.9 * math.pi * math.sin(3 * math.pi * x[0])
    out[1] = 4 * x[1] + 1.6 * math.pi * math.sin(4 * math.pi * x[1])
    return out


BOHACHEVSKY = TestFunction(
    fun=bohachevsky,
    gradient=bohachevsky_gradient,
    low=-100.0,
    high=100.0,
    dimension=2,
    traits=("separable", "multimodal"),
    reference="Bohachevsky, Johnson and Stein, Technometrics 28 (1986) 209",
)
