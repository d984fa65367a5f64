"""Ratings from a stated model: who rates what, and how, so that the best possible error is known.

    mean of r_ui = 3.5 + b_u + c_i + x_u y_i      r_ui = its mean + N(0, noise²)
    b_u, c_i ~ N(0, 0.4²)    x_u, y_i ~ N(0, 1 / rank^(1/2)) in each of `rank` entries, so that x_u y_i has variance
    rank * (1 / rank^(1/2))² = 1 before it is scaled by `taste`

Which of the cells are rated is drawn without replacement, a cell's weight being a_u p_i exp(x_u y_i): an active user
(a_u log-normal) rates more, the k-th item in the order of popularity is rated as k^(-0.8) (a power law), and people
rate what they like. The noise is independent of all that: no prediction has a root mean square error below `noise`, on
entries that were not fitted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

MEAN, BIAS, SKEW, ACTIVITY = 3.5, 0.4, 0.8, 1.0


class Ratings(NamedTuple):
    rated: sparse.csr_array  # (users, items): the ratings
    means: sparse.csr_array  # the same cells without their noise
    user_tastes: np.ndarray  # (users, rank)
    item_tastes: np.ndarray  # (items, rank)


def make_ratings(users=6040, items=3706, ratings=1_000_000, *, rank=8, taste=0.5, noise=0.5, seed=0) -> Ratings:
    """Ratings of a low-rank model with biases; by default as many users, items and ratings as MovieLens 1M.

    Parameters
    ----------
    users, items, ratings : int, default 6,040, 3,706 and 1,000,000
        How many there are; `ratings` of the users * items cells are rated. Memory: 16 bytes a cell.
    rank : int, default 8
        Entries of a taste.
    taste : float, default 0.5
        Standard deviation of x_u y_i, in stars.
    noise : float, default 0.5
        Standard deviation of what the model does not know, in stars: the lowest error that there is.
    seed : int, default 0
        The same seed gives the same ratings.

    Examples
    --------
    >>> from thalweg.kernels.functions.ratings import make_ratings
    >>> data = make_ratings(50, 40, 600, seed=1)
    >>> data.rated.shape, data.rated.nnz
    ((50, 40), 600)
    """
    if not 0 < ratings <= users * items:
        raise ValueError(f"ratings: got {ratings}, expected 1 to {users} * {items} cells")
    random = np.random.default_rng(seed)
    x, y = (random.normal(scale=rank**-0.25, size=(n, rank)).astype(np.float32) for n in (users, items))
    b, c = (random.normal(scale=BIAS, size=n) for n in (users, items))
    popularity = random.permutation(-SKEW * np.log(np.arange(1.0, items + 1.0)))
    agree = x @ y.T
    # The largest log-weights plus Gumbel noise are a draw without replacement (Yellott 1977; the exponential race).
    race = random.standard_exponential(agree.shape, dtype=np.float32)
    np.log(np.maximum(race, 1e-12, out=race), out=race)  # single precision may draw a 0
    np.subtract(agree, race, out=race)
    race += random.normal(scale=ACTIVITY, size=(users, 1)).astype(np.float32)
    race += popularity.astype(np.float32)
    cells = np.sort(np.argpartition(race.ravel(), -ratings)[-ratings:])
    u, i = np.divmod(cells, items)
    means = MEAN + b[u] + c[i] + taste * agree.ravel()[cells].astype(np.float64)
    rated = means + noise * random.normal(size=ratings)

    def matrix(values):
        return sparse.csr_array((values, (u, i)), shape=(users, items))

    return Ratings(matrix(rated), matrix(means), x, y)
