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
from ..compile.jit import inlined, kernel, part
from ..numbers.linear_algebra import cholesky, solve_lower, solve_lower_transposed
from .columns import SparseColumns, add_weighted, column_dot, column_moments

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
    active: np.ndarray  # (m,) columns
    g: np.ndarray  # (m,) slopes at w0
    diagonal: np.ndarray  # (m,) of H, the intercept eliminated
    c: np.ndarray  # (n,)
    r: np.ndarray  # (n,) C X (w - w0); r_i and c_i stand side by side in memory
    h: np.ndarray  # (m,)
    M: np.ndarray  # (m,)
    t: np.ndarray  # (1,) slope of the intercept at b0


class SoftmaxColumnModel(NamedTuple):
    X: tuple
    active: np.ndarray  # (a,) columns; coordinate k a + j is class k, column active[j]
    g: np.ndarray  # (m,)
    diagonal: np.ndarray  # (m,)
    lines: np.ndarray  # (n, 1 + 2 K): s, the K probabilities, and C X (w - w0) of K classes
    h: np.ndarray  # (m, K)
    M: np.ndarray  # (m, K)
    t: np.ndarray  # (K,)


add_to_class = make_question("add_to_class", "X, j, delta, lines, k")


@inlined
def soft_threshold(x, level):
    """x moved towards zero by level, and no further."""
    return x - level if x > level else (x + level if x < -level else 0.0)


@kernel
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


# --- by columns, two classes ---------------------------------------------------------------------------------------


@answers(slope, ColumnModel)
def _slope_by_columns(model, c):
    return model.g[c] + column_dot(model.X, model.active[c], model.r) - model.M[c] * model.t[0]


@answers(curvature, ColumnModel)
def _curvature_by_columns(model, c):
    return model.diagonal[c]


@answers(move, ColumnModel)
def _move_by_columns(model, c, delta):
    add_weighted(model.X, model.active[c], delta, model.c, model.r)
    model.t[0] += delta * model.h[c]


@answers(leap, ColumnModel)
def _leap_by_columns(model, w, l1, l2):
    pass


# --- by columns, more classes --------------------------------------------------------------------------------------


@answers(slope, SoftmaxColumnModel)
def _slope_of_softmax(model, c):
    a, K = model.active.size, model.t.size
    q = model.g[c] + column_dot(model.X, model.active[c % a], model.lines[:, 1 + K + c // a])
    for k in range(K):
        q -= model.M[c, k] * model.t[k]
    return q


@answers(curvature, SoftmaxColumnModel)
def _curvature_of_softmax(model, c):
    return model.diagonal[c]


@answers(move, SoftmaxColumnModel)
def _move_of_softmax(model, c, delta):
    a = model.active.size
    add_to_class(model.X, model.active[c % a], delta, model.lines, c // a)
    for k in range(model.t.size):
        model.t[k] += delta * model.h[c, k]


@answers(leap, SoftmaxColumnModel)
def _leap_of_softmax(model, w, l1, l2):
    pass


@answers(add_to_class, SparseColumns)
def _add_to_class_sparse(X, j, delta, lines, k):
    for e in range(X.starts[j], X.starts[j + 1]):
        add_to_line(lines, X.rows[e], delta * X.values[e], k)


@inlined
def add_to_line(lines, i, delta, k):
    """The score of class k in row i has changed by delta."""
    K = (lines.shape[1] - 1) // 2
    change = delta * lines[i, 0] * lines[i, 1 + k]
    lines[i, 1 + K + k] += change
    for m in range(K):
        lines[i, 1 + K + m] -= change * lines[i, 1 + m]


# --- what models are made of ---------------------------------------------------------------------------------------


@kernel(parallel=True)
def moments(X, active, v, sums, squares):
    """Of each active column of X, by columns: the sum of x v, and that of x^2 v."""
    for a in prange(active.size):
        sums[a], squares[a] = column_moments(X, active[a], v)
