"""Rows by descending score: a radix sort of the bits of doubles, and sums along it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..compile.jit import kernel
from .reading import NONE

SIGN = np.uint64(1 << 63)
DIGIT, DIGITS = 8, 8  # bits of a digit, digits of a number


class Ranking(NamedTuple):
    """At each score that occurs, from the highest: the weight of the rows with this score or a higher one."""

    scores: np.ndarray  # (k,)
    false: np.ndarray  # (k,) of rows that are not positive
    true: np.ndarray  # (k,) of those that are


def rank(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray = NONE) -> Ranking:
    """Of (n,) bool, doubles, and weights, or none; rows of weight 0 are left out."""
    n = len(scores)
    rows = np.empty(n, np.uint32 if n < 2**31 else np.uint64)
    keys, rows = descending(np.ascontiguousarray(scores).view(np.uint64), positive, rows)
    bits, false, true = sums_along(keys, rows, weights)
    return Ranking(bits.view(np.float64), false, true)


@kernel
def descending(bits, positive, rows):
    """Keys that ascend as the scores descend, sorted, and with each twice its row, plus one where that is positive.

    The least significant digit first. Equal scores keep their order; a digit that is the same in all is passed over.
    """
    n, mask = bits.size, np.uint64((1 << DIGIT) - 1)
    keys, starts = np.empty(n, np.uint64), np.zeros((DIGITS, 1 << DIGIT), np.int64)
    for i in range(n):
        b = bits[i]
        if b == SIGN:
            b = np.uint64(0)  # -0.0 is 0.0
        key = b if b & SIGN else ~(b | SIGN)
        keys[i] = key
        rows[i] = 2 * i + positive[i]
        for d in range(DIGITS):
            starts[d, np.int64((key >> np.uint64(d * DIGIT)) & mask)] += 1
    other_keys, other_rows = np.empty_like(keys), np.empty_like(rows)
    for d in range(DIGITS):
        shift, start = np.uint64(d * DIGIT), starts[d]
        if start[np.int64((keys[0] >> shift) & mask)] == n:
            continue
        total = 0
        for digit in range(start.size):
            count = start[digit]
            start[digit] = total
            total += count
        for i in range(n):
            digit = np.int64((keys[i] >> shift) & mask)
            place = start[digit]
            start[digit] = place + 1
            other_keys[place] = keys[i]
            other_rows[place] = rows[i]
        keys, other_keys = other_keys, keys
        rows, other_rows = other_rows, rows
    return keys, rows


@kernel
def sums_along(keys, rows, weights):
    """Bits of the scores, and the sums there, as in `Ranking`."""
    n = keys.size
    bits, false, true = np.empty(n, np.uint64), np.empty(n), np.empty(n)
    count, f, t = 0, 0.0, 0.0
    for i in range(n):
        weight = weights[np.int64(rows[i] >> 1)] if weights.size else 1.0
        if weight == 0.0:
            continue
        if rows[i] & 1:
            t += weight
        else:
            f += weight
        key = keys[i]
        b = key if key & SIGN else ~key ^ SIGN
        if count == 0 or bits[count - 1] != b:
            bits[count] = b
            count += 1
        false[count - 1], true[count - 1] = f, t
    return bits[:count].copy(), false[:count].copy(), true[:count].copy()


@kernel
def area(x, y):
    """Under the line from (0, 0) through the points (x, y)."""
    total, before_x, before_y = 0.0, 0.0, 0.0
    for i in range(x.size):
        total += (x[i] - before_x) * (y[i] + before_y) / 2
        before_x, before_y = x[i], y[i]
    return total


@kernel
def mean_precision(false, true):
    """The sum of precisions, each times the rise of `true` there."""
    total, before = 0.0, 0.0
    for i in range(true.size):
        total += (true[i] - before) * (true[i] / (true[i] + false[i]))
        before = true[i]
    return total
