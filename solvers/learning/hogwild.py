"""Hogwild!: stochastic gradient descent by all threads on one point, without locks. Not reproducible.

Niu, Recht, Re and Wright, NeurIPS 2011: the step is constant within an epoch and is multiplied by `decay` after it
(section 5: 0.9). Which of two steps at the same entry is lost hangs on the clock, so no two runs give the same bits,
not even with the same seed; the result says `reproducible: False`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from ...kernels.data.lock_free import NONE, steps_of_all
from ...kernels.data.passes import Passes
from ...kernels.data.rows import Sparse
from ...kernels.data.stochastic import shuffle
from ..contract import require


@dataclass(frozen=True, kw_only=True)
class Options:
    step: float = 0.01  # eta of the first epoch
    decay: float = 0.9  # by which it is multiplied after each
    gtol: float = 1e-5  # the largest entry of the gradient at which it has converged

    def __post_init__(self):
        require(self.step > 0, "step", self.step, "a number above 0")
        require(0 < self.decay <= 1, "decay", self.decay, "a factor in (0, 1]")
        require(self.gtol >= 0, "gtol", self.gtol, "a number that is not negative")


class Hogwild:
    """A run: `w` (D,) after each `epoch`, and the sum and its gradient there."""

    steps: int

    def __init__(self, passes: Passes, w: np.ndarray, options: Options, seed: int):
        source = passes.source
        self.passes, self.w, self.options, self.seed = passes, w.copy(), options, seed
        self.steps, self.eta, self.number = source.rows, options.step, 0
        self.order = np.arange(source.rows)
        self.threads = min(passes.data.threads, len(passes.scratch.values))
        self.failed = np.full(self.threads, NONE)
        self.shares = np.zeros(w.size)
        self.shares[: w.size - source.intercept] = source.l2
        if isinstance(source.X, Sparse):
            holding = np.bincount(source.X.columns, minlength=source.columns)
            self.shares[: source.columns] *= source.rows / np.maximum(holding, 1)
        self.advance = steps_of_all(passes.type, source.loss.linear)
        self._look()

    def _look(self) -> None:
        self.g = np.empty_like(self.w)
        self.value = self.passes.gradient(self.w, self.g)

    def epoch(self) -> None:
        """A step for each row, and a look at where they lead."""
        shuffle(self.order, self.seed, self.number)
        given = self.passes.record, self.w, self.shares, self.order, self.eta, self.threads, self.failed
        before = numba.get_num_threads()
        numba.set_num_threads(min(self.threads, before))
        try:
            self.advance(*given)
        finally:
            numba.set_num_threads(before)
        for row in self.failed[self.failed != NONE]:
            self.passes.source.loss_at(self.w, int(row))
            raise RuntimeError(f"the loss raised in row {row}, and not when it was called again in Python")
        self.number += 1
        self.eta *= self.options.decay
        self._look()


def begin(passes: Passes, w: np.ndarray, options: Options, seed: int) -> Hogwild:
    return Hogwild(passes, w, options, seed)
