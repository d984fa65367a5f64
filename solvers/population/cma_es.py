"""CMA-ES: a normal distribution that adapts its covariance matrix, restarted with growing populations.

Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772v2, with weights below 0 ("active"); restarts as in
Auger and Hansen, CEC 2005 (IPOP) and Hansen, GECCO 2009 (BIPOP). Generation 0 is the points that were given, or one
uniform in the box; the best of them is the first mean. The distribution lives in all of space, which is folded into the
box; what is learnt of a point far outside is the step to its image inside. Whole-numbered variables are rounded, and
kept from dying out, as in Hamano et al., GECCO 2022 (the margin).

A diagonal covariance matrix is sep-CMA (Ros and Hansen, PPSN 2008): time and memory of O(D) a point in place of O(D^2),
and fewer evaluations where variables have different scales but do not interact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Integers, Matrix, Vector, filled
from ...kernels.numbers.ranking import sort_rows
from ...kernels.rows import covariance as distribution
from ...kernels.rows import inner_runs
from ...kernels.rows import population as shared
from ...kernels.rows.bounds import margins
from ...kernels.rows.population import Box, RowCounts, population_fields
from ...kernels.run import Run
from ..contract import Rows, Solver, require

RESTARTS = ("none", "ipop", "bipop")
COVARIANCES = ("full", "diagonal")


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    population: int | None = None  # lambda, at least 2; None: 4 + 3 ln(D)
    sigma: float = 0.3  # first step, above 0: a share of the box's width; absolute where a variable has no finite box
    restart: str = "bipop"  # what follows when the distribution has converged
    covariance: str = "full"  # the matrix that is learnt, of D^2 numbers; or "diagonal", of D (sep-CMA)

    def __post_init__(self):
        require(self.population is None or self.population >= 2, "population", self.population, "at least 2")
        require(self.sigma > 0, "sigma", self.sigma, "a number above 0")
        require(self.restart in RESTARTS, "restart", self.restart, "one of " + ", ".join(RESTARTS))
        require(self.covariance in COVARIANCES, "covariance", self.covariance, "one of " + ", ".join(COVARIANCES))


class CmaEsState(NamedTuple):
    mean: Vector  # (D,)   m, in the space that is folded into the box
    start: Vector  # (D,)   where inner runs begin that are not drawn from the box
    scale: Vector  # (D,)   the unit of each variable
    margin: Matrix  # (2, D) of the box
    covariance: Matrix  # (D, D) C, its lower triangle; (1, D) where it is a diagonal
    axes: Matrix  # (D, D) its eigenvectors, one a row; (0, D) there
    lengths: Vector  # (D,)   roots of its eigenvalues
    path_sigma: Vector  # (D,)   evolution path of the step size
    path_c: Vector  # (D,)   evolution path of C
    weight: Vector  # (P,)   by rank
    step: Matrix  # (P, D) y of each row
    squared: Vector  # (P,)   |z|^2 of each row
    order: Integers  # (P,)   rows from best to worst
    scratch: Integers  # (P,)
    recent: Vector  # (T,)   best values of the last generations
    trace: Matrix  # (3, H) best and median values of an inner run, room for a part of them
    work: Matrix  # (D + 3, D) room within a generation; (3, D) there
    trial: Matrix  # (P, D) candidates
    trial_f: Vector  # (P,)   their values
    own: Annotated[np.ndarray, distribution.SCALARS]
    inner: Annotated[np.ndarray, inner_runs.SCALARS]
    rows: RowCounts
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, regime = domain.dimension, RESTARTS.index(options.restart)
    population = options.population or 4 + int(3 * np.log(n))
    given = 0 if domain.x0 is None else len(domain.x0)
    size = max(inner_runs.largest_population(population, limits.max_evals, regime), given)
    fields = population_fields(domain, size, limits, key)
    fields["rows"][0].live, fields["rows"][0].count = population, min(max(given, 1), limits.max_evals)
    finite = np.isfinite(domain.upper - domain.lower)
    inner = {"regime": regime, "population": population, "large": population, "small": regime == inner_runs.BIPOP}
    inner["whole"] = domain.integrality.any()
    diagonal = options.covariance == "diagonal"
    return CmaEsState(
        mean=np.zeros(n),
        start=np.zeros(n),
        scale=np.where(finite, domain.upper - domain.lower, 1.0),
        margin=margins(domain.lower, domain.upper),
        covariance=np.ones((1, n)) if diagonal else np.eye(n),
        axes=np.zeros((0, n)) if diagonal else np.eye(n),
        lengths=np.ones(n),
        path_sigma=np.zeros(n),
        path_c=np.zeros(n),
        weight=np.zeros(size),
        step=np.zeros((size, n)),
        squared=np.zeros(size),
        order=np.arange(size),
        scratch=np.zeros(size, dtype=np.int64),
        recent=np.zeros(inner_runs.recent_generations.py_func(n, population)),
        trace=np.zeros((3, inner_runs.TRACE)),
        work=np.zeros((3 if diagonal else n + 3, n)),
        own=filled(distribution.SCALARS, sigma=options.sigma, separable=diagonal),
        inner=filled(inner_runs.SCALARS, **inner, sigma=options.sigma, draws=finite.all(), holds=1),
        **fields,
    )


@inlined
def draw(start, stop, state):
    now = state.run.now[0]
    if now.iteration > 0:
        distribution.draw_numbers(now.key, start, stop, state.trial)


@inlined
def propose(i, state):
    if state.run.now[0].iteration == 0:
        shared.sample_row(i, state)
    else:
        distribution.sample_row(i, state)


@inlined
def learn(state):
    """What the ranks teach, once the generation is whole; after generation 0 the first inner run begins."""
    rows, inner = state.rows[0], state.inner[0]
    if state.run.now[0].iteration == 0:
        note_start(state)
        inner_runs.begin(state, inner.population, inner.sigma, inner_runs.UNLIMITED)
        return
    inner_runs.note_best(state)
    if rows.count == rows.live:
        sort_rows(state.trial_f, state.order, state.scratch, 0, rows.live)
        distribution.learn_covariance(state, distribution.move(state))
        inner_runs.note_generation(state)
        converged = inner_runs.has_converged(state)
        if converged or inner_runs.has_failed(state) or not distribution.decompose(state):
            inner_runs.begin_next(state, converged)
        else:
            inner_runs.keep_margin(state)


@inlined
def note_start(state):
    """Begin at the best of generation 0; runs other than the first draw where they begin, if they can."""
    rows, inner, best = state.rows[0], state.inner[0], 0
    for i in range(1, rows.count):
        best = i if state.trial_f[i] < state.trial_f[best] else best
    for j in range(state.start.size):
        state.start[j] = state.trial[best, j]
    inner.drawn = inner.draws if rows.given > 0 and state.run.now[0].index > 0 else 0


SOLVER = Solver(
    "cma_es", "covariance matrix adaptation with restarts (active CMA-ES, BIPOP)", Options, CmaEsState, init,
    rows=Rows(propose, (learn,), draw=draw), domain="real", planned=False, on_gpu=False,
)  # fmt: skip
