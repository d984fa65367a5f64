"""A design by columns, for methods that change one coefficient at a time.

    rows_of(X), columns_of(X)      n and p, as of rows
    column_dot(X, j, v)            the sum of x_ij v_i
    column_moments(X, j, v)        that, and the sum of x_ij^2 v_i
    add_column(X, j, factor, v)    v += factor x_j
    add_weighted(X, j, factor, c, v)    v += factor x_j c, entry by entry

They are compressed columns, made once. Kernels that ask these have no flags: LLVM would make gathers of the loops,
which take twice the time of single loads here (4 million numbers: 22 ms, 8 in four running sums).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..calling.asking import answers, make_question
from .rows import Dense, Sparse, columns_of, rows_of


class SparseColumns(NamedTuple):
    """Compressed columns, as scipy.sparse's CSC."""

    values: np.ndarray  # (nonzeros,) float64 or float32
    rows: np.ndarray  # (nonzeros,) int32 or int64
    starts: np.ndarray  # (p + 1,): column j is starts[j] to starts[j + 1]
    height: int  # n


column_dot = make_question("column_dot", "X, j, v")
column_moments = make_question("column_moments", "X, j, v")
add_column = make_question("add_column", "X, j, factor, v")
add_weighted = make_question("add_weighted", "X, j, factor, c, v")


def by_columns(X: Dense | Sparse) -> SparseColumns:
    """The same numbers, by columns; of a dense design, all of them."""
    if isinstance(X, Dense):
        n, p = X.x.shape
        index = np.int32 if n * p < 2**31 else np.int64
        rows, starts = np.tile(np.arange(n, dtype=index), p), np.arange(0, n * p + 1, n, dtype=index)
        return SparseColumns(np.array(X.x.T, np.float64, order="C").ravel(), rows, starts, n)
    from scipy.sparse import csr_matrix

    height = X.starts.size - 1
    csc = csr_matrix((X.values, X.columns, X.starts), shape=(height, X.width)).tocsc()
    return SparseColumns(csc.data, csc.indices, csc.indptr, height)


@answers(rows_of, SparseColumns)
def _rows_of_sparse(X):
    return X.height


@answers(columns_of, SparseColumns)
def _columns_of_sparse(X):
    return X.starts.size - 1


@answers(column_dot, SparseColumns)
def _column_dot_sparse(X, j, v):
    first, end = X.starts[j], X.starts[j + 1]
    a, b, c, d, whole = 0.0, 0.0, 0.0, 0.0, end - (end - first) % 4
    for e in range(first, whole, 4):
        a += X.values[e] * v[X.rows[e]]
        b += X.values[e + 1] * v[X.rows[e + 1]]
        c += X.values[e + 2] * v[X.rows[e + 2]]
        d += X.values[e + 3] * v[X.rows[e + 3]]
    for e in range(whole, end):
        a += X.values[e] * v[X.rows[e]]
    return (a + b) + (c + d)


@answers(column_moments, SparseColumns)
def _column_moments_sparse(X, j, v):
    total, square = 0.0, 0.0
    for e in range(X.starts[j], X.starts[j + 1]):
        term = X.values[e] * v[X.rows[e]]
        total += term
        square += X.values[e] * term
    return total, square


@answers(add_column, SparseColumns)
def _add_column_sparse(X, j, factor, v):
    for e in range(X.starts[j], X.starts[j + 1]):
        v[X.rows[e]] += factor * X.values[e]


@answers(add_weighted, SparseColumns)
def _add_weighted_sparse(X, j, factor, c, v):
    for e in range(X.starts[j], X.starts[j + 1]):
        i = X.rows[e]
        v[i] += factor * X.values[e] * c[i]
