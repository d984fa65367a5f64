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


def newton_cholesky(objective: Any, w: np.ndarray, tol: float, max_iter: int) -> Descent:
    """From w until no entry of the gradient is larger than tol, in at most max_iter iterations over all rows.

    `objective` as in logistic_sum.py: value_and_gradient(w), hessian(step), part(step), rows, size.
    """
    k = max(1, objective.rows // (SAMPLE * objective.size))
    k = k if k >= WORTH else 1
    if k > 1 and not w.any():
        part = objective.part(k)
        start = float(np.abs(part.value_and_gradient(w)[1]).max())
        found = _descend(part, w, max(tol, NEARER * start), max_iter, 1)
        sample, whole = found.w, objective.value_and_gradient(w)[0]
        if objective.value_and_gradient(sample)[0] < whole:
            w = sample
    return _descend(objective, w, tol, max_iter, k)


def _descend(objective: Any, w: np.ndarray, tol: float, max_iter: int, k: int) -> Descent:
    """Newton's steps with the Hessian of every k-th row, later of all."""
    value, g = objective.value_and_gradient(w)
    largest, inverse, fresh = float(np.abs(g).max()), None, False
    for iteration in range(max_iter):
        if largest <= tol:
            return Descent(w, value, largest, iteration, True)
        if inverse is None:
            inverse, fresh = inverse_of(objective.hessian(k)), True
        direction = np.empty_like(g)
        slope = choose(inverse, g, direction)
        step, new, new_value, new_g = 1.0, w, value, g
        while True:
            new = w + step * direction
            new_value, new_g = objective.value_and_gradient(new)
            smaller = float(np.abs(new_g).max())
            if new_value <= value + ARMIJO * step * slope:
                break
            if -step * slope <= ROUNDING * abs(value) and smaller < largest:
                break
            step *= 0.5
            if step < SHORTEST or not -slope > 0.0:
                break
        if step < SHORTEST or not -slope > 0.0:
            if -slope <= ROUNDING * abs(value):
                return Descent(w, value, largest, iteration, True)
            if fresh and k == 1:
                return Descent(w, value, largest, iteration, False)
            objective.value_and_gradient(w)
            inverse, k = None, 1
            continue
        before, largest = largest, smaller
        correct(inverse, new - w, new_g - g)
        w, value, g, fresh = new, new_value, new_g, False
        if largest > SLOW * before:
            inverse, k = None, 1
    return Descent(w, value, largest, max_iter, largest <= tol)


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
