"""A portfolio for a box: cheap searches first, then local ones from drawn points and CMA-ES with restarts, in turns.

What is cheap and often right comes first: BFGS from the middle, a test for separability and a solver of single
variables, Nelder-Mead, a grid along each coordinate. What remains of the budget is shared by weight between local
searches from the best of drawn points and active CMA-ES with the restarts of BIPOP. The rules were chosen on BBOB
(instances 1 to 3), where a search counts by the logarithm of its evaluations: a cheap one before a dear one costs next
to nothing there. In more than MANY variables CMA-ES learns a diagonal (sep-CMA). While most of the box is a plateau, or
has no value, it is sampled on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.calling.arguments import copy_array
from ...kernels.compile.jit import compact, inlined
from ...kernels.compile.structures import Vector, filled, record
from ...kernels.descent.box import start_of
from ...kernels.nesting import driver, lend, nothing_of, take_in
from ...kernels.numbers.random import row_key, uniform
from ...kernels.rows import inner_runs
from ...kernels.rows.population import Box, make_box, open_generation
from ...kernels.run import COLLAPSED, CONVERGED, RUNNING, Run, close_iteration, evaluated, make_run, spent
from ..contract import Key, Solver
from ..descent import nelder_mead
from ..descent.nelder_mead import NelderMeadState
from ..population import cma_es, lsrtde
from ..population.cma_es import CmaEsState
from ..population.lsrtde import LsrtdeState
from . import coordinates, quasi_newton
from .coordinates import PortfolioCoordinates
from .quasi_newton import PortfolioDescent

NONE, DESCENT, SIMPLEX, COORDINATES, COVARIANCE, EVOLUTION, SAMPLES = -1, 0, 1, 2, 3, 4, 5
START, CANDIDATE, BEST, LINES = range(4)  # where a search begins
ARMS = ("descent", "nelder_mead", "coordinates", "cma_es", "lsrtde", "sampling")
ARM = record(evaluations="i8", searches="i8", best="f8")
SCALARS = record(
    arm="i8",  # which is at work, or NONE
    ended="i8",  # which has ended in this iteration
    settled="i8",  # 1: it ended at the best value
    next="i8", origin="i8", extent="f8", most="i8",  # the next search: which, from where, ...
    holder="i8",  # which found the best point
    stage="i8",  # of the opening
    turn="i8",  # of the local searches
    local="i8", covariance="i8",  # evaluations of the two that share what the opening has left
    begun="i8",  # 1: CMA-ES has begun
    exhausted="i8",  # 1: it has come to its end
    generations="i8",  # that its last run with a large population took
    last="i8",  # 1: its run that takes what is left of the budget has begun
    evolved="i8",  # 1: differential evolution has had its share
    plateau="i8",  # 1: most of the points drawn last have one value, or none
    agreed="i8",  # searches, each from a point of its own, that came to the best value
    common="f8",  # that value
    f0="f8",  # the value at `start`
    level="f8",  # of the plateau
    refined="f8",  # the best value when a descent began there last
    tried="f8",  # the best value when local searches on a plateau ended
    drawn="f8",  # the value at `candidate`
    ftol="f8",
    unlinked="i8",  # 1: the run stops before it calls another method for the first time
)  # fmt: skip
OPENING = 4  # searches
FEW, MANY = 12, 200  # variables up to which there is a simplex; and a full covariance matrix
AGREED = 4  # searches that come to one value: enough where `ftol` is given
LOCAL = 0.3  # weight of local searches where CMA-ES has 1
EARLY, LATE = (0.15, 0.9), (0.4, 0.75)  # of the budget: when evolution begins; of what is left then: its share
LONG, WIDE = 5_000, 10  # evaluations for each variable from which that is worth it; variables from which it is early
FEWEST = 100  # candidates of a generation of evolution (20 D in its paper): 40 are too few in 2-D
SAMPLE = 40  # points drawn before a local search, which begins at the best of them
SIGMA, SIGMA_ON_PLATEAU = 0.2, 0.02  # the first step of CMA-ES, in widths of the box
EDGE, EDGE_ON_PLATEAU = 0.25, 0.01  # of a simplex
NEARLY = 1e-10  # relative: a best value that has fallen by less is refined already
DRAWN, SPLIT = 1, 2  # rows of random numbers in an iteration


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """There are none: what could be set was chosen by measurements."""


class PortfolioState(NamedTuple):
    start: Vector  # (D,) where it begins
    candidate: Vector  # (D,) the best of the points drawn last
    trial: Vector  # (D,)
    descent: PortfolioDescent
    coordinates: PortfolioCoordinates
    nelder_mead: NelderMeadState  # empty beyond FEW variables
    cma_es: CmaEsState
    lsrtde: LsrtdeState  # empty where the budget is not long enough for it
    arms: Annotated[np.ndarray, ARM]  # (6,) what each has done
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def init(domain, options, limits, key):
    n, start = domain.dimension, start_of(domain)
    inner = dataclasses.replace(limits, ftol=-1.0, patience=0, max_iterations=0)
    inside, own_key = dataclasses.replace(domain, x0=None), Key(key.seed ^ 0x5DEECE66D, key.run)
    simplex = nelder_mead.init(inside, nelder_mead.Options(xtol=1e-9), dataclasses.replace(inner, ftol=1e-12), own_key)
    simplex.own[0].given, simplex.own[0].draws = n + 1, 0  # its vertices are made here
    form = "full" if n <= MANY else "diagonal"
    covariance = cma_es.init(inside, cma_es.Options(sigma=SIGMA, covariance=form), inner, own_key)
    evolution = lsrtde.init(inside, lsrtde.Options(population=max(20 * n, FEWEST)), inner, own_key)
    run = make_run(n, limits, key)
    run.now[0].ftol = -1.0  # of searches that agree, here
    return PortfolioState(
        start=start,
        candidate=np.zeros(n),
        trial=np.zeros(n),
        descent=quasi_newton.make(inside, inner, own_key),
        coordinates=coordinates.make(inside, inner, own_key),
        nelder_mead=simplex if n <= FEW else nothing_of(simplex),
        cma_es=covariance,
        lsrtde=evolution if limits.max_evals >= LONG * n else nothing_of(evolution),
        arms=np.array([(0, 0, np.inf)] * len(ARMS), ARM),
        own=filled(
            SCALARS,
            arm=NONE,
            next=NONE,
            ended=NONE,
            holder=SAMPLES,
            f0=np.inf,
            drawn=np.inf,
            level=np.inf,
            tried=np.inf,
            refined=np.inf,
            common=np.inf,
            ftol=limits.ftol,
        ),
        box=make_box(domain),
        run=run,
    )


@inlined
def iterate(problem, state):
    """A step of the search that is at work, or the first one of the next."""
    now, own, run, n = state.run.now[0], state.own[0], state.run, state.start.size
    before, held = now.evaluations, now.best
    if now.iteration == 0:
        begin(problem, state.start, state.box, own, run)
    while now.evaluations == before and now.stop == RUNNING:
        if own.next == NONE and own.arm == NONE:
            choose(problem, n, own, run, state.box, state.candidate, state.trial)
        if own.next != NONE:
            begin_search(state)
        if own.arm == DESCENT:
            descend(problem, state.descent, own, run)
        elif own.arm == SIMPLEX:
            flip(problem, state.nelder_mead, own, run)
        elif own.arm == COORDINATES:
            go_along(problem, state.coordinates, own, run)
        elif own.arm == COVARIANCE:
            generation(problem, state.cma_es, own, run)
        elif own.arm == EVOLUTION:
            evolve(problem, state.lsrtde, own, run)
    note(state, before, held)


@inlined
def calls_nested(state):
    """Whether the next iteration may begin another method's search: none does before the test for separability."""
    return state.own[0].unlinked == 1 and state.own[0].stage > 1


@compact
def begin(problem, start, box, own, run):
    """The value at the start: the point that was given, the middle of the box, or, in later runs, a drawn one."""
    now = run.now[0]
    given = start[0] == start[0] and now.index == 0
    for j in range(start.size):
        share = 0.5 if now.index == 0 else uniform(row_key(now.key, DRAWN), j)
        start[j] = start[j] if given else box.lower[j] + share * (box.upper[j] - box.lower[j])
    own.f0 = evaluated(problem, start, run)


# --- the choice ---------------------------------------------------------------------------------------------------


@compact
def choose(problem, n, own, run, box, candidate, trial):
    """What comes next: of the opening, then by which of the two kinds has had least for its weight."""
    if own.stage < OPENING:
        own.stage += 1
        open_with(own.stage - 1, n, own, run.now[0])
    elif is_time_to_evolve(n, own, run.now[0]):
        share = when_to_evolve(n, own)[1]
        plan(own, EVOLUTION, START, 0.0, int(share * (run.now[0].max_evals - run.now[0].evaluations)))
    elif own.exhausted == 1 or is_hopeless(own, run) or own.local <= LOCAL * own.covariance:
        search_locally(problem, n, own, run, box, candidate, trial)
    else:
        plan(own, COVARIANCE, START, 0.0, 0)


@inlined
def plan(own, arm, origin, extent, most):
    """The next search: which, from where, its edge or its cells, and its evaluations."""
    own.next, own.origin, own.extent, own.most = arm, origin, extent, most


@inlined
def is_hopeless(own, run):
    """Whether the box is a plateau, and no point below it is known: then only more points can help."""
    return own.plateau == 1 and not run.now[0].best < own.level


@inlined
def is_time_to_evolve(n, own, now):
    """Whether it is the turn of L-SRTDE: its one long run is the best there is among many funnels, but slow."""
    begin = when_to_evolve(n, own)[0] * now.max_evals
    return own.evolved == 0 and now.evaluations > begin and now.max_evals >= LONG * n


@inlined
def when_to_evolve(n, own):
    """In few variables restarts do as well; and searches whose agreement is to end the run have their turn first."""
    return EARLY if n >= WIDE and own.ftol < 0.0 else LATE


@inlined
def open_with(stage, n, own, now):
    """The searches that come first, once."""
    if stage == 0:
        plan(own, DESCENT, START, 0.0, min((100 + 20 * n) * n, now.max_evals // 4))
    elif stage == 1:
        plan(own, COORDINATES, START, 0.0, now.max_evals)
    elif stage == 2 and n <= FEW:
        plan(own, SIMPLEX, START, EDGE, 60 * n)
    elif stage == 3:
        plan(own, COORDINATES, BEST, 16.0, now.max_evals)


@compact
def search_locally(problem, n, own, run, box, candidate, trial):
    """A local search from the best of drawn points; on a plateau, from the best point of all."""
    now, kind = run.now[0], own.turn % 3
    if now.best < own.refined - NEARLY * abs(own.refined):  # by another search, or by a descent that was cut off
        own.refined = now.best
        plan(own, DESCENT, BEST, 0.0, (100 + 20 * n) * n)
        return
    if own.plateau == 0 and (kind == 2 or (kind == 1 and n > FEW)):
        own.turn += 1
        if kind == 2:
            plan(own, COORDINATES, BEST, 12.0, now.max_evals)
        return
    sample(
        problem, 100 * n if own.plateau == 1 and not now.best < own.tried else SAMPLE, own, run, box, candidate, trial
    )
    if spent(run):
        return
    origin = CANDIDATE
    if own.plateau == 1:
        if is_hopeless(own, run) or not now.best < own.tried:
            return
        origin, own.tried = BEST, now.best
    own.turn += 1
    if kind == 0:
        plan(own, DESCENT, origin, 0.0, (60 + 4 * n) * n)
    elif n <= FEW:
        plan(own, SIMPLEX, origin, EDGE_ON_PLATEAU if own.plateau == 1 else EDGE, 100 * n)


@compact
def sample(problem, count, own, run, box, candidate, trial):
    """Draw so many points; the best of them is the candidate."""
    now = run.now[0]
    made, alike, last = 0, 0, np.nan
    own.drawn = np.inf
    for i in range(count):
        if spent(run):
            break
        key = row_key(now.key, DRAWN + SPLIT + i)
        for j in range(trial.size):
            trial[j] = box.lower[j] + uniform(key, j) * (box.upper[j] - box.lower[j])
        value = evaluated(problem, trial, run)
        if value == last or value == np.inf:
            alike += 1
            own.level = value
        last = value
        if value < own.drawn or i == 0:
            own.drawn = value
            copy_array(candidate, trial)
        made += 1
    own.plateau = 1 if 2 * alike > made else 0


@compact
def begin_search(state):
    """Begin the search that was planned."""
    own, run = state.own[0], state.run
    arm, key, x, value = own.next, row_key(run.now[0].key, SPLIT), state.start, own.f0
    if own.origin == CANDIDATE:
        x, value = state.candidate, own.drawn
    elif own.origin == BEST and run.now[0].best < np.inf:
        x, value = run.best_x, run.now[0].best
    elif own.origin == LINES:
        x, value = state.coordinates.x, state.coordinates.own[0].f
    if arm == DESCENT:
        lend(run, state.descent.run, own.most)
        quasi_newton.begin(state.descent, x, value)
    elif arm == SIMPLEX:
        lend(run, state.nelder_mead.run, own.most)
        span(state.nelder_mead, x, own.extent)
    elif arm == COORDINATES:
        lend(run, state.coordinates.run, own.most)
        coordinates.begin(state.coordinates, x, value, int(own.extent), key)
    elif arm == EVOLUTION:
        own.evolved = 1
        lend(run, state.lsrtde.run, own.most)
        open_generation(state.lsrtde)
    else:
        begin_covariance(state.cma_es, own, run, x)
    own.arm, own.next = arm, NONE
    state.arms[arm].searches += 1


@compact
def span(state, x, edge):
    """A simplex at x with edges along the axes, towards the farther bound where the other way leaves the box."""
    simplex, order, box = state.simplex, state.order, state.box
    for k in range(order.size):
        order[k], state.f[k] = k, np.inf
        for j in range(x.size):
            simplex[k, j] = x[j]
        if k > 0:
            length = edge * (box.upper[k - 1] - box.lower[k - 1])
            simplex[k, k - 1] += length if x[k - 1] + length <= box.upper[k - 1] else -length


@compact
def begin_covariance(covariance, own, run, start):
    """An inner run of CMA-ES: the first from the start, on a plateau from the best point, the others by BIPOP.

    The first one in the second half of the budget has as many rows as what is left allows.
    """
    now, inner, its = run.now[0], covariance.inner[0], covariance.run.now[0]
    its.max_evals = its.evaluations + (now.max_evals - now.evaluations)
    if own.begun == 0:
        own.begun, its.iteration, its.index = 1, 1, now.index
        copy_array(covariance.start, run.best_x if own.plateau == 1 else start)
        population = min((2 if start.size <= 4 else 3) * inner.population, covariance.trial_f.size)
        inner.large = 2 * inner.population
        inner_runs.begin(covariance, population, SIGMA_ON_PLATEAU if own.plateau == 1 else SIGMA, inner_runs.UNLIMITED)
        inner.drawn = 1
    elif own.last == 0 and 2 * now.evaluations > now.max_evals:
        own.last = 1
        left = now.max_evals - now.evaluations
        fitting = min(left // max(own.generations, 1), covariance.trial_f.size)
        if fitting > inner.large:
            inner.large, inner.small = fitting, 0
            inner_runs.begin(covariance, fitting, SIGMA, inner_runs.UNLIMITED)
    open_generation(covariance)


# --- the searches -------------------------------------------------------------------------------------------------

drive_simplex = driver("nelder_mead", NelderMeadState)
drive_covariance = driver("cma_es", CmaEsState)
drive_evolution = driver("lsrtde", LsrtdeState)


@compact
def descend(problem, descent, own, run):
    now = descent.run.now[0]
    before = now.evaluations
    quasi_newton.iterate(problem, descent)
    close_iteration(descent.run)
    take_in(run, descent.run, before)
    if now.stop != RUNNING:
        end_search(own, run.now[0], descent.own[0].f, True)


@compact
def flip(problem, simplex, own, run):
    now = simplex.run.now[0]
    before = now.evaluations
    drive_simplex(problem, simplex, 1)
    take_in(run, simplex.run, before)
    if now.stop != RUNNING:
        end_search(own, run.now[0], now.best, now.stop == CONVERGED)


@compact
def go_along(problem, lines, own, run):
    now, its = lines.run.now[0], lines.own[0]
    before = now.evaluations
    coordinates.iterate(problem, lines, run.best_x, run.now[0].best, row_key(run.now[0].key, SPLIT))
    close_iteration(lines.run)
    take_in(run, lines.run, before)
    if now.stop != RUNNING:
        end_search(own, run.now[0], its.f, now.stop == CONVERGED)
        if its.cells > 0 or its.sweep > 0:
            plan(own, DESCENT, LINES, 0.0, 60 * lines.x.size)


@compact
def generation(problem, covariance, own, run):
    """A generation of CMA-ES."""
    rows, now, inner = covariance.rows[0], covariance.run.now[0], covariance.inner[0]
    before, began, large, generations = now.evaluations, inner.began, inner.small == 0, covariance.own[0].generation + 1
    drive_covariance(problem, covariance, rows.count)
    take_in(run, covariance.run, before)
    if now.stop != RUNNING:
        own.exhausted = 1
    if now.stop != RUNNING or inner.began != began:
        own.generations = generations if large or own.generations == 0 else own.generations
        end_search(own, run.now[0], covariance.trial_f[covariance.order[0]], True)


@compact
def evolve(problem, evolution, own, run):
    """A generation of L-SRTDE."""
    rows, now = evolution.rows[0], evolution.run.now[0]
    before = now.evaluations
    drive_evolution(problem, evolution, rows.count)
    take_in(run, evolution.run, before)
    if now.stop != RUNNING:
        end_search(own, run.now[0], now.best, now.stop == COLLAPSED)


@inlined
def end_search(own, now, value, converged):
    """A search has ended at this value, which was the best it came to, or was given up."""
    if converged and value <= now.best:
        own.settled = 1
    if own.ftol >= 0.0 and own.stage == OPENING:
        agree(own, now, value, converged)
    own.ended, own.arm = own.arm, NONE


@inlined
def agree(own, now, value, converged):
    """Stop where enough searches came to the best value, none of which began there."""
    near = own.ftol * (1.0 + abs(now.best))
    if now.best < own.common - near:
        own.common, own.agreed = now.best, 0
    if converged and own.origin <= CANDIDATE and value - now.best <= near:
        own.agreed += 1
        if own.agreed >= AGREED and now.stop == RUNNING:
            now.stop = CONVERGED


@compact
def note(state, before, held):
    """What an iteration has brought, in which the best value fell from `held`: who found it, and what it took."""
    own, now = state.own[0], state.run.now[0]
    arm = own.arm if own.arm != NONE else own.ended if own.ended != NONE else SAMPLES
    evaluations = now.evaluations - before
    state.arms[arm].evaluations += evaluations
    if own.stage == OPENING:
        own.covariance += evaluations if arm == COVARIANCE else 0
        own.local += evaluations if arm < COVARIANCE or arm == SAMPLES else 0
    state.arms[arm].best = min(state.arms[arm].best, lowest(state, arm))
    if now.best < held:
        own.holder = arm
        now.spread += held - now.best
    if own.settled == 1:
        now.spread = 0.0
    own.settled, own.ended = 0, NONE


@inlined
def lowest(state, arm):
    """The lowest value that a search has met since it began, whoever holds the best of all."""
    if arm == DESCENT:
        return state.descent.run.now[0].best
    if arm == SIMPLEX:
        return state.nelder_mead.run.now[0].best
    if arm == COORDINATES:
        return state.coordinates.run.now[0].best
    if arm == COVARIANCE:
        return state.cma_es.run.now[0].best
    if arm == EVOLUTION:
        return state.lsrtde.run.now[0].best
    return min(state.own[0].f0, state.own[0].drawn)


def report(state) -> dict:
    """What each search has found and taken, and which of them found the best."""
    found = [
        {"arm": name, "fun": float(arm["best"]), "nfev": int(arm["evaluations"]), "runs": int(arm["searches"])}
        for name, arm in zip(ARMS, state.arms)
    ]
    return {"arms": [arm for arm in found if arm["nfev"] > 0], "arm": ARMS[state.own[0].holder]}


SOLVER = Solver(
    "portfolio", "quasi-Newton, simplex, coordinates and CMA-ES in turns, from one budget", Options, PortfolioState,
    init, iterate=iterate, wishes=frozenset({"gradient"}), integers=False, agrees=True, on_gpu=False, report=report,
    nests=("nelder_mead", "cma_es", "lsrtde"), calls_nested=calls_nested,
)  # fmt: skip
