"""A design by columns, for methods that change one coefficient at a time.

    rows_of(X), columns_of(X)      n and p, as of rows
    column_dot(X, j, v)            the sum of x_ij v_i
    column_square(X, j, v)         the sum of x_ij^2 v_i
    add_column(X, j, factor, v)    v += factor x_j

A sparse design is converted once; a dense one is transposed, which costs nothing where it lies by columns (Fortran's
order), else a copy.
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
column_square = make_question("column_square", "X, j, v")
add_column = make_question("add_column", "X, j, factor, v")


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
    total = 0.0
    for i in range(X.x.shape[1]):
        total += X.x[j, i] * v[i]
    return total


@answers(column_dot, SparseColumns)
def _column_dot_sparse(X, j, v):
    total = 0.0
    for k in range(X.starts[j], X.starts[j + 1]):
        total += X.values[k] * v[X.rows[k]]
    return total


@answers(column_square, DenseColumns)
def _column_square_dense(X, j, v):
    total = 0.0
    for i in range(X.x.shape[1]):
        x = float(X.x[j, i])
        total += x * x * v[i]
    return total


@answers(column_square, SparseColumns)
def _column_square_sparse(X, j, v):
    total = 0.0
    for k in range(X.starts[j], X.starts[j + 1]):
        x = float(X.values[k])
        total += x * x * v[X.rows[k]]
    return total


@answers(add_column, DenseColumns)
def _add_column_dense(X, j, factor, v):
    for i in range(X.x.shape[1]):
        v[i] += factor * X.x[j, i]


@answers(add_column, SparseColumns)
def _add_column_sparse(X, j, factor, v):
    for k in range(X.starts[j], X.starts[j + 1]):
        v[X.rows[k]] += factor * X.values[k]
