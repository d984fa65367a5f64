"""One basin, any dimension: bowls round and stretched, and flat ones. Formulas count from i = 1 to D."""

from __future__ import annotations

import math

import numpy as np

from ..problem import Minimum
from .definition import TestFunction


def sphere(x):
    """sum x_i^2"""
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i]
    return total


def sphere_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2 * x[i]
    return out


SPHERE = TestFunction(
    fun=sphere,
    gradient=sphere_gradient,
    low=-5.12,
    high=5.12,
    traits=("separable", "convex"),
    reference="De Jong, PhD thesis, University of Michigan (1975), F1",
)


def ellipsoid(x, condition=1e6):
    """sum condition^((i - 1) / (D - 1)) x_i^2"""
    rate = math.log(condition) / (x.size - 1)
    total = 0.0
    for i in range(x.size):
        total += math.exp(rate * i) * x[i] * x[i]
    return total


def ellipsoid_gradient(x, condition=1e6):
    rate = math.log(condition) / (x.size - 1)
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2 * math.exp(rate * i) * x[i]
    return out


ELLIPSOID = TestFunction(
    fun=ellipsoid,
    gradient=ellipsoid_gradient,
    low=-5.0,
    high=5.0,
    smallest=2,
    traits=("separable", "convex", "ill-conditioned"),
    reference="Hansen and Ostermeier, Evol. Comput. 9 (2001) 159",
)


def bent_cigar(x):
    """x_1^2 + 10^6 sum_{i > 1} x_i^2"""
    total = 0.0
    for i in range(1, x.size):
        total += x[i] * x[i]
    return x[0] * x[0] + 1e6 * total


def bent_cigar_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2e6 * x[i]
    out[0] = 2 * x[0]
    return out


BENT_CIGAR = TestFunction(
    fun=bent_cigar,
    gradient=bent_cigar_gradient,
    low=-5.0,
    high=5.0,
    smallest=2,
    traits=("separable", "convex", "ill-conditioned"),
    reference="Hansen and Ostermeier, Evol. Comput. 9 (2001) 159; without the bend that BBOB's f12 puts on it",
)


def discus(x):
    """10^6 x_1^2 + sum_{i > 1} x_i^2"""
    total = 0.0
    for i in range(1, x.size):
        total += x[i] * x[i]
    return 1e6 * x[0] * x[0] + total


def discus_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2 * x[i]
    out[0] = 2e6 * x[0]
    return out


DISCUS = TestFunction(
    fun=discus,
    gradient=discus_gradient,
    low=-5.0,
    high=5.0,
    smallest=2,
    traits=("separable", "convex", "ill-conditioned"),
    reference="Hansen and Ostermeier, Evol. Comput. 9 (2001) 159 (tablet); Hansen et al., INRIA RR-6829 (2009), f11",
)


def schwefel_1_2(x):
    """sum_i (sum_{j <= i} x_j)^2, the rotated ellipsoid; its condition number grows as D^2"""
    total = 0.0
    partial = 0.0
    for i in range(x.size):
        partial += x[i]
        total += partial * partial
    return total


def schwefel_1_2_gradient(x):
    out = np.empty(x.size)
    partial = 0.0
    for i in range(x.size):
        partial += x[i]
        out[i] = 2 * partial
    for i in range(x.size - 2, -1, -1):  # x_j stands in every partial sum from j on
        out[i] += out[i + 1]
    return out


SCHWEFEL_1_2 = TestFunction(
    fun=schwefel_1_2,
    gradient=schwefel_1_2_gradient,
    low=-100.0,
    high=100.0,
    traits=("convex",),
    reference="Schwefel, Numerical Optimization of Computer Models (1981), problem 1.2",
)


def zakharov(x):
    """sum x_i^2 + s^2 + s^4, s = sum i x_i / 2"""
    total = 0.0
    s = 0.0
    for i in range(x.size):
        total += x[i] * x[i]
        s += 0.5 * (i + 1) * x[i]
    return total + s * s + s * s * s * s


def zakharov_gradient(x):
    s = 0.0
    for i in range(x.size):
        s += 0.5 * (i + 1) * x[i]
    slope = 2 * s + 4 * s * s * s
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2 * x[i] + 0.5 * (i + 1) * slope
    return out


ZAKHAROV = TestFunction(
    fun=zakharov,
    gradient=zakharov_gradient,
    low=-5.0,
    high=10.0,
    traits=("convex",),
    reference="Jamil and Yang, arXiv 1308.4008 (2013)",
)


def trid(x):
    """sum (x_i - 1)^2 - sum_{i > 1} x_i x_{i-1}; the minimiser is far from any centre: x_i = i (D + 1 - i)"""
    total = (x[0] - 1) * (x[0] - 1)
    for i in range(1, x.size):
        total += (x[i] - 1) * (x[i] - 1) - x[i] * x[i - 1]
    return total


def trid_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 2 * (x[i] - 1)
    for i in range(1, x.size):
        out[i] -= x[i - 1]
        out[i - 1] -= x[i]
    return out


def _trid_minimum(dimension):
    i = np.arange(1, dimension + 1)
    return Minimum(i * (dimension + 1.0 - i), -dimension * (dimension + 4) * (dimension - 1) / 6)


TRID = TestFunction(
    fun=trid,
    gradient=trid_gradient,
    low=lambda dimension: -float(dimension * dimension),
    high=lambda dimension: float(dimension * dimension),
    smallest=2,
    minimum=_trid_minimum,
    traits=("convex",),
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
)
