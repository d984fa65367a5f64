"""A design: rows of numbers, dense or sparse, and what passes over data ask of it.

    rows_of(X), columns_of(X)         n and p
    row_dot(X, i, w)                  x_i w, over the p columns; an entry w[p] beyond them is the intercept, added
    add_row(X, i, factor, out)        out += factor x_i; an entry out[p] beyond them gets factor
    add_squares(X, i, factor, out)    out += factor x_i^2, entry by entry
    dot_rows(X, first, step, w, z)    z_k = x_i w for the rows i = first, first + step ..., as many as z has entries
    add_rows(X, first, step, factors, out)    out += the sum of factor_k x_i over such rows

Answers are chosen by the class of X when a pass is compiled, so a pass is written once for both. Numbers of X may be of
single precision; sums are in double.

Places in sparse rows are unsigned: Numba looks at the sign of others, which costs half of the time.

A pass over all rows is cut into blocks, whose number hangs on n alone: each block has a sum of its own, and these are
added in their order. So the same data gives the same bits on any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..calling.asking import answers, make_question
from ..compile.jit import inlined

BLOCKS = 64  # at most
BLOCK_ROWS = 512  # at least, but for the last
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)  # uint64 with a Python int would become a float


class Dense(NamedTuple):
    x: np.ndarray  # (n, p) C-contiguous, float64 or float32


class Sparse(NamedTuple):
    """Compressed rows, as scipy.sparse's CSR."""

    values: np.ndarray  # (nonzeros,) float64 or float32
    columns: np.ndarray  # (nonzeros,) int32, or int64 where there are more than these count
    starts: np.ndarray  # (n + 1,) of the columns' type: row i is starts[i] to starts[i + 1]
    width: int  # p


rows_of = make_question("rows_of", "X")
columns_of = make_question("columns_of", "X")
row_dot = make_question("row_dot", "X, i, w")
add_row = make_question("add_row", "X, i, factor, out")
add_squares = make_question("add_squares", "X, i, factor, out")
dot_rows = make_question("dot_rows", "X, first, step, w, z")
add_rows = make_question("add_rows", "X, first, step, factors, out")


def design(X) -> Dense | Sparse:
    """A two-dimensional array, or a sparse matrix, as a design, which nothing writes into: copied only where its
    layout demands it, and places of 64 bits where 32 are enough, which is less to read in each pass."""
    if hasattr(X, "tocsr"):
        csr = X.tocsr()
        places, starts = csr.indices, csr.indptr
        if max(csr.nnz, csr.shape[1]) < 2**31:
            places, starts = places.astype(np.int32, copy=False), starts.astype(np.int32, copy=False)
        return Sparse(as_writable(csr.data), as_writable(places), as_writable(starts), csr.shape[1])
    return Dense(as_writable(np.ascontiguousarray(X)))


class _Place:
    """Memory of an array, which it keeps alive."""

    def __init__(self, array: np.ndarray):
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}
        self.array = array


def as_writable(array: np.ndarray) -> np.ndarray:
    """The same memory in an array that Numba does not call read-only: it would compile all passes for that anew."""
    return array if array.flags.writeable else np.asarray(_Place(array))


@inlined
def block_count(n):
    """Of how many blocks a pass over n rows consists."""
    return max(1, min(BLOCKS, n // BLOCK_ROWS))


@inlined
def block_start(n, count, k):
    """Where block k begins; block `count` begins at n."""
    return k * n // count


@answers(rows_of, Dense)
def _rows_of_dense(X):
    return X.x.shape[0]


@answers(rows_of, Sparse)
def _rows_of_sparse(X):
    return X.starts.size - 1


@answers(columns_of, Dense)
def _columns_of_dense(X):
    return X.x.shape[1]


@answers(columns_of, Sparse)
def _columns_of_sparse(X):
    return X.width


@answers(row_dot, Dense)
def _row_dot_dense(X, i, w):
    p = X.x.shape[1]
    total = w[p] if w.size > p else 0.0
    for j in range(p):
        total += X.x[i, j] * w[j]
    return total


@inlined
def sparse_dot(values, columns, w, start, stop):
    """In four running sums, and no vectors: to gather eight numbers takes longer than to load them (10.8 ms to 5.1 for
    4,000,000). Indices without a sign need no look for one that counts from the end."""
    a = b = c = d = 0.0
    whole = stop - (stop - start) % 4
    for k in range(np.uint64(start), np.uint64(whole), np.uint64(4)):
        a += values[k] * w[np.uint64(columns[k])]
        b += values[k + ONE] * w[np.uint64(columns[k + ONE])]
        c += values[k + TWO] * w[np.uint64(columns[k + TWO])]
        d += values[k + THREE] * w[np.uint64(columns[k + THREE])]
    for k in range(np.uint64(whole), np.uint64(stop)):
        a += values[k] * w[np.uint64(columns[k])]
    return (a + b) + (c + d)


@inlined
def sparse_row_dot(X, i, w):
    own = w[X.width] if w.size > X.width else 0.0
    return own + sparse_dot(X.values, X.columns, w, X.starts[i], X.starts[i + 1])


@answers(row_dot, Sparse)
def _row_dot_sparse(X, i, w):
    return sparse_row_dot(X, i, w)  # without a choice in it: Numba warns where such an answer is taken in several times


@answers(add_row, Dense)
def _add_row_dense(X, i, factor, out):
    p = X.x.shape[1]
    for j in range(p):
        out[j] += factor * X.x[i, j]
    if out.size > p:
        out[p] += factor


@answers(add_row, Sparse)
def _add_row_sparse(X, i, factor, out):
    for k in range(np.uint64(X.starts[i]), np.uint64(X.starts[i + 1])):
        out[np.uint64(X.columns[k])] += factor * X.values[k]
    if out.size > X.width:
        out[X.width] += factor


@answers(add_squares, Dense)
def _add_squares_dense(X, i, factor, out):
    for j in range(X.x.shape[1]):
        out[j] += factor * (X.x[i, j] * X.x[i, j])


@answers(add_squares, Sparse)
def _add_squares_sparse(X, i, factor, out):
    for k in range(X.starts[i], X.starts[i + 1]):
        out[X.columns[k]] += factor * (X.values[k] * X.values[k])


@answers(dot_rows, Dense)
def _dot_rows_dense(X, first, step, w, z):
    for k in range(z.size):
        z[k] = row_dot(X, first + k * step, w)


@answers(dot_rows, Sparse)
def _dot_rows_sparse(X, first, step, w, z):
    own = w[X.width] if w.size > X.width else 0.0
    for k in range(z.size):
        i = first + k * step
        z[k] = own + sparse_dot(X.values, X.columns, w, X.starts[i], X.starts[i + 1])


@answers(add_rows, Dense)
def _add_rows_dense(X, first, step, factors, out):
    """Four rows at a time: out is stored a quarter as often."""
    p, whole = X.x.shape[1], factors.size - factors.size % 4
    for k in range(0, whole, 4):
        i = first + k * step
        a, b, c, d = factors[k], factors[k + 1], factors[k + 2], factors[k + 3]
        x, x1, x2, x3 = X.x[i], X.x[i + step], X.x[i + 2 * step], X.x[i + 3 * step]
        for j in range(p):
            out[j] += (a * x[j] + b * x1[j]) + (c * x2[j] + d * x3[j])
        if out.size > p:
            out[p] += (a + b) + (c + d)
    for k in range(whole, factors.size):
        add_row(X, first + k * step, factors[k], out)


@answers(add_rows, Sparse)
def _add_rows_sparse(X, first, step, factors, out):
    for k in range(factors.size):
        add_row(X, first + k * step, factors[k], out)
