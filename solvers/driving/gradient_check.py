"""`check=True`: whether the gradient that a user gives is that of the objective, before anything runs."""

from __future__ import annotations

import numpy as np

from ...kernels.reals import shortened

DIRECTIONS = 4  # random ones: every entry has its part in each of them
ASIDE = 0.01  # of 1 + |x|: the point is moved so far, off kinks, symmetries and zeros
STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # of central differences, times 1 + |x|
DOUBT = 10.0  # times the error of a difference, as seen from one of twice the step
PRECISION = 1e-9  # of a sum of products: differences are not trusted beyond


def check_gradient(bound, problem) -> None:
    """Compare the user's gradient with differences of the objective along random directions, near x0, or in the box.

    bound: the objective of the problem, with its derivatives. Nothing is done where the gradient is not the user's, or
    the objective is not finite there. Costs 16 evaluations, which do not count, and one gradient.

    Raises
    ------
    ValueError
        Naming the entry that is farthest off.
    """
    given = None if bound.derivatives is None else bound.derivatives.of.get("gradient")
    if given is None or given.how != "given":
        return
    lower, upper = problem.lower, problem.upper
    x = lower + 0.5772156649 * (upper - lower) if problem.x0 is None else problem.x0[0]
    random = np.random.default_rng(20261126)  # the same points in each call
    scale = 1.0 + np.abs(x)
    room = 4 * STEP * scale
    free = upper - lower > 2 * room  # the others cannot be moved
    aside = x + ASIDE * scale * random.uniform(-1.0, 1.0, len(x))
    point = np.where(free, np.clip(aside, lower + room, upper - room), x)
    gradient = given.function._evaluate(point)[-len(x) :]  # behind the value, where fun returns both
    along = random.choice([-1.0, 1.0], (DIRECTIONS, len(x))) * scale * free
    if not _off(gradient, bound, point, along).any():
        return
    axes = np.diag(scale * free)
    off = _off(gradient, bound, point, axes)
    if not off.any():
        return
    j = int(off.argmax())
    slope = _slopes(bound, point, axes[j : j + 1])[0][0] / scale[j]
    raise ValueError(
        f"jac: entry {j} is {gradient[j]:.6g} at x = {shortened(point.tolist())}, where differences of fun give "
        f"{slope:.6g}; expected the gradient of fun (leave jac out for an automatic one)"
    )


def _off(gradient, bound, point, along) -> np.ndarray:
    """(K,) by how much gradient times each direction is beyond what the differences leave open; 0: it agrees."""
    slopes, doubts = _slopes(bound, point, along)
    doubts += PRECISION * (np.abs(along) @ np.abs(gradient))
    beyond = np.abs(along @ gradient - slopes) - doubts
    return np.where(np.isfinite(slopes), np.where(np.isnan(beyond), np.inf, np.maximum(beyond, 0.0)), 0.0)


def _slopes(bound, point, along) -> tuple[np.ndarray, np.ndarray]:
    """(K,) differences along directions (K, D), and how far they may be wrong."""
    values = [bound.evaluate(point + h * STEP * along) for h in (1.0, -1.0, 2.0, -2.0)]
    with np.errstate(invalid="ignore", over="ignore"):
        slopes, coarse = (values[0] - values[1]) / (2 * STEP), (values[2] - values[3]) / (4 * STEP)
        noise = np.abs(values[0]) * np.finfo(np.float64).eps / STEP
        return slopes, DOUBT * (np.abs(slopes - coarse) + noise)
