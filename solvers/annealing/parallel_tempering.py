"""Parallel tempering: Metropolis walks side by side, each at a temperature of its own, that exchange their places.

Swendsen and Wang, Phys. Rev. Lett. 57 (1986) 2607-2609; Hukushima and Nemoto, J. Phys. Soc. Japan 65 (1996) 1604-1608.
The ladder of temperatures adapts until neighbours exchange with the same probability (Miasojedow, Moulines and Vihola,
J. Comput. Graph. Stat. 22 (2013) 649-664; theirs hangs on the coldest, ours on the hottest). A move changes one
coordinate, of whole numbers often several; its width belongs to the temperature, and follows the share of accepted
moves to 0.44, as in `simulated_annealing`, whose rule gives the hottest temperature, too. As a minimum is looked for,
the coldest walk is at T = 0: it only goes down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Matrix, Vector, filled, record
from ...kernels.numbers.elementary import exp, log
from ...kernels.numbers.random import integer, row_key, uniform
from ...kernels.rows import population
from ...kernels.rows.population import Box, RowCounts, population_fields
from ...kernels.run import Run
from ...kernels.walks import accepts, move_partners, moved
from ..contract import Rows, Solver, require

COORDINATE, STEP, ACCEPTANCE, SIDE, PARTNER = range(5)  # slots of a row's random numbers
ACCEPTED_UPHILL = 0.8  # of the rises that the first generations meet, at the hottest temperature
EXPLORING = 10  # generations before the temperatures are known
WIDER, NARROWER = float(np.exp(0.1 * 0.56)), float(np.exp(-0.1 * 0.44))  # at rest where 44 % of moves are accepted
EXCHANGE = {False: 0.25, True: 0.1}  # 0.23 in theory, 0.2 to 0.3 in practice; whole numbers: the ladder reaches further
DECAY = 0.6  # of the gain (n + 1)^-DECAY by which the ladder adapts, in (1/2, 1]
LARGEST_GAP = 5.0  # ln(T_k / T_k+1), at most
COLDEST = 1e-300
SCALARS = record(
    rise="f8", rises="i8",  # sum and number of those that the first generations met
    last="f8",  # share of the hottest temperature at which the ladder ends at first
    exchange="f8",  # probability of an exchange to which it adapts
    rounds="i8",  # of exchanges
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # walks, at least 2; None: 2 + 2 sqrt(D), as the ladder grows with sqrt(D)
    temperature: float | None = None  # the hottest; None: by the rises that the first moves meet
    last: float = 1e-4  # the coldest above 0 at first, as a share of the hottest, in (0, 1)
    exchange: float | None = None  # share of accepted exchanges, in (0, 1); None: EXCHANGE
    step: float = 0.2  # of a coordinate at first, as a share of the box's width

    def __post_init__(self):
        require(self.population is None or self.population >= 2, "population", self.population, "at least 2")
        require(self.temperature is None or self.temperature > 0, "temperature", self.temperature, "a number above 0")
        require(0 < self.last < 1, "last", self.last, "a share in (0, 1)")
        require(self.exchange is None or 0 < self.exchange < 1, "exchange", self.exchange, "a share in (0, 1)")
        require(self.step > 0, "step", self.step, "a number above 0")


class ParallelTemperingState(NamedTuple):
    x: Matrix  # (P, D) where the walks are
    f: Vector  # (P,)   the values there
    trial: Matrix  # (P, D) where they may go
    trial_f: Vector  # (P,)   the values there
    level: Integers  # (P,)   of each walk: 0 is the hottest
    walk: Integers  # (P,)   of each level
    temperature: Vector  # (P,)   of each level; 0 of the last; of the first 0 as long as it is not known
    gap: Vector  # (P,)   rho of each level: T_k+1 = T_k exp(-exp(rho_k))
    width: Vector  # (P,)   of a step at each level, as a share of the box
    rate: Vector  # (P,)   probability of an exchange with the next level, over the last rounds
    own: Annotated[np.ndarray, SCALARS]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    size = options.population or 2 + int(2 * np.sqrt(domain.dimension))
    x = np.zeros((size, domain.dimension))
    exchange = options.exchange or EXCHANGE[bool(domain.integrality.all())]
    temperature, levels = np.zeros(size), np.arange(size, dtype=np.int64)
    temperature[0] = options.temperature or 0.0
    return ParallelTemperingState(
        x=x,
        f=np.full(size, np.inf),
        level=levels,
        walk=levels.copy(),
        temperature=temperature,
        gap=np.full(size, np.log(-np.log(options.last) / max(size - 2, 1))),
        width=np.full(size, min(options.step, 1.0)),
        rate=np.full(size, exchange),
        own=filled(SCALARS, last=options.last, exchange=exchange),
        **population_fields(domain, size, limits, key),
    )


@inlined
def propose(i, state):
    """One coordinate of walk i moves."""
    if state.run.now[0].iteration == 0:
        population.sample_row(i, state)
        return
    key, box, x, n = population.row_of(i, state), state.box, state.x, state.x.shape[1]
    for j in range(n):
        state.trial[i, j] = x[i, j]
    j = integer(key, COORDINATE, n)
    low, high = box.lower[j], box.upper[j]
    width = state.width[state.level[i]]
    step = width * (high - low) * (2.0 * uniform(key, STEP) - 1.0)
    state.trial[i, j] = moved(x[i, j], step, key, SIDE, low, high, box.integer[j])
    if box.integer[j] > 0.0:
        move_partners(x[i], state.trial[i], j, width, key, PARTNER, box)


@inlined
def explores(state):
    """Whether every move is taken that does not end at inf, as the temperatures are not known yet."""
    return state.temperature[0] == 0.0


@inlined
def measure_rises(state):
    """What the first moves meet; after the last of them, the ladder."""
    own, now, temperature = state.own[0], state.run.now[0], state.temperature
    if now.iteration == 0:
        return
    if explores(state):
        for i in range(state.rows[0].count):
            rise = state.trial_f[i] - state.f[i]
            if 0.0 < rise < np.inf:
                own.rise += rise
                own.rises += 1
        if now.iteration < EXPLORING:
            return
        mean = own.rise / own.rises if own.rises > 0 else 1.0
        temperature[0] = -mean / log(ACCEPTED_UPHILL)
    if own.rounds == 0:
        make_ladder(state)


@inlined
def make_ladder(state):
    """The temperatures below the hottest, from the gaps between them; the last is 0."""
    temperature = state.temperature
    for k in range(temperature.size - 2):
        temperature[k + 1] = max(temperature[k] * exp(-exp(state.gap[k])), COLDEST)
    temperature[temperature.size - 1] = 0.0


@inlined
def select(i, state):
    """Metropolis' rule at the temperature of the walk, whose width follows."""
    now, value, k = state.run.now[0], state.trial_f[i], state.level[i]
    temperature = np.inf if explores(state) else state.temperature[k]
    taken = value <= state.f[i]
    if now.iteration > 0 and not taken:
        u = uniform(population.row_of(i, state), ACCEPTANCE)
        taken = value < np.inf and accepts(value, state.f[i], temperature, u)
    if taken:
        state.f[i] = value
        population.copy_row(state.trial, i, state.x, i)
    if now.iteration > 0 and not explores(state):
        state.width[k] = min(state.width[k] * (WIDER if taken else NARROWER), 1.0)


@inlined
def probability(hot, cold, hot_f, cold_f):
    """min(1, exp((1 / T_cold - 1 / T_hot) (f_cold - f_hot))): that two walks exchange their temperatures."""
    if hot_f <= cold_f:
        return 1.0
    if cold == 0.0 or not hot_f < np.inf:
        return 0.0
    return exp((1.0 / cold - 1.0 / hot) * (cold_f - hot_f))


@inlined
def exchange(state):
    """Every second pair of neighbours, by turns; the gaps between them adapt."""
    own, now, levels = state.own[0], state.run.now[0], state.temperature.size
    if now.iteration == 0 or explores(state):
        return
    key, walk = row_key(now.key, levels), state.walk
    gain = exp(-DECAY * log(own.rounds + 1.0))
    for k in range(own.rounds % 2, levels - 1, 2):
        a, b = walk[k], walk[k + 1]
        p = probability(state.temperature[k], state.temperature[k + 1], state.f[a], state.f[b])
        state.rate[k] += 0.02 * (p - state.rate[k])
        state.gap[k] = min(state.gap[k] + gain * (p - own.exchange), log(LARGEST_GAP))
        if uniform(key, k) < p:
            walk[k], walk[k + 1] = b, a
            state.level[a], state.level[b] = k + 1, k
    own.rounds += 1
    make_ladder(state)


SOLVER = Solver(
    "parallel_tempering", "walks at several temperatures that exchange their places (Swendsen and Wang 1986)", Options,
    ParallelTemperingState, init, rows=Rows(propose, (measure_rises,), select, (exchange,)), converges=False,
    planned=False,
)  # fmt: skip
