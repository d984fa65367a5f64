"""What the doors to the methods of residuals are given, as it is meant, or an error that names the argument."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Mapping

import numpy as np

from ...kernels.calling.objective import Objective
from ...kernels.calling.residuals import Residuals
from ...kernels.problem import Problem, read_points
from ...kernels.reals import NotReal, real_array, shortened
from ..contract import UNLIMITED
from . import settings

EPSILON = 2.220446049250313e-16
LSMR = frozenset({"damp", "atol", "btol", "conlim", "maxiter", "show", "regularize"})  # options of SciPy's tr_solver


def with_keywords(function, keywords):
    """The function with its keyword arguments bound."""
    if not callable(function):
        raise TypeError(f"fun: got {shortened(function)}, expected a function of (x, *args)")
    if not isinstance(keywords or {}, Mapping):
        raise TypeError(f"kwargs: got {shortened(keywords)}, expected a dict")
    if not keywords:
        return function
    if isinstance(function, Objective):
        return dataclasses.replace(function, function=functools.partial(function.function, **keywords))
    return functools.partial(function, **keywords)


def read_start(x0) -> np.ndarray:
    """A point (D,)."""
    points = read_points(x0)
    if points is None or points.ndim > 1 or points.size == 0:
        raise ValueError(f"x0: got {shortened(x0)}, expected a number, or (D,) numbers")
    if not np.isfinite(points).all():
        raise ValueError(f"x0: got {shortened(x0)}, expected finite numbers")
    return np.atleast_1d(points)


def read_bounds(bounds, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (D,)."""
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        ends = tuple(end[0] if np.shape(end) == (1,) else end for end in (bounds.lb, bounds.ub))  # a number, kept so
    elif isinstance(bounds, tuple | list | np.ndarray) and len(bounds) == 2:
        ends = tuple(bounds)
    else:
        raise ValueError(f"bounds: got {shortened(bounds)}, expected (lower, upper), each a number or (D,)")
    found = []
    for end in ends:
        try:
            array = real_array(end)
        except NotReal as error:
            raise ValueError(f"bounds: got {shortened(end)}, {error}; expected numbers") from error
        if array.shape not in ((), (dimension,)):
            raise ValueError(f"bounds: got an end of shape {array.shape}, expected a number or ({dimension},)")
        found.append(np.ascontiguousarray(np.broadcast_to(array, (dimension,))))
    lower, upper = found
    for k in np.flatnonzero(~(lower < upper)):
        raise ValueError(f"bounds: variable {k} has ({lower[k]}, {upper[k]}), expected lower < upper")
    return lower, upper


def refuse_outside(x0: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
    for k in np.flatnonzero(~((x0 >= lower) & (x0 <= upper))):
        raise ValueError(f"x0: variable {k} is {x0[k]}, expected a number in [{lower[k]}, {upper[k]}]")


def read_tolerances(ftol, xtol, gtol, all_needed: bool) -> dict[str, float]:
    """0 in the place of None; below the precision of a double a test is as good as none."""
    given = {"ftol": ftol, "xtol": xtol, "gtol": gtol}
    found = {name: 0.0 if value is None else settings.as_real(name, value) for name, value in given.items()}
    for name, value in found.items():
        if value < 0:
            raise ValueError(f"{name}: got {value}, expected a number that is not negative")
        if value < EPSILON and all_needed:
            raise ValueError(f"{name}: got {given[name]}, expected at least {EPSILON:.2g} with method='lm'")
    if max(found.values()) < EPSILON:
        raise ValueError(f"ftol, xtol, gtol: got {ftol}, {xtol}, {gtol}, expected one of at least {EPSILON:.2g}")
    return found


def read_scale(x_scale, x0: np.ndarray, from_jacobian: bool) -> tuple[float, ...] | None:
    """One scale for each variable; None: from the Jacobian."""
    if x_scale is None:
        return None if from_jacobian else (1.0,) * x0.size
    if isinstance(x_scale, str) and x_scale == "jac":
        return None
    try:
        scale = real_array(x_scale)
    except NotReal:
        scale = np.zeros(())
    if scale.shape not in ((), x0.shape) or not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f"x_scale: got {shortened(x_scale)}, expected 'jac', or a number above 0 for each variable")
    return tuple(np.broadcast_to(scale, x0.shape).tolist())


def read_step(diff_step, x0: np.ndarray) -> np.ndarray | None:
    """The relative steps of differences."""
    if diff_step is None:
        return None
    step = real_array(diff_step)
    if step.shape not in ((), (1,), x0.shape) or not (np.abs(step) > 0).all():
        raise ValueError(f"diff_step: got {shortened(diff_step)}, expected a number, or one for each variable, not 0")
    return np.abs(np.broadcast_to(step, x0.shape))


def read_most(max_nfev, dimension: int, with_differences: bool) -> int:
    """Evaluations, at most: by default SciPy's."""
    if max_nfev is None:
        return 100 * dimension * (dimension + 1 if with_differences else 1)
    return min(settings.make_positive("max_nfev", max_nfev), UNLIMITED)


def check_lsmr(tr_solver, tr_options) -> None:
    """Each step is solved to rounding, so that what SciPy's iterative solver takes has no effect here."""
    if tr_solver not in (None, "exact", "lsmr"):
        raise ValueError(f"tr_solver: got {shortened(tr_solver)}, expected 'exact' or 'lsmr'; it may be left out")
    for name in tr_options or {}:
        if name not in LSMR:
            raise TypeError(f"tr_options: got {name!r}, expected one of {', '.join(sorted(LSMR))}; leave it out")


def check_sparsity(sparsity, shape: tuple[int, int], method) -> None:
    """Where the Jacobian has entries: it must be of its shape, and is not needed."""
    if sparsity is None:
        return
    if method in ("lm", "levenberg_marquardt") or np.shape(sparsity) != shape:
        raise ValueError(f"jac_sparsity: got shape {np.shape(sparsity)}, expected {shape}, of 'trf' or 'dogbox'")


def warn_of_workers(workers) -> None:
    """SciPy's differences may be spread over processes; it makes no difference to the answer."""
    if workers not in (None, 1):
        told = "differences are made in compiled code, one after another: leave it out"
        warnings.warn(f"workers: got {shortened(workers)}, which has no effect; {told}", stacklevel=3)


def refuse_residuals(bound: Residuals, name: str, method, x0: np.ndarray) -> None:
    """Refuse a start from which nothing can be done."""
    if not np.isfinite(bound.fun.first).all():
        raise ValueError(f"fun: returned {shortened(bound.fun.first)} at x0, expected finite residuals")
    if name == "levenberg_marquardt" and bound.count < x0.size:
        raise ValueError(
            f"fun: returned {bound.count} residuals of {x0.size} variables, expected at least as many with "
            f"method={method!r}; write method='trf'"
        )


def active_bounds(x: np.ndarray, problem: Problem, share: float, exactly: bool) -> np.ndarray:
    """-1, 0 or 1: at its lower bound, inside, at its upper bound; within `share` of the bound where not `exactly`."""
    lower, upper, found = problem.lower, problem.upper, np.zeros(x.size, dtype=np.int64)
    for k in range(x.size):
        below, above = x[k] - lower[k], upper[k] - x[k]
        nearest = lower[k] if below <= above else upper[k]
        if np.isfinite(nearest) and min(below, above) <= (0.0 if exactly else share * max(1.0, abs(nearest))):
            found[k] = -1 if below <= above else 1
    return found
