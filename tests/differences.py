"""Derivatives by differences, for tests that have nothing better: central, extrapolated twice by Richardson."""

import numpy as np


def gradient(f, x, args=(), step=3e-4):
    """(n,) of f at x; an error of about 1e-10 where f is smooth and well scaled.

    The step is relative to each |x_i|, but not below `step` itself. f gets a copy of x: it may write into it.
    """
    x = np.asarray(x, dtype=np.float64)
    found = np.empty(len(x))
    for i in range(len(x)):
        h = step * max(1.0, abs(x[i]))
        first, second, third = (_central(f, x, args, i, h / k) for k in (1, 2, 4))
        found[i] = (16.0 * (4.0 * third - second) / 3.0 - (4.0 * second - first) / 3.0) / 15.0
    return found


def _central(f, x, args, i, h):
    right, left = x.copy(), x.copy()
    right[i] += h
    left[i] -= h
    width = right[i] - left[i]
    return (f(right, *args) - f(left, *args)) / width
