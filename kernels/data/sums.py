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

from typing import Any

from numba import prange
from numba.core import types

from ..calling.arguments import RAISED_VALUE, call_adapter, load, row
from ..calling.gradients import is_raised
from ..compile.jit import RELAXED, inlined, kernel
from .block_products import ALL, HALF, NOTHING, add_lines, dots
from .handing import curvatures, hand_over_rows, losses, losses_and_slopes, record_of, relaxed_part
from .losses import LINES
from .rows import block_count, block_start
from .team import NONE, block_done, open_pass, take_block, wait_for_all

MOST_SUMS = 1 << 23  # numbers: partial sums of all blocks take 64 MiB at most, but for the first
FEWEST = 8  # blocks that a wide problem keeps


@inlined
def blocks_of(m, dimension):
    """Of how many blocks a pass over m rows consists."""
    return min(block_count(m), max(FEWEST, MOST_SUMS // dimension))


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
    some_rows = relaxed_part((LINEAR if linear else GENERAL)[kind])
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

    one_block = relaxed_part(one_block)

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
