"""The curves of scores that rank rows, as scikit-learn defines them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..given import as_flag
from .reading import warn
from .scored import Scored, is_label, two_classes, without_positives
from .sorting import Ranking, rank


def roc_curve(
    y_true, y_score, *, pos_label: Any = None, sample_weight=None, drop_intermediate: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Rates of false and of true positives at each threshold.

    Parameters
    ----------
    y_true : (n,) array_like of whole numbers or text
        True labels.
    y_score : (n,) array_like
        Scores, in any unit.
    pos_label : label, optional
        The positive class; default: 1, where the labels are 0 and 1, or -1 and 1.
    sample_weight : (n,) array_like, optional
        What each row counts, 0 or more; default: 1.
    drop_intermediate : bool, default True
        Leave out points on the straight line between their neighbours, where steps are equal.

    Returns
    -------
    fpr, tpr, thresholds : (k,) arrays
        Shares of the negative and of the positive rows with a score of the threshold or more; thresholds descend from
        infinity. NaN, with a warning, where there are no negative, or no positive rows.

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> import thalweg as tw
    >>> fpr, tpr, thresholds = tw.metrics.roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr.tolist(), tpr.tolist(), thresholds.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0], [inf, 0.8, 0.4, 0.35, 0.1])
    """
    drop_intermediate = as_flag("drop_intermediate", drop_intermediate)
    return _roc(_ranking(y_true, y_score, pos_label, sample_weight), drop_intermediate)


def precision_recall_curve(
    y_true, y_score, *, pos_label: Any = None, sample_weight=None, drop_intermediate: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Precision and recall at each threshold.

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight
        As in `roc_curve`.
    drop_intermediate : bool, default False
        Leave out thresholds where recall is that of both neighbours.

    Returns
    -------
    precision, recall : (k + 1,) arrays
        Of the rows with a score of the threshold or more; the last are 1 and 0, without a threshold. Recall is 1, with
        a warning, where no row is positive.
    thresholds : (k,) array
        Ascending.

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> import thalweg as tw
    >>> precision, recall, thresholds = tw.metrics.precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> precision.round(3).tolist(), recall.tolist(), thresholds.tolist()
    ([0.5, 0.667, 0.5, 1.0, 1.0], [1.0, 1.0, 0.5, 0.5, 0.0], [0.1, 0.35, 0.4, 0.8])
    """
    drop_intermediate = as_flag("drop_intermediate", drop_intermediate)
    scores, false, true = _ranking(y_true, y_score, pos_label, sample_weight)
    if drop_intermediate and len(true) > 2:
        rises = np.diff(true) != 0
        kept = np.concatenate([[True], rises[:-1] | rises[1:], [True]])
        scores, false, true = scores[kept], false[kept], true[kept]
    precision = true / (true + false)
    recall = true / true[-1] if true[-1] else without_positives(np.ones(len(true)))
    return np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0), scores[::-1].copy()


def _ranking(y_true, y_score, pos_label, sample_weight) -> Ranking:
    data = Scored(y_true, y_score, sample_weight)
    if data.labels.ndim == 2:
        raise ValueError(f"y_true: got {data.labels.shape[1]} labels for each row, expected one")
    if pos_label is None:
        pos_label, binary = 1, two_classes(data.labels)
        if binary is None or binary.names not in ((0, 1), (-1, 1), (0,), (-1,), (1,)):
            raise ValueError("pos_label: got None, expected the positive label, as y_true has others than 0 and 1")
    return rank(is_label(data.labels, pos_label), data.one_score(), data.weights)


def _roc(ranking: Ranking, drop_intermediate: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores, false, true = ranking
    if drop_intermediate and len(scores) > 2:
        bends = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        kept = np.concatenate([[True], bends, [True]])
        scores, false, true = scores[kept], false[kept], true[kept]
    rates = []
    for counts, name in ((false, "negative"), (true, "positive")):
        counts = np.append(0.0, counts)
        if not counts[-1]:
            warn(f"the rate of {name} rows is not defined where there are none; it is NaN")
        rates.append(counts / counts[-1] if counts[-1] else np.full(len(counts), np.nan))
    return rates[0], rates[1], np.append(np.inf, scores)
