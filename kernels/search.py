"""Points of a search space, and whole ranges of them evaluated in one kernel.

A point is a pure function of its number k, so a range of numbers may be cut anywhere and shared out to anybody. The
levels of variable j stand in values[offsets[j]:offsets[j + 1]].

    GRID     all combinations of levels; the last variable changes fastest
    RANDOM   u_j = uniform(key, j), the key that of row k in generation 0 of run 0: as in solvers/random_search.py
    GIVEN    u_j comes from the caller: Sobol points, a Latin hypercube

    kind          the value that u in [0, 1) stands for
    REAL          uniform in [low, high]
    LOG           its logarithm is uniform in [log low, log high]
    INTEGER       whole numbers low..high with equal shares
    LOG_INTEGER   the whole part of a number whose logarithm is uniform in [log low, log(high + 1)]
    TABLE         the levels, with equal shares
"""

from typing import NamedTuple

import numpy as np
from numba.core import types

from .calling.arguments import RAISED_BITS, call_value, row
from .compile.jit import compile_for, inlined, kernel, once
from .numbers.elementary import exp, log
from .numbers.random import generation_key, row_key, run_key, uniform
from .rows.population import sample

REAL, LOG, INTEGER, LOG_INTEGER, TABLE = 0, 1, 2, 3, 4
GRID, RANDOM, GIVEN = 0, 1, 2
ROWS = 64  # points made at a time: in columns, so that draws are made by the vector unit


class Space(NamedTuple):
    """A search space as kernels take it."""

    kinds: np.ndarray  # (D,)
    low: np.ndarray  # (D,)
    high: np.ndarray  # (D,)
    values: np.ndarray  # (offsets[D],) levels
    offsets: np.ndarray  # (D + 1,)


VECTOR, MATRIX, INTEGERS = types.float64[::1], types.float64[:, ::1], types.int64[::1]
SPACE = types.NamedTuple([INTEGERS, VECTOR, VECTOR, VECTOR, INTEGERS], Space)
CHOICE = (SPACE, types.int64, types.uint64, MATRIX)  # space, mode, seed, draws: which points are meant


# --- one point ---------------------------------------------------------------------------------------------------


@inlined
def sample_log(u, low, high, most):
    """The point of [low, high] whose logarithm u in [0, 1) stands for, at most `most`."""
    value = exp(sample(u, log(low), log(high), 0.0))
    return min(max(value, low), most)  # the exponential of a logarithm may miss an end by a rounding


@inlined
def place(u, begin, end, j, space):
    """u[begin:end], numbers in [0, 1), become the values of variable j that they stand for."""
    kind, low, high = space.kinds[j], space.low[j], space.high[j]
    values, offset, last = space.values, space.offsets[j], space.offsets[j + 1] - space.offsets[j] - 1.0
    if kind == TABLE:
        for i in range(begin, end):
            u[i] = values[offset + int(sample(u[i], 0.0, last, 1.0))]
    elif kind == LOG:
        for i in range(begin, end):
            u[i] = sample_log(u[i], low, high, high)
    elif kind == LOG_INTEGER:
        for i in range(begin, end):
            u[i] = np.floor(sample_log(u[i], low, high + 1.0, high))
    else:
        whole = 1.0 if kind == INTEGER else 0.0
        for i in range(begin, end):
            u[i] = sample(u[i], low, high, whole)


@inlined
def decode(k, space, x, digits):
    """Point k of the grid, and its digits: the positions of its levels."""
    offsets = space.offsets
    for j in range(x.size - 1, -1, -1):
        levels = offsets[j + 1] - offsets[j]
        digits[j] = k % levels
        x[j] = space.values[offsets[j] + digits[j]]
        k //= levels


@inlined
def step(space, x, digits):
    """From a point of the grid to the next, as an odometer."""
    values, offsets = space.values, space.offsets
    j = x.size - 1
    digits[j] += 1
    while digits[j] == offsets[j + 1] - offsets[j]:
        digits[j], x[j] = 0, values[offsets[j]]
        j -= 1
        digits[j] += 1
    x[j] = values[offsets[j] + digits[j]]


# --- many points -------------------------------------------------------------------------------------------------


@inlined
def fill(space, mode, seed, draws, skipped, first, count, rows, u, x, digits):
    """rows[:count]: the points from number `first` on. u (count,), x and digits (D,): room to work in.

    Where points are given, draws[skipped] is the first of them.
    """
    if mode == GRID:
        decode(first, space, x, digits)
        for i in range(count):
            if i > 0:
                step(space, x, digits)
            for j in range(x.size):
                rows[i, j] = x[j]
        return
    key = generation_key(run_key(seed, 0), 0)
    for j in range(x.size):
        if mode == RANDOM:
            for i in range(count):
                u[i] = uniform(row_key(key, first + i), j)
        else:
            for i in range(count):
                u[i] = draws[skipped + i, j]
        place(u, 0, count, j, space)
        for i in range(count):
            rows[i, j] = u[i]


@kernel
def make_points(space, mode, seed, draws, first, rows):
    """rows (n, D): the points from number `first` on."""
    count, dimension = rows.shape
    u, x, digits = np.empty(count), np.empty(dimension), np.empty(dimension, np.int64)
    fill(space, mode, seed, draws, 0, first, count, rows, u, x, digits)


@kernel
def search(objective, args, space, mode, seed, draws, first, last):
    """The lowest value among the points first..last-1, its number, how many gave NaN, which raised (-1: none).

    Among equal values the lowest number wins. NaN counts as inf, so where nothing is below inf the first point is
    the answer. The search ends at a point that raises.
    """
    dimension = space.kinds.size
    rows, u = np.empty((ROWS, dimension)), np.empty(ROWS)
    x, digits = np.empty(dimension), np.empty(dimension, np.int64)
    best, index, failed = np.inf, first, 0
    for start in range(first, last, ROWS):
        count = min(ROWS, last - start)
        fill(space, mode, seed, draws, start - first, start, count, rows, u, x, digits)
        for i in range(count):
            value = call_value(objective, args, row(rows, i))
            if value < best:
                best, index = value, start + i
            elif value != value:
                if np.float64(value).view(np.int64) == RAISED_BITS:
                    return best, index, failed, start + i
                failed += 1
    return best, index, failed, -1


@once
def maker():
    """make_points, compiled."""
    return compile_for(make_points, (*CHOICE, types.int64, MATRIX))


@once
def searcher():
    """search, compiled: serial, the GIL released."""
    return compile_for(search, (types.intp, types.intp, *CHOICE, types.int64, types.int64))
