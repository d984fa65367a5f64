"""Coordinate descent for least squares with an L1 and a squared penalty (the lasso, the elastic net), along a path.

    minimise P(w) = 1/2 |y - X w|^2 + a |w|_1 + b/2 |w|^2,    also with w >= 0

Cyclic descent (Friedman, Hastie and Tibshirani 2010), carried out on a working set only: the columns that are in the
model, and some that come closest to entering it, twice as many at each outer step. Such a step takes the correlations
with all columns, a bound on P - min P from them (the duality gap), casts out the columns that the gap proves to be 0
(Ndiaye, Fercoq, Gramfort and Salmon, JMLR 18 (2017) 128), and chooses the next working set (Massias, Gramfort and
Salmon, ICML 2018). Within a working set, five epochs are extrapolated to where they lead (Bertrand and Massias, AISTATS
2021), which is kept where P is lower there. A small working set is solved by the products of its columns: an update
then costs its size, not n.

The gap: v = s (y - X w, -sqrt(b) w) is feasible for the dual where s |X'(y - X w) - b w| <= a; s is the best such
number. Where a = 0, v = y - X w does for b > 0 (Duenner et al. 2016, 5.2.3), and |X'(y - X w)|^2 stands in for a gap
where b = 0, too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from ..calling.arguments import row
from ..calling.asking import answers, make_question
from ..compile.jit import compact, inlined, kernel, part
from ..numbers.linear_algebra import dot
from ..numbers.random import integer, row_key, run_key
from ..numbers.sums import dots
from .centred_columns import (
    CentredDense,
    CentredSparse,
    Gram,
    add_column,
    column_dot,
    columns_in,
    correlate,
    residual_square,
    settle,
)

DEPTH = 5  # epochs that are extrapolated (Bertrand and Massias 2021, section 4)
LEAST = 10  # columns that a working set has beyond those in the model, at first
RIDGE = 1e-12  # of the system of an extrapolation, beside its trace
POOL = 2000  # columns whose products are kept, at most
CLOSER = 0.1  # a working set is solved to this part of the gap that was found
GRAIN = 50_000  # products below which threads cost more than they bring


class Penalty(NamedTuple):
    l1: float  # a
    l2: float  # b
    positive: bool


class Stop(NamedTuple):
    gap: float
    epochs: int


class Order(NamedTuple):
    """Columns one after another, or drawn."""

    random: bool
    seed: int


class Pool(NamedTuple):
    """The problem by products, of the columns that have been in a working set; a place is where a column is here."""

    place: np.ndarray  # (p,) of a column, -1: it is not here
    members: np.ndarray  # (most,) the columns
    filled: np.ndarray  # (1,) how many
    products: np.ndarray  # (most, most)
    targets: np.ndarray  # (most,) products with y
    pulls: np.ndarray  # (most,) with the residual
    w: np.ndarray  # (most,)
    norms: np.ndarray  # (most,)
    c: np.ndarray  # (most,)
    chosen: np.ndarray  # (most,) the places of the working set


class History(NamedTuple):
    """The last epochs, and what is needed to extrapolate them."""

    w: np.ndarray  # (DEPTH + 1, columns of a working set)
    r: np.ndarray  # (DEPTH + 1, length of r)
    steps: np.ndarray  # (DEPTH, columns of a working set)
    system: np.ndarray  # (DEPTH, DEPTH + 1)
    weights: np.ndarray  # (DEPTH,)


# --- what is known of a point ---------------------------------------------------------------------------------------


@inlined
def shrunk(z, penalty):
    """The w that minimises 1/2 (w - z)^2 + a |w|."""
    if z > penalty.l1:
        return z - penalty.l1
    if z < -penalty.l1 and not penalty.positive:
        return z + penalty.l1
    return 0.0


@inlined
def pull(c, w, penalty):
    """How much the column of correlation c pulls at its coefficient w: in the optimum at most a."""
    z = c - penalty.l2 * w
    return z if penalty.positive else abs(z)


@part
def penalty_of(w, which, count, penalty):
    total = 0.0
    for k in range(count):
        v = w[which[k]]
        total += penalty.l1 * abs(v) + 0.5 * penalty.l2 * v * v
    return total


@compact
def certificate(square, w, c, which, count, penalty):
    """(gap, s), of r with this square, and the correlations c of the columns `which`, all others being without w."""
    strongest, absolute, squares, along, slopes = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(count):
        j = which[k]
        v = w[j]
        strongest = max(strongest, pull(c[j], v, penalty))
        absolute += abs(v)
        squares += v * v
        along += v * c[j]
        at_bound = penalty.positive and c[j] < 0.0  # then w_j = 0 is its best
        slopes += (penalty.l2 * v) ** 2 - 2.0 * penalty.l2 * v * c[j] if at_bound else (c[j] - penalty.l2 * v) ** 2
    if penalty.l1 == 0.0:
        return slopes / (2.0 * penalty.l2) if penalty.l2 > 0.0 else slopes, 1.0
    length = square + penalty.l2 * squares  # |v|^2 at s = 1; v y = square + along
    s = penalty.l1 / strongest if strongest > 0.0 else np.inf
    s = min(s, (square + along) / length) if length > 0.0 else 1.0
    primal = 0.5 * length + penalty.l1 * absolute
    return max(primal - s * (square + along) + 0.5 * s * s * length, 0.0), s


# --- within a working set -------------------------------------------------------------------------------------------


@part
def one_epoch(X, r, w, norms, chosen, count, penalty, order, epoch):
    """A step of each column of the working set, in turn."""
    key = row_key(run_key(order.seed, 0), epoch)
    for k in range(count):
        j = chosen[integer(key, k, count)] if order.random else chosen[k]
        curvature = norms[j] + penalty.l2
        if curvature > 0.0:
            old = w[j]
            w[j] = shrunk(column_dot(X, j, r) + norms[j] * old, penalty) / curvature
            if w[j] != old:
                add_column(X, j, old - w[j], r)


@compact
def weigh_epochs(history, count):
    """The affine combination of the last epochs whose step is shortest, in history.weights; False: there is none."""
    steps, system, weights = history.steps, history.system, history.weights
    for k in range(DEPTH):
        for i in range(count):
            steps[k, i] = history.w[k + 1, i] - history.w[k, i]
    trace = 0.0
    for k in range(DEPTH):
        for m in range(DEPTH):
            system[k, m] = dot(row(steps, k), row(steps, m), count)
        system[k, DEPTH] = 1.0
        trace += system[k, k]
    if not 0.0 < trace < np.inf:
        return False
    for k in range(DEPTH):
        system[k, k] += RIDGE * trace  # positive definite: elimination needs no pivots
    for k in range(DEPTH):
        for i in range(DEPTH):
            if i != k:
                factor = system[i, k] / system[k, k]
                for m in range(k, DEPTH + 1):
                    system[i, m] -= factor * system[k, m]
    total = 0.0
    for k in range(DEPTH):
        weights[k] = system[k, DEPTH] / system[k, k]
        total += weights[k]
    if not 0.0 < abs(total) < np.inf:
        return False
    for k in range(DEPTH):
        weights[k] /= total
    return True


@part
def combine(history, epochs, out, count):
    """out (count,) = the weighted sum of the last epochs."""
    for i in range(count):
        out[i] = 0.0
    for k in range(DEPTH):
        for i in range(count):
            out[i] += history.weights[k] * epochs[k + 1, i]


@part
def extrapolate(X, r, w, chosen, count, penalty, history):
    """Go to where the last epochs lead, if P is lower there."""
    if not weigh_epochs(history, count):
        return
    settle(X, r)
    before = 0.5 * residual_square(X, r, w) + penalty_of(w, chosen, count, penalty)
    there = row(history.steps, 0)
    combine(history, history.w, there, count)
    combine(history, history.r, r, r.size)
    settle(X, r)
    allowed = True
    for i in range(count):
        w[chosen[i]] = there[i]
        allowed = allowed and (there[i] >= 0.0 or not penalty.positive)
    if allowed and 0.5 * residual_square(X, r, w) + penalty_of(w, chosen, count, penalty) < before:
        return
    for i in range(count):
        w[chosen[i]] = history.w[DEPTH, i]
    for i in range(r.size):
        r[i] = history.r[DEPTH, i]


@compact
def note(history, k, r, w, chosen, count):
    for i in range(count):
        history.w[k, i] = w[chosen[i]]
    for i in range(r.size):
        history.r[k, i] = r[i]


@part
def descend(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c):
    """Epochs until the gap within the working set is small enough; how many there are in all, `first` included."""
    epoch = first
    while epoch < stop.epochs:
        note(history, 0, r, w, chosen, count)
        for k in range(DEPTH):
            if epoch == stop.epochs:
                return epoch
            one_epoch(X, r, w, norms, chosen, count, penalty, order, epoch)
            epoch += 1
            note(history, k + 1, r, w, chosen, count)
        extrapolate(X, r, w, chosen, count, penalty, history)
        settle(X, r)
        for k in range(count):
            c[chosen[k]] = column_dot(X, chosen[k], r)
        gap, _ = certificate(residual_square(X, r, w), w, c, chosen, count, penalty)
        if gap <= stop.gap:
            break
    return epoch


# --- products of the columns of a working set -----------------------------------------------------------------------


@compact
def admit(X, w, c, pool, chosen, count):
    """Bring these columns into the pool, of correlations c with the residual; False: there are too many."""
    most = pool.members.size
    if count > most:
        return False
    new = 0
    for k in range(count):
        new += pool.place[chosen[k]] < 0
    if pool.filled[0] + new > most:  # begin again
        for k in range(pool.filled[0]):
            pool.place[pool.members[k]] = -1
        pool.filled[0] = 0
    known = pool.filled[0]
    for k in range(count):
        j = chosen[k]
        if pool.place[j] < 0:
            here = pool.filled[0]
            pool.place[j], pool.members[here] = here, j
            pool.filled[0] = here + 1
            products = row(pool.products, here)
            correlate_pool(X, pool, j, here + 1, products)
            for i in range(here):
                pool.products[i, here] = products[i]
    for here in range(known, pool.filled[0]):
        pool.targets[here] = c[pool.members[here]]  # x_j y = x_j (y - X w) + x_j X w
        for i in range(pool.filled[0]):
            pool.targets[here] += pool.products[here, i] * w[pool.members[i]]
    return True


@part
def correlate_pool(X, pool, j, count, out):
    """out_i = the product of column j with member i."""
    x, n, whole = row(X.x, j), X.x.shape[1], count // 4 * 4
    for i in range(0, whole, 4):
        a, b = row(X.x, pool.members[i]), row(X.x, pool.members[i + 1])
        c, d = row(X.x, pool.members[i + 2]), row(X.x, pool.members[i + 3])
        out[i], out[i + 1], out[i + 2], out[i + 3] = dots((a, b, c, d), (x,), n)
    for i in range(whole, count):
        out[i] = dot(row(X.x, pool.members[i]), x, n)


@part
def descend_narrowly(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c, pool, square):
    """`descend`, by the products of the pool; `c` are the correlations of the working set with r now."""
    filled = pool.filled[0]
    for i in range(filled):
        pool.w[i], pool.pulls[i] = 0.0, 0.0
    for k in range(count):
        j = chosen[k]
        i = pool.place[j]
        pool.chosen[k], pool.w[i], pool.norms[i], pool.pulls[i] = i, w[j], norms[j], c[j]
    inside, q = Gram(pool.products, pool.targets[:filled], square), pool.pulls[:filled]
    epoch = descend(inside, q, pool.w, pool.norms, pool.chosen, count, penalty, order, stop, history, first, pool.c)
    for k in range(count):
        j, new = chosen[k], pool.w[pool.chosen[k]]
        if new != w[j]:
            add_column(X, j, w[j] - new, r)
            w[j] = new
    return epoch


# `descend`, from the correlations c of the working set, in the way that is cheaper
descend_from = make_question(
    "descend_from", "X, r, w, norms, chosen, count, penalty, order, stop, history, first, c, pool, square"
)


@answers(descend_from, CentredDense)
def _descend_dense(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c, pool, square):
    return descend_dense(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c, pool, square)


@answers(descend_from, CentredSparse)
def _descend_sparse(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c, pool, square):
    return descend(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c)  # products cost more there


@part
def descend_dense(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c, pool, square):
    if admit(X, w, c, pool, chosen, count):
        return descend_narrowly(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c, pool, square)
    return descend(X, r, w, norms, chosen, count, penalty, order, stop, history, first, c)


# --- the whole ------------------------------------------------------------------------------------------------------


@compact
def cast_out(X, r, w, c, norms, alive, count, penalty, gap, s):
    """Leave out the columns that the gap proves to be 0: (how many are left, whether one of them had a coefficient)."""
    left, changed = 0, False
    radius = math.sqrt(2.0 * gap)
    for k in range(count):
        j = alive[k]
        if s * pull(c[j], w[j], penalty) + radius * math.sqrt(norms[j] + penalty.l2) < penalty.l1:
            if w[j] != 0.0:
                add_column(X, j, w[j], r)
                w[j], changed = 0.0, True
        else:
            alive[left] = j
            left += 1
    return left, changed


@part
def kth_smallest(values, count, k):
    """Of the first `count`, which are put into another order (Hoare's FIND, 1961)."""
    left, right = 0, count - 1
    while left < right:
        pivot, i, j = values[(left + right) // 2], left, right
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            right = j
        elif k >= i:
            left = i
        else:
            break
    return values[k]


@compact
def choose(w, c, norms, alive, count, penalty, s, more, slack, chosen):
    """The working set: columns in the model, and `more`, or a quarter as many, that are nearest to entering."""
    ordered, inside = row(slack, 1), 0
    for k in range(count):
        j = alive[k]
        if w[j] != 0.0:
            slack[0, k] = -np.inf
            inside += 1
        elif norms[j] > 0.0:
            slack[0, k] = (penalty.l1 - s * pull(c[j], w[j], penalty)) / math.sqrt(norms[j] + penalty.l2)
        else:
            slack[0, k] = np.inf
        ordered[k] = slack[0, k]
    size = min(count, inside + max(more, inside // 4))
    if size == 0:
        return 0
    limit = kth_smallest(ordered, count, size - 1)
    ties = size
    for k in range(count):
        ties -= slack[0, k] < limit
    taken = 0
    for k in range(count):
        at_limit = slack[0, k] == limit and ties > 0 and limit < np.inf
        ties -= at_limit
        if slack[0, k] < limit or at_limit:
            chosen[taken] = alive[k]
            taken += 1
    return taken


@kernel(parallel=True, inner=True)
def _correlate_on_threads(X, r, which, count, c):
    pieces = max(1, min(64, count // 16))
    for piece in numba.prange(pieces):
        correlate(X, r, which, piece * count // pieces, (piece + 1) * count // pieces, c)


@part
def solve(X, r, w, c, norms, alive, slack, chosen, penalty, order, stop, history, pool, square, threads):
    """One penalty, from w and its r on: (gap, epochs)."""
    p, epochs, more = columns_in(X), 0, LEAST
    left = p
    for j in range(p):
        alive[j] = j
    while True:
        settle(X, r)
        if threads and left * r.size > GRAIN:
            _correlate_on_threads(X, r, alive, left, c)
        else:
            correlate(X, r, alive, 0, left, c)
        gap, s = certificate(residual_square(X, r, w), w, c, alive, left, penalty)
        if gap <= stop.gap or epochs >= stop.epochs:
            return gap, epochs
        if penalty.l1 > 0.0:
            left, changed = cast_out(X, r, w, c, norms, alive, left, penalty, gap, s)
            if changed:
                epochs += 1  # so that the loop ends
                continue
        count = choose(w, c, norms, alive, left, penalty, s, more if penalty.l1 > 0.0 else p, slack, chosen)
        if count == 0:
            return gap, epochs
        more *= 2
        goal = Stop(max(CLOSER * gap, 0.5 * stop.gap), stop.epochs)
        epochs = descend_from(X, r, w, norms, chosen, count, penalty, order, goal, history, epochs, c, pool, square)


@kernel
def follow(X, r, w, norms, square, l1, l2, positive, order, stop, threads, coefficients, gaps, epochs):
    """Penalty after penalty, each from where the one before ended.

    r is y, and becomes the residual; w (p,) is the beginning; norms (p,) are |x_j|^2, square is |y|^2; l1 and l2
    (penalties,) are a and b; `threads`: whether passes over all columns go on threads, which within threads they must
    not. Filled: coefficients (penalties, p), gaps and epochs (penalties,).
    """
    p = columns_in(X)
    most = min(p, POOL, r.size)
    c, alive, chosen = np.zeros(p), np.empty(p, np.int64), np.empty(p, np.int64)
    slack = np.empty((2, p))
    for j in range(p):
        if w[j] != 0.0:
            add_column(X, j, -w[j], r)
    history = History(
        np.empty((DEPTH + 1, p)), np.empty((DEPTH + 1, max(r.size, p))), np.empty((DEPTH, p)),
        np.empty((DEPTH, DEPTH + 1)), np.empty(DEPTH),
    )  # fmt: skip
    pool = Pool(
        np.full(p, -1), np.empty(most, np.int64), np.zeros(1, np.int64), np.empty((most, most)), np.empty(most),
        np.empty(most), np.empty(most), np.empty(most), np.empty(most), np.empty(most, np.int64),
    )  # fmt: skip
    for k in range(l1.size):
        penalty = Penalty(l1[k], l2[k], positive)
        gap, used = solve(X, r, w, c, norms, alive, slack, chosen, penalty, order, stop, history, pool, square, threads)
        gaps[k], epochs[k] = gap, max(used, 1)
        for j in range(p):
            coefficients[k, j] = w[j]
