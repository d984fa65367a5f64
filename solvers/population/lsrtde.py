"""L-SRTDE: differential evolution whose weights follow the success rate.

Stanovov and Semenkin, Success rate-based adaptive differential evolution L-SRTDE for CEC 2024. All candidates are made
from the generation's start and the successes are applied in row order, so that they may be evaluated in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, kernel
from ...kernels.numbers.elementary import exp, log, tanh
from ...kernels.numbers.random import integer, normal, uniform
from ...kernels.rows import population as shared
from ...kernels.rows.differential_evolution import COORDINATES, cross_binomial_row
from ..contract import Integers, Matrix, Solver, Vector, common_fields, ranked_fields, require

MEMORY_SLOT, FRONT_NEXT = (shared.COUNTERS + k for k in range(2))
INITIAL, SUCCESS_RATE = (shared.PARAMS + k for k in range(2))
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


class State(NamedTuple):
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
    lower: Vector  # (D,)
    upper: Vector  # (D,)
    integer: Vector  # (D,)   1.0 where whole numbers are asked for
    best_x: Vector  # (D,)
    history: Matrix  # (entries, 2) evaluations, best value
    params: Vector  # target, ftol, best; initial size, success rate
    counters: Integers


def init(problem, options, limits, key):
    rows = options.population or 20 * problem.dimension
    common = common_fields(problem, rows, limits, key, own_counters=2, own_params=(rows, 0.5))
    common["counters"][shared.RANK_2] = common["counters"][shared.RANK_3] = rows
    return State(
        **ranked_fields(3 * rows, problem.dimension),
        share=np.zeros(rows),
        parent=np.arange(rows),
        front_place=np.full(rows, -1),
        top_place=np.full(rows, -1),
        memory=np.ones(options.memory),
        **common,
    )


@inlined
def propose_row(i, state):
    counters = state.counters
    n, top = counters[shared.LIVE], counters[shared.RANK_2]
    key = shared.row_of(i, state)
    rate = state.params[SUCCESS_RATE]
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


@kernel
def tally(state):
    """Places of the successes in row order; success rate; memory of CR from the shares really crossed."""
    counters = state.counters
    n, first = counters[shared.LIVE], counters[shared.GENERATION] == 0
    successes, gains, total, total2 = 0, 0.0, 0.0, 0.0
    for i in range(counters[shared.ROWS]):
        state.front_place[i] = state.top_place[i] = -1
        parent_f = state.f[state.parent[i]]
        if state.trial_f[i] <= parent_f:
            state.top_place[i] = counters[shared.RANK_3] + successes
            state.front_place[i] = (counters[FRONT_NEXT] + successes) % n
            successes += 1
            gain = min(parent_f - state.trial_f[i], 1e100) if state.trial_f[i] < parent_f else 0.0
            gains += gain
            total += gain * state.share[i]
            total2 += gain * state.share[i] * state.share[i]
    counters[FRONT_NEXT] = (counters[FRONT_NEXT] + successes) % n
    counters[shared.RANK_3] += successes
    if first or counters[shared.ROWS] == 0:
        return
    state.params[SUCCESS_RATE] = successes / counters[shared.ROWS]
    if successes > 0:
        slot = counters[MEMORY_SLOT]
        mean = total2 / total if total > 1e-8 * gains else 1.0
        state.memory[slot] = 0.5 * (state.memory[slot] + mean)
        counters[MEMORY_SLOT] = (slot + 1) % state.memory.size


@inlined
def select_row(i, state):
    if state.top_place[i] >= 0:
        shared.copy_row(state.trial, i, state.x, state.top_place[i])
        shared.copy_row(state.trial, i, state.x, state.front_place[i])
        state.f[state.top_place[i]] = state.f[state.front_place[i]] = state.trial_f[i]


@kernel
def settle(state):
    """Linear reduction of both populations; the top keeps the best of what it was and of the successes."""
    counters, top = state.counters, state.counters[shared.RANK_2]
    spent = counters[shared.EVALUATIONS] / counters[shared.MAX_EVALS]
    initial, n = state.params[INITIAL], counters[shared.LIVE]
    wanted = min(max(int(initial + (SMALLEST - initial) * spent), SMALLEST), n)
    if wanted < n:
        shared.keep_best(state, 0, n, wanted)
        counters[FRONT_NEXT] %= wanted
    held = counters[shared.RANK_3] - top
    shared.keep_best(state, top, held, min(wanted, held))
    counters[shared.RANK_3] = top + min(wanted, held)
    counters[shared.LIVE] = counters[shared.RANK_1] = wanted


SOLVER = Solver(
    "lsrtde", "success-rate adaptive differential evolution (L-SRTDE, CEC 2024)", Options, State, init, propose_row,
    tally=tally, select_row=select_row, settle=settle, ranked=True,
)  # fmt: skip
