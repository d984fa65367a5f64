"""Objectives with loops that end by themselves, branches, helper functions, closures, tuples and tables."""

import math

import numba
import numpy as np

from .kinds import entry

RANDOM = np.random.default_rng(8)


@numba.njit
def babylonian(value, tolerance=1e-14):
    """The square root by repetition; an @njit helper with a default."""
    root = value
    for _ in range(100):
        better = 0.5 * (root + value / root)
        if abs(better - root) < tolerance * better:
            return better
        root = better
    return root


def distances(x, pairs):
    """An @njit helper in a loop over pairs of indices"""
    total = 0.0
    for k in range(pairs.shape[0]):
        i, j = pairs[k, 0], pairs[k, 1]
        total += (babylonian(1.0 + (x[i] - x[j]) ** 2) - 1.5) ** 2
    return total


def cheapest_path(x, cost):
    """Dynamic programming over a grid: min of three neighbours, the costs scaled by row"""
    rows, columns = cost.shape
    best = np.zeros((rows, columns))
    for j in range(columns):
        best[0, j] = cost[0, j] * x[0]
    for i in range(1, rows):
        for j in range(columns):
            least = best[i - 1, j]
            if j > 0:
                least = min(least, best[i - 1, j - 1])
            if j + 1 < columns:
                least = min(least, best[i - 1, j + 1])
            best[i, j] = least + cost[i, j] * x[i] ** 2
    return np.min(best[rows - 1]) + 0.1 * np.sum(x**2)


def time_warping(x, y):
    """The distance of two curves that may be stretched, the table kept as two rows that change places"""
    before = np.full(len(y) + 1, 1e9)
    before[0] = 0.0
    now = np.empty(len(y) + 1)
    for i in range(len(x)):
        now[0] = 1e9
        for j in range(len(y)):
            now[j + 1] = (x[i] - y[j]) ** 2 + min(before[j], before[j + 1], now[j])
        before, now = now, before
    return before[len(y)]


def skipping(x, kind, limit):
    """Nested loops with continue and break; while with two conditions"""
    total = 0.0
    for i in range(len(x)):
        if kind[i] == 0:
            continue
        inner = 0.0
        for j in range(i + 1, len(x)):
            if kind[j] == kind[i]:
                inner += x[i] * x[j]
            elif inner > limit:
                break
            else:
                inner += math.cos(x[j])
        steps = 0
        while inner > 1.0 and steps < 20:
            inner *= 0.5
            steps += 1
        total += inner * inner + steps * x[i]
    return total


def continued_fraction(x, depth):
    """Backwards from the deepest term, a sign for each parity"""
    value = 0.0
    for k in range(depth, 0, -1):
        a = x[k % len(x)]
        value = (a if k % 2 == 0 else -a) / (k + 3.0 + value)
    return (value - 0.1) ** 2 + x[0] * value


def secant(x, target):
    """A root of a model by the secant method: the implicit function's derivative through the loop"""
    a, b = 0.0, 1.0
    fa = x[0] * math.exp(-x[1] * a) + 0.2 * a - target
    for _ in range(60):
        fb = x[0] * math.exp(-x[1] * b) + 0.2 * b - target
        if abs(fb) < 1e-15 or fb == fa:
            break
        a, b, fa = b, b - fb * (b - a) / (fb - fa), fb
    return b * b + x[0]


def regimes(v, p):
    """One of four formulas, and how many it was."""
    if v < p[0]:
        return v * v, 0
    elif v < p[1]:
        return 2.0 * v, 1
    elif v < p[2]:
        return math.log(v) + 1.0, 2
    return math.sqrt(v), 3


def piecewise(x, borders):
    """A helper that returns a tuple; borders from a tuple in args"""
    total, count = 0.0, 0
    for v in x:
        value, which = regimes(abs(v) + 0.05, borders)
        total += value * (1.0 + 0.1 * which)
        count += which
    return total + 0.01 * count


def polynomials(x, coefficients, weights):
    """Horner's rule, coefficients in a tuple, zip and enumerate"""
    total = 0.0
    for i, (v, w) in enumerate(zip(x, weights)):
        value = 0.0
        for c in coefficients:
            value = value * v + c
        total += w * value / (i + 1.0)
    return total


def minimax(x, t, y):
    """The largest deviation of a line, and the mean one"""
    worst, total = 0.0, 0.0
    for k in range(len(t)):
        deviation = abs(y[k] - x[0] - x[1] * t[k] - x[2] * t[k] ** 2)
        worst = max(worst, deviation)
        total += deviation
    return worst + total / len(t)


def growing(x):
    """A list that grows"""
    values = [1.0]
    for v in x:
        values.append(0.5 * values[-1] + v * v)
    total = 0.0
    for v in values:
        total += v
    return total * values[2]


def _make_spring():
    places = np.linspace(0.0, 3.0, 6)
    strength, rest = 4.0, 0.5

    def force(a, b):
        return strength * (b - a - rest) ** 2

    def spring(x):
        """A closure over an array, numbers and another closure"""
        total = 0.0
        for i in range(len(x) - 1):
            total += force(places[i] + x[i], places[i + 1] + x[i + 1])
        return total

    return spring


def bilinear(x, table, origin, h):
    """A 2-D table at points between its nodes, indices by int and floor, clamped to the table"""
    total = 0.0
    for k in range(len(x) // 2):
        u, v = (x[2 * k] - origin[0]) / h, (x[2 * k + 1] - origin[1]) / h
        i = min(max(int(math.floor(u)), 0), table.shape[0] - 2)
        j = min(max(int(math.floor(v)), 0), table.shape[1] - 2)
        p, q = u - i, v - j
        low = (1.0 - p) * table[i, j] + p * table[i + 1, j]
        high = (1.0 - p) * table[i, j + 1] + p * table[i + 1, j + 1]
        total += ((1.0 - q) * low + q * high) ** 2
    return total


def _mixed(x, places, values, weight, offset, active):
    """np.interp of data between nodes whose heights are the variables, mixed with a table by np.searchsorted"""
    fitted = np.interp(places, np.linspace(0.0, 1.0, len(x)), x)
    total = 0.0
    for k in range(len(places)):
        if not active[k]:
            continue
        slot = np.searchsorted(offset, places[k])
        total += (fitted[k] - values[k]) ** 2 * weight[min(slot, len(weight) - 1)]
    return total


_PLACES = RANDOM.random(40)
_T = np.linspace(-1.0, 1.0, 21)

CONTROL = [
    entry(distances, RANDOM.normal(size=6), (RANDOM.integers(0, 6, size=(12, 2)),)),
    entry(cheapest_path, 1.0 + 0.3 * RANDOM.random(8), (RANDOM.random((8, 10)),)),
    entry(time_warping, np.sin(np.arange(14) * 0.5), (np.sin(np.arange(12) * 0.6 + 0.2),)),
    entry(skipping, RANDOM.random(9), (np.array([1, 0, 2, 1, 1, 2, 0, 1, 2]), 1.7)),
    entry(continued_fraction, [0.7, -1.3, 0.4], (25,)),
    entry(secant, [1.4, 0.6], (0.9,)),
    entry(piecewise, [0.1, -0.7, 1.6, 3.1, 0.4], ((0.5, 1.0, 2.5),)),
    entry(polynomials, RANDOM.normal(size=7), ((0.3, -1.0, 0.5, 2.0), RANDOM.random(7))),
    entry(minimax, [0.1, 0.8, -0.2], (_T, np.exp(_T))),
    entry(growing, [0.4, -0.9, 0.3, 1.2]),
    entry(_make_spring(), RANDOM.normal(size=6) * 0.2),
    entry(bilinear, RANDOM.random(10) * 4.0, (RANDOM.random((6, 7)), (0.0, 0.0), 0.8)),
    entry(
        _mixed, RANDOM.normal(size=8),
        (_PLACES, np.sin(6.0 * _PLACES), np.array([1.0, 2.0, 0.5]), np.array([0.3, 0.7]), RANDOM.random(40) < 0.8),
        exact=False, name="interpolated",
    ),
]  # fmt: skip
