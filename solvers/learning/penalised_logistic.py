"""Logistic regression with an L1 and an L2 penalty: the problem, and how far a point is from its minimum at most.

    P(w, b) = sum_i s_i f(x_i w + b, y_i) + l1 |w|_1 + l2 |w|^2 / 2        (the intercept b is not penalised)

f is -log of the probability of class y_i: of two classes with one score, of K > 2 with a score each (softmax). In
scikit-learn's terms s_i = C times the sample weight, l1 = l1_ratio, l2 = 1 - l1_ratio.

The dual (Fenchel). For any distributions q_i over the classes, with theta_i = s_i (y_i - q_i), y_i as a unit vector,
and sum_i theta_i = 0 where there is an intercept,

    D(q) = sum_i s_i entropy(q_i) - sum_j max(|x_j' theta| - l1, 0)^2 / (2 l2)  <=  min P,

where for l2 = 0 the last sum is a condition, |x_j' theta| <= l1. So P - D bounds what is still to be gained: the gap.
At the minimum q = p, the model's own probabilities. Elsewhere they are made feasible: mixed with one distribution for
all rows so that theta sums to zero, and with y, which scales theta, so that |x_j' theta| <= l1.

A column whose |x_j' theta| is further below l1 than theta can be from the best theta has the coefficient zero and is
left out for good, where X is sparse and its columns are gone through one by one: the gap-safe sphere (Ndiaye, Fercoq,
Gramfort and Salmon, JMLR 18 (2017) 128). f has second derivatives of at most 1/4 (two classes) or 1/2 (more), so
sum_i |theta_i - theta*_i|^2 / s_i <= gap / 2 or gap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...kernels.compile.jit import parallel_region
from ...kernels.data import softmax
from ...kernels.data.columns import by_columns
from ...kernels.data.quadratic_model import moments
from ...kernels.data.rows import Dense, Sparse

ROUNDING = 1e-11  # of P, in sums over many rows


class LinearFit(NamedTuple):
    """What the methods for penalised linear models return."""

    coef: np.ndarray  # (K, p), K = 1 for two classes
    intercept: np.ndarray  # (K,), zeros where none is fitted
    n_iter: int
    gap: float  # P - min P is at most this
    converged: bool  # gap <= tol * P of the constant model


class PenalisedLogistic:
    """The problem at a point w (K, p + 1), the intercepts last: its scores, probabilities, slopes and gap.

    Parameters
    ----------
    X : Dense or Sparse
        n rows, p columns; numbers are finite.
    y : (n,) array of int
        0 to classes - 1.
    weights : (n,) array
        s, 0 or more.
    l1, l2 : float
        The penalties, 0 or more, not both 0.
    """

    def __init__(self, X: Dense | Sparse, y, weights, l1: float, l2: float, fit_intercept: bool = True, start=None):
        if not (l1 >= 0.0 and l2 >= 0.0 and 0.0 < l1 + l2 < np.inf):
            raise ValueError(f"l1, l2: got {l1} and {l2}, expected numbers of 0 or more, not both 0")
        self.X, self.y = X, np.ascontiguousarray(y, dtype=np.int64)
        self.s = np.ascontiguousarray(weights, dtype=np.float64)
        self.l1, self.l2, self.fit_intercept = float(l1), float(l2), fit_intercept
        n, p = self.y.size, X.width if isinstance(X, Sparse) else X.x.shape[1]
        classes = max(int(self.y.max()) + 1, 2)
        self.K = 1 if classes == 2 else classes
        self.columns = by_columns(X) if isinstance(X, Sparse) else None
        self.partial = np.empty((softmax.blocks_of(n), classes, p + 1)) if isinstance(X, Dense) else np.empty(0)
        self.wanted = np.ones(p, dtype=np.bool_)
        self.best_dual = -np.inf
        self._measure(classes)

        self.z, self.p, self.r = (np.empty((self.K, n)) for _ in range(3))
        self.g = np.zeros((self.K, p + 1))  # slopes of the loss
        self.w = np.zeros((self.K, p + 1)) if start is None else np.array(start, dtype=np.float64)
        if start is None and fit_intercept:
            logs = np.log(self.shares)
            self.w[:, -1] = logs[1:] - logs[0] if self.K == 1 else logs - logs.mean()
        self.scores(self.w, self.z)
        self.loss = self.update()

    def _measure(self, classes: int) -> None:
        """What hangs on the data alone: sums of the columns by class, spreads of the columns, the constant model."""
        members = np.zeros((classes, self.y.size))
        members[self.y, np.arange(self.y.size)] = self.s
        self.by_class = np.zeros((classes, self.wanted.size + 1))  # sums of s x_j, and of s
        self.transposed(members, self.by_class)
        totals = np.maximum(self.by_class[:, -1], 1e-10 * self.s.sum())
        self.shares = totals / totals.sum()
        self.constant = -float(np.sum(self.by_class[:, -1] * np.log(self.shares)))  # the loss of the constant model
        if isinstance(self.X, Sparse):
            sums, self.spread = np.empty(self.wanted.size), np.empty(self.wanted.size)
            with parallel_region():
                moments(self.columns, np.arange(sums.size), self.s, sums, self.spread)
            if self.fit_intercept:
                self.spread -= sums**2 / self.s.sum()

    def transposed(self, v: np.ndarray, out: np.ndarray) -> None:
        """v (m, n) times the design with a column of ones, in out (m, p + 1)."""
        with parallel_region():
            if isinstance(self.X, Dense):
                softmax.transposed_rows(self.X, v, self.partial, out)
            else:
                softmax.transposed_columns(self.columns, v, self.wanted, out)

    def scores(self, w: np.ndarray, z: np.ndarray) -> None:
        """z (K, n) of w (K, p + 1)."""
        with parallel_region():
            softmax.scores[type(self.X)](self.X, w, z)

    def update(self) -> float:
        """Probabilities and residuals of the scores; the loss."""
        with parallel_region():
            return softmax.probabilities(self.z, self.y, self.s, self.p, self.r)

    def penalty(self, w: np.ndarray) -> float:
        return self.l1 * float(np.abs(w[:, :-1]).sum()) + 0.5 * self.l2 * float(np.sum(w[:, :-1] ** 2))

    def slopes(self) -> np.ndarray:
        """(K, p + 1) of the loss at w."""
        self.transposed(self.r, self.g)
        if not self.fit_intercept:
            self.g[:, -1] = 0.0
        return self.g

    def gap(self, leave_out: bool = True) -> float:
        """P - D at w, with the best D so far; `slopes` comes before. What the sphere excludes is left out for good."""
        value = self.loss + self.penalty(self.w)
        mixed, share = self._mixture()  # q = (1 - mixed) p + mixed share: theta sums to zero
        own = slice(1, None) if self.K == 1 else slice(None)
        sums = self.by_class[:, :-1]
        theta_x = -(1.0 - mixed) * self.g[:, :-1] + mixed * (sums[own] - share[own, None] * sums.sum(axis=0))
        size = np.abs(theta_x[:, self.wanted])
        largest = float(size.max(initial=0.0))
        scales = ([1.0] if self.l2 > 0.0 else []) + ([min(1.0, self.l1 / largest)] if largest > 0.0 else [1.0])
        for c in set(scales):
            with parallel_region():
                dual = softmax.entropy(
                    self.p, self.y, self.s, c * (1.0 - mixed), c * mixed * share[own], 1.0 - c
                )  # fmt: skip
            if self.l2 > 0.0:
                dual -= float(np.sum(np.maximum(c * size - self.l1, 0.0) ** 2)) / (2.0 * self.l2)
            self.best_dual = max(self.best_dual, dual)
            if isinstance(self.X, Sparse) and leave_out:
                above = max(value - dual, 0.0) + ROUNDING * value  # else a gap of 0 leaves out the support
                radius = np.sqrt(above * (0.5 if self.K == 1 else 1.0) * np.maximum(self.spread, 0.0))
                self.wanted &= (c * np.abs(theta_x) + radius >= self.l1).any(axis=0)
        return max(self._leave_out(value) - self.best_dual, 0.0)

    def _leave_out(self, value: float) -> float:
        """Coefficients of columns that are not wanted become zero; P then."""
        if self.w[:, :-1][:, ~self.wanted].any():
            self.w[:, :-1][:, ~self.wanted] = 0.0
            self.scores(self.w, self.z)
            self.loss = self.update()
            self.slopes()
            value = self.loss + self.penalty(self.w)
        self.g[:, :-1][:, ~self.wanted] = 0.0
        return value

    def _mixture(self) -> tuple[float, np.ndarray]:
        """How much of which distribution over the classes to mix into p, so that each class has its weight in sum."""
        totals = self.by_class[:, -1]
        if not self.fit_intercept:
            return 0.0, np.zeros(totals.size)
        model = totals + self.g[:, -1] if self.K > 1 else totals + self.g[0, -1] * np.array([-1.0, 1.0])
        kept = min(1.0, float(np.min(totals / np.maximum(model, 1e-300))))
        if kept == 1.0:
            return 0.0, np.zeros(totals.size)
        return 1.0 - kept, np.maximum(totals - kept * model, 0.0) / ((1.0 - kept) * totals.sum())
