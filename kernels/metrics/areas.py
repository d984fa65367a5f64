"""The areas under the curves of scores that rank rows, as scikit-learn defines them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..given import as_word
from ..reals import is_real, shortened
from .labels import code, read_labels
from .reading import NONE, warn
from .scored import Scored, averaged, is_label, two_classes, without_positives
from .sorting import area, mean_precision, rank

AVERAGES = ("micro", "macro", "weighted", "samples")


def roc_auc_score(
    y_true, y_score, *, average: Any = "macro", sample_weight=None, max_fpr: Any = None, multi_class: str = "raise",
    labels=None,
) -> Any:  # fmt: skip
    """The area under the ROC curve: how often a positive row has a higher score than a negative one, ties by half.

    Parameters
    ----------
    y_true : (n,) array_like of whole numbers or text, or (n, m) array_like of 0 and 1
        True labels; of two, the greater one is the positive class.
    y_score : (n,) or (n, m) array_like
        Scores, in any unit; probabilities of the m classes, in the order of the labels, where there are more than two.
    average : {"macro", "weighted", "micro", "samples"} or None, default "macro"
        How the areas of several classes or labels become one number: their mean, weighted by how often they are true,
        the area of all together, the mean over rows; None: the area of each.
    sample_weight : (n,) array_like, optional
        What each row counts, 0 or more; default: 1.
    max_fpr : float, optional
        Only the part of the curve up to this rate of false positives, scaled as McClish (1989).
    multi_class : {"raise", "ovr", "ovo"}, default "raise"
        More than two classes: refused, each against the rest, or each pair of classes.
    labels : (m,) array_like, optional
        The classes of the columns of y_score, ascending; default: those in y_true.

    Returns
    -------
    float, or an array where `average` is None; NaN, with a warning, where only one class is in y_true

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    _average(average)
    as_word("multi_class", multi_class, ("raise", "ovr", "ovo"))
    if max_fpr is not None and not (is_real(max_fpr) and 0 < max_fpr <= 1):
        raise ValueError(f"max_fpr: got {shortened(max_fpr)}, expected a number above 0, up to 1")
    data = Scored(y_true, y_score, sample_weight)
    binary = two_classes(data.labels) if data.labels.ndim == 1 else None
    if data.labels.ndim == 2:
        return averaged(partial(_area, max_fpr=max_fpr), data.labels, data.scores, data.weights, average)
    if binary is not None and (data.scores.ndim == 1 or data.scores.shape[1] <= 2):
        return _area(binary.positive, data.one_score(), data.weights, max_fpr)
    if max_fpr is not None and max_fpr != 1:
        raise ValueError(f"max_fpr: got {max_fpr} for more than two classes, expected None")
    if multi_class == "raise":
        raise ValueError("multi_class: got 'raise' for more than two classes, expected 'ovr' or 'ovo'")
    indicators = _classes_of_columns(data, labels)
    if multi_class == "ovr":
        if average == "samples":
            raise ValueError("average: got 'samples' for more than two classes, expected None or another word")
        return averaged(_area, indicators, data.scores, data.weights, average)
    if average not in ("macro", "weighted"):
        raise ValueError(f"average: got {average!r} for multi_class='ovo', expected 'macro' or 'weighted'")
    if data.weights.size:
        raise ValueError("sample_weight: got weights for multi_class='ovo', expected None")
    return _pairs(indicators, data.scores, average)


def average_precision_score(
    y_true, y_score, *, average: Any = "macro", pos_label: Any = 1, sample_weight=None
) -> Any:  # fmt: skip
    """The precision at each score, weighted by how much recall rises there; not interpolated.

    Parameters
    ----------
    y_true, y_score, average, sample_weight
        As in `roc_auc_score`; the classes of the columns of y_score are those in y_true, each against the rest.
    pos_label : label, default 1
        The positive class, where there are two.

    Returns
    -------
    float, or an array where `average` is None; 0, with a warning, where no row is positive

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> import thalweg as tw
    >>> round(tw.metrics.average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 6)
    0.833333
    """
    _average(average)
    data = Scored(y_true, y_score, sample_weight)
    binary = two_classes(data.labels) if data.labels.ndim == 1 else None
    if binary is not None:
        if len(binary.names) == 2 and pos_label not in binary.names:
            raise ValueError(f"pos_label: got {pos_label!r}, expected one of {list(binary.names)}")
        return _precision(is_label(data.labels, pos_label), data.one_score(), data.weights)
    if pos_label != 1:
        raise ValueError(f"pos_label: got {pos_label!r} for more than two classes or labels, expected 1")
    indicators = data.labels if data.labels.ndim == 2 else _classes_of_columns(data, None, probabilities=False)
    return averaged(_precision, indicators, data.scores, data.weights, average)


def _classes_of_columns(data: Scored, labels, probabilities: bool = True) -> np.ndarray:
    """(n, m) bool: of which class a row is."""
    codes = code(data.labels, data.labels)
    classes = codes.names[np.bincount(codes.true - codes.low) > 0]
    if labels is not None:
        present, classes = classes, read_labels("labels", labels)
        if list(classes) != sorted(set(classes)):
            raise ValueError(f"labels: got {shortened(list(classes))}, expected different ones that ascend")
        if not set(present) <= set(classes):
            raise ValueError(f"labels: got {shortened(list(classes))}, expected all that are in y_true")
    if data.scores.ndim == 1 or data.scores.shape[1] != len(classes):
        raise ValueError(f"y_score: got shape {data.scores.shape}, expected ({len(data.labels)}, {len(classes)})")
    if probabilities and not np.allclose(data.scores.sum(axis=1), 1.0):
        raise ValueError("y_score: got rows that do not add up to 1, expected probabilities")
    return data.labels[:, None] == classes


def _average(average) -> None:
    if average is not None:
        as_word("average", average, AVERAGES)


def _pairs(indicators: np.ndarray, scores: np.ndarray, average: str) -> float:
    """The mean over pairs of classes of their two areas (Hand and Till 2001)."""
    found = np.flatnonzero(indicators.any(axis=0))
    values, shares = [], []
    for place, a in enumerate(found):
        for b in found[place + 1 :]:
            rows = indicators[:, a] | indicators[:, b]
            areas = [_area(indicators[rows, j], scores[rows, j], NONE) for j in (a, b)]
            values.append(sum(areas) / 2)
            shares.append(rows.mean())
    if not values:
        return _single_class()
    return float(np.average(values, weights=shares if average == "weighted" else None))


def _area(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray, max_fpr: Any = None) -> float:
    """The area under the ROC curve."""
    ranking = rank(positive, scores, weights)
    false, true = float(ranking.false[-1]), float(ranking.true[-1])
    if not (false and true):
        return _single_class()
    if max_fpr is None or max_fpr == 1:
        return area(ranking.false, ranking.true) / (false * true)
    x, y = np.append(0.0, ranking.false / false), np.append(0.0, ranking.true / true)
    inside = np.searchsorted(x, max_fpr, side="right")
    y_end = np.interp(max_fpr, x[inside - 1 : inside + 1], y[inside - 1 : inside + 1])
    part = area(np.append(x[:inside], max_fpr), np.append(y[:inside], y_end))
    least = max_fpr**2 / 2  # of a ranking by chance
    return float((1 + (part - least) / (max_fpr - least)) / 2)


def _single_class() -> float:
    warn("roc_auc_score is not defined where y_true has a single class; it is NaN")
    return float("nan")


def _precision(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    ranking = rank(positive, scores, weights)
    if not ranking.true[-1]:
        return float(without_positives(np.zeros(1))[0])
    return mean_precision(ranking.false, ranking.true) / float(ranking.true[-1])
