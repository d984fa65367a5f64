"""SAGA for logistic regression with L1 and L2 penalties (kernels/data/linear_saga.py), one row a step.

It gains much in its first epochs; to a small gap, `proximal_newton` is faster on most data.
"""

from __future__ import annotations

import numpy as np

from ...kernels.data import linear_saga as steps
from ...kernels.data.rows import Dense
from .penalised_logistic import LinearFit, PenalisedLogistic

CHECK = 5  # epochs between two gaps


def linear_saga(
    X, y, weights, l1: float, l2: float, *, fit_intercept: bool = True, start=None, tol: float = 1e-6,
    max_iter: int = 1000, seed: int = 0,
) -> LinearFit:  # fmt: skip
    """Minimise sum_i weights_i f(x_i w + b, y_i) + l1 |w|_1 + l2 |w|^2 / 2; arguments as of `proximal_newton`.

    max_iter counts epochs of n steps, `seed` draws the rows. The step is 1 / (3 L) with L the largest curvature of a
    row's component (Defazio et al. 2014, theorem 1).
    """
    problem = PenalisedLogistic(X, y, weights, l1, l2, fit_intercept, start)
    n, (K, width) = problem.s.size, problem.w.shape
    average = problem.slopes()
    gap = problem.gap(leave_out=False)
    step = 1.0 / (3.0 * n * steepest(problem))
    r, z, seen = problem.r.T.copy(order="C"), np.empty(K), np.empty(width - 1, np.int64)
    average, number = average.copy(), 0
    while gap > tol * problem.constant and number < max_iter:
        steps.epoch(
            X, problem.y, problem.s, problem.w, average, r, z, seen, seed, number, step, l1, l2, fit_intercept
        )  # fmt: skip
        number += 1
        if number % CHECK == 0 or number == max_iter:
            problem.scores(problem.w, problem.z)
            problem.loss = problem.update()
            problem.slopes()
            gap = problem.gap(leave_out=False)
    w = problem.w
    return LinearFit(w[:, :-1].copy(), w[:, -1].copy(), number, gap, bool(gap <= tol * problem.constant))


def steepest(problem: PenalisedLogistic) -> float:
    """The largest curvature of a row's loss: s_i (|x_i|^2 + 1) / 4 for two classes, / 2 for more."""
    X = problem.X
    if isinstance(X, Dense):
        squares = np.einsum("ij,ij->i", X.x, X.x, dtype=np.float64)
    else:
        squares = np.zeros(problem.s.size)
        np.add.at(squares, np.repeat(np.arange(squares.size), np.diff(X.starts)), X.values.astype(np.float64) ** 2)
    return max(float(np.max(problem.s * (squares + problem.fit_intercept))), 1e-300) * (0.25 if problem.K == 1 else 0.5)
