"""Algorithms: options, state, init and row functions, one file a solver; and `minimize`, the door to all of them."""

from .minimize import minimize
from .optimizer import Optimizer
from .population import differential_evolution, jso, lshade, lsrtde, random_search
from .result import Result, StopReason

SOLVERS = {
    solver.name: solver
    for solver in (
        random_search.SOLVER,
        differential_evolution.SOLVER,
        lshade.SOLVER,
        jso.SOLVER,
        lsrtde.SOLVER,
    )
}

__all__ = ["SOLVERS", "Optimizer", "Result", "StopReason", "minimize"]
