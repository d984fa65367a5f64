"""Sums over rows: the mean of the losses of a batch of rows, its gradient, its Hessian times a vector.

    F(w) = 1/m sum over the rows i of a batch of s_i loss_i(w) + l2/2 |w|^2        (the intercept is not penalised)

A pass is an adapter of the forms that solvers know (calling/asking.py), with the data in the place of the arguments. So
a problem of data is one of `Functions`, and every solver takes it: the batch is all rows, or what the epoch loop says.

A batch is cut into blocks, whose number hangs on its size alone; each has sums of its own, which are added in their
order: the same bits on any number of threads. Within a block LINES rows at a time are handed to the loss (losses.py):
z = X w, the slope of each row, then X' times the slopes, while the rows are in the cache.

Threads are handed the address of the data: Numba gives no nested tuple to a parallel loop.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import prange
from numba.core import types

from ..calling.arguments import RAISED_VALUE, call_adapter, load, row, start_of
from ..calling.asking import answers, make_question
from ..calling.gradients import is_raised
from ..compile.jit import RELAXED, inlined, kernel
from ..compile.structures import IntegerMatrix, Integers, Matrix, Vector
from .ahead import fetch_row
from .four_rows import add_four, dot_four
from .losses import LINES
from .rows import Dense, Sparse, add_row, block_count, block_start, row_dot, rows_of, sparse_dot
from .team import NONE, block_done, open_pass, take_block, wait_for_all

MOST_SUMS = 1 << 23  # numbers: partial sums of all blocks take 64 MiB at most, but for the first
FEWEST = 8  # blocks that a wide problem keeps


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


@inlined
def blocks_of(m, dimension):
    """Of how many blocks a pass over m rows consists."""
    return min(block_count(m), max(FEWEST, MOST_SUMS // dimension))


# --- rows for the loss ------------------------------------------------------------------------------------------------


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


def _relaxed(function) -> Any:
    """A part whose sums may be reordered."""
    return kernel(function, flags=RELAXED, inner=True, inline=True, cached=False)


@_relaxed
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
    return sparse_row(X, i[0], w), sparse_row(X, i[1], w), sparse_row(X, i[2], w), sparse_row(X, i[3], w)


@inlined
def sparse_row(X, i, w):
    own = w[X.width] if w.size > X.width else 0.0
    return own + sparse_dot(X.values, X.columns, w, X.starts[i], X.starts[i + 1])


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
    """Rows that a later block will need, from position `first` on.

    Memory that is asked for at an even pace is there in time: so products fetch one half of the next block, and sums
    the other half (a row of 50 doubles in a batch: 36 ns with all of it beside the products, 30 so).
    """
    last = (data.order.size if data.order.size > 0 else rows_of(data.X)) - 1
    for position in range(first, first + count):
        fetch_row(data.X, row_number(data, min(position, last)))


@_relaxed
def dots(data, first, m, w, z, ahead):
    """z = X w of m rows; beside four of them, `ahead` of the next block are fetched."""
    whole = m - m % 4
    for r in range(0, whole, 4):
        fetch_ahead(data, first + LINES + r * ahead // 4, ahead)
        z[r], z[r + 1], z[r + 2], z[r + 3] = dot_four_rows(data.X, four_rows(data, first + r), w)
    for r in range(whole, m):
        z[r] = dot_of_row(data.X, row_number(data, first + r), w)


@_relaxed
def add_lines(data, first, m, factors, out):
    """out += X' factors of m rows; the other half of the next block is fetched."""
    whole = m - m % 4
    for r in range(0, whole, 4):
        fetch_ahead(data, first + LINES + LINES // 2 + r * HALF // 4, HALF)
        four = factors[r], factors[r + 1], factors[r + 2], factors[r + 3]
        add_four_rows(data.X, four_rows(data, first + r), four, out)
    for r in range(whole, m):
        add_row(data.X, row_number(data, first + r), factors[r], out)


@_relaxed
def losses(data, k, first, m, z):
    hand_over_targets(data, k, first, m, data.code.place)
    return call_adapter(data.code.value, (z, record_of(data, k)))


@_relaxed
def losses_and_slopes(data, k, first, m, z, slopes):
    hand_over_targets(data, k, first, m, data.code.place)
    return call_adapter(data.code.gradient, (z, record_of(data, k), slopes, data.scratch.works[k, 0]))


@_relaxed
def curvatures(data, k, first, m, z, along, bent):
    """bent_r = loss''(z_r) along_r."""
    hand_over_targets(data, k, first, m, data.code.place)
    return call_adapter(data.code.product, (z, record_of(data, k), along, bent, data.scratch.works[k, 1]))


# --- m rows of a block, from position `first` on; each adds to out (D,), and returns the value, or RAISED_VALUE -------
# (they are plain functions: `pass_over` compiles them)


def linear_value(data, k, first, m, w, v, out):
    z = row(data.scratch.z, k)[:m]
    dots(data, first, m, w, z, ALL)
    return losses(data, k, first, m, z)


def linear_gradient(data, k, first, m, w, v, out):
    z, slopes = row(data.scratch.z, k)[:m], row(data.scratch.slopes, k)[:m]
    dots(data, first, m, w, z, HALF)
    value = losses_and_slopes(data, k, first, m, z, slopes)
    add_lines(data, first, m, slopes, out)
    return value


def linear_product(data, k, first, m, w, v, out):
    z, bent, along = row(data.scratch.z, k)[:m], row(data.scratch.slopes, k)[:m], row(data.scratch.along, k)[:m]
    dots(data, first, m, w, z, HALF)
    dots(data, first, m, v, along, NOTHING)
    value = curvatures(data, k, first, m, z, along, bent)
    add_lines(data, first, m, bent, out)
    return value


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


def general_value(data, k, first, m, w, v, out):
    hand_over_rows(data, k, first, m)
    return call_adapter(data.code.value, (w, record_of(data, k)))


def general_gradient(data, k, first, m, w, v, out):
    hand_over_rows(data, k, first, m)
    g = row(data.scratch.slopes, k)[: w.size]
    value = call_adapter(data.code.gradient, (w, record_of(data, k), g, data.scratch.works[k, 0]))
    for j in range(out.size):
        out[j] += g[j]
    return value


def general_product(data, k, first, m, w, v, out):
    hand_over_rows(data, k, first, m)
    hv = row(data.scratch.slopes, k)[: w.size]
    value = call_adapter(data.code.product, (w, record_of(data, k), v, hv, data.scratch.works[k, 1]))
    for j in range(out.size):
        out[j] += hv[j]
    return value


# --- passes -----------------------------------------------------------------------------------------------------------

LINEAR = {"value": linear_value, "gradient": linear_gradient, "product": linear_product}
GENERAL = {"value": general_value, "gradient": general_gradient, "product": general_product}


# numba.set_num_threads by its name in machine code: what calls it by its address is not kept on disk.
_get_threads: Any = types.ExternalFunction("get_num_threads", types.int32())
_set_threads: Any = types.ExternalFunction("set_num_threads", types.void(types.int32))


def pass_over(kind: str, Type: Any, linear: bool, parallel: bool) -> Any:
    """The adapter of a pass: "value", "gradient" or "product", as in asking.FORMS; nothing is compiled yet."""
    some_rows = _relaxed((LINEAR if linear else GENERAL)[kind])
    sums = kind != "value"

    def one_block(address, k, first, stop, w, v):
        data = load(address, Type)
        out = row(data.scratch.sums, k)[: w.size]
        total = 0.0
        if sums:
            for j in range(out.size):
                out[j] = 0.0
        for start in range(first, stop, LINES):
            value = some_rows(data, k, start, min(LINES, stop - start), w, v, out)
            if is_raised(value):
                data.scratch.values[k, 1] = start
                total = value
                break
            total += value
        data.scratch.values[k, 0] = total

    one_block = _relaxed(one_block)

    def by_all(address, first, stop, count, w, v):
        for k in prange(count):
            start = first + block_start(stop - first, count, k)
            one_block(address, k, start, first + block_start(stop - first, count, k + 1), w, v)

    by_all = kernel(by_all, parallel=parallel, flags=RELAXED, inner=True)

    def over_all_rows(address, w, v, out, helps):
        data = load(address, Type)
        first, stop = data.batch[0], data.batch[1]
        count, before = blocks_of(stop - first, w.size), _get_threads()
        _set_threads(min(data.threads, before))
        by_all(address, first, stop, count, w, v)
        _set_threads(before)
        return added(data, count, w, v, out, sums)

    def by_team(address, w, v, out, helps):
        data = load(address, Type)
        if not helps:
            open_pass(data.team, blocks_of(data.batch[1] - data.batch[0], w.size))
        while True:
            k = take_block(data.team, helps)
            if k == NONE:
                break
            first, m = data.batch[0], data.batch[1] - data.batch[0]
            count = blocks_of(m, w.size)
            one_block(address, k, first + block_start(m, count, k), first + block_start(m, count, k + 1), w, v)
            block_done(data.team)
        if helps:
            return 0.0
        wait_for_all(data.team)
        return added(data, blocks_of(data.batch[1] - data.batch[0], w.size), w, v, out, sums)

    over_batch = kernel(over_all_rows if parallel else by_team, inner=True, inline=True, cached=False)

    def value(w, address):
        return over_batch(address, w, w, w, False)

    def gradient(w, address, g, helps):
        return over_batch(address, w, w, g, helps == 1)

    def product(w, address, v, hv, work):
        found = over_batch(address, w, v, hv, False)
        return found if is_raised(found) else 0.0

    return {"value": value, "gradient": gradient, "product": product}[kind]


@inlined
def added(data, count, w, v, out, sums):
    """The mean of what the blocks found, with the penalty: the value, and in out (D,) what the pass is for."""
    scratch, m, total = data.scratch, data.batch[1] - data.batch[0], 0.0
    for k in range(count):
        if is_raised(scratch.values[k, 0]):
            return RAISED_VALUE
        total += scratch.values[k, 0]
    total /= m
    if sums:
        for j in range(out.size):
            out[j] = scratch.sums[0, j]
        for k in range(1, count):
            for j in range(out.size):
                out[j] += scratch.sums[k, j]
        for j in range(out.size):
            out[j] /= m
        for j in range(data.penalised):
            out[j] += data.l2 * v[j]
    if data.l2 > 0.0:
        for j in range(data.penalised):
            total += 0.5 * data.l2 * w[j] * w[j]
    return total
