"""43 unconstrained test problems with starting points and known minima, as a user would write them for Numba.

More, Garbow and Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7 (1981) 17 (MGH below, with the
problem's number there), and the CUTEst collection, whose names, dimensions and data they bear, its slips included. They
are all that the project's reference sets hold without constraints and bounds, of up to 12 variables, and with a minimum
fit to grade against. Formulas count from i = 1 to n. They are tested by the values in `tests/data/unconstrained.json`.
"""

import math
from typing import NamedTuple

import numpy as np


class Unconstrained(NamedTuple):
    """A function of R^n, where to begin, and the value to reach."""

    name: str  # CUTEst's
    fun: object  # f(x) -> float
    x0: np.ndarray  # (n,) the published starting point
    f_ref: float  # the least value known, to 12 digits
    reference: str


# --- two variables -----------------------------------------------------------------------------------------------


def brown_badly_scaled(x):
    """(x_1 - 10^6)^2 + (x_2 - 2 10^-6)^2 + (x_1 x_2 - 2)^2"""
    return (x[0] - 1e6) ** 2 + (x[1] - 2e-6) ** 2 + (x[0] * x[1] - 2.0) ** 2


def rosenbrock(x):
    """100 (x_2 - x_1^2)^2 + (1 - x_1)^2"""
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


def brkmcc(x):
    """(x_1 - 2)^2 + (x_2 - 1)^2 + 0.04 / (1 - x_1^2 / 4 - x_2^2) + 5 (x_1 - 2 x_2 + 1)^2

    Unbounded below at the ellipse where the denominator vanishes; the value to reach is the local minimum outside it.
    """
    outside = 1.0 - 0.25 * x[0] ** 2 - x[1] ** 2
    return (x[0] - 2.0) ** 2 + (x[1] - 1.0) ** 2 + 0.04 / outside + 5.0 * (x[0] - 2.0 * x[1] + 1.0) ** 2


def cube(x):
    """(x_1 - 1)^2 + 100 (x_2 - x_1^3)^2"""
    return (x[0] - 1.0) ** 2 + 100.0 * (x[1] - x[0] ** 3) ** 2


def denschnb(x):
    """(x_1 - 2)^2 + (x_1 - 2)^2 x_2^2 + (x_2 + 1)^2"""
    return (x[0] - 2.0) ** 2 * (1.0 + x[1] ** 2) + (x[1] + 1.0) ** 2


def denschnf(x):
    """(2 (x_1 + x_2)^2 + (x_1 - x_2)^2 - 8)^2 + (5 x_1^2 + (x_2 - 3)^2 - 9)^2"""
    first = 2.0 * (x[0] + x[1]) ** 2 + (x[0] - x[1]) ** 2 - 8.0
    second = 5.0 * x[0] ** 2 + (x[1] - 3.0) ** 2 - 9.0
    return first**2 + second**2


def hairy(x):
    """30 sin(7 x_1)^2 cos(7 x_2)^2 + 100 sqrt(0.01 + (x_1 - x_2)^2) + 100 sqrt(0.01 + x_1^2)"""
    hair = 30.0 * math.sin(7.0 * x[0]) ** 2 * math.cos(7.0 * x[1]) ** 2
    return hair + 100.0 * math.sqrt(0.01 + (x[0] - x[1]) ** 2) + 100.0 * math.sqrt(0.01 + x[0] ** 2)


def himmelbg(x):
    """(2 x_1^2 + 3 x_2^2) exp(-x_1 - x_2)"""
    return (2.0 * x[0] ** 2 + 3.0 * x[1] ** 2) * math.exp(-x[0] - x[1])


def s308(x):
    """(x_1^2 + x_1 x_2 + x_2^2)^2 + sin(x_1)^2 + cos(x_2)^2"""
    return (x[0] ** 2 + x[0] * x[1] + x[1] ** 2) ** 2 + math.sin(x[0]) ** 2 + math.cos(x[1]) ** 2


def sisser(x):
    """3 x_1^4 + 2 x_1^2 x_2^2 + 3 x_2^4; Sisser has a minus, and 3 is 1 / 0.3333333 in CUTEst"""
    return (x[0] ** 4 + x[1] ** 4) / 0.3333333 + 2.0 * x[0] ** 2 * x[1] ** 2


def snail(x):
    """r^2 / (1 + r^2) (1 + 1.5 r - 0.5 r cos(r - theta)), r and theta the polar coordinates: a valley in a spiral"""
    square = x[0] ** 2 + x[1] ** 2
    r = math.sqrt(square)
    theta = math.atan2(x[1], x[0])
    return square / (1.0 + square) * (1.0 + 1.5 * r - 0.5 * r * math.cos(r - theta))


def zangwil2(x):
    """(16 x_1^2 + 16 x_2^2 - 8 x_1 x_2 - 56 x_1 - 256 x_2 + 991) / 15"""
    quadratic = 16.0 * x[0] ** 2 + 16.0 * x[1] ** 2 - 8.0 * x[0] * x[1]
    return (quadratic - 56.0 * x[0] - 256.0 * x[1] + 991.0) / 15.0


# --- three to six variables --------------------------------------------------------------------------------------

BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


def bard(x):
    """sum_{i <= 15} (y_i - x_1 - i / (x_2 (16 - i) + x_3 min(i, 16 - i)))^2"""
    total = 0.0
    for i in range(len(BARD)):
        u = i + 1.0
        v = 16.0 - u
        total += (BARD[i] - x[0] - u / (x[1] * v + x[2] * min(u, v))) ** 2
    return total


def gulf(x):
    """sum_{i < 100} (exp(-|y_i - x_2|^x_3 / x_1) - t_i)^2, t_i = i / 100, y_i = 25 + (-50 log t_i)^(2/3)"""
    total = 0.0
    for i in range(1, 100):
        t = 0.01 * i
        y = 25.0 + (-50.0 * math.log(t)) ** (2.0 / 3.0)
        total += (math.exp(-(math.fabs(y - x[1]) ** x[2]) / x[0]) - t) ** 2
    return total


MEYER = np.array(
    [34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0]
    + [8261.0, 7030.0, 6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0]
)


def meyer(x):
    """sum_{i <= 16} (x_1 exp(x_2 / (45 + 5 i + x_3)) - y_i)^2"""
    total = 0.0
    for i in range(len(MEYER)):
        total += (x[0] * math.exp(x[1] / (50.0 + 5.0 * i + x[2])) - MEYER[i]) ** 2
    return total


def denschnd(x):
    """(x_1^2 + x_2^3 - x_3^4)^2 + (2 x_1 x_2 x_3)^2 + (2 x_1 x_2 - 3 x_2 x_3 + x_1 x_3)^2"""
    first = x[0] ** 2 + x[1] ** 3 - x[2] ** 4
    second = 2.0 * x[0] * x[1] * x[2]
    third = 2.0 * x[0] * x[1] - 3.0 * x[1] * x[2] + x[0] * x[2]
    return first**2 + second**2 + third**2


def engval2(x):
    """Five squares in three variables

    (x_1^2 + x_2^2 + x_3^2 - 1)^2 + (x_1^2 + x_2^2 + (x_3 - 2)^2 - 1)^2 + (x_1 + x_2 + x_3 - 1)^2
    + (x_1 + x_2 - x_3 + 1)^2 + (3 x_2^2 + x_1^3 + (5 x_3 - x_1 + 1)^2 - 36)^2
    """
    plane = x[0] ** 2 + x[1] ** 2
    total = (plane + x[2] ** 2 - 1.0) ** 2 + (plane + (x[2] - 2.0) ** 2 - 1.0) ** 2
    total += (x[0] + x[1] + x[2] - 1.0) ** 2 + (x[0] + x[1] - x[2] + 1.0) ** 2
    return total + (3.0 * x[1] ** 2 + x[0] ** 3 + (5.0 * x[2] - x[0] + 1.0) ** 2 - 36.0) ** 2


HATFLDE = np.array(
    [1.561, 1.473, 1.391, 1.313, 1.239, 1.169, 1.103, 1.04, 0.981, 0.925, 0.8721, 0.8221, 0.7748, 0.73, 0.6877]
    + [0.6477, 0.6099, 0.5741, 0.5403, 0.5084, 0.4782]
)


def hatflde(x):
    """sum_{i <= 21} (exp(t_i x_3) - x_1 exp(t_i x_2) + z_i)^2, t_i = 0.25 + 0.05 i"""
    total = 0.0
    for i in range(len(HATFLDE)):
        t = 0.3 + 0.05 * i
        total += (math.exp(t * x[2]) - x[0] * math.exp(t * x[1]) + HATFLDE[i]) ** 2
    return total


YFIT = np.array(
    [21.158931, 17.591719, 14.046854, 10.519732, 7.0058392, 3.5007293, 0.0, -3.5007293, -7.0058392, -10.519732]
    + [-14.046854, -17.591719, -21.158931, -24.753206, -28.379405, -32.042552, -35.747869]
)


def yfitu(x):
    """sum_{0 <= i <= 16} (x_3 tan(x_1 (1 - i / 16) + x_2 i / 16) - y_i)^2"""
    total = 0.0
    for i in range(len(YFIT)):
        fraction = i / 16.0
        total += (x[2] * math.tan(x[0] * (1.0 - fraction) + x[1] * fraction) - YFIT[i]) ** 2
    return total


KOWALIK_Y = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
KOWALIK_U = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0624])


def kowalik_osborne(x):
    """sum_{i <= 11} (y_i - x_1 (u_i^2 + u_i x_2) / (u_i^2 + u_i x_3 + x_4))^2

    The last u is 0.0625 in the paper, 0.0624 in CUTEst and here: the minimum is 3.0780e-4, not 3.0751e-4.
    """
    total = 0.0
    for i in range(len(KOWALIK_Y)):
        u = KOWALIK_U[i]
        total += (KOWALIK_Y[i] - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])) ** 2
    return total


HIMMELBLAU_A = np.array([0.0, 0.000428, 0.001, 0.00161, 0.00209, 0.00348, 0.00525])
HIMMELBLAU_B = np.array([7.391, 11.18, 16.44, 16.20, 22.20, 24.02, 31.32])


def himmelbf(x):
    """10^4 sum_{i <= 7} ((x_1^2 + a_i x_2^2 + a_i^2 x_3^2) / (b_i (1 + a_i x_4^2)) - 1)^2"""
    total = 0.0
    for i in range(len(HIMMELBLAU_A)):
        a = HIMMELBLAU_A[i]
        above = x[0] ** 2 + a * x[1] ** 2 + a**2 * x[2] ** 2
        total += (above / (HIMMELBLAU_B[i] * (1.0 + a * x[3] ** 2)) - 1.0) ** 2
    return 1e4 * total


def streg(x):
    """100 (x_2 - x_1^2)^2 + (x_1 - 1)^2 + (x_3^2 + x_4^2) / 2"""
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (x[0] - 1.0) ** 2 + 0.5 * (x[2] ** 2 + x[3] ** 2)


def devilliers_glasser_2(x):
    """sum_{i <= 16} (m(x, t_i) - m((53.81, 1.27, 3.012, 2.13, 0.507), t_i))^2, t_i = (i - 1) / 10

    m(x, t) = x_1 x_2^t tanh(x_3 t + sin(x_4 t)) cos(t exp(x_5))
    """
    total = 0.0
    for i in range(16):
        t = 0.1 * i
        y = 53.81 * 1.27**t * math.tanh(3.012 * t + math.sin(2.13 * t)) * math.cos(t * math.exp(0.507))
        model = x[0] * x[1] ** t * math.tanh(x[2] * t + math.sin(x[3] * t)) * math.cos(t * math.exp(x[4]))
        total += (model - y) ** 2
    return total


def biggs(x):
    """sum_{i <= 13} (x_3 exp(-t x_1) - x_4 exp(-t x_2) + x_6 exp(-t x_5) - y_i)^2, t = i / 10

    y_i = exp(-t) - 5 exp(-10 t) + 3 exp(-4 t). A local minimum has the value 0.0056556.
    """
    total = 0.0
    for i in range(1, 14):
        t = 0.1 * i
        y = math.exp(-t) - 5.0 * math.exp(-10.0 * t) + 3.0 * math.exp(-4.0 * t)
        model = x[2] * math.exp(-t * x[0]) - x[3] * math.exp(-t * x[1]) + x[5] * math.exp(-t * x[4])
        total += (model - y) ** 2
    return total


# --- any number of variables -------------------------------------------------------------------------------------

TOINT = np.array([1.25, 1.40, 2.40, 1.40, 1.75, 1.20, 2.25, 1.20, 1.00, 1.10])  # the first ten of fifty


def chained_rosenbrock(x):
    """sum_{i > 1} 16 a_i^2 (x_{i-1} - x_i^2)^2 + (x_i - 1)^2"""
    total = 0.0
    for i in range(1, len(x)):
        total += 16.0 * TOINT[i] ** 2 * (x[i - 1] - x[i] ** 2) ** 2 + (x[i] - 1.0) ** 2
    return total


def errinros(x):
    """sum_{i > 1} (x_{i-1} - 16 a_i^2 x_i^2)^2 + (x_i - 1)^2

    An error in writing down `chained_rosenbrock`, kept by CUTEst as a problem of its own.
    """
    total = 0.0
    for i in range(1, len(x)):
        total += (x[i - 1] - 16.0 * TOINT[i] ** 2 * x[i] ** 2) ** 2 + (x[i] - 1.0) ** 2
    return total


def qing(x):
    """sum (x_i^2 - i)^2"""
    total = 0.0
    for i in range(len(x)):
        total += (x[i] ** 2 - (i + 1.0)) ** 2
    return total


def tridia(x):
    """(x_1 - 1)^2 + sum_{i > 1} i (2 x_i - x_{i-1})^2"""
    total = (x[0] - 1.0) ** 2
    for i in range(1, len(x)):
        total += (i + 1.0) * (2.0 * x[i] - x[i - 1]) ** 2
    return total


def penalty_2(x):
    """(x_1 - 0.2)^2 + a sum_{i > 1} (e_i + e_{i-1} - y_i)^2 + (e_i - exp(-0.1))^2 + (sum (n - i + 1) x_i^2 - 1)^2

    e_i = exp(x_i / 10), y_i = exp(i / 10) + exp((i - 1) / 10), a = 10^-5
    """
    total = 0.0
    weighted = len(x) * x[0] ** 2
    for i in range(1, len(x)):
        e = math.exp(0.1 * x[i])
        y = math.exp(0.1 * (i + 1)) + math.exp(0.1 * i)
        total += (e + math.exp(0.1 * x[i - 1]) - y) ** 2 + (e - math.exp(-0.1)) ** 2
        weighted += (len(x) - i) * x[i] ** 2
    return (x[0] - 0.2) ** 2 + 1e-5 * total + (weighted - 1.0) ** 2


def variably_dimensioned(x):
    """sum (x_i - 1)^2 + s^2 + s^4, s = sum i (x_i - 1)"""
    total, s = 0.0, 0.0
    for i in range(len(x)):
        total += (x[i] - 1.0) ** 2
        s += (i + 1.0) * (x[i] - 1.0)
    return total + s**2 + s**4


def extended_powell(x):
    """sum over every four: (a + 10 b)^2 + 5 (c - d)^2 + (b - 2 c)^4 + 10 (a - d)^4"""
    total = 0.0
    for i in range(0, len(x), 4):
        total += (x[i] + 10.0 * x[i + 1]) ** 2 + 5.0 * (x[i + 2] - x[i + 3]) ** 2
        total += (x[i + 1] - 2.0 * x[i + 2]) ** 4 + 10.0 * (x[i] - x[i + 3]) ** 4
    return total


def trigonometric(x):
    """sum_i (sum_j cos x_j + i (cos x_i + sin x_i) - n - i)^2; in the paper i does not multiply the sine"""
    cosines = 0.0
    for i in range(len(x)):
        cosines += math.cos(x[i])
    total = 0.0
    for i in range(len(x)):
        weight = i + 1.0
        total += (cosines + weight * (math.cos(x[i]) + math.sin(x[i])) - (len(x) + weight)) ** 2
    return total


def broyden_banded(x):
    """sum_i (2 x_i + 5 x_i^3 - sum_j (x_j + x_j^2))^2, j from i - 5 to i + 1 without i

    In the rows 5 < i < n - 1 CUTEst has x_i^2 in place of x_i^3, and x_j^3 in place of x_j^2 for j < i.
    """
    total = 0.0
    for i in range(len(x)):
        swapped = 5 <= i < len(x) - 2
        residual = 2.0 * x[i] + 5.0 * (x[i] ** 2 if swapped else x[i] ** 3)
        for j in range(max(0, i - 5), min(len(x), i + 2)):
            if j != i:
                residual -= x[j] + (x[j] ** 3 if swapped and j < i else x[j] ** 2)
        total += residual**2
    return total


def dixon3dq(x):
    """(x_1 - 1)^2 + sum_{1 < i < n} (x_i - x_{i+1})^2 + (x_n - 1)^2"""
    total = (x[0] - 1.0) ** 2 + (x[-1] - 1.0) ** 2
    for i in range(1, len(x) - 1):
        total += (x[i] - x[i + 1]) ** 2
    return total


def genrose(x):
    """1 + sum_{i > 1} 100 (x_i - x_{i-1}^2)^2 + (x_i - 1)^2"""
    total = 1.0
    for i in range(1, len(x)):
        total += 100.0 * (x[i] - x[i - 1] ** 2) ** 2 + (x[i] - 1.0) ** 2
    return total


def hilbertb(x):
    """x' H x / 2 + 5 x' x, H_ij = 1 / (i + j - 1)"""
    total = 0.0
    for i in range(len(x)):
        for j in range(len(x)):
            total += 0.5 * x[i] * x[j] / (i + j + 1.0)
        total += 5.0 * x[i] ** 2
    return total


def liarwhd(x):
    """sum 4 (x_i^2 - x_1)^2 + (x_i - 1)^2"""
    total = 0.0
    for i in range(len(x)):
        total += 4.0 * (x[i] ** 2 - x[0]) ** 2 + (x[i] - 1.0) ** 2
    return total


def modbeale(x):
    """Beale's function in each pair (a, b), and 50 (6 b - c)^2, c the next a

    sum (1.5 - a (1 - b))^2 + (2.25 - a (1 - b^2))^2 + (2.625 - a (1 - b^3))^2
    """
    total = 0.0
    for i in range(0, len(x), 2):
        a, b = x[i], x[i + 1]
        total += (1.5 - a * (1.0 - b)) ** 2 + (2.25 - a * (1.0 - b**2)) ** 2 + (2.625 - a * (1.0 - b**3)) ** 2
        if i + 2 < len(x):
            total += 50.0 * (6.0 * b - x[i + 2]) ** 2
    return total


def nondia(x):
    """(x_1 - 1)^2 + sum_{i < n} 100 (x_1 - x_i^2)^2"""
    total = (x[0] - 1.0) ** 2
    for i in range(len(x) - 1):
        total += 100.0 * (x[0] - x[i] ** 2) ** 2
    return total


def oscigrad(x):
    """Nearly the squared gradient of Nesterov's oscillating path, (x_1 - 1)^2 / 4 + 500 sum_{i < n} r_i^2

    sum_i (1000 r_{i-1} - 2000 x_i r_i)^2 with r_i = x_{i+1} - 2 x_i^2 + 1, (x_1 - 1) / 2 in place of 1000 r_0, r_n = 0.
    """
    total = 0.0
    for i in range(len(x)):
        component = 1000.0 * (x[i] - 2.0 * x[i - 1] ** 2 + 1.0) if i > 0 else 0.5 * (x[0] - 1.0)
        if i + 1 < len(x):
            component -= 2000.0 * x[i] * (x[i + 1] - 2.0 * x[i] ** 2 + 1.0)
        total += component**2
    return total


def quartc(x):
    """sum (x_i - i)^4"""
    total = 0.0
    for i in range(len(x)):
        total += (x[i] - (i + 1.0)) ** 4
    return total


MULTIPLES = np.array([1, 2, 3, 5, 7, 11])


def sparsine(x):
    """sum_i i (sum_m sin x_j)^2 / 2, j = (m i - 1) mod n + 1, m = 1, 2, 3, 5, 7, 11"""
    total = 0.0
    for i in range(1, len(x) + 1):
        sines = 0.0
        for m in MULTIPLES:
            sines += math.sin(x[(m * i - 1) % len(x)])
        total += 0.5 * i * sines**2
    return total


def stretched_v(x):
    """sum_{i < n} s^(1/4) (sin(50 s^(1/10)) + 1)^2, s = x_i^2 + x_{i+1}^2"""
    total = 0.0
    for i in range(len(x) - 1):
        s = x[i] ** 2 + x[i + 1] ** 2
        total += (s**0.125 * (math.sin(50.0 * s**0.1) + 1.0)) ** 2
    return total


# --- the list ----------------------------------------------------------------------------------------------------

MGH = "More, Garbow and Hillstrom, ACM TOMS 7 (1981) 17, problem"


def _same(value, dimension):
    return np.full(dimension, float(value))


def _entry(name, fun, x0, f_ref, reference="CUTEst"):
    return Unconstrained(name, fun, np.array(x0, dtype=np.float64), f_ref, reference)


PROBLEMS = [
    _entry("BROWNBS", brown_badly_scaled, [1.0, 1.0], 0.0, f"{MGH} 4"),
    _entry("ROSENBR", rosenbrock, [-1.2, 1.0], 0.0, f"{MGH} 1"),
    _entry("BRKMCC", brkmcc, [2.0, 2.0], 0.169042679196),
    _entry("CUBE", cube, [-1.2, 1.0], 0.0),
    _entry("DENSCHNB", denschnb, [1.0, 1.0], 0.0),
    _entry("DENSCHNF", denschnf, [2.0, 0.0], 0.0),
    _entry("HAIRY", hairy, [-5.0, -7.0], 20.0),
    _entry("HIMMELBG", himmelbg, [0.5, 0.5], 0.0),
    _entry("S308", s308, [3.0, 0.1], 0.773199056493),
    _entry("SISSER", sisser, [1.0, 0.1], 0.0),
    _entry("SNAIL", snail, [10.0, 10.0], 0.0),
    _entry("ZANGWIL2", zangwil2, [3.0, 8.0], -18.2),
    _entry("BARD", bard, [1.0, 1.0, 1.0], 0.00821487730658, f"{MGH} 8"),
    _entry("GULF", gulf, [5.0, 2.5, 0.15], 0.0, f"{MGH} 11"),
    _entry("MEYER3", meyer, [0.02, 4000.0, 250.0], 87.9458551704, f"{MGH} 10"),
    _entry("DENSCHND", denschnd, [10.0, 10.0, 10.0], 0.0),
    _entry("ENGVAL2", engval2, [1.0, 2.0, 0.0], 0.0),
    _entry("HATFLDE", hatflde, [1.0, -1.0, 0.0], 5.12037693662e-07),
    _entry("YFITU", yfitu, [0.6, -0.6, 20.0], 0.0),
    _entry("KOWOSB", kowalik_osborne, [0.25, 0.39, 0.415, 0.39], 0.000307800946733, f"{MGH} 15"),
    _entry("HIMMELBF", himmelbf, [2.7, 90.0, 1500.0, 10.0], 318.571748791),
    _entry("STREG", streg, [-1.2, 1.0, 1e10, 1e10], 0.0),
    _entry("CHNROSNB", chained_rosenbrock, _same(-1, 5), 0.0),
    _entry("DEVGLA2", devilliers_glasser_2, [20.0, 2.0, 2.0, 2.0, 0.2], 0.0),
    _entry("QING", qing, _same(1, 5), 0.0),
    _entry("TRIDIA", tridia, _same(1, 5), 0.0),
    _entry("BIGGS6", biggs, [1.0, 2.0, 1.0, 1.0, 1.0, 1.0], 0.0, f"{MGH} 18"),
    _entry("PENALTY2", penalty_2, _same(0.5, 10), 0.000293660537457, f"{MGH} 24"),
    _entry("VARDIM", variably_dimensioned, 1.0 - np.arange(1, 11) / 10, 0.0, f"{MGH} 25"),
    _entry("ARGTRIGLS", trigonometric, _same(0.1, 10), 0.0, f"{MGH} 26"),
    _entry("BROYDNBDLS", broyden_banded, _same(1, 10), 0.0, f"{MGH} 31"),
    _entry("DIXON3DQ", dixon3dq, _same(-1, 10), 0.0),
    _entry("ERRINROS", errinros, _same(-1, 10), 6.69463214040),
    _entry("GENROSE", genrose, np.arange(1, 11) / 11, 1.0),
    _entry("HILBERTB", hilbertb, _same(-3, 10), 0.0),
    _entry("LIARWHD", liarwhd, _same(4, 10), 0.0),
    _entry("MODBEALE", modbeale, _same(1, 10), 0.0),
    _entry("NONDIA", nondia, _same(-1, 10), 0.0),
    _entry("OSCIGRAD", oscigrad, [-2.0, *_same(1, 9)], 0.0),
    _entry("QUARTC", quartc, _same(2, 10), 0.0),
    _entry("SPARSINE", sparsine, _same(0.5, 10), 0.0),
    _entry("STRTCHDV", stretched_v, [1.0, *_same(-1, 9)], 0.0),
    _entry("POWELLSG", extended_powell, [3.0, -1.0, 0.0, 1.0] * 3, 0.0, f"{MGH} 13"),
]
