"""Ranks: the rows of a vector of values from best to worst, equal values by row.

Where to look next hangs on each comparison, and half of the guesses of a branch are wrong (15 cycles). So there is
none: a comparison is a number that is added. Indices are unsigned, as Numba asks of others whether they are negative:
of 600 rows each costs 20 ns, 62 with signed indices and branches.
"""

import numpy as np

from ..compile.jit import inlined, part

FEW = 64  # rows that are ranked faster by n**2 comparisons, which the vector unit makes, than by a merge
U = np.uint64


@part
def sort_rows(f, order, scratch, start, stop):
    """order[start:stop]: the rows [start, stop) by f, equal values by row."""
    count, runs = stop - start, 1
    while count > FEW * runs:
        runs *= 2
    for k in range(runs):  # of one length, or one row more
        count_better(f, order, start + k * count // runs, start + (k + 1) * count // runs)
    while runs > 1:
        for k in range(0, runs, 2):
            left, middle, right = k * count // runs, (k + 1) * count // runs, (k + 2) * count // runs
            merge_runs(f, order, scratch, start + left, start + middle, start + right)
        runs //= 2


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
    """Merge order[left:middle] and order[middle:right], each sorted; of equal values the first run's come first.

    From both ends at once: each comparison waits for the one before it on its side only.
    """
    if left >= middle or middle >= right or f[U(order[U(middle - 1)])] <= f[U(order[U(middle)])]:
        return
    for k in range(left, right):
        scratch[U(k)] = order[U(k)]
    a, b, k = left, middle, left  # the first of what is left of each run, and its place
    c, d, m = middle - 1, right - 1, right - 1  # the last
    for _ in range(min(middle - left, right - middle)):
        first, second = scratch[U(a)], scratch[U(b)]
        later = is_earlier(f, second, first)
        order[U(k)] = first + later * (second - first)
        a, b, k = a + 1 - later, b + later, k + 1
        first, second = scratch[U(c)], scratch[U(d)]
        later = is_earlier(f, second, first)
        order[U(m)] = second + later * (first - second)
        c, d, m = c - later, d - 1 + later, m - 1
    while k <= m:
        second = a > c or (b <= d and is_earlier(f, scratch[U(b)], scratch[U(a)]) == 1)
        order[U(k)] = scratch[U(b)] if second else scratch[U(a)]
        a, b, k = a + 1 - int(second), b + int(second), k + 1


@inlined
def is_earlier(f, second, first):
    """1 if a row of the second run comes before one of the first, else 0."""
    return int(f[U(second)] < f[U(first)])
