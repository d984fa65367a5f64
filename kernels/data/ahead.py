"""Rows that are needed soon: `fetch_row(X, i)` has the machine read row i into its cache while it is at others.

Rows in random order miss every cache: of 300 ns for a step on 50 doubles, 270 were waiting for memory. They come into
the second cache: from the first, what is asked for a block ahead would drive out what is at work (a pass of runs of 64
rows: 60 ns a row, 38 so).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

from ..calling.asking import answers, make_question
from .rows import Dense, Sparse

intrinsic: Any = _intrinsic  # what it makes takes one argument less than what is written
AHEAD = 8  # rows
LINE = 8  # entries that are read at a time, of doubles

fetch_row = make_question("fetch_row", "X, i")


@intrinsic
def fetch(typingctx, array, k):
    """Read what stands around the k-th entry of an array, counted in the order of memory, into the cache."""

    def codegen(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
        place = builder.bitcast(builder.gep(view.data, [arguments[1]]), byte)
        builder.call(prefetch, [place, number(0), number(2), number(1)])  # to read, to the second cache, data
        return context.get_dummy_value()

    return types.none(array, types.intp), codegen


@answers(fetch_row, Dense)
def _fetch_dense(X, i):
    p = X.x.shape[1]
    for j in range(0, p, LINE):
        fetch(X.x, i * p + j)
    fetch(X.x, i * p + p - 1)


@answers(fetch_row, Sparse)
def _fetch_sparse(X, i):
    for k in range(X.starts[i], X.starts[i + 1], LINE):
        fetch(X.values, k)
        fetch(X.columns, k)
