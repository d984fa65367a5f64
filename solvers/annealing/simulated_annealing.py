"""Simulated annealing: a Metropolis walk at a falling temperature.

Kirkpatrick, Gelatt and Vecchi, Science 220 (1983) 671-680. Schedules: geometric (theirs) and linear; logarithmic,
Geman and Geman, IEEE Trans. PAMI 6 (1984) 721-741; Cauchy, Szu and Hartley, Phys. Lett. A 122 (1987) 157-162. A move
changes one coordinate, of whole numbers often several. Under the first two schedules its step is uniform (Corana,
Marchesi, Martini and Ridella, ACM Trans. Math. Softw. 13 (1987) 262-280), and the width of steps follows the share of
accepted moves towards 0.44, the best for moves of one coordinate (Roberts, Gelman and Gilks, Ann. Appl. Probab. 7
(1997) 110-120). Under the logarithmic one it is normal and falls with the square root of the temperature, under
Cauchy's of that distribution and falls in proportion to it. The first temperature, where none is given, is one at which
four of five uphill steps are accepted (Johnson, Aragon, McGeoch and Schevon, Oper. Res. 37 (1989) 865-892). Many
chains: `restarts`.

variant="corana" is the algorithm of Corana et al. as they wrote it: coordinates in turn, a width for each of them that
follows its share of accepted moves into [0.4, 0.6], and a return to the best point at each new temperature. Theirs has
100 adjustments of the widths at a temperature, or 5 D; here they are as many as a budget has room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Integers, Vector, filled, record
from ...kernels.numbers.elementary import log
from ...kernels.numbers.random import cauchy, generation_key, normal, run_key, uniform
from ...kernels.rows.population import Box, make_box, only_start, sample
from ...kernels.run import Run, evaluate, make_run
from ...kernels.walks import move_partners, moved
from ..contract import Solver, require

SCHEDULES = ("geometric", "linear", "logarithmic", "cauchy")
GEOMETRIC, LINEAR, LOGARITHMIC, CAUCHY = range(4)
VARIANTS = ("adaptive", "corana")
COORDINATE, STEP, ACCEPTANCE, SIDE, PARTNER = range(5)  # slots of a move's random numbers
LAST = {False: 1e-8, True: 1e-4}  # True: whole numbers alone, whose values differ by more
CYCLES = 20  # N_S of Corana et al.: moves of each coordinate between two adjustments of the widths
TEMPERATURES = 100  # that a run of their algorithm goes through, if it is long enough
VARY = 2.0  # c_u: how fast a width is adjusted
ACCEPTED_UPHILL = 0.8
AHEAD = 16  # moves whose random numbers are drawn at a time, on the vector unit
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
    corana="i8", turn="i8",  # 1: that variant; its coordinate
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    variant: str = "adaptive"
    schedule: str = "geometric"  # how the temperature falls
    temperature: float | None = None  # the first, T_0 > 0; None: by the rises that the first moves meet
    last: float | None = None  # T of the geometric schedule at the end, a share in (0, 1) of T_0; None: LAST
    step: float = 0.2  # of a coordinate at first, as a share of the box's width
    moves: int | None = None  # at one temperature; None: D; of "corana" 20 D for each adjustment of the widths

    def __post_init__(self):
        require(self.variant in VARIANTS, "variant", self.variant, "one of " + ", ".join(VARIANTS))
        require(self.schedule in SCHEDULES, "schedule", self.schedule, "one of " + ", ".join(SCHEDULES))
        require(self.temperature is None or self.temperature > 0, "temperature", self.temperature, "a number above 0")
        require(self.last is None or 0 < self.last < 1, "last", self.last, "a share in (0, 1)")
        require(self.step > 0, "step", self.step, "a number above 0")
        require(self.moves is None or self.moves >= 1, "moves", self.moves, "at least 1")


class SimulatedAnnealingState(NamedTuple):
    x: Vector  # (D,) where the walk is
    trial: Vector  # (D,) where it may go; between two moves, x
    widths: Vector  # (D,) of each coordinate's step, as a share of the box (Corana et al.)
    taken: Integers  # (D,) its accepted moves since the last adjustment
    where: Vector  # (AHEAD,) of moves to come: a number in [0, 1) for the coordinate
    drawn: Vector  # (AHEAD,) the step
    mercy: Vector  # (AHEAD,) the rise that is accepted at T = 1
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, box = domain.dimension, make_box(domain)
    x, given = only_start(domain, box)
    planned = min(limits.max_evals, limits.max_iterations or limits.max_evals)  # an iteration is an evaluation
    trials = 0 if options.temperature is not None else max(min(10 * n + 10, planned // 10), 1)
    corana = options.variant == "corana"
    moves = options.moves or n
    if corana and options.moves is None:
        adjustments = max(min(planned // (TEMPERATURES * CYCLES * n), max(100, 5 * n)), 1)
        moves = CYCLES * n * adjustments
    last_step = max((planned - trials - 1) // moves, 1)
    last = options.last or LAST[bool(domain.integrality.all())]
    own = filled(
        SCALARS, f=np.inf, first=options.temperature or 0.0, temperature=options.temperature or 0.0,
        ratio=last ** (1 / last_step), step=options.step, width=options.step,
        schedule=SCHEDULES.index(options.schedule), last_step=last_step, moves=moves, left=moves, trials=trials,
        given=given, corana=corana,
    )  # fmt: skip
    widths, taken = np.full(n, min(options.step, 1.0)), np.zeros(n, np.int64)
    drawn = {name: np.zeros(AHEAD) for name in ("where", "drawn", "mercy")}
    return SimulatedAnnealingState(
        x, np.zeros(n), widths, taken, **drawn, own=own, box=box, run=make_run(n, limits, key)
    )


@inlined
def begin(problem, state):
    """Iteration 0: the point that was given, or one uniform in the box."""
    key, box = state.run.now[0].key, state.box
    for j in range(state.x.size):
        if state.own[0].given == 0:
            state.x[j] = sample(uniform(key, j), box.lower[j], box.upper[j], box.integer[j])
        state.trial[j] = state.x[j]
    draw_moves(state)
    state.own[0].f = evaluate(problem, state.x, state.run)


@part
def draw_moves(state):
    """The random numbers of this move and those to come.

    u < exp(-rise / T) where rise < -T ln(u), an exponential number: so nothing is left to compute behind the value.
    """
    now, schedule = state.run.now[0], state.own[0].schedule
    key, first = run_key(now.seed, now.index), now.iteration
    for k in range(AHEAD):
        move = generation_key(key, first + k)
        state.where[k] = uniform(move, COORDINATE)
        state.drawn[k] = 2.0 * uniform(move, STEP) - 1.0
        state.mercy[k] = -log(uniform(move, ACCEPTANCE))
    if schedule >= LOGARITHMIC:
        for k in range(AHEAD):
            move = generation_key(key, first + k)
            state.drawn[k] = cauchy(move, STEP) if schedule == CAUCHY else normal(move, STEP)


@inlined
def propose(k, state):
    """One coordinate of trial, which was x, is moved by the k-th drawn step; which one."""
    x, trial, own, box, key = state.x, state.trial, state.own[0], state.box, state.run.now[0].key
    j = int(state.where[k] * x.size) if own.corana == 0 else own.turn
    low, high = box.lower[j], box.upper[j]
    width = own.width if own.corana == 0 else state.widths[j]
    trial[j] = moved(x[j], width * (high - low) * state.drawn[k], key, SIDE, low, high, box.integer[j])
    if box.integer[j] > 0.0:
        move_partners(x, trial, j, width, key, PARTNER, box)
    return j


@inlined
def settle(accepts, j, value, state):
    """The walk is where the move led, or where it was; as numbers that are chosen: a branch is often guessed wrong."""
    x, trial, own = state.x, state.trial, state.own[0]
    there, here, before = trial[j], x[j], own.f
    own.f = value if accepts else before
    x[j] = trial[j] = there if accepts else here
    if state.box.integer[j] > 0.0:  # another one may have moved as well
        for k in range(x.size):
            x[k] = trial[k] = trial[k] if accepts else x[k]


@part
def adjust(widths, taken):
    """Each width by the share of moves that were accepted: more than 0.6 widen it, less than 0.4 narrow it."""
    for j in range(widths.size):
        share = taken[j] / CYCLES
        if share > 0.6:
            widths[j] *= 1.0 + VARY * (share - 0.6) / 0.4
        elif share < 0.4:
            widths[j] /= 1.0 + VARY * (0.4 - share) / 0.4
        widths[j] = min(widths[j], 1.0)
        taken[j] = 0


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
    k = now.iteration % AHEAD
    if k == 0:
        draw_moves(state)
    moving, explores = propose(k, state), now.iteration <= own.trials
    mercy = np.inf if explores else own.temperature * state.mercy[k]  # at first all finite moves are taken
    value = evaluate(problem, state.trial, state.run)
    rise = value - own.f
    if explores and 0.0 < rise < np.inf:
        own.uphill += rise
        own.uphill_moves += 1
    accepts = (value <= own.f) | (rise < mercy)
    settle(accepts, moving, value, state)
    if explores:
        if now.iteration == own.trials:
            find_first_temperature(own)
        return
    own.left -= 1
    if own.corana == 1:
        state.taken[moving] += accepts
        own.turn = own.turn + 1 if own.turn + 1 < state.x.size else 0
        if (own.moves - own.left) % (CYCLES * state.x.size) == 0:
            adjust(state.widths, state.taken)
    elif own.schedule <= LINEAR:
        own.width = min(own.width * (WIDER if accepts else NARROWER), 1.0)
    if own.left == 0:
        cool(own)
        if own.corana == 1:
            own.f = now.best
            for j in range(state.x.size):
                state.x[j] = state.trial[j] = state.run.best_x[j]


SOLVER = Solver(
    "simulated_annealing", "a Metropolis walk at a falling temperature", Options, SimulatedAnnealingState, init,
    iterate=iterate, converges=False,
)  # fmt: skip
