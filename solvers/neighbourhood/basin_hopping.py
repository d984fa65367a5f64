"""Basin hopping, an iterated local search: from one local minimum to the next, by a jump and a local search.

Wales and Doye, J. Phys. Chem. A 101 (1997) 5111-5116; Lourenço, Martin and Stützle, Iterated local search, Handbook of
Metaheuristics (2003) 321-353. Jumps are uniform in a cube whose size follows the share of accepted ones, as in SciPy,
whose defaults these are. Iteration 0 is the local search from the first point, each further one a jump.

It is a success where two local searches came to the best value, within 1e-8; `ftol` ends the run there, `patience`
after so many jumps without a better minimum (SciPy's niter_success)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.numbers.random import uniform
from ...kernels.rows.population import Box, make_box, only_start, sample
from ...kernels.run import Run, make_run
from ...kernels.walks import accepts, mirrored
from ..contract import UNLIMITED, Solver, require
from ..descent.local_search import KINDS, NESTS, LocalSearch, descend, kind_of, make_local, may_ask, measure_agreement

LOCALS = ("auto", *KINDS[1:])
ACCEPTANCE, JUMP = 0, 1  # slots of the random numbers of an iteration: one; one for each variable
SHARE, ABSOLUTE = 0.1, 0.5  # of a jump: of the box's width; where there is none (SciPy's)
SCALARS = record(
    f="f8",  # value at x
    temperature="f8",
    stretch="f8", interval="i8", rate="f8", factor="f8",  # of jumps: by which they have grown; how they are adapted
    accepted="i8",  # jumps
    given="i8",  # 1: it begins at x
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    local: str = "auto"  # auto: l_bfgs_b; pattern for whole numbers, and where values are told
    temperature: float = 1.0  # T in Metropolis' rule (SciPy's); 0: monotonic, only what is not worse is accepted
    step: float | None = None  # of a jump: a share of each box (None: 0.1), absolute without one (None: SciPy's 0.5)
    interval: int = 50  # jumps, after which the step is multiplied or divided by ... (SciPy's)
    factor: float = 0.9  # ... this number in (0, 1) (SciPy's stepwise_factor)
    acceptance: float = 0.5  # share of accepted jumps, above which steps grow (SciPy's target_accept_rate)
    moves: int | None = None  # evaluations of a local search, at most; None: 100 of hill_climbing, else no limit
    local_step: float = 0.05  # of a pattern search at first, of a hill climber always: a share of each box
    xtol: float = 1e-6  # the step at which a pattern search has converged: a share of each box

    def __post_init__(self):
        require(self.local in LOCALS, "local", self.local, "one of " + ", ".join(LOCALS))
        require(self.temperature >= 0, "temperature", self.temperature, "a number that is not negative")
        require(self.step is None or self.step > 0, "step", self.step, "a number above 0")
        require(self.interval >= 1, "interval", self.interval, "a whole number, at least 1")
        require(0 < self.factor < 1, "factor", self.factor, "a number in (0, 1)")
        require(0 < self.acceptance < 1, "acceptance", self.acceptance, "a share in (0, 1)")
        require(self.moves is None or self.moves >= 1, "moves", self.moves, "a whole number, at least 1")
        require(self.xtol > 0, "xtol", self.xtol, "a number above 0")
        require(self.local_step > 0, "local_step", self.local_step, "a number above 0")


class BasinHoppingState(NamedTuple):
    x: Vector  # (D,) the local minimum where it stands
    trial: Vector  # (D,) the one to which a jump has led
    reach: Vector  # (D,) of a jump, as it was at first
    local: LocalSearch
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, box, kind = domain.dimension, make_box(domain), kind_of(options, domain)
    x, given = only_start(domain, box)
    widths = box.upper - box.lower
    moves = options.moves or (100 if kind == "hill_climbing" else UNLIMITED)
    own = filled(
        SCALARS, f=np.inf, temperature=options.temperature, stretch=1.0, interval=options.interval,
        rate=options.acceptance, factor=options.factor, given=given,
    )  # fmt: skip
    return BasinHoppingState(
        x=x,
        trial=np.zeros(n),
        reach=np.where(np.isfinite(widths), (options.step or SHARE) * widths, options.step or ABSOLUTE),
        local=make_local(domain, kind, key, moves, options.local_step, options.xtol),
        own=own,
        box=box,
        run=make_run(n, limits, key),
    )


@inlined
def jump(key, state):
    """trial: x, each coordinate displaced; whole numbers may change by 2 at least."""
    own, box = state.own[0], state.box
    for j in range(state.x.size):
        low, high = box.lower[j], box.upper[j]
        reach = min(own.stretch * state.reach[j], high - low)
        reach = max(reach, min(2.0, high - low)) if box.integer[j] > 0.0 else reach
        value = mirrored(state.x[j] + reach * (2.0 * uniform(key, JUMP + j) - 1.0), low, high)
        state.trial[j] = value if box.integer[j] == 0.0 else np.floor(value + 0.5)


@inlined
def iterate(problem, state):
    """A jump, a local search, and whether to stay there."""
    now, own, box, x, trial = state.run.now[0], state.own[0], state.box, state.x, state.trial
    key, jumps = now.key, now.iteration
    if jumps == 0:
        for j in range(x.size):
            drawn = sample(uniform(key, JUMP + j), box.lower[j], box.upper[j], box.integer[j])
            trial[j] = x[j] if own.given == 1 else drawn
    else:
        if jumps % own.interval == 0:  # of all jumps so far, as SciPy counts
            grows = own.accepted > own.rate * jumps
            own.stretch = own.stretch / own.factor if grows else own.stretch * own.factor
        jump(key, state)
    value = descend(problem, trial, state.local, box, state.run)
    if jumps == 0 or accepts(value, own.f, own.temperature, uniform(key, ACCEPTANCE)):
        own.f = value
        own.accepted += jumps > 0
        for j in range(x.size):
            x[j] = trial[j]
    measure_agreement(state.local, state.run)


SOLVER = Solver(
    "basin_hopping", "an iterated local search: jumps from one local minimum to the next", Options, BasinHoppingState,
    init, iterate=iterate, may_ask=may_ask, domain="real", planned=False,
    nests=NESTS,
)  # fmt: skip
