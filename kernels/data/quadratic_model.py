"""Coordinate descent on a quadratic model with an L1 and an L2 penalty: the inner problem of proximal Newton.

    minimise over w    g'(w - w0) + (w - w0)' H (w - w0) / 2 + l1 |w|_1 + l2 |w|^2 / 2

What descent asks of a model is chosen by its class:
    slope(model, c)            g_c + (H (w - w0))_c
    curvature(model, c)        H_cc
    move(model, c, delta)      w_c has changed by delta

`GramModel` holds H: a move costs a row of it. `ColumnModel` knows H = X' C X by the columns of X: slope and move cost a
column each. Coordinates are those of class 0, then of class 1 ..., over the columns that are active.

The intercepts b, which nothing penalises, are eliminated: at the best b the model of w alone has H - M h' in place of
H, with h = the derivatives of w's slope by b, M = h B^+, and B (K, K) the model's curvature in b. So the two converge
together, however far the columns are from centred.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from ..calling.asking import answers, make_question
from ..compile.jit import RELAXED, inlined, kernel
from .columns import add_weighted, column_dot, column_square

slope = make_question("slope", "model, c")
curvature = make_question("curvature", "model, c")
move = make_question("move", "model, c, delta")


class GramModel(NamedTuple):
    H: np.ndarray  # (m, m) symmetric, the intercepts eliminated
    q: np.ndarray  # (m,) slopes


class ColumnModel(NamedTuple):
    X: tuple  # a design by columns
    active: np.ndarray  # (a,) columns; coordinate k a + j is class k, column active[j]
    g: np.ndarray  # (m,) slopes at w0
    diagonal: np.ndarray  # (m,) of H, the intercepts eliminated
    weighted: np.ndarray  # (K, n) s p
    p: np.ndarray  # (K, n) probabilities
    others: np.ndarray  # (K, n) 1 - p
    r: np.ndarray  # (K, n) C X (w - w0)
    h: np.ndarray  # (m, K)
    M: np.ndarray  # (m, K)
    t: np.ndarray  # (K,) slopes of the intercepts at b0


@inlined
def soft_threshold(x, level):
    """x moved towards zero by level, and no further."""
    return x - level if x > level else (x + level if x < -level else 0.0)


@kernel(flags=RELAXED)
def descend(model, w, l1, l2, tol, max_sweeps):
    """Sweeps over the coordinates until none of them had a slope above tol to go; the number of sweeps.

    After a sweep over all come sweeps over those that are not zero, until these have converged (Friedman, Hastie and
    Tibshirani 2010).
    """
    everything, sweep = True, 0
    while sweep < max_sweeps:
        sweep += 1
        worst = 0.0
        for c in range(w.size):
            if everything or w[c] != 0.0:
                h = curvature(model, c)
                new = soft_threshold(h * w[c] - slope(model, c), l1) / (h + l2)
                delta = new - w[c]
                if delta != 0.0:
                    w[c] = new
                    move(model, c, delta)
                    worst = max(worst, (h + l2) * abs(delta))
        if worst <= tol and everything:
            return sweep
        everything = worst <= tol
    return sweep


@answers(slope, GramModel)
def _slope_of_gram(model, c):
    return model.q[c]


@answers(curvature, GramModel)
def _curvature_of_gram(model, c):
    return model.H[c, c]


@answers(move, GramModel)
def _move_in_gram(model, c, delta):
    for j in range(model.q.size):
        model.q[j] += delta * model.H[c, j]


@answers(slope, ColumnModel)
def _slope_of_columns(model, c):
    a = model.active.size
    q = model.g[c] + column_dot(model.X, model.active[c % a], model.r[c // a])
    for k in range(model.t.size):
        q -= model.M[c, k] * model.t[k]
    return q


@answers(curvature, ColumnModel)
def _curvature_of_columns(model, c):
    return model.diagonal[c]


@answers(move, ColumnModel)
def _move_in_columns(model, c, delta):
    own, j = c // model.active.size, model.active[c % model.active.size]
    for k in range(len(model.p)):
        if k == own:
            add_weighted(model.X, j, delta, model.weighted[own], model.others[own], model.r[k])
        else:
            add_weighted(model.X, j, -delta, model.weighted[own], model.p[k], model.r[k])
        model.t[k] += delta * model.h[c, k]


# --- what models are made of ---------------------------------------------------------------------------------------


@kernel(flags=RELAXED, parallel=True)
def weigh(x, active, first, v, out):
    """Rows of x from `first` on, their active columns and a column of ones, times v, in out (rows, a + 1)."""
    for i in prange(out.shape[0]):
        for j in range(active.size):
            out[i, j] = v[first + i] * x[first + i, active[j]]
        out[i, active.size] = v[first + i]


@kernel(flags=RELAXED, parallel=True)
def column_moments(X, active, v, sums, squares):
    """Of each active column of X, by columns: the sum of x v, and that of x^2 v."""
    for a in prange(active.size):
        sums[a] = column_dot(X, active[a], v)
        squares[a] = column_square(X, active[a], v)
