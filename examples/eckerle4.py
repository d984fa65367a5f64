"""Fit a model to measurements: NIST's Eckerle4, circular interference transmittance over wavelength.

    thalweg run examples/eckerle4.py
    python examples/eckerle4.py

The model is a Gaussian peak. It is narrow against the box, and wherever the peak misses the data the sum of squares is
flat: a gradient method that starts at NIST's first starting point gets nowhere, hence a global search with restarts.
All that the engine needs is a plain Python function, a box, and the data.
"""

import math

import numpy as np

from thalweg.kernels import Minimum, Problem

wavelength = np.array([
    400.0, 405.0, 410.0, 415.0, 420.0, 425.0, 430.0, 435.0, 436.5, 438.0, 439.5, 441.0, 442.5, 444.0, 445.5, 447.0,
    448.5, 450.0, 451.5, 453.0, 454.5, 456.0, 457.5, 459.0, 460.5, 462.0, 463.5, 465.0, 470.0, 475.0, 480.0, 485.0,
    490.0, 495.0, 500.0,
])  # fmt: skip
transmittance = np.array([
    0.0001575, 0.0001699, 0.000235, 0.0003102, 0.0004917, 0.000871, 0.0017418, 0.00464, 0.0065895, 0.0097302, 0.0149002,
    0.023731, 0.0401683, 0.0712559, 0.1264458, 0.2073413, 0.2902366, 0.3445623, 0.3698049, 0.3668534, 0.3106727,
    0.2078154, 0.1164354, 0.0616764, 0.03372, 0.0194023, 0.0117831, 0.0074357, 0.0022732, 0.00088, 0.0004579, 0.0002345,
    0.0001586, 0.0001143, 7.1e-05,
])  # fmt: skip


def residual_sum_of_squares(b, x, y):
    total = 0.0
    for i in range(len(x)):
        model = b[0] / b[1] * math.exp(-0.5 * ((x[i] - b[2]) / b[1]) ** 2)
        total += (y[i] - model) ** 2
    return total


eckerle4 = Problem(
    fun=residual_sum_of_squares,
    bounds=[(0, 16), (0, 100), (0, 5000)],
    args=(wavelength, transmittance),
    names=["b1", "b2", "b3"],
    minimum=Minimum(x=np.array([1.5543827178, 4.0888321754, 451.54121844]), fun=1.4635887487e-03),
    reference="NIST StRD, non-linear regression, Eckerle4 (K. Eckerle, Circular Interference Transmittance Study)",
)


if __name__ == "__main__":
    from thalweg.solvers import minimize

    result = minimize(eckerle4.fun, eckerle4.bounds, args=eckerle4.args, restarts=16, seed=1)
    print(result)
    for name, found, certified in zip(eckerle4.names, result.x, eckerle4.minimum.x, strict=True):
        print(f"{name}   found {found:16.10f}   certified {certified:16.10f}")
