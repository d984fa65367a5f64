"""A design by columns, for methods that change one coefficient at a time.

    rows_of(X), columns_of(X)      n and p, as of rows
    column_dot(X, j, v)            the sum of x_ij v_i
    column_moments(X, j, v)        that, and the sum of x_ij^2 v_i
    add_column(X, j, factor, v)    v += factor x_j
    add_weighted(X, j, factor, c, v)    v += factor x_j c, entry by entry

A sparse design is converted once; a dense one is transposed, which costs nothing where it lies by columns (Fortran's
order), else a copy. Kernels that ask these of sparse columns have no flags: LLVM would make gathers of the loops, which
take twice the time of single loads here (4 million numbers: 22 ms, 8 in four running sums).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..calling.asking import answers, make_question
from .rows import Dense, Sparse, columns_of, rows_of


class DenseColumns(NamedTuple):
    x: np.ndarray  # (p, n) C-contiguous, float64 or float32: row j is column j of the design


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


def by_columns(X: Dense | Sparse) -> DenseColumns | SparseColumns:
    """The same numbers, by columns."""
    if isinstance(X, Dense):
        return DenseColumns(np.ascontiguousarray(X.x.T))
    from scipy.sparse import csr_matrix

    csc = csr_matrix((X.values, X.columns, X.starts), shape=(X.starts.size - 1, X.width)).tocsc()
    return SparseColumns(csc.data, csc.indices, csc.indptr, csc.shape[0])


@answers(rows_of, DenseColumns)
def _rows_of_dense(X):
    return X.x.shape[1]


@answers(rows_of, SparseColumns)
def _rows_of_sparse(X):
    return X.height


@answers(columns_of, DenseColumns)
def _columns_of_dense(X):
    return X.x.shape[0]


@answers(columns_of, SparseColumns)
def _columns_of_sparse(X):
    return X.starts.size - 1


@answers(column_dot, DenseColumns)
def _column_dot_dense(X, j, v):
    n = X.x.shape[1]
    a, b, c, d, whole = 0.0, 0.0, 0.0, 0.0, n - n % 4
    for i in range(0, whole, 4):
        a += X.x[j, i] * v[i]
        b += X.x[j, i + 1] * v[i + 1]
        c += X.x[j, i + 2] * v[i + 2]
        d += X.x[j, i + 3] * v[i + 3]
    for i in range(whole, n):
        a += X.x[j, i] * v[i]
    return (a + b) + (c + d)


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


@answers(column_moments, DenseColumns)
def _column_moments_dense(X, j, v):
    total, square = 0.0, 0.0
    for i in range(X.x.shape[1]):
        term = X.x[j, i] * v[i]
        total += term
        square += X.x[j, i] * term
    return total, square


@answers(column_moments, SparseColumns)
def _column_moments_sparse(X, j, v):
    total, square = 0.0, 0.0
    for e in range(X.starts[j], X.starts[j + 1]):
        term = X.values[e] * v[X.rows[e]]
        total += term
        square += X.values[e] * term
    return total, square


@answers(add_column, DenseColumns)
def _add_column_dense(X, j, factor, v):
    for i in range(X.x.shape[1]):
        v[i] += factor * X.x[j, i]


@answers(add_column, SparseColumns)
def _add_column_sparse(X, j, factor, v):
    for e in range(X.starts[j], X.starts[j + 1]):
        v[X.rows[e]] += factor * X.values[e]


@answers(add_weighted, DenseColumns)
def _add_weighted_dense(X, j, factor, c, v):
    for i in range(X.x.shape[1]):
        v[i] += factor * X.x[j, i] * c[i]


@answers(add_weighted, SparseColumns)
def _add_weighted_sparse(X, j, factor, c, v):
    for e in range(X.starts[j], X.starts[j + 1]):
        i = X.rows[e]
        v[i] += factor * X.values[e] * c[i]
