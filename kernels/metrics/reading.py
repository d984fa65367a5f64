"""What metrics take: numbers and weights as arrays of doubles, or an error that names the argument."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

from ..reals import NotReal, real_array, shortened


class UndefinedMetricWarning(UserWarning):
    """A metric has no value for this data; the message says what stands in its place."""


NONE = np.empty(0)  # the weights of rows that all count 1


def warn(message: str, category: type[UserWarning] = UndefinedMetricWarning) -> None:
    """A warning at the line that called the metric."""
    level, frame = 1, sys._getframe(0)
    while frame is not None and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def read_numbers(name: str, value: Any, dimensions: tuple[int, ...] = (1, 2)) -> np.ndarray:
    """A C-contiguous array of doubles with at least one row; not copied where it is one. May hold NaN: see `finite`."""
    array = value
    if type(array) is not np.ndarray:
        array = np.asarray(value) if hasattr(value, "__array__") and not isinstance(value, np.ndarray) else value
    if type(array) is not np.ndarray or array.dtype != np.float64:
        try:
            array = real_array(array)
        except NotReal as problem:
            raise ValueError(f"{name}: got {shortened(value)}, {problem}, expected real numbers") from None
    if array.ndim not in dimensions:
        expected = " or ".join(f"{d}" for d in dimensions)
        raise ValueError(f"{name}: got an array of {array.ndim} dimensions, expected {expected}")
    if not array.size:
        raise ValueError(f"{name}: got an array of shape {array.shape}, expected at least one row")
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def read_weights(value: Any, n: int) -> np.ndarray:
    """(n,) the weights of the rows, not all of them 0; an empty array where none are given."""
    if value is None:
        return NONE
    weights = read_numbers("sample_weight", value, (1,))
    same_length("sample_weight", weights, n)
    finite(sample_weight=weights)
    if not weights.any():
        raise ValueError("sample_weight: got weights that are all 0, expected at least one that is not")
    return weights


def same_length(name: str, array: np.ndarray, n: int) -> None:
    if len(array) != n:
        raise ValueError(f"{name}: got {len(array)} rows, expected {n}, as many as y_true has")


def finite(**arrays: np.ndarray) -> None:
    """ValueError that names the array, and where its first number lies that is not finite."""
    for name, array in arrays.items():
        with np.errstate(over="ignore", invalid="ignore"):
            total = array.sum()
        if not np.isfinite(total):  # a finite sum has finite terms
            wrong = np.flatnonzero(~np.isfinite(array))
            if wrong.size:
                place, value = wrong[0] // (array.size // len(array)), array.ravel()[wrong[0]]
                raise ValueError(f"{name}: got {value} in row {place}, expected finite numbers")


def total_of(weights: np.ndarray, n: int) -> float:
    """What a weighted mean is divided by."""
    total = float(weights.sum()) if weights.size else float(n)
    if total == 0.0:
        raise ValueError("sample_weight: got weights that add up to 0, expected a sum that a mean can be divided by")
    return total
