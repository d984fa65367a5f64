"""Short runs by the thousand: a range of them in one compiled loop, records included.

The state before the first evaluation is made once, and copied there: a state made in Python costs 16 to 29 µs, a run of
200 evaluations 12. A run in a batch gives the bits that it gives alone."""

from __future__ import annotations

import time

import numpy as np

from ...kernels.calling.arguments import Packed
from ...kernels.calling.aside import Call
from ...kernels.calling.objective import CompiledObjective
from ...kernels.compile.structures import copied
from ...kernels.run import RAISED, RUN, STUCK
from ..contract import Solver
from . import drivers
from .running import check_end

SHORT = 0.01  # seconds: runs that take longer are carried out one by one
BATCH = 0.05  # seconds that a batch takes
LARGEST = 10_000  # runs
WORTH = 200  # runs: what the loop saves of fewer does not pay for loading it


class Batches:
    """Ranges of runs of one template state, on one thread."""

    def __init__(self, solver: Solver, template, objective: CompiledObjective, dtype: np.dtype):
        self.solver, self.template, self.objective, self.dtype = solver, template, objective, dtype
        self.state = copied(template)
        self.packed = objective.problem(), Packed(template), Packed(self.state)
        self.seconds = np.inf  # that a run takes, by the last ones
        self.used = False
        self.call: Call | None = None  # of machine code

    @property
    def at_work(self) -> bool:
        return self.call is not None and self.call.at_work

    def learn(self, seconds: float) -> None:
        """How long one run took."""
        self.seconds = seconds

    def size(self, left: int) -> int:
        """Runs of the next batch, of `left` that this thread may take; 0: they are too long for that."""
        if self.seconds > SHORT or left < (2 if self.used else WORTH):
            return 0
        return int(min(max(BATCH / max(self.seconds, 1e-7), 1), left, LARGEST))

    def run(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(rows of `result.run_dtype`, history of the best of them) of the runs from number `first` on.

        Fewer than `count` where one reached the target, which is then the last, or where the next one failed: its error
        is raised by `check_end`.
        """
        ended, points = np.empty(count, RUN), np.empty((count, len(self.template.run.best_x)))
        history = np.empty_like(self.template.run.history)
        advance_many = drivers.many(self.solver)
        self.used, begin = True, time.perf_counter()
        arguments = *self.packed, first, count, ended, points, history
        self.call = Call(advance_many, *arguments)
        done, best = self.call.result()
        self.call = None
        self.seconds = (time.perf_counter() - begin) / max(done, 1)
        done -= ended["stop"][done - 1] in (RAISED, STUCK)
        ended, points = ended[:done], points[:done]
        rows = np.empty(done, self.dtype)
        for name, source in (("run", "index"), ("fun", "best"), ("nfev", "evaluations"), ("nit", "iteration"),
                             ("n_failed", "failed"), ("stop", "stop"), ("spread", "spread")):  # fmt: skip
            rows[name] = ended[source]
        rows["seconds"], rows["x"] = self.seconds, points
        return rows, history[: ended["entries"][best]] if best < done else history[:0]

    def check_end(self) -> None:
        """Raise what ended the last run, if that was the objective, or a fault of the solver."""
        check_end(self.solver, self.state, self.objective)
