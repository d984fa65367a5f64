"""Particle swarms: each particle remembers its best point and is drawn to it and to those of others.

    spso2011   Clerc, Standard particle swarm optimisation, hal-00764996 (2012): random informants, no axis preferred
    clpso      Liang, Qin, Suganthan and Baskar, IEEE Trans. Evol. Comput. 10 (2006) 281-295: each coordinate learns
               from another particle, so that the swarm does not gather soon; planned by the length of the run
    inertia    Shi and Eberhart, A modified particle swarm optimizer (1998): the swarm of the textbooks

A swarm whose values agree, or whose best stood still for long, begins anew within the same run. Whole-numbered
variables are rounded where a particle stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import IntegerMatrix, Integers, Matrix, Vector, filled
from ...kernels.rows import population as shared
from ...kernels.rows import renewal, swarm
from ...kernels.rows.migration import populations
from ...kernels.rows.population import Box, RowCounts, population_fields
from ...kernels.run import Run
from ..contract import UNLIMITED, Rows, Solver, require

VARIANTS = ("spso2011", "clpso", "inertia")
FEW = 10  # variables up to which spso2011 is the default
PATIENCE, PATIENCE_EACH = 100, 10  # generations without improvement before a new swarm, and more for each variable
INFORMED = 3  # K: how many particles one informs, about


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    variant: str | None = None  # None: spso2011 up to 10 variables, clpso above; inertia where some are whole-numbered
    population: int = 40  # P, at least 2; as in SPSO-2011 and CLPSO
    inertia: float = 0.7298  # w in [0, 1), of variant="inertia" as the next two; Clerc and Kennedy (2002) have these
    cognitive: float = 1.49618  # c1, towards the particle's own best point
    social: float = 1.49618  # c2, towards the best point of the swarm

    def __post_init__(self):
        require(
            self.variant is None or self.variant in VARIANTS, "variant", self.variant, "one of " + ", ".join(VARIANTS)
        )
        require(self.population >= 2, "population", self.population, "at least 2")
        require(0 <= self.inertia < 1, "inertia", self.inertia, "w in [0, 1)")
        require(self.cognitive >= 0, "cognitive", self.cognitive, "a number that is not negative")
        require(self.social >= 0, "social", self.social, "a number that is not negative")


class PsoState(NamedTuple):
    x: Matrix  # (P, D) the best point of each particle
    f: Vector  # (P,)   their values
    position: Matrix  # (P, D) where the particles are
    velocity: Matrix  # (P, D)
    step: Matrix  # (P, D) velocities of the candidates
    exemplar: IntegerMatrix  # (P, D) CLPSO: whom a coordinate learns from
    idle: Integers  # (P,)   CLPSO: generations since a particle's best improved
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    own: Annotated[np.ndarray, swarm.SCALARS]
    life: Annotated[np.ndarray, renewal.LIFE]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    rows, n = options.population, domain.dimension
    default = "spso2011" if n <= FEW else "clpso"
    default = "inertia" if domain.integrality.any() else default  # few whole points lie in a ball
    variant = VARIANTS.index(options.variant or default)
    for name in ("inertia", "cognitive", "social"):
        used = VARIANTS[variant] == "inertia" or getattr(options, name) == getattr(Options(), name)
        require(used, name, getattr(options, name), f"it beside variant='inertia'; {VARIANTS[variant]} has its own")
    inertia, cognitive, social = (
        (1 / (2 * np.log(2)), 0.5 + np.log(2), 0.5 + np.log(2)),  # Clerc, 3.2.4
        (0.9, 1.49445, 0.0),  # Liang et al., III.D; the inertia falls
        (options.inertia, options.cognitive, options.social),
    )[variant]
    apart = INFORMED * np.log(1 - 1 / rows)
    own = {"variant": variant, "inertia": inertia, "cognitive": cognitive, "social": social, "links": 1, "apart": apart}
    longest = UNLIMITED if variant == swarm.CLPSO else PATIENCE + PATIENCE_EACH * n
    return PsoState(
        x=np.zeros((rows, n)),
        f=np.full(rows, np.inf),
        position=np.zeros((rows, n)),
        velocity=np.zeros((rows, n)),
        step=np.zeros((rows, n)),
        exemplar=np.zeros((rows, n), dtype=np.int64),
        idle=np.zeros(rows, dtype=np.int64),
        own=filled(swarm.SCALARS, **own),
        life=filled(renewal.LIFE, fresh=1, longest=longest, best=np.inf),
        **population_fields(domain, rows, limits, key),
    )


@inlined
def draw(start, stop, state):
    if state.life[0].fresh == 1:
        return
    if state.own[0].variant == swarm.SPSO2011:
        swarm.draw_directions(start, stop, state)
    elif state.own[0].variant == swarm.CLPSO:
        swarm.choose_exemplars(start, stop, state)


@inlined
def propose(i, state):
    variant = state.own[0].variant
    if state.life[0].fresh == 1:
        swarm.start_row(i, state)
        return
    if variant == swarm.SPSO2011:
        swarm.gravitate_row(i, state)
    elif variant == swarm.CLPSO:
        swarm.learn_row(i, state)
    else:
        swarm.follow_row(i, state)
    shared.round_row(i, state)


@inlined
def renew(state):
    renewal.renew(state.life, state.f, state.rows, state.run)


SOLVER = Solver(
    "pso", "particle swarm (SPSO-2011 up to 10 variables, CLPSO above)", Options, PsoState, init,
    rows=Rows(propose, select=swarm.keep_row, settle=(shared.find_best, renew, swarm.draw_links), draw=draw),
    points=populations,
)  # fmt: skip
