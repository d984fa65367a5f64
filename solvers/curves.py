"""`curve_fit`: a model y = f(x, a, b, ...) fitted to data, with the covariance of its parameters."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.calling.objective import Objective, objective
from ..kernels.reals import NotReal, real_array, shortened
from .driving.curve_data import Data, read_data
from .driving.fits import read_bounds
from .driving.result import Result
from .fitting import least_squares

BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
EPSILON = 2.220446049250313e-16
MINPACK = {"maxfev": "max_nfev", "epsfcn": "diff_step", "diag": "x_scale"}  # leastsq's arguments, which "lm" takes


class OptimizeWarning(UserWarning):
    """An answer of which a part could not be found, as scipy.optimize.OptimizeWarning."""


def curve_fit(
    f: Callable[..., Any], xdata: Any, ydata: Any, p0: Any = None, sigma: Any = None, absolute_sigma: bool = False,
    check_finite: bool | None = None, bounds: Any = (-np.inf, np.inf), method: str | None = None,
    jac: Callable[..., Any] | str | None = None, *, full_output: bool = False, nan_policy: str | None = None,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """Fit a model to data by least squares.

    In call and result as SciPy's `curve_fit`; the model is compiled.

    Parameters
    ----------
    f : callable or Objective
        `f(xdata, *params) -> (M,) array`: the parameters are numbers, xdata the whole array.
    xdata : (M,) or (k, M) array_like, or what `f` takes
        Where the data were measured; None is handed on.
    ydata : (M,) array_like
        What was measured.
    p0 : (P,) array_like, optional
        Where to begin. Default: ones, or inside the bounds; P from the signature of `f`.
    sigma : float, (M,) or (M, M) array_like, optional
        Standard deviations of ydata, or its covariance matrix.
    absolute_sigma : bool, default False
        Whether `sigma` is meant in the units of ydata. Otherwise it only weighs, and the covariance is scaled so that
        chi^2 per degree of freedom is 1.
    check_finite : bool, optional
        Refuse inf and NaN in the data. Default: True where no `nan_policy` is given.
    bounds : (lower, upper) or scipy.optimize.Bounds
        Each a number or (P,).
    method : "lm", "trf", "dogbox", "gauss_newton", optional
        Default: "lm" without bounds, else "trf".
    jac : callable or str, optional
        `jac(xdata, *params) -> (M, P)`, or as `jac` of `least_squares`. Default: automatic.
    full_output : bool, default False
        Return more, below.
    nan_policy : "raise" or "omit", optional
        What to do with NaN in the data: "omit" leaves the points out.
    **kwargs
        Of `least_squares`: ftol, xtol, gtol, loss, f_scale, x_scale, max_nfev, ...; `maxfev` is taken for the last.

    Returns
    -------
    popt : (P,) array
    pcov : (P, P) array
        The covariance of the parameters, from the Jacobian at popt; inf, with an `OptimizeWarning`, where it cannot be
        estimated: of "lm" where the Jacobian has not full rank, of all with no more data than parameters.
    infodict, mesg, ier : dict, str, int
        With `full_output`: nfev and fvec (M,), of "lm" also fjac, ipvt and qtf of a QR factorisation of the Jacobian;
        why it ended; 1 to 4.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.
    RuntimeError
        The fit has not converged.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import curve_fit
    >>> def decay(t, a, b):
    ...     return a * np.exp(-b * t)
    >>> t = np.linspace(0, 2, 9)
    >>> popt, pcov = curve_fit(decay, t, decay(t, 3.0, 1.5))
    >>> bool(np.allclose(popt, [3.0, 1.5]))
    True
    """
    if not callable(f):
        raise TypeError(f"f: got {shortened(f)}, expected a function of (xdata, *params)")
    source: Any = objective(f)
    if "args" in kwargs:
        raise ValueError("args: curve_fit hands none to f; bind them with functools.partial, or in a closure")
    data = read_data(xdata, ydata, sigma, check_finite, nan_policy)
    p0, lower, upper = _read_guess(source, p0, bounds)
    bounded = bool((np.isfinite(lower) | np.isfinite(upper)).any())
    method = ("trf" if bounded else "lm") if method is None else method
    of_minpack = method in ("lm", "levenberg_marquardt")
    if of_minpack and data.y.size < p0.size and data.y.size > 1:
        raise TypeError(
            f"The number of func parameters={p0.size} must not exceed the number of data points={data.y.size} with "
            f"method={method!r}; write method='trf'"
        )
    given: dict[str, Any] = {MINPACK.get(name, name): _of_minpack(name, value) for name, value in kwargs.items()}
    if "factor" in given:
        given["options"] = {"factor": given.pop("factor")}
    residuals = dataclasses.replace(source, function=_residuals(source.function, data, p0.size))
    jac = _jacobian(jac, source, data, p0.size) if callable(jac) else jac
    result = least_squares(residuals, p0, jac, (lower, upper), method, args=data.args, **given)
    if not result.success:
        raise RuntimeError(f"Optimal parameters not found: {result.message}")
    pcov, known = covariance(result, absolute_sigma, of_minpack)
    if not known:
        warnings.warn("Covariance of the parameters could not be estimated", OptimizeWarning, stacklevel=2)
    if not full_output:
        return result.x, pcov
    info: dict[str, Any] = {"nfev": result.nfev, "fvec": result.fun}
    if of_minpack:
        Q, R = np.linalg.qr(result.jac)
        info |= {"fjac": R.T, "ipvt": np.arange(1, p0.size + 1), "qtf": Q.T @ result.fun}
    status = {1: 4, 2: 1, 3: 2, 4: 3}[result.status] if of_minpack else result.status
    return result.x, pcov, info, result.message, status


def covariance(result: Result, absolute_sigma: bool, needs_rank: bool) -> tuple[np.ndarray, bool]:
    """(covariance of the parameters, whether it could be estimated).

    The inverse of J'J, without the directions that J does not see; scaled by the residuals where the sigmas only weigh.
    """
    J = result.jac
    m, n = J.shape
    nowhere = np.full((n, n), np.inf)
    _, values, directions = np.linalg.svd(J, full_matrices=False)
    seen = values > EPSILON * max(m, n) * values[0]
    if needs_rank and seen.sum() < n:
        return nowhere, False
    directions = directions[seen] / values[seen, None]
    pcov = directions.T @ directions
    if absolute_sigma:
        return pcov, True
    if m <= n:
        return nowhere, False
    return pcov * (2.0 * result.cost / (m - n)), True


def _read_guess(source: Objective, p0, bounds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p0, lower, upper), each (P,)."""
    if p0 is None:
        count = _parameters_of(source.function)
        lower, upper = read_bounds(bounds, count)
        low, high = np.isfinite(lower), np.isfinite(upper)
        with np.errstate(invalid="ignore"):
            p0 = np.where(low & high, 0.5 * (lower + upper), np.where(low, lower + 1, np.where(high, upper - 1, 1.0)))
        return p0, lower, upper
    try:
        guess = np.atleast_1d(real_array(p0))
    except NotReal as error:
        raise ValueError(f"p0: got {shortened(p0)}, {error}; expected numbers") from error
    if guess.ndim != 1 or guess.size == 0:
        raise ValueError(f"p0: got shape {guess.shape}, expected (P,)")
    lower, upper = read_bounds(bounds, guess.size)
    for k in np.flatnonzero(~((guess >= lower) & (guess <= upper))):
        raise ValueError(
            f"p0: Initial guess is outside of provided bounds: parameter {k} is {guess[k]}, expected a number in "
            f"[{lower[k]}, {upper[k]}]"
        )
    return guess, lower, upper


def _parameters_of(function) -> int:
    """How many parameters a model has behind xdata."""
    kinds = [p.kind for p in inspect.signature(function).parameters.values()]
    count = sum(kind in BY_POSITION for kind in kinds) - 1
    if count < 1:
        raise ValueError("f: its signature does not tell how many parameters it has; give p0")
    return count


def _of_minpack(name: str, value):
    """The value of an argument of SciPy's leastsq, as least_squares takes it."""
    if name == "epsfcn":
        return np.sqrt(value) if value is not None else None
    return 1.0 / np.asarray(value) if name == "diag" and value is not None else value


# --- the model as residuals --------------------------------------------------------------------------------------


def _residuals(model, data: Data, count: int):
    return _made("residuals", data.form, count)(model)


def _jacobian(jac, model: Objective, data: Data, count: int):
    source: Objective = jac if isinstance(jac, Objective) else dataclasses.replace(model, function=jac)
    return dataclasses.replace(source, function=_made("jacobian", data.form, count)(source.function))


FORMS = {  # what `made` returns, by what is asked for and by how residuals are weighted
    ("residuals", "plain"): "model(XDATA, PARAMETERS) - ydata",
    ("residuals", "weights"): "(model(XDATA, PARAMETERS) - ydata) * weights",
    ("residuals", "whitened"): "whitened(factor, model(XDATA, PARAMETERS) - ydata)",
    ("jacobian", "plain"): "model(XDATA, PARAMETERS)",
    ("jacobian", "weights"): "model(XDATA, PARAMETERS) * weights.reshape((-1, 1))",
    ("jacobian", "whitened"): "whitened_columns(factor, model(XDATA, PARAMETERS))",
}


@functools.cache
def _made(what: str, form: tuple[str, bool], count: int):
    """make(model) -> a function of (p, *data.args): Numba calls no function with so many arguments as p has.

    form: how residuals are weighted; whether there is an xdata.
    """
    weighting, has_x = form
    names = ["p", *(["xdata"] if has_x else []), "ydata"]
    names += {"plain": [], "weights": ["weights"], "whitened": ["factor"]}[weighting]
    body = FORMS[what, weighting].replace("XDATA", "xdata" if has_x else "None")
    body = body.replace("PARAMETERS", ", ".join(f"p[{k}]" for k in range(count)))
    scope: dict = {"whitened": whitened, "whitened_columns": whitened_columns, "__name__": __name__}
    exec(f"def make(model):\n    def {what}({', '.join(names)}):\n        return {body}\n    return {what}", scope)
    return scope["make"]


def whitened(factor, r):
    """The solution z of factor z = r, factor (M, M) lower triangular: residuals of unit covariance."""
    z = np.empty(r.size)
    for i in range(r.size):
        total = r[i]
        for k in range(i):
            total -= factor[i, k] * z[k]
        z[i] = total / factor[i, i]
    return z


def whitened_columns(factor, J):
    """The same of each column of J (M, P)."""
    z = np.empty(J.shape)
    for i in range(J.shape[0]):
        for j in range(J.shape[1]):
            total = J[i, j]
            for k in range(i):
                total -= factor[i, k] * z[k, j]
            z[i, j] = total / factor[i, i]
    return z
