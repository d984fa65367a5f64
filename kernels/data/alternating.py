"""Alternating least squares: with the items fixed, the best row of each user is a small linear system, and vice versa.

    explicit   min of the sum over ratings of (r_ui - estimate)² + lambda (|x_u|² + b_u² + |y_i|² + c_i²)
               with the estimate mean + b_u + c_i + x_u y_i:
               Zhou, Wilkinson, Schreiber and Pan (2008): the penalty of a row is lambda times its ratings. With biases:
               Koren, Bell and Volinsky, Computer 42(8) (2009) 30.
    implicit   min of the sum over all cells of c_ui (p_ui - x_u y_i)² + lambda (|X|² + |Y|²), p_ui = 1 where r_ui > 0,
               c_ui = 1 + alpha r_ui: Hu, Koren and Volinsky (2008) equations 2 to 4. The cells without a rating come in
               by Y'Y alone.

A row's system is A x = b with A = G + (penalty) I + the sum of f f', b = the sum of s f over its ratings, where

    explicit   G = 0,   f = (y_i, 1),               s = r - mean - c_i
    implicit   G = Y'Y, f = (alpha r)^(1/2) y_i,    s = (1 + alpha r) / (alpha r)^(1/2)

solved by Cholesky, or by some steps of conjugate gradients from where the row was (Takacs, Pilaszy and Tikk, RecSys
2011). Rows are independent of each other, so bits do not hang on threads.

The objective costs nothing: at any x, with r = b - A x, the row's part of it is (constant) - x (b + r).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ..compile.jit import RELAXED, kernel
from ..numbers.tiles import add_rows, add_squares, factorise, solve_factorised
from .factors import inlined_relaxed
from .four_rows import dot_four

TINY = 1e-28  # of a squared residual beside the squared right-hand side
TILE = 32  # rows of f that stay in the cache while their products are added


@kernel(parallel=True, flags=RELAXED)
def solve_rows(starts, columns, values, blocks, fixed, gram, penalty, steps, model, rows, losses):
    """Each row of `rows` for the other side's rows `fixed`; losses (blocks,): the objective, each block's part of it.

    steps: of conjugate gradients; 0: by Cholesky. gram (width, width) is G. Rows without ratings become 0. The penalty
    of `fixed` is no part of the losses.
    """
    width, number = rows.shape[1], rows.dtype.type
    for k in prange(blocks.size - 1):
        most = TILE
        if steps > 0:
            for u in range(blocks[k], blocks[k + 1]):
                most = max(most, starts[u + 1] - starts[u])
        f, s, c = np.empty((most, width), rows.dtype), np.empty((most, 1), rows.dtype), np.empty((most, 1), rows.dtype)
        system = np.empty((width if steps == 0 else 4, width), rows.dtype)
        x = np.empty((1, width), rows.dtype)
        total = 0.0
        for u in range(blocks[k], blocks[k + 1]):
            mine, theirs = values[starts[u] : starts[u + 1]], columns[starts[u] : starts[u + 1]]
            if mine.size == 0:
                rows[u, :] = 0
                continue
            ridge = number(penalty if model.confidence > 0.0 else penalty * mine.size)
            if steps == 0:
                total += by_cholesky(mine, theirs, fixed, gram, ridge, model, f, s, system, x)
            else:
                x[0, :] = rows[u]
                total += by_conjugate_gradients(mine, theirs, fixed, gram, ridge, model, f, s, c, steps, system, x)
            rows[u, :] = x[0]
        losses[k] = total


@inlined_relaxed
def gather(values, columns, first, last, fixed, model, f, s):
    """f (., width) and s (., 1) of some of a row's ratings; returns their part of the objective at x = 0."""
    rank, constant, number = model.rank, np.float64(0.0), f.dtype.type
    if model.confidence > 0.0:
        for t in range(last - first):
            more = model.confidence * np.float64(values[first + t])
            s[t, 0] = number(np.sqrt(more))
            constant += 1.0 + more
        for t in range(last - first):
            i, root = columns[first + t], s[t, 0]
            for j in range(fixed.shape[1]):
                f[t, j] = root * fixed[i, j]
        for t in range(last - first):
            s[t, 0] += number(1.0) / s[t, 0]
        return constant
    for t in range(last - first):
        i = columns[first + t]
        target = np.float64(values[first + t]) - model.mean
        for j in range(fixed.shape[1]):
            f[t, j] = fixed[i, j]
        if model.biases:
            target -= np.float64(fixed[i, rank])
            f[t, rank] = 1
        s[t, 0] = target
        constant += target * target
    return constant


@inlined_relaxed
def by_cholesky(values, columns, fixed, gram, ridge, model, f, s, system, x):
    """x (1, width) becomes the solution for a row's ratings. Returns the row's part of the objective."""
    width, n, constant = x.shape[1], model.rank + model.biases, 0.0
    for i in range(width):
        for j in range(width):
            system[i, j] = gram[i, j]
        system[i, i] += ridge
        x[0, i] = 0
    for first in range(0, values.size, TILE):
        last = min(first + TILE, values.size)
        constant += gather(values, columns, first, last, fixed, model, f, s)
        add_squares(f, 0, last - first, system)
        add_rows(s, f, 0, last - first, x)
    if not factorise(system, n):
        x[0, :] = np.nan
        return np.nan
    return constant - solve_factorised(system, n, x.reshape((width, 1)), x)


@inlined_relaxed
def by_conjugate_gradients(values, columns, fixed, gram, ridge, model, f, s, c, steps, vectors, x):
    """x (1, width) goes some steps towards the solution. Returns the row's part of the objective."""
    width, count = x.shape[1], values.size
    constant = gather(values, columns, 0, count, fixed, model, f, s)
    b, r, p, ap = vectors[0:1], vectors[1:2], vectors[2:3], vectors[3:4]
    b[:] = 0
    add_rows(s, f, 0, count, b)
    times_system(f, c, count, gram, ridge, x, ap)
    for j in range(width):
        r[0, j] = p[0, j] = b[0, j] - ap[0, j]
    size = row_product(r, r)
    for _ in range(steps):
        if size < TINY * row_product(b, b):  # it is solved, or there is nothing to solve
            break
        times_system(f, c, count, gram, ridge, p, ap)
        step = size / row_product(p, ap)
        for j in range(width):
            x[0, j] += step * p[0, j]
            r[0, j] -= step * ap[0, j]
        before, size = size, row_product(r, r)
        for j in range(width):
            p[0, j] = r[0, j] + size / before * p[0, j]
    return constant - row_product(x, b) - row_product(x, r)


@inlined_relaxed
def times_system(f, c, count, gram, ridge, v, out):
    """out = G v + ridge v + the sum of f (f v), all of them (1, width); c (count, 1): the products f v."""
    width, number, whole = v.shape[1], v.dtype.type, count - count % 4  # (32 floats are too few for LLVM's vectors)
    for t in range(0, whole, 4):
        c[t, 0], c[t + 1, 0], c[t + 2, 0], c[t + 3, 0] = dot_four(f, (t, t + 1, t + 2, t + 3), v)
    for t in range(whole, count):
        total = number(0.0)
        for j in range(width):
            total += f[t, j] * v[0, j]
        c[t, 0] = total
    for j in range(width):
        out[0, j] = ridge * v[0, j]
    add_rows(v.reshape((width, 1)), gram, 0, width, out)
    add_rows(c, f, 0, count, out)


@inlined_relaxed
def row_product(a, b):
    total = np.float64(0.0)
    for j in range(a.shape[1]):
        total += np.float64(a[0, j]) * np.float64(b[0, j])
    return total
