"""Ask and tell: a generation at a time where there are rows; else an iteration is carried out again with each value.

The state at the beginning of the iteration is kept. Its k-th evaluation gets the k-th value that was told; the first
one that was not told ends the iteration there, and its x is what is asked for. No thread, no coroutine: all of it is
arrays, and pickles. An iteration with k evaluations is begun k times, which its evaluations make up for.
"""

from __future__ import annotations

import numpy as np

from ...kernels.calling.arguments import Packed
from ...kernels.calling.asking import REPLAY, TOLD, Replay
from ...kernels.compile.structures import copied, filled, leaves
from ...kernels.run import RAISED
from ..contract import Solver
from . import drivers
from .running import check_end


class Generations:
    """A run of a method with rows; a generation is told at once."""

    def __init__(self, solver: Solver, state):
        self.solver, self.state, self.proposed = solver, state, False
        self.packed, self.count = Packed(state), state.rows["count"]
        self.propose, self.conclude = drivers.ask_and_tell(solver)

    def __reduce__(self):
        return _taken_up, (self.solver, self.state, self.proposed)  # addresses stay behind

    def ask(self) -> np.ndarray:
        """(n, D) the candidates of this generation."""
        count = int(self.count[0])
        if not self.proposed:
            self.propose(self.packed, 0, count)
            self.proposed = True
        return self.state.trial[:count].copy()

    def tell(self, values: np.ndarray) -> None:
        """values (n,)"""
        self.state.trial_f[: len(values)] = values
        self.conclude(self.packed)
        self.proposed = False


def _taken_up(solver: Solver, state, proposed: bool) -> Generations:
    run = Generations(solver, state)
    run.proposed = proposed
    return run


class Replayed:
    """A run whose values are told one by one."""

    def __init__(self, solver: Solver, state, gradients: bool = False):
        self.begun, self.state = state, copied(state)  # at the beginning of the iteration; with what was told since
        size = len(state.run.best_x) if gradients else 0
        self.problem = Replay(np.zeros(8), np.zeros((8, size)), filled(TOLD))
        self._take_up(solver)
        self._go_on()

    def _take_up(self, solver: Solver) -> None:
        """What has addresses, or is compiled, and so is made anew in each process."""
        self.solver, self.advance = solver, drivers.serial(solver, REPLAY)
        for state in (self.begun, self.state):
            drivers.link(solver, state, REPLAY)
        self.packed = Packed(self.problem), Packed(self.state)
        self.pairs = [(here, there) for (_, here), (_, there) in zip(leaves(self.state), leaves(self.begun))]

    def __getstate__(self) -> tuple:
        return self.solver, self.begun, self.state, self.problem

    def __setstate__(self, saved: tuple) -> None:
        solver, self.begun, self.state, self.problem = saved
        self._take_up(solver)

    def ask(self) -> np.ndarray:
        """(1, D) where a value is wanted."""
        return self.state.run.raised_x[None].copy()

    def tell(self, values: np.ndarray, gradients: np.ndarray | None = None) -> None:
        """values (1,); gradients (1, D) of a method that asks for them"""
        told = int(self.problem.now["told"][0])
        if told == len(self.problem.values):  # room for twice as many
            longer = [np.concatenate([known, np.zeros_like(known)]) for known in self.problem[:2]]
            self.problem = self.problem._replace(values=longer[0], gradients=longer[1])
            self.packed = Packed(self.problem), self.packed[1]
        self.problem.values[told] = values[0]
        if gradients is not None:
            self.problem.gradients[told] = gradients[0]
        self.problem.now["told"] = told + 1
        self._go_on()

    def _go_on(self) -> None:
        """To the first evaluation that was not told, or to the end."""
        now, run = self.problem.now, self.state.run.now
        while True:
            for here, there in self.pairs:
                np.copyto(here, there)
            now["next"] = 0
            self.advance(*self.packed, 1)
            if run["stop"][0] == RAISED:
                return
            for here, there in self.pairs:
                np.copyto(there, here)
            now["told"] = 0
            if run["stop"][0]:
                check_end(self.solver, self.state, None)
                return
