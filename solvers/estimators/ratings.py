"""What `MatrixFactorization` is given: parameters, sparse ratings, places of users and items."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from ..contract import require

FEEDBACK = ("explicit", "implicit")
SOLVERS = {"explicit": ("als", "als_cg", "sgd"), "implicit": ("als", "als_cg")}
FORMATS_WITH_REPEATS = ("coo", "csr", "csc")  # the others have a cell once


def read_ratings(estimator, X, *, implicit: bool, reset: bool) -> Any:
    """Ratings (users, items) in canonical compressed rows, float64 or float32; X itself stays as it is."""
    if not sparse.issparse(X):
        raise TypeError(
            f"X: got {type(X).__name__}, expected a scipy.sparse matrix of ratings, users in its rows: a dense array "
            f"does not say which cells are unknown"
        )
    rows: Any = sparse.csr_array(X)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    if not implicit and X.format in FORMATS_WITH_REPEATS and rows.nnz < X.nnz:
        raise ValueError(f"X: got {X.nnz - rows.nnz} cells twice, expected one rating for a user and an item")
    rows = validate_data(estimator, rows, accept_sparse="csr", dtype=(np.float64, np.float32), reset=reset)
    if implicit and rows.nnz:
        lowest = rows.data.min()
        require(lowest >= 0, "X", float(lowest), "no negative entries where feedback is implicit")
        if lowest == 0:
            rows = rows.copy()
            rows.eliminate_zeros()  # which say as little as a cell without an entry
    return rows


def split_ratings(ratings, held) -> tuple[Any, Any]:
    """The ratings where `held` (ratings,) is False, and those where it is True."""
    u = np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr))

    def part(chosen):
        return sparse.csr_array((ratings.data[chosen], (u[chosen], ratings.indices[chosen])), ratings.shape)

    return part(~held), part(held)


def read_places(name: str, places, count: int) -> np.ndarray:
    """Whole numbers of 0 to count - 1."""
    places = np.asarray(places)
    require(places.size == 0 or places.dtype.kind in "iu", name, places.dtype.name, "whole numbers")
    if places.size and not 0 <= places.min() <= places.max() < count:
        wrong = places.min() if places.min() < 0 else places.max()
        raise ValueError(f"{name}: got {wrong}, expected 0 to {count - 1}")
    return places.astype(np.int64)


def whole(number) -> bool:
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def either(words) -> str:
    return " or ".join(map(repr, words))


def check_parameters(estimator, ratings) -> None:
    """Refuse what means nothing, for these ratings."""
    require(ratings.nnz > 0, "X", "no ratings", "at least one")

    def check(name, meaning, condition) -> None:
        value = getattr(estimator, name)
        number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        require(number and condition(value), name, value, meaning)

    least, feedback, solver = min(ratings.shape), estimator.feedback, estimator.solver
    allowed = SOLVERS[feedback]
    require(solver in allowed, "solver", solver, f"{either(allowed)} where feedback is {feedback}")
    side = f"1 to {least}, the lesser side of {ratings.shape}"
    check("n_components", side, lambda rank: whole(rank) and 0 < rank <= least)
    for name in ("max_iter", "cg_steps", "n_iter_no_change"):
        check(name, "a positive whole number", lambda count: whole(count) and count > 0)
    for name in ("confidence", "init_scale", "learning_rate"):
        check(name, "a positive number", lambda size: 0 < size < np.inf)
    if solver == "sgd":
        check("regularization", "a number from 0 on", lambda size: 0 <= size < np.inf)
    else:
        check("regularization", "a positive number", lambda size: 0 < size < np.inf)
    check("tol", "a number from 0 on", lambda size: 0 <= size < np.inf)
    check("validation_fraction", "a number between 0 and 1", lambda part: 0 < part < 1)
