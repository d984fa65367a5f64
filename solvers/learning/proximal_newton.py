"""Proximal Newton for logistic regression with L1 and L2 penalties, two classes or more, dense or sparse.

newGLMNET (Yuan, Ho and Lin, JMLR 13 (2012) 1999): the loss is replaced by its quadratic model, coordinate descent
minimises model + penalty (kernels/data/quadratic_model.py), and a line search goes along the step. Only columns of a
working set take part: those with a coefficient, and of those whose slope is beyond l1 the worst, so many that the set
at most doubles (Massias, Gramfort and Salmon 2018). The end is told by the duality gap.

The model's Hessian is made where p is small beside n: once per iteration, X' C X by BLAS over blocks of rows, and a
move of coordinate descent then costs p and not n.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

from ...kernels.compile.jit import parallel_region
from ...kernels.data.quadratic_model import ColumnModel, GramModel, column_moments, descend, weigh
from ...kernels.data.softmax import scores
from .penalised_logistic import LinearFit, PenalisedLogistic

ROWS = 1024  # of a block of the Gram matrix
SUFFICIENT = 0.01  # of the decrease that the model promises (Yuan et al., eq. 20)
ACCURACY = {GramModel: 1e-4, ColumnModel: 1e-2}  # of the inner problem, beside the outer one's violation
SWEEPS = 1000
LEAST = 64  # columns of a working set
SHORTEST = 1e-10  # step


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
    iteration, gap, moved = 0, np.inf, True
    while True:
        problem.slopes()
        gap = problem.gap()
        if gap <= tol * problem.constant or iteration == max_iter or not moved:
            break
        moved = _step(problem)
        iteration += 1
    w = problem.w
    return LinearFit(w[:, :-1].copy(), w[:, -1].copy(), iteration, gap, bool(gap <= tol * problem.constant))


def _step(problem: PenalisedLogistic) -> bool:
    """One Newton step; False where nothing moves any more."""
    active, violation = _working_set(problem)
    weighted = problem.s * problem.p
    model, eliminated = (_gram_model if problem.columns is None else _column_model)(problem, active, weighted)
    old = problem.w[:, active]
    w = old.flatten()
    tol = max(ACCURACY[type(model)] * violation, 1e-15 * problem.constant)
    with parallel_region():
        descend(model, w, problem.l1, problem.l2, tol, SWEEPS)
    step = np.zeros_like(problem.w)
    step[:, active] = w.reshape(old.shape) - old
    h, inverse = eliminated
    step[:, -1] = -inverse @ (problem.g[:, -1] + step[:, active].ravel() @ h)
    return _search(problem, step)


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


def _pair(problem: PenalisedLogistic, weighted, k: int, m: int) -> np.ndarray:
    """(n,) second derivatives of the loss by the scores of classes k and m."""
    return weighted[k] * (1.0 - problem.p[k]) if k == m else -weighted[k] * problem.p[m]


def _gram_model(problem: PenalisedLogistic, active, weighted):
    """X' C X of the active columns and the ones, and the model that it makes once the intercepts are eliminated."""
    K, a = problem.K, active.size
    H = np.zeros((K, a + 1, K, a + 1))
    for k in range(K):
        for m in range(k, K):
            block = _product(problem.X.x, active, _pair(problem, weighted, k, m), k == m)
            H[k, :, m, :] = block
            H[m, :, k, :] = block.T
    h = H[:, :a, :, a].reshape(K * a, K)
    inverse = np.linalg.pinv(H[:, a, :, a]) if problem.fit_intercept else np.zeros((K, K))
    M = h @ inverse
    H = np.ascontiguousarray(H[:, :a, :, :a].reshape(K * a, K * a))
    floor = 1e-12 * np.diag(H) + 1e-300
    H -= M @ h.T
    np.fill_diagonal(H, np.maximum(np.diag(H), floor))
    q = problem.g[:, active].ravel() - M @ problem.g[:, -1]
    return GramModel(H, q), (h, inverse)


def _product(x, active, v, square: bool) -> np.ndarray:
    """(a + 1, a + 1): x' diag(v) x of the active columns and a column of ones; square: v >= 0."""
    n, size = len(x), active.size + 1
    total = np.zeros((size, size), order="F")
    room, plain = np.empty((2, min(n, ROWS), size)) if not square else (np.empty((min(n, ROWS), size)), None)
    v = np.sqrt(v) if square else v
    ones = np.ones(n) if not square else v
    for first in range(0, n, ROWS):
        rows = min(ROWS, n - first)
        with parallel_region():
            weigh(x, active, first, v, room[:rows])
            if plain is not None:
                weigh(x, active, first, ones, plain[:rows])
        if plain is None:
            total = blas.dsyrk(1.0, room[:rows].T, beta=1.0, c=total, overwrite_c=1, lower=1)
        else:
            total = blas.dgemm(1.0, room[:rows].T, plain[:rows].T, beta=1.0, c=total, trans_b=1, overwrite_c=1)
    return np.tril(total) + np.tril(total, -1).T if square else total


def _column_model(problem: PenalisedLogistic, active, weighted):
    """The model that knows its Hessian by columns, and what eliminates the intercepts."""
    K, a = problem.K, active.size
    h, diagonal, B = np.zeros((K, a, K)), np.empty((K, a)), np.zeros((K, K))
    sums, squares = np.empty(a), np.empty(a)
    for k in range(K):
        for m in range(K):
            v = _pair(problem, weighted, k, m)
            with parallel_region():
                column_moments(problem.columns, active, v, sums, squares)
            h[k, :, m], B[k, m] = sums, v.sum()
            if k == m:
                diagonal[k] = squares
    h = h.reshape(K * a, K)
    inverse = np.linalg.pinv(B) if problem.fit_intercept else np.zeros((K, K))
    M = h @ inverse
    diagonal = np.maximum(diagonal.ravel() - np.sum(M * h, axis=1), 1e-12 * diagonal.ravel() + 1e-300)
    return ColumnModel(
        problem.columns, active, problem.g[:, active].ravel(), diagonal, weighted, problem.p, 1.0 - problem.p,
        np.zeros_like(problem.p), h, M, problem.g[:, -1].copy(),
    ), (h, inverse)  # fmt: skip


def _search(problem: PenalisedLogistic, step: np.ndarray) -> bool:
    """Halve the step until the objective falls by a part of what is promised; go there. False: nothing was gained."""
    along = np.empty_like(problem.z)
    with parallel_region():
        scores(problem.X, step, along)
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
            return promised < 0.0
        t *= 0.5
        along *= 0.5
        problem.z -= along
    problem.z -= along
    problem.loss = problem.update()
    return False
