"""What fitted factors say: errors, the best items, how well they rank, the rows of new users."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...kernels.data.factors import Model, squared_errors
from ...kernels.data.ranking import best_items, ranking_gains
from .factorisation import Ratings, best_rows


class Ranking(NamedTuple):
    """Means over the users who have something to be found."""

    precision: float  # of the n items recommended, how many are right
    ndcg: float  # normalised discounted cumulative gain of these n


def error_of(users, items, ratings: Any, model: Model) -> float:
    """Root mean square error on ratings (CSR)."""
    own = Ratings.of(ratings)
    out = np.empty(own.blocks.size - 1)
    squared_errors(*own, users, items, model, out)
    return float(np.sqrt(out.sum() / own.values.size))


def best_of(users, items, seen: Any, n: int, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """(users, n) the best items of each row of users, without the entries of `seen` (CSR), and their estimates."""
    found = np.empty((len(users), min(n, len(items))), np.int64)
    scores = np.empty(found.shape)
    best_items(users, items, seen.indptr, seen.indices, model, found, scores)
    return found, scores


def rank(users, items, seen: Any, right: Any, n: int, model: Model) -> Ranking:
    """How many of the n best that were not seen are entries of `right`, both CSR."""
    found, _ = best_of(users, items, seen, n, model)
    precision, gain = np.empty(len(found)), np.empty(len(found))
    ranking_gains(found, right.indptr, right.indices, precision, gain)
    return Ranking(float(np.nanmean(precision)), float(np.nanmean(gain)))


def fold_in(items, ratings: Any, penalty: float, model: Model) -> np.ndarray:
    """Rows of new users by one exact half step of alternating least squares: the items stay as they are."""
    rows = np.zeros((ratings.shape[0], items.shape[1]), items.dtype)
    best_rows(Ratings.of(ratings.astype(items.dtype)), items, penalty, model, rows)
    return rows
