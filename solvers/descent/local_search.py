"""A local search inside another method: which one it is, its state, and how it is carried out.

It is one of the local methods of the registry, whose machine code is called (kernels/nesting.py), or one of
kernels/descent/pattern.py, which need no derivatives and keep whole numbers whole."""

from __future__ import annotations

import dataclasses
from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.calling import asking
from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector, copied, filled, record
from ...kernels.descent.pattern import pattern_search, random_moves, value_of
from ...kernels.nesting import nested, nothing_of
from ...kernels.problem import is_told
from ...kernels.run import spent
from ..contract import UNLIMITED, Limits
from . import l_bfgs_b, nelder_mead
from .l_bfgs_b import LBfgsBState
from .nelder_mead import NelderMeadState

KINDS = ("none", "l_bfgs_b", "nelder_mead", "pattern", "hill_climbing")
NONE, L_BFGS_B, NELDER_MEAD, PATTERN, HILL_CLIMBING = range(5)
NESTS = ("local.l_bfgs_b", "local.nelder_mead")  # `Solver.nests` of a method whose state has a field `local`
LOCAL = record(
    kind="i8",
    moves="i8",  # evaluations of a search, at most
    step="f8", xtol="f8",  # shares of the unit: the first step of a search by values; the one at which it has converged
    lowest="f8", second="f8",  # the two lowest values that searches came to
)  # fmt: skip


class LocalSearch(NamedTuple):
    """The part of a state; of the nested solvers, all but the chosen one are empty."""

    own: Annotated[np.ndarray, LOCAL]
    unit: Vector  # (D,) of each variable: the width of its box, or 1
    room: Vector  # (D,)
    l_bfgs_b: LBfgsBState
    fresh_l_bfgs_b: LBfgsBState  # as each search begins
    nelder_mead: NelderMeadState
    fresh_nelder_mead: NelderMeadState


def kind_of(options, problem) -> str:
    """Which local search `options.local` means: one of KINDS."""
    if options.local == "auto":
        return "pattern" if problem.integrality.any() or is_told(problem) else "l_bfgs_b"
    if problem.integrality.any() and options.local in ("l_bfgs_b", "nelder_mead"):
        raise ValueError(f"local: got {options.local!r} for whole numbers, expected 'auto' or 'pattern'")
    return options.local


def may_ask(options, problem) -> frozenset[str]:
    return frozenset({"gradient"}) if kind_of(options, problem) == "l_bfgs_b" else frozenset()


def make_local(domain, kind: str, key, moves: int, step: float, xtol: float, iterations: int = 0) -> LocalSearch:
    """A local search of this kind; `iterations`: of l_bfgs_b, at most, 0: no limit."""
    lower, upper = domain.lower, domain.upper
    widths = upper - lower
    some = np.where(np.isfinite(lower), lower, np.where(np.isfinite(upper), upper, 0.0))  # each search has its own
    domain = dataclasses.replace(domain, x0=some, integrality=None)

    def inner(module):
        state = module.SOLVER.init(domain, module.Options(), Limits(UNLIMITED, max_iterations=iterations), key)
        return state if kind == module.SOLVER.name else nothing_of(state)

    quasi_newton, simplex = inner(l_bfgs_b), inner(nelder_mead)
    return LocalSearch(
        own=filled(LOCAL, kind=KINDS.index(kind), moves=moves, step=step, xtol=xtol, lowest=np.inf, second=np.inf),
        unit=np.where(np.isfinite(widths), widths, 1.0),
        room=np.zeros(domain.dimension),
        l_bfgs_b=quasi_newton,
        fresh_l_bfgs_b=copied(quasi_newton),
        nelder_mead=simplex,
        fresh_nelder_mead=copied(simplex),
    )


by_gradients = nested("l_bfgs_b", LBfgsBState)
by_simplex = nested("nelder_mead", NelderMeadState, nelder_mead.place)


@inlined
def descend(problem, x, local, box, run):
    """A local search from x (D,), which becomes the local minimum; its value. It takes one evaluation at least."""
    own, value = local.own[0], search(problem, x, local, box, run)
    if not spent(run):  # it was not cut short
        own.second = min(max(own.lowest, value), own.second)
        own.lowest = min(own.lowest, value)
    return value


@inlined
def measure_agreement(local, run):
    """run.spread: how far above the best so far the second of the local minima is.

    Where that is next to nothing, two searches came to the best value: what a success is of a method of such searches.
    """
    if local.own[0].second < np.inf:
        run.now[0].spread = local.own[0].second - run.now[0].best


@inlined
def search(problem, x, local, box, run):
    own, now = local.own[0], run.now[0]
    if own.kind == L_BFGS_B and now.max_evals - now.evaluations > asking.price(problem):
        return by_gradients(problem, local.l_bfgs_b, local.fresh_l_bfgs_b, x, own.moves, run)
    if own.kind == NELDER_MEAD:
        return by_simplex(problem, local.nelder_mead, local.fresh_nelder_mead, x, own.moves, run)
    until = now.evaluations + min(own.moves, now.max_evals - now.evaluations)
    value = value_of(problem, x, run)
    if own.kind == PATTERN:
        value = pattern_search(problem, x, value, local.room, own.step, own.xtol, local.unit, box, until, run)
    elif own.kind == HILL_CLIMBING:
        value = random_moves(problem, x, value, local.room, own.step, local.unit, box, until, run)
    return value
