"""Proximal Newton for logistic regression with L1 and L2 penalties, two classes or more, dense or sparse.

newGLMNET (Yuan, Ho and Lin, JMLR 13 (2012) 1999): the loss is replaced by its quadratic model, coordinate descent
minimises model + penalty (kernels/data/quadratic_model.py), and a line search goes along the step. Only columns of a
working set take part: those with a coefficient, and of those whose slope is beyond l1 the worst, so many that the set
at most doubles (Massias, Gramfort and Salmon 2018). The end is told by the duality gap.

Of dense columns the model's Hessian is made, once per iteration (kernels/data/weighted_gram.py), if the working set is
not too large: a move of coordinate descent then costs its size and not n, and where columns are alike, Newton steps
over the support end what would take descent thousands of sweeps.
"""

from __future__ import annotations

import numpy as np

from ...kernels.compile.jit import parallel_region
from ...kernels.data.columns import by_columns
from ...kernels.data.quadratic_model import ColumnModel, GramModel, SoftmaxColumnModel, descend, moments
from ...kernels.data.rows import Dense
from ...kernels.data.weighted_gram import softmax_hessian
from .penalised_logistic import LinearFit, PenalisedLogistic

SUFFICIENT = 0.01  # of the decrease that the model promises (Yuan et al., eq. 20)
ACCURACY = {
    GramModel: 1e-4,
    ColumnModel: 0.1,
    SoftmaxColumnModel: 0.1,
}  # of the inner problem, beside the outer one's violation
SWEEPS = 1000
LEAST = 128  # columns of a working set, if there are so many
SHORTEST = 1e-10  # step
GRAM = 2000  # coefficients of dense columns for which a matrix is made
STALLS = 3  # steps by which the gap does not fall: rounding ends it
FLOOR, TINY = 1e-12, 1e-300  # of a curvature: beside what it was before the intercepts went, and at all


def proximal_newton(
    X, y, weights, l1: float, l2: float, *, fit_intercept: bool = True, start=None, tol: float = 1e-6,
    max_iter: int = 100,
) -> LinearFit:  # fmt: skip
    """Minimise sum_i weights_i f(x_i w + b, y_i) + l1 |w|_1 + l2 |w|^2 / 2.

    Parameters
    ----------
    X : Dense or Sparse
        n rows, p columns (kernels/data/rows.py).
    y : (n,) array of int
        Classes from 0 on; two have one row of coefficients, K > 2 have K.
    weights : (n,) array
        0 or more: C times the sample weights.
    l1, l2 : float
        0 or more, not both 0.
    fit_intercept : bool, default True
        The intercept is not penalised (liblinear's is).
    start : (K, p + 1) array, optional
        Where to begin, the intercepts last. Default: zeros, and the intercepts of the constant model.
    tol : float, default 1e-6
        Ends when the duality gap is at most this part of the constant model's loss.
    max_iter : int, default 100
        Newton steps.
    """
    problem = PenalisedLogistic(X, y, weights, l1, l2, fit_intercept, start)
    iteration, least, stalled = 0, np.inf, 0
    while True:
        problem.slopes()
        gap = problem.gap()
        stalled = 0 if gap < least else stalled + 1  # P falls, D is the best so far: only rounding keeps it up
        least = min(least, gap)
        if gap <= tol * problem.constant or iteration == max_iter or stalled == STALLS:
            break
        _step(problem)
        iteration += 1
    w = problem.w
    return LinearFit(w[:, :-1].copy(), w[:, -1].copy(), iteration, gap, bool(gap <= tol * problem.constant))


def _step(problem: PenalisedLogistic) -> None:
    """One Newton step."""
    active, violation = _working_set(problem)
    if isinstance(problem.X, Dense) and problem.K * active.size <= GRAM:
        model, (h, inverse) = _gram_model(problem, problem.X, active)
    else:
        model, (h, inverse) = _column_model(problem, active)
    old = problem.w[:, active]
    w = old.flatten()
    tol = max(ACCURACY[type(model)] * violation, 1e-15 * problem.constant)
    with parallel_region():
        descend(model, w, problem.l1, problem.l2, tol, SWEEPS)
    step = np.zeros_like(problem.w)
    step[:, active] = w.reshape(old.shape) - old
    step[:, -1] = -inverse @ (problem.g[:, -1] + step[:, active].ravel() @ h)
    _search(problem, step)


def _working_set(problem: PenalisedLogistic) -> tuple[np.ndarray, float]:
    """Columns that take part, ascending, and the largest violation of the conditions of a minimum."""
    w, g = problem.w[:, :-1], problem.g[:, :-1]
    toward = g + problem.l2 * w
    beyond = np.where(w != 0.0, np.abs(toward + problem.l1 * np.sign(w)), np.maximum(np.abs(toward) - problem.l1, 0.0))
    worst = beyond.max(axis=0)
    support = (w != 0.0).any(axis=0)
    limit = max(LEAST, int(support.sum()))
    others = np.flatnonzero((worst > 0.0) & ~support & problem.wanted)
    if others.size > limit:
        others = others[np.argsort(-worst[others], kind="stable")[:limit]]
    support[others] = True
    return np.flatnonzero(support), max(float(worst.max(initial=0.0)), float(np.abs(problem.g[:, -1]).max()))


def _gram_model(problem: PenalisedLogistic, X: Dense, active):
    """X' C X of the active columns, and the model that it makes once the intercepts are eliminated."""
    K, a = problem.K, active.size
    H = softmax_hessian(X.x, active, problem.s, problem.p)
    h = H[:, :a, :, a].reshape(K * a, K)
    inverse = _inverse(H[:, a, :, a], problem)
    M = h @ inverse
    H = np.ascontiguousarray(H[:, :a, :, :a].reshape(K * a, K * a))
    least = FLOOR * np.diag(H)
    H -= M @ h.T
    np.fill_diagonal(H, np.maximum(np.diag(H), least + TINY))
    q = problem.g[:, active].ravel() - M @ problem.g[:, -1]
    return GramModel(H, q, np.empty_like(H), np.empty(len(H), np.int64), np.empty(len(H))), (h, inverse)


def _column_model(problem: PenalisedLogistic, active):
    """The model that knows its Hessian by columns, and what eliminates the intercepts."""
    K, a = problem.K, active.size
    if problem.columns is None:
        problem.columns = by_columns(problem.X)
    weighted, others = problem.s * problem.p, 1.0 - problem.p
    h, diagonal, B = np.zeros((K, a, K)), np.empty((K, a)), np.zeros((K, K))
    sums, squares = np.empty(a), np.empty(a)
    for k in range(K):
        for m in range(K):
            c = weighted[k] * (others[k] if k == m else -problem.p[m])
            with parallel_region():
                moments(problem.columns, active, c, sums, squares)
            h[k, :, m], B[k, m] = sums, c.sum()
            if k == m:
                diagonal[k] = squares
    h, diagonal = h.reshape(K * a, K), diagonal.ravel()
    inverse = _inverse(B, problem)
    M = h @ inverse
    diagonal = np.maximum(diagonal - np.sum(M * h, axis=1), FLOOR * diagonal + TINY)
    g, t = problem.g[:, active].flatten(), problem.g[:, -1].copy()
    if K == 1:
        lines = np.zeros((problem.s.size, 2))
        np.multiply(weighted[0], others[0], out=lines[:, 0])
        c, r = lines.T
        model = ColumnModel(problem.columns, active, g, diagonal, c, r, h[:, 0].copy(), M[:, 0].copy(), t)
    else:
        lines = np.zeros((problem.s.size, 1 + 2 * K))
        lines[:, 0], lines[:, 1 : 1 + K] = problem.s, problem.p.T
        model = SoftmaxColumnModel(problem.columns, active, g, diagonal, lines, h, M, t)
    return model, (h, inverse)


def _inverse(B: np.ndarray, problem: PenalisedLogistic) -> np.ndarray:
    """Of the curvature in the intercepts; those of a softmax may all move by the same, hence the pseudo-inverse."""
    return np.linalg.pinv(B) if problem.fit_intercept else np.zeros_like(B)


def _search(problem: PenalisedLogistic, step: np.ndarray) -> None:
    """Halve the step until the objective falls by a part of what is promised, and go there; else stay."""
    along = np.empty_like(problem.z)
    problem.scores(step, along)
    penalty = problem.penalty(problem.w)
    value = problem.loss + penalty
    promised = float(np.sum(problem.g * step)) + problem.penalty(problem.w + step) - penalty
    problem.z += along
    t = 1.0
    while t > SHORTEST:
        loss = problem.update()
        if loss + problem.penalty(problem.w + t * step) - value <= SUFFICIENT * t * promised + 1e-15 * abs(value):
            problem.w += t * step
            problem.loss = loss
            return
        t *= 0.5
        along *= 0.5
        problem.z -= along
    problem.z -= along
    problem.loss = problem.update()
