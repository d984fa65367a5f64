"""What SVRG and SAGA share: options, the length of steps, the state (kernels/data/reduced.py).

L is the largest Lipschitz constant of the gradient of one row's loss: c s_i |x_i|^2 + l2 in the linear form, c a bound
of the loss's second derivative, which the option `curvature` gives. Left out, c is the largest second derivative at the
start and at z = 0, over all rows: for squared errors and the logistic loss that is the bound; of a loss that is steeper
elsewhere it is none, and a step that is too long ends the run as diverged. The general form has no such rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kernels.compile.jit import with_entry
from ...kernels.compile.structures import filled
from ...kernels.data.passes import Passes
from ...kernels.data.reduced import SCALARS, Descent, remembering, steepest, steps_over
from ...kernels.data.rows import Sparse
from ...kernels.numbers.random import run_key
from ..contract import require

MOST_BYTES = 2**32  # that SAGA keeps of the general form


@dataclass(frozen=True, kw_only=True)
class ReducedOptions:
    """What both understand."""

    step: float | None = None  # eta; None: by the paper's rule from L
    curvature: float | None = None  # a bound of the second derivative of the loss by z, for that rule
    gtol: float = 1e-5  # the largest entry of the gradient at which it has converged

    def __post_init__(self):
        require(self.step is None or self.step > 0, "step", self.step, "a number above 0, or None")
        require(self.curvature is None or self.curvature > 0, "curvature", self.curvature, "a number above 0, or None")
        require(self.gtol >= 0, "gtol", self.gtol, "a number that is not negative")


class Reduced:
    """A run of one of the two: `w` (D,) after each `epoch`, and the sum and its gradient there.

    passes: over all rows, as they stand. learns: SAGA. rule: eta of L. steps: of an epoch.

    Raises
    ------
    ValueError, MemoryError
        Where no step is given and there is no rule; where SAGA would keep too much.
    """

    def __init__(self, passes: Passes, w: np.ndarray, options: ReducedOptions, seed: int, *, learns: bool, rule, steps):
        source, n, D = passes.source, passes.source.rows, w.size
        self.passes, self.linear, self.learns, self.steps = passes, source.loss.linear, learns, steps
        self.key, self.made = np.uint64(with_entry(run_key)(seed, 0)), 0
        kept = (n, D) if learns and not self.linear else (0, D)
        if 8 * n * D > MOST_BYTES and kept[0]:
            raise MemoryError(
                f"method: saga keeps a gradient for each row of a loss of (w, x, y), {8 * n * D / 2**30:.1f} GiB here; "
                f"use svrg, or a loss of (z, y), of which it keeps a number"
            )
        sparse, penalised = isinstance(source.X, Sparse), D - source.intercept
        own = filled(SCALARS, l2=source.l2, learns=int(learns), penalised=penalised)
        before = np.zeros(0 if learns or self.linear else D)
        self.state = Descent(
            w.copy(), before, np.zeros(D), np.zeros(n * self.linear), np.zeros(kept),
            np.zeros(source.columns * sparse, np.int64), own,
        )  # fmt: skip
        self.advance = steps_over(passes.type, self.linear)
        self.value, self.g = self._look()
        self._begin()
        own["eta"] = options.step or rule(self._lipschitz(options))

    @property
    def w(self) -> np.ndarray:
        return self.state.w

    def _lipschitz(self, options: ReducedOptions) -> float:
        source = self.passes.source
        if not self.linear:
            raise ValueError("step: got None with a loss of (w, x, y), expected a length; only losses of z have a rule")
        if options.curvature is None:
            self.passes.address("product")
        largest = steepest(self.passes.type)(self.passes.record, self.w, options.curvature or 0.0)
        if not 0.0 < largest + source.l2 < np.inf:
            raise ValueError("curvature: got None, and the second derivative of the loss is 0 or not finite; give step")
        return largest + source.l2

    def _look(self) -> tuple[float, np.ndarray]:
        g = np.empty_like(self.w)
        return self.passes.gradient(self.w, g), g

    def _begin(self) -> None:
        """What a block of steps begins with: gradients of all rows, and their mean, at w."""
        state = self.state
        penalised = slice(0, int(state.own["penalised"][0]))
        state.mean[:] = self.g
        state.mean[penalised] -= self.passes.source.l2 * state.w[penalised]
        state.before[:] = state.w[: state.before.size]
        if (self.linear or self.learns) and remembering(self.passes.type, self.linear)(self.passes.record, state):
            self.passes.replay(self.w)

    def epoch(self) -> None:
        """The steps of one epoch, and a look at where they lead."""
        if self.made and not self.learns:
            self._begin()
        first, self.made = self.made, self.made + self.steps
        if (failed := self.advance(self.passes.record, self.state, first, self.made, self.key)) >= 0:
            self.passes.source.loss_at(self.w, failed)
            raise RuntimeError(
                f"the loss raised an exception in row {failed}, and not when it was called again in Python"
            )
        self.value, self.g = self._look()
