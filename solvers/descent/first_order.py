"""What the methods of one gradient and one update share: options, fields of the state, the iteration.

A method is its `update(problem, state, step)`, which moves state.x by what it makes of state.g, the gradient there. An
iteration is an update and the gradient at the point to which it leads; the first one begins with the gradient at x0. So
k iterations are the k steps of a textbook and k + 1 evaluations.

Bounds: after each update x is brought back to the nearest point of the box (projected gradients: Goldstein, Bull. AMS
70 (1964) 709; Levitin and Polyak, USSR Comput. Math. 6 (1966) 1). Values need not fall from step to step; the best
point is kept, and is the answer.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np

from ...kernels.compile.jit import inlined, part
from ...kernels.compile.structures import filled, record
from ...kernels.descent.box import clip, place_start, projected_gradient, start_of
from ...kernels.descent.schedules import SCHEDULES, STEPS, scheduled
from ...kernels.rows.population import make_box
from ...kernels.run import (
    DIVERGED,
    ENDED,
    GRADIENT_SMALL,
    NO_DERIVATIVE,
    UNBOUNDED,
    evaluate_gradient,
    make_run,
    spent,
)
from ..contract import Solver, require

FAR = 1e100  # values above FAR (1 + |f(x0)|): the steps are too long
BOTTOM = -1e300  # values below it: the objective has no minimum
AGREE = 1e-8  # a value within AGREE (1 + |best|) of the best is as good


@dataclass(frozen=True, kw_only=True)
class StepOptions:
    """What all of them understand."""

    step: float = 0.01  # the first, or the only, length
    schedule: str = "constant"  # how it falls: "1/t", "1/sqrt(t)", "exponential" by `rate` per step; "cosine" to 0
    rate: float = 0.01
    warm_up: int = 0  # steps in which the length rises to what the schedule says
    gtol: float = 1e-5  # the largest entry of the projected gradient at which it has converged (as SciPy's)

    def __post_init__(self):
        require(self.step > 0, "step", self.step, "a number above 0")
        require(self.schedule in SCHEDULES, "schedule", self.schedule, "one of " + ", ".join(SCHEDULES))
        require(self.rate >= 0, "rate", self.rate, "a number that is not negative")
        require(self.warm_up >= 0, "warm_up", self.warm_up, "a number of steps, 0 for none")
        require(self.gtol >= 0, "gtol", self.gtol, "a number that is not negative")

    def numbers(self) -> dict[str, Any]:
        """The options as fields of `own`."""
        return dataclasses.asdict(self) | {"schedule": SCHEDULES.index(self.schedule)}


def scalars(**more: str) -> np.dtype:
    """The record `own` of a state: what all of them have, and the method's own."""
    return record(**STEPS, gtol="f8", f="f8", **more)  # f: the value at x


def first_order(name: str, summary: str, Options, State, update) -> Solver:
    """A solver of its update: fields of State beside x, g, own, box and run are (D,) and begin at 0."""

    def init(domain, options, limits, key):
        (SCALARS,) = get_type_hints(State, include_extras=True)["own"].__metadata__
        own = filled(SCALARS, f=np.inf, **options.numbers())
        known = {"x": start_of(domain), "own": own, "box": make_box(domain)}
        known["run"] = make_run(domain.dimension, limits, key)
        return State(**{field: known.get(field, np.zeros(domain.dimension)) for field in State._fields})

    @inlined
    def iterate(problem, state):
        if state.run.now[0].iteration == 0:
            place_start(state.x, state.box, state.run)
            look(problem, state)
        if not spent(state.run):
            update(problem, state, scheduled(state.own[0], state.run))
            clip(state.x, state.box)
        if not spent(state.run):
            look(problem, state)

    return Solver(
        name, summary, Options, State, init, iterate=iterate, asks=frozenset({"value", "gradient"}), domain="real",
        integers=False, stands=stands,
    )  # fmt: skip


@inlined
def scale_of(g):
    """1/|g|, by which a gradient (D,) has length 1."""
    largest, total = 0.0, 0.0
    for j in range(g.size):
        largest = max(largest, abs(g[j]))
    for j in range(g.size):
        total += (g[j] / largest) ** 2
    return 1.0 / (largest * np.sqrt(total))


@part
def look(problem, state):
    """The value and the gradient at x, and whether this is an end.

    What is said of the gradient is said of the best point, as that is the answer: a small one elsewhere, on a saddle
    say, ends the run without success.
    """
    now, own = state.run.now[0], state.own[0]
    value = evaluate_gradient(problem, state.x, state.g, state.run)
    if now.raised == 1:
        return
    size = projected_gradient(state.x, state.g, state.box)
    now.spread = abs(value - own.f) if now.ftol >= 0.0 else np.inf
    own.f = value
    if value <= now.best:
        now.optimality = size
    if value < BOTTOM:
        now.stop = UNBOUNDED
    elif now.best < np.inf and not value < FAR * (1.0 + abs(now.best)):
        now.stop = DIVERGED
    elif size != size or value == np.inf:
        now.stop = NO_DERIVATIVE
    elif size <= own.gtol:
        now.stop = GRADIENT_SMALL if value - now.best <= AGREE * (1.0 + abs(now.best)) else ENDED


def stands(state) -> tuple[float, np.ndarray]:
    """The value where the method is, and the point."""
    return float(state.own["f"][0]), state.x
