"""Ranks: the rows of a vector of values from best to worst, equal values by row."""

from ..compile.jit import inlined, part

FEW = 48  # rows that are ranked faster by n**2 comparisons than by a sort


@part
def sort_rows(f, order, scratch, start, stop):
    """order[start:stop]: the rows [start, stop) by f, equal values by row."""
    if stop - start <= FEW:
        count_better(f, order, start, stop)
    else:
        merge_sort(f, order, scratch, start, stop)


@inlined
def count_better(f, order, start, stop):
    """The place of a row is the number of those before it: n**2 comparisons, but no branch to be guessed."""
    for i in range(start, stop):
        value, place = f[i], start
        for k in range(start, i):
            place += 1 if f[k] <= value else 0
        for k in range(i + 1, stop):
            place += 1 if f[k] < value else 0
        order[place] = i


@inlined
def merge_sort(f, order, scratch, start, stop):
    """Stable merge sort, runs of 8 by insertion."""
    for i in range(start, stop):
        order[i] = i
    for left in range(start, stop, 8):
        for i in range(left + 1, min(left + 8, stop)):
            moved, k = order[i], i
            while k > left and f[moved] < f[order[k - 1]]:
                order[k] = order[k - 1]
                k -= 1
            order[k] = moved
    width = 8
    while width < stop - start:
        for left in range(start, stop, 2 * width):
            merge_runs(f, order, scratch, left, min(left + width, stop), min(left + 2 * width, stop))
        width *= 2


@inlined
def merge_runs(f, order, scratch, left, middle, right):
    """Merge order[left:middle] and order[middle:right], each sorted."""
    if middle >= right or f[order[middle - 1]] <= f[order[middle]]:
        return
    for k in range(left, middle):
        scratch[k] = order[k]
    a, b = left, middle
    for k in range(left, right):
        if a < middle and (b >= right or f[scratch[a]] <= f[order[b]]):
            order[k] = scratch[a]
            a += 1
        elif a < middle:
            order[k] = order[b]
            b += 1
        else:
            return
