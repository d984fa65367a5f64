"""FISTA for logistic regression with L1 and L2 penalties.

Beck and Teboulle, SIAM J. Imaging Sci. 2 (2009) 183, with backtracking: L grows until the quadratic with curvature L
lies above the loss. The momentum is forgotten where it leads uphill (the gradient scheme of O'Donoghue and Candes,
Found. Comput. Math. 15 (2015) 715). Scores are linear in the coefficients, so those of the extrapolated point cost no
pass over the data: an iteration is one product with X and one with X'.

Its rate hangs on the condition of the data: `proximal_newton` takes fewer passes, by far where columns are alike or
have different scales.
"""

from __future__ import annotations

import numpy as np

from .penalised_logistic import LinearFit, PenalisedLogistic

GROWTH = 2.0  # of L, where it was too small
EASING = 0.9  # of L, after each iteration: it may have been larger than here
CHECK = 10  # iterations between two gaps


def fista(
    X, y, weights, l1: float, l2: float, *, fit_intercept: bool = True, start=None, tol: float = 1e-6,
    max_iter: int = 10_000,
) -> LinearFit:  # fmt: skip
    """Minimise sum_i weights_i f(x_i w + b, y_i) + l1 |w|_1 + l2 |w|^2 / 2; arguments as of `proximal_newton`."""
    problem = PenalisedLogistic(X, y, weights, l1, l2, fit_intercept, start)
    g = problem.slopes()
    gap = problem.gap(leave_out=False)
    x, z = problem.w.copy(), problem.z.copy()
    ahead, z_ahead = x.copy(), z.copy()  # y of the paper
    new_z = np.empty_like(z)
    L, t, iteration = first_curvature(problem, g), 1.0, 0
    while gap > tol * problem.constant and iteration < max_iter:
        iteration += 1
        problem.z[:] = z_ahead
        loss = problem.update()
        g = problem.slopes()
        while True:
            new = proximal_step(problem, ahead, g, L)
            step = new - ahead
            problem.scores(new, new_z)
            problem.z[:] = new_z
            new_loss = problem.update()
            above = loss + float(np.sum(g * step)) + 0.5 * L * float(np.sum(step * step))  # (2.5)
            if new_loss <= above + 1e-14 * abs(loss):
                break
            L *= GROWTH
        new_t = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))  # (4.2)
        momentum = (t - 1.0) / new_t
        if float(np.sum((ahead - new) * (new - x))) > 0.0:
            momentum, new_t = 0.0, 1.0
        ahead = new + momentum * (new - x)  # (4.3)
        z_ahead = new_z + momentum * (new_z - z)
        x, t, L = new, new_t, EASING * L
        z, new_z = new_z, z
        if iteration % CHECK == 0 or iteration == max_iter:
            problem.w, problem.loss = x, new_loss
            problem.slopes()
            gap = problem.gap(leave_out=False)
    return LinearFit(x[:, :-1].copy(), x[:, -1].copy(), iteration, gap, bool(gap <= tol * problem.constant))


def proximal_step(problem: PenalisedLogistic, w: np.ndarray, g: np.ndarray, L: float) -> np.ndarray:
    """The minimum of the loss's quadratic at w with curvature L, and the penalty: p_L of the paper, (2.6)."""
    new = w - g / L
    c = new[:, :-1]
    new[:, :-1] = np.sign(c) * np.maximum(np.abs(c) - problem.l1 / L, 0.0) / (1.0 + problem.l2 / L)
    return new


def first_curvature(problem: PenalisedLogistic, g: np.ndarray) -> float:
    """A curvature of the loss to begin with: along its slopes, where p = 1/2."""
    along = np.empty_like(problem.z)
    problem.scores(g, along)
    return 0.25 * float(np.sum(problem.s * along * along)) / max(float(np.sum(g * g)), 1e-300) + 1e-300
