"""Ask and tell: a generation at a time where there are rows; else an iteration is carried out again with each value.

The state at the beginning of the iteration is kept. Its k-th evaluation gets the k-th value that was told; the first
one that was not told ends the iteration there, and its x is what is asked for. No thread, no coroutine: all of it is
arrays, and pickles. An iteration with k evaluations is begun k times, which its evaluations make up for.
"""

from __future__ import annotations

import numpy as np

from ...kernels.calling.arguments import Packed
from ...kernels.calling.asking import REPLAY, TOLD, Replay
from ...kernels.compile.structures import copied, filled
from ...kernels.run import RAISED
from ..contract import Solver
from . import drivers


class Generations:
    """A run of a method with rows; a generation is told at once."""

    def __init__(self, solver: Solver, state):
        self.solver, self.state, self.proposed = solver, state, False
        self.packed = Packed(state)

    def __reduce__(self):
        return _taken_up, (self.solver, self.state, self.proposed)  # addresses stay behind

    def ask(self) -> np.ndarray:
        """(n, D) the candidates of this generation."""
        count = int(self.state.rows[0].count)
        if not self.proposed:
            drivers.proposer(self.solver)(self.packed, 0, count)
            self.proposed = True
        return self.state.trial[:count].copy()

    def tell(self, values: np.ndarray) -> None:
        """values (n,)"""
        self.state.trial_f[: len(values)] = values
        drivers.concluder(self.solver)(self.packed)
        self.proposed = False


def _taken_up(solver: Solver, state, proposed: bool) -> Generations:
    run = Generations(solver, state)
    run.proposed = proposed
    return run


class Replayed:
    """A run whose values are told one by one."""

    def __init__(self, solver: Solver, state):
        self.solver = solver
        self.begun = state  # the state at the beginning of the iteration
        self.state = state  # the same with what was told since
        self.problem = Replay(np.zeros(8), filled(TOLD))
        self._go_on()

    def ask(self) -> np.ndarray:
        """(1, D) where a value is wanted."""
        return self.state.run.raised_x[None].copy()

    def tell(self, values: np.ndarray) -> None:
        """values (1,)"""
        now = self.problem.now[0]
        if now.told == len(self.problem.values):
            self.problem = self.problem._replace(values=np.concatenate([self.problem.values, np.zeros(now.told)]))
        self.problem.values[now.told] = values[0]
        now.told += 1
        self._go_on()

    def _go_on(self) -> None:
        """To the first evaluation that was not told, or to the end."""
        advance, now = drivers.serial(self.solver, REPLAY), self.problem.now[0]
        while True:
            self.state, now.next = copied(self.begun), 0
            advance(self.problem, self.state, 1)
            if self.state.run.now[0].stop == RAISED:
                return
            self.begun, now.told = self.state, 0
            if self.state.run.now[0].stop:
                return
