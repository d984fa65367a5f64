"""Matrix factorisation, an iteration at a time: alternating least squares, and stochastic gradients.

Both hold the factors as kernels/data/factors.py describes them, and `iterate()` returns the objective that they
minimise (kernels/data/alternating.py). Explicit feedback has one objective, whoever minimises it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...kernels.data.alternating import solve_rows
from ...kernels.data.factors import Model, blocks_of, squared_errors, squares, width_of
from ...kernels.data.stochastic_factors import GROUPS, epoch, epoch_key
from ...kernels.numbers.random import permutation

GRAM_ROWS = 256  # of a block, at least
SLOWING = 10.0  # epochs after which the rate of stochastic gradients is half of the first


class Ratings(NamedTuple):
    """Compressed rows of users, or of items, and where blocks of them begin that cost about the same."""

    starts: np.ndarray  # (rows + 1,)
    columns: np.ndarray  # (ratings,)
    values: np.ndarray  # (ratings,)
    blocks: np.ndarray

    @classmethod
    def of(cls, rows: Any) -> Ratings:
        """From a CSR matrix."""
        return cls(rows.indptr, rows.indices, rows.data, blocks_of(rows.indptr))

    @property
    def counts(self) -> np.ndarray:
        return np.diff(self.starts)


def penalties(ratings: Ratings, rows: np.ndarray, penalty: float, model: Model) -> float:
    """The penalty of all rows: for explicit feedback of each as often as it has ratings."""
    sizes = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return penalty * float(sizes.sum() if model.confidence > 0.0 else sizes @ ratings.counts)


def gram_of(rows: np.ndarray, model: Model) -> np.ndarray:
    """Y'Y, which stands for the cells without a rating; 0 where these tell nothing."""
    width = rows.shape[1]
    if not model.confidence > 0.0:
        return np.zeros((width, width), rows.dtype)
    out = np.empty((max(1, min(16, rows.shape[0] // GRAM_ROWS)), width, width), rows.dtype)
    squares(rows, out)
    return out[0]


def best_rows(ratings: Ratings, fixed, penalty: float, model: Model, rows, steps: int = 0) -> float:
    """Solve for `rows`, the others being fixed: the objective but for the others' penalty."""
    losses = np.empty(ratings.blocks.size - 1)
    solve_rows(*ratings, fixed, gram_of(fixed, model), penalty, steps, model, rows, losses)
    return float(losses.sum())


def starting_rows(ratings: Ratings, rank: int, biases: bool, scale: float, random, dtype) -> np.ndarray:
    """(rows, width): factors N(0, scale²), but 0 where a row has no ratings; biases 0."""
    rows = np.zeros((ratings.starts.size - 1, width_of(rank, biases)), dtype)
    rows[:, :rank] = random.normal(scale=scale, size=(len(rows), rank))
    rows[ratings.counts == 0] = 0.0
    return rows


class Alternating:
    """The best users for the items, then the best items for the users. steps: of conjugate gradients; 0: Cholesky."""

    def __init__(
        self, by_user: Ratings, by_item: Ratings, model: Model, penalty: float, users, items, *, steps: int = 0
    ):
        self.by_user, self.by_item, self.model, self.penalty, self.steps = by_user, by_item, model, penalty, steps
        self.users, self.items = users, items

    def iterate(self) -> float:
        best_rows(self.by_user, self.items, self.penalty, self.model, self.users, self.steps)
        loss = best_rows(self.by_item, self.users, self.penalty, self.model, self.items, self.steps)
        return loss + penalties(self.by_user, self.users, self.penalty, self.model)


class Stochastic:
    """Every rating once, at a rate that falls as rate / (1 + epochs / 10)."""

    def __init__(
        self, by_user: Ratings, by_item: Ratings, model: Model, penalty: float, users, items, *, rate: float, seed: int
    ):
        self.by_user, self.by_item, self.model, self.penalty, self.rate = by_user, by_item, model, penalty, rate
        self.users, self.items, self.seed, self.epochs = users, items, seed, 0
        groups = min(GROUPS, len(users), len(items))
        self.u = np.repeat(np.arange(len(users), dtype=np.int32), by_user.counts)
        self.i = by_user.columns.astype(np.int32)
        block = self._groups_of(len(users), groups, 0)[self.u] * groups + self._groups_of(len(items), groups, 1)[self.i]
        by_block = np.argsort(block, kind="stable")
        self.u, self.i, self.values = self.u[by_block], self.i[by_block], by_user.values[by_block]
        self.order = np.arange(len(by_block))
        self.starts = np.concatenate(([0], np.cumsum(np.bincount(block, minlength=groups * groups))))
        self.shifts = np.empty(groups, dtype=np.int64)

    def _groups_of(self, n: int, groups: int, side: int) -> np.ndarray:
        """(n,) the group of each row: as many rows in each, by the seed."""
        places = np.empty(n, dtype=np.int64)
        permutation(epoch_key(self.seed, side), 0, places)
        return places % groups

    def iterate(self) -> float:
        key = epoch_key(self.seed, 2 + self.epochs)
        permutation(key, 0, self.shifts)
        rate = self.rate / (1.0 + self.epochs / SLOWING)
        where = (self.u, self.i, self.values, self.starts, self.order, self.shifts)
        epoch(*where, key, rate, self.penalty, self.model, self.users, self.items)
        self.epochs += 1
        errors = np.empty(self.by_user.blocks.size - 1)
        squared_errors(*self.by_user, self.users, self.items, self.model, errors)
        loss = float(errors.sum())
        for ratings, rows in ((self.by_user, self.users), (self.by_item, self.items)):
            loss += penalties(ratings, rows, self.penalty, self.model)
        return loss


class Fit(NamedTuple):
    users: np.ndarray
    items: np.ndarray
    losses: list[float]  # after each iteration
    scores: list[float]  # after each iteration, greater is better; empty without a held-out part
    settled: bool  # False: max_iter came first


def factorise(method: Any, *, max_iter: int, tol: float, score=None, patience: int = 0, tell=None) -> Fit:
    """Iterate until the objective falls by no more than tol of itself, or the score has not improved `patience` times.

    score(users, items) is of a held-out part; its best factors are the answer. tell(iteration, loss, score or None).
    A loss that is not finite ends it; it is the last of `losses`.
    """
    losses: list[float] = []
    scores: list[float] = []
    kept, best, settled = (method.users, method.items), -1, False
    while len(losses) < max_iter and not settled:
        losses.append(method.iterate())
        if not np.isfinite(losses[-1]):
            break
        if score is not None:
            scores.append(score(method.users, method.items))
            if best < 0 or scores[-1] > scores[best]:
                best, kept = len(scores) - 1, (method.users.copy(), method.items.copy())
            settled = len(scores) - 1 - best >= patience
        if tell is not None:
            tell(len(losses), losses[-1], scores[-1] if scores else None)
        if len(losses) > 1 and 0.0 <= losses[-2] - losses[-1] <= tol * losses[-2]:
            settled = True
    return Fit(*kept, losses, scores, settled)
