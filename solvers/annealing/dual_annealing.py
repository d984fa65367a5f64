"""Dual annealing: generalised annealing with heavy-tailed jumps, and local searches from what they find.

Tsallis and Stariolo, Generalized simulated annealing, Physica A 233 (1996) 395-406; Xiang, Sun, Fan and Gong, Phys.
Lett. A 233 (1997) 216-220; Xiang, Gubian, Suomela and Hoeng, The R Journal 5 (2013) 13-28. Defaults, the order of
steps, and when a local search is made are those of SciPy. An iteration is a chain of 2 D moves at one temperature, the
first D of which change all coordinates, the others one each; then the local searches. What leaves the box comes in at
the other side.

It is a success where two local searches came to the best value, within 1e-8 (SciPy's always is); `ftol` ends the run
there, `patience` after so many chains without a better point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.descent.pattern import value_of
from ...kernels.numbers.elementary import exp, log
from ...kernels.numbers.random import integer, normal, row_key, uniform
from ...kernels.rows.population import Box, make_box, only_start, sample
from ...kernels.run import Run, make_run, spent
from ...kernels.walks import moved
from ..contract import UNLIMITED, Solver, require
from ..descent.local_search import (
    KINDS,
    NESTS,
    NONE,
    LocalSearch,
    descend,
    kind_of,
    make_local,
    may_ask,
    measure_agreement,
)

LOCALS = ("auto", *KINDS[:-1])
TAIL = 1e8  # jumps beyond it are drawn from within (SciPy's TAIL_LIMIT)
AT_BOUND = 1e-10  # nearer to the lower bound, a coordinate is moved by as much (SciPy's MIN_VISIT_BOUND)
PATIENCE = 1000  # chains without an improvement before a local search of its own; later, and of whole numbers: D
RESTART = {False: 2e-5, True: 1e-2}  # True: there are whole numbers; below, jumps are less than one half
STEP, XTOL = 0.01, 1e-8  # of a pattern search
# Slots of a move's random numbers: ends of both tails, acceptance, sides of whole numbers; two for each coordinate.
ABOVE, BELOW, ACCEPTANCE, SIDE, OTHER, OTHER_SIDE, VISIT = range(7)
SCALARS = record(
    f="f8",  # value at x
    chain_f="f8",  # value that a local search from chain_x must be below
    first="f8", last="f8", temperature="f8",  # T_0; the temperature that ends an annealing; now
    visit="f8", accept="f8",  # q_v, q_a
    exponent="f8", constant="f8",  # of a jump: (q_v - 1) / (3 - q_v); what its width is made of beside the temperature
    step="i8",  # chains of this annealing
    idle="i8", patience="i8",  # chains since the best improved; how many until a local search
    given="i8",  # 1: the first annealing begins at x
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:  # SciPy's defaults and ranges
    temperature: float = 5230.0  # T_0, in (0.01, 5e4]
    restart: float | None = None  # share of T_0 at which an annealing ends, another begins; None: 2e-5, see RESTART
    visit: float = 2.62  # q_v in (1, 3): the larger, the heavier the tails of jumps
    accept: float = -5.0  # q_a in (-1e4, -5]: the smaller, the less likely a rise is accepted
    local: str = "auto"  # auto: l_bfgs_b; pattern for whole numbers, and where values are told

    def __post_init__(self):
        require(0.01 < self.temperature <= 5e4, "temperature", self.temperature, "a number in (0.01, 50000]")
        require(self.restart is None or 0 < self.restart < 1, "restart", self.restart, "a share in (0, 1)")
        require(1 < self.visit < 3, "visit", self.visit, "a number in (1, 3)")
        require(-1e4 < self.accept <= -5, "accept", self.accept, "a number in (-10000, -5]")
        require(self.local in LOCALS, "local", self.local, "one of " + ", ".join(LOCALS))


class DualAnnealingState(NamedTuple):
    x: Vector  # (D,) where the chain is
    trial: Vector  # (D,) where it may go
    chain_x: Vector  # (D,) the last point that was accepted though it was worse
    local: LocalSearch
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def width_constant(q: float) -> float:
    """c in the width of a jump, ln sigma = (q - 1) / (3 - q) (c + ln(T) / (q - 1)) (Tsallis and Stariolo, eq. 12)."""
    p = 1.5 - 1 / (q - 1)
    of_gamma = math.pi * p / math.sin(math.pi * p) / math.gamma(1 + p)
    of_q = math.sqrt(math.pi) * (q - 1) ** (4 - q) / (2 ** ((2 - q) / (q - 1)) * (3 - q))
    return math.log(of_q / of_gamma)


def init(domain, options, limits, key):
    n, box, kind = domain.dimension, make_box(domain), kind_of(options, domain)
    x, given = only_start(domain, box)
    q, iterations = options.visit, min(max(6 * n, 100), 1000)
    restart = options.restart or RESTART[bool(domain.integrality.any())]
    own = filled(
        SCALARS, f=np.inf, chain_f=np.inf, first=options.temperature, last=options.temperature * restart,
        visit=q, accept=options.accept, exponent=(q - 1) / (3 - q), constant=width_constant(q),
        patience=n if domain.integrality.any() else PATIENCE, given=given,
    )  # fmt: skip
    return DualAnnealingState(
        x=x,
        trial=np.zeros(n),
        chain_x=np.zeros(n),
        local=make_local(domain, kind, key, UNLIMITED, STEP, XTOL, iterations),
        own=own,
        box=box,
        run=make_run(n, limits, key),
    )


@inlined
def begin_annealing(problem, state):
    """From the point that was given, the first time; else from one uniform in the box."""
    own, now, box, x = state.own[0], state.run.now[0], state.box, state.x
    for j in range(x.size):
        drawn = sample(uniform(now.key, j), box.lower[j], box.upper[j], box.integer[j])
        x[j] = x[j] if now.iteration == 0 and own.given == 1 else drawn
    own.step = 0
    own.f = value_of(problem, x, state.run)
    if now.iteration == 0:
        own.chain_f = own.f
        for j in range(x.size):
            state.chain_x[j] = x[j]


@inlined
def cool(own):
    """T = T_0 (2^(q - 1) - 1) / ((2 + t)^(q - 1) - 1)"""
    power = own.visit - 1.0
    own.temperature = own.first * (exp(power * log(2.0)) - 1.0) / (exp(power * log(own.step + 2.0)) - 1.0)


@inlined
def wrapped(value, low, high):
    """A number that has left the box at one side comes in at the other."""
    width = high - low
    if width == 0.0:
        return low
    inside = (value - low) % width + low
    return inside + AT_BOUND if abs(inside - low) < AT_BOUND else inside


@inlined
def visited(key, j, value, own, log_width, low, high, integer):
    """Coordinate j after a jump: a normal number over a power of another one (the visiting distribution)."""
    spread = log_width - own.exponent * log(abs(normal(key, VISIT + 2 * j + 1)))
    jump = normal(key, VISIT + 2 * j) * exp(spread)
    if jump > TAIL:
        jump = TAIL * uniform(key, ABOVE)
    elif jump < -TAIL:
        jump = -TAIL * uniform(key, BELOW)
    if integer == 0.0:
        return wrapped(value + jump, low, high)
    return min(max(np.floor(wrapped(value + jump, low - 0.5, high + 0.5) + 0.5), low), high)


@part
def propose(key, move, x, trial, own, box):
    """trial: x with all coordinates changed, or one. Of whole numbers that all stay, one or two change by 1."""
    n, changed = x.size, False
    log_width = own.exponent * (own.constant + log(own.temperature) / (own.visit - 1.0))
    only = move - n  # the coordinate that changes
    for j in range(n):
        trial[j] = x[j]
        if only < 0 or j == only:
            trial[j] = visited(key, j, x[j], own, log_width, box.lower[j], box.upper[j], box.integer[j])
            changed = changed or trial[j] != x[j]
    if not changed:
        j, k = move % n, integer(key, OTHER, n)
        trial[j] = moved(x[j], 0.0, key, SIDE, box.lower[j], box.upper[j], box.integer[j])
        if only < 0 and k != j:
            trial[k] = moved(x[k], 0.0, key, OTHER_SIDE, box.lower[k], box.upper[k], box.integer[k])


@inlined
def is_accepted(rise, temperature, q, u):
    """Generalised Metropolis rule: with probability (1 - (1 - q) rise / T)^(1 / (1 - q)), 0 where that is no number."""
    base = 1.0 - (1.0 - q) * rise / temperature
    return base > 0.0 and u <= exp(log(base) / (1.0 - q))


@inlined
def walk(problem, state):
    """The chain; whether the best has improved."""
    own, now, x, trial = state.own[0], state.run.now[0], state.x, state.trial
    improved, temperature = own.step == 0, own.temperature / (own.step + 1.0)
    own.idle += 1
    for move in range(2 * x.size):
        if spent(state.run):
            break
        key, best = row_key(now.key, move), now.best
        propose(key, move, x, trial, own, state.box)
        value = value_of(problem, trial, state.run)
        falls = value < own.f
        if falls and value < best:
            improved, own.idle = True, 0
        if falls or is_accepted(value - own.f, temperature, own.accept, uniform(key, ACCEPTANCE)):
            own.f = value
            for j in range(x.size):
                x[j] = trial[j]
                state.chain_x[j] = state.chain_x[j] if falls else trial[j]
        if not falls and own.idle >= own.patience and (move == 0 or own.f < own.chain_f):
            own.chain_f = own.f
            for j in range(x.size):
                state.chain_x[j] = x[j]
    return improved


@inlined
def search_around(problem, state, improved):
    """Local searches: from the best point where the chain has improved it; from the chain's after long without."""
    own, now, x, trial = state.own[0], state.run.now[0], state.x, state.trial
    for of_chain in range(2):
        due = own.idle >= own.patience if of_chain == 1 else improved
        if not due or spent(state.run):
            continue
        best = now.best
        for j in range(x.size):
            trial[j] = state.chain_x[j] if of_chain == 1 else state.run.best_x[j]
        value = descend(problem, trial, state.local, state.box, state.run)
        if of_chain == 1:
            own.idle, own.patience = 0, x.size
            if value < own.chain_f:
                own.chain_f = value
                for j in range(x.size):
                    state.chain_x[j] = trial[j]
        if value < best:
            own.idle, own.f = 0, value
            for j in range(x.size):
                x[j] = trial[j]


@inlined
def iterate(problem, state):
    """A chain at one temperature, and local searches."""
    now, own = state.run.now[0], state.own[0]
    cool(own)
    if now.iteration == 0 or own.temperature < own.last:
        begin_annealing(problem, state)
        cool(own)
    improved = walk(problem, state)
    if state.local.own[0].kind != NONE:
        search_around(problem, state, improved)
    measure_agreement(state.local, state.run)
    own.step += 1


SOLVER = Solver(
    "dual_annealing", "generalised annealing with local searches (Tsallis and Stariolo 1996, as in SciPy)", Options,
    DualAnnealingState, init, iterate=iterate, may_ask=may_ask, planned=False, nests=NESTS,
)  # fmt: skip
