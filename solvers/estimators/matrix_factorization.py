"""Recommendation: factors of a sparse matrix of ratings, by alternating least squares or stochastic gradients."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...kernels.compile.waiting import explained
from ...kernels.data.factors import Model, estimates
from ..contract import require
from ..learning.factorisation import Alternating, Ratings, Stochastic, factorise, starting_rows
from ..learning.recommending import Ranking, best_of, error_of, fold_in, rank
from .ratings import FEEDBACK, check_parameters, either, read_places, read_ratings, split_ratings, whole
from .threads import threads


class MatrixFactorization(BaseEstimator):
    """Ratings of items by users as products of few factors; what a user has not seen is predicted and recommended.

    Explicit feedback (stars, marks): the estimate of a rating is mean + b_u + c_i + x_u·y_i, and the objective is

        sum over ratings of (r - estimate)² + regularization (|x_u|² + b_u² + |y_i|² + c_i²)

    so a row's penalty is as great as its number of ratings (Zhou et al. 2008; Koren, Bell and Volinsky 2009). Implicit
    feedback (counts, minutes: r > 0 says how sure we are that the user likes the item; no entry says nothing):

        sum over all users and items of c (p - x_u·y_i)² + regularization (|x_u|² + |y_i|²)
        p = 1 where r > 0, else 0;  c = 1 + confidence r           (Hu, Koren and Volinsky 2008)

    Parameters
    ----------
    n_components : int, default 32
        Factors of a user and of an item: the rank, at most the lesser side of the matrix.
    feedback : {"explicit", "implicit"}, default "explicit"
    solver : {"als", "als_cg", "sgd"}, default "als"
        Alternating least squares, exact or by `cg_steps` conjugate gradients (Takacs et al. 2011: less work from about
        64 factors on), or stochastic gradient descent on disjoint blocks (Gemulla et al. 2011; explicit feedback only).
    regularization : float, default 0.05
        Greater than 0, for "sgd" 0 or more.
    confidence : float, default 40
        Of implicit feedback (the paper's alpha and value). Without a meaning for explicit feedback.
    biases : bool, default True
        Whether explicit feedback has the mean and the biases b_u and c_i. Implicit feedback has none.
    init_scale : float, default 0.1
        Standard deviation of the normal numbers that factors begin with.
    max_iter : int, default 50
        Iterations over both sides, or epochs.
    tol : float, default 1e-4
        Done when an iteration lowers the objective by no more than this part of it. 0: go to max_iter, silently.
    cg_steps : int, default 3
        Of "als_cg", for each row in each iteration.
    learning_rate : float, default 0.05
        Of "sgd" in the first epoch; after t epochs it is learning_rate / (1 + t / 10).
    early_stopping : bool, default False
        Hold out some ratings, and stop when their score has not improved for `n_iter_no_change` iterations; the factors
        that scored best are kept. Explicit: the root mean square error; implicit: NDCG at 10.
    validation_fraction : float, default 0.1
    n_iter_no_change : int, default 3
    n_jobs : int, optional
        Threads; None or -1: all cores. The same bits on any number of them.
    random_state : int, RandomState or None
        The same whole number gives the same bits.
    verbose : int, default 0
        1: print the objective after each iteration.

    Attributes
    ----------
    user_factors_, item_factors_ : (users, n_components), (items, n_components)
        Of single precision where X is, else double. Of users and items without ratings: 0.
    user_biases_, item_biases_ : (users,), (items,)
    mean_ : float
    n_iter_ : int
    loss_curve_ : list of float
        The objective after each iteration.
    validation_scores_ : list of float
        With early_stopping, after each iteration; greater is better.
    n_features_in_ : int
        Items.

    Notes
    -----
    `fit` takes a scipy.sparse matrix, users in its rows. Each of its entries is a rating (for explicit feedback 0
    stars, too), the other cells are unknown. A dense array does not say what is unknown and is refused; so most checks
    of scikit-learn's check_estimator, which try dense data, do not apply. Parameters, cloning, pickling, NotFittedError
    and what is said of NaN are as scikit-learn has them.

    A user without ratings is predicted by what is known of the items (explicit: mean + c_i; implicit: 0), and an item
    without ratings likewise. Double precision takes about 1.4 times as long as single precision.

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected; NaN or infinity in X; the same cell twice (explicit);
        negative entries (implicit); factors that overflow.

    Examples
    --------
    >>> import numpy as np, thalweg as tw
    >>> from scipy import sparse
    >>> stars = sparse.csr_array(np.array([[5, 4, 0, 1], [4, 5, 1, 0], [1, 0, 5, 4], [0, 1, 4, 5]]))  # 0: not stored
    >>> model = tw.MatrixFactorization(1, random_state=0).fit(stars)
    >>> items, estimates = model.recommend(0, n=1)
    >>> items
    array([2])
    >>> bool(estimates[0] < 3)
    True
    """

    n_iter_: int
    loss_curve_: list[float]
    validation_scores_: list[float]

    def __init__(
        self, n_components: int = 32, *, feedback: str = "explicit", solver: str = "als", regularization: float = 0.05,
        confidence: float = 40.0, biases: bool = True, init_scale: float = 0.1, max_iter: int = 50, tol: float = 1e-4,
        cg_steps: int = 3, learning_rate: float = 0.05, early_stopping: bool = False, validation_fraction: float = 0.1,
        n_iter_no_change: int = 3, n_jobs: int | None = None, random_state: Any = None, verbose: int = 0,
    ):  # fmt: skip
        self.n_components = n_components
        self.feedback = feedback
        self.solver = solver
        self.regularization = regularization
        self.confidence = confidence
        self.biases = biases
        self.init_scale = init_scale
        self.max_iter = max_iter
        self.tol = tol
        self.cg_steps = cg_steps
        self.learning_rate = learning_rate
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @explained("MatrixFactorization", 12)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Factors of the ratings X (users, items), scipy.sparse; y is not used."""
        ratings = self._read(X, reset=True)
        check_parameters(self, ratings)
        random = check_random_state(self.random_state)
        self._seen = sparse.csr_array((np.ones(ratings.nnz, bool), ratings.indices, ratings.indptr), ratings.shape)
        held = None
        if self.early_stopping:
            ratings, held = split_ratings(ratings, random.uniform(size=ratings.nnz) < self.validation_fraction)
        with threads(self.n_jobs):
            self._fit(ratings, held, random)
        return self

    def predict(self, users: Any, items: Any) -> np.ndarray:
        """Estimates for pairs of users and items, whole numbers that are broadcast against each other."""
        check_is_fitted(self)
        u = read_places("users", users, self._users.shape[0])
        i = read_places("items", items, self._items.shape[0])
        u, i = np.broadcast_arrays(u, i)
        out = np.empty(u.size)
        with threads(self.n_jobs):
            estimates(u.ravel(), i.ravel(), self._users, self._items, self._model, out)
        return out.reshape(u.shape)

    def recommend(self, user: Any, n: int = 10, *, exclude_seen: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """The n items of the highest estimates, best first, and these estimates.

        user : int, array of ints (k,), or scipy.sparse (k, items)
            Who was in the fitted matrix, or rows of ratings of new users, whose factors are solved for.
        exclude_seen : bool, default True
            Leave out what the user has rated.

        For one int both answers have up to n entries, else (k, n) of them: -1 and -inf where there are no more items.
        """
        check_is_fitted(self)
        require(whole(n) and n > 0, "n", n, "a positive whole number")
        if hasattr(user, "tocsr"):
            seen = self._read(user, reset=False)
            rows = self._fold_in(seen)
        else:
            chosen = read_places("user", user, self._users.shape[0])
            seen, rows = self._seen[chosen.ravel()], self._users[chosen.ravel()]
        if not exclude_seen:
            seen = sparse.csr_array(seen.shape, dtype=bool)
        with threads(self.n_jobs):
            found, scores = best_of(rows, self._items, seen, n, self._model)
        if np.ndim(user) == 0 and not hasattr(user, "tocsr"):
            there = found[0] >= 0
            return found[0][there], scores[0][there]
        return found, scores

    def similar_items(self, item: Any, n: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The n other items whose factors have the highest cosine with those of `item`, and these cosines."""
        check_is_fitted(self)
        require(whole(n) and n > 0, "n", n, "a positive whole number")
        item = int(read_places("item", item, self._items.shape[0]).item())
        lengths = np.linalg.norm(self.item_factors_, axis=1)
        directions = self.item_factors_ / np.where(lengths > 0.0, lengths, 1.0)[:, None]
        itself = sparse.csr_array(([True], ([0], [item])), shape=(1, len(directions)))
        alone = Model(directions.shape[1], 0, 0.0, 0.0)
        with threads(1):
            found, scores = best_of(directions[item : item + 1], directions, itself, n, alone)
        return found[0][found[0] >= 0], scores[0][found[0] >= 0]

    def transform(self, X: Any) -> np.ndarray:
        """Factors (k, n_components) of new users, from their ratings X (k, items); items stay as they are."""
        check_is_fitted(self)
        return self._fold_in(self._read(X, reset=False))[:, : self._model.rank]

    def score(self, X: Any, y: Any = None) -> float:
        """How well ratings X (users, items) of the fitted users are told that were not fitted; greater is better.

        Explicit: minus the root mean square error. Implicit: NDCG at 10, where items that were fitted are left out.
        """
        check_is_fitted(self)
        if self._model.confidence > 0.0:
            return self.rank_score(X).ndcg
        ratings = self._read_fitted(X)
        with threads(self.n_jobs):
            return -error_of(self._users, self._items, ratings, self._model)

    def rank_score(self, X: Any, n: int = 10) -> Ranking:
        """How many of n recommendations, without what was fitted, are entries of X (users, items)."""
        check_is_fitted(self)
        require(whole(n) and n > 0, "n", n, "a positive whole number")
        right = self._read_fitted(X)
        with threads(self.n_jobs):
            return rank(self._users, self._items, self._seen, right, n, self._model)

    @property
    def user_factors_(self) -> np.ndarray:
        return self._users[:, : self._model.rank]

    @property
    def item_factors_(self) -> np.ndarray:
        return self._items[:, : self._model.rank]

    @property
    def user_biases_(self) -> np.ndarray:
        return self._users[:, self._model.rank] if self._model.biases else np.zeros(len(self._users))

    @property
    def item_biases_(self) -> np.ndarray:
        return self._items[:, self._model.rank] if self._model.biases else np.zeros(len(self._items))

    @property
    def mean_(self) -> float:
        return self._model.mean

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_users")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _read(self, X, *, reset: bool) -> Any:
        require(self.feedback in FEEDBACK, "feedback", self.feedback, either(FEEDBACK))
        return read_ratings(self, X, implicit=self.feedback == "implicit", reset=reset)

    def _read_fitted(self, X) -> Any:
        """Other ratings of the fitted users."""
        ratings = self._read(X, reset=False)
        require(ratings.shape[0] == len(self._users), "X", ratings.shape, f"{len(self._users)} rows, the fitted users")
        require(ratings.nnz > 0, "X", "no ratings", "at least one")
        return ratings

    def _fit(self, ratings, held, random) -> None:
        implicit, size = self.feedback == "implicit", self.n_components
        biases = bool(self.biases) and not implicit
        mean = float(ratings.data.mean(dtype=np.float64)) if biases else 0.0
        self._model = Model(size, int(biases), mean, float(self.confidence) if implicit else 0.0)
        sides = Ratings.of(ratings), Ratings.of(ratings.T.tocsr())
        rows = (starting_rows(side, size, biases, self.init_scale, random, ratings.dtype) for side in sides)
        arguments = (*sides, self._model, float(self.regularization), *rows)
        if self.solver == "sgd":
            method = Stochastic(*arguments, rate=float(self.learning_rate), seed=int(random.randint(2**31)))
        else:
            method = Alternating(*arguments, steps=self.cg_steps if self.solver == "als_cg" else 0)
        score = None if held is None else _scoring(ratings, held, self._model)
        limits = {"max_iter": self.max_iter, "tol": self.tol, "patience": self.n_iter_no_change}
        fit = factorise(method, **limits, score=score, tell=_tell if self.verbose else None)
        self._users, self._items, self.loss_curve_, self.validation_scores_, settled = fit
        self.n_iter_ = len(self.loss_curve_)
        if not np.isfinite(self.loss_curve_[-1]):
            raise ValueError(
                f"Floating-point overflow in iteration {self.n_iter_}: more regularization, a lower learning_rate or "
                f"ratings of double precision may help"
            )
        if not settled and self.tol > 0:
            warnings.warn(
                f"max_iter={self.max_iter} was reached while the objective still fell by more than tol={self.tol} of "
                f"itself: increase one of them",
                ConvergenceWarning, stacklevel=3,
            )  # fmt: skip

    def _fold_in(self, ratings) -> np.ndarray:
        with threads(self.n_jobs):
            return fold_in(self._items, ratings, float(self.regularization), self._model)


def _scoring(ratings, held, model: Model):
    """The score of factors on what is held out."""
    if model.confidence > 0.0:
        return lambda users, items: rank(users, items, ratings, held, 10, model).ndcg
    return lambda users, items: -error_of(users, items, held, model)


def _tell(iteration, loss, score) -> None:
    print(f"iteration {iteration}: loss {loss:.6g}" + ("" if score is None else f", validation score {score:.6g}"))
