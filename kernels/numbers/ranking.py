"""Ranks: the rows of a vector of values from best to worst, equal values by row.

Where to look next hangs on each comparison, and half of the guesses of a branch are wrong (15 cycles). So there is
none: a comparison is a number that is added. Indices are unsigned, as Numba asks of others whether they are negative:
of 600 rows each costs 33 ns, 62 with signed indices and branches.
"""

import numpy as np

from ..compile.jit import inlined, part

FEW = 64  # rows that are ranked faster by n**2 comparisons, which the vector unit makes, than by a merge
U = np.uint64


@part
def sort_rows(f, order, scratch, start, stop):
    """order[start:stop]: the rows [start, stop) by f, equal values by row."""
    for left in range(start, stop, FEW):
        count_better(f, order, left, min(left + FEW, stop))
    width = FEW
    while width < stop - start:
        for left in range(start, stop, 2 * width):
            merge_runs(f, order, scratch, left, min(left + width, stop), min(left + 2 * width, stop))
        width *= 2


@inlined
def count_better(f, order, start, stop):
    """The place of a row is the number of those before it."""
    for i in range(start, stop):
        value, place = f[U(i)], start
        for k in range(start, i):
            place += 1 if f[U(k)] <= value else 0
        for k in range(i + 1, stop):
            place += 1 if f[U(k)] < value else 0
        order[U(place)] = i


@inlined
def merge_runs(f, order, scratch, left, middle, right):
    """Merge order[left:middle] and order[middle:right], each sorted; of equal values the first run's come first."""
    if left >= middle or middle >= right or f[U(order[U(middle - 1)])] <= f[U(order[U(middle)])]:
        return
    for k in range(left, middle):
        scratch[U(k)] = order[U(k)]
    a, b, k = left, middle, left
    while a < middle and b < right:
        first, second = scratch[U(a)], order[U(b)]
        later = int(f[U(second)] < f[U(first)])
        order[U(k)] = first + later * (second - first)
        a, b, k = a + 1 - later, b + later, k + 1
    while a < middle:
        order[U(k)] = scratch[U(a)]
        a, k = a + 1, k + 1
