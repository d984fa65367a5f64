"""A design by columns, which may be centred, and what coordinate descent asks of it.

    columns_in(X)                            p
    column_dot(X, j, r)                      x_j r
    add_column(X, j, factor, r)              r += factor x_j
    settle(X, r)                             r as it is where add_column put off a part of it
    correlate(X, r, which, begin, end, c)    c_j = x_j r for j = which[begin:end], r being settled
    residual_square(X, r, w)                 |y - X w|^2, r being settled

r is the residual y - X w (n,), and one entry more for what is put off. Three kinds answer:

- `CentredDense`: a column is a line of memory.
- `CentredSparse`: a column is x_j - m_j s, where x_j is kept as its nonzeros, m_j is its mean and s (n,) are the square
  roots of the sample weights (ones without them). Subtracting m_j s would touch all of r; instead r holds a multiple of
  s in its last entry. The true residual is orthogonal to s, where there are means, so m_j s drops out of its products.
- `Gram`: X'X in the place of X, and X'r (p,) in the place of r. An update costs p, whatever n is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..calling.arguments import row
from ..calling.asking import answers, make_question
from ..compile.jit import part
from ..numbers.linear_algebra import dot
from ..numbers.sums import dots


class CentredDense(NamedTuple):
    x: np.ndarray  # (p, n) C-contiguous: one column after another


class CentredSparse(NamedTuple):
    """Compressed columns, as scipy.sparse's CSC."""

    values: np.ndarray  # (nonzeros,)
    rows: np.ndarray  # (nonzeros,) int32
    starts: np.ndarray  # (p + 1,) int32: column j is starts[j] to starts[j + 1]
    means: np.ndarray  # (p,) zeros: not centred
    scale: np.ndarray  # (n,) s
    weight: float  # s's


class Gram(NamedTuple):
    products: np.ndarray  # (at least p, at least p) X'X
    targets: np.ndarray  # (p,) X'y
    square: float  # y'y


columns_in = make_question("columns_in", "X")
column_dot = make_question("column_dot", "X, j, r")
add_column = make_question("add_column", "X, j, factor, r")
settle = make_question("settle", "X, r")
correlate = make_question("correlate", "X, r, which, begin, end, c")
residual_square = make_question("residual_square", "X, r, w")


# --- dense ----------------------------------------------------------------------------------------------------------


@answers(columns_in, CentredDense)
def _columns_dense(X):
    return X.x.shape[0]


@answers(column_dot, CentredDense)
def _dot_dense(X, j, r):
    return dot(row(X.x, j), r, X.x.shape[1])


@answers(add_column, CentredDense)
def _add_dense(X, j, factor, r):
    x = row(X.x, j)
    for i in range(X.x.shape[1]):
        r[i] += factor * x[i]


@answers(settle, CentredDense)
def _settle_dense(X, r):
    pass


@answers(correlate, CentredDense)
def _correlate_dense(X, r, which, begin, end, c):
    x, n = X.x, X.x.shape[1]
    whole = begin + (end - begin) // 4 * 4
    for k in range(begin, whole, 4):
        h, i, j, m = which[k], which[k + 1], which[k + 2], which[k + 3]
        c[h], c[i], c[j], c[m] = dots((row(x, h), row(x, i), row(x, j), row(x, m)), (r,), n)
    for k in range(whole, end):
        c[which[k]] = dot(row(x, which[k]), r, n)


@answers(residual_square, CentredDense)
def _square_dense(X, r, w):
    return dot(r, r, X.x.shape[1])


# --- sparse ---------------------------------------------------------------------------------------------------------


@answers(columns_in, CentredSparse)
def _columns_sparse(X):
    return X.means.size


@answers(column_dot, CentredSparse)
def _dot_sparse(X, j, r):
    total = r[r.size - 1] * X.means[j] * X.weight  # s x_j = m_j s's
    for k in range(X.starts[j], X.starts[j + 1]):
        total += X.values[k] * r[X.rows[k]]
    return total


@answers(add_column, CentredSparse)
def _add_sparse(X, j, factor, r):
    for k in range(X.starts[j], X.starts[j + 1]):
        r[X.rows[k]] += factor * X.values[k]
    r[r.size - 1] -= factor * X.means[j]


@answers(settle, CentredSparse)
def _settle_sparse(X, r):
    n = X.scale.size
    for i in range(n):
        r[i] += r[n] * X.scale[i]
    r[n] = 0.0


@answers(correlate, CentredSparse)
def _correlate_sparse(X, r, which, begin, end, c):
    along = dot(X.scale, r, X.scale.size)  # nought, where there are means, but for rounding
    for i in range(begin, end):
        j = which[i]
        total = -X.means[j] * along
        for k in range(X.starts[j], X.starts[j + 1]):
            total += X.values[k] * r[X.rows[k]]
        c[j] = total


@answers(residual_square, CentredSparse)
def _square_sparse(X, r, w):
    return dot(r, r, X.scale.size)


# --- products only --------------------------------------------------------------------------------------------------


@answers(columns_in, Gram)
def _columns_gram(X):
    return X.targets.size


@answers(column_dot, Gram)
def _dot_gram(X, j, r):
    return r[j]


@answers(add_column, Gram)
def _add_gram(X, j, factor, r):
    products = row(X.products, j)
    for i in range(X.targets.size):
        r[i] += factor * products[i]


@answers(settle, Gram)
def _settle_gram(X, r):
    pass


@answers(correlate, Gram)
def _correlate_gram(X, r, which, begin, end, c):
    for k in range(begin, end):
        c[which[k]] = r[which[k]]


@answers(residual_square, Gram)
def _square_gram(X, r, w):
    return gram_square(X.square, X.targets, r, w)


@part
def gram_square(square, targets, q, w):
    """y'y - w'(X'y + X'r)"""
    for j in range(targets.size):
        square -= w[j] * (targets[j] + q[j])
    return max(square, 0.0)
