"""Metrics of regression, as scikit-learn defines them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..given import as_flag, as_word
from .passes import passing
from .reading import finite, read_numbers, read_weights, same_length, total_of, warn

UNIFORM = "uniform_average"


def mean_squared_error(y_true, y_pred, *, sample_weight=None, multioutput: Any = UNIFORM) -> Any:
    """The mean of (y_true - y_pred)².

    Parameters
    ----------
    y_true, y_pred : (n,) or (n, m) array_like
        True and predicted values, in any unit; computed in double precision.
    sample_weight : (n,) array_like, optional
        What each row counts; default: 1.
    multioutput : {"uniform_average", "raw_values"} or (m,) array_like, default "uniform_average"
        How the m outputs become one number: their mean, not at all, or a mean with these weights.

    Returns
    -------
    float, or (m,) array for "raw_values"

    Raises
    ------
    ValueError
        Naming the argument, what was given and what is expected: no rows, lengths that differ, NaN or inf.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.mean_squared_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.375
    """
    errors = Errors(y_true, y_pred, sample_weight)
    return average(errors.squares / errors.weight, multioutput)


def root_mean_squared_error(y_true, y_pred, *, sample_weight=None, multioutput: Any = UNIFORM) -> Any:
    """The square root of the mean squared error: of each output, before these are averaged.

    Parameters, what is returned and what is raised are those of `mean_squared_error`.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.root_mean_squared_error([0, 0], [3, 3])
    3.0
    """
    errors = Errors(y_true, y_pred, sample_weight)
    with np.errstate(invalid="ignore"):  # negative weights
        return average(np.sqrt(errors.squares / errors.weight), multioutput)


def mean_absolute_error(y_true, y_pred, *, sample_weight=None, multioutput: Any = UNIFORM) -> Any:
    """The mean of |y_true - y_pred|.

    Parameters, what is returned and what is raised are those of `mean_squared_error`.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.metrics.mean_absolute_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.5
    """
    errors = Errors(y_true, y_pred, sample_weight)
    return average(errors.absolutes / errors.weight, multioutput)


def r2_score(y_true, y_pred, *, sample_weight=None, multioutput: Any = UNIFORM, force_finite: bool = True) -> Any:
    """The coefficient of determination: 1 - sum (y_true - y_pred)² / sum (y_true - mean of y_true)².

    1 is perfect, 0 is what the mean of y_true gives as prediction.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As in `mean_squared_error`.
    multioutput : {"uniform_average", "raw_values", "variance_weighted"}, (m,) array_like or None
        As in `mean_squared_error`; or weighted by the variance of each output. Default, and None: "uniform_average".
    force_finite : bool, default True
        Where y_true is constant, the score is 1 for a perfect prediction and 0 for any other; with False, NaN and
        -inf. (scikit-learn takes a y_true such as [0.1, 0.1, 0.1] for one that varies, as its mean is rounded.)

    Returns
    -------
    float, or (m,) array for "raw_values"; NaN, with a warning, for a single row

    Raises
    ------
    ValueError
        As `mean_squared_error`.

    Examples
    --------
    >>> import thalweg as tw
    >>> round(tw.metrics.r2_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]), 6)
    0.948608
    """
    force_finite = as_flag("force_finite", force_finite)
    errors = Errors(y_true, y_pred, sample_weight)
    if errors.n < 2:
        warn("r2_score of a single row is not defined; it is NaN")
        return float("nan")
    variations = errors.variations()
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = 1.0 - errors.squares / variations
    if force_finite:
        scores[variations == 0.0] = np.where(errors.squares[variations == 0.0] == 0.0, 1.0, 0.0)
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        multioutput = variations if len(scores) > 1 and variations.any() else UNIFORM
    return average(scores, UNIFORM if multioutput is None else multioutput, ("variance_weighted",))


class Errors:
    """Sums over the rows, of each output."""

    def __init__(self, y_true, y_pred, sample_weight):
        y_true, y_pred = read_numbers("y_true", y_true), read_numbers("y_pred", y_pred)
        self.n = len(y_true)
        same_length("y_pred", y_pred, self.n)
        true, predicted = outputs(y_true), outputs(y_pred)
        if len(true) != len(predicted):
            raise ValueError(f"y_pred: got {len(predicted)} outputs, expected {len(true)}, as many as y_true has")
        self.weights = read_weights(sample_weight, self.n)
        self.weight = total_of(self.weights, self.n)
        self.true = true
        sums = [errors_of((t, p, self.weights), self.n, 3).sum(axis=0) for t, p in zip(true, predicted)]
        self.squares, self.absolutes, self.rises = np.transpose(sums)
        if not np.isfinite(self.squares).all():
            finite(y_true=y_true, y_pred=y_pred)  # or the squares are beyond 1.8e308

    def variations(self) -> np.ndarray:
        """(m,) the sum of (y - mean)² of each output."""
        return np.array(
            [
                variation_of((t, t[0] + rise / self.weight, self.weights), self.n, 1).sum()
                for t, rise in zip(self.true, self.rises)
            ]
        )


def outputs(y: np.ndarray) -> np.ndarray:
    """(m, n) one output after another."""
    return y.reshape(1, -1) if y.ndim == 1 else np.ascontiguousarray(y.T)


@passing(threads_from=1 << 23)
def errors_of(data, start, stop, out):
    """Sums of e², |e| and y - y[0], the latter so that the mean of a constant y is this constant to the last bit."""
    first = data[0][0]
    y, p, weights = data[0][start:stop], data[1][start:stop], data[2][start:stop]
    squares, absolutes, rises = 0.0, 0.0, 0.0
    if weights.size:
        for i in range(y.size):
            e = y[i] - p[i]
            squares += weights[i] * e * e
            absolutes += weights[i] * abs(e)
            rises += weights[i] * (y[i] - first)
    else:
        for i in range(y.size):
            e = y[i] - p[i]
            squares += e * e
            absolutes += abs(e)
            rises += y[i] - first
    out[0], out[1], out[2] = squares, absolutes, rises


@passing(threads_from=1 << 23)
def variation_of(data, start, stop, out):
    """The sum of (y - mean)²."""
    mean = data[1]
    y, weights = data[0][start:stop], data[2][start:stop]
    total = 0.0
    if weights.size:
        for i in range(y.size):
            total += weights[i] * (y[i] - mean) ** 2
    else:
        for i in range(y.size):
            total += (y[i] - mean) ** 2
    out[0] = total


def average(values: np.ndarray, multioutput: Any, more: tuple[str, ...] = ()) -> Any:
    """The values of the outputs as one number, or as they are."""
    if isinstance(multioutput, str):
        as_word("multioutput", multioutput, (UNIFORM, "raw_values", *more))
        return values if multioutput == "raw_values" else float(values.mean())
    weights = read_numbers("multioutput", multioutput, (1,))
    finite(multioutput=weights)
    if len(weights) != len(values) or len(values) == 1:
        many = f"{len(values)} weights, one for each output" if len(values) > 1 else "a word, as there is one output"
        raise ValueError(f"multioutput: got {len(weights)} weights, expected {many}")
    if weights.sum() == 0.0:
        raise ValueError("multioutput: got weights that add up to 0, expected a sum that a mean can be divided by")
    return float(np.average(values, weights=weights))
