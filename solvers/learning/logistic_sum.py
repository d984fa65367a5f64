"""The objective of logistic regression with a smooth penalty, as the methods of this folder ask it.

    f(w) = (sum_i c_i loss_i(w) + sum_j r_j w_j^2 / 2) / sum_i c_i

the mean loss over rows of weight c_i, plus a ridge r_j >= 0 for each coefficient, 0 for the intercept. So the size of a
gradient does not hang on the number of rows. What is kept of a pass (slopes, curvatures) belongs to its point, and the
Hessian and its products are those of the last point.
"""

from __future__ import annotations

import numpy as np

from ...kernels.compile.jit import parallel_region
from ...kernels.data.gram import gram
from ...kernels.data.logistic import blocks_of, logistic_pass, product_pass, squares_pass
from ...kernels.data.multinomial import multinomial_pass, multinomial_product_pass, scratch_of
from ...kernels.data.rows import Dense, Sparse


class LogisticSum:
    """Two classes: w holds the coefficients, and behind them the intercept where its size is p + 1.

    Parameters
    ----------
    X : Dense or Sparse
        The rows; every `step`-th of them takes part, from the first.
    y, weights : (rows,) arrays
        1 or 0; c, none below zero. Of the rows that take part.
    ridge : (p,) or (p + 1,) array
        r, divided by the sum of all weights.
    """

    at_zero = float(np.log(2.0))  # the value of w = 0

    def __init__(self, X: Dense | Sparse, y: np.ndarray, weights: np.ndarray, ridge: np.ndarray, step: int = 1):
        self.X, self.y, self.weights, self.ridge, self.step = X, y, weights, ridge, step
        self.rows, self.size = y.size, ridge.size
        self.share = 1.0 / weights.sum()
        self.slopes, self.curvatures = np.empty(y.size), np.empty(y.size)
        blocks = blocks_of(X, self.rows, self.size)
        self.losses, self.partial = np.empty(blocks), np.empty((blocks, self.size))

    def part(self, step: int) -> LogisticSum:
        """The same over every step-th row."""
        return LogisticSum(self.X, self.y[::step].copy(), self.weights[::step].copy(), self.ridge, self.step * step)

    def value_and_gradient(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        with parallel_region():
            logistic_pass(
                self.X, self.step, self.y, self.weights, w, self.slopes, self.curvatures, self.losses, self.partial
            )
        pull = self.ridge * w
        value = self.share * self.losses.sum() + 0.5 * (pull @ w)
        return float(value), self.share * self.partial.sum(axis=0) + pull

    def product(self, v: np.ndarray) -> np.ndarray:
        """The Hessian times v."""
        with parallel_region():
            product_pass(self.X, self.step, self.curvatures, v, self.slopes, self.partial)
        return self.share * self.partial.sum(axis=0) + self.ridge * v

    def diagonal(self) -> np.ndarray:
        """Of the Hessian."""
        with parallel_region():
            squares_pass(self.X, self.step, self.curvatures, self.partial)
        return self.share * self.partial.sum(axis=0) + self.ridge

    def hessian(self, step: int = 1) -> np.ndarray:
        """(size, size); what every step-th row says of it where step > 1."""
        weights = self.curvatures[::step]
        total = self.weights[::step].sum()
        with parallel_region():
            H = gram(self.X, self.step * step, weights / total if total > 0.0 else weights, self.size)
        H[np.diag_indices(self.size)] += self.ridge
        return H


class MultinomialSum:
    """K classes: w holds (K, p) coefficients or, with the intercept of each class behind its own, (K, p + 1), flat.

    y (rows,) are numbers of classes, ridge is (K, p) or (K, p + 1); all else as in `LogisticSum`.
    """

    def __init__(self, X: Dense | Sparse, y: np.ndarray, weights: np.ndarray, ridge: np.ndarray, step: int = 1):
        self.X, self.y, self.weights, self.ridge, self.step = X, y, weights, ridge, step
        self.rows, self.size, self.shape = y.size, ridge.size, ridge.shape
        self.at_zero = float(np.log(len(ridge)))
        self.share = 1.0 / weights.sum()
        self.probabilities = np.empty((len(ridge), y.size))
        blocks = blocks_of(X, self.rows, self.size)
        self.losses, self.partial, self.scratch = np.empty(blocks), np.empty((blocks, *self.shape)), scratch_of(blocks)
        self.products: np.ndarray | None = None  # scratch of the products

    def part(self, step: int) -> MultinomialSum:
        """The same over every step-th row."""
        return MultinomialSum(self.X, self.y[::step].copy(), self.weights[::step].copy(), self.ridge, self.step * step)

    def value_and_gradient(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        with parallel_region():
            multinomial_pass(
                self.X, self.step, self.y, self.weights, w.reshape(self.shape), self.probabilities, self.scratch,
                self.losses, self.partial,
            )  # fmt: skip
        pull = self.ridge.ravel() * w
        value = self.share * self.losses.sum() + 0.5 * (pull @ w)
        return float(value), self.share * self.partial.sum(axis=0).ravel() + pull

    def product(self, v: np.ndarray) -> np.ndarray:
        """The Hessian times v."""
        if self.products is None:
            self.products = np.empty((len(self.ridge) + 1, self.rows))
        with parallel_region():
            multinomial_product_pass(
                self.X, self.step, self.weights, self.probabilities, v.reshape(self.shape), self.products, self.partial
            )
        return self.share * self.partial.sum(axis=0).ravel() + self.ridge.ravel() * v

    def diagonal(self) -> np.ndarray:
        """Of the Hessian."""
        found, sums = self.ridge.copy(), np.empty((len(self.losses), self.shape[1]))
        for k, p in enumerate(self.probabilities):
            with parallel_region():
                squares_pass(self.X, self.step, self.weights * p * (1.0 - p), sums)
            found[k] += self.share * sums.sum(axis=0)
        return found.ravel()

    def hessian(self, step: int = 1) -> np.ndarray:
        """(size, size), a block for each pair of classes; what every step-th row says of it where step > 1.

        The mean over the classes of coefficients that no penalty holds is free: a shift of all changes no probability.
        H is given curvature there, where the gradient has no part, so that it has an inverse.
        """
        classes, width = self.shape
        weights = self.weights[::step]
        weights = weights / max(weights.sum(), np.finfo(float).tiny)
        H = np.empty((classes, width, classes, width))
        for k in range(classes):
            p = self.probabilities[k, ::step]
            for j in range(k):
                with parallel_region():
                    block = gram(self.X, self.step * step, weights * p * self.probabilities[j, ::step], width)
                H[k, :, j] = H[j, :, k] = -block
            with parallel_region():
                H[k, :, k] = gram(self.X, self.step * step, weights * p * (1.0 - p), width)
        for j in np.flatnonzero(self.ridge[0] == 0.0):
            H[:, j, :, j] += np.trace(H[:, j, :, j]) / classes**2
        H = H.reshape(self.size, self.size)
        H[np.diag_indices(self.size)] += self.ridge.ravel()
        return H
