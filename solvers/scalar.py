"""`minimize_scalar`: the door to the methods for one variable, called as SciPy's; `bracket`, with which some begin."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..kernels.calling.derivatives import Wanted, derivatives_of
from ..kernels.calling.objective import PythonObjective
from ..kernels.calling.of_number import Noting, objective_of_number, of_vector, returned_by
from ..kernels.descent.line import AT_NAN, GROW_LIMIT, MOST_STEPS, NO_BRACKET, NO_ORDER, TOO_MANY
from ..kernels.given import as_word
from ..kernels.problem import Problem
from ..kernels.reals import NotReal, real_array, shortened
from ..kernels.run import RUNNING
from .contract import UNLIMITED, Key, Limits, Solver
from .driving import settings
from .driving.result import CONVERGED, Result
from .driving.running import details_of, make_run
from .driving.stop_reason import StopReason
from .one_variable import bounded, brent, golden, newton

METHODS: dict[str, Solver] = {m.SOLVER.name: m.SOLVER for m in (brent, bounded, golden, newton)}
MAXITER = {"brent": 500, "bounded": 500, "golden": 5000, "newton": 500}  # as in SciPy, which has no newton here
FAULTS = {
    NO_BRACKET: "No valid bracket was found: no point between two others with a lower value than both. "
    "Begin from other points.",
    TOO_MANY: "No valid bracket was found before the iteration limit was reached. Begin from other points.",
    AT_NAN: "The values beside the lowest one found are NaN: x stands where the function ceases to have values.",
}
LIMIT = "Maximum number of iterations (maxiter) has been reached."
REALS, NO_WISH = (-np.inf, np.inf), Wanted()


def minimize_scalar(
    fun: Callable[..., Any],
    bracket: Any = None,
    bounds: Any = None,
    args: Any = (),
    method: Any = None,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    x0: Any = None,
    jac: Any = None,
    hess: Any = None,
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
        For "bounded", which needs it: two finite numbers. For "newton", where it is left out, or an end is infinite.
    args : tuple, default ()
        Further arguments: arrays, numbers, tuples of these.
    method : str, optional
        "brent" (parabolas and golden sections from a bracket), "bounded" (the same between bounds), "golden" (golden
        sections), "newton" (steps f'/f'', safeguarded). Default: "bounded" where there are bounds, else "brent". Or a
        callable, which is called as `method(fun, args=args, bracket=bracket, bounds=bounds, **options)`.
    tol : float, optional
        The option `xatol` of "bounded", `xtol` of the others.
    options : dict, optional
        `maxiter` (500; of "golden" 5000), `disp` (warn where there is no success), `xtol` (relative tolerance of x:
        1.48e-8 of "brent" and "newton", 1.49e-8 of "golden"), `xatol` (absolute, 1e-5, of "bounded"). Defaults are
        SciPy's.
    x0 : number, optional
        Where "newton" begins. Default: the middle of finite bounds.
    jac, hess : callable, optional
        For "newton": the first and second derivative, `jac(x, *args) -> float`. Default: automatic, as in `minimize`,
        where `jac` may be "2-point" or "3-point", too.

    Returns
    -------
    Result
        x (a number; where fun returns an array of one, such an array, as in SciPy), fun, success, message, nfev, nit;
        stop_reason, status, n_failed (values that were NaN), method, objective (how it was evaluated). Of "newton" also
        jac (the slope at x), njev, nhev, optimality, derivatives (where they came from).

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
    wanted = _read_derivatives(name, x0, jac, hess)
    box = REALS
    if name == "newton":
        points, box = _read_start(x0, bracket, bounds)
    elif name == "bounded":
        points = _read_bounds(bounds)
    else:
        points = _read_bracket(bracket, bounds, name)
    result, state = _carry_out(METHODS[name], own, maxiter, fun, args, points, box, wanted)
    if state.line[0].fault == NO_ORDER:
        _raise_no_order(bracket, state.line[0])
    if disp and not result.success:
        from .curves import OptimizeWarning

        warnings.warn(result.message, OptimizeWarning, stacklevel=2)
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

    def __init__(self, message: str, data: tuple[Any, ...]):
        super().__init__(message)
        self.data: tuple[Any, ...] = data


def _carry_out(
    solver: Solver, options, maxiter: int, fun, args: tuple, points: np.ndarray, box=REALS, wanted=NO_WISH, **line
) -> tuple[Result, Any]:
    """(the result, the last state) of a run from some points; `line`: fields of the state's record of that name."""
    source, x = objective_of_number(fun), points[:, None]
    problem = Problem(fun=source, bounds=[box], x0=x, args=args)
    bound = source.bind(problem.args, x if solver is not bounded.SOLVER else np.array([[points.mean()]]))
    if isinstance(bound, PythonObjective):
        bound.source = replace(bound.source, function=Noting(bound.source.function))
    if solver.asks != {"value"}:
        bound.derivatives = derivatives_of(bound, solver.asks, wanted, problem.lower, problem.upper, x[0])
    limits = Limits(UNLIMITED, max_iterations=maxiter + 1)  # iteration 0 is the beginning
    state = solver.init(problem, options, limits, Key(0, 0))
    for name, value in line.items():
        state.line[name] = value
    run = make_run(solver, state, 0, bound)
    while run.stop == RUNNING:
        run.step()
    return _result_of(run, solver, bound), run.state


def _result_of(run, solver: Solver, bound) -> Result:
    reason, fault = StopReason(run.stop), int(run.state.line["fault"][0])
    fun, x, evaluations, iterations = run.best
    result = Result(
        x=np.float64(x[0]),
        fun=np.float64(fun),
        success=reason in CONVERGED and bool(np.isfinite(fun)),
        status=int(reason),
        message=LIMIT if reason is StopReason.OUT_OF_ITERATIONS else FAULTS.get(fault, reason.sentence),
        nfev=evaluations,
        nit=iterations - 1,
        stop_reason=reason,
        n_failed=int(run.state.run.now["failed"][0]),
        method=solver.name,
        objective=bound.runs_as,
    )
    result.update(details_of(solver, run.state))
    if shape := returned_by(bound):
        result.update(x=np.full(shape, result.x), fun=np.full(shape, result.fun))
    if bound.derivatives is not None:
        result["derivatives"] = bound.derivatives.how
    return result


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


def _read_bounds(bounds, finite=True) -> np.ndarray:
    if bounds is None:
        raise ValueError("bounds: got None, expected (low, high): bounded searches between them")
    try:
        low, high = (_number("bounds", end) for end in bounds)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if np.isnan(low) or (finite and not np.isfinite([low, high]).all()):
        must = "finite scalars" if finite else "scalars"
        raise ValueError(f"bounds: got {shortened(bounds)}; they must be {must}, (low, high)")
    if low > high:
        raise ValueError(f"bounds: got {shortened(bounds)}, expected low <= high")
    return np.array([low, high])


def _read_start(x0, bracket, bounds) -> tuple[np.ndarray, Any]:
    """(the point that newton begins from, the bounds)"""
    if bracket is not None:
        raise ValueError(f"bracket: got {shortened(bracket)}, which newton does not use; give it x0")
    box = REALS if bounds is None else _read_bounds(bounds, finite=False)
    if x0 is None and not np.isfinite(box).all():
        raise ValueError("x0: got None, expected a number: newton needs a point to begin with, or finite bounds")
    start = _number("x0", x0) if x0 is not None else 0.5 * box[0] + 0.5 * box[1]
    if not np.isfinite(start):
        raise ValueError(f"x0: got {start}, expected a finite number")
    return np.array([start]), box


def _read_derivatives(name: str, x0, jac, hess) -> Wanted:
    given = {key: value for key, value in (("x0", x0), ("jac", jac), ("hess", hess)) if value is not None}
    if name != "newton" and given:
        argument = next(iter(given))
        raise ValueError(f"{argument}: {name} does not use it; leave it out, or write method='newton'")
    return Wanted(*(of_vector(value) if callable(value) else value for value in (jac, hess)))


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
