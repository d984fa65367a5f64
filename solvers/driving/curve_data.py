"""The data that a curve is fitted to, as arrays, or an error that names the argument."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...kernels.reals import NotReal, real_array, shortened


class Data(NamedTuple):
    """What the residuals of a curve are made of."""

    x: Any
    y: np.ndarray  # (M,)
    weights: np.ndarray | None  # (M,) one over sigma, or (M, M) the Cholesky factor of the covariance

    @property
    def form(self) -> tuple[str, bool]:
        """How residuals are weighted; whether there is an x."""
        if self.weights is None:
            return "plain", self.x is not None
        return "weights" if self.weights.ndim == 1 else "whitened", self.x is not None

    @property
    def args(self) -> tuple:
        """What the residuals are given behind the parameters."""
        return tuple(part for part in self if part is not None)


def read_data(xdata, ydata, sigma, check_finite, nan_policy) -> Data:
    """The data, without the points of which something is NaN where `nan_policy` is "omit"."""
    if nan_policy == "propagate":
        raise ValueError("nan_policy: `nan_policy='propagate'` is not supported by this function.")
    if nan_policy not in (None, "raise", "omit"):
        given = shortened(nan_policy)
        raise ValueError(f"nan_policy: got {given}; nan_policy must be one of {{None, 'raise', 'omit'}}")
    check_finite = nan_policy is None if check_finite is None else bool(check_finite)
    x = _numbers("xdata", xdata, check_finite) if isinstance(xdata, list | tuple | np.ndarray) else xdata
    y = np.asarray(_numbers("ydata", ydata, check_finite))
    if y.size == 0:
        raise ValueError("ydata: got no data, expected at least one point")
    sigma = None if sigma is None else _numbers("sigma", sigma, False)
    if sigma is not None and sigma.ndim == 0:
        sigma = np.full(y.shape, sigma)
    if nan_policy is not None and not check_finite:
        x, y, sigma = _without_nan(x, y, sigma, nan_policy)
    return Data(x, y, None if sigma is None else _weights(sigma, y))


def _numbers(name: str, value, check_finite: bool) -> np.ndarray:
    try:
        array = real_array(value)
    except NotReal as error:
        raise ValueError(f"{name}: got {shortened(value)}, {error}; expected numbers") from error
    if check_finite and not np.isfinite(array).all():
        raise ValueError(f"{name}: it holds inf or NaN, expected finite numbers; nan_policy='omit' leaves NaN out")
    return array


def _without_nan(x, y: np.ndarray, sigma, policy: str):
    nan = np.isnan(y)
    if isinstance(x, np.ndarray):
        nan = nan | np.isnan(x).any(axis=tuple(range(x.ndim - 1)))
    if policy == "raise":
        if nan.any():
            raise ValueError("xdata, ydata: The input contains nan values, which nan_policy='raise' refuses")
        return x, y, sigma
    x = x[..., ~nan] if isinstance(x, np.ndarray) else x
    if sigma is not None:
        sigma = sigma[~nan] if sigma.ndim == 1 else sigma[~nan][:, ~nan]
    return x, y[~nan], sigma


def _weights(sigma: np.ndarray, y: np.ndarray) -> np.ndarray:
    if sigma.shape == (y.size,):
        return 1.0 / sigma
    if sigma.shape != (y.size, y.size):
        raise ValueError(f"sigma: got shape {sigma.shape}, expected a number, ({y.size},) or ({y.size}, {y.size})")
    try:
        return np.ascontiguousarray(np.linalg.cholesky(sigma))
    except np.linalg.LinAlgError as error:
        raise ValueError("sigma: the matrix is not positive definite, expected a covariance matrix") from error
