"""Every solver against a plain transcription of its paper: one iteration from the engine's state, equal to 1e-12.

The oracle starts from the engine's state at each iteration of a run, from the initial sample to the last evaluation.
A new solver needs a module in reference/, a line in ORACLES and settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.kernels.compile.structures import copied
from thalweg.solvers import SOLVERS, Optimizer
from thalweg.solvers.annealing.simulated_annealing import SCHEDULES, VARIANTS
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.call import begin, parse_call
from thalweg.solvers.population.cma_es import RESTARTS
from thalweg.solvers.population.genetic import CROSSOVERS, MUTATIONS, SELECTIONS
from thalweg.solvers.population.pso import VARIANTS as SWARMS

from .reference import (
    arrde,
    cma_es,
    cr_fm_nes,
    differential_evolution,
    genetic,
    jso,
    lshade,
    lsrtde,
    nelder_mead,
    pso,
    random_search,
    simulated_annealing,
)
from .reference.draws import Draws

OUT_OF_BUDGET = 2
SEED = 2**63 + 12345  # its highest bit is set: it is a bit like any other
LEAST = 20  # iterations of a run


# --- objectives, of whole generations -----------------------------------------------------------------------------


def coarse(values):
    """In steps of 1e-6: the last bit of x, in which engine and oracle may differ, decides no comparison of values."""
    return np.rint(values * 2.0**20) / 2.0**20


def rippled(x):
    """Many minima; the lowest is outside of the boxes below, so that candidates leave them."""
    return coarse(((x - 1.7) ** 2 + 1.0 - np.cos(5.0 * x)).sum(axis=1))


def terraces(x):
    """Wide steps: candidates as good as their parents, equal ranks."""
    return np.floor(4.0 * rippled(x)) / 4.0


def undefined(x):
    """NaN in a third of the box, inf in a corner."""
    values = np.where(x[:, 0] + x[:, 1] > 1.0, np.nan, rippled(x))
    return np.where(x[:, 0] < -3.0, np.inf, values)


def far_valley(x):
    """Narrow, bent: few successes."""
    return coarse((100.0 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1.0 - x[:, :-1]) ** 2).sum(axis=1))


def bowl(x):
    """Smooth to the last bit: values come to agree to 1e-11."""
    return ((x - 0.75) ** 2 * np.arange(1, x.shape[1] + 1)).sum(axis=1)


def lifted(x):
    """Whose values come to agree to the last bit."""
    return 100.0 + coarse(bowl(x))


def steep(x):
    """So high that steps become nothing before values agree."""
    return 2.0**50 * bowl(x)


def walls(x):
    """Lowest at the lower bound of one variable and at the upper bound of the next."""
    return x[:, 0] - x[:, 1] + (x[:, 2] - 0.25) ** 2


def slope(x):
    """Without an end."""
    return x.sum(axis=1)


def lots(x):
    """A number drawn for each small cube: no search helps."""
    return np.abs(np.sin((np.floor(64.0 * x) * np.arange(12.5, 12.5 + x.shape[1])).sum(axis=1)))


def few(x):
    """Of four levels only."""
    return np.floor(4.0 * lots(x))


@dataclass(frozen=True)
class Problem:
    fun: Callable
    dimension: int
    whole: tuple = ()  # variables that take whole numbers
    x0: tuple | None = None
    free: tuple = ()  # variables without an upper bound
    bottomless: tuple = ()  # and without a lower one
    bounded: bool = True

    @property
    def arguments(self) -> dict:
        low, high = np.full(self.dimension, -4.0), np.linspace(1.0, 3.0, self.dimension)
        high[list(self.free)], low[list(self.bottomless)] = np.inf, -np.inf
        if not self.bounded:
            low, high = np.full(self.dimension, -np.inf), np.full(self.dimension, np.inf)
        integrality = np.isin(np.arange(self.dimension), self.whole)
        return {"bounds": np.column_stack([low, high]), "integrality": integrality, "x0": self.x0}


SMOOTH = Problem(rippled, 5)
FLAT = Problem(terraces, 3, x0=((0.5, 0.5, 0.5), (-1.0, 1.5, 2.0)))
BROKEN = Problem(undefined, 4)
MIXED = Problem(rippled, 4, whole=(1, 3), x0=((0.25, 1.6, 0.5, -2.0),))
WIDE = Problem(far_valley, 10)
STEPS = Problem(terraces, 6, whole=(0,))
ONE_WHOLE = Problem(terraces, 1, whole=(0,))  # a handful of points: populations collapse
FLAT_POINT = Problem(terraces, 3, x0=((0.5, 0.5, 0.5),))


# --- the engine ---------------------------------------------------------------------------------------------------


def generations(setting):
    """(state before, state after) of each generation of a run."""
    arguments = setting.problem.arguments | setting.limits
    optimizer = Optimizer(setting.solver, seed=SEED, run=setting.run, options=setting.options, **arguments)
    if setting.prepare is not None:
        setting.prepare(optimizer.state)
    while not optimizer.done:
        before = copied(optimizer.state)
        optimizer.tell(setting.problem.fun(optimizer.ask()))
        yield before, copied(optimizer.state)


def iterations(setting):
    """(state before, state after, points (n, D) that were evaluated) of a method that goes from point to point."""
    asked = []

    def fun(x):
        asked.append(x.copy())
        return float(setting.problem.fun(x[None])[0])

    call = parse_call(
        objective(fun, compiled=False), method=setting.solver, seed=SEED, options=setting.options,
        **setting.problem.arguments, **setting.limits,
    )  # fmt: skip
    bound = call.problem.fun.bind()  # alive as long as it may be called
    state, advance = begin(call, setting.run), drivers.serial(call.solver)
    while not state.run.now[0].stop:
        before = copied(state)
        asked.clear()
        advance(bound.problem(), state, 1)  # to the end of the iteration in which that one falls
        yield before, copied(state), np.array(asked)


# --- from the engine's states to plain ones. `made`: rows of the generation just made; 0 between generations --------


def plain_run(state, made=0):
    """What every solver has."""
    now, box = state.run.now[0], state.box
    rows = state.rows[0] if hasattr(state, "rows") else None
    whole_numbers = "index iteration evaluations max_evals max_iterations failed stall patience stop key".split()
    plain = SimpleNamespace(
        **{name: int(now[name]) for name in whole_numbers},
        **{name: float(now[name]) for name in ("target", "ftol", "best")},
        seed=int(now["seed"]) % 2**64,  # kept as 64 bits
        best_x=state.run.best_x,
        lower=box.lower,
        upper=box.upper,
        whole=box.integer > 0.0,
    )
    if rows is not None:
        plain.size, plain.count = int(rows["live"]), int(rows["count"])
        plain.given = state.trial[: int(rows["given"]) if plain.iteration == 0 else 0]
        if made > 0:
            plain.trial, plain.trial_f = state.trial[:made], state.trial_f[:made]
    return plain


def plain_random_search(state, made=0):
    return plain_run(state, made)


def plain_de(state, made=0):
    plain, own = plain_run(state, made), state.own[0]
    plain.x, plain.f = state.x[: plain.size], state.f[: plain.size]
    plain.best_row = int(state.rows[0]["best"])
    plain.mutation = ("rand", "best", "currenttobest")[int(own["mutation"])]
    plain.crossing = "exp" if own["exponential"] else "bin"
    plain.weight, plain.crossover = float(own["weight"]), float(own["crossover"])
    return plain


def plain_history(state, made=0):
    """L-SHADE and jSO: the archive stands in x behind the largest population."""
    plain, own, rows = plain_run(state, made), state.own[0], state.rows[0]
    population, archive = slice(0, plain.size), len(state.trial)
    plain.x, plain.f, plain.order = state.x[population], state.f[population], state.order[population]
    plain.archive = state.x[archive : archive + int(rows["archived"])]
    plain.archive_size, plain.slot = int(own["archive"]), int(own["memory_slot"])
    plain.archive_rate, plain.best_share = float(own["archive_rate"]), float(own["best_share"])
    plain.initial_size = float(own["initial"])
    plain.memory_f, plain.memory_cr = state.memory[0], state.memory[1]
    if made > 0:
        plain.place = state.place[:made]
        if plain.iteration > 1:  # the initial sample has neither
            plain.weight, plain.crossover = state.weight[:made], state.crossover[:made]
    return plain


def plain_lsrtde(state, made=0):
    plain, own, rows = plain_run(state, made), state.own[0], state.rows[0]
    front, top = slice(0, plain.size), slice(int(rows["second"]), int(rows["second_end"]))
    plain.front, plain.front_f, plain.front_order = state.x[front], state.f[front], state.order[front]
    plain.top, plain.top_f, plain.top_order = state.x[top], state.f[top], state.order[top] - top.start
    plain.next, plain.slot = int(own["front_next"]), int(own["memory_slot"])
    plain.rate, plain.initial_size = float(own["success_rate"]), float(own["initial"])
    plain.memory = state.memory
    if made > 0:
        plain.parent, plain.share, plain.front_place = state.parent[:made], state.share[:made], state.front_place[:made]
        taken = state.top_place[:made]
        plain.top_place = np.where(taken >= 0, taken - top.start, -1)
    return plain


def note_life(plain, state):
    """Of a population that may begin anew."""
    life = state.life[0]
    plain.fresh, plain.still, plain.longest = bool(life["fresh"]), int(life["stall"]), int(life["longest"])
    plain.own_best, plain.spread = float(life["best"]), float(state.run.now[0]["spread"])
    if plain.iteration > 0:
        plain.given = plain.given[:0]
    return plain


def plain_pso(state, made=0):
    plain, own = plain_run(state, made), state.own[0]
    for name in ("x", "f", "position", "velocity", "exemplar", "idle"):
        setattr(plain, name, getattr(state, name))
    for name in ("inertia", "cognitive", "social"):
        setattr(plain, name, float(own[name]))
    plain.variant, plain.links = SWARMS[int(own["variant"])], int(own["links"])
    plain.best_row = int(state.rows[0]["best"])
    if made > 0:
        plain.step = state.step[:made]
    return note_life(plain, state)


def plain_genetic(state, made=0):
    plain, own = plain_run(state, made), state.own[0]
    plain.x, plain.f, plain.order = (field[: plain.size] for field in (state.x, state.f, state.order))
    plain.selection, plain.crossover = SELECTIONS[int(own["selection"])], CROSSOVERS[int(own["crossover"])]
    plain.mutation = MUTATIONS[int(own["mutation"])]
    for name in ("rate", "mutation_rate", "eta_crossover", "eta_mutation"):
        setattr(plain, name, float(own[name]))
    plain.elites, plain.distinct = int(own["elites"]), bool(own["distinct"])
    return note_life(plain, state)


def plain_nelder_mead(state, made=0):
    plain, own = plain_run(state), state.own[0]
    plain.simplex, plain.f = state.simplex[state.order], state.f[state.order]
    plain.given = state.simplex[: int(own["given"]) if plain.iteration == 0 else 0]
    plain.edge, plain.xtol, plain.tolerance = float(own["edge"]), float(own["xtol"]), float(own["ftol"])
    return plain


def plain_annealing(state, made=0):
    plain, own = plain_run(state), state.own[0]
    plain.x, plain.f = state.x, float(own["f"])
    plain.given = state.x[None][: int(own["given"]) if plain.iteration == 0 else 0]
    for name in ("first", "temperature", "ratio", "step", "width"):
        setattr(plain, name, float(own[name]))
    for name, theirs in {
        "level": "steps", "last_level": "last_step", "moves": "moves", "left": "left", "trials": "trials",
        "risen": "uphill_moves",
    }.items():  # fmt: skip
        setattr(plain, name, int(own[theirs]))
    plain.rises, plain.schedule = float(own["uphill"]), SCHEDULES[int(own["schedule"])]
    plain.variant, plain.turn = VARIANTS[int(own["corana"])], int(own["turn"])
    plain.widths, plain.taken = state.widths, state.taken
    return plain


def plain_cma_es(state, made=0):
    """Ring and trace in the order of their generations; constants as they are once the first inner run has begun."""
    plain, own, inner = plain_run(state, made), state.own[0], state.inner[0]
    for name in ("mean", "start", "scale", "path_sigma", "path_c"):
        setattr(plain, name, getattr(state, name))
    for name in ("c_sigma", "d_sigma", "c_c", "c_1", "c_mu", "mu_eff", "chi", "sigma"):
        setattr(plain, name, float(own[name]))
    plain.generation, plain.decomposed = int(own["generation"]), int(own["decomposed"])
    whole = "large small draws drawn began most spent_small spent_large holds converged level stride".split()
    for name in whole:
        setattr(plain, name, int(inner[name]))
    plain.first, plain.sigma_0, plain.smallest = float(inner["first"]), float(inner["sigma"]), int(inner["population"])
    plain.spread, plain.regime = float(state.run.now[0]["spread"]), RESTARTS[int(inner["regime"])]
    plain.weights, plain.largest, plain.ring = state.weight[: plain.size], len(state.trial), len(state.recent)
    last = range(plain.generation - min(plain.generation, plain.ring), plain.generation)
    plain.recent = [float(state.recent[k % plain.ring]) for k in last]
    plain.bests, plain.medians = (state.trace[k, : int(inner["entries"])].tolist() for k in range(2))
    plain.diagonal = bool(own["separable"])
    plain.C, plain.axes = np.diag(state.covariance[0]), np.eye(len(state.mean))
    if not plain.diagonal:
        plain.C, plain.axes = np.tril(state.covariance) + np.tril(state.covariance, -1).T, state.axes.T
    plain.lengths = state.lengths
    new = plain.decomposed == plain.generation
    again = (plain.axes * plain.lengths**2) @ plain.axes.T
    plain.residual = max(
        distance(again, plain.C) if new else 0.0, distance(plain.axes @ plain.axes.T, np.eye(len(again)))
    )
    return plain


def plain_arrde(state, made=0):
    plain, cycle = plain_history(state, made), state.cycle[0]
    del plain.archive_rate, plain.best_share
    plain.initial_size = int(plain.initial_size)
    for name in ("weight", "crossover"):  # none where the generation was sampled
        vars(plain).pop(name, None)
    for name in ("phase", "fresh", "restarts", "last", "recorded", "learnings"):
        setattr(plain, name, int(cycle[name]))
    plain.tolerance, plain.best_here, plain.best_recorded = (
        float(cycle[name]) for name in ("tolerance", "best", "best_recorded")
    )
    plain.spread, held = float(state.run.now[0]["spread"]), min(plain.recorded, len(state.record))
    plain.record, plain.record_f = list(state.record[:held]), list(state.record_f[:held])
    made_better, room = int(cycle["improvements"]), len(state.improved)
    ring = [k % room for k in range(max(made_better - room, 0), made_better)]
    plain.improved, plain.improved_f = [state.improved[k] for k in ring], [float(state.improved_f[k]) for k in ring]
    learnt = min(plain.learnings, state.learnt.shape[1])
    plain.learnt = [tuple(state.learnt[:, k]) for k in range(learnt)]
    plain.taken = [
        [j, state.taken_low[j, k], state.taken_high[j, k]]
        for j, count in enumerate(state.intervals)
        for k in range(count)
    ]
    if plain.fresh:  # the order of values that are all inf says nothing
        plain.order = np.arange(plain.size)
    return plain


def plain_cr_fm_nes(state, made=0):
    plain, own = plain_run(state, made), state.own[0]
    for name in ("mean", "scale", "stretch", "v", "path_sigma", "path_c"):
        setattr(plain, name, getattr(state, name))
    plain.hat, plain.sigma, plain.sigma_0 = state.rank_weight, float(own["sigma"]), float(own["first"])
    plain.calm, plain.spread = int(own["calm"]), float(state.run.now[0]["spread"])
    return plain


def distance(one, other):
    """Relative to the largest entry."""
    return float(abs(one - other).max() / abs(other).max())


ORACLES = {  # solver: what it is compared with, and its state in plain terms
    "random_search": (random_search, plain_random_search),
    "de": (differential_evolution, plain_de),
    "lshade": (lshade, plain_history),
    "jso": (jso, plain_history),
    "lsrtde": (lsrtde, plain_lsrtde),
    "arrde": (arrde, plain_arrde),
    "cma_es": (cma_es, plain_cma_es),
    "cr_fm_nes": (cr_fm_nes, plain_cr_fm_nes),
    "pso": (pso, plain_pso),
    "genetic": (genetic, plain_genetic),
    "nelder_mead": (nelder_mead, plain_nelder_mead),
    "simulated_annealing": (simulated_annealing, plain_annealing),
}


# in test_reference_of_walks.py and test_direct.py
ELSEWHERE = {"basin_hopping", "dual_annealing", "parallel_tempering", "tabu", "direct", "portfolio"}


# --- settings -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    solver: str
    name: str
    problem: Problem
    options: dict
    limits: dict
    prepare: Callable | None = None  # may change the state at the beginning of the run
    least: int = field(default=LEAST)
    run: int = 3

    def __str__(self):
        return f"{self.solver}-{self.name}"

    __hash__ = object.__hash__


def nearly_terminal(state):
    """Memories of CR from which 0 is drawn, one of them terminal."""
    state.memory[1, :] = 0.0
    state.memory[1, 0] = -1.0


def seldom_crossing(state):
    state.memory[:] = 0.05


def far_from_now(state):
    """F in the far tails: often not positive."""
    state.memory[0, :] = 0.02


def adaptive(solver, memory):
    """Settings of a method with memories and a population that shrinks from its initial size to 4."""
    yield Setting(solver, "defaults", FLAT, {}, {"max_evals": 1500})
    yield Setting(solver, "smooth", SMOOTH, {"population": 18, "memory": memory}, {"max_evals": 901})
    yield Setting(solver, "flat", STEPS, {"population": 25, "memory": memory + 1}, {"max_evals": 1000})
    yield Setting(solver, "undefined", BROKEN, {"population": 20, "memory": memory}, {"max_evals": 800})
    yield Setting(solver, "mixed", MIXED, {"population": 16}, {"max_evals": 700})
    yield Setting(solver, "wide", WIDE, {"population": 30, "memory": memory}, {"max_evals": 1200})
    yield Setting(solver, "small", SMOOTH, {"population": 5}, {"max_evals": 120})
    yield Setting(solver, "no-population", SMOOTH, {"population": 40}, {"max_evals": 30}, least=1)
    yield Setting(solver, "target", SMOOTH, {"population": 12}, {"max_evals": 5000, "target": 10.0}, least=2)
    yield Setting(solver, "converged", FLAT, {"population": 12}, {"max_evals": 5000, "ftol": 0.3}, least=4)
    for ftol in (0.5, 0.1, 0.02):
        yield Setting(solver, f"ftol-{ftol}", SMOOTH, {"population": 5}, {"max_evals": 3000, "ftol": ftol}, least=2)
    yield Setting(solver, "stalled", FLAT, {"population": 12}, {"max_evals": 5000, "patience": 6}, least=6)
    yield Setting(solver, "iterations", SMOOTH, {"population": 18}, {"max_iters": 40})


def nelder_mead_settings():
    """Where a step of the first simplex leaves the box, one on its bounds or at 0, and budgets that end anywhere."""

    def setting(name, problem, limits, options=None, **more):
        return Setting("nelder_mead", name, problem, options or {}, limits, **more)

    for dimension in range(1, 7):
        x0 = (np.linspace(-1.2, 0.6, dimension).tolist(),)
        box = Problem(rippled, dimension)
        yield setting(f"box-{dimension}", box, {"max_evals": 400}, run=dimension, least=1 if dimension == 1 else LEAST)
        yield setting(f"free-{dimension}", Problem(rippled, dimension, x0=x0, bounded=False), {"max_evals": 600})
        yield setting(f"flat-{dimension}", Problem(terraces, dimension, x0=x0, bounded=False), {"max_evals": 300})
        if dimension > 1:
            valley = Problem(far_valley, dimension, x0=x0, free=(0, dimension - 1))
            yield setting(f"valley-{dimension}", valley, {"max_evals": 900}, run=0)
    for run in range(1, 4):
        yield setting(f"undefined-{run}", BROKEN, {"max_evals": 300}, run=run)
    edges = ((-4.0, 0.0, 2.0, 0.5, 3.0),)  # the bounds are -4 and 1, 1.5, ... 3
    for edge in (0.05, 0.5, 4.0):
        at_bounds = Problem(rippled, 5, x0=edges)
        yield setting(f"edges-{edge}", at_bounds, {"max_evals": 150}, {"edge": edge}, run=0)
        yield setting(f"restart-{edge}", at_bounds, {"max_evals": 150}, {"edge": edge})
    simplex = ((-2.0, 1.0), (0.5, 0.5), (0.5, -3.0))
    yield setting("simplex", Problem(terraces, 2, x0=simplex), {"max_evals": 120}, run=0)
    yield setting("simplex-restart", Problem(terraces, 2, x0=simplex), {"max_evals": 120})
    for budget in range(1, 30):
        yield setting(f"budget-{budget}", Problem(rippled, 4), {"max_evals": budget}, least=1)
        flat = Problem(terraces, 3, x0=((0.5, 0.5, 0.5),), bounded=False)
        yield setting(f"budget-flat-{budget}", flat, {"max_evals": budget}, least=1)
    for xtol, ftol in ((0.1, 1e-2), (1e-2, 1.0), (1.0, 1e-3), (3e-3, 1e-3), (0.2, 0.2)):
        for dimension in (2, 5):
            limits = {"max_evals": 5000, "ftol": ftol}
            yield setting(f"converged-{xtol}-{dimension}", Problem(rippled, dimension), limits, {"xtol": xtol}, least=5)
    yield setting("target", SMOOTH, {"max_evals": 5000, "target": 14.0}, least=2)
    yield setting("stalled", FLAT_POINT, {"max_evals": 5000, "patience": 6}, least=6)
    yield setting("iterations", SMOOTH, {"max_iters": 25})


def annealing_settings():
    """All four schedules; steps so wide that they leave the box by more than its width."""

    def setting(name, problem, limits, options=None, **more):
        return Setting("simulated_annealing", name, problem, options or {}, limits, **more)

    whole = Problem(terraces, 4, whole=(0, 1, 2, 3))
    for schedule in SCHEDULES:
        common = {"schedule": schedule}
        yield setting(f"{schedule}-defaults", MIXED, {"max_evals": 700}, common)
        yield setting(f"{schedule}-smooth", SMOOTH, {"max_evals": 400}, common | {"temperature": 3.0, "moves": 1})
        yield setting(f"{schedule}-flat", FLAT_POINT, {"max_evals": 400}, common | {"moves": 7})
        yield setting(f"{schedule}-undefined", BROKEN, {"max_evals": 500}, common | {"last": 0.01})
        yield setting(f"{schedule}-wide", WIDE, {"max_evals": 500}, common | {"step": 2.5})
        yield setting(f"{schedule}-whole", whole, {"max_evals": 400}, common | {"temperature": 0.5, "step": 0.05})
        yield setting(f"{schedule}-one", Problem(rippled, 1), {"max_evals": 300}, common | {"step": 1.0})
    corana = {"variant": "corana"}
    yield setting("corana-mixed", MIXED, {"max_evals": 900}, corana | {"step": 0.9})
    yield setting("corana-flat", FLAT_POINT, {"max_evals": 1500}, corana | {"moves": 150, "last": 0.01})
    yield setting("corana-undefined", BROKEN, {"max_evals": 900}, corana | {"schedule": "cauchy", "temperature": 9.0})
    lost = Problem(undefined, 4, x0=((-3.9, 0.5, 0.5, 0.5),))  # it begins at inf
    yield setting("lost", lost, {"max_evals": 200}, {"step": 0.02})
    yield setting("lost-cold", lost, {"max_evals": 200}, {"step": 0.02, "temperature": 1.0})
    yield setting("level", Problem(lambda x: 0.0 * x[:, 0] + 2.0, 2), {"max_evals": 200})  # no rise to be met
    yield setting("short", SMOOTH, {"max_evals": 25})
    yield setting("target", SMOOTH, {"max_evals": 5000, "target": 14.0}, least=2)
    yield setting("stalled", FLAT_POINT, {"max_evals": 5000, "patience": 6}, least=6)
    yield setting("iterations", MIXED, {"max_iters": 300})


def cma_settings():
    """Every end of an inner run, every kind of bound, populations as small as they may be."""

    def setting(name, problem, limits, options=None, **more):
        return Setting("cma_es", name, problem, options or {}, limits, **more)

    x0 = ((0.5, -1.0, 0.25),)
    free, half = Problem(bowl, 3, x0=x0, bounded=False), Problem(bowl, 3, x0=x0, free=(0, 2))
    yield setting("defaults", FLAT, {"max_evals": 1500})
    yield setting("smooth", SMOOTH, {"max_evals": 3000})
    yield setting("undefined", BROKEN, {"max_evals": 1500})
    yield setting("wide", WIDE, {"max_evals": 1500})
    yield setting("long", WIDE, {"max_evals": 2400}, {"population": 3})
    yield setting("one", Problem(rippled, 1), {"max_evals": 1500})
    for restart in RESTARTS:
        least = 3 if restart == "none" else LEAST
        yield setting(f"flat-{restart}", FLAT_POINT, {"max_evals": 1500}, {"restart": restart}, least=least)
        yield setting(f"free-{restart}", free, {"max_evals": 2500}, {"restart": restart})
    yield setting("half", half, {"max_evals": 1200})
    yield setting("mixed", MIXED, {"max_evals": 1500})
    yield setting("whole", STEPS, {"max_evals": 700})
    yield setting("one-whole", ONE_WHOLE, {"max_evals": 300})
    half_whole = Problem(bowl, 3, x0=x0, free=(0, 2), bottomless=(0,), whole=(0, 2))
    yield setting("half-whole", half_whole, {"max_evals": 900})
    yield setting("half-first", half, {"max_evals": 400}, run=0)
    half_walls = Problem(walls, 3, x0=x0, free=(0,), bottomless=(1,))
    yield setting("half-walls", half_walls, {"max_evals": 900}, {"sigma": 3.0})
    yield setting("walls", Problem(walls, 3), {"max_evals": 900})
    yield setting("one-many", Problem(rippled, 1), {"max_evals": 900}, {"population": 40})
    yield setting("first", FLAT_POINT, {"max_evals": 600}, run=0)
    yield setting("far", SMOOTH, {"max_evals": 1000}, {"sigma": 4.0})
    for population in (2, 3, 4, 40):
        yield setting(f"population-{population}", SMOOTH, {"max_evals": 1000}, {"population": population})
    diagonal = {"covariance": "diagonal"}
    yield setting("diagonal", SMOOTH, {"max_evals": 2000}, diagonal)
    yield setting("diagonal-wide", WIDE, {"max_evals": 1000}, diagonal | {"population": 4})
    yield setting("diagonal-mixed", MIXED, {"max_evals": 1000}, diagonal)
    yield setting("diagonal-undefined", BROKEN, {"max_evals": 800}, diagonal | {"population": 20})
    yield setting("diagonal-one", Problem(rippled, 1), {"max_evals": 500}, diagonal)
    yield setting("steep", Problem(steep, 2, x0=((0.5, -1.0),), bounded=False), {"max_evals": 1800})
    yield setting("slope", Problem(slope, 2, x0=((0.5, -1.0),), bounded=False), {"max_evals": 800})
    yield setting("few", Problem(few, 4), {"max_evals": 1500}, {"population": 30})
    yield setting("lots", Problem(lots, 2), {"max_evals": 4000})
    near = {"population": 4, "restart": "none", "sigma": 0.1}
    yield setting("lots-long", Problem(lots, 5), {"max_evals": 4500}, near)
    for budget in (1, 2, 7, 9):
        yield setting(f"budget-{budget}", SMOOTH, {"max_evals": budget}, least=1)
    yield setting("target", SMOOTH, {"max_evals": 5000, "target": 10.0}, least=2)
    for ftol in (0.5, 0.1, 1e-3):
        yield setting(f"ftol-{ftol}", SMOOTH, {"max_evals": 5000, "ftol": ftol}, least=2)
    yield setting("stalled", FLAT, {"max_evals": 5000, "patience": 6}, least=6)


def refining_settings():
    def setting(name, problem, limits, options=None, **more):
        return Setting("arrde", name, problem, options or {}, limits, **more)

    yield setting("flat", FLAT, {"max_evals": 900}, {"population": 12})
    yield setting("smooth", SMOOTH, {"max_evals": 2500}, {"population": 16})
    yield setting("bowl", Problem(lifted, 3), {"max_evals": 4000}, {"population": 10})
    yield setting("undefined", BROKEN, {"max_evals": 500}, {"population": 12})
    yield setting("mixed", MIXED, {"max_evals": 700}, {"population": 16})
    yield setting("wide", WIDE, {"max_evals": 600}, {"population": 40})
    yield setting("whole", STEPS, {"max_evals": 500}, {"population": 10, "memory": 2})
    yield setting("one", ONE_WHOLE, {"max_evals": 400}, {"population": 8})
    yield setting("small", SMOOTH, {"max_evals": 205}, {"population": 4})
    yield setting("iterations", FLAT, {"max_iters": 60}, {"population": 14})
    yield setting("target", SMOOTH, {"max_evals": 5000, "target": 14.0}, least=2)
    yield setting("ftol", SMOOTH, {"max_evals": 3000, "ftol": 0.5}, {"population": 12}, least=2)
    yield setting("stalled", FLAT, {"max_evals": 5000, "patience": 6}, least=6)


def natural_settings():
    def setting(name, problem, limits, options=None, **more):
        return Setting("cr_fm_nes", name, problem, options or {}, limits, **more)

    x0 = ((0.5, -1.0, 0.25),)
    yield setting("flat", FLAT, {"max_evals": 400})
    yield setting("smooth", SMOOTH, {"max_evals": 800})
    yield setting("undefined", BROKEN, {"max_evals": 500}, {"population": 12})
    yield setting("wide", WIDE, {"max_evals": 905})
    yield setting("many", Problem(bowl, 40), {"max_evals": 1500})
    yield setting("free", Problem(bowl, 3, x0=x0, bounded=False), {"max_evals": 4000})
    yield setting("half", Problem(bowl, 3, x0=x0, free=(0, 2)), {"max_evals": 600}, run=0)
    yield setting("walls", Problem(walls, 3), {"max_evals": 600}, {"sigma": 2.0})
    yield setting("one", Problem(rippled, 1), {"max_evals": 300}, {"population": 4})
    yield setting("slope", Problem(slope, 2, x0=((0.5, -1.0),), bounded=False), {"max_evals": 800})
    yield setting("level", Problem(few, 2, x0=((0.5, 0.5),)), {"max_evals": 500}, {"sigma": 1e-9})
    yield setting("target", SMOOTH, {"max_evals": 5000, "target": 14.0}, least=2)
    yield setting("ftol", SMOOTH, {"max_evals": 5000, "ftol": 0.1}, least=2)
    yield setting("stalled", FLAT, {"max_evals": 5000, "patience": 6}, least=6)


def swarm_settings():
    """Each variant where values are equal, undefined, whole-numbered, far away, and where swarms begin anew."""

    def setting(variant, name, problem, limits, options=None, **more):
        common = {"variant": variant, "population": 9}
        return Setting("pso", f"{variant}-{name}", problem, common | (options or {}), limits, **more)

    for variant in SWARMS:
        yield setting(variant, "flat", FLAT, {"max_evals": 500})
        yield setting(variant, "smooth", SMOOTH, {"max_evals": 500}, {"population": 12})
        yield setting(variant, "undefined", BROKEN, {"max_evals": 305})
        yield setting(variant, "mixed", MIXED, {"max_evals": 400})
        yield setting(variant, "wide", WIDE, {"max_evals": 400}, {"population": 20})
        yield setting(variant, "two", SMOOTH, {"max_evals": 81}, {"population": 2})
        yield setting(variant, "anew", ONE_WHOLE, {"max_evals": 600})
        yield setting(variant, "long", Problem(few, 2), {"max_evals": 700}, {"population": 4}, prepare=impatient)
        yield setting(variant, "target", SMOOTH, {"max_evals": 5000, "target": 14.0}, least=2)
        yield setting(variant, "converged", FLAT, {"max_evals": 5000, "ftol": 0.3}, least=4)
        yield setting(variant, "stalled", FLAT, {"max_evals": 5000, "patience": 6}, least=6)
        yield setting(variant, "iterations", SMOOTH, {"max_iters": 30})
    textbook, own_only = {"inertia": 0.5, "cognitive": 1.0, "social": 1.5}, {"inertia": 0.0, "social": 0.0}
    yield setting("inertia", "textbook", SMOOTH, {"max_evals": 300}, textbook)
    yield setting("inertia", "own-only", SMOOTH, {"max_evals": 300}, own_only)
    yield Setting("pso", "defaults-2", Problem(rippled, 2), {}, {"max_evals": 900})
    yield Setting("pso", "defaults-11", Problem(rippled, 11), {}, {"max_evals": 1000})


def genetic_settings():
    """Deb's operators, the textbooks', and some of both, where values are equal, undefined, whole-numbered."""
    forms = {
        "deb": {},
        "wide": {"crossover_eta": 15.0, "mutation_eta": 3.5, "mutation_rate": 0.4, "crossover_rate": 0.5},
        "textbook": {
            "selection": "truncation", "crossover": "one_point", "mutation": "uniform", "elites": 1,
            "mutation_rate": 0.05,
        },
        "roulette": {"selection": "roulette", "crossover": "one_point", "elites": 3, "mutation_rate": 0.2},
        "none": {"selection": "roulette", "mutation": "uniform", "mutation_rate": 0.0, "elites": 0},
        "all": {"selection": "truncation", "mutation": "uniform", "mutation_rate": 1.0, "crossover_rate": 1.0},
    }  # fmt: skip

    def setting(form, name, problem, limits, more=None, **rest):
        options = {"population": 12} | forms[form] | (more or {})
        return Setting("genetic", f"{form}-{name}", problem, options, limits, **rest)

    binary = Problem(few, 6, whole=tuple(range(6)))
    for form in forms:
        yield setting(form, "flat", FLAT, {"max_evals": 500})
        yield setting(form, "smooth", SMOOTH, {"max_evals": 500}, {"population": 15})
        yield setting(form, "undefined", BROKEN, {"max_evals": 305})
        yield setting(form, "mixed", MIXED, {"max_evals": 400})
        yield setting(form, "wide", WIDE, {"max_evals": 500}, {"population": 22})
        yield setting(form, "anew", ONE_WHOLE, {"max_evals": 600})
        yield setting(form, "binary", binary, {"max_evals": 400}, prepare=impatient)
        yield setting(form, "iterations", SMOOTH, {"max_iters": 25})
    yield Setting("genetic", "two", SMOOTH, {"population": 2}, {"max_evals": 81})
    yield Setting("genetic", "one", Problem(rippled, 1), {"population": 8}, {"max_evals": 300})
    yield Setting("genetic", "target", SMOOTH, {"population": 12}, {"max_evals": 5000, "target": 12.0}, least=2)
    yield Setting("genetic", "converged", FLAT, {"population": 12}, {"max_evals": 5000, "ftol": 0.1}, least=4)
    yield Setting("genetic", "stalled", FLAT, {"population": 12}, {"max_evals": 5000, "patience": 6}, least=6)


def impatient(state):
    state.life[0].longest = 5


def settings():
    yield Setting("random_search", "small", MIXED, {"population": 7}, {"max_evals": 200})
    yield Setting("random_search", "undefined", BROKEN, {"population": 10}, {"max_evals": 300})
    yield Setting("random_search", "stalled", SMOOTH, {"population": 3}, {"max_evals": 900, "patience": 20})
    for strategy in differential_evolution.STRATEGIES:
        common = {"strategy": strategy, "population": 14}
        yield Setting("de", f"{strategy}-flat", FLAT, common | {"crossover": 0.5}, {"max_evals": 450})
        yield Setting("de", f"{strategy}-undefined", BROKEN, common | {"weight": 0.7}, {"max_evals": 430})
        yield Setting("de", f"{strategy}-mixed", MIXED, common | {"weight": 0.75}, {"max_evals": 400})
        yield Setting("de", f"{strategy}-wide", WIDE, common | {"crossover": 0.3, "weight": 1.1}, {"max_evals": 320})
    yield Setting("de", "four", SMOOTH, {"population": 4, "weight": 0.9}, {"max_evals": 402})
    yield Setting("de", "defaults", FLAT, {}, {"max_evals": 700})
    yield Setting("de", "iterations", SMOOTH, {"population": 9}, {"max_iters": 25, "max_evals": 5000})
    yield Setting("de", "no-crossover", WIDE, {"population": 9, "crossover": 0.0}, {"max_evals": 300})
    yield Setting("de", "target", SMOOTH, {"population": 12}, {"max_evals": 5000, "target": 10.0}, least=2)
    yield Setting("de", "converged", FLAT, {"population": 12}, {"max_evals": 5000, "ftol": 0.3}, least=4)
    for ftol in (0.5, 0.1, 0.02):
        yield Setting("de", f"ftol-{ftol}", SMOOTH, {"population": 5}, {"max_evals": 3000, "ftol": ftol}, least=2)
    yield Setting("de", "stalled", FLAT, {"population": 12}, {"max_evals": 5000, "patience": 6}, least=6)
    yield Setting("de", "collapsed", ONE_WHOLE, {"population": 8}, {"max_evals": 3000}, least=2)
    yield Setting("lsrtde", "collapsed", ONE_WHOLE, {"population": 8}, {"max_evals": 3000}, least=2)
    yield Setting("lsrtde", "front-collapsed", ONE_WHOLE, {"population": 5}, {"max_evals": 3000}, least=5, run=18)
    for solver in ("lshade", "jso"):
        yield from adaptive(solver, 3)
        size = {"population": 20, "memory": 3}
        options = size | {"archive": 0.5, "best_share": 0.4}
        yield Setting(solver, "small-archive", SMOOTH, options, {"max_evals": 900})
        yield Setting(solver, "no-archive", SMOOTH, size | {"archive": 0.0}, {"max_evals": 600})
        yield Setting(solver, "terminal", SMOOTH, size, {"max_evals": 900}, nearly_terminal)
        yield Setting(solver, "collapsed", ONE_WHOLE, size | {"archive": 0.0}, {"max_evals": 3000}, least=2)
        yield Setting(solver, "with-archive", ONE_WHOLE, size | {"archive": 0.2}, {"max_evals": 400}, least=2)
        yield Setting(solver, "tails", WIDE, size, {"max_evals": 600}, far_from_now)
    yield from adaptive("lsrtde", 3)
    yield Setting("lsrtde", "no-crossover", WIDE, {"population": 20}, {"max_evals": 800}, seldom_crossing)
    yield from nelder_mead_settings()
    yield from annealing_settings()
    yield from cma_settings()
    yield from refining_settings()
    yield from natural_settings()
    yield from swarm_settings()
    yield from genetic_settings()


SETTINGS = list(settings())


@cache
def recorded(setting):
    """The plain states (before, after) of each iteration of a setting's run."""
    _, plain = ORACLES[setting.solver]
    pairs = []
    if SOLVERS[setting.solver].rows is None:
        for before, after, points in iterations(setting):
            pairs.append((plain(before), plain(after)))
            pairs[-1][1].points = points
        return pairs
    for before, after in generations(setting):
        made = int(after.run.now[0]["evaluations"] - before.run.now[0]["evaluations"])
        pairs.append((plain(before), plain(after, made)))
    return pairs


# --- tests --------------------------------------------------------------------------------------------------------


REMARKS = {"moved", "h_sigma"}  # what an oracle says of its iteration, beside the state
UNDETERMINED = {"axes", "lengths"}  # signs and order of eigenvectors: their oracle looks at them in another way


def transcribed(setting, before):
    """The plain state after one iteration of the transcription."""
    generation = 0 if setting.solver == "random_search" else before.iteration  # its points are counted through
    expected = ORACLES[setting.solver][0].iterate(
        before, setting.problem.fun, Draws(before.seed, before.index, generation)
    )
    expected.key = Draws(expected.seed, expected.index, expected.iteration).key
    return expected


def assert_equal(engine, oracle, where):
    """All fields: whole numbers exactly, the others to 1e-12."""
    assert vars(engine).keys() == vars(oracle).keys() - REMARKS
    for name, value in vars(engine).items():
        if name in UNDETERMINED:
            continue
        other = getattr(oracle, name)
        if isinstance(value, int | str):
            assert value == other, f"{where}: {name}"
        else:
            other = np.asarray(other, dtype=float)
            assert other.shape[:1] == np.shape(value)[:1], f"{where}: {name}"
            other = other.reshape(np.shape(value))  # an archive without points has no second dimension
            if np.array_equal(other, value):  # most are, to the last bit, and the long look takes fifty times as long
                continue
            exact = np.asarray(value).dtype.kind in "iub"
            tolerance = {"rtol": 0.0, "atol": 0.0} if exact else {"rtol": 1e-12, "atol": 1e-12}
            np.testing.assert_allclose(other, value, **tolerance, err_msg=f"{where}: {name}")


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_each_iteration_equals_its_transcription(setting):
    pairs = recorded(setting)
    assert len(pairs) >= setting.least
    for before, after in pairs:
        assert_equal(after, transcribed(setting, before), f"iteration {before.iteration}")


def test_every_solver_has_an_oracle():
    """Those of methods with gradients stand in test_first_order.py, test_quasi_newton.py and test_second_order.py."""
    smooth = {name for name, solver in SOLVERS.items() if "gradient" in solver.asks}
    assert set(ORACLES) | smooth | ELSEWHERE == set(SOLVERS)
    assert {setting.solver for setting in SETTINGS} == set(ORACLES)


@pytest.mark.parametrize("name", [name for name, (oracle, _) in ORACLES.items() if hasattr(oracle, "start")])
@pytest.mark.parametrize("dimension", [2, 7, 13])
def test_a_run_begins_with_the_constants_of_its_paper(name, dimension):
    oracle, plain = ORACLES[name]
    bounds = [(-1.0, 1.0)] * dimension
    state = plain(begin(parse_call(rippled, bounds, method=name, seed=1), 0))
    for field_name, value in oracle.start(dimension).items():
        np.testing.assert_array_equal(getattr(state, field_name), value, err_msg=field_name)


def test_annealing_begins_as_its_options_say():
    options = {"schedule": "linear", "temperature": 3.0, "last": 0.01, "step": 0.5, "moves": 7}
    call = parse_call(rippled, [(-1.0, 1.0)] * 2, method="simulated_annealing", seed=1, max_evals=100, options=options)
    state = plain_annealing(begin(call, 0))
    assert (state.schedule, state.first, state.temperature, state.trials) == ("linear", 3.0, 3.0, 0)
    assert (state.step, state.width, state.moves, state.left) == (0.5, 0.5, 7, 7)
    assert state.last_level == 14 and state.ratio**14 == pytest.approx(0.01, rel=1e-12)  # 7 times 14 moves and x


def seen(solver):
    """What happens in the runs of a solver's settings: the tests above say nothing of what does not happen."""
    return [pair for setting in SETTINGS if setting.solver == solver for pair in recorded(setting)]


@pytest.mark.parametrize("solver", ["de", "lshade", "jso"])
def test_the_settings_see_equal_values_and_failures(solver):
    pairs = seen(solver)
    ties = [(b.f[: len(a.trial_f)] == a.trial_f) & np.isfinite(a.trial_f) for b, a in pairs]
    assert sum(tie.sum() for tie in ties) > 50
    assert any(a.failed > 0 for _, a in pairs) and any(np.isposinf(a.f).any() for _, a in pairs)
    assert {a.stop for _, a in pairs} == {0, 1, 2, 3, 4, 13, 16}
    assert any(a.count == 0 and len(a.trial) < a.size for _, a in pairs)  # a last generation that is not full


@pytest.mark.parametrize("solver", ["lshade", "jso"])
def test_the_settings_fill_archives_and_memories(solver):
    pairs = seen(solver)
    overwritten = [(a.place >= 0).sum() - (len(a.archive) - len(b.archive)) for b, a in pairs if a.size == b.size]
    assert sum(np.maximum(overwritten, 0)) > 50
    twice = [np.unique(a.place[a.place >= 0], return_counts=True)[1].max(initial=0) for _, a in pairs]
    assert max(twice) > 1  # a place that two parents were given
    assert sum(a.slot < b.slot for b, a in pairs) > 20
    assert sum(a.size < b.size for b, a in pairs) > 50 and min(a.size for _, a in pairs) == 4
    assert any((b.memory_cr == -1.0).sum() < (a.memory_cr == -1.0).sum() for b, a in pairs)
    assert any((a.weight == 1.0).any() for _, a in pairs if a.iteration > 1)


def test_the_settings_overwrite_the_front_and_cut_the_top():
    pairs = seen("lsrtde")
    assert sum(a.next < b.next for b, a in pairs) > 20 and sum(a.slot < b.slot for b, a in pairs) > 20
    assert sum(a.size < b.size for b, a in pairs) > 50 and min(a.size for _, a in pairs) == 4
    parents = [(b.front_f[a.parent], a) for b, a in pairs if b.iteration > 0]
    assert sum(((f == a.trial_f) & np.isfinite(f)).sum() for f, a in parents) > 20
    alone = [a for _, a in pairs if (a.front == a.front[0]).all() and not (a.top == a.front[0]).all()]
    assert any(a.stop == 0 for a in alone)  # the front has collapsed, the top has not
    assert any(a.rate == 0.0 for _, a in pairs) and any(np.isposinf(a.top_f).any() for _, a in pairs)
    assert {a.stop for _, a in pairs} == {0, 1, 2, 3, 4, 13, 16}


def test_the_settings_see_every_kind_of_simplex_step():
    found = [
        (transcribed(setting, before).moved, before, after)
        for setting in SETTINGS
        if setting.solver == "nelder_mead"
        for before, after in recorded(setting)
    ]
    count = Counter(moved for moved, _, _ in found)
    for step in ("reflection", "expansion", "no expansion", "outside contraction", "inside contraction", "shrinkage"):
        assert count[step] > 20, step
    assert count["reflection, the last"] > 2 and count["nothing"] > 2
    dimensions = {len(b.lower) for moved, b, a in found if moved == "shrinkage" and a.stop == 0}
    assert dimensions == {1, 2, 3, 4, 5, 6}
    cut = {(moved, len(a.points)) for moved, b, a in found if a.stop == OUT_OF_BUDGET and len(b.lower) == 3}
    assert {("first", 1), ("first", 3), ("shrinkage", 2), ("shrinkage", 3)} <= cut  # whole: 4 and 5
    assert sum(np.unique(a.f).size < a.f.size for _, _, a in found) > 100  # equal values
    assert any(a.failed > b.failed for _, b, a in found) and any(np.isposinf(a.f).any() for _, _, a in found)
    assert sum(((a.points == b.lower) | (a.points == b.upper)).any() for moved, b, a in found if moved != "first") > 20
    assert {a.stop for _, _, a in found} == {0, 1, 2, 3, 4, 16}


def test_the_settings_see_every_kind_of_move():
    pairs = [(b, a) for b, a in seen("simulated_annealing") if b.iteration > 0]
    explored = [b.iteration <= b.trials for b, _ in pairs]
    assert sum(explored) > 200 and sum(a.f > b.f and not early for (b, a), early in zip(pairs, explored)) > 100
    assert sum(not (a.x == a.points[0]).all() and not early for (b, a), early in zip(pairs, explored)) > 100
    assert any(not (a.x == a.points[0]).all() and early for (b, a), early in zip(pairs, explored))  # it ended at inf
    assert sum(((a.points == b.lower) | (a.points == b.upper)).any() for b, a in pairs) > 50
    assert any(np.isposinf(a.f) for _, a in pairs) and any(a.failed > 0 for _, a in pairs)
    for schedule in SCHEDULES:
        cooled = [(b, a) for b, a in pairs if b.schedule == schedule and a.level > b.level]
        assert len(cooled) > 200 and all(a.left == a.moves for _, a in cooled)
        assert any(a.level == a.last_level for _, a in cooled)
        widest = max(a.width for _, a in cooled)
        assert widest == 1.0 if schedule in ("geometric", "linear") else widest > 1.0
    assert {a.stop for _, a in pairs} == {0, 1, 2, 4, 16}
    adjusted = [(b, a) for b, a in pairs if (b.widths != a.widths).any()]
    assert any((a.widths > b.widths).any() for b, a in adjusted) and any(
        (a.widths < b.widths).any() for b, a in adjusted
    )
    assert any((a.widths == 1.0).any() for _, a in adjusted) and len(adjusted) > 10


def test_the_settings_see_nearly_every_end_of_an_inner_run():
    """Not TolConditionCov and MaxIter: see test_cma_es.py."""
    pairs = [(s, b, a) for s in SETTINGS if s.solver == "cma_es" for b, a in recorded(s)]
    found = [(transcribed(setting, before), before, after) for setting, before, after in pairs]
    ends = Counter(oracle.moved for oracle, _, _ in found)
    for end in ("tolfun", "tolfunhist", "flat", "tolx", "tolfacupx", "stagnation", "too long"):
        assert ends[end] > 0, end
    assert sum(a.small for o, _, a in found if o.moved) > 10 and sum(not a.small for o, _, a in found if o.moved) > 10
    assert len({a.size for o, _, a in found if o.moved and a.small}) > 5
    h_sigma = Counter(o.h_sigma for o, b, a in found if b.generation > 0 and a.generation > b.generation)
    assert min(h_sigma[0], h_sigma[1]) > 50
    assert {a.generation - a.decomposed for _, _, a in found} == {0, 1, 2} and max(a.stride for _, _, a in found) == 2
    assert sum((a.sigma > 2.0 * b.sigma) & (a.generation > b.generation) for _, b, a in found) > 5
    walls = [b.count > 1 and ((a.mean < a.lower) | (a.mean > a.upper)).any() for _, b, a in found]
    assert sum(walls) > 50 and any(a.failed > b.failed for _, b, a in found)
    assert {a.stop for _, _, a in found} == {0, 1, 2, 3, 4, 15}


def test_the_settings_see_restarts_and_refinements():
    pairs = [(s, b, a) for s in SETTINGS if s.solver == "arrde" for b, a in recorded(s)]
    moves = Counter(transcribed(setting, before).moved for setting, before, _ in pairs)
    assert min(moves[kind] for kind in ("restart", "refinement", "last")) > 5, moves
    assert any(a.recorded > len(a.record) for _, _, a in pairs)
    assert any(len(b.archive) > 0 and len(a.archive) == 0 for _, b, a in pairs)
    assert any(len(a.taken) > len(a.lower) for _, _, a in pairs)
    assert {a.stop for _, _, a in pairs} == {0, 1, 2, 3, 4, 16}


def test_the_settings_see_a_mean_that_moves_stagnates_and_converges():
    pairs = [(s, b, a) for s in SETTINGS if s.solver == "cr_fm_nes" for b, a in recorded(s)]
    moves = Counter(transcribed(setting, before).moved for setting, before, _ in pairs)
    assert min(moves[kind] for kind in ("moving", "stagnating")) > 50
    assert any(a.failed > b.failed for _, b, a in pairs)
    assert {a.stop for _, _, a in pairs} == {0, 1, 2, 3, 4, 15}


@pytest.mark.parametrize("variant", SWARMS)
def test_the_settings_see_swarms_begin_anew(variant):
    pairs = [(b, a) for b, a in seen("pso") if b.variant == variant]
    assert sum(a.fresh for _, a in pairs) > 10 and sum(not b.fresh and b.links == a.links for b, a in pairs) > 5
    assert sum(((a.trial == b.lower) | (a.trial == b.upper)).any() for b, a in pairs) > 50
    assert any(a.failed > b.failed for b, a in pairs) and any(np.isposinf(a.f).any() for _, a in pairs)
    assert {a.stop for _, a in pairs} == {0, 1, 2, 3, 4, 16}
    if variant == "clpso":
        assert sum((a.exemplar != b.exemplar).any() for b, a in pairs) > 50


def test_the_settings_see_populations_begin_anew_and_copies_dropped():
    pairs = seen("genetic")
    assert sum(a.fresh for _, a in pairs) > 10
    bred = [(b, a) for b, a in pairs if not b.fresh]
    held = sum(a.distinct and (b.x == point).all(1).any() for b, a in bred for point in a.trial)
    assert held > 50 and sum(np.isposinf(a.f).any() for _, a in bred) > 20
    assert {a.stop for _, a in pairs} == {0, 1, 2, 3, 4, 16}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_annealing_explores_however_small_the_budget(schedule):
    for budget in range(2, 12):
        setting = Setting("simulated_annealing", "", SMOOTH, {"schedule": schedule, "moves": 1}, {"max_evals": budget})
        *_, (_, after, points) = iterations(setting)
        assert after.own[0].first > 0.0
        assert ((points >= after.box.lower) & (points <= after.box.upper)).all()
