"""Simulated annealing: a Metropolis walk at a falling temperature.

Kirkpatrick, Gelatt and Vecchi, Science 220 (1983) 671-680. Schedules: geometric (theirs) and linear; logarithmic,
Geman and Geman, IEEE Trans. PAMI 6 (1984) 721-741; Cauchy, Szu and Hartley, Phys. Lett. A 122 (1987) 157-162. A move
changes one coordinate. Under the first two schedules its step is uniform (Corana, Marchesi, Martini and Ridella, ACM
Trans. Math. Softw. 13 (1987) 262-280), and the width of steps follows the share of accepted moves towards 0.44, the
best for moves of one coordinate (Roberts, Gelman and Gilks, Ann. Appl. Probab. 7 (1997) 110-120). Under the
logarithmic one it is normal and falls with the square root of the temperature, under Cauchy's of that distribution
and falls in proportion to it. The first temperature, where none is given, is one at which four of five uphill steps
are accepted (Johnson, Aragon, McGeoch and Schevon, Oper. Res. 37 (1989) 865-892). Many chains: `restarts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.numbers.elementary import exp, log
from ...kernels.numbers.random import cauchy, integer, normal, uniform
from ...kernels.rows.population import Box, make_box, only_start, sample
from ...kernels.run import Run, evaluate, make_run
from ..contract import Solver, require

SCHEDULES = ("geometric", "linear", "logarithmic", "cauchy")
GEOMETRIC, LINEAR, LOGARITHMIC, CAUCHY = range(4)
COORDINATE, STEP, ACCEPTANCE, SIDE = range(4)  # slots of a move's random numbers
ACCEPTED_UPHILL = 0.8
WIDER, NARROWER = float(np.exp(0.05 * 0.56)), float(np.exp(-0.05 * 0.44))  # at rest where 44 % of moves are accepted
SCALARS = record(
    f="f8",  # value at x
    temperature="f8", first="f8",  # now, at the beginning (0: to be found out)
    ratio="f8",  # of one temperature to the one before (geometric)
    step="f8", width="f8",  # of a coordinate, as a share of the box: at the first temperature, and now
    schedule="i8",
    steps="i8", last_step="i8",  # temperatures gone through; how many there are
    moves="i8", left="i8",  # at one temperature; how many of them are left
    trials="i8",  # moves before the first temperature is known
    uphill="f8", uphill_moves="i8",  # sum and number of the rises met by these
    given="i8",  # 1: the walk begins at x
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    schedule: str = "geometric"  # how the temperature falls
    temperature: float | None = None  # the first, T_0 > 0; None: by the rises that the first moves meet
    last: float = 1e-8  # the last temperature of the geometric schedule, as a share of the first, in (0, 1)
    step: float = 0.2  # of a coordinate at first, as a share of the box's width
    moves: int | None = None  # at one temperature; None: D

    def __post_init__(self):
        require(self.schedule in SCHEDULES, "schedule", self.schedule, "one of " + ", ".join(SCHEDULES))
        require(self.temperature is None or self.temperature > 0, "temperature", self.temperature, "a number above 0")
        require(0 < self.last < 1, "last", self.last, "a share in (0, 1)")
        require(self.step > 0, "step", self.step, "a number above 0")
        require(self.moves is None or self.moves >= 1, "moves", self.moves, "at least 1")


class SimulatedAnnealingState(NamedTuple):
    x: Vector  # (D,) where the walk is
    trial: Vector  # (D,) where it may go
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, box = domain.dimension, make_box(domain)
    x, given = only_start(domain, box)
    planned = min(limits.max_evals, limits.max_iterations or limits.max_evals)  # an iteration is an evaluation
    trials = 0 if options.temperature is not None else max(min(10 * n + 10, planned // 10), 1)
    moves = options.moves or n
    last_step = max((planned - trials - 1) // moves, 1)
    own = filled(
        SCALARS, f=np.inf, first=options.temperature or 0.0, temperature=options.temperature or 0.0,
        ratio=options.last ** (1 / last_step), step=options.step, width=options.step,
        schedule=SCHEDULES.index(options.schedule), last_step=last_step, moves=moves, left=moves, trials=trials,
        given=given,
    )  # fmt: skip
    return SimulatedAnnealingState(x, np.zeros(n), own, box, make_run(n, limits, key))


@inlined
def begin(problem, state):
    """Iteration 0: the point that was given, or one uniform in the box."""
    key, box = state.run.now[0].key, state.box
    if state.own[0].given == 0:
        for j in range(state.x.size):
            state.x[j] = sample(uniform(key, j), box.lower[j], box.upper[j], box.integer[j])
    state.own[0].f = evaluate(problem, state.x, state.run)


@inlined
def propose(key, state):
    """trial: x with one coordinate moved; what leaves the box comes back from the bound as from a mirror."""
    x, trial, own, box = state.x, state.trial, state.own[0], state.box
    for j in range(x.size):
        trial[j] = x[j]
    j = integer(key, COORDINATE, x.size)
    low, high = box.lower[j], box.upper[j]
    if own.schedule == CAUCHY:
        drawn = cauchy(key, STEP)
    elif own.schedule == LOGARITHMIC:
        drawn = normal(key, STEP)
    else:
        drawn = 2.0 * uniform(key, STEP) - 1.0
    value = x[j] + own.width * (high - low) * drawn
    value = 2.0 * low - value if value < low else value
    value = 2.0 * high - value if value > high else value
    if box.integer[j] > 0.0:
        value = np.floor(value + 0.5)
        if value == x[j]:  # a step of less than one half: to the neighbour
            value += 1.0 if uniform(key, SIDE) < 0.5 else -1.0
            value = x[j] + x[j] - value if value < low or value > high else value
    trial[j] = min(max(value, low), high)


@part
def cool(own):
    """The next temperature, and the width of steps that belongs to it."""
    own.steps += 1
    own.left = own.moves
    if own.schedule == GEOMETRIC:
        own.temperature *= own.ratio
    elif own.schedule == LINEAR:
        own.temperature = own.first * max(1.0 - own.steps / own.last_step, 0.0)
    elif own.schedule == LOGARITHMIC:
        own.temperature = own.first * log(2.0) / log(2.0 + own.steps)
    else:
        own.temperature = own.first / (1.0 + own.steps)
    cooled = own.temperature / own.first
    if own.schedule == LOGARITHMIC:
        own.width = own.step * np.sqrt(cooled)
    elif own.schedule == CAUCHY:
        own.width = own.step * cooled


@inlined
def find_first_temperature(own):
    """T_0 = -(mean rise) / ln(share of rises to be accepted); 1 where no rise was met."""
    mean = own.uphill / own.uphill_moves if own.uphill_moves > 0 else 1.0
    own.first = own.temperature = -mean / log(ACCEPTED_UPHILL)


@inlined
def iterate(problem, state):
    """One move."""
    now, own = state.run.now[0], state.own[0]
    if now.iteration == 0:
        begin(problem, state)
        return
    key = now.key
    propose(key, state)
    value = evaluate(problem, state.trial, state.run)
    rise = value - own.f
    explores = now.iteration <= own.trials  # every finite move is taken, and its rise counted
    if explores and 0.0 < rise < np.inf:
        own.uphill += rise
        own.uphill_moves += 1
    accepts = value <= own.f or (explores and rise < np.inf)
    accepts = accepts or uniform(key, ACCEPTANCE) < exp(-rise / own.temperature)
    if accepts:
        own.f = value
        for j in range(state.x.size):
            state.x[j] = state.trial[j]
    if explores:
        if now.iteration == own.trials:
            find_first_temperature(own)
        return
    if own.schedule <= LINEAR:
        own.width = min(own.width * (WIDER if accepts else NARROWER), 1.0)
    own.left -= 1
    if own.left == 0:
        cool(own)


SOLVER = Solver(
    "simulated_annealing", "a Metropolis walk at a falling temperature", Options, SimulatedAnnealingState, init,
    iterate=iterate, converges=False,
)  # fmt: skip
