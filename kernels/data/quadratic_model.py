"""Coordinate descent on a quadratic model with an L1 and an L2 penalty: the inner problem of proximal Newton.

    minimise over w    g'(w - w0) + (w - w0)' H (w - w0) / 2 + l1 |w|_1 + l2 |w|^2 / 2

What descent asks of a model is chosen by its class:
    slope(model, c)            g_c + (H (w - w0))_c
    curvature(model, c)        H_cc
    move(model, c, delta)      w_c has changed by delta
    leap(model, w, l1, l2)     go to the minimum over the coordinates that are not zero, if that can be had

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
from ..compile.jit import RELAXED, inlined, kernel, part
from ..numbers.linear_algebra import cholesky, solve_lower, solve_lower_transposed
from .columns import add_weighted, column_dot, column_square

slope = make_question("slope", "model, c")
curvature = make_question("curvature", "model, c")
move = make_question("move", "model, c, delta")
leap = make_question("leap", "model, w, l1, l2")

LEAP = 10  # sweeps between two leaps
CROSSINGS = 20  # of zero, in one leap
RIDGE = 1e-13  # beside a curvature


class GramModel(NamedTuple):
    H: np.ndarray  # (m, m) symmetric, the intercepts eliminated
    q: np.ndarray  # (m,) slopes
    L: np.ndarray  # (m, m) room
    support: np.ndarray  # (m,) int64, room
    step: np.ndarray  # (m,) room


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
        if sweep % LEAP == 0:
            leap(model, w, l1, l2)
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


@answers(leap, GramModel)
def _leap_in_gram(model, w, l1, l2):
    """Newton steps over the support, whose signs are kept: where one would change, the step ends at its zero.

    Coordinate descent takes thousands of sweeps where columns are alike; this ends, as supports do not come again.
    """
    for _ in range(CROSSINGS):
        if not step_on_support(model, w, l1, l2):
            break


@part
def step_on_support(model, w, l1, l2):
    """Whether a coordinate has become zero on the way."""
    size = 0
    for c in range(w.size):
        if w[c] != 0.0:
            model.support[size] = c
            size += 1
    for i in range(size):
        c = model.support[i]
        for j in range(i + 1):
            model.L[i, j] = model.H[c, model.support[j]]
        model.L[i, i] += l2 + RIDGE * model.L[i, i]
        model.step[i] = -(model.q[c] + l2 * w[c] + (l1 if w[c] > 0.0 else -l1))
    if not cholesky(model.L, size):
        return False
    solve_lower(model.L, model.step, size)
    solve_lower_transposed(model.L, model.step, size)
    length, first = 1.0, -1
    for i in range(size):
        to_zero = -w[model.support[i]] / model.step[i]
        if 0.0 <= to_zero < length:
            length, first = to_zero, i
    for i in range(size):
        c = model.support[i]
        delta = -w[c] if i == first else length * model.step[i]
        w[c] += delta
        move(model, c, delta)
    return first >= 0


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


@answers(leap, ColumnModel)
def _leap_by_columns(model, w, l1, l2):
    pass


# --- what models are made of ---------------------------------------------------------------------------------------


@kernel(flags=RELAXED, parallel=True)
def column_moments(X, active, v, sums, squares):
    """Of each active column of X, by columns: the sum of x v, and that of x^2 v."""
    for a in prange(active.size):
        sums[a] = column_dot(X, active[a], v)
        squares[a] = column_square(X, active[a], v)
