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
from ..numbers.tiles import LANES, add_row, add_squares, factorise, solve_factorised
from .factors import inlined_relaxed

TINY = 1e-28  # of a squared residual beside the squared right-hand side
TILE = 16  # rows of f that stay in the cache while their products are added


@kernel(parallel=True, flags=RELAXED)
def solve_rows(starts, columns, values, blocks, fixed, gram, penalty, steps, model, rows, losses):
    """Each row of `rows` for the other side's rows `fixed`; losses (blocks,): the objective, each block's part of it.

    steps: of conjugate gradients; 0: by Cholesky. gram (width, width) is G. Rows without ratings become 0. The penalty
    of `fixed` is no part of the losses.
    """
    width, n = rows.shape[1], model.rank + model.biases
    for k in prange(blocks.size - 1):
        most = 1
        for u in range(blocks[k], blocks[k + 1]):
            most = max(most, starts[u + 1] - starts[u])
        f, s, c = np.empty((most, width), rows.dtype), np.empty((most, 1), rows.dtype), np.empty((most, 1), rows.dtype)
        system = np.empty((width if steps == 0 else 4, width), rows.dtype)
        x = np.empty((1, width), rows.dtype)
        total = 0.0
        for u in range(blocks[k], blocks[k + 1]):
            count = starts[u + 1] - starts[u]
            if count == 0:
                rows[u, :] = 0
                continue
            ridge = rows.dtype.type(penalty if model.confidence > 0.0 else penalty * count)
            x[0, :] = rows[u]
            total += gather(columns, values, starts[u], count, fixed, model, f, s)
            if steps == 0:
                total -= by_cholesky(f, s, count, gram, ridge, n, system, x)
            else:
                total -= by_conjugate_gradients(f, s, c, count, gram, ridge, steps, system, x)
            rows[u] = x[0]
        losses[k] = total


@inlined_relaxed
def gather(columns, values, start, count, fixed, model, f, s):
    """f (count, width) and s (count, 1) of a row's ratings; returns the objective of the row at x = 0."""
    rank, constant = model.rank, 0.0
    for t in range(count):
        i, r = columns[start + t], np.float64(values[start + t])
        root, target, part = 1.0, 0.0, 0.0
        if model.confidence > 0.0:
            root = np.sqrt(model.confidence * r)
            part = 1.0 + model.confidence * r
            target = part / root
        else:
            target = r - model.mean - (np.float64(fixed[i, rank]) if model.biases else 0.0)
            part = target * target
        constant += part
        scale = f.dtype.type(root)
        for j in range(fixed.shape[1]):
            f[t, j] = scale * fixed[i, j]
        if model.biases:
            f[t, rank] = 1
        s[t, 0] = target
    return constant


@inlined_relaxed
def by_cholesky(f, s, count, gram, ridge, n, system, x):
    """x (1, width) becomes the solution. Returns x b."""
    width = x.shape[1]
    for i in range(width):
        for j in range(width):
            system[i, j] = gram[i, j]
        system[i, i] += ridge
        x[0, i] = 0
    for first in range(0, count, TILE):
        last = min(first + TILE, count)
        add_squares(f, first, last, system)
        for j in range(0, width, LANES):
            add_row(x, 0, j, s, f, first, last)
    if not factorise(system, n):
        x[0, :] = np.nan
        return np.nan
    return solve_factorised(system, n, x.reshape((width, 1)), x)


@inlined_relaxed
def by_conjugate_gradients(f, s, c, count, gram, ridge, steps, vectors, x):
    """x (1, width) goes some steps towards the solution. Returns x (b + r)."""
    width = x.shape[1]
    b, r, p, ap = vectors[0:1], vectors[1:2], vectors[2:3], vectors[3:4]
    b[:] = 0
    for j in range(0, width, LANES):
        add_row(b, 0, j, s, f, 0, count)
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
    return row_product(x, b) + row_product(x, r)


@inlined_relaxed
def times_system(f, c, count, gram, ridge, v, out):
    """out = G v + ridge v + the sum of f (f v), all of them (1, width); c (count, 1): the products f v."""
    width = v.shape[1]
    for t in range(count):
        c[t, 0] = 0
        for j in range(width):
            c[t, 0] += f[t, j] * v[0, j]
    for j in range(width):
        out[0, j] = ridge * v[0, j]
    column = v.reshape((width, 1))
    for j in range(0, width, LANES):
        add_row(out, 0, j, column, gram, 0, width)
        add_row(out, 0, j, c, f, 0, count)


@inlined_relaxed
def row_product(a, b):
    total = np.float64(0.0)
    for j in range(a.shape[1]):
        total += np.float64(a[0, j]) * np.float64(b[0, j])
    return total
