"""`minimize_scalar`: the door to the methods for one variable, called as SciPy's; `bracket`, with which some begin."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..kernels.calling.of_number import objective_of_number
from ..kernels.descent.line import AT_NAN, GROW_LIMIT, MOST_STEPS, NO_BRACKET, NO_ORDER, TOO_MANY
from ..kernels.given import as_word
from ..kernels.problem import Problem
from ..kernels.reals import NotReal, real_array, shortened
from ..kernels.run import RUNNING
from .contract import UNLIMITED, Key, Limits, Solver
from .driving import settings
from .driving.result import Result
from .driving.running import make_run
from .driving.stop_reason import StopReason
from .one_variable import bounded, brent, golden

METHODS: dict[str, Solver] = {solver.name: solver for solver in (brent.SOLVER, bounded.SOLVER, golden.SOLVER)}
MAXITER = {"brent": 500, "bounded": 500, "golden": 5000}  # as in SciPy
FAULTS = {
    NO_BRACKET: "No valid bracket was found: no point between two others with a lower value than both. "
    "Begin from other points.",
    TOO_MANY: "No valid bracket was found before the iteration limit was reached. Begin from other points.",
    AT_NAN: "The values beside the lowest one found are NaN: x stands where the function ceases to have values.",
}
CONVERGED = (StopReason.STEP_SMALL, StopReason.GRADIENT_SMALL)


def minimize_scalar(
    fun: Callable[..., Any],
    bracket: Any = None,
    bounds: Any = None,
    args: Any = (),
    method: Any = None,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Find a local minimum of a function of one variable.

    Parameters
    ----------
    fun : callable or Objective
        `fun(x, *args) -> float`, x a number: a Python function, compiled by Numba. `objective(f, compiled=False)`
        evaluates it in Python. It may return an array that holds one number.
    bracket : sequence of 2 or 3 numbers, optional
        For "brent" and "golden": three numbers xa < xb < xc with fun(xb) below fun(xa) and fun(xc), or two from which
        such three are looked for downhill, perhaps outside of them. Default: (0, 1).
    bounds : (low, high), optional
        For "bounded", which needs it: two finite numbers.
    args : tuple, default ()
        Further arguments: arrays, numbers, tuples of these.
    method : str, optional
        "brent" (parabolas and golden sections from a bracket), "bounded" (the same between bounds), "golden" (golden
        sections). Default: "bounded" where there are bounds, else "brent". Or a callable, which is called as
        `method(fun, args=args, bracket=bracket, bounds=bounds, **options)`.
    tol : float, optional
        The option `xatol` of "bounded", `xtol` of the others.
    options : dict, optional
        `maxiter` (500; of "golden" 5000), `disp` (warn where there is no success), `xtol` (relative tolerance of x:
        1.48e-8 of "brent", 1.49e-8 of "golden"), `xatol` (absolute, 1e-5, of "bounded"). Defaults are SciPy's.

    Returns
    -------
    Result
        x (a number), fun, success, message, nfev, nit, as in SciPy; stop_reason, status, n_failed (values that were
        NaN), method, objective (how it was evaluated).

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.
    Exception
        What the function raised, with the x as a note.

    Examples
    --------
    >>> from thalweg.solvers import minimize_scalar
    >>> result = minimize_scalar(lambda x: (x - 2) * x * (x + 2) ** 2)
    >>> round(float(result.x), 6), round(float(result.fun), 4)
    (1.280776, -9.9149)
    """
    args = args if isinstance(args, tuple) else (args,)
    if callable(method):
        custom: Any = method
        return custom(fun, args=args, bracket=bracket, bounds=bounds, **_as_dict(options))
    name = _find_method(method, bounds)
    own, maxiter, disp = _read_options(name, tol, options)
    points = _read_bounds(bounds) if name == "bounded" else _read_bracket(bracket, bounds, name)
    result, state = _carry_out(METHODS[name], own, maxiter, fun, args, points)
    if state.line[0].fault == NO_ORDER:
        _raise_no_order(bracket, state.line[0])
    if disp and not result.success:
        warnings.warn(result.message, RuntimeWarning, stacklevel=2)
    return result


def bracket(
    fun: Callable[..., Any], xa: float = 0.0, xb: float = 1.0, args: Any = (), grow_limit: float = GROW_LIMIT,
    maxiter: int = MOST_STEPS,
) -> tuple[Any, ...]:  # fmt: skip
    """Find three numbers of which the middle one has the lowest value, by going downhill from two.

    Parameters
    ----------
    fun : callable or Objective
        `fun(x, *args) -> float`, as `minimize_scalar` takes it.
    xa, xb : float, default 0, 1
        Where to begin.
    args : tuple, default ()
    grow_limit : float, default 110
        The next point is at most so many times as far from xb as xc is; above 2, or steps do not grow.
    maxiter : int, default 1000
        Steps, at most.

    Returns
    -------
    xa, xb, xc, fa, fb, fc, nfev
        xa < xb < xc or xa > xb > xc, with fb <= fa and fb <= fc, one of them strictly; and the evaluations.

    Raises
    ------
    BracketError
        If there are no such three, or the steps do not reach them. Its `data` has what was found last, as above.
    TypeError, ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> from thalweg.solvers import bracket
    >>> xa, xb, xc, fa, fb, fc, nfev = bracket(lambda x: (x - 5) ** 2)
    >>> bool(xa < xb < xc and fb < fa and fb < fc)
    True
    """
    points = np.array([_number("xa", xa), _number("xb", xb)])
    grow = settings.as_positive_real("grow_limit", grow_limit)
    most = _count("maxiter", maxiter)
    args = args if isinstance(args, tuple) else (args,)
    found, state = _carry_out(METHODS["brent"], brent.Options(), 0, fun, args, points, grow=grow, most=most)
    line = state.line[0]
    data = (*map(np.float64, (line.a, line.b, line.c, line.fa, line.fb, line.fc)), found.nfev)
    if line.fault or found.stop_reason is StopReason.UNBOUNDED:
        raise BracketError(found.message, data)
    return data


class BracketError(RuntimeError):
    """No bracket was found; `data` has the last three points, their values, and the number of evaluations."""

    def __init__(self, message: str, data: tuple):
        super().__init__(message)
        self.data = data


def _carry_out(
    solver: Solver, options, maxiter: int, fun, args: tuple, points: np.ndarray, **line
) -> tuple[Result, Any]:
    """(the result, the last state) of a run from some points; `line`: fields of the state's record of that name."""
    source = objective_of_number(fun)
    problem = Problem(fun=source, x0=points[:, None], args=args)
    probe = points[:, None] if solver.name != "bounded" else np.array([[0.5 * points[0] + 0.5 * points[1]]])
    bound = source.bind(problem.args, probe)
    limits = Limits(UNLIMITED, max_iterations=maxiter + 1)  # iteration 0 is the beginning
    state = solver.init(problem, options, limits, Key(0, 0))
    for name, value in line.items():
        state.line[name] = value
    run = make_run(solver, state, 0, bound)
    while run.stop == RUNNING:
        run.step()
    now, fault = run.state.run.now[0], run.state.line[0].fault
    reason = StopReason(run.stop)
    fun_at, x, evaluations, iterations = run.best
    result = Result(
        x=np.float64(x[0]),
        fun=np.float64(fun_at),
        success=reason in CONVERGED and bool(np.isfinite(fun_at)),
        status=int(reason),
        message=FAULTS.get(int(fault), reason.sentence),
        nfev=evaluations,
        nit=iterations - 1,
        stop_reason=reason,
        n_failed=int(now.failed),
        method=solver.name,
        objective=bound.runs_as,
    )
    return result, run.state


# --- what the arguments mean ----------------------------------------------------------------------------------------


def _find_method(method, bounds) -> str:
    if method is None:
        return "brent" if bounds is None else "bounded"
    name = str(method).lower().replace("-", "_").replace(" ", "_")
    name = {"golden_section": "golden"}.get(name, name)
    return as_word("method", name if name in METHODS else method, METHODS)


def _as_dict(options) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(f"options: got {type(options).__name__}, expected a dict")
    return dict(options)


def _read_options(name: str, tol, options) -> tuple[Any, int, bool]:
    """(the options of the method, how many iterations, whether to warn)"""
    given = _as_dict(options)
    maxiter, disp = _count("maxiter", given.pop("maxiter", MAXITER[name])), given.pop("disp", False)
    if tol is not None:
        given.setdefault("xatol" if name == "bounded" else "xtol", tol)
    return settings.make_options(METHODS[name], given or None), maxiter, bool(disp)


def _count(name: str, value) -> int:
    count = settings.as_integer(name, value)
    if not 0 <= count < settings.MOST:
        raise ValueError(f"{name}: got {value}, expected a number that is not negative, and below 2**62")
    return count


def _number(name: str, value) -> float:
    """One number, perhaps in an array."""
    try:
        number = real_array(value)
    except NotReal as error:
        raise ValueError(f"{name}: got {shortened(value)}, {error}; expected a number") from error
    if number.size != 1 or np.isnan(number).any():
        raise ValueError(f"{name}: got {shortened(value)}, expected a number")
    return float(number.item())


def _read_bounds(bounds) -> np.ndarray:
    if bounds is None:
        raise ValueError("bounds: got None, expected (low, high): bounded searches between them")
    try:
        low, high = (_number("bounds", end) for end in bounds)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"bounds: got {shortened(bounds)}; they must be finite scalars, (low, high)")
    if low > high:
        raise ValueError(f"bounds: got {shortened(bounds)}, expected low <= high")
    return np.array([low, high])


def _read_bracket(bracket, bounds, name: str) -> np.ndarray:
    if bounds is not None:
        raise ValueError(f"bounds: {name} has none; leave them out, or write method='bounded'")
    if bracket is None:
        return np.array([0.0, 1.0])
    points = [_number("bracket", point) for point in (bracket if np.iterable(bracket) else ())]
    if len(points) not in (2, 3):
        raise ValueError(f"bracket: got {shortened(bracket)}, expected two numbers, or three: (xa, xb, xc)")
    if len(points) == 3 and points[0] > points[2]:
        points.reverse()
    if len(points) == 3 and not points[0] < points[1] < points[2]:
        raise ValueError(f"bracket: got {shortened(bracket)}, expected (xa < xb) and (xb < xc)")
    return np.array(points)


def _raise_no_order(bracket, line) -> None:
    raise ValueError(
        f"bracket: got {shortened(bracket)} with the values {line.fa:.6g}, {line.fb:.6g}, {line.fc:.6g}; "
        "expected (f(xb) < f(xa)) and (f(xb) < f(xc))"
    )
