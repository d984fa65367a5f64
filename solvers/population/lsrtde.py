"""L-SRTDE: differential evolution whose weights follow the success rate.

Stanovov and Semenkin, Success rate-based adaptive differential evolution L-SRTDE for CEC 2024. All candidates are made
from the generation's start and the successes are applied in row order, so that they may be evaluated in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.numbers.elementary import exp, log, tanh
from ...kernels.numbers.random import integer, normal, uniform
from ...kernels.rows import population as shared
from ...kernels.rows.differential_evolution import COORDINATES, cross_binomial_row
from ...kernels.rows.migration import populations
from ...kernels.rows.population import Box, RowCounts, population_fields, ranked_fields
from ...kernels.run import Run, progress
from ..contract import Rows, Solver, require

SCALARS = record(
    memory_slot="i8",  # the next to be written
    front_next="i8",  # row of the front that the next success overwrites
    initial="f8",  # size of the first population
    success_rate="f8",
)
SMALLEST = 4  # individuals at the end of the run
PARENT, PERIOD, GUIDE, PLUS, MINUS, CROSSOVER, WEIGHT = 0, 1, 2, 10, 20, 3, 30  # slots of random numbers
MOST_REDRAWS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # N_init, at least 4; None: 20 D
    memory: int = 5  # H, at least 1

    def __post_init__(self):
        require(self.population is None or self.population >= 4, "population", self.population, "at least 4")
        require(self.memory >= 1, "memory", self.memory, "at least 1")


class LsrtdeState(NamedTuple):
    x: Matrix  # (3 P, D) front [0, P): recent successes; top [P, 3 P): the best of all, then this generation's
    f: Vector  # (3 P,) their values
    order: Integers  # (3 P,) rows from best to worst, front and top apart
    scratch: Integers  # (3 P,)
    share: Vector  # (P,)   of coordinates that a candidate took from its mutant
    parent: Integers  # (P,)   row of the front that a candidate competes with
    front_place: Integers  # (P,)   row of the front that a success overwrites, or -1
    top_place: Integers  # (P,)   row of the top that a success takes, or -1
    memory: Vector  # (H,)   means of CR
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    own: Annotated[np.ndarray, SCALARS]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    rows = options.population or 20 * domain.dimension
    fields = population_fields(domain, rows, limits, key)
    fields["rows"][0].second = fields["rows"][0].second_end = rows
    return LsrtdeState(
        **ranked_fields(3 * rows, domain.dimension),
        share=np.zeros(rows),
        parent=np.arange(rows),
        front_place=np.full(rows, -1),
        top_place=np.full(rows, -1),
        memory=np.ones(options.memory),
        own=filled(SCALARS, initial=rows, success_rate=0.5),
        **fields,
    )


@inlined
def propose(i, state):
    if state.run.now[0].iteration == 0:
        shared.sample_row(i, state)
        return
    n, top = state.rows[0].live, state.rows[0].second
    key = shared.row_of(i, state)
    rate = state.own[0].success_rate
    parent = integer(key, PARENT, n)
    elite = max(int(0.7 * n * exp(-7.0 * rate)), 2)
    guide = state.order[top + integer(key, GUIDE, elite)]
    plus = state.order[0]
    for k in range(MOST_REDRAWS):  # rank r of the front has weight exp(-3 r / n)
        u = uniform(key, PLUS + k)
        plus = state.order[min(int(-n / 3.0 * log(1.0 - u * (1.0 - exp(-3.0)))), n - 1)]
        if plus + top != guide:
            break
    minus = guide
    for k in range(MOST_REDRAWS):
        minus = state.order[top + integer(key, MINUS + k, n)]
        if minus != guide and minus != plus + top:
            break
    mean = 0.4 + 0.25 * tanh(5.0 * rate)
    weight = mean
    for k in range(MOST_REDRAWS):
        weight = mean + 0.02 * normal(key, WEIGHT + k)
        if 0.0 <= weight <= 1.0:
            break
    mean_c = state.memory[integer(key, PERIOD, state.memory.size)]
    crossover = min(max(mean_c + 0.05 * normal(key, CROSSOVER), 0.0), 1.0)
    crossed = cross_binomial_row(i, state, key, parent, (parent, plus, minus, guide), weight, weight, crossover)
    state.parent[i], state.share[i] = parent, crossed / state.trial.shape[1]
    shared.repair_by_redraw_row(i, state, key, COORDINATES + state.trial.shape[1])
    shared.round_row(i, state)


@part
def learn(state):
    """Places of the successes in row order; success rate; memory of CR from the shares really crossed."""
    rows, own = state.rows[0], state.own[0]
    n, first = rows.live, state.run.now[0].iteration == 0
    successes, gains, total, total2 = 0, 0.0, 0.0, 0.0
    for i in range(rows.count):
        state.front_place[i] = state.top_place[i] = -1
        parent_f = state.f[state.parent[i]]
        if state.trial_f[i] <= parent_f:
            state.top_place[i] = rows.second_end + successes
            state.front_place[i] = (own.front_next + successes) % n
            successes += 1
            gain = min(parent_f - state.trial_f[i], 1e100) if state.trial_f[i] < parent_f else 0.0
            gains += gain
            total += gain * state.share[i]
            total2 += gain * state.share[i] * state.share[i]
    own.front_next = (own.front_next + successes) % n
    rows.second_end += successes
    if first or rows.count == 0:
        return
    own.success_rate = successes / rows.count
    if successes > 0:
        slot = own.memory_slot
        mean = total2 / total if total > 1e-8 * gains else 1.0
        state.memory[slot] = 0.5 * (state.memory[slot] + mean)
        own.memory_slot = (slot + 1) % state.memory.size


@inlined
def select(i, state):
    if state.top_place[i] >= 0:
        shared.copy_row(state.trial, i, state.x, state.top_place[i])
        shared.copy_row(state.trial, i, state.x, state.front_place[i])
        state.f[state.top_place[i]] = state.f[state.front_place[i]] = state.trial_f[i]


@part
def shrink(state):
    """Linear reduction of both populations; the top keeps the best of what it was and of the successes."""
    rows, own = state.rows[0], state.own[0]
    top, n = rows.second, rows.live
    wanted = min(max(int(own.initial + (SMALLEST - own.initial) * progress(state.run)), SMALLEST), n)
    if wanted < n:
        shared.keep_best(state.x, state.f, state.order, state.scratch, 0, n, wanted)
        own.front_next %= wanted
    held = rows.second_end - top
    shared.keep_best(state.x, state.f, state.order, state.scratch, top, held, min(wanted, held))
    rows.second_end = top + min(wanted, held)
    rows.live = wanted


ROWS = Rows(propose, (learn,), select, settle=(shared.rank, shrink, shared.measure))
SOLVER = Solver(
    "lsrtde", "success-rate adaptive differential evolution (L-SRTDE, CEC 2024)", Options, LsrtdeState, init, rows=ROWS,
    points=populations,
)  # fmt: skip
