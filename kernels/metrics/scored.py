"""What ranks rows: labels and scores, as metrics and curves take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .labels import code, read_labels
from .reading import NONE, finite, read_numbers, read_weights, same_length, warn


class Scored:
    """Labels, scores and weights of as many rows."""

    def __init__(self, y_true, y_score, sample_weight):
        self.labels = read_labels("y_true", y_true)
        self.scores = read_numbers("y_score", y_score)
        n = len(self.labels)
        same_length("y_score", self.scores, n)
        finite(y_score=self.scores)
        self.weights = read_weights(sample_weight, n)
        if self.weights.size and self.weights.min() < 0:
            raise ValueError(f"sample_weight: got {self.weights.min()}, expected 0 or more")
        if self.labels.ndim == 2 and self.scores.shape != self.labels.shape:
            raise ValueError(f"y_score: got an array of shape {self.scores.shape}, expected {self.labels.shape}")

    def one_score(self) -> np.ndarray:
        """(n,) the scores, having seen that there is one for each row."""
        if self.scores.size != len(self.scores):
            raise ValueError(f"y_score: got an array of shape {self.scores.shape}, expected one score for each row")
        return self.scores.reshape(-1)


class TwoClasses(NamedTuple):
    names: tuple[Any, ...]  # one or two, ascending
    positive: np.ndarray  # (n,) bool: the greater one


def two_classes(labels: np.ndarray) -> TwoClasses | None:
    """None where there are more."""
    codes = code(labels, labels)
    last = len(codes.names) - 1
    positive = codes.true == codes.low + last
    if np.count_nonzero(positive) + np.count_nonzero(codes.true == codes.low) < len(labels):
        return None if last else TwoClasses((codes.names[0],), positive)
    return TwoClasses(tuple(codes.names[[0, last]].tolist()[: 1 + bool(last)]), positive)


def is_label(labels: np.ndarray, label: Any) -> np.ndarray:
    """(n,) bool: which labels are this one; none where it is of another kind."""
    if isinstance(label, str) == (labels.dtype.kind == "i"):
        return np.zeros(len(labels), bool)
    return labels == label


def averaged(metric: Callable, positive: np.ndarray, scores: np.ndarray, weights: np.ndarray, average: Any) -> Any:
    """A metric of two classes, of each of m labels: (n, m) bool, (n, m) scores."""
    n, m = positive.shape
    if average == "micro":
        return metric(positive.ravel(), scores.ravel(), np.repeat(weights, m))
    if average == "samples":
        values = [metric(positive[i], scores[i], NONE) for i in range(n)]
        return float(np.average(values, weights=weights if weights.size else None))
    of_label = weights @ positive if weights.size else positive.sum(axis=0)
    if average == "weighted" and not of_label.any():
        return 0.0
    values = np.array([metric(np.ascontiguousarray(positive[:, j]), scores[:, j], weights) for j in range(m)])
    if average is None:
        return values
    if average == "macro":
        return float(values.mean())
    return float(np.average(values[of_label > 0], weights=of_label[of_label > 0]))


def without_positives(value: np.ndarray) -> np.ndarray:
    warn(f"recall is not defined where no row is positive; {value[0]:g} stands for what hangs on it")
    return value
