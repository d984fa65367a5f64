"""One basin, any dimension, no quadratic bottom: high powers, kinks, steps. Formulas count from i = 1 to D."""

from __future__ import annotations

import math

import numpy as np

from .definition import TestFunction


def different_powers(x):
    """sum |x_i|^(i + 1)"""
    total = 0.0
    for i in range(x.size):
        total += abs(x[i]) ** (i + 2)
    return total


def different_powers_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = (i + 2) * x[i] * abs(x[i]) ** i
    return out


DIFFERENT_POWERS = TestFunction(
    fun=different_powers,
    gradient=different_powers_gradient,
    low=-1.0,
    high=1.0,
    traits=("separable", "convex", "ill-conditioned"),
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013), sum of different powers",
)


def quartic(x):
    """sum i x_i^4, without the noise of the original"""
    total = 0.0
    for i in range(x.size):
        total += (i + 1) * x[i] * x[i] * x[i] * x[i]
    return total


def quartic_gradient(x):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 4 * (i + 1) * x[i] * x[i] * x[i]
    return out


QUARTIC = TestFunction(
    fun=quartic,
    gradient=quartic_gradient,
    low=-1.28,
    high=1.28,
    traits=("separable", "convex"),
    reference="De Jong, PhD thesis, University of Michigan (1975), F4",
)


def step(x):
    """sum floor(x_i + 1/2)^2"""
    total = 0.0
    for i in range(x.size):
        level = math.floor(x[i] + 0.5)
        total += level * level
    return total


STEP = TestFunction(
    fun=step,
    low=-100.0,
    high=100.0,
    traits=("separable", "nonsmooth"),
    reference="Yao, Liu and Lin, IEEE Trans. Evol. Comput. 3 (1999) 82, f6, after De Jong's F3",
)


def schwefel_2_21(x):
    """max |x_i|"""
    largest = 0.0
    for i in range(x.size):
        largest = max(largest, abs(x[i]))
    return largest


SCHWEFEL_2_21 = TestFunction(
    fun=schwefel_2_21,
    low=-100.0,
    high=100.0,
    traits=("convex", "nonsmooth"),
    reference="Schwefel, Numerical Optimization of Computer Models (1981), problem 2.21",
)


def schwefel_2_22(x):
    """sum |x_i| + prod |x_i|"""
    total = 0.0
    product = 1.0
    for i in range(x.size):
        total += abs(x[i])
        product *= abs(x[i])
    return total + product


SCHWEFEL_2_22 = TestFunction(
    fun=schwefel_2_22,
    low=-10.0,
    high=10.0,
    traits=("nonsmooth",),
    reference="Schwefel, Numerical Optimization of Computer Models (1981), problem 2.22",
)
