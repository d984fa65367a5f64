"""Precision, recall and F, for each label or averaged, as scikit-learn defines them.

    precision = tp / (tp + fp)    recall = tp / (tp + fn)    F = (1 + b²) tp / (b² (tp + fn) + tp + fp)

tp, fp and fn are the weights of the rows where a label is rightly, wrongly and wrongly not predicted.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..given import as_word
from ..reals import is_real, shortened
from .classification import places
from .counting import count_labels
from .labels import Codes, code, read_pair
from .reading import read_weights, warn

OTHERS = "'micro', 'macro' or 'weighted'"
AVERAGES = ("binary", "micro", "macro", "weighted", "samples")
SCORES = {"precision": "no predicted", "recall": "no true", "f-score": "neither true nor predicted"}


def precision_score(
    y_true, y_pred, *, labels=None, pos_label: Any = 1, average: Any = "binary", sample_weight=None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The share of the predicted positives that are true: tp / (tp + fp).

    Parameters, what is returned and what is raised are those of `precision_recall_fscore_support`.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.precision_score([0, 1, 1, 0], [1, 1, 1, 1])
    0.5
    """
    scores = Scores(y_true, y_pred, 1.0, labels, pos_label, average, sample_weight, zero_division, ("precision",))
    return scores.averaged()[0]


def recall_score(
    y_true, y_pred, *, labels=None, pos_label: Any = 1, average: Any = "binary", sample_weight=None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The share of the true positives that were predicted: tp / (tp + fn).

    Parameters, what is returned and what is raised are those of `precision_recall_fscore_support`.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.recall_score([0, 1, 1, 1], [0, 1, 0, 0], average="macro").__round__(6)
    0.666667
    """
    scores = Scores(y_true, y_pred, 1.0, labels, pos_label, average, sample_weight, zero_division, ("recall",))
    return scores.averaged()[1]


def f1_score(
    y_true, y_pred, *, labels=None, pos_label: Any = 1, average: Any = "binary", sample_weight=None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn).

    Parameters, what is returned and what is raised are those of `precision_recall_fscore_support`.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.f1_score(["a", "b", "b"], ["a", "b", "a"], average=None).round(6).tolist()
    [0.666667, 0.666667]
    """
    scores = Scores(y_true, y_pred, 1.0, labels, pos_label, average, sample_weight, zero_division, ("f-score",))
    return scores.averaged()[2]


def precision_recall_fscore_support(
    y_true, y_pred, *, beta: float = 1.0, labels=None, pos_label: Any = 1, average: Any = None,
    warn_for: Any = ("precision", "recall", "f-score"), sample_weight=None, zero_division: Any = "warn",
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """Precision, recall, F and support of each label, or averaged.

    Parameters
    ----------
    y_true, y_pred : (n,) array_like of whole numbers or of text, or (n, m) array_like of 0 and 1
        True and predicted labels; indicators of several labels for each row may be sparse.
    beta : float, default 1.0
        What recall counts in F beside precision, 0 to infinity.
    labels : (k,) array_like, optional
        The labels, in this order; default: all that occur, ascending. Of indicators: columns.
    pos_label : label, default 1
        The positive class of the average "binary".
    average : {"binary", "micro", "macro", "weighted", "samples"} or None
        "binary": of `pos_label` only, where there are at most two; "micro": of all labels together; "macro": the mean
        over the labels; "weighted": by their support; "samples": the mean over rows of indicators; None: of each label.
        Default: None here, "binary" for the single scores.
    warn_for : names of scores
        Which of them warn where they are not defined.
    sample_weight : (n,) array_like, optional
        What each row counts; default: 1.
    zero_division : {"warn", 0.0, 1.0, nan}, default "warn"
        What stands for 0/0; "warn" is 0 and a warning; NaN is left out of averages.

    Returns
    -------
    precision, recall, fscore : float, or (k,) arrays where `average` is None
    support : (k,) array, how often each label is true; None where they are averaged

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> import thalweg as tw
    >>> p, r, f, s = tw.metrics.precision_recall_fscore_support([0, 0, 1, 1], [0, 1, 1, 1])
    >>> p.round(3).tolist(), r.tolist(), f.round(3).tolist(), s.tolist()
    ([1.0, 0.667], [0.5, 1.0], [0.667, 0.8], [2, 2])
    """
    scores = Scores(y_true, y_pred, beta, labels, pos_label, average, sample_weight, zero_division, warn_for)
    support = None if average is not None else scores.counts.true if scores.weighted else scores.counts.true.astype(int)
    return *scores.averaged(), support


class Counts(NamedTuple):
    """Of each label, or of each row: weights of rows, or numbers of labels."""

    hits: np.ndarray
    true: np.ndarray
    pred: np.ndarray


class Scores:
    """Precision, recall and F, in this order."""

    def __init__(
        self, y_true, y_pred, beta, labels, pos_label, average, sample_weight, zero_division, warn_for
    ):  # fmt: skip
        if average is not None:
            as_word("average", average, AVERAGES)
        if not (is_real(beta) and beta >= 0):
            raise ValueError(f"beta: got {shortened(beta)}, expected a number, 0 or more")
        self.undefined = _undefined(zero_division)
        self.warn_for = set(warn_for) if zero_division == "warn" else set()
        self.average = average
        true, pred = read_pair(y_true, y_pred)
        self.weights = read_weights(sample_weight, len(true))
        self.weighted = bool(self.weights.size)
        if average != "binary" and pos_label is not None and pos_label != 1:
            message = f"pos_label: {pos_label!r} has no meaning for average={average!r}; labels=[...] chooses labels"
            warn(message, UserWarning)
        if true.ndim == 2:
            self.counts = _of_indicators(true, pred, labels, self.weights, average)
        else:
            self.counts = _of_codes(code(true, pred), labels, pos_label, self.weights, average)
        counts = Counts(*(c.sum(keepdims=True) for c in self.counts)) if average == "micro" else self.counts
        precision = self.ratio("precision", counts.hits, counts.pred)
        recall = self.ratio("recall", counts.hits, counts.true)
        self.values = precision, recall, self.f(float(beta), counts, precision, recall)

    def f(self, beta, counts, precision, recall) -> np.ndarray:
        if math.isinf(beta):
            return recall
        if beta == 0.0:
            return precision
        return self.ratio("f-score", (1 + beta**2) * counts.hits, beta**2 * counts.true + counts.pred)

    def ratio(self, name: str, numerator, denominator) -> np.ndarray:
        wrong = denominator == 0.0
        ratio = numerator / np.where(wrong, 1.0, denominator)
        if wrong.any():
            ratio[wrong] = self.undefined
            if name in self.warn_for:
                what = "row" if self.average == "samples" else "label"
                warn(f"{name} is not defined for a {what} with {SCORES[name]} positives; 0 stands for it")
        return ratio

    def averaged(self) -> tuple[Any, Any, Any]:
        if self.average is None:
            return self.values
        weights = {"weighted": self.counts.true, "samples": self.weights}.get(self.average, np.empty(0))
        precision, recall, f = (_mean(value, weights) for value in self.values)
        return precision, recall, f


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Of what is not NaN; unweighted where the weights add up to 0."""
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    if weights.size and weights[known].sum() != 0.0:
        return float(np.average(values[known], weights=weights[known]))
    return float(values[known].mean())


def _undefined(zero_division) -> float:
    if isinstance(zero_division, str):
        as_word("zero_division", zero_division, ("warn",))
        return 0.0
    if not is_real(zero_division) or (zero_division not in (0, 1) and zero_division == zero_division):
        raise ValueError(f"zero_division: got {shortened(zero_division)}, expected 'warn', 0.0, 1.0 or nan")
    return float(zero_division)


def _of_codes(codes: Codes, labels, pos_label, weights: np.ndarray, average) -> Counts:
    if average == "samples":
        raise ValueError("average: got 'samples' for a single label in each row, expected several")
    table, seen = count_labels(codes, weights)
    place = places(codes, seen)
    if average == "binary":
        if len(place) > 2:
            raise ValueError(f"average: got 'binary' for {len(place)} classes, expected None, {OTHERS}")
        if len(place) == 2 and pos_label not in place:
            raise ValueError(f"pos_label: got {pos_label!r}, expected one of {list(place)}")
        labels = [pos_label]
    if labels is None:
        return Counts(*table[:, seen])
    wanted = np.array([place.get(label, -1) for label in np.ravel(labels).tolist()], dtype=int)
    return Counts(*np.hstack([table, np.zeros((3, 1))])[:, wanted])  # a label that does not occur has the zeros


def _of_indicators(true: np.ndarray, pred: np.ndarray, labels, weights: np.ndarray, average) -> Counts:
    if average == "binary":
        raise ValueError(f"average: got 'binary' for several labels in each row, expected None, 'samples', {OTHERS}")
    if labels is not None:
        columns, many = np.asarray(labels), true.shape[1]
        if not (columns.dtype.kind in "iu" and ((columns >= 0) & (columns < many)).all()):
            raise ValueError(f"labels: got {shortened(labels)}, expected columns, 0 to {many - 1}")
        true, pred = true[:, columns], pred[:, columns]
    tables = (true & pred, true, pred)
    if average == "samples":
        kept = (weights != 0.0) if weights.size else 1.0
        return Counts(*(table.sum(axis=1) * kept for table in tables))
    return Counts(*(weights @ table if weights.size else table.sum(axis=0, dtype=float) for table in tables))
