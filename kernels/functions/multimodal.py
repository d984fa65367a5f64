"""Many basins, any dimension, variables that depend on each other. Formulas count from i = 1 to D."""

from __future__ import annotations

import math

import numpy as np

from .definition import TestFunction


def ackley(x, a=20.0, b=0.2, c=2 * math.pi):
    """a + e - a exp(-b sqrt(mean x_i^2)) - exp(mean cos(c x_i)); a cone at its minimiser"""
    squares = 0.0
    cosines = 0.0
    for i in range(x.size):
        squares += x[i] * x[i]
        cosines += math.cos(c * x[i])
    return a - a * math.exp(-b * math.sqrt(squares / x.size)) + math.e - math.exp(cosines / x.size)


def ackley_gradient(x, a=20.0, b=0.2, c=2 * math.pi):
    squares = 0.0
    cosines = 0.0
    for i in range(x.size):
        squares += x[i] * x[i]
        cosines += math.cos(c * x[i])
    radius = math.sqrt(squares / x.size)
    cone = a * b * math.exp(-b * radius) / (radius * x.size) if radius > 0 else 0.0
    ripple = c * math.exp(cosines / x.size) / x.size
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = cone * x[i] + ripple * math.sin(c * x[i])
    return out


ACKLEY = TestFunction(
    fun=ackley,
    gradient=ackley_gradient,
    low=-32.768,
    high=32.768,
    traits=("multimodal", "nonsmooth"),
    reference="Ackley, A Connectionist Machine for Genetic Hillclimbing (1987)",
)


def griewank(x):
    """1 + sum x_i^2 / 4000 - prod cos(x_i / sqrt(i))"""
    total = 0.0
    product = 1.0
    for i in range(x.size):
        total += x[i] * x[i]
        product *= math.cos(x[i] / math.sqrt(i + 1.0))
    return 1 + total / 4000 - product


def griewank_gradient(x):
    out = np.empty(x.size)
    before = 1.0  # the product of the other cosines as one from the left and one from the right: no division by zero
    for i in range(x.size):
        out[i] = before
        before *= math.cos(x[i] / math.sqrt(i + 1.0))
    after = 1.0
    for i in range(x.size - 1, -1, -1):
        root = math.sqrt(i + 1.0)
        out[i] = x[i] / 2000 + out[i] * after * math.sin(x[i] / root) / root
        after *= math.cos(x[i] / root)
    return out


GRIEWANK = TestFunction(
    fun=griewank,
    gradient=griewank_gradient,
    low=-600.0,
    high=600.0,
    traits=("multimodal",),
    reference="Griewank, J. Optim. Theory Appl. 34 (1981) 11",
)


def salomon(x):
    """1 - cos(2 pi r) + r / 10, r = sqrt(sum x_i^2); spheres of local minima around a cone"""
    squares = 0.0
    for i in range(x.size):
        squares += x[i] * x[i]
    radius = math.sqrt(squares)
    return 1 - math.cos(2 * math.pi * radius) + 0.1 * radius


def salomon_gradient(x):
    squares = 0.0
    for i in range(x.size):
        squares += x[i] * x[i]
    radius = math.sqrt(squares)
    slope = (2 * math.pi * math.sin(2 * math.pi * radius) + 0.1) / radius if radius > 0 else 0.0
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = slope * x[i]
    return out


SALOMON = TestFunction(
    fun=salomon,
    gradient=salomon_gradient,
    low=-100.0,
    high=100.0,
    traits=("multimodal", "nonsmooth"),
    reference="Salomon, BioSystems 39 (1996) 263",
)


def schaffer_f6(x):
    """sum_{i < D} 1/2 + (sin^2(r) - 1/2) / (1 + r^2 / 1000)^2, r^2 = x_i^2 + x_{i+1}^2; Schaffer's own at D = 2"""
    total = 0.0
    for i in range(x.size - 1):
        square = x[i] * x[i] + x[i + 1] * x[i + 1]
        damping = 1 + 0.001 * square
        total += 0.5 + (math.sin(math.sqrt(square)) ** 2 - 0.5) / (damping * damping)
    return total


def schaffer_f6_gradient(x):
    out = np.zeros(x.size)
    for i in range(x.size - 1):
        square = x[i] * x[i] + x[i + 1] * x[i + 1]
        radius = math.sqrt(square)
        damping = 1 + 0.001 * square
        wave = math.sin(2 * radius) / radius if radius > 0 else 2.0
        slope = wave / damping**2 - 0.004 * (math.sin(radius) ** 2 - 0.5) / damping**3
        out[i] += slope * x[i]
        out[i + 1] += slope * x[i + 1]
    return out


SCHAFFER_F6 = TestFunction(
    fun=schaffer_f6,
    gradient=schaffer_f6_gradient,
    low=-100.0,
    high=100.0,
    smallest=2,
    traits=("multimodal",),
    reference="Schaffer, Caruana, Eshelman and Das, Proc. ICGA 3 (1989) 51",
)


def schaffer_f7(x):
    """(mean_{i < D} sqrt(r) (1 + sin^2(50 r^(1/5))))^2, r = sqrt(x_i^2 + x_{i+1}^2)"""
    total = 0.0
    for i in range(x.size - 1):
        radius = math.sqrt(x[i] * x[i] + x[i + 1] * x[i + 1])
        total += math.sqrt(radius) * (1 + math.sin(50 * radius**0.2) ** 2)
    return (total / (x.size - 1)) ** 2


def schaffer_f7_gradient(x):
    out = np.zeros(x.size)
    total = 0.0
    for i in range(x.size - 1):
        radius = math.sqrt(x[i] * x[i] + x[i + 1] * x[i + 1])
        root = math.sqrt(radius)
        phase = 50 * radius**0.2
        total += root * (1 + math.sin(phase) ** 2)
        if radius > 0:
            slope = (0.5 * (1 + math.sin(phase) ** 2) + 0.2 * phase * math.sin(2 * phase)) / (root * radius)
            out[i] += slope * x[i]
            out[i + 1] += slope * x[i + 1]
    scale = 2 * total / (x.size - 1) ** 2
    for i in range(x.size):
        out[i] *= scale
    return out


SCHAFFER_F7 = TestFunction(
    fun=schaffer_f7,
    gradient=schaffer_f7_gradient,
    low=-100.0,
    high=100.0,
    smallest=2,
    traits=("multimodal", "nonsmooth"),
    reference="Schaffer, Caruana, Eshelman and Das, Proc. ICGA 3 (1989) 51; Hansen et al., INRIA RR-6829 (2009), f17",
)
