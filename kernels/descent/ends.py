"""Where a method that goes down from point to point begins, and when it has converged.

x, g (D,)   the point and its gradient
"""

import numpy as np

from ..compile.jit import inlined
from ..run import CONVERGED, GRADIENT_SMALL, NO_DERIVATIVE, UNBOUNDED, evaluate_gradient
from .box import place_start, projected_gradient
from .line_search import BOTTOM, NOISE


@inlined
def look_at_start(problem, x, g, gtol, box, run):
    """The value where the method begins; x, g and the stop of the run are set."""
    now = run.now[0]
    place_start(x, box, run)
    value = evaluate_gradient(problem, x, g, run)
    now.optimality = projected_gradient(x, g, box)
    if value < BOTTOM:
        now.stop = UNBOUNDED
    elif not value < np.inf or now.optimality != now.optimality:
        now.stop = NO_DERIVATIVE
    elif now.optimality <= gtol:
        now.stop = GRADIENT_SMALL
    return value


@inlined
def look_at_step(x, g, before, value, gtol, ftol, box, run):
    """After a step: `optimality`, and a stop where it is small, or the value fell by ftol max(|before|, |value|, 1)."""
    now = run.now[0]
    now.optimality = projected_gradient(x, g, box)
    if now.optimality <= gtol:
        now.stop = GRADIENT_SMALL
        if value - now.best <= NOISE * abs(value):  # as good as the best: this is the answer
            now.best = value
            for j in range(x.size):
                run.best_x[j] = x[j]
    elif ftol >= 0.0 and before - value <= ftol * max(abs(before), max(abs(value), 1.0)):
        now.stop = CONVERGED


def gradient_at_best(state) -> dict:
    """`jac` of the result: the gradient, if the best point of the run is the one where it stands."""
    return {"jac": state.g.copy()} if (state.x == state.run.best_x).all() else {}
