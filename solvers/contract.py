"""What a solver is: options, state, init, and one iteration.

A sequential method is one compiled function, `iterate(problem, state)`: one iteration as its paper writes it, with as
many evaluations as it takes, each made by `evaluate(problem, x, state.run)` (kernels/run.py). A method with rows gives
the parts of a generation instead, from which the drivers build the rest:
    propose(i, state)   for each row, in any order    the candidate of one row, in state.trial[i]
    (the candidates are evaluated: state.trial_f; failures and the best are noted)
    learn(state)        once                          what the generation teaches: memories, places in an archive
    select(i, state)    for each row, in any order    which points survive
    settle(state)       once                          ranks, the next size, how far the values agree
Generation 0, the initial sample, is proposed like every other.

A state is a NamedTuple that bears its solver's name, of arrays, records and other such tuples (compile/structures.py).
It is complete between iterations (that of a population also between rows): it is the checkpoint, what Dask ships and
what the GPU gets. Whatever hangs on the random numbers is drawn in compiled code, not in `init`: so one state serves as
the template of many runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Kernel = Callable[..., Any]
UNLIMITED = 2**62 - 1  # evaluations


@dataclass(frozen=True)
class Rows:
    """One generation of a population; all parts but `propose` may be left out.

    `learn` and `settle` are kernels that are carried out one after another: where one of them has a twin for a block of
    GPU threads (`rank`, `find_best`, `measure`), it stands by itself, so that the block does it together.
    """

    propose: Kernel
    learn: tuple[Kernel, ...] = ()
    select: Kernel | None = None
    settle: tuple[Kernel, ...] = ()
    draw: Kernel | None = None  # (start, stop, state): random numbers of these rows, made before they are proposed


@dataclass(frozen=True, eq=False)
class Solver:
    """A line of the registry. Its functions are kernels; it has either `iterate` or `rows`."""

    name: str
    summary: str
    Options: type[Any]
    State: type[Any]
    init: Callable[[Any, Any, Limits, Key], Any]  # (domain, options, limits, key) -> State
    iterate: Kernel | None = None
    rows: Rows | None = None
    asks: frozenset[str] = frozenset({"value"})  # of the problem: names in kernels/calling/asking.py
    may_ask: Callable[[Any, Any], frozenset[str]] | None = None  # options, problem -> what it asks for beside, by these
    wishes: frozenset[str] = frozenset()  # what it uses, too, where it can be had and the run is worth its compilation
    domain: str = "box"  # or "real": any bounds, or none where there is a point to begin with
    integers: bool = True  # whether variables may take whole numbers
    converges: bool = True  # False: nothing in the state comes to agree, so `ftol` has no meaning
    agrees: bool | None = None  # whether values that agree speak for the whole box; None: those of a population do, all
    # others are of one valley. True: they are of several searches; False: the population begins anew in another valley
    planned: bool = True  # by how long it may be; False: a longer run goes on from the end of a shorter one
    on_gpu: bool = True  # whether a GPU can carry it out, where it has rows
    place: Kernel | None = None  # (x, state): begin at x; where a state has a field x, that is it
    stands: Callable[[Any], tuple[float, np.ndarray]] | None = None  # state -> value, x: where it is, not at its best
    report: Callable[[Any], dict[str, Any]] | None = None  # state -> items of the result: jac, hess_inv ...
    points: Kernel | None = None  # state -> rows of x: the populations that islands exchange points of; None: none
    nests: tuple[str, ...] = ()  # where in its state those of the solvers are whose machine code it calls: "local.bfgs"
    calls_nested: Kernel | None = (
        None  # state -> whether it must be linked now: where that can be late, by `own.unlinked`
    )

    @property
    def speaks_for_the_box(self) -> bool:
        """Whether it is done where its values agree."""
        return self.points is not None if self.agrees is None else self.agrees

    @property
    def local(self) -> bool:
        """Whether it goes from one point to the next until it can go no further."""
        return self.rows is None and not self.planned and self.converges and not self.integers

    def __reduce__(self) -> tuple[Any, ...]:
        return solver_named, (self.name, self.State.__module__)  # its kernels are compiled, or loaded, where it arrives


def asked_by(solver: Solver, options, problem) -> frozenset[str]:
    """What a solver asks of a problem."""
    return solver.asks if solver.may_ask is None else solver.asks | solver.may_ask(options, problem)


def solver_named(name: str, module: str) -> Solver:
    from .registry import SOLVERS

    if name not in SOLVERS:
        if module != "__main__":
            importlib.import_module(module)  # a solver of another package: it is registered there
        if name not in SOLVERS:
            raise RuntimeError(f"solver {name!r} is not registered in this process; define it in a module of its own")
    return SOLVERS[name]


class Key(NamedTuple):
    """What the random numbers of a run hang on."""

    seed: int  # 64 bits
    run: int


@dataclass(frozen=True)
class Limits:
    """The stops that are kept inside compiled code, so that they do not depend on how a run is cut into chunks."""

    max_evals: int
    target: float = -np.inf
    ftol: float = -1.0  # spread of the values <= ftol * (1 + |best|); negative: no such stop
    patience: int = 0  # iterations without improvement; 0: no such stop
    max_iterations: int = 0  # 0: no such stop

    @property
    def budget(self) -> int | None:
        """Evaluations of a run, at most; None where only its iterations are limited."""
        return None if self.max_evals == UNLIMITED else self.max_evals


def require(condition: bool, name: str, got, expected: str) -> None:
    """ValueError that names the option, what was given and what is expected."""
    if not condition:
        raise ValueError(f"{name}: got {got!r}, expected {expected}")
