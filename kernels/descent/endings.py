"""How a method that goes from point to point by derivatives begins, moves, and sees that it is at its end.

Its state has x, g, trial, trial_g (D,), box, run, and `own` with the fields below.
"""

import numpy as np

from ..compile.jit import inlined
from ..numbers.linear_algebra import EPSILON
from ..run import CONVERGED, GRADIENT_SMALL, NO_DERIVATIVE, RUNNING, STEP_SMALL, UNBOUNDED, evaluate_gradient
from .box import clip, place_start, projected_gradient

FIELDS = {
    "f": "f8",  # the value at x
    "gtol": "f8", "xtol": "f8", "ftol": "f8",
}  # fmt: skip
NOISE = 10.0 * EPSILON  # relative; decreases that are less are not seen in the values (CGT 17.4.2)
BOTTOM = -1e300  # values below it fall without end


@inlined
def begin(problem, state):
    """Iteration 0: value and gradient where the run starts."""
    now, own = state.run.now[0], state.own[0]
    place_start(state.x, state.box, state.run)
    clip(state.x, state.box)
    own.f = evaluate_gradient(problem, state.x, state.g, state.run)
    now.optimality = projected_gradient(state.x, state.g, state.box)
    if own.f == -np.inf:
        now.stop = UNBOUNDED
    elif not (own.f < np.inf and now.optimality == now.optimality):
        now.stop = NO_DERIVATIVE


@inlined
def is_hidden(before, after, decrease):
    """Whether rounding hides if the value has fallen by the decrease that was foretold."""
    noise = NOISE * abs(before)
    return decrease <= noise and abs(before - after) <= noise


@inlined
def stay(state):
    """Rounding hides all progress: it has converged as far as doubles go."""
    now = state.run.now[0]
    now.stop = GRADIENT_SMALL if now.optimality <= state.own[0].gtol else STEP_SMALL


@inlined
def move(state, value, optimality, curved):
    """The trial becomes x; the stops. curved: the curvature may be negative here, so a small gradient is no end."""
    now, own, x, trial = state.run.now[0], state.own[0], state.x, state.trial
    fallen, short = own.f - value, own.xtol > 0.0
    for j in range(x.size):
        short = short and abs(trial[j] - x[j]) <= own.xtol * (1.0 + abs(x[j]))
        x[j], state.g[j] = trial[j], state.trial_g[j]
    own.f, now.optimality = value, optimality
    if now.stop != RUNNING:
        return
    if value <= BOTTOM:
        now.stop = UNBOUNDED
    elif optimality <= own.gtol and not curved:
        now.stop = GRADIENT_SMALL
    elif short:
        now.stop = STEP_SMALL
    elif fallen <= own.ftol * (1.0 + abs(value)):
        now.stop = CONVERGED
