"""Sums of bells and wells at tabulated places: Hartmann in 3 and 6 variables, Shekel in 4 with 5, 7 or 10 wells."""

from __future__ import annotations

import math

import numpy as np

from ..problem import Minimum
from .definition import TestFunction

HARTMANN_HEIGHT = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_3_WEIGHT = np.array([[3.0, 10, 30], [0.1, 10, 35], [3.0, 10, 30], [0.1, 10, 35]])
HARTMANN_3_PLACE = np.array(
    [[0.3689, 0.1170, 0.2673], [0.4699, 0.4387, 0.7470], [0.1091, 0.8732, 0.5547], [0.0381, 0.5743, 0.8828]]
)
HARTMANN_6_WEIGHT = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
HARTMANN_6_PLACE = np.array(
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
)
HARTMANN_6_MINIMUM = Minimum(
    (0.20168951100670543, 0.15001069182345797, 0.476873974221897,
     0.2753324304940561, 0.31165161660011326, 0.6573005340656204), -3.3223680114155147
)  # fmt: skip
SHEKEL_PLACE = np.array(
    [[4, 4, 4, 4], [1, 1, 1, 1], [8, 8, 8, 8], [6, 6, 6, 6], [3, 7, 3, 7],
     [2, 9, 2, 9], [5, 5, 3, 3], [8, 1, 8, 1], [6, 2, 6, 2], [7, 3.6, 7, 3.6]]
)  # fmt: skip
SHEKEL_WIDTH = np.array([0.1, 0.2, 0.2, 0.4, 0.4, 0.6, 0.3, 0.7, 0.5, 0.5])


def hartmann_3(x):
    """-sum_k height_k exp(-sum_i weight_ki (x_i - place_ki)^2), four bells"""
    total = 0.0
    for k in range(4):
        distance = 0.0
        for i in range(3):
            offset = x[i] - HARTMANN_3_PLACE[k, i]
            distance += HARTMANN_3_WEIGHT[k, i] * offset * offset
        total -= HARTMANN_HEIGHT[k] * math.exp(-distance)
    return total


def hartmann_3_gradient(x):
    out = np.zeros(3)
    for k in range(4):
        distance = 0.0
        for i in range(3):
            offset = x[i] - HARTMANN_3_PLACE[k, i]
            distance += HARTMANN_3_WEIGHT[k, i] * offset * offset
        bell = HARTMANN_HEIGHT[k] * math.exp(-distance)
        for i in range(3):
            out[i] += 2 * bell * HARTMANN_3_WEIGHT[k, i] * (x[i] - HARTMANN_3_PLACE[k, i])
    return out


HARTMANN_3 = TestFunction(
    fun=hartmann_3,
    gradient=hartmann_3_gradient,
    low=0.0,
    high=1.0,
    dimension=3,
    minimum=Minimum((0.11458887665506895, 0.5556488946169301, 0.8525469846866774), -3.8627797873326624),
    traits=("multimodal",),
    reference="Hartman, Naval Postgraduate School (1972); Dixon and Szegoe, Towards Global Optimisation 2 (1978)",
)


def hartmann_6(x):
    """-sum_k height_k exp(-sum_i weight_ki (x_i - place_ki)^2), four bells"""
    total = 0.0
    for k in range(4):
        distance = 0.0
        for i in range(6):
            offset = x[i] - HARTMANN_6_PLACE[k, i]
            distance += HARTMANN_6_WEIGHT[k, i] * offset * offset
        total -= HARTMANN_HEIGHT[k] * math.exp(-distance)
    return total


def hartmann_6_gradient(x):
    out = np.zeros(6)
    for k in range(4):
        distance = 0.0
        for i in range(6):
            offset = x[i] - HARTMANN_6_PLACE[k, i]
            distance += HARTMANN_6_WEIGHT[k, i] * offset * offset
        bell = HARTMANN_HEIGHT[k] * math.exp(-distance)
        for i in range(6):
            out[i] += 2 * bell * HARTMANN_6_WEIGHT[k, i] * (x[i] - HARTMANN_6_PLACE[k, i])
    return out


HARTMANN_6 = TestFunction(
    fun=hartmann_6,
    gradient=hartmann_6_gradient,
    low=0.0,
    high=1.0,
    dimension=6,
    minimum=HARTMANN_6_MINIMUM,
    traits=("multimodal",),
    reference="Hartman, Naval Postgraduate School (1972); Dixon and Szegoe, Towards Global Optimisation 2 (1978)",
)


def shekel(x, wells=10):
    """-sum_{k <= wells} 1 / (width_k + sum_i (x_i - place_ki)^2)"""
    total = 0.0
    for k in range(wells):
        distance = SHEKEL_WIDTH[k]
        for i in range(4):
            offset = x[i] - SHEKEL_PLACE[k, i]
            distance += offset * offset
        total -= 1 / distance
    return total


def shekel_gradient(x, wells=10):
    out = np.zeros(4)
    for k in range(wells):
        distance = SHEKEL_WIDTH[k]
        for i in range(4):
            offset = x[i] - SHEKEL_PLACE[k, i]
            distance += offset * offset
        for i in range(4):
            out[i] += 2 * (x[i] - SHEKEL_PLACE[k, i]) / (distance * distance)
    return out


SHEKEL_MINIMUM = {
    5: Minimum((4.000037152819676, 4.00013327659156, 4.000037152819676, 4.00013327659156), -10.153199679058227),
    7: Minimum((4.000572916185823, 4.000689366185305, 3.9994897088591506, 3.9996061588586316), -10.40294056681866),
    10: Minimum((4.000746531592046, 4.000592934138532, 3.9996633980403224, 3.9995098005868077), -10.536409816692043),
}


def _shekel(wells):
    return TestFunction(
        name=f"shekel_{wells}",
        fun=shekel,
        gradient=shekel_gradient,
        args=(wells,),
        low=0.0,
        high=10.0,
        dimension=4,
        minimum=lambda dimension, wells: SHEKEL_MINIMUM.get(wells),
        traits=("multimodal",),
        reference="Shekel, Proc. Princeton Conf. Inf. Sci. Syst. 5 (1971); Dixon and Szegoe (1978)",
    )


SHEKEL_5, SHEKEL_7, SHEKEL_10 = _shekel(5), _shekel(7), _shekel(10)
