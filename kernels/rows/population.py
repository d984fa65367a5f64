"""What every population method shares: its rows, the initial sample, what a generation brought, ranking, repair.

The functions take the state of any method with rows and use these fields of it:
    trial    (P, D)    candidates of this generation, one per row
    trial_f  (P,)      their values
    rows     ROWS      which rows are what
    box, run           as every state
and where a method keeps a population: x (R, D), its values f (R,), and `order` (R,) the rows from best to worst.
x holds all that a candidate may be made from: rows [0, live) are the population; where there is a second one, rows
[second, second_end) are it; an archive stands in rows [P, P + archived).
"""

from typing import Annotated, NamedTuple

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..compile.structures import Vector, filled, record
from ..numbers.random import row_key, uniform
from ..numbers.ranking import sort_rows
from ..run import COLLAPSED, make_run, note_raised, raised

ROWS = record(
    live="i8",  # rows of a full generation: the size of the population
    count="i8",  # rows of this generation: live, or what is left of the budget
    cursor="i8",  # rows of this generation that have been evaluated
    given="i8",  # rows of generation 0 that the caller gave
    best="i8",  # the row of the population with the lowest value, where a method asks for it
    second="i8", second_end="i8",  # rows of the second population
    archived="i8",  # points in the archive
    immigrants="i8",  # points taken in from other populations
    whole="i8",  # variables that take whole numbers
)  # fmt: skip
RowCounts = Annotated[np.ndarray, ROWS]


class Box(NamedTuple):
    """Where a method searches; it is closed."""

    lower: Vector  # (D,)
    upper: Vector  # (D,)
    integer: Vector  # (D,) 1.0 where a variable takes whole numbers, else 0.0


def make_box(domain) -> Box:
    """The box of a problem; that of a whole-numbered variable ends on whole numbers."""
    whole = domain.integrality
    lower = np.where(whole, np.ceil(domain.lower), domain.lower)
    upper = np.where(whole, np.floor(domain.upper), domain.upper)
    return Box(lower, upper, whole.astype(np.float64))


def only_start(domain, box: Box) -> tuple[np.ndarray, bool]:
    """x (D,), and whether it was given, of a method that begins at one point of a box; else it draws one."""
    if domain.x0 is None:
        return np.zeros(domain.dimension), False
    if len(domain.x0) != 1:
        raise ValueError(f"x0: got {len(domain.x0)} points, expected one, at which the walk begins")
    rounded = np.clip(np.rint(domain.x0[0]), box.lower, box.upper)
    return np.where(domain.integrality, rounded, domain.x0[0]), True


def population_fields(domain, size: int, limits, key) -> dict:
    """The fields that the state of every method with rows has; the points that were given stand in `trial`."""
    trial, box = np.zeros((size, domain.dimension)), make_box(domain)
    given = np.zeros((0, domain.dimension)) if domain.x0 is None else domain.x0
    if len(given) > size:
        raise ValueError(f"x0: got {len(given)} points, expected at most {size}, the size of the population")
    rounded = np.clip(np.rint(given), box.lower, box.upper)
    trial[: len(given)] = np.where(domain.integrality, rounded, given)
    count = min(size, limits.max_evals)
    return {
        "trial": trial,
        "trial_f": np.full(size, np.inf),
        "rows": filled(ROWS, live=size, count=count, given=len(given), whole=int(domain.integrality.sum())),
        "box": box,
        "run": make_run(domain.dimension, limits, key),
    }


def ranked_fields(rows: int, dimension: int) -> dict:
    """The fields of a ranked method: `rows` points, their values and ranks."""
    return {
        "x": np.zeros((rows, dimension)),
        "f": np.full(rows, np.inf),
        "order": np.arange(rows, dtype=np.int64),
        "scratch": np.zeros(rows, dtype=np.int64),
    }


# --- a generation ------------------------------------------------------------------------------------------------


@inlined
def row_of(i, state):
    """The key of row i in this generation: its slots are this row's random numbers."""
    return row_key(state.run.now[0].key, i)


@inlined
def sample(u, low, high, integer):
    """The point of [low, high] that u in [0, 1) stands for; k whole numbers have equal shares."""
    value = low + u * (high - low + integer)
    value = np.floor(value) if integer > 0.0 else value
    return min(max(value, low), high)


@inlined
def sample_row(i, state):
    """Row i of generation 0: the point that was given, or one uniform in the box."""
    if i >= state.rows[0].given:
        key, box = row_of(i, state), state.box
        for j in range(state.trial.shape[1]):
            state.trial[i, j] = sample(uniform(key, j), box.lower[j], box.upper[j], box.integer[j])


@part
def note_values(trial, trial_f, count, run):
    """After the last row of a generation: NaN becomes inf and is counted, the best so far is kept."""
    now = run.now[0]
    best, best_row = now.best, -1
    for i in range(count):
        value = trial_f[i]
        if value != value:
            if raised(value):
                note_raised(run, row(trial, i))
                return
            trial_f[i] = np.inf
            now.failed += 1
        elif value < best:
            best, best_row = value, i
    now.evaluations += count
    if best_row >= 0:
        now.stall, now.best = -1, best
        for j in range(run.best_x.size):
            run.best_x[j] = trial[best_row, j]


@inlined
def open_generation(state):
    """How many rows the generation has that begins."""
    rows, now = state.rows[0], state.run.now[0]
    rows.cursor = 0
    rows.count = min(rows.live, now.max_evals - now.evaluations)


@inlined
def find_best(state):
    """rows.best: the first row of the population with the lowest value."""
    rows = state.rows[0]
    best = 0
    for i in range(1, rows.live):
        best = i if state.f[i] < state.f[best] else best
    rows.best = best


@inlined
def measure(state):
    """run.spread: largest minus smallest value of the population; and the end of a population that has collapsed."""
    low, high = np.inf, -np.inf
    for i in range(state.rows[0].live):
        low, high = min(low, state.f[i]), max(high, state.f[i])
    state.run.now[0].spread = high - low
    if low == high and has_collapsed(state):  # one point has one value
        state.run.now[0].stop = COLLAPSED


@inlined
def has_collapsed(state):
    """Whether all rows that a candidate may be made from are the same point."""
    x, rows, archive = state.x, state.rows[0], state.trial_f.size
    return (
        is_one_point(x, 0, rows.live)
        and is_one_point(x, rows.second, rows.second_end)
        and is_one_point(x, archive, archive + rows.archived)
    )


@inlined
def is_one_point(x, start, stop):
    """Whether the rows [start, stop) are row 0."""
    same = True
    for i in range(start, stop):
        for j in range(x.shape[1]):
            same = same and x[i, j] == x[0, j]
        if not same:
            return False
    return True


# --- ranking -----------------------------------------------------------------------------------------------------


@inlined
def rank(state):
    """order: the rows of each population from best to worst, equal values by row."""
    rows = state.rows[0]
    sort_rows(state.f, state.order, state.scratch, 0, rows.live)
    sort_rows(state.f, state.order, state.scratch, rows.second, rows.second_end)


@part
def keep_best(x, f, order, dropped, start, count, kept):
    """Keep the best `kept` of the `count` ranked rows from `start` on; they move to the front of these rows.

    dropped: room for a mark on each row.
    """
    for k in range(start, start + count):
        dropped[order[k]] = 1 if k >= start + kept else 0
    hole = start
    for k in range(start, start + kept):
        row = order[k]
        if row >= start + kept:
            while dropped[hole] == 0:
                hole += 1
            copy_row(x, row, x, hole)
            f[hole] = f[row]
            order[k] = hole
            hole += 1


# --- repair ------------------------------------------------------------------------------------------------------


@inlined
def round_row(i, state):
    """Whole numbers where they are asked for; the box of such a variable ends on whole numbers."""
    if state.rows[0].whole == 0:
        return
    for j in range(state.trial.shape[1]):
        value = state.trial[i, j]
        state.trial[i, j] = np.floor(value + 0.5) if state.box.integer[j] > 0.0 else value


@inlined
def round_away_row(i, state, parent):
    """Whole numbers, halves away from the parent: with F = 0.5 every odd difference ends in one.

    Rounded upwards, a step down of one would be none, and the population would collapse on one side of the minimum.
    """
    if state.rows[0].whole == 0:
        return
    for j in range(state.trial.shape[1]):
        value = state.trial[i, j]
        away = np.floor(value + 0.5) if value > state.x[parent, j] else np.ceil(value - 0.5)
        state.trial[i, j] = away if state.box.integer[j] > 0.0 else value


@inlined
def repair_to_midpoint_row(i, state, parent):
    """A coordinate outside the box goes midway between the bound and its parent (L-SHADE, section II)."""
    box = state.box
    for j in range(state.trial.shape[1]):
        value, low, high, inside = state.trial[i, j], box.lower[j], box.upper[j], state.x[parent, j]
        value = 0.5 * low + 0.5 * inside if value < low else value  # halved first: the sum may overflow
        state.trial[i, j] = 0.5 * high + 0.5 * inside if value > high else value


@inlined
def repair_by_redraw_row(i, state, key, slot):
    """A coordinate outside the box is drawn anew, uniformly (L-SRTDE)."""
    box = state.box
    for j in range(state.trial.shape[1]):
        value, low, high = state.trial[i, j], box.lower[j], box.upper[j]
        anew = sample(uniform(key, slot + j), low, high, box.integer[j])
        state.trial[i, j] = anew if value < low or value > high else value


@inlined
def repair_near_bound_row(i, state, key, slot):
    """A coordinate outside the box is drawn between the bound and its mirror image in it (ARRDE)."""
    box = state.box
    for j in range(state.trial.shape[1]):
        value, low, high, u = state.trial[i, j], box.lower[j], box.upper[j], uniform(key, slot + j)
        inside = low + u * min(low - value, high - low) if value < low else value
        state.trial[i, j] = high - u * min(value - high, high - low) if value > high else inside


@inlined
def copy_row(source, row, target, to):
    for j in range(source.shape[1]):
        target[to, j] = source[row, j]


@inlined
def replace_row(replaces, source, row, target, to):
    """Copy a row if `replaces`; without a branch, which LLVM turns into better code than a copy under a condition."""
    for j in range(source.shape[1]):
        target[to, j] = source[row, j] if replaces else target[to, j]
