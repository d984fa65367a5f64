"""The trust region around a point: what a step that a model proposes comes to, and the next radius.

Conn, Gould and Toint, Trust-Region Methods (2000), Algorithms 6.1.1 and 17.4.2; the radius after a bad step by the
parabola through the two values and the slope (Dennis and Schnabel, Numerical Methods for Unconstrained Optimization
(1983), section 6.4.3).

A method's state has x, g, step, trial, trial_g (D,), `own` with the fields below, box and run.
"""

import numpy as np

from ..compile.jit import inlined
from ..numbers.linear_algebra import EPSILON, dot
from ..run import (
    CONVERGED,
    GRADIENT_SMALL,
    LINE_SEARCH_FAILED,
    NO_DERIVATIVE,
    RUNNING,
    STEP_SMALL,
    UNBOUNDED,
    evaluate_gradient,
)
from .box import clip, inside, place_start, projected_gradient

FIELDS = {
    "f": "f8", "radius": "f8", "largest": "f8",
    "eta": "f8", "gtol": "f8", "xtol": "f8", "ftol": "f8",
    "known": "i8",  # 1: the model of this x is made, as the step before was refused
    "curved": "i8",  # 1: the last model had a negative curvature, or there was none yet
    "undefined": "i8",  # 1: the gradient at the last point that was refused was not finite
}  # fmt: skip
GOOD, BAD = 0.75, 0.25  # actual against predicted decrease: the radius may grow, must shrink (CGT 6.1.1)
GROW, SHRINK_LEAST, SHRINK_MOST = 2.0, 0.5, 0.1
NOISE = 10.0 * EPSILON  # relative; decreases that are less are not seen in the values (CGT 17.4.2)
BOTTOM = -1e300  # values below it fall without end


@inlined
def begin(problem, state):
    """Iteration 0: value and gradient where the run starts."""
    now, own = state.run.now[0], state.own[0]
    place_start(state.x, state.box, state.run)
    clip(state.x, state.box)
    own.f, own.curved = evaluate_gradient(problem, state.x, state.g, state.run), 1
    now.optimality = projected_gradient(state.x, state.g, state.box)
    if own.f == -np.inf:
        now.stop = UNBOUNDED
    elif not (own.f < np.inf and now.optimality == now.optimality):
        now.stop = NO_DERIVATIVE


@inlined
def is_minimum(state):
    """Whether the gradient is small where no negative curvature was seen: then the run has come to its end."""
    return state.run.now[0].optimality <= state.own[0].gtol and state.own[0].curved == 0


@inlined
def try_step(problem, state, decrease, at_edge):
    """Go to x + step if the value falls by enough of the `decrease` that the model predicts; the next radius."""
    now, own, x, g, step, trial = state.run.now[0], state.own[0], state.x, state.g, state.step, state.trial
    n, box = x.size, state.box
    if not decrease > 0.0:  # all variables are held, or rounding is all there is; or the model is not finite
        now.stop = STEP_SMALL if decrease <= 0.0 else NO_DERIVATIVE
        return
    for j in range(n):
        trial[j] = inside(x[j] + step[j], box.lower[j], box.upper[j])
    value = evaluate_gradient(problem, trial, state.trial_g, state.run)
    optimality = projected_gradient(trial, state.trial_g, box)
    own.undefined = 0
    if -np.inf < value < np.inf and optimality != optimality:
        own.undefined, value = 1, np.inf
    ratio = (own.f - value) / decrease
    if decrease <= NOISE * abs(own.f) and abs(own.f - value) <= NOISE * abs(own.f):
        if not optimality < 0.5 * now.optimality:
            now.stop = GRADIENT_SMALL if now.optimality <= own.gtol else STEP_SMALL
            return
        ratio = 1.0  # the values do not tell, the gradient does
    length = np.sqrt(dot(step, step, n))
    next_radius(own, ratio, value, dot(g, step, n), length, at_edge)
    if not ratio > own.eta:
        own.known = 1
        if length <= EPSILON * np.sqrt(dot(x, x, n)) or length < 1e-300:
            now.stop = NO_DERIVATIVE if own.undefined == 1 else LINE_SEARCH_FAILED
        return
    own.known, fallen, short = 0, own.f - value, True
    for j in range(n):
        short = short and abs(trial[j] - x[j]) <= own.xtol * (1.0 + abs(x[j]))
        x[j], g[j] = trial[j], state.trial_g[j]
    own.f, now.optimality = value, optimality
    if now.stop != RUNNING:
        pass
    elif value <= BOTTOM:
        now.stop = UNBOUNDED
    elif is_minimum(state):
        now.stop = GRADIENT_SMALL
    elif short and own.xtol > 0.0:
        now.stop = STEP_SMALL
    elif fallen <= own.ftol * (1.0 + abs(value)):
        now.stop = CONVERGED


@inlined
def next_radius(own, ratio, value, slope, length, at_edge):
    """Shorter after a bad step, longer after a good one that ended at the edge; slope: g's."""
    if not ratio >= BAD:
        bend = value - own.f - slope
        share = BAD if not value < np.inf else -0.5 * slope / bend if bend > 0.0 else SHRINK_LEAST
        own.radius = min(max(share, SHRINK_MOST), SHRINK_LEAST) * length
    elif ratio > GOOD and at_edge:
        own.radius = min(max(own.radius, GROW * length), own.largest)
