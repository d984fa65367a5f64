"""Stochastic gradient steps by all threads at once on one point, without locks: Hogwild!

    w_j <- w_j - eta (s_i l_i'(w) x_ij + l2 w_j n / n_j)       for the entries j that row i has

Niu, Recht, Re and Wright, NeurIPS 2011. Threads read and write w while others do; where rows are sparse they seldom
meet. Single numbers are whole, but which of two steps is lost hangs on the clock: nothing here is reproducible. The
penalty is shared out among the rows that have an entry (n_j of them), as in section 2 there, so that a step writes to
no other.
"""

from __future__ import annotations

from typing import Any

from numba import prange
from numba.core import types

from ..calling.adapters import once
from ..calling.arguments import VECTOR, call_adapter, load, row
from ..calling.asking import answers, make_question
from ..calling.gradients import is_raised
from ..compile.jit import RELAXED, compile_for, inlined, kernel
from .block_products import dot_of_row
from .handing import hand_over_rows, hand_over_targets, record_of
from .rows import Dense, Sparse, columns_of

INTEGERS = types.int64[::1]
FORM = types.none(types.intp, VECTOR, VECTOR, INTEGERS, types.float64, types.int64, INTEGERS)
NONE = -1


def steps_of_all(Type: Any, linear: bool) -> Any:
    """`steps(record, w, shares, order, eta, threads, failed)`: a step for each row of `order`, a part a thread.

    shares (D,): l2 n / n_j; failed (threads,): where a loss raised, its row, else NONE. The caller tells Numba on how
    many threads: code that does is not kept on disk.
    """
    step = linear_step if linear else general_step

    def part_of(address, k, w, shares, order, eta, first, stop, failed):
        data = load(address, Type)
        failed[k] = NONE
        for t in range(first, stop):
            if step(data, k, w, shares, order[t], eta):
                failed[k] = order[t]
                break

    part_of = kernel(part_of, flags=RELAXED, inner=True, cached=False)

    def steps(address, w, shares, order, eta, threads, failed):
        for k in prange(threads):
            n = order.size
            part_of(address, k, w, shares, order, eta, k * n // threads, (k + 1) * n // threads, failed)

    name = ("lock free", linear, str(Type))
    return once(name, lambda: compile_for(kernel(steps, parallel=True, flags=RELAXED), FORM))


@inlined
def linear_step(data, k, w, shares, i, eta):
    """Whether the loss raised."""
    p = columns_of(data.X)
    z, slopes = row(data.scratch.z, k)[:1], row(data.scratch.slopes, k)[:1]
    z[0] = dot_of_row(data.X, i, w)
    hand_over_targets(data, k, i, 1, data.code.place)
    value = call_adapter(data.code.gradient, (z, record_of(data, k), slopes, data.scratch.works[k, 0]))
    if is_raised(value):
        return True
    step_of_row(data.X, i, w, shares, eta, slopes[0])
    if w.size > p:
        w[p] -= eta * slopes[0]
    return False


@inlined
def general_step(data, k, w, shares, i, eta):
    g = row(data.scratch.slopes, k)[: w.size]
    hand_over_rows(data, k, i, 1)
    value = call_adapter(data.code.gradient, (w, record_of(data, k), g, data.scratch.works[k, 0]))
    if is_raised(value):
        return True
    for j in range(w.size):
        w[j] -= eta * (g[j] + shares[j] * w[j])
    return False


step_of_row = make_question("step_of_row", "X, i, w, shares, eta, slope")


@answers(step_of_row, Dense)
def _step_dense(X, i, w, shares, eta, slope):
    for j in range(X.x.shape[1]):
        w[j] -= eta * (slope * X.x[i, j] + shares[j] * w[j])


@answers(step_of_row, Sparse)
def _step_sparse(X, i, w, shares, eta, slope):
    for k in range(X.starts[i], X.starts[i + 1]):
        j = X.columns[k]
        w[j] -= eta * (slope * X.values[k] + shares[j] * w[j])
