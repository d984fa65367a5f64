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
from .losses import LINES
from .rows import Dense, Sparse, add_row, block_count, block_start, row_dot

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
    """What a block has for itself, a row for each; they begin 64 bytes apart at least."""

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


@_relaxed
def dots(data, first, m, w, z):
    """z = X w of m rows; rows that are gathered are fetched a block ahead."""
    last = data.order.size - 1
    for r in range(m):
        if last >= 0:
            fetch_row(data.X, data.order[min(first + r + LINES, last)])
        z[r] = dot_of_row(data.X, row_number(data, first + r), w)


add_four = make_question("add_four", "X, i, i1, i2, i3, a, b, c, d, out")


@answers(add_four, Dense)
def _add_four_dense(X, i, i1, i2, i3, a, b, c, d, out):
    """Four rows at a time: out is stored a quarter as often."""
    p, x, x1, x2, x3 = X.x.shape[1], X.x[i], X.x[i1], X.x[i2], X.x[i3]
    for j in range(p):
        out[j] += (a * x[j] + b * x1[j]) + (c * x2[j] + d * x3[j])
    if out.size > p:
        out[p] += (a + b) + (c + d)


@answers(add_four, Sparse)
def _add_four_sparse(X, i, i1, i2, i3, a, b, c, d, out):
    for row_of_four, factor in ((i, a), (i1, b), (i2, c), (i3, d)):
        add_row(X, row_of_four, factor, out)


@_relaxed
def add_lines(data, first, m, factors, out):
    """out += X' factors of m rows."""
    whole = m - m % 4
    for r in range(0, whole, 4):
        at = first + r
        add_four(
            data.X, row_number(data, at), row_number(data, at + 1), row_number(data, at + 2), row_number(data, at + 3),
            factors[r], factors[r + 1], factors[r + 2], factors[r + 3], out,
        )  # fmt: skip
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
    dots(data, first, m, w, z)
    return losses(data, k, first, m, z)


def linear_gradient(data, k, first, m, w, v, out):
    z, slopes = row(data.scratch.z, k)[:m], row(data.scratch.slopes, k)[:m]
    dots(data, first, m, w, z)
    value = losses_and_slopes(data, k, first, m, z, slopes)
    add_lines(data, first, m, slopes, out)
    return value


def linear_product(data, k, first, m, w, v, out):
    z, bent, along = row(data.scratch.z, k)[:m], row(data.scratch.slopes, k)[:m], row(data.scratch.along, k)[:m]
    dots(data, first, m, w, z)
    dots(data, first, m, v, along)
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

    def all_blocks(address, first, stop, count, w, v):
        for k in prange(count):
            start = first + block_start(stop - first, count, k)
            one_block(address, k, start, first + block_start(stop - first, count, k + 1), w, v)

    all_blocks = kernel(all_blocks, parallel=parallel, flags=RELAXED, inner=True)

    def over_batch(address, w, v, out):
        data = load(address, Type)
        first, stop = data.batch[0], data.batch[1]
        count, before = blocks_of(stop - first, w.size), 0
        if parallel:
            before = _get_threads()
            _set_threads(min(data.threads, before))
        all_blocks(address, first, stop, count, w, v)
        if parallel:
            _set_threads(before)
        return added(data, count, w, v, out, sums)

    over_batch = kernel(over_batch, inner=True, inline=True, cached=False)

    def value(w, address):
        return over_batch(address, w, w, w)

    def gradient(w, address, g, work):
        return over_batch(address, w, w, g)

    def product(w, address, v, hv, work):
        found = over_batch(address, w, v, hv)
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
