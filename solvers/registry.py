"""Which solvers there are. A new one is its file and its line here; the tests run over this table."""

from __future__ import annotations

from ..kernels.calling.asking import QUESTIONS
from ..kernels.compile.structures import classes
from ..kernels.reals import shortened
from .annealing import dual_annealing, parallel_tempering, simulated_annealing
from .contract import Solver
from .descent import (
    adagrad,
    adam,
    adamw,
    bfgs,
    gradient_descent,
    l_bfgs_b,
    momentum,
    nelder_mead,
    nesterov,
    newton,
    newton_cg,
    nonlinear_cg,
    rmsprop,
    trust_exact,
)
from .neighbourhood import basin_hopping, tabu
from .partition import direct
from .population import (
    arrde,
    cma_es,
    cr_fm_nes,
    differential_evolution,
    genetic,
    jso,
    lshade,
    lsrtde,
    pso,
    random_search,
)
from .portfolio import portfolio

SOLVERS: dict[str, Solver] = {}
_state_classes: dict[str, type] = {}


def register(solver: Solver) -> Solver:
    """Add a solver, so that `minimize(method=solver.name)` and all else finds it.

    Raises
    ------
    TypeError
        If it is no Solver.
    ValueError
        If another solver has its name, or its state is made of a class whose name another class has: Numba tells named
        tuples apart by name and fields alone, and would take one for the other.
    """
    if not isinstance(solver, Solver):
        raise TypeError(f"solver: got {shortened(solver)}, expected a thalweg.solvers.Solver")
    before = SOLVERS.get(solver.name, solver)
    if before is not solver and before.State.__module__ == solver.State.__module__ == "__main__":
        del SOLVERS[solver.name]  # a cell of a notebook that is run again
        for name in classes(before.State).keys() & classes(solver.State).keys():
            if classes(before.State)[name].__module__ == "__main__":
                del _state_classes[name]
    elif before is not solver or solver.name == "auto":
        raise ValueError(f"solver: there is another one of the name {solver.name!r}; give this one a name of its own")
    if (solver.iterate is None) == (solver.rows is None):
        raise ValueError(f"solver {solver.name}: expected either `iterate` or `rows`")
    unknown = (solver.asks | solver.wishes) - set(QUESTIONS)
    if unknown:
        raise ValueError(
            f"solver {solver.name}: asks for {', '.join(sorted(unknown))}; there are {', '.join(QUESTIONS)}"
        )
    for name, kind in classes(solver.State).items():
        known = _state_classes.get(name, kind)
        if known is not kind:
            raise ValueError(
                f"solver {solver.name}: its state is made of a class {name}, the name of one in {known.__module__}; "
                f"call it by its solver's name"
            )
    _state_classes.update(classes(solver.State))
    SOLVERS[solver.name] = solver
    return solver


for _solver in (
    random_search.SOLVER,
    differential_evolution.SOLVER,
    lshade.SOLVER,
    jso.SOLVER,
    lsrtde.SOLVER,
    arrde.SOLVER,
    pso.SOLVER,
    genetic.SOLVER,
    cma_es.SOLVER,
    cr_fm_nes.SOLVER,
    nelder_mead.SOLVER,
    simulated_annealing.SOLVER,
    dual_annealing.SOLVER,
    parallel_tempering.SOLVER,
    basin_hopping.SOLVER,
    tabu.SOLVER,
    direct.SOLVER,
    gradient_descent.SOLVER,
    nonlinear_cg.SOLVER,
    momentum.SOLVER,
    nesterov.SOLVER,
    adagrad.SOLVER,
    rmsprop.SOLVER,
    adam.SOLVER,
    adamw.SOLVER,
    bfgs.SOLVER,
    l_bfgs_b.SOLVER,
    newton.SOLVER,
    newton_cg.SOLVER,
    trust_exact.SOLVER,
    portfolio.SOLVER,
):
    register(_solver)
