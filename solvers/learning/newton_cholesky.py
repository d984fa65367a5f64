"""Newton's method with Cholesky's factors for sums over many rows, where the coefficients are few.

A Hessian costs as much as p gradients, but so many rows say much the same. So
- the first iterations are over every k-th row alone, which brings w as close as such a sample can tell, and
- the Hessian of such rows serves over all rows, too: its inverse is kept, and each step corrects it by the BFGS formula
  (Nocedal and Wright, Numerical Optimization, 2nd ed., 6.17). Where that brings the gradient down too little, the
  Hessian of all rows takes its place (sub-sampled Newton: Bollapragada, Byrd and Nocedal, IMA J. Numer. Anal. 39 (2019)
  545-578).
With few rows k is 1, and this is Newton's method with a kept Hessian. Measured on 100,000 x 100: 4 to 11 passes over
all rows to a gradient of 1e-10, and no Hessian of all rows; Newton's method alone takes 5 to 6 of these.

The objective is convex, so a step along a descent direction is shortened until the value falls enough (Armijo), and
that is safe on separable classes, where w grows until the gradient is below the tolerance.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import prange

from ...kernels.compile.jit import kernel, parallel_region
from ...kernels.descent.inverse_hessian import step_of_newton, update_inverse
from ...kernels.numbers.linear_algebra import cholesky, dot, solve_lower, solve_lower_transposed

SAMPLE = 60  # rows for each coefficient: the Hessian is known to about a quarter
WORTH = 4  # k, at least
NEARER = 1e-3  # by how much the gradient falls over the sample
SLOW = 0.5  # of the gradient that an iteration leaves: more, and the Hessian is made anew
CHEAP = 12  # coefficients: the Hessian of fewer costs less than a pass, and is made anew for each step
ARMIJO = 1e-4
SHORTEST = 1e-9  # step
ROUNDING = 64 * np.finfo(np.float64).eps  # of the value: what a step promises below it cannot be seen
SOUND = 1e-12  # of the diagonal: a smaller pivot is one of rounding
FLAT = 1e-12  # of |s| |y|: a curvature below it is one of rounding


class Descent(NamedTuple):
    """Where a method ended."""

    w: np.ndarray
    value: float
    largest: float  # entry of the gradient
    iterations: int
    converged: bool


class Point(NamedTuple):
    w: np.ndarray
    value: float
    g: np.ndarray

    @property
    def largest(self) -> float:
        """Entry of the gradient."""
        return float(np.abs(self.g).max())


def at(objective: Any, w: np.ndarray) -> Point:
    return Point(w, *objective.value_and_gradient(w))


def newton_cholesky(objective: Any, w: np.ndarray, tol: float, max_iter: int) -> Descent:
    """From w until no entry of the gradient is larger than tol, in at most max_iter iterations over all rows.

    `objective` as in logistic_sum.py: value_and_gradient(w), at_zero, hessian(step), part(step), rows, size.
    """
    k = objective.rows // (SAMPLE * objective.size)
    if k < WORTH:
        return descend(objective, at(objective, w), tol, max_iter, 1)
    if not w.any():
        part = objective.part(k)
        start = at(part, w)
        start = at(objective, descend(part, start, max(tol, NEARER * start.largest), max_iter, 1).w)
        if start.value < objective.at_zero:
            return descend(objective, start, tol, max_iter, k)
    return descend(objective, at(objective, w), tol, max_iter, k)


def descend(objective: Any, now: Point, tol: float, max_iter: int, k: int) -> Descent:
    """Newton's steps with the Hessian of every k-th row, later of all."""
    inverse, age = None, 0
    for iteration in range(max_iter):
        if now.largest <= tol:
            return Descent(now.w, now.value, now.largest, iteration, True)
        if inverse is None:
            inverse, age = inverse_of(objective.hessian(k)), 0
        found = search(objective, now, inverse)
        if found is None and (age > 0 or k > 1):  # a matrix that is far off: that of this point, and of all rows
            at(objective, now.w)
            k, age = 1, 0
            inverse = inverse_of(objective.hessian())
            found = search(objective, now, inverse)
        if found is None or found is now:  # nothing is lower, or nothing that doubles could tell
            return Descent(now.w, now.value, now.largest, iteration, found is now)
        correct(inverse, found.w - now.w, found.g - now.g)
        slow, now, age = found.largest > SLOW * now.largest, found, age + 1
        if objective.size < CHEAP or (slow and age > 1):  # the first correction is yet to come where age is 1
            k, inverse = 1 if age <= 3 else k, None
    return Descent(now.w, now.value, now.largest, max_iter, now.largest <= tol)


def search(objective: Any, now: Point, inverse: np.ndarray) -> Point | None:
    """The next point; None: none is lower. `now` itself: none that a double could tell from it."""
    direction = np.empty_like(now.g)
    slope = choose(inverse, now.g, direction)
    step, seen = 1.0, ROUNDING * abs(now.value)
    while slope < 0.0 and step > SHORTEST:
        new = at(objective, now.w + step * direction)
        if new.value <= now.value + ARMIJO * step * slope:
            return new
        if -slope <= seen:  # the value is as good as the same: the gradient tells
            return new if new.largest < now.largest else now
        step *= 0.5
    return now if 0.0 <= -slope <= seen else None


def inverse_of(H: np.ndarray) -> np.ndarray:
    """The inverse of a matrix that is positive definite, or all but: then of one that is a little larger.

    H is overwritten. The variables are scaled to a diagonal of ones. In plain loops: LAPACK's threads wait for each
    other actively, and a matrix of 100 x 100 took them 1 s beside busy neighbours.
    """
    diagonal = np.diag(H).copy()
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    H *= scale
    H *= scale[:, None]
    damping, places, factor, inverse = 0.0, np.diag_indices(len(H)), np.empty_like(H), np.empty_like(H)
    while True:
        factor[:] = H
        factor[places] = 1.0 + damping
        if factorise(factor) and factor[places].min() ** 2 > SOUND:
            break
        damping = max(SOUND, 100.0 * damping)
    with parallel_region():
        invert(factor, inverse)
    inverse *= scale
    inverse *= scale[:, None]
    return inverse


@kernel
def factorise(a):
    return cholesky(a, len(a))


@kernel(parallel=True)
def invert(factor, inverse):
    """inverse (n, n) of L L', L being the lower triangle of factor: a solution for each unit vector."""
    n = len(factor)
    for i in prange(n):
        unit = inverse[i]
        unit[:] = 0.0
        unit[i] = 1.0
        solve_lower(factor, unit, n)
        solve_lower_transposed(factor, unit, n)


@kernel
def choose(inverse, g, direction):
    """direction = -inverse g; the slope along it."""
    step_of_newton(inverse, g, direction)
    return dot(g, direction, g.size)


@kernel
def correct(inverse, s, y):
    """The nearest matrix that takes y, the change of the gradient, to s, the step, where the objective curves."""
    n = s.size
    curvature = dot(s, y, n)
    if curvature > FLAT * np.sqrt(dot(s, s, n) * dot(y, y, n)):
        update_inverse(inverse, s, y, curvature, np.empty(n))
