"""Where the instances of BBOB come from: COCO's generator of 2009, and the optima and rotations drawn by it.

The generator is Park and Miller's (16807 modulo 2^31 - 1), shuffled by a table of 32 (Bays and Durham). Seeds are whole
numbers; each draw begins anew from its seed, so that nothing hangs on an order.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

MODULUS = 2**31 - 1
SHARED_SEEDS = {4: 3, 18: 17}  # functions whose instances are those of another one


def uniform(count: int, seed: int) -> np.ndarray:
    """(count,) numbers in (0, 1)."""
    state = max(abs(seed), 1)
    table = []
    for _ in range(40):
        state = 16807 * state % MODULUS
        table.append(state)
    table = table[:7:-1]  # the last 32, the latest first
    out, last = np.empty(count), table[0]
    for k in range(count):
        state = 16807 * state % MODULUS
        place = last // 67108865
        last, table[place] = table[place], state
        out[k] = last
    return np.maximum(out / MODULUS, 1e-99)


def gauss(count: int, seed: int) -> np.ndarray:
    """(count,) standard normal numbers (Box and Muller)."""
    u = uniform(2 * count, seed).tolist()
    g = [math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b) for a, b in zip(u[:count], u[count:], strict=True)]
    return np.array([value or 1e-99 for value in g])


def rotation(dimension: int, seed: int) -> np.ndarray:
    """An orthogonal matrix (D, D): the columns of a normal one, made orthonormal one after the other."""
    columns = gauss(dimension * dimension, seed).reshape(dimension, dimension)
    for i, column in enumerate(columns):
        for before in columns[:i]:
            column -= in_order(column * before) * before
        column /= np.sqrt(in_order(column * column))
    return np.ascontiguousarray(columns.T)


def in_order(terms: np.ndarray) -> np.ndarray:
    """The sum over the first axis, one term after the other: the same bits on every machine."""
    return np.add.accumulate(terms)[-1]


def product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A B, with the sums in order."""
    return in_order(A.T[:, :, None] * B[:, None, :])


def signs_of(draw: np.ndarray) -> np.ndarray:
    """-1 where a number is below 0, else 1."""
    return np.where(draw < 0, -1.0, 1.0)


def optimum_value(function: int, instance: int) -> float:
    """f_opt: a ratio of two normal numbers, to two digits, in [-1000, 1000]."""
    seed = SHARED_SEEDS.get(function, function) + 10_000 * instance
    ratio = gauss(1, seed)[0] / gauss(1, seed + 1)[0]
    return float(np.clip(np.floor(10_000 * ratio + 0.5) / 100, -1000, 1000))


def optimum_place(dimension: int, seed: int) -> np.ndarray:
    """x_opt (D,), in [-4, 4] to four digits."""
    x = 8 * np.floor(1e4 * uniform(dimension, seed)) / 1e4 - 4
    return np.where(x == 0, -1e-5, x)


class Draws:
    """What one instance of one function draws, in D variables."""

    def __init__(self, function: int, dimension: int, instance: int):
        self.dimension = dimension
        self.seed = SHARED_SEEDS.get(function, function) + 10_000 * instance
        self.f_opt = optimum_value(function, instance)

    @cached_property
    def x_opt(self) -> np.ndarray:
        return optimum_place(self.dimension, self.seed)

    @cached_property
    def R(self) -> np.ndarray:
        return rotation(self.dimension, self.seed + 1_000_000)

    @cached_property
    def Q(self) -> np.ndarray:
        return rotation(self.dimension, self.seed)

    def uniform(self, count: int, offset: int = 0) -> np.ndarray:
        return uniform(count, self.seed + offset)

    def memory(self, count: int | None = None) -> np.ndarray:
        """What an evaluation writes into, (D,) by default: compiled code has a copy of its own in each one."""
        return np.zeros(self.dimension if count is None else count)
