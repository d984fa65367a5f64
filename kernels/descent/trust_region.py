"""The trust region around a point: what a step that a model proposes comes to, and the next radius.

Conn, Gould and Toint, Trust-Region Methods (2000), Algorithms 6.1.1 and 17.4.2; the radius after a bad step by the
parabola through the two values and the slope (Dennis and Schnabel, Numerical Methods for Unconstrained Optimization
(1983), section 6.4.3).

A method's state has `step` (D,), the fields below in `own`, and all that stepping.py needs.
"""

import numpy as np

from ..compile.jit import inlined
from ..numbers.linear_algebra import EPSILON, dot
from ..run import NO_DERIVATIVE, STEP_SMALL, evaluate_gradient
from . import stepping
from .box import inside, projected_gradient
from .stepping import give_up, is_hidden, move

FIELDS = {
    **stepping.FIELDS,
    "radius": "f8", "largest": "f8",
    "eta": "f8",  # a step is taken that brings this share of the predicted decrease
    "promised": "f8",  # the decrease that the first step from this x should have brought
    "known": "i8",  # 1: the model of this x is made, as the step before was refused
    "curved": "i8",  # 1: the model has a negative curvature
}  # fmt: skip
GOOD, BAD = 0.75, 0.25  # actual against predicted decrease: the radius may grow, must shrink (CGT 6.1.1)
GROW, SHRINK_LEAST, SHRINK_MOST = 2.0, 0.5, 0.1


@inlined
def try_step(problem, state, decrease, at_edge):
    """Go to x + step if the value falls by enough of the `decrease` that the model predicts; the next radius."""
    now, own, x, step, trial, box = state.run.now[0], state.own[0], state.x, state.step, state.trial, state.box
    n = x.size
    if not decrease > 0.0:  # all variables are held, or rounding is all there is; or the model is not finite
        now.stop = STEP_SMALL if decrease <= 0.0 else NO_DERIVATIVE
        return
    if own.known == 0:
        own.promised = decrease
    for j in range(n):
        trial[j] = inside(x[j] + step[j], box.lower[j], box.upper[j])
    value = evaluate_gradient(problem, trial, state.trial_g, state.run)
    optimality = projected_gradient(trial, state.trial_g, box)
    undefined = -np.inf < value < np.inf and optimality != optimality
    if undefined:
        value = np.inf
    ratio = (own.f - value) / decrease
    if is_hidden(own.f, value, decrease):
        if own.known == 1 or not optimality < 0.5 * now.optimality:
            give_up(state, own.promised, False)
            return
        ratio = 1.0  # the values do not tell, the gradient does
    length = np.sqrt(dot(step, step, n))
    next_radius(own, ratio, value, dot(state.g, step, n), length, at_edge)
    own.known = 0 if ratio > own.eta else 1
    if own.known == 0:
        move(state, value, optimality, own.curved == 1)
    elif length <= EPSILON * np.sqrt(dot(x, x, n)) or length < 1e-300:
        give_up(state, own.promised, undefined)


@inlined
def next_radius(own, ratio, value, slope, length, at_edge):
    """Shorter after a bad step, longer after a good one that ended at the edge; slope: g's."""
    if not ratio >= BAD:
        bend = value - own.f - slope
        share = BAD if not value < np.inf else -0.5 * slope / bend if bend > 0.0 else SHRINK_LEAST
        own.radius = min(max(share, SHRINK_MOST), SHRINK_LEAST) * length
    elif ratio > GOOD and at_edge:
        own.radius = min(max(own.radius, GROW * length), own.largest)
