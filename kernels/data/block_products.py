"""Products of some rows of a pass with a vector, and their sum: z = X w, and out += X' factors, as they are ordered.

Four rows at a time. Memory that is asked for at an even pace is there in time: products ask for one half of the rows of
the next block, sums for the other half (a row of 50 doubles in a batch: 36 ns with all of it beside products, 30 so).
"""

from __future__ import annotations

from ..calling.asking import answers, make_question
from ..compile.jit import inlined
from .ahead import fetch_row
from .four_rows import add_four, dot_four
from .handing import relaxed_part, row_number
from .losses import LINES
from .rows import Dense, Sparse, add_row, row_dot, rows_of


@relaxed_part
def dot_of_row(X, i, w):
    return row_dot(X, i, w)


dot_four_rows = make_question("dot_four_rows", "X, i, w")
add_four_rows = make_question("add_four_rows", "X, i, factors, out")


@answers(dot_four_rows, Dense)
def _dot_four_dense(X, i, w):
    p, z = X.x.shape[1], dot_four(X.x, i, w)
    own = w[p] if w.size > p else 0.0
    return z[0] + own, z[1] + own, z[2] + own, z[3] + own


@answers(dot_four_rows, Sparse)
def _dot_four_sparse(X, i, w):
    return row_dot(X, i[0], w), row_dot(X, i[1], w), row_dot(X, i[2], w), row_dot(X, i[3], w)


@answers(add_four_rows, Dense)
def _add_four_dense(X, i, factors, out):
    p = X.x.shape[1]
    add_four(X.x, i, factors, out)
    if out.size > p:
        out[p] += (factors[0] + factors[1]) + (factors[2] + factors[3])


@answers(add_four_rows, Sparse)
def _add_four_sparse(X, i, factors, out):
    for r in range(4):
        add_row(X, i[r], factors[r], out)


@inlined
def four_rows(data, at):
    return row_number(data, at), row_number(data, at + 1), row_number(data, at + 2), row_number(data, at + 3)


ALL, HALF, NOTHING = 4, 2, 0  # how many rows are fetched beside four that are at work


@inlined
def fetch_ahead(data, first, count):
    """Have rows that the next block needs read into the cache, from position `first` on."""
    last = (data.order.size if data.order.size > 0 else rows_of(data.X)) - 1
    for position in range(first, first + count):
        fetch_row(data.X, row_number(data, min(position, last)))


@relaxed_part
def dots(data, first, m, w, z, ahead):
    """z = X w of m rows; beside four of them, `ahead` of the next block are fetched."""
    whole = m - m % 4
    for r in range(0, whole, 4):
        fetch_ahead(data, first + LINES + r * ahead // 4, ahead)
        z[r], z[r + 1], z[r + 2], z[r + 3] = dot_four_rows(data.X, four_rows(data, first + r), w)
    for r in range(whole, m):
        z[r] = dot_of_row(data.X, row_number(data, first + r), w)


@relaxed_part
def add_lines(data, first, m, factors, out):
    """out += X' factors of m rows; the other half of the next block is fetched."""
    whole = m - m % 4
    for r in range(0, whole, 4):
        fetch_ahead(data, first + LINES + LINES // 2 + r * HALF // 4, HALF)
        four = factors[r], factors[r + 1], factors[r + 2], factors[r + 3]
        add_four_rows(data.X, four_rows(data, first + r), four, out)
    for r in range(whole, m):
        add_row(data.X, row_number(data, first + r), factors[r], out)
