"""The data of a pass, and what the loss is handed of it: the rows of a block, their targets and weights (losses.py).

A loss is machine code with a record of arguments, of which each block has its own. The words of the rows in it are
written anew for each LINES rows: where these stand, or where they were gathered.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..calling.arguments import call_adapter, start_of
from ..compile.jit import RELAXED, inlined, kernel
from ..compile.structures import IntegerMatrix, Integers, Matrix, Vector
from .rows import Dense, Sparse


class Code(NamedTuple):
    """The machine code of a loss, and where in its record the words of the rows begin."""

    value: int  # double f(double z[m] or w[D], record)
    gradient: int
    product: int
    place: int
    dimensions: int  # of y: 0 none, 1 a number a row, 2 numbers


class Scratch(NamedTuple):
    """What a block has for itself, a row for each, and 16 words that nobody writes to between them."""

    records: IntegerMatrix  # (K, words) the arguments of the loss
    works: IntegerMatrix  # (K, 8) addresses of the workspaces of gradient and product
    z: Matrix  # (K, LINES)
    slopes: Matrix  # (K, LINES) by z; in the general form (K, D): the gradient of some rows
    along: Matrix  # (K, LINES) X v
    x: Matrix  # (K, LINES p) rows that are gathered; (K, 0) in the linear form
    y: IntegerMatrix  # (K, LINES k)
    s: Matrix  # (K, LINES)
    sums: Matrix  # (K, D)
    values: Matrix  # (K, 8) the value; where the rows begin that raised


class Data(NamedTuple):
    X: Dense | Sparse
    y: IntegerMatrix  # (n, k) the bits of numbers, or whole numbers; k = 0: none
    weights: Vector  # (n,) of mean 1; (0,): all are 1
    order: Integers  # (m,) which rows; (0,): all, as they stand
    batch: Integers  # (2,) from where to where in `order`
    ones: Vector  # (LINES,)
    code: Code
    l2: float
    penalised: int  # the first so many entries of w
    threads: int
    team: Integers  # who takes part in passes over batches (team.py)
    scratch: Scratch


def relaxed_part(function) -> Any:
    """A part whose sums may be reordered."""
    return kernel(function, flags=RELAXED, inner=True, inline=True, cached=False)


@inlined
def row_number(data, position):
    return data.order[position] if data.order.size > 0 else position


@inlined
def hand_over_targets(data, k, first, m, at):
    """y and weights of m rows into the record of block k, from word `at` on; as they stand, or gathered."""
    scratch, width = data.scratch, data.y.shape[1]
    record, ordered = scratch.records, data.order.size > 0
    if width > 0:
        place = start_of(data.y) + 8 * width * first
        if ordered:
            for r in range(m):
                i = data.order[first + r]
                for c in range(width):
                    scratch.y[k, r * width + c] = data.y[i, c]
            place = row_address(scratch.y, k)
        record[k, at], record[k, at + 1] = place, m
        at += 2
        if data.code.dimensions == 2:
            record[k, at] = width
            at += 1
    place = start_of(data.ones)
    if data.weights.size > 0:
        place = start_of(data.weights) + 8 * first
        if ordered:
            for r in range(m):
                scratch.s[k, r] = data.weights[data.order[first + r]]
            place = row_address(scratch.s, k)
    record[k, at], record[k, at + 1] = place, m


@inlined
def row_address(a, k):
    """Of row k of a matrix of words."""
    return start_of(a) + 8 * a.shape[1] * k


@inlined
def record_of(data, k):
    return row_address(data.scratch.records, k)


@inlined
def place_of_rows(data, k, first, m):
    """The address of m rows in double precision: where they stand, or gathered."""
    X, scratch = data.X.x, data.scratch
    if data.order.size == 0 and X.itemsize == 8:
        return start_of(X) + 8 * X.shape[1] * first
    for r in range(m):
        i, at = row_number(data, first + r), r * X.shape[1]
        for j in range(X.shape[1]):
            scratch.x[k, at + j] = X[i, j]
    return row_address(scratch.x, k)


@inlined
def hand_over_rows(data, k, first, m):
    """The same with X before them."""
    record, at = data.scratch.records, data.code.place
    record[k, at] = place_of_rows(data, k, first, m)
    record[k, at + 1] = m
    record[k, at + 2] = data.X.x.shape[1]
    hand_over_targets(data, k, first, m, at + 3)


@relaxed_part
def losses(data, k, first, m, z):
    hand_over_targets(data, k, first, m, data.code.place)
    return call_adapter(data.code.value, (z, record_of(data, k)))


@relaxed_part
def losses_and_slopes(data, k, first, m, z, slopes):
    hand_over_targets(data, k, first, m, data.code.place)
    return call_adapter(data.code.gradient, (z, record_of(data, k), slopes, data.scratch.works[k, 0]))


@relaxed_part
def curvatures(data, k, first, m, z, along, bent):
    """bent_r = loss''(z_r) along_r."""
    hand_over_targets(data, k, first, m, data.code.place)
    return call_adapter(data.code.product, (z, record_of(data, k), along, bent, data.scratch.works[k, 1]))
