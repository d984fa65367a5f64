"""The log loss, as scikit-learn defines it."""

from __future__ import annotations

import math

import numpy as np

from ..given import as_flag
from ..reals import shortened
from .labels import code, read_labels
from .passes import passing
from .reading import finite, read_numbers, read_weights, same_length, total_of, warn


def log_loss(y_true, y_proba, *, normalize: bool = True, sample_weight=None, labels=None) -> float:
    """The mean of -log(probability of the true class).

    Parameters
    ----------
    y_true : (n,) array_like of whole numbers or text, or (n, m) array_like of 0 and 1
        True labels.
    y_proba : (n,) or (n, m) array_like
        Probabilities of the greater of two classes, or of the m classes in the order of the labels; kept at least the
        machine epsilon of their type away from 0 and 1.
    normalize : bool, default True
        False: the sum, not the mean.
    sample_weight : (n,) array_like, optional
        What each row counts; default: 1.
    labels : (m,) array_like, optional
        The classes, ascending; default: those in y_true.

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected: probabilities outside 0 to 1, labels for which there
        are none, a single class and no `labels`.

    Examples
    --------
    >>> import thalweg as tw
    >>> round(
    ...     tw.metrics.log_loss(["spam", "ham", "ham", "spam"], [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]), 6
    ... )
    0.216162
    """
    normalize = as_flag("normalize", normalize)
    true, proba = read_labels("y_true", y_true), read_numbers("y_proba", y_proba)
    n = len(true)
    same_length("y_proba", proba, n)
    weights = read_weights(sample_weight, n)
    epsilon = np.finfo(np.float32 if getattr(y_proba, "dtype", None) == np.float32 else np.float64).eps
    proba = proba.reshape(n, -1)
    columns = max(2, proba.shape[1])
    if true.ndim == 2:
        if labels is not None or true.shape != proba.shape:
            raise ValueError(f"y_proba: got an array of shape {proba.shape}, expected {true.shape}, and no labels")
        finite(y_proba=proba)
        check(proba.min(), proba.max(), abs(proba.sum(axis=1) - 1).max(), epsilon)
        losses = -np.where(true, np.log(np.clip(proba, epsilon, 1 - epsilon)), 0.0).sum(axis=1)
        loss = float(losses @ weights if weights.size else losses.sum())
    else:
        codes = code(true, true)
        column = columns_of(codes, labels, columns)
        found = losses_of((codes.true, codes.low, column, proba, weights, epsilon), n, 5)
        if not np.isfinite(found[:, 4].sum()):
            finite(y_proba=proba)
        check(found[:, 1].min(), found[:, 2].max(), found[:, 3].max(), epsilon)
        loss = float(found[:, 0].sum())
    return loss / total_of(weights, n) if normalize else loss


def columns_of(codes, labels, columns: int) -> np.ndarray:
    """(codes,) the column of the probability of each label; -1 where it does not occur."""
    seen = np.bincount(codes.true - codes.low, minlength=len(codes.names)) > 0
    present = codes.names[seen].tolist()
    classes = present
    if labels is not None:
        given = read_labels("labels", np.ravel(labels)).tolist()
        classes = sorted(set(given))
        if given != classes:
            warn(f"labels: {shortened(given)} are taken in ascending order", UserWarning)
        if not set(present) <= set(classes):
            raise ValueError(f"labels: got {shortened(given)}, expected all that are in y_true")
    if len(classes) < 2:
        raise ValueError(
            f"labels: got {'none' if labels is None else classes} for a single class, expected all classes"
        )
    if len(classes) != columns:
        raise ValueError(f"y_proba: got probabilities of {columns} classes, expected {len(classes)}; labels names more")
    place = {name: k for k, name in enumerate(classes)}
    return np.array([place.get(name, -1) for name in codes.names.tolist()])


def check(lowest, highest, deviation, epsilon) -> None:
    """Whether probabilities are some."""
    if not (lowest >= 0.0 and highest <= 1.0):
        raise ValueError(f"y_proba: got {lowest if lowest < 0 else highest}, expected probabilities, 0 to 1")
    if deviation > math.sqrt(epsilon):
        warn("y_proba has rows that do not add up to 1", UserWarning)


@passing(threads_from=1 << 18)
def losses_of(data, start, stop, out):
    """The loss; the least and the greatest probability, how far the sum of a row is from 1; the sum of all."""
    low, column, epsilon = data[1], data[2], data[5]
    true, proba, weights = data[0][start:stop], data[3][start:stop], data[4][start:stop]
    columns = proba.shape[1]
    loss, lowest, highest, deviation, everything = 0.0, math.inf, -math.inf, 0.0, 0.0
    for i in range(true.size):
        c = column[true[i] - low]
        if columns == 1:
            p = proba[i, 0]
            lowest, highest = min(lowest, p), max(highest, p)
            everything += p
            p = p if c == 1 else 1.0 - p
        else:
            total = 0.0
            for j in range(columns):
                lowest, highest = min(lowest, proba[i, j]), max(highest, proba[i, j])
                total += proba[i, j]
            everything += total
            deviation = max(deviation, abs(total - 1.0))
            p = proba[i, c]
        p = min(max(p, epsilon), 1.0 - epsilon)
        loss -= (weights[i] if weights.size else 1.0) * math.log(p)
    out[0], out[1], out[2], out[3], out[4] = loss, lowest, highest, deviation, everything
