"""Stochastic gradient descent for linear models, a row a step: `epoch(X, y, weights, order, state)`.

    w <- (1 - eta alpha (1 - rho)) w - eta l'(x_i w + b) x_i,    then the L1 penalty, alpha rho |w|

Rows in the order that is given; the step eta by one of RULES. The L1 penalty is the cumulative one of Tsuruoka, Tsujii
and Ananiadou, ACL 2009: each entry is moved towards 0 by what all entries should have been until now (u), less what it
was (q), and never across. Averages are those of Polyak and Ruppert, over all points from a step on.

Sparse rows cost what their entries cost: w is scale * v, so that shrinking is one product, and so are the sums of
points, taken * v - behind (Xu, arXiv 1107.2490, section 5.3): `taken` is the sum of scales so far, and an entry that
changes by d is `behind` by d times what was taken before. `settle` makes w of it again.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from ..calling.asking import answers, make_question
from ..compile.jit import inlined, kernel
from ..compile.structures import Vector, filled, record
from ..numbers.random import permute, run_key
from .ahead import AHEAD, fetch, fetch_row
from .row_losses import loss_of
from .rows import Dense, Sparse, add_row, row_dot

RULES = ("constant", "optimal", "invscaling", "adaptive", "pa1", "pa2")
CONSTANT, OPTIMAL, INVERSE, ADAPTIVE, PASSIVE_1, PASSIVE_2 = range(6)
STEEPEST = 1e12  # slopes are cut there: with steps that are too long, values grow to no more than that
LEAST_SCALE = 1e-4  # where w = scale * v is written anew
SCALARS = record(
    loss="i8", epsilon="f8",
    rule="i8", eta0="f8", power="f8", start="f8", eta="f8",  # start: of "optimal"; eta: the step that "adaptive" has
    alpha="f8", shrink="f8", truncate="f8",  # the penalty, and its parts: alpha (1 - rho), alpha rho
    first="i8",  # the step from which points are averaged; 0: none are
    free="i8", decay="f8",  # whether there is an intercept, and the factor of its steps
    t="f8", intercept="f8", intercepts="f8",  # the number of the next step; the intercept; its sum
    u="f8", scale="f8", taken="f8",
)  # fmt: skip


class Descent(NamedTuple):
    """A model on its way. Arrays that nothing asks for have no entries."""

    w: Vector  # (p,)
    q: Vector  # (p,) how far the L1 penalty has moved each entry
    sums: Vector  # (p,) of the points that are averaged
    behind: Vector  # (p,) of sparse rows
    own: Annotated[np.ndarray, SCALARS]


def penalty(state: Descent) -> float:
    """alpha ((1 - rho) |w|^2 / 2 + rho |w|_1) of a state that is settled."""
    own = state.own[0]
    with np.errstate(over="ignore"):
        return float(0.5 * own.shrink * (state.w @ state.w) + own.truncate * np.abs(state.w).sum())


def descent(w: np.ndarray, sparse: bool, **values) -> Descent:
    """A state that begins at w (p,), which is copied; values: fields of `own`."""
    own = filled(SCALARS, **{"scale": 1.0, "t": 1.0, **values})
    averaged = own["first"][0] > 0
    q, sums = np.zeros(w.size * (own["truncate"][0] > 0)), np.zeros(w.size * averaged)
    return Descent(np.array(w, dtype=np.float64), q, sums, np.zeros(w.size * (averaged and sparse)), own)


@kernel
def shuffle(order, seed, number):
    """Put rows into another order, which hangs on the order before, the seed, and the number of the epoch."""
    permute(run_key(seed, number), 0, order)


@kernel(flags=frozenset({"reassoc", "nsz", "arcp", "afn"}))
def epoch(X, y, weights, order, state):
    """A step for each row of `order`. Returns the sum of the losses, weighted, each before its step."""
    own = state.own[0]
    total = 0.0
    for k in range(order.size):
        i = order[k]
        if k + AHEAD < order.size:
            fetch_row(X, order[k + AHEAD])
            fetch(y, order[k + AHEAD])
            fetch(weights, order[k + AHEAD])
        z = own.scale * row_dot(X, i, state.w) + own.intercept
        value, slope = loss_of(own.loss, own.epsilon, z, y[i])
        total += weights[i] * value
        eta = scheduled(own)
        length = eta if own.rule < PASSIVE_1 else passive(own, value, row_square(X, i))
        step = -length * weights[i] * min(STEEPEST, max(-STEEPEST, slope))
        move(X, i, state, max(0.0, 1.0 - own.shrink * eta), step)
        if own.free == 1:
            own.intercept += own.decay * step
        if own.truncate > 0.0:
            own.u += own.truncate * eta
            truncate(X, i, state)
        if own.first > 0 and own.t >= own.first:
            add_up(X, state)
            own.intercepts += own.intercept
        own.t += 1.0
    settle(X, state)
    return total


@inlined
def scheduled(own):
    """The step eta; of passive-aggressive rules that of the penalty, eta0."""
    if own.rule == OPTIMAL:
        return 1.0 / (own.alpha * (own.start + own.t - 1.0))
    if own.rule == INVERSE:
        if own.power == 0.25:
            return own.eta0 / np.sqrt(np.sqrt(own.t))
        return own.eta0 / (np.sqrt(own.t) if own.power == 0.5 else own.t**own.power)
    if own.rule == ADAPTIVE:
        return own.eta
    return own.eta0


@inlined
def passive(own, value, square):
    """Crammer et al., JMLR 7 (2006) 551: as far as the loss asks, eta0 being their C."""
    if square == 0.0:
        return 0.0
    if own.rule == PASSIVE_1:
        return min(own.eta0, value / square)
    return value / (square + 0.5 / own.eta0)


row_square = make_question("row_square", "X, i")  # the square of |x_i|
move = make_question("move", "X, i, state, shrink, step")  # w <- shrink w + step x_i
add_up = make_question("add_up", "X, state")  # w to the sums
truncate = make_question("truncate", "X, i, state")  # the L1 penalty, on the entries of row i
settle = make_question("settle", "X, state")  # the scale is 1, and the sums are whole


@inlined
def truncated(w, u, q):
    """An entry behind its penalty."""
    return max(0.0, w - (u + q)) if w > 0.0 else min(0.0, w + (u - q)) if w < 0.0 else w


@answers(row_square, Dense)
def _square_dense(X, i):
    total = 0.0
    for j in range(X.x.shape[1]):
        total += X.x[i, j] * X.x[i, j]
    return total


@answers(row_square, Sparse)
def _square_sparse(X, i):
    total = 0.0
    for k in range(X.starts[i], X.starts[i + 1]):
        total += X.values[k] * X.values[k]
    return total


@answers(move, Dense)
def _move_dense(X, i, state, shrink, step):
    w = state.w
    for j in range(X.x.shape[1]):
        w[j] = shrink * w[j] + step * X.x[i, j]


@answers(move, Sparse)
def _move_sparse(X, i, state, shrink, step):
    own = state.own[0]
    if own.scale * shrink < LEAST_SCALE:
        settle(X, state)
        for j in range(state.w.size):
            state.w[j] *= shrink
    else:
        own.scale *= shrink
    if step == 0.0:
        return
    factor = step / own.scale
    add_row(X, i, factor, state.w)
    if own.first > 0:
        add_row(X, i, factor * own.taken, state.behind)


@answers(add_up, Dense)
def _add_up_dense(X, state):
    for j in range(state.w.size):
        state.sums[j] += state.w[j]


@answers(add_up, Sparse)
def _add_up_sparse(X, state):
    state.own[0].taken += state.own[0].scale


@answers(truncate, Dense)
def _truncate_dense(X, i, state):
    w, q, u = state.w, state.q, state.own[0].u
    for j in range(X.x.shape[1]):
        new = truncated(w[j], u, q[j])
        q[j] += new - w[j]
        w[j] = new


@answers(truncate, Sparse)
def _truncate_sparse(X, i, state):
    w, q, own = state.w, state.q, state.own[0]
    scale, u, averaged, taken = own.scale, own.u, own.first > 0, own.taken
    for k in range(np.uint64(X.starts[i]), np.uint64(X.starts[i + 1])):
        j = np.uint64(X.columns[k])
        old = scale * w[j]
        new = truncated(old, u, q[j])
        q[j] += new - old
        change = (new - old) / scale
        w[j] += change
        if averaged:
            state.behind[j] += change * taken


@answers(settle, Dense)
def _settle_dense(X, state):
    pass


@answers(settle, Sparse)
def _settle_sparse(X, state):
    own = state.own[0]
    for j in range(state.sums.size):
        state.sums[j] += own.taken * state.w[j] - state.behind[j]
        state.behind[j] = 0.0
    for j in range(state.w.size):
        state.w[j] *= own.scale
    own.scale, own.taken = 1.0, 0.0
