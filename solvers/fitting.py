"""`least_squares`: the door to the methods of residuals."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.calling.objective import objective
from ..kernels.calling.residuals import AUTOMATIC, Residuals
from ..kernels.least_squares.losses import GIVEN, LOSSES
from ..kernels.reals import shortened
from .contract import Limits, Solver
from .driving import settings
from .driving.call import Call, versions
from .driving.callbacks import read_callback
from .driving.fits import (
    active_bounds,
    check_lsmr,
    check_sparsity,
    read_bounds,
    read_most,
    read_scale,
    read_start,
    read_step,
    read_tolerances,
    refuse_outside,
    refuse_residuals,
    warn_of_workers,
    with_keywords,
)
from .driving.hooks import hooks_of
from .driving.preparing import make_session
from .driving.result import Result, StopReason
from .driving.settings import Plan
from .residuals import dogbox, gauss_newton, levenberg_marquardt, trust_region_reflective
from .residuals.problem import Fitted

MESSAGES = {  # of the status that SciPy's `least_squares` gives
    -2: "The callback asked to stop.",
    0: "The evaluations (max_nfev) are spent before it has converged.",
    1: "It has converged: the gradient is small, within gtol.",
    2: "It has converged: the last step gained less than ftol of the cost.",
    3: "It has converged: the last step was small, within xtol.",
    4: "It has converged: the last step was small, and gained next to nothing (ftol and xtol).",
}
LM = "levenberg_marquardt"
NO_ROOM = (LM, "gauss_newton")  # methods without bounds
SPENT = (StopReason.OUT_OF_BUDGET, StopReason.OUT_OF_TIME)
METHODS: dict[str, Solver] = {
    solver.name: solver
    for solver in (trust_region_reflective.SOLVER, dogbox.SOLVER, levenberg_marquardt.SOLVER, gauss_newton.SOLVER)
}
ALIASES = {"trf": "trust_region_reflective", "lm": LM, "dogleg": "dogbox"}


def least_squares(
    fun: Callable[..., Any], x0: Any, jac: Callable[..., Any] | str | None = AUTOMATIC,
    bounds: Any = (-np.inf, np.inf), method: str = "trf", ftol: float | None = 1e-8, xtol: float | None = 1e-8,
    gtol: float | None = 1e-8, x_scale: Any = None, loss: Callable[..., Any] | str = "linear", f_scale: float = 1.0,
    diff_step: Any = None, tr_solver: str | None = None, tr_options: dict[str, Any] | None = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None, verbose: int = 0, args: Any = (), kwargs: dict[str, Any] | None = None,
    callback: Callable[..., Any] | None = None, workers: Any = None, *, max_time: float | None = None,
    checkpoint: Any = None, options: dict[str, Any] | None = None,
) -> Result:  # fmt: skip
    """Find the x that makes the residuals small: minimise 1/2 sum rho(r_i(x)^2), from a point.

    In call and result as SciPy's `least_squares`; residuals, Jacobian and method are compiled.

    Parameters
    ----------
    fun : callable or Objective
        `fun(x, *args) -> (M,) array`, x of shape (D,); a number is one residual. In Python where
        `objective(fun, compiled=False)` says so, or "auto" where it cannot be compiled.
    x0 : (D,) array_like or float
        Where to begin.
    jac : "automatic", callable, "2-point", "3-point" or "cs", default "automatic"
        `jac(x, *args) -> (M, D)`; by differences of two or three points (inside the bounds), or by a complex step,
        where the code takes complex x. Automatic is exact, for residuals that are compiled; others take two points.
    bounds : (lower, upper) or scipy.optimize.Bounds
        Each a number or (D,); lower < upper. Not of "lm" and "gauss_newton".
    method : str, default "trf"
        "trf" (trust_region_reflective), "dogbox" (dogleg), "lm" (levenberg_marquardt; M >= D), "gauss_newton".
    ftol, xtol, gtol : float or None, default 1e-8
        It has converged where a step gains less than ftol of the cost, is shorter than xtol (xtol + |x|), or the
        largest entry of the (scaled, projected) gradient is below gtol; of "lm", the cosine between residuals and
        columns of the Jacobian. None: no such test.
    x_scale : "jac", float or (D,) array_like, optional
        The size of a change of each variable that matters. "jac": from the columns of the Jacobian. Default: 1; of
        "lm" it is "jac".
    loss : "linear", "soft_l1", "huber", "cauchy", "arctan" or callable, default "linear"
        rho; a callable gives `loss(z) -> (3, M)`: rho, rho', rho''.
    f_scale : float, default 1.0
        C of C^2 rho(r^2 / C^2): residuals below it count as squares.
    diff_step : float or (D,) array_like, optional
        Steps of differences, relative to x.
    tr_solver, tr_options, jac_sparsity : optional
        Taken as SciPy's, and without effect: each step is solved to rounding. A sparse `jac` is made dense.
    max_nfev : int, optional
        Evaluations of the residuals; those of differences do not count. Default 100 D; of "lm" without a `jac` of the
        caller's 100 D (D + 1).
    verbose : 0, 1 or 2, default 0
        Print the outcome; 2: and a line for each iteration.
    args, kwargs : tuple, dict
        Further arguments of `fun` and `jac`.
    callback : callable, optional
        `callback(intermediate_result)` or `callback(x)` after each iteration; StopIteration, or True, ends the run.
    workers : optional
        Taken as SciPy's, and without effect: differences are made in compiled code.
    max_time : float, optional
        Seconds; compilation does not count.
    checkpoint : path, optional
        As in `minimize`.
    options : dict, optional
        Options of the method beyond those above: of "lm", `factor` of the first radius.

    Returns
    -------
    Result
        x, cost, fun (M,), jac (M, D; weighted by the loss), grad, optimality, active_mask, nfev, njev, status, message,
        success as SciPy's; `jacobian`, where it came from; stop_reason, nit, timing and more.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.
    Exception
        What `fun` or `jac` raised, with the x as a note.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import least_squares
    >>> def rosenbrock(x):
    ...     return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    >>> bool(np.allclose(least_squares(rosenbrock, [-1.2, 1.0]).x, 1))
    True
    """
    solver = read_method(method)
    x0 = read_start(x0)
    lower, upper = read_bounds(bounds, x0.size)
    refuse_outside(x0, lower, upper)
    if solver.name in NO_ROOM and (np.isfinite(lower) | np.isfinite(upper)).any():
        raise ValueError(f"bounds: {method} takes none; write method='trf' or 'dogbox'")
    tolerances = read_tolerances(ftol, xtol, gtol, solver.name == LM)
    if not (callable(jac) or jac in (AUTOMATIC, "2-point", "3-point", "cs", None)):
        raise ValueError(
            f"jac: got {shortened(jac)}, expected a function of (x, *args), 'automatic', '2-point', '3-point' or 'cs'"
        )
    if not callable(loss) and loss not in LOSSES:
        raise ValueError(f"loss: got {shortened(loss)}, expected a function of z, or one of {', '.join(LOSSES)}")
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose: got {shortened(verbose)}, expected 0, 1 or 2")
    warn_of_workers(workers)
    check_lsmr(tr_solver, tr_options)
    chosen = solver.Options(**tolerances, x_scale=read_scale(x_scale, x0, solver.name == LM), **(options or {}))
    f_scale = settings.as_positive_real("f_scale", f_scale)
    tell = None if callback is None else read_callback(callback)

    called = time.perf_counter()
    source: Any = objective(with_keywords(fun, kwargs))
    bound = Residuals(
        source, args if isinstance(args, tuple) else (args,), x0,
        with_keywords(jac, kwargs) if callable(jac) else jac or AUTOMATIC, loss if callable(loss) else None,
        lower, upper, read_step(diff_step, x0),
    )  # fmt: skip
    refuse_residuals(bound, solver.name, method, x0)
    check_sparsity(jac_sparsity, (bound.count, x0.size), method)
    problem = Fitted(
        fun=bound.fun.source, bounds=np.column_stack([lower, upper]), args=bound.args, x0=x0, count=bound.count,
        loss=GIVEN if callable(loss) else LOSSES.index(loss), f_scale=f_scale,
    )  # fmt: skip
    limits = Limits(read_most(max_nfev, x0.size, solver.name == LM and not callable(jac)))
    call = Call(problem, solver, chosen, limits, 0)
    plan = Plan(1, 1, "cpu", settings.as_max_time(max_time), tell is not None or verbose == 2)
    session = make_session(call, bound, plan)
    compiling = time.perf_counter() - called
    with hooks_of(session, call, bound, plan, tell, False, checkpoint):
        if verbose == 2:
            session.hooks = [*session.hooks, print_line]
        session.carry_out()
    result = _result_of(session, call, bound)
    result["timing"] = {"compile": compiling + session.compiling, "run": session.seconds()}
    result["versions"] = versions()
    if verbose:
        print(f"{result.message} {result.nfev} evaluations, cost {result.cost:.6g}, optimality {result.optimality:.3g}")
    return result


def read_method(method) -> Solver:
    """The solver that is meant."""
    name = ALIASES.get(method, method) if isinstance(method, str) else None
    if name not in METHODS:
        raise ValueError(f"method: got {shortened(method)}, expected one of {', '.join((*ALIASES, *METHODS))}")
    return METHODS[name]


def print_line(session) -> None:
    """One line for an iteration."""
    cost, _, evaluations, iterations = session.best_so_far()
    print(f"iteration {iterations:5}   evaluations {evaluations:6}   cost {cost:.10e}")


def _result_of(session, call: Call, bound: Residuals) -> Result:
    """As SciPy's, and more."""
    found = session.summarise()
    fit, problem = found.pop("fit"), call.problem
    own = fit.own[0]
    status = int(own["status"]) or (0 if found.stop_reason in SPENT else -1)
    if found.stop_reason is StopReason.CALLBACK:
        status = -2
    return Result(
        message=MESSAGES.get(status, found.message),
        success=status > 0,
        status=status,
        fun=fit.r,
        x=fit.x,
        cost=float(own["cost"]),
        jac=fit.J,
        grad=fit.g,
        optimality=found.optimality,
        active_mask=active_bounds(fit.x, problem, float(own["xtol"]), call.solver.name == "dogbox"),
        nfev=found.nfev,
        njev=found.njev,
        nit=found.nit,
        stop_reason=found.stop_reason,
        n_failed=found.n_failed,
        history=found.history,
        method=call.solver.name,
        options=dataclasses.asdict(call.options),
        objective=bound.runs_as,
        jacobian=bound.how,
    )
