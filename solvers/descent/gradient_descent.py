"""Gradient descent: x - a g, the step a fixed, by a schedule, or found on the ray at each iteration.

Cauchy, Comptes rendus 25 (1847) 536-538. Line searches go along the projected ray P(x - t g), which is the ray itself
where there are no bounds (kernels/descent/rays.py): Armijo's, Pacific J. Math. 16 (1966) 1, as Bertsekas projects it,
IEEE Trans. Autom. Control 21 (1976) 174; or exact, to the first minimum that doubling the step brackets. The normalised
step a g/|g| has length a whatever the slope (Shor's rule): a step that is too long on steep walls diverges without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np

from ...kernels.compile.jit import inlined
from ...kernels.compile.structures import Vector
from ...kernels.descent.rays import armijo_step, exact_step
from ...kernels.rows.population import Box
from ...kernels.run import Run
from ..contract import require
from .first_order import StepOptions, first_order, scalars, scale_of

LINE_SEARCHES = ("none", "armijo", "exact")
NONE, ARMIJO, EXACT = range(3)
SCALARS = scalars(line_search="i8", normalised="i8")


@dataclass(frozen=True, kw_only=True)
class Options(StepOptions):
    step: float | None = None  # type: ignore[assignment]  # None: 0.01, and 1 as the first trial of a line search
    line_search: str = "none"  # or "armijo", "exact"
    normalised: bool = False  # step along g/|g|

    def __post_init__(self):
        choices = ", ".join(LINE_SEARCHES)
        require(self.line_search in LINE_SEARCHES, "line_search", self.line_search, f"one of {choices}")
        if self.step is None:
            object.__setattr__(self, "step", 0.01 if self.line_search == "none" else 1.0)
        StepOptions.__post_init__(self)

    def numbers(self) -> dict[str, Any]:
        return StepOptions.numbers(self) | {"line_search": LINE_SEARCHES.index(self.line_search)}


class GradientDescentState(NamedTuple):
    x: Vector  # (D,)
    g: Vector  # (D,) the gradient at x
    trial: Vector  # (D,) a point of a line search
    trial_g: Vector  # (D,) and its gradient
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


@inlined
def update(problem, state, step):
    own, x, g = state.own[0], state.x, state.g
    if own.normalised == 1:
        step *= scale_of(g)
    if own.line_search == ARMIJO:
        step = armijo_step(problem, state, own.f, step)
    elif own.line_search == EXACT:
        step = exact_step(problem, state, own.f, step)
    for j in range(x.size):
        x[j] -= step * g[j]


SOLVER = first_order(
    "gradient_descent", "a step against the gradient: fixed, scheduled, or by line search", Options,
    GradientDescentState, update,
)  # fmt: skip
