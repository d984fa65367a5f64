"""What `SGDClassifier` and `SGDRegressor` share: options, the loop over epochs, and when it ends.

A fit ends where the objective, the weighted losses and a penalty for each row, was not bettered by `tol` per unit of
weight in `n_iter_no_change` epochs. The losses of an epoch are those of each row before its step, the penalty that of
the epoch's end. (scikit-learn 1.9 counts losses without their weights, and the penalty at each row.) With early
stopping it is the score on rows held out.
"""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import SparseCoefMixin
from sklearn.utils._param_validation import Interval, StrOptions

from ...kernels.data.row_losses import LOSSES
from ...kernels.data.rows import design
from ...kernels.data.stochastic import RULES, descent, epoch, penalty, shuffle

SPARSE_DECAY = 0.01  # of the intercept's steps, where rows are sparse: it moves with each of them, other entries seldom
FASTEST, DIVISOR = 1e-6, 5.0  # of "adaptive": steps above FASTEST are divided
SEEDS = np.iinfo(np.int32).max


class Descending(SparseCoefMixin, BaseEstimator):
    """What both have: the epochs, and when they end."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "learning_rate": [StrOptions(set(RULES))],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "average": [Interval(Integral, 0, None, closed="left"), "boolean"],
    }
    loss: str
    penalty: str | None
    alpha: float
    l1_ratio: float | None
    fit_intercept: bool
    max_iter: int
    tol: float | None
    shuffle: bool
    verbose: int
    epsilon: float
    random_state: Any
    learning_rate: str
    eta0: float
    power_t: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    warm_start: bool
    average: bool | int
    n_iter_: int
    t_: float
    margin_loss: str = ""  # the loss that passive-aggressive steps go with

    def _check(self, partly: bool) -> None:
        """What single parameters do not show."""
        if self.early_stopping and partly:
            raise ValueError("early_stopping: partial_fit makes one epoch and cannot stop early; set it to False")
        if self.learning_rate == "optimal" and self.alpha == 0:
            raise ValueError("alpha must be above 0 where learning_rate is 'optimal', as it sets the length of steps")
        if self.learning_rate in ("pa1", "pa2") and self.loss != self.margin_loss:
            raise ValueError(f"loss: learning_rate={self.learning_rate!r} goes with loss={self.margin_loss!r} only")
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("l1_ratio: got None, expected a number in [0, 1] for penalty='elasticnet'")

    def _options(self, sparse: bool) -> dict[str, Any]:
        """Fields of stochastic.SCALARS."""
        share = {"l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio}.get(self.penalty or "", 0.0)
        strength = self.alpha if self.penalty else 0.0
        # Bottou's heuristic: the first step is as large as weights are expected to become
        start = 1.0 / (np.sqrt(1.0 / np.sqrt(self.alpha)) * self.alpha) if self.alpha > 0 else 0.0
        return {
            "loss": LOSSES.index(self.loss), "epsilon": self.epsilon,
            "rule": RULES.index(self.learning_rate), "eta0": self.eta0, "power": self.power_t, "start": start,
            "eta": self.eta0, "alpha": self.alpha, "shrink": strength * (1.0 - share), "truncate": strength * share,
            "first": int(self.average), "free": int(self.fit_intercept), "decay": SPARSE_DECAY if sparse else 1.0,
        }  # fmt: skip

    def _begin(self, coef, intercept) -> None:
        """Stand at these coefficients (k, p) and intercepts (k,), after no step."""
        self._points = np.column_stack([coef, intercept]).astype(np.float64)
        self._sums = np.zeros_like(self._points)
        self.t_ = 1.0

    def _descend(self, X, targets: list, weights: list, plain: np.ndarray, epochs: int, seeds, jobs=None) -> None:
        """Carry on the k-th model with the k-th targets (n,) and weights (n,); plain (n,): those without classes."""
        sparse = hasattr(X, "tocsr")
        rows, options = design(X), self._options(sparse)

        def run(k):
            *w, b = self._points[k]
            state = descent(np.array(w), sparse, t=self.t_, intercept=b, intercepts=self._sums[k, -1], **options)
            state.sums[:] = self._sums[k, : state.sums.size]
            made = self._epochs(rows, X, targets[k], weights[k], plain, epochs, seeds[k], state)
            return state, made

        done: Any = Parallel(n_jobs=jobs, require="sharedmem")(delayed(run)(k) for k in range(len(targets)))
        for k, (state, _) in enumerate(done):
            self._points[k] = np.append(state.w, state.own["intercept"])
            if self.average:
                self._sums[k] = np.append(state.sums, state.own["intercepts"])
        self.n_iter_ = max(made for _, made in done)
        self.t_ += self.n_iter_ * (X.shape[0] - self._held_out(X.shape[0], epochs))
        if epochs > 1 and self.tol is not None and self.n_iter_ == epochs:
            warnings.warn(
                f"{type(self).__name__} did not converge within max_iter={epochs} epochs: the loss still falls by more "
                f"than tol. Allow more of them, or scale the columns of X to mean 0 and variance 1",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _held_out(self, n: int, epochs: int) -> int:
        return int(np.ceil(self.validation_fraction * n)) if self.early_stopping else 0

    def _epochs(self, rows, X, y, weights, plain, epochs: int, seed: int, state) -> int:
        """Epochs until nothing is gained, at most so many; how many they were."""
        own = state.own[0]
        order, held = np.arange(y.size), None
        if self.early_stopping:
            order, held = self._split(y, seed)
            held = X[held], y[held], plain[held]
        total = float(weights[order].sum())
        patience = np.inf if self.tol is None else self.n_iter_no_change
        tolerance = (self.tol or 0.0) * (1.0 if held else total)
        best, waited = np.inf, 0
        for number in range(1, epochs + 1):
            if self.shuffle:
                shuffle(order, seed, int(own.t))
            loss = epoch(rows, y, weights, order, state) + order.size * penalty(state)
            if not (np.isfinite(loss) and np.isfinite(state.w).all() and np.isfinite(own.intercept)):
                raise ValueError(
                    f"Numbers overflowed in epoch {number}: the steps are too long for this data. Scale the columns of "
                    f"X to mean 0 and variance 1, or take a smaller eta0"
                )
            if self.verbose:
                print(f"epoch {number}: loss {loss / total:.6g}, step number {own.t - 1:.0f}")
            measured = loss if held is None else -self._quality(state, *held)
            waited = waited + 1 if measured > best - tolerance else 0
            best = min(best, measured)
            if waited >= patience:
                if self.learning_rate != "adaptive" or own.eta <= FASTEST:
                    return number
                own.eta /= DIVISOR
                waited = 0
        return epochs

    def _split(self, y, seed: int):
        raise NotImplementedError

    def _quality(self, state, X, y, weights) -> float:
        raise NotImplementedError

    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (k, p) and intercepts (k,): averaged where that has begun."""
        averaged = int(self.average) if self.average else 0
        points = self._sums / (self.t_ - averaged) if 0 < averaged < self.t_ else self._points
        return points[:, :-1].copy(), points[:, -1].copy()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def initial(given, shape: tuple, name: str, otherwise) -> np.ndarray:
    """What a fit begins with."""
    if given is None:
        return otherwise
    given = np.asarray(given, dtype=np.float64)
    if given.size != np.prod(shape):
        raise ValueError(f"{name}: got shape {given.shape}, expected {shape} for this data")
    return given.reshape(shape)
