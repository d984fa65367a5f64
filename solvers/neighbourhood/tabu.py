"""Tabu search: to the best point of the neighbourhood, also where it is worse, but not back to where it came from.

Glover, Tabu search, ORSA J. Comput. 1 (1989) 190-206 and 2 (1990) 4-32; for boxes as in Chelouah and Siarry, Tabu
search applied to global optimization, Eur. J. Oper. Res. 123 (2000) 256-270 (ECTS), whose two phases, two lists and
balls these are. The numbers (lengths of lists, sizes of balls and neighbourhoods, as shares of the box) are ours: its
abstract was at hand, not its table of parameters.

A generation is the neighbourhood of one point: row i lies in the i-th of concentric boxes, each smaller than the one
before; of three rows one changes all variables, one changes one, one changes two. A candidate is tabu in a ball around
one of the last points (of whole numbers: where they are all the same), unless it is better than all before
(aspiration). Three phases go round: a sample of the box; diversification, which keeps promising points that are no
neighbours of each other; intensification around the best of them, whose neighbourhood and balls are halved when nothing
gets better. Areas that were searched so are not promising again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Matrix, Vector, filled, record
from ...kernels.numbers.random import integer, uniform
from ...kernels.rows import population
from ...kernels.rows.population import Box, RowCounts, population_fields, sample
from ...kernels.run import Run
from ...kernels.walks import mirrored, moved
from ..contract import Rows, Solver, require

SAMPLE, DIVERSIFY, INTENSIFY = range(3)  # phases
COORDINATE, SIDE, OTHER, STEP = range(4)  # slots of a row's random numbers; from STEP on one for each variable
DECADES = 3.0  # over which the sizes of the concentric boxes of a neighbourhood are spread
BALL = 0.05  # radius of a tabu ball, as a share of the neighbourhood: 1/100 of the box where that is 1/5
LISTED = 10  # promising points, and areas that were searched (N_p)
APART = 0.02  # radius of the balls around these, a share of the box
SCALARS = record(
    f="f8",  # value at the current point
    best="f8",  # before this generation
    phase="i8",
    first="f8", reach="f8", least="f8",  # half widths of a neighbourhood, shares of the box: at first, now, at the end
    tabu="i8", next="i8",  # points in the tabu list; where the next one goes
    found="i8", done="i8",  # promising points; areas that were searched
    idle="i8",  # generations without a new promising point, or without an improvement
    long="i8", short="i8",  # how many of these end the diversification, and halve the neighbourhood
    area_f="f8",  # best value in the area that is searched
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # neighbours; None: 2 D, at least 6
    tenure: int = 7  # points in the tabu list (N_t)
    reach: float = 0.2  # half width of the first neighbourhood, as a share of the box
    diversify: int | None = None  # generations without a new promising point that end it; None: 2 D
    intensify: int | None = None  # without an improvement, that halve the neighbourhood; None: 5, whole numbers 5 D
    xtol: float = 1e-8  # half width at which an area is searched through; of whole numbers where steps are below 1

    def __post_init__(self):
        require(self.population is None or self.population >= 1, "population", self.population, "at least 1")
        require(self.tenure >= 1, "tenure", self.tenure, "at least 1")
        require(0 < self.reach <= 1, "reach", self.reach, "a share in (0, 1]")
        require(self.diversify is None or self.diversify >= 1, "diversify", self.diversify, "at least 1")
        require(self.intensify is None or self.intensify >= 1, "intensify", self.intensify, "at least 1")
        require(self.xtol > 0, "xtol", self.xtol, "a number above 0")


class TabuState(NamedTuple):
    at: Vector  # (D,)   the current point
    tabu: Matrix  # (T, D) the last points
    found: Matrix  # (N, D) promising points
    found_f: Vector  # (N,)   their values
    done: Matrix  # (N, D) the best points of the areas that were searched last
    shares: Vector  # (P,)   sizes of the concentric boxes, as shares of the first
    trial: Matrix  # (P, D) the neighbourhood
    trial_f: Vector  # (P,)   its values
    own: Annotated[np.ndarray, SCALARS]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    n = domain.dimension
    size = options.population or max(2 * n, 6)
    fields = population_fields(domain, size, limits, key)
    box = fields["box"]
    widths = box.upper - box.lower
    real = (box.integer == 0.0) & (widths > 0)
    least = options.xtol if real.any() else 0.5 / max(widths.max(), 1.0)
    own = filled(
        SCALARS, f=np.inf, best=np.inf, phase=SAMPLE, first=options.reach, reach=options.reach, least=least,
        long=options.diversify or 2 * n, short=options.intensify or (5 if real.any() else 5 * n), area_f=np.inf,
    )  # fmt: skip
    return TabuState(
        at=np.zeros(n),
        tabu=np.zeros((options.tenure, n)),
        found=np.zeros((LISTED, n)),
        found_f=np.full(LISTED, np.inf),
        done=np.zeros((LISTED, n)),
        shares=10.0 ** (-DECADES * np.arange(size) / max(size - 1, 1)),
        own=own,
        **fields,
    )


@inlined
def propose(i, state):
    """A neighbour; or a point of the box, where the search begins anew."""
    own, now, box, at, trial, n = state.own[0], state.run.now[0], state.box, state.at, state.trial, state.at.size
    if now.iteration == 0:
        population.sample_row(i, state)
        return
    key, reach, changed = population.row_of(i, state), own.reach * state.shares[i], 0
    only, other = integer(key, COORDINATE, n), integer(key, OTHER, n)
    if own.phase == SAMPLE:
        for j in range(n):
            trial[i, j] = sample(uniform(key, STEP + j), box.lower[j], box.upper[j], box.integer[j])
            changed += 1 if trial[i, j] != at[j] else 0
    elif i % 3 == 0:
        for j in range(n):
            trial[i, j] = neighbour(at[j], uniform(key, STEP + j), reach, 0.0, j, box)
            changed += 1 if trial[i, j] != at[j] else 0
    else:
        for j in range(n):
            trial[i, j] = at[j]
        for j in (only, other if i % 3 == 2 else only):
            trial[i, j] = neighbour(at[j], uniform(key, STEP + j), reach, 1.0, j, box)
            changed += 1 if trial[i, j] != at[j] else 0
    if changed == 0:  # steps of whole numbers below one half
        trial[i, only] = moved(at[only], 0.0, key, SIDE, box.lower[only], box.upper[only], box.integer[only])


@inlined
def neighbour(value, u, reach, least, j, box):
    """The j-th variable after a step of at most `reach` times the box, of a whole number at least `least`."""
    low, high, whole = box.lower[j], box.upper[j], box.integer[j]
    width = max(reach * (high - low), least * whole)
    new = mirrored(value + width * (2.0 * u - 1.0), low, high)
    return np.floor(new + 0.5) if whole > 0.0 else new


@part
def is_near(x, points, count, radius, box):
    """Which of the first `count` points has x (D,) in its ball; -1: none. Whole numbers must be the same."""
    for k in range(count):
        near = True
        for j in range(x.size):
            apart = abs(x[j] - points[k, j])
            reach = radius * (box.upper[j] - box.lower[j]) if box.integer[j] == 0.0 else 0.0
            if apart > reach:
                near = False
                break
        if near:
            return k
    return -1


@inlined
def best_neighbour(state):
    """The row with the lowest value that is not tabu, or is better than all before; of all, where every one is."""
    own, trial, values = state.own[0], state.trial, state.trial_f
    best, lowest = -1, 0
    for i in range(state.rows[0].count):
        lowest = i if values[i] < values[lowest] else lowest
        if best < 0 or values[i] < values[best]:
            free = own.phase == SAMPLE or values[i] < own.best
            if free or is_near(trial[i], state.tabu, own.tabu, BALL * own.reach, state.box) < 0:
                best = i
    return lowest if best < 0 else best


@inlined
def go_to(point, value, state):
    """`point` (D,) becomes the current point, and tabu."""
    own, tabu = state.own[0], state.tabu
    own.f = value
    for j in range(point.size):
        state.at[j] = point[j]
        tabu[own.next, j] = point[j]
    own.next = own.next + 1 if own.next + 1 < tabu.shape[0] else 0
    own.tabu = min(own.tabu + 1, tabu.shape[0])


@inlined
def forget_tabus(own):
    own.tabu = own.next = 0


@part
def is_promising(x, value, state):
    """Whether x (D,) is a new promising point, or a better one in the ball of another; then it is kept."""
    own, found, found_f, box = state.own[0], state.found, state.found_f, state.box
    if not value < np.inf or is_near(x, state.done, min(own.done, LISTED), APART, box) >= 0:
        return False
    place = is_near(x, found, own.found, APART, box)
    if place >= 0:
        if not value < found_f[place]:
            return False
    elif own.found < found_f.size:
        place = own.found
        own.found += 1
    else:  # below the mean of those that there are, it takes the place of the worst
        mean, place = 0.0, 0
        for k in range(found_f.size):
            mean += found_f[k] / found_f.size
            place = k if found_f[k] > found_f[place] else place
        if not value < mean:
            return False
    found_f[place] = value
    for j in range(x.size):
        found[place, j] = x[j]
    return True


@inlined
def search_best_area(state):
    """Intensification begins at the best promising point; without one, there is another sample."""
    own, best = state.own[0], 0
    for k in range(1, own.found):
        best = k if state.found_f[k] < state.found_f[best] else best
    own.phase, own.idle = SAMPLE, 0
    if own.found > 0:
        own.phase, own.reach, own.area_f = INTENSIFY, 0.5 * own.first, state.found_f[best]
        for j in range(state.at.size):
            state.done[own.done % LISTED, j] = state.found[best, j]
        forget_tabus(own)
        go_to(state.found[best], state.found_f[best], state)


@inlined
def narrow(state):
    """Half the neighbourhood, around the best point of the area; or the end of the search there."""
    own, area = state.own[0], state.own[0].done % LISTED
    own.reach, own.idle = 0.5 * own.reach, 0
    if own.reach >= own.least:
        forget_tabus(own)
        go_to(state.done[area], own.area_f, state)
        return
    own.done += 1
    own.phase = SAMPLE


@inlined
def settle(state):
    """The move, and what it means for the phase."""
    own, rows = state.own[0], state.rows[0]
    row = best_neighbour(state)
    if own.phase == SAMPLE:
        forget_tabus(own)
        own.found = 0
        for i in range(rows.count):
            is_promising(state.trial[i], state.trial_f[i], state)
    go_to(state.trial[row], state.trial_f[row], state)
    own.idle += 1
    if own.phase == SAMPLE:
        own.phase, own.idle, own.reach = DIVERSIFY, 0, own.first
    elif own.phase == DIVERSIFY:
        if is_promising(state.at, own.f, state):
            own.idle = 0
        if own.idle >= own.long:
            search_best_area(state)
    else:
        if own.f < own.area_f:
            own.area_f, own.idle = own.f, 0
            for j in range(state.at.size):
                state.done[own.done % LISTED, j] = state.at[j]
        if own.idle >= own.short:
            narrow(state)
    own.best = state.run.now[0].best


SOLVER = Solver(
    "tabu", "to the best neighbour that was not visited (Glover 1989; Chelouah and Siarry 2000)", Options, TabuState,
    init, rows=Rows(propose, settle=(settle,)), converges=False, planned=False,
)  # fmt: skip
