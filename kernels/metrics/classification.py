"""Metrics of predicted classes, as scikit-learn defines them: accuracy and the confusion matrix.

Precision, recall and F are in precision_recall.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..given import as_flag, as_word
from .counting import count_pairs
from .labels import Codes, code, read_pair
from .passes import passing
from .reading import read_weights, total_of, warn


def accuracy_score(y_true, y_pred, *, normalize: bool = True, sample_weight=None) -> float:
    """The share of rows whose label was predicted; of several labels for each row, all of them.

    Parameters
    ----------
    y_true, y_pred : (n,) array_like of whole numbers or of text, or (n, labels) array_like of 0 and 1
        True and predicted labels; indicators may be sparse.
    normalize : bool, default True
        False: how many rows (or their weight), not which share.
    sample_weight : (n,) array_like, optional
        What each row counts; default: 1.

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected: no rows, lengths that differ, numbers that are not
        whole, text in one and numbers in the other.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.accuracy_score(["cat", "dog", "dog", "cow"], ["cat", "dog", "cow", "cow"])
    0.75
    """
    normalize = as_flag("normalize", normalize)
    true, pred = read_pair(y_true, y_pred)
    n = len(true)
    if true.dtype.kind != "i":
        equal = true == pred if true.ndim == 1 else (true == pred).all(axis=1)
        true, pred = equal.astype(np.int64), np.ones(n, np.int64)
    weights = read_weights(sample_weight, n)
    hits = float(hits_of((true, pred, weights), n, 1).sum())
    return hits / total_of(weights, n) if normalize else hits


def balanced_accuracy_score(y_true, y_pred, *, sample_weight=None, adjusted: bool = False) -> float:
    """The mean over the true classes of the share that was predicted (the recall of each).

    Parameters
    ----------
    y_true, y_pred : (n,) array_like of whole numbers or of text
        True and predicted labels.
    sample_weight : (n,) array_like, optional
        What each row counts; default: 1.
    adjusted : bool, default False
        True: scaled so that chance is 0 and perfect 1; of a single class it is NaN, with a warning.

    Raises
    ------
    ValueError
        As `accuracy_score`.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.balanced_accuracy_score([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    adjusted = as_flag("adjusted", adjusted)
    codes, weights = single_labels(y_true, y_pred, sample_weight)
    table, seen = count_pairs(codes, weights)
    of_class = table.sum(axis=1)
    recalls = np.diag(table)[of_class != 0] / of_class[of_class != 0]
    if len(recalls) < seen.sum():
        warn("y_pred has classes that y_true has not", UserWarning)
    score, classes = float(recalls.mean()), len(recalls)
    if not adjusted:
        return score
    if classes == 1:
        warn("balanced_accuracy_score, adjusted for chance, is not defined for a single class; it is NaN")
        return float("nan")
    return (score - 1 / classes) / (1 - 1 / classes)


def confusion_matrix(y_true, y_pred, *, labels=None, sample_weight=None, normalize: Any = None) -> np.ndarray:
    """How many rows of each class (row of the matrix) were predicted as each (column).

    Parameters
    ----------
    y_true, y_pred : (n,) array_like of whole numbers or of text
        True and predicted labels.
    labels : (k,) array_like, optional
        The classes, in the order of the matrix; rows with others are left out. Default: all that occur, ascending.
    sample_weight : (n,) array_like, optional
        What each row counts; default: 1.
    normalize : {"true", "pred", "all"} or None, default None
        Shares of each true class, of each predicted class, or of all rows.

    Returns
    -------
    (k, k) array, of int64 where neither `normalize` nor weights make it float64

    Raises
    ------
    ValueError
        As `accuracy_score`; labels of which none is in y_true.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.confusion_matrix([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2]).tolist()
    [[2, 0, 0], [0, 0, 1], [1, 0, 2]]
    """
    if normalize is not None:
        as_word("normalize", normalize, ("true", "pred", "all"))
    codes, weights = single_labels(y_true, y_pred, sample_weight)
    table, seen = count_pairs(codes, weights)
    if labels is None:
        table = table[np.ix_(seen, seen)]
    else:
        table = _chosen(table, codes, seen, labels)
    if normalize is None:
        return table if weights.size and np.asarray(sample_weight).dtype.kind == "f" else table.astype(np.int64)
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(table / table.sum(axis=axis, keepdims=True))


def _chosen(table: np.ndarray, codes: Codes, seen: np.ndarray, labels) -> np.ndarray:
    wanted = np.asarray(labels).ravel().tolist()
    if not wanted:
        raise ValueError("labels: got none, expected at least one label")
    place = places(codes, seen)
    found = [(k, place[label]) for label, k in {label: k for k, label in enumerate(wanted)}.items() if label in place]
    rows, old = np.array([k for k, _ in found], int), np.array([k for _, k in found], int)
    if not np.isin(codes.true - codes.low, old).any():
        raise ValueError(f"labels: got {wanted}, expected at least one that is in y_true")
    chosen = np.zeros((len(wanted), len(wanted)))
    chosen[np.ix_(rows, rows)] = table[np.ix_(old, old)]
    return chosen


def places(codes: Codes, seen: np.ndarray) -> dict:
    """The code of each label that occurs."""
    return {name: k for k, name in enumerate(codes.names.tolist()) if seen[k]}


def single_labels(y_true, y_pred, sample_weight) -> tuple[Codes, np.ndarray]:
    """One label for each row, or an error; and the weights."""
    true, pred = read_pair(y_true, y_pred)
    if true.ndim == 2:
        raise ValueError(f"y_true: got {true.shape[1]} labels for each row, expected one")
    return code(true, pred), read_weights(sample_weight, len(true))


@passing(threads_from=1 << 23)
def hits_of(data, start, stop, out):
    """The weight of the rows where two columns agree."""
    true, pred, weights = data[0][start:stop], data[1][start:stop], data[2][start:stop]
    total, count = 0.0, 0
    if weights.size:
        for i in range(true.size):
            total += weights[i] if true[i] == pred[i] else 0.0
    else:
        for i in range(true.size):
            count += true[i] == pred[i]
    out[0] = total + count
