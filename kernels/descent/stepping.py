"""The move to a point that is good enough, or the end where there is none: of methods with exact second derivatives.

Their state has x, g, trial, trial_g (D,), box, run, and `own` with the fields below.
"""

from ..compile.jit import inlined
from ..numbers.linear_algebra import EPSILON
from ..run import CONVERGED, GRADIENT_SMALL, LINE_SEARCH_FAILED, NO_DERIVATIVE, RUNNING, STEP_SMALL, UNBOUNDED

FIELDS = {
    "f": "f8",  # the value at x
    "gtol": "f8", "xtol": "f8", "ftol": "f8",
}  # fmt: skip
NOISE = 10.0 * EPSILON  # relative; decreases that are less are not seen in the values (Conn, Gould and Toint, 17.4.2)
UNSEEN = 1e-10  # relative; where a model promises less and no step keeps it, rounding is the likely cause
BOTTOM = -1e100  # values below it fall without end; squares of what leads there are still finite


@inlined
def is_hidden(before, after, decrease):
    """Whether rounding hides if the value has fallen by the decrease that was foretold."""
    noise = NOISE * abs(before)
    return decrease <= noise and abs(before - after) <= noise


@inlined
def stand(state):
    """x is the best point also where rounding makes another one equal or lower: its gradient is the smaller one."""
    now, own = state.run.now[0], state.own[0]
    if 0.0 <= own.f - now.best <= NOISE * abs(own.f):
        now.best = own.f
        for j in range(state.x.size):
            state.run.best_x[j] = state.x[j]


@inlined
def move(state, value, optimality, curved):
    """The trial becomes x; the stops. curved: the curvature may be negative here, so a small gradient is no end."""
    now, own, x, trial = state.run.now[0], state.own[0], state.x, state.trial
    fallen, short = own.f - value, own.xtol > 0.0
    for j in range(x.size):
        short = short and abs(trial[j] - x[j]) <= own.xtol * (1.0 + abs(x[j]))
        x[j], state.g[j] = trial[j], state.trial_g[j]
    own.f, now.optimality = value, optimality
    stand(state)
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


@inlined
def give_up(state, promised, undefined):
    """No step makes the value less. promised: the decrease that the whole step should have brought.

    Where that is next to nothing, it has converged as far as doubles go; else a derivative is wrong, or undefined.
    """
    now, own = state.run.now[0], state.own[0]
    stand(state)
    if now.optimality <= own.gtol:
        now.stop = GRADIENT_SMALL
    elif undefined:
        now.stop = NO_DERIVATIVE
    else:
        now.stop = STEP_SMALL if promised <= UNSEEN * abs(own.f) else LINE_SEARCH_FAILED
