"""Losses of one row, and their slopes: `loss_of(loss, epsilon, z, y)`, z the model's value, y the target or label +-1.

    hinge                       max(0, 1 - y z)
    perceptron                  max(0, -y z)
    squared hinge               max(0, 1 - y z)^2
    modified huber              max(0, 1 - y z)^2, -4 y z below -1     Zhang, ICML 2004
    logistic                    log(1 + exp(-y z))
    squared error               (z - y)^2 / 2
    huber                       the same within epsilon, then epsilon |z - y| - epsilon^2 / 2
    epsilon insensitive         max(0, |z - y| - epsilon)
    squared epsilon insensitive its square

Where there is a kink, the slope is that of the side that is not flat, as scikit-learn has it.
"""

from __future__ import annotations

from ..compile.jit import inlined
from ..numbers.elementary import exp, log1p

LOSSES = ("hinge", "perceptron", "squared_hinge", "modified_huber", "log_loss", "squared_error", "huber",
          "epsilon_insensitive", "squared_epsilon_insensitive")  # fmt: skip
(HINGE, PERCEPTRON, SQUARED_HINGE, MODIFIED_HUBER, LOGISTIC, SQUARED_ERROR, HUBER, INSENSITIVE,
 SQUARED_INSENSITIVE) = range(9)  # fmt: skip


@inlined
def loss_of(loss, epsilon, z, y):
    """(value, slope) by z."""
    if loss == LOGISTIC:
        e = exp(-abs(z))
        share = (e if y * z > 0.0 else 1.0) / (1.0 + e)  # 1 / (1 + exp(y z))
        return log1p(e) + max(0.0, -y * z), -y * share
    if loss == SQUARED_ERROR:
        return 0.5 * (z - y) * (z - y), z - y
    if loss <= MODIFIED_HUBER:
        return of_margin(loss, y * z, y)
    return of_residual(loss, epsilon, z - y)


@inlined
def of_margin(loss, margin, y):
    short = (0.0 if loss == PERCEPTRON else 1.0) - margin
    if short < 0.0 or (short == 0.0 and loss >= SQUARED_HINGE):
        return 0.0, 0.0
    if loss < SQUARED_HINGE:
        return short, -y
    if loss == MODIFIED_HUBER and margin < -1.0:
        return -4.0 * margin, -4.0 * y
    return short * short, -2.0 * y * short


@inlined
def of_residual(loss, epsilon, r):
    size, sign = abs(r), 1.0 if r > 0.0 else -1.0
    if loss == HUBER:
        if size <= epsilon:
            return 0.5 * r * r, r
        return epsilon * size - 0.5 * epsilon * epsilon, epsilon * sign
    beyond = size - epsilon
    if beyond <= 0.0:
        return 0.0, 0.0
    if loss == INSENSITIVE:
        return beyond, sign
    return beyond * beyond, 2.0 * beyond * sign
