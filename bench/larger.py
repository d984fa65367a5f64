"""Eleven unconstrained test problems of 15 to 50 variables, as a user would write them for Numba.

Of the CUTEst collection, whose names, dimensions and data they bear: with the 43 of `bench/unconstrained.py` all that
the project's reference sets hold without constraints. Formulas count from i = 1 to n. They are tested by the values and
gradients in `tests/data/local.json`. `bench/local_problems.py` puts them beside the others.
"""

import math

import numpy as np


def dixon_maany(x, beta, powers):
    """1 + sum_i (i/n)^k x_i^2 + beta (sum_{i<n} (i/n)^l x_i^2 (x_{i+1} + x_{i+1}^2)^2
    + sum_{i<=2m} (i/n)^l x_i^2 x_{i+m}^4 + sum_{i<=m} (i/n)^k x_i x_{i+2m})

    m = n / 3, (k, l) = powers; L. C. W. Dixon and Z. Maany, TR 206, Hatfield Polytechnic (1988)
    """
    n = len(x)
    m = n // 3
    outer, inner = powers
    total = 1.0
    for i in range(n):
        place = (i + 1.0) / n
        total += place**outer * x[i] ** 2
        if i + 1 < n:
            total += beta * place**inner * (x[i] * x[i + 1] * (1.0 + x[i + 1])) ** 2
        if i < 2 * m:
            total += beta * place**inner * x[i] ** 2 * x[i + m] ** 4
        if i < m:
            total += beta * place**outer * x[i] * x[i + 2 * m]
    return total


def minimal_surface(x):
    """The area of a surface over the unit square, its rim free, plus the squared mean height

    sum_{i,j<p} sqrt(1 + (p-1)^2 ((x_ij - x_{i+1,j+1})^2 + (x_{i+1,j} - x_{i,j+1})^2) / 2) / (p-1)^2
    + (sum_ij x_ij)^2 / p^4, x column by column.
    """
    p = int(math.sqrt(len(x)) + 0.5)
    height = x.reshape((p, p))
    area = 0.0
    for j in range(p - 1):
        for i in range(p - 1):
            down = height[j, i] - height[j + 1, i + 1]
            up = height[j, i + 1] - height[j + 1, i]
            area += math.sqrt(1.0 + 0.5 * (p - 1) ** 2 * (down**2 + up**2))
    return area / (p - 1) ** 2 + (np.sum(x) / p**2) ** 2


def cyclooctane(x):
    """sum_{i<=8} (|v_i - v_{i+1}|^2 - 1)^2 + (|v_i - v_{i+2}|^2 - 8/3)^2, eight atoms v in a ring

    v_1 = 0 and the first coordinate of v_2 = 0; the others are the variables.
    """
    atoms = np.zeros((8, 3))
    atoms[1, 1], atoms[1, 2] = x[0], x[1]
    for i in range(2, 8):
        for j in range(3):
            atoms[i, j] = x[3 * i - 4 + j]
    total = 0.0
    for i in range(8):
        near, far = 0.0, 0.0
        for j in range(3):
            near += (atoms[i, j] - atoms[(i + 1) % 8, j]) ** 2
            far += (atoms[i, j] - atoms[(i + 2) % 8, j]) ** 2
        total += (near - 1.0) ** 2 + (far - 8.0 / 3.0) ** 2
    return total


def toint_qor(x, weights, rows, columns, signs, needs, prices):
    """sum_i weights_i x_i^2 + sum_k prices_k (sum of signs x over row k - needs_k)^2, the rows as triplets

    Ph. L. Toint, Mathematics of Computation 32 (1978) 839
    """
    total = np.sum(weights * x**2)
    sums = -needs
    for k in range(len(rows)):
        sums[rows[k]] += signs[k] * x[columns[k]]
    for k in range(len(sums)):
        total += prices[k] * sums[k] ** 2
    return total


# --- data of TOINTQOR --------------------------------------------------------------------------------------------

WEIGHTS = np.array(
    [1.25, 1.40, 2.40, 1.40, 1.75, 1.20, 2.25, 1.20, 1.00, 1.10, 1.50, 1.60, 1.25, 1.25, 1.20, 1.20, 1.40, 0.50, 0.50]
    + [1.25, 1.80, 0.75, 1.25, 1.40, 1.60, 2.00, 1.00, 1.60, 1.25, 2.75, 1.25, 1.25, 1.25, 3.00, 1.50, 2.00, 1.25]
    + [1.40, 1.80, 1.50, 2.20, 1.40, 1.50, 1.25, 2.00, 1.50, 1.25, 1.40, 0.60, 1.50]
)
PRICES = np.array(
    [1.0, 1.5, 1.0, 0.1, 1.5, 2.0, 1.0, 1.5, 3.0, 2.0, 1.0, 3.0, 0.1, 1.5, 0.15, 2.0, 1.0, 0.1, 3.0, 0.1, 1.2, 1.0]
    + [0.1, 2.0, 1.2, 3.0, 1.5, 3.0, 2.0, 1.0, 1.2, 2.0, 1.0]
)
NEEDS = -np.array(
    [5.0, 5.0, 5.0, 2.5, 6.0, 6.0, 5.0, 6.0, 10.0, 6.0, 5.0, 9.0, 2.0, 7.0, 2.5, 6.0, 5.0, 2.0, 9.0, 2.0, 5.0, 5.0]
    + [2.5, 5.0, 6.0, 10.0, 7.0, 10.0, 6.0, 5.0, 4.0, 4.0, 4.0]
)
BALANCES = """
1 -31 | 2 3 -1 | 4 5 -2 | 6 7 -4 | 8 9 -6 | 10 11 -8 | 12 13 -10 | 14 15 -12 | 16 17 -11 -13 -14 | 18 19 -16
| 20 -9 -18 | -5 -20 -21 | 22 23 24 -19 | 25 26 -23 | 27 28 -7 -25 | 29 30 -28 | 31 32 -29 | 33 34 -32 | 35 -3 -33
| 21 36 -35 | 37 38 -36 | 39 -30 -37 | 40 -38 -39 | 41 42 -40 | 43 44 50 -41 | 45 46 47 -44 | 48 -46
| 49 -42 -45 -48 -50 | -26 -34 -43 | -15 -17 -24 -47 | -49 | -22 | -27
"""  # of each node the arcs that arrive, and with a minus those that leave; they count from 1


def _triplets():
    nodes = [[int(word) for word in node.split()] for node in BALANCES.split("|")]
    arcs = np.array([(row, abs(arc) - 1, np.sign(arc)) for row, node in enumerate(nodes) for arc in node])
    return arcs[:, 0].copy(), arcs[:, 1].copy(), arcs[:, 2].astype(np.float64)


# --- the list ----------------------------------------------------------------------------------------------------


def _surface_start(p):
    """(p*p,) a plane along the rim, from 1 to 13, and 0 inside."""
    along = np.linspace(0.0, 1.0, p)
    plane = 1.0 + 4.0 * along[:, None] + 8.0 * along[None, :]
    plane[1:-1, 1:-1] = 0.0
    return plane.ravel()


def _atoms_start():
    """(20,) of the atoms 3 to 8 the three coordinates i / 8, and twice 0."""
    return np.concatenate([[0.0, 0.0], np.repeat(np.arange(3, 9) / 8.0, 3)])


DIXON_MAANY = {
    "B": (0.0625, (0, 0)),
    "D": (0.26, (0, 0)),
    "F": (0.0625, (1, 0)),
    "H": (0.26, (1, 0)),
    "J": (0.0625, (2, 0)),
    "L": (0.26, (2, 0)),
    "N": (0.0625, (2, 1)),
    "P": (0.26, (2, 1)),
}
# name, f(x, *args), x0, f_ref, args
PROBLEMS = [
    *((f"DIXMAAN{letter}", dixon_maany, np.full(15, 2.0), 1.0, args) for letter, args in DIXON_MAANY.items()),
    ("FMINSURF", minimal_surface, _surface_start(4), 1.0, ()),
    ("CYCLOOCFLS", cyclooctane, _atoms_start(), 0.0, ()),
    ("TOINTQOR", toint_qor, np.zeros(50), 1175.47222215, (WEIGHTS, *_triplets(), NEEDS, PRICES)),
]
