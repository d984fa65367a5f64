"""Two variables, with sines, exponentials and kinks."""

from __future__ import annotations

import math

import numpy as np

from ..problem import Minimum
from .definition import TestFunction


def branin(x):
    """(x2 - 5.1 x1^2 / (4 pi^2) + 5 x1 / pi - 6)^2 + 10 (1 - 1 / (8 pi)) cos(x1) + 10

    Three minima of the same value: x1 = -pi, pi, 3 pi; x2 = 12.275, 2.275, 2.475.
    """
    x1, x2 = x[0], x[1]
    valley = x2 - 5.1 / (4 * math.pi**2) * x1 * x1 + 5 / math.pi * x1 - 6
    return valley * valley + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10


def branin_gradient(x):
    x1, x2 = x[0], x[1]
    valley = x2 - 5.1 / (4 * math.pi**2) * x1 * x1 + 5 / math.pi * x1 - 6
    out = np.empty(2)
    out[0] = 2 * valley * (5 / math.pi - 5.1 / (2 * math.pi**2) * x1) - 10 * (1 - 1 / (8 * math.pi)) * math.sin(x1)
    out[1] = 2 * valley
    return out


BRANIN = TestFunction(
    fun=branin,
    gradient=branin_gradient,
    low=(-5.0, 0.0),
    high=(10.0, 15.0),
    dimension=2,
    minimum=Minimum((math.pi, 2.275), 1.25 / math.pi),
    traits=("multimodal",),
    reference="Branin, IBM J. Res. Dev. 16 (1972) 504; Dixon and Szegoe, Towards Global Optimisation 2 (1978)",
)


def mccormick(x):
    """sin(x1 + x2) + (x1 - x2)^2 - 1.5 x1 + 2.5 x2 + 1"""
    x1, x2 = x[0], x[1]
    return math.sin(x1 + x2) + (x1 - x2) * (x1 - x2) - 1.5 * x1 + 2.5 * x2 + 1


def mccormick_gradient(x):
    x1, x2 = x[0], x[1]
    out = np.empty(2)
    out[0] = math.cos(x1 + x2) + 2 * (x1 - x2) - 1.5
    out[1] = math.cos(x1 + x2) - 2 * (x1 - x2) + 2.5
    return out


MCCORMICK = TestFunction(
    fun=mccormick,
    gradient=mccormick_gradient,
    low=(-1.5, -3.0),
    high=(4.0, 4.0),
    dimension=2,
    minimum=Minimum((0.5 - math.pi / 3, -0.5 - math.pi / 3), -math.sqrt(3) / 2 - math.pi / 3),
    traits=("multimodal",),
    reference="McCormick, Math. Program. 10 (1976) 147",
)


def easom(x):
    """-cos(x1) cos(x2) exp(-(x1 - pi)^2 - (x2 - pi)^2), a needle in a plain"""
    a, b = x[0] - math.pi, x[1] - math.pi
    return -math.cos(x[0]) * math.cos(x[1]) * math.exp(-a * a - b * b)


def easom_gradient(x):
    a, b = x[0] - math.pi, x[1] - math.pi
    bell = math.exp(-a * a - b * b)
    out = np.empty(2)
    out[0] = bell * math.cos(x[1]) * (math.sin(x[0]) + 2 * a * math.cos(x[0]))
    out[1] = bell * math.cos(x[0]) * (math.sin(x[1]) + 2 * b * math.cos(x[1]))
    return out


EASOM = TestFunction(
    fun=easom,
    gradient=easom_gradient,
    low=-100.0,
    high=100.0,
    dimension=2,
    minimum=Minimum(math.pi, -1.0),
    traits=("multimodal",),
    reference="Easom, MEng thesis, University of Louisville (1990)",
)


def drop_wave(x):
    """-(1 + cos(12 r)) / (r^2 / 2 + 2), r^2 = x1^2 + x2^2"""
    square = x[0] * x[0] + x[1] * x[1]
    return -(1 + math.cos(12 * math.sqrt(square))) / (0.5 * square + 2)


def drop_wave_gradient(x):
    square = x[0] * x[0] + x[1] * x[1]
    radius = math.sqrt(square)
    damping = 0.5 * square + 2
    wave = 12 * math.sin(12 * radius) / radius if radius > 0 else 144.0
    slope = wave / damping + (1 + math.cos(12 * radius)) / (damping * damping)
    out = np.empty(2)
    out[0] = slope * x[0]
    out[1] = slope * x[1]
    return out


DROP_WAVE = TestFunction(
    fun=drop_wave,
    gradient=drop_wave_gradient,
    low=-5.12,
    high=5.12,
    dimension=2,
    minimum=Minimum(0.0, -1.0),
    traits=("multimodal",),
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
)


def eggholder(x):
    """-(x2 + 47) sin(sqrt(|x1 / 2 + x2 + 47|)) - x1 sin(sqrt(|x1 - x2 - 47|)); its minimiser is on the edge x1 = 512"""
    x1, y = x[0], x[1] + 47
    return -y * math.sin(math.sqrt(abs(0.5 * x1 + y))) - x1 * math.sin(math.sqrt(abs(x1 - y)))


def eggholder_gradient(x):
    x1, y = x[0], x[1] + 47
    p, q = 0.5 * x1 + y, x1 - y
    p_root, q_root = math.sqrt(abs(p)), math.sqrt(abs(q))
    p_slope = 0.5 * y * math.copysign(math.cos(p_root), math.cos(p_root) * p) / p_root if p_root > 0 else 0.0
    q_slope = 0.5 * x1 * math.copysign(math.cos(q_root), math.cos(q_root) * q) / q_root if q_root > 0 else 0.0
    out = np.empty(2)
    out[0] = -0.5 * p_slope - math.sin(q_root) - q_slope
    out[1] = -math.sin(p_root) - p_slope + q_slope
    return out


EGGHOLDER = TestFunction(
    fun=eggholder,
    gradient=eggholder_gradient,
    low=-512.0,
    high=512.0,
    dimension=2,
    minimum=Minimum((512.0, 404.2318051137578), -959.6406627208509),
    traits=("multimodal", "nonsmooth"),
    reference="Whitley, Mathias, Rana and Dzubera, Artif. Intell. 85 (1996) 245",
)


def cross_in_tray(x):
    """-10^-4 (|sin(x1) sin(x2) exp(|100 - r / pi|)| + 1)^0.1, r^2 = x1^2 + x2^2

    Four minima of the same value: both coordinates with either sign.
    """
    radius = math.sqrt(x[0] * x[0] + x[1] * x[1])
    return -1e-4 * (abs(math.sin(x[0]) * math.sin(x[1])) * math.exp(abs(100 - radius / math.pi)) + 1) ** 0.1


CROSS_IN_TRAY = TestFunction(
    fun=cross_in_tray,
    low=-10.0,
    high=10.0,
    dimension=2,
    minimum=Minimum(math.atan(math.pi * math.sqrt(2)), -2.062611870822737),
    traits=("multimodal", "nonsmooth"),
    reference="Jamil and Yang, arXiv 1308.4008 (2013), no. 39",
)


def bukin_6(x):
    """100 sqrt(|x2 - x1^2 / 100|) + |x1 + 10| / 100, a bent crease whose walls are infinitely steep"""
    return 100 * math.sqrt(abs(x[1] - 0.01 * x[0] * x[0])) + 0.01 * abs(x[0] + 10)


BUKIN_6 = TestFunction(
    fun=bukin_6,
    low=(-15.0, -3.0),
    high=(-5.0, 3.0),
    dimension=2,
    minimum=Minimum((-10.0, 1.0), 0.0),
    traits=("multimodal", "nonsmooth"),
    reference="Jamil and Yang, arXiv 1308.4008 (2013), no. 28",
)
