"""What every method of residuals keeps: the point, its residuals and Jacobian, the gradient, and when it has converged.

The tests are those of MINPACK (Moré, Garbow and Hillstrom 1980), as SciPy's `least_squares` has them: a step that gains
less than ftol of the cost, a step shorter than xtol (xtol + |x|), a gradient below gtol. `own.status` says which.
"""

from typing import Annotated, NamedTuple

import numpy as np

from ..calling import asking
from ..calling.jacobians import loss
from ..compile.jit import inlined, part
from ..compile.structures import Matrix, Vector, filled, record
from ..run import (
    CONVERGED,
    GRADIENT_SMALL,
    NO_DERIVATIVE,
    STEP_SMALL,
    note_raised,
    note_value,
    raised,
)
from .losses import GIVEN, LINEAR, cost_of, measure, scaled_squares, weigh

FIT = record(
    cost="f8",  # at x
    loss="i8", scale="f8",  # of losses.py
    ftol="f8", xtol="f8", gtol="f8",  # 0: no such test
    jac_scale="i8",  # 1: variables are scaled by the columns of the Jacobian
    status="i8",  # 0: goes on; then SciPy's numbers, below
)  # fmt: skip
STATUS_GTOL, STATUS_FTOL, STATUS_XTOL, STATUS_BOTH = 1, 2, 3, 4


class Fit(NamedTuple):
    x: Vector  # (D,)
    r: Vector  # (M,) the residuals at x
    f: Vector  # (M,) weighted by the loss
    J: Matrix  # (M, D) the Jacobian at x, weighted by the loss
    g: Vector  # (D,) J'f, the gradient of the cost
    scale: Vector  # (D,) one over the scale of each variable
    trial: Vector  # (D,) where the next residuals are asked for
    trial_r: Vector  # (M,)
    z: Vector  # (M,) what the loss is taken of
    rho: Matrix  # (3, M)
    own: Annotated[np.ndarray, FIT]


def make_fit(domain, options) -> Fit:
    """A fit that has not begun. domain: a problem with `x0` (1, D), and `count`, the number M of residuals."""
    x, m = domain.x0[0].copy(), domain.count
    n = x.size
    scale = np.zeros(n) if options.x_scale is None else 1.0 / np.broadcast_to(options.x_scale, n)
    own = filled(
        FIT, cost=np.inf, loss=domain.loss, scale=domain.f_scale, ftol=options.ftol, xtol=options.xtol,
        gtol=options.gtol, jac_scale=options.x_scale is None,
    )  # fmt: skip
    vectors = {"r": m, "f": m, "g": n, "trial": n, "trial_r": m, "z": m}
    arrays = {name: np.zeros(size) for name, size in vectors.items()}
    rho = np.zeros((3, m if domain.loss != LINEAR else 0))
    return Fit(x=x, J=np.zeros((m, n)), scale=scale, rho=rho, own=own, **arrays)


@part
def measure_loss(problem, r, fit):
    """fit.z and fit.rho at the residuals r."""
    own = fit.own[0]
    scaled_squares(r, own.scale, fit.z)
    if own.loss == GIVEN:
        return loss(problem, fit.z, fit.rho)
    measure(own.loss, fit.z, fit.rho)
    return 0.0


@inlined
def cost_at(problem, x, r, fit):
    """The cost at x, with the residuals in r; the NaN of an exception where one was raised."""
    answer = asking.residuals(problem, x, r)
    if answer != answer or fit.own[0].loss == LINEAR:
        return answer if answer != answer else cost_of(r)
    answer = measure_loss(problem, r, fit)
    if answer != answer:
        return answer
    total = 0.0
    for i in range(r.size):
        total += fit.rho[0, i]
    return 0.5 * fit.own[0].scale * fit.own[0].scale * total


@part
def evaluate_cost(problem, x, r, fit, run):
    """As kernels/run.py's `evaluate`, of the cost of the residuals."""
    return note_value(cost_at(problem, x, r, fit), x, run)


@part
def linearise(problem, fit, run):
    """J, f and g at fit.x, whose residuals stand in fit.r. False: the run has stopped."""
    own, now = fit.own[0], run.now[0]
    answer = asking.residuals_and_jacobian(problem, fit.x, fit.r, fit.J)
    if not raised(answer):
        now.gradients += 1
        for i in range(fit.r.size):
            fit.f[i] = fit.r[i]
        if own.loss != LINEAR:
            answer = measure_loss(problem, fit.r, fit)
            weigh(fit.z, fit.rho, fit.f, fit.J)
    if raised(answer):
        note_raised(run, fit.x)
        return False
    if answer != answer:
        now.stop = NO_DERIVATIVE
        return False
    gradient(fit)
    for j in range(fit.g.size):
        if not abs(fit.g[j]) < np.inf:
            now.stop = NO_DERIVATIVE
            return False
    return True


@part
def gradient(fit):
    """g = J'f"""
    for j in range(fit.g.size):
        fit.g[j] = 0.0
    for i in range(fit.f.size):
        for j in range(fit.g.size):
            fit.g[j] += fit.J[i, j] * fit.f[i]


@part
def accept(fit, cost):
    """The trial becomes the point."""
    fit.own[0].cost = cost
    for j in range(fit.x.size):
        fit.x[j] = fit.trial[j]
    for i in range(fit.r.size):
        fit.r[i] = fit.trial_r[i]


@part
def scale_by_columns(fit):
    """Where variables are scaled by the Jacobian: the largest length that each column had so far."""
    if fit.own[0].jac_scale == 0:
        return
    for j in range(fit.x.size):
        total = 0.0
        for i in range(fit.r.size):
            total += fit.J[i, j] * fit.J[i, j]
        fit.scale[j] = max(fit.scale[j], np.sqrt(total))
        if fit.scale[j] == 0.0:
            fit.scale[j] = 1.0


@inlined
def converged_by(fit, run, status):
    """Note which test is met."""
    fit.own[0].status = status
    run.now[0].stop = GRADIENT_SMALL if status == STATUS_GTOL else STEP_SMALL if status == STATUS_XTOL else CONVERGED


@part
def gradient_test(fit, run, size):
    """Whether the size of the gradient ends the run."""
    run.now[0].optimality = size
    if size < fit.own[0].gtol or size == 0.0:
        converged_by(fit, run, STATUS_GTOL)
        return True
    return False


@part
def step_test(fit, run, gain, ratio, step, x_norm):
    """Whether a step ends the run: what it gained, by how much of what was foreseen, its length and that of x."""
    own = fit.own[0]
    by_gain = gain < own.ftol * own.cost and ratio > 0.25
    by_step = step < own.xtol * (own.xtol + x_norm)
    if by_gain or by_step:
        converged_by(fit, run, STATUS_BOTH if by_gain and by_step else STATUS_FTOL if by_gain else STATUS_XTOL)
    return by_gain or by_step


@inlined
def fit_region(radius, gain, foreseen, step, at_edge):
    """(the next radius, gain / foreseen) of a trust region (Conn, Gould and Toint 2000, algorithm 6.1.1)."""
    if foreseen > 0.0:
        ratio = gain / foreseen
    else:
        ratio = 1.0 if foreseen == 0.0 and gain == 0.0 else 0.0
    if ratio < 0.25:
        radius = 0.25 * step
    elif ratio > 0.75 and at_edge:
        radius *= 2.0
    return radius, ratio
