"""DIRECT: the box is divided into rectangles, and those that no other one excels in both size and value are again.

Jones, Perttunen and Stuckman, Lipschitzian optimization without the Lipschitz constant, J. Optim. Theory Appl. 79
(1993) 157-181; its locally biased form DIRECT_L: Gablonsky and Kelley, J. Global Optim. 21 (2001) 27-37; which
rectangles: Stripinis, Paulavicius and Zilinskas, Optim. Lett. 12 (2018) 1699-1712, and, in effect, SciPy's `direct`.
It draws nothing: all runs are the same. Good for a few variables and a few thousand evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.rows.population import Box, make_box
from ...kernels.run import CONVERGED, ENDED, RUNNING, Run, evaluate, make_run, spent
from ..contract import Solver, require

SCALARS = record(
    biased="i8",  # 1: DIRECT_L
    count="i8",  # rectangles
    best="i8",  # the rectangle with the least value
    xtol="f8",
    given="i8",  # 1: trial is a point that the caller gave
)  # fmt: skip
DEEPEST = 33  # a side of 3**-33 of the box is the spacing of numbers
MOST_NUMBERS = 4_000_000  # in the centres of all rectangles: 64 MB with the sides
NONE = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    locally_biased: bool = True  # DIRECT_L, as SciPy's default: fewer sizes, so it is at a minimum sooner
    xtol: float = 1e-6  # half the longest side of the best rectangle, as a share of the box: converged (SciPy's)

    def __post_init__(self):
        require(self.xtol >= 0, "xtol", self.xtol, "a number that is not negative")


class DirectState(NamedTuple):
    centre: Matrix  # (N, D) of each rectangle, in the unit cube
    cuts: Matrix  # (N, D) how often each side was cut in three
    f: Vector  # (N,) values at the centres
    left: Integers  # (N,) the heap of a group: the least value at its root
    right: Integers  # (N,)
    root: Integers  # (G,) of the rectangles of one size (diagonal; DIRECT_L: longest side), the largest first
    chosen: Integers  # (G,) the rectangles to be divided
    side: Integers  # (D,) the longest sides of one of them, in the order in which they are cut
    low: Vector  # (D,) w in the paper: the less of the values at the two new centres along each of these sides
    pair: Integers  # (D,) the first of the two new rectangles; the other one is the next
    trial: Vector  # (D,) a point in the box
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, given = domain.dimension, domain.x0
    if given is not None and len(given) != 1:
        raise ValueError(f"x0: got {len(given)} points, expected one; it is evaluated beside the centres")
    most = min(limits.max_evals, MOST_NUMBERS // n) + 2  # the last two may be known by half
    sizes = (DEEPEST + 1) * n
    own = filled(SCALARS, biased=options.locally_biased, xtol=options.xtol, given=given is not None)
    return DirectState(
        centre=np.zeros((most, n)), cuts=np.zeros((most, n)), f=np.full(most, np.inf),
        left=np.full(most, NONE), right=np.full(most, NONE), root=np.full(sizes, NONE),
        chosen=np.zeros(sizes, np.int64),
        side=np.zeros(n, np.int64), low=np.zeros(n), pair=np.zeros(n, np.int64),
        trial=np.zeros(n) if given is None else given[0].copy(),
        own=own, box=make_box(domain), run=make_run(n, limits, key),
    )  # fmt: skip


# --- heaps ------------------------------------------------------------------------------------------------------------


@inlined
def comes_first(a, b, f):
    return f[a] < f[b] or (f[a] == f[b] and a < b)


@part
def merged(a, b, state):
    """The root of the skew heap of both (Sleator and Tarjan 1986): along right spines, whose nodes swap their sides."""
    f, left, right = state.f, state.left, state.right
    if a == NONE or b == NONE:
        return max(a, b)
    if comes_first(b, a, f):
        a, b = b, a
    top = a
    while True:
        below = right[a]
        right[a] = left[a]
        if below == NONE:
            left[a] = b
            return top
        if comes_first(b, below, f):
            below, b = b, below
        left[a] = below
        a = below


@inlined
def insert(i, state):
    """Put rectangle i into the group of its size."""
    n, least, cut = state.cuts.shape[1], state.cuts[i, 0], 0
    for j in range(1, n):
        least = min(least, state.cuts[i, j])
    for j in range(n):
        cut += 1 if state.cuts[i, j] > least else 0
    group = int(least) * n + (0 if state.own[0].biased == 1 else cut)
    if group < state.root.size:  # smaller ones are points
        state.root[group] = merged(state.root[group], i, state)


# --- an iteration -----------------------------------------------------------------------------------------------------


@inlined
def value_at(i, problem, state):
    box, x = state.box, state.trial
    for j in range(x.size):
        x[j] = min(max(box.lower[j] + state.centre[i, j] * (box.upper[j] - box.lower[j]), box.lower[j]), box.upper[j])
    return evaluate(problem, x, state.run)


@part
def choose(state):
    """The rectangles to be divided, out of their heaps; how many there are.

    Of the largest size that with the least value; of each smaller size, too, where it is less than those of all larger
    ones. So no other rectangle is both larger and better.
    """
    root, f, chosen, count, least = state.root, state.f, state.chosen, 0, np.inf
    for g in range(root.size):
        i = root[g]
        if i != NONE and (count == 0 or f[i] < least):
            chosen[count], least = i, f[i]
            count += 1
            root[g] = merged(state.left[i], state.right[i], state)
            state.left[i] = state.right[i] = NONE
    return count


@inlined
def add(i, j, step, state):
    """A new rectangle: that of i, its centre moved along side j."""
    new = state.own[0].count
    for k in range(state.centre.shape[1]):
        state.centre[new, k], state.cuts[new, k] = state.centre[i, k], state.cuts[i, k]
    state.centre[new, j] += step
    state.own[0].count += 1
    return new


@inlined
def look_along(i, j, step, problem, state):
    """The two new rectangles beside i along side j, and the less of their values."""
    low = np.inf
    for sign in range(2):
        new = add(i, j, step * (2 * sign - 1), state)
        if not spent(state.run):
            state.f[new] = value_at(new, problem, state)
        low = min(low, state.f[new])
        if state.f[new] < state.f[state.own[0].best]:
            state.own[0].best = new
    return low


@inlined
def divide(i, problem, state):
    """Cut the longest sides of rectangle i in three, first that with the least value: its pieces stay the largest."""
    cuts, side, low, pair, own = state.cuts, state.side, state.low, state.pair, state.own[0]
    first, sides, least = own.count, 0, cuts[i, 0]
    for j in range(1, side.size):
        least = min(least, cuts[i, j])
    for j in range(side.size):
        if cuts[i, j] == least and own.count + 2 <= state.f.size and not spent(state.run):
            new = own.count
            value, at = look_along(i, j, 3.0 ** (-least - 1.0), problem, state), sides
            while at > 0 and value < low[at - 1]:
                side[at], low[at], pair[at] = side[at - 1], low[at - 1], pair[at - 1]
                at -= 1
            side[at], low[at], pair[at] = j, value, new
            sides += 1
    for k in range(sides):
        cuts[i, side[k]] += 1.0
        for later in range(k, sides):  # what is cut later is a piece of the middle one of this cut
            cuts[pair[later], side[k]] += 1.0
            cuts[pair[later] + 1, side[k]] += 1.0
    insert(i, state)
    for new in range(first, own.count):
        insert(new, state)


@inlined
def iterate(problem, state):
    now, own = state.run.now[0], state.own[0]
    if now.iteration == 0:
        if own.given == 1:
            evaluate(problem, state.trial, state.run)
        for j in range(state.trial.size):
            state.centre[0, j] = 0.5
            state.cuts[0, j] = 0.0 if state.box.lower[j] < state.box.upper[j] else DEEPEST + 1.0  # not to be cut
        if not spent(state.run):
            state.f[0] = value_at(0, problem, state)
        own.count = 1
        insert(0, state)
        return
    count = choose(state)
    for k in range(count):
        divide(state.chosen[k], problem, state)
    longest = 0.0
    for j in range(state.trial.size):
        longest = max(longest, 0.5 * 3.0 ** -state.cuts[own.best, j])
    if now.stop == RUNNING and longest <= own.xtol:
        now.stop = CONVERGED
    elif not spent(state.run) and (count == 0 or own.count + 2 > state.f.size):
        now.stop = ENDED  # nothing to be divided, or no room for the pieces


SOLVER = Solver(
    "direct", "dividing rectangles (DIRECT, DIRECT_L), for few variables", Options, DirectState, init, iterate=iterate,
    integers=False, converges=False,
)  # fmt: skip
