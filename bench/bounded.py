"""Twenty test problems with bounds on the variables, as a user would write them for Numba, data in their args.

W. Hock and K. Schittkowski, "Test examples for nonlinear programming codes", Lecture Notes in Economics and
Mathematical Systems 187 (1981), More, Garbow and Hillstrom's Chebyquad (ACM TOMS 7 (1981) 17) and the CUTEst
collection, whose names, dimensions and data they bear, its slips included; all that the project's reference sets hold
with bounds and without other constraints. Formulas count from i = 1 to n. They are tested by the values and gradients
in `tests/data/local.json`. `bench/local_problems.py` puts them beside the unconstrained ones.
"""

import math
from typing import NamedTuple

import numpy as np


class Bounded(NamedTuple):
    """A function on a box, where to begin, and the value to reach."""

    name: str  # CUTEst's
    fun: object  # f(x, *args) -> float
    x0: np.ndarray  # (n,) the published starting point, of HS45 and SIMBQP outside the bounds
    bounds: np.ndarray  # (n, 2) least and greatest, infinite where there is none
    f_ref: float  # the least value known
    args: tuple = ()


# --- Hock and Schittkowski ---------------------------------------------------------------------------------------


def hs3(x):
    """x_2 + 10^-5 (x_2 - x_1)^2"""
    return x[1] + 1e-5 * (x[1] - x[0]) ** 2


def hs4(x):
    """(x_1 + 1)^3 / 3 + x_2"""
    return (x[0] + 1.0) ** 3 / 3.0 + x[1]


def hs25(x):
    """sum_{i < 100} (exp(-(u_i - x_2)^x_3 / x_1) - i / 100)^2, u_i = 25 + (-50 log(i / 100))^0.6666666666

    At its starting point almost flat: most methods stop there.
    """
    total = 0.0
    for i in range(1, 100):
        u = 25.0 + (-50.0 * math.log(0.01 * i)) ** 0.6666666666
        total += (math.exp(-((u - x[1]) ** x[2]) / x[0]) - 0.01 * i) ** 2
    return total


def hs45(x):
    """2 - x_1 x_2 x_3 x_4 x_5 / 120"""
    product = 1.0
    for value in x:
        product *= value
    return 2.0 - product / 120.0


# --- two and three variables -------------------------------------------------------------------------------------


def mdhole(x):
    """100 (sin x_1 - x_2)^2 + x_1"""
    return 100.0 * (math.sin(x[0]) - x[1]) ** 2 + x[0]


def price4(x):
    """(2 x_1^3 x_2 - x_2^3)^2 + (6 x_1 - x_2^2 + x_2)^2"""
    return (2.0 * x[0] ** 3 * x[1] - x[1] ** 3) ** 2 + (6.0 * x[0] - x[1] ** 2 + x[1]) ** 2


def simbqp(x):
    """x_2 + (x_2 - x_1)^2 + (2 x_1 + x_2)^2"""
    return x[1] + (x[1] - x[0]) ** 2 + (2.0 * x[0] + x[1]) ** 2


def wayburn_seader(x):
    """(x_1^6 + x_2^4 - 17)^2 + (2 x_1 + x_2 - 4)^2"""
    return (x[0] ** 6 + x[1] ** 4 - 17.0) ** 2 + (2.0 * x[0] + x[1] - 4.0) ** 2


def pole(x, value, slope, curvature):
    """A model with a pole fitted to a value and two derivatives, three squares in a, r, h = x

    (a r h - q / 2 - r (1 - c) - value)^2 + (a r h (1 - c / b) - q - slope)^2 + (q (1 - c / b^2) + curvature)^2
    with b = 1 + h, c = b^-a, q = a (a + 1) r h^2
    """
    a, r, h = x
    b = 1.0 + h
    c = b**-a
    q = a * (a + 1.0) * r * h * h
    first = a * r * h - 0.5 * q - r * (1.0 - c) - value
    second = a * r * h * (1.0 - c / b) - q - slope
    third = -q * (1.0 - c / (b * b)) - curvature
    return first**2 + second**2 + third**2


# --- four to ten variables ---------------------------------------------------------------------------------------


def hatflda(x):
    """(x_1 - 1)^2 + sum_{i > 1} (x_{i-1} - sqrt(x_i))^2"""
    total = (x[0] - 1.0) ** 2
    for i in range(1, len(x)):
        total += (x[i - 1] - math.sqrt(x[i])) ** 2
    return total


def palmer(x, t, y):
    """sum_i (x_1 t_i^2 + x_2 t_i^4 + x_3 / (x_4 + t_i^2) - y_i)^2"""
    total = 0.0
    for i in range(len(t)):
        square = t[i] * t[i]
        total += (x[0] * square + x[1] * square * square + x[2] / (x[3] + square) - y[i]) ** 2
    return total


def hartman(x, height, slope, centre):
    """-sum_i c_i exp(-sum_j a_ij (x_j - p_ij)^2)"""
    total = 0.0
    for i in range(len(height)):
        total -= height[i] * math.exp(-np.sum(slope[i] * (x - centre[i]) ** 2))
    return total


def levy_montalvo(x, scale, shift):
    """pi / n ((y_n - 1)^2 + 10 sin(pi y_1)^2 + 10 sum_{i > 1} (y_{i-1} - 1)^2 sin(pi y_i)^2), y = scale x + shift

    Levy and Montalvo have one term (y_n - 1)^2, CUTEst has the sum over all i.
    """
    total = 0.0
    before = 2.0
    for v in x:
        y = scale * v + shift
        total += (y - 1.0) ** 2 + 10.0 * ((before - 1.0) * math.sin(math.pi * y)) ** 2
        before = y
    return math.pi / len(x) * total


def chebyquad(x):
    """sum_i (mean_j T_i(2 x_j - 1) + (1 / (i^2 - 1) where i is even))^2, T_i the polynomials of Chebyshev"""
    n = len(x)
    total = 0.0
    before, now = np.ones(n), 2.0 * x - 1.0
    for i in range(1, n + 1):
        mean = np.mean(now)
        if i % 2 == 0:
            mean += 1.0 / (i * i - 1.0)
        total += mean**2
        before, now = now, 2.0 * (2.0 * x - 1.0) * now - before
    return total


def trigonometric(x):
    """sum_i (sum_j cos x_j + i (cos x_i + sin x_i) - n - i)^2"""
    n = len(x)
    weight = np.arange(1, n + 1)
    return np.sum((np.sum(np.cos(x)) + weight * (np.cos(x) + np.sin(x)) - n - weight) ** 2)


def hatfldc(x):
    """(x_1 - 1)^2 + sum_{1 < i < n} (x_{i+1} - x_i^2)^2 + (x_n - 1)^2"""
    total = (x[0] - 1.0) ** 2 + (x[-1] - 1.0) ** 2
    for i in range(1, len(x) - 1):
        total += (x[i + 1] - x[i] ** 2) ** 2
    return total


# --- data --------------------------------------------------------------------------------------------------------


def _mirrored(half, middle=()):
    """(k,) the values and their mirror image."""
    return np.array([*half, *middle, *half[::-1]])


def _both(half, middle):
    """(k,) angles to the left of zero, zero, and to the right."""
    return np.array([*(-t for t in half), *middle, *half[::-1]])


PALMER_1 = (
    np.array(
        [-1.788963, -1.745329, -1.658063, -1.570796, -1.483530, -1.396263, -1.308997, -1.218612, -1.134464, -1.047198]
        + [-0.872665, -0.698132, -0.523599, -0.349066, -0.174533, 0.0, 1.788963, 1.745329, 1.658063, 1.570796]
        + [1.483530, 1.396263, 1.308997, 1.218612, 1.134464, 1.047198, 0.872665, 0.698132, 0.523599, 0.349066]
        + [0.174533, -1.8762289, -1.8325957, 1.8762289, 1.8325957]
    ),
    np.array(
        [78.596218, 65.77963, 43.96947, 27.038816, 14.6126, 6.2614, 1.53833, 0.0, 1.188045, 4.6841, 16.9321, 33.6988]
        + [52.3664, 70.163, 83.4221, 88.3995, 78.596218, 65.77963, 43.96947, 27.038816, 14.6126, 6.2614, 1.53833, 0.0]
        + [1.188045, 4.6841, 16.9321, 33.6988, 52.3664, 70.163, 83.4221, 108.18086, 92.733676, 108.18086, 92.733676]
    ),
)
PALMER_2_Y = _mirrored(
    [72.676767, 40.149455, 18.8548, 6.4762, 0.8596, 0.0, 0.273, 3.2043, 8.108, 13.4291, 17.7149], [19.4529]
)
PALMER_2_Y[15] = 3.2053  # CUTEst's, where the mirror image has 3.2043
PALMER_2 = (
    _both(
        [1.745329, 1.570796, 1.396263, 1.22173, 1.047198, 0.937187, 0.872665, 0.698132, 0.523599, 0.349066, 0.174533],
        [0.0],
    ),
    PALMER_2_Y,
)
PALMER_4 = (
    _both(
        [1.658063, 1.570796, 1.396263, 1.22173, 1.047198, 0.872665, 0.741119, 0.698132, 0.523599, 0.349066, 0.174533],
        [0.0],
    ),
    _mirrored(
        [67.27625, 52.8537, 30.2718, 14.9888, 5.5675, 0.92603, 0.0, 0.085108, 1.867422, 5.014768, 8.26352], [9.8046208]
    ),
)
HARTMAN = (
    np.array([1.0, 1.2, 3.0, 3.2]),
    np.array(
        [
            [10.0, 0.05, 17.0, 3.5, 1.7, 8.0],
            [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
            [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
            [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
        ]
    ),
    np.array(
        [
            [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
            [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
            [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
            [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
        ]
    ),
)
PFIT_2 = (-26.66666666, -60.44444444, -71.11111111)
PFIT_4 = (-98.96296296, -216.0987654, -239.6707818)

# --- the list ----------------------------------------------------------------------------------------------------

INF = math.inf


def _entry(name, fun, x0, bounds, f_ref, args=()):
    """`bounds`: one pair for all variables, or a pair for each."""
    x0 = np.array(x0, dtype=np.float64)
    return Bounded(name, fun, x0, np.array(np.broadcast_to(bounds, (len(x0), 2)), dtype=np.float64), f_ref, args)


PALMER_BOUNDS = [(-INF, INF), (-INF, INF), (1e-5, INF), (1e-5, INF)]
PFIT_BOUNDS = [(-INF, INF), (-INF, INF), (-0.5, INF)]
SPREAD = [-8.0] + [8.0] * 7

PROBLEMS = [
    _entry("HS3", hs3, [10.0, 1.0], [(-INF, INF), (0.0, INF)], 0.0),
    _entry("HS4", hs4, [1.125, 0.125], [(1.0, INF), (0.0, INF)], 8.0 / 3.0),
    _entry("HS25", hs25, [100.0, 12.5, 3.0], [(0.1, 100.0), (0.0, 25.6), (0.0, 5.0)], 0.0),
    _entry("HS45", hs45, np.full(5, 2.0), [(0.0, k) for k in range(1, 6)], 1.0),
    _entry("LEVYMONT5", levy_montalvo, SPREAD[:2], (-10.0, 10.0), 0.0, (0.25, 0.75)),
    _entry("MDHOLE", mdhole, [10.0, 1.0], [(0.0, INF), (-INF, INF)], 0.0),
    _entry("PRICE4B", price4, [1.0, 5.0], (-50.0, 50.0), 0.0),
    _entry("SIMBQP", simbqp, [10.0, 1.0], [(-INF, INF), (0.0, 0.5)], 0.0),
    _entry("WAYSEA1B", wayburn_seader, [1.0, 5.0], (-5.0, 5.0), 0.0),
    _entry("PFIT2LS", pole, [1.0, 0.0, 1.0], PFIT_BOUNDS, 0.0, PFIT_2),
    _entry("PFIT4LS", pole, [1.0, 0.0, 1.0], PFIT_BOUNDS, 0.0, PFIT_4),
    _entry("HATFLDA", hatflda, np.full(4, 0.1), (1e-7, INF), 0.0),
    _entry("PALMER1B", palmer, np.ones(4), PALMER_BOUNDS, 3.44735461906, PALMER_1),
    _entry("PALMER2B", palmer, np.ones(4), PALMER_BOUNDS, 0.623266970585, PALMER_2),
    _entry("PALMER4B", palmer, np.ones(4), PALMER_BOUNDS, 6.83513859987, PALMER_4),
    _entry("HART6", hartman, np.full(6, 0.2), (0.0, 1.0), -3.32288689158, HARTMAN),
    _entry("LEVYMONT9", levy_montalvo, SPREAD, (-10.0, 10.0), 0.0, (1.0, 0.0)),
    _entry("CHEBYQAD", chebyquad, np.arange(1, 11) / 11, (0.0, 1.0), 0.00477271369638),
    _entry("TRIGON1B", trigonometric, np.full(10, 0.1), (0.0, 3.141592653), 0.0),
    _entry("HATFLDC", hatfldc, np.full(25, 0.9), [(0.0, 10.0)] * 24 + [(-INF, INF)], 0.0),
]
