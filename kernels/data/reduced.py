"""Steps along one row's gradient, less what it was, plus the mean of what all were: SVRG and SAGA.

    i uniform in 0..n-1
    w <- w - eta (l_i'(w) - a_i + mean a + l2 w),      a_i the gradient of row i at an earlier point

    SAGA   a_i <- l_i'(w) of before the step           Defazio, Bach, Lacoste-Julien, NeurIPS 2014, eq. 1
    SVRG   a_i = l_i'(v), v the point where a block of steps began     Johnson and Zhang, NeurIPS 2013, figure 1

The variance of such a step falls with the distance to the minimum, so eta stays as it is. The penalty is the same in
all rows, and comes without variance. In the linear form l_i' is a number times x_i, and a is kept as these numbers, one
a row. Sparse rows: what the mean and the penalty do to an entry between two rows that have it, is made up for when the
next one comes; k steps w <- q w - eta m are w q^k - eta m (1 - q^k) / (1 - q).

In the general form SAGA keeps a gradient (D,) a row, SVRG none: it asks for l_i'(v) again.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numba.core import types

from ..calling.adapters import once
from ..calling.arguments import VECTOR, call_adapter, load, row
from ..calling.asking import answers, make_question
from ..calling.gradients import is_raised
from ..compile.jit import RELAXED, compile_for, inlined, kernel
from ..compile.structures import Integers, Matrix, Vector, numba_type, record
from ..numbers.random import integer
from .block_products import dot_of_row
from .handing import hand_over_rows, hand_over_targets, record_of
from .losses import LINES
from .rows import Dense, Sparse, columns_of, rows_of
from .stochastic import row_square

SCALARS = record(eta="f8", l2="f8", learns="i8", penalised="i8")  # learns: SAGA; the first so many entries of w


class Descent(NamedTuple):
    w: Vector  # (D,)
    before: Vector  # (D,) SVRG's v; in the linear form, and of SAGA, (0,)
    mean: Vector  # (D,) of a, without the penalty
    slopes: Vector  # (n,) a in the linear form, as numbers
    rows: Matrix  # (n, D) a of SAGA in the general form
    since: Integers  # (p,) of sparse rows: the step that an entry of w is at
    own: Annotated[np.ndarray, SCALARS]


DESCENT = numba_type(Descent)
STEPS = types.int64(types.intp, DESCENT, types.int64, types.int64, types.uint64)


def steps_over(Type: Any, linear: bool) -> Any:
    """`steps(record, state, first, stop, key) -> row that raised, or -1`, for data of this type (Passes.type)."""
    step = linear_step if linear else general_step

    def steps(address, state, first, stop, key):
        data = load(address, Type)
        failed, done = -1, 0
        while failed < 0 and done < stop - first:
            i = integer(key, first + done, rows_of(data.X))
            if step(data, state, i, done):
                failed = i
            else:
                done += 1
        catch_up(data.X, state, done)
        return failed

    name = ("steps", linear, str(Type))
    return once(name, lambda: compile_for(kernel(steps, flags=RELAXED), STEPS))


def remembering(Type: Any, linear: bool) -> Any:
    """`remember(record, state)`: a of all rows is their gradient at w."""
    function = remember_slopes if linear else remember_rows

    def remember(address, state):
        return function(load(address, Type), state)

    name = ("remember", linear, str(Type))
    return once(name, lambda: compile_for(kernel(remember, flags=RELAXED), types.boolean(types.intp, DESCENT)))


@inlined
def remember_slopes(data, state):
    """Whether the loss raised."""
    n, raised = state.slopes.size, False
    for first in range(0, n, LINES):
        m = min(LINES, n - first)
        z, slopes = row(data.scratch.z, 0)[:m], row(data.scratch.slopes, 0)[:m]
        for r in range(m):
            z[r] = dot_of_row(data.X, first + r, state.w)
        hand_over_targets(data, 0, first, m, data.code.place)
        value = call_adapter(data.code.gradient, (z, record_of(data, 0), slopes, data.scratch.works[0, 0]))
        raised = raised or is_raised(value)
        for r in range(m):
            state.slopes[first + r] = slopes[r]
    return raised


@inlined
def remember_rows(data, state):
    n, raised = state.rows.shape[0], False
    for i in range(n):
        hand_over_rows(data, 0, i, 1)
        g = row(state.rows, i)
        value = call_adapter(data.code.gradient, (state.w, record_of(data, 0), g, data.scratch.works[0, 0]))
        raised = raised or is_raised(value)
    return raised


def steepest(Type: Any) -> Any:
    """`largest(record, w, curvature)`: the largest c_i |x_i|^2 of the linear form, the 1 of the intercept in x_i.

    c_i is curvature s_i; where that is 0, the second derivative of the loss of row i, at w or at z = 0.
    """

    def largest(address, w, curvature):
        data = load(address, Type)
        n, found = rows_of(data.X), 0.0
        for first in range(0, n, LINES):
            m = min(LINES, n - first)
            z, along = row(data.scratch.z, 0)[:m], row(data.scratch.along, 0)[:m]
            slopes = row(data.scratch.slopes, 0)[:m]
            hand_over_targets(data, 0, first, m, data.code.place)
            for at in range(2 if curvature == 0.0 else 0):
                for r in range(m):
                    z[r] = dot_of_row(data.X, first + r, w) if at == 0 else 0.0
                    along[r] = 1.0
                given = z, record_of(data, 0), along, slopes, data.scratch.works[0, 1]
                if is_raised(call_adapter(data.code.product, given)):
                    return np.nan
                for r in range(m):
                    found = max(found, slopes[r] * square_of(data.X, first + r, w))
            if curvature > 0.0:
                for r in range(m):
                    weight = data.weights[first + r] if data.weights.size > 0 else 1.0
                    found = max(found, curvature * weight * square_of(data.X, first + r, w))
        return found

    form = types.float64(types.intp, VECTOR, types.float64)
    return once(("steepest", str(Type)), lambda: compile_for(kernel(largest, flags=RELAXED), form))


@inlined
def square_of(X, i, w):
    return row_square(X, i) + (1.0 if w.size > columns_of(X) else 0.0)


@inlined
def linear_step(data, state, i, t):
    """Whether the loss raised; then w stays where it is."""
    own, w, p = state.own[0], state.w, columns_of(data.X)
    z, slopes = row(data.scratch.z, 0)[:1], row(data.scratch.slopes, 0)[:1]
    look_at(data.X, state, i, t)
    z[0] = dot_of_row(data.X, i, w)
    hand_over_targets(data, 0, i, 1, data.code.place)
    value = call_adapter(data.code.gradient, (z, record_of(data, 0), slopes, data.scratch.works[0, 0]))
    if is_raised(value):
        return True
    change = slopes[0] - state.slopes[i]
    step_along(data.X, state, i, change, t)
    if w.size > p:
        w[p] -= own.eta * (change + state.mean[p])
    if own.learns == 1:
        state.slopes[i] = slopes[0]
        if w.size > p:
            state.mean[p] += change / state.slopes.size
    return False


@inlined
def general_step(data, state, i, t):
    own, w = state.own[0], state.w
    g, other = row(data.scratch.slopes, 0)[: w.size], row(data.scratch.sums, 0)[: w.size]
    hand_over_rows(data, 0, i, 1)
    value = call_adapter(data.code.gradient, (w, record_of(data, 0), g, data.scratch.works[0, 0]))
    if is_raised(value):
        return True
    if own.learns == 1:
        for j in range(w.size):
            other[j] = state.rows[i, j]
            state.rows[i, j] = g[j]
    else:
        call_adapter(data.code.gradient, (state.before, record_of(data, 0), other, data.scratch.works[0, 0]))
    for j in range(w.size):
        penalty = own.l2 * w[j] if j < own.penalised else 0.0
        w[j] -= own.eta * (g[j] - other[j] + state.mean[j] + penalty)
        if own.learns == 1:
            state.mean[j] += (g[j] - other[j]) / state.rows.shape[0]
    return False


look_at = make_question("look_at", "X, state, i, t")  # the entries of w that row i has are those of step t
step_along = make_question("step_along", "X, state, i, change, t")  # all but the intercept
catch_up = make_question("catch_up", "X, state, t")  # all entries of w are those of step t


@answers(look_at, Dense)
def _look_dense(X, state, i, t):
    pass


@answers(step_along, Dense)
def _step_dense(X, state, i, change, t):
    w, mean, own = state.w, state.mean, state.own[0]
    share = change / state.slopes.size if own.learns == 1 else 0.0
    shrink, eta = 1.0 - own.eta * own.l2, own.eta
    for j in range(X.x.shape[1]):
        x = X.x[i, j]
        w[j] = shrink * w[j] - eta * (change * x + mean[j])
        mean[j] += share * x


@answers(catch_up, Dense)
def _catch_up_dense(X, state, t):
    pass


@inlined
def at_step(state, j, t):
    """Entry j of w as it is at step t, which no row touched since."""
    own, k = state.own[0], t - state.since[j]
    if own.l2 == 0.0 or k == 0:
        return state.w[j] - k * own.eta * state.mean[j]
    power = (1.0 - own.eta * own.l2) ** k
    return power * state.w[j] - state.mean[j] * (1.0 - power) / own.l2


@answers(look_at, Sparse)
def _look_sparse(X, state, i, t):
    for k in range(X.starts[i], X.starts[i + 1]):
        j = X.columns[k]
        state.w[j] = at_step(state, j, t)
        state.since[j] = t


@answers(step_along, Sparse)
def _step_sparse(X, state, i, change, t):
    w, mean, own = state.w, state.mean, state.own[0]
    share = change / state.slopes.size if own.learns == 1 else 0.0
    for k in range(X.starts[i], X.starts[i + 1]):
        j = X.columns[k]
        if state.since[j] == t:  # the first of entries that stand there twice
            w[j] = at_step(state, j, t + 1)
            state.since[j] = t + 1
        w[j] -= own.eta * change * X.values[k]
    for k in range(X.starts[i], X.starts[i + 1]):
        mean[X.columns[k]] += share * X.values[k]


@answers(catch_up, Sparse)
def _catch_up_sparse(X, state, t):
    for j in range(state.since.size):
        state.w[j] = at_step(state, j, t)
        state.since[j] = 0
