"""`minimize`: the door to every method."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Unpack, overload

from ..kernels.calling.checking import NotDifferentiable
from ..kernels.given import as_flag
from .data_sum import DataSum, with_sums
from .driving import settings
from .driving.call import Call, bind, parse_call, versions, with_default_ftol
from .driving.callbacks import read_callback, wants_each_generation
from .driving.checkpoint import saved_seed
from .driving.gradient_check import check_gradient
from .driving.hooks import hooks_of
from .driving.polishing import polish_of
from .driving.preparing import evaluating, make_session, workers_of
from .driving.reading import reads_calls
from .driving.result import Result
from .driving.signatures import AnyMethod, Box, Fun, MinimizeSettings, Point, Points, SumSettings
from .registry import SOLVERS


@overload
def minimize(
    fun: Fun, domain: Box | None = None, x0: Points | None = None, args: Any = (), *, bounds: Box | None = None,
    method: AnyMethod = "auto", **settings: Unpack[MinimizeSettings],
) -> Result: ...  # fmt: skip
@overload
def minimize(
    fun: Fun, x0: Point, args: Any = (), method: AnyMethod = "auto", *, bounds: Box | None = None,
    **settings: Unpack[MinimizeSettings],
) -> Result: ...  # fmt: skip
@overload
def minimize(fun: DataSum, x0: Point | None = None, **settings: Unpack[SumSettings]) -> Result: ...
@with_sums
@reads_calls("fun", "x0", "args", "method")
def minimize(
    fun, bounds=None, x0=None, args=(), *, method="auto", jac=None, hess=None, hessp=None, integrality=None,
    seed=None, restarts=1, threads=None, workers=None, device="cpu", max_evals=None, max_iters=None, max_time=None,
    target=None, ftol=None, patience=None, callback=None, callback_every=None, progress=False, checkpoint=None,
    options=None, polish="auto", check=False,
) -> Result:  # fmt: skip
    """Find the minimum of a function over a box, or from a point.

    It may be called as SciPy's `minimize` and `differential_evolution` are, and takes the names that other libraries
    have for the same things; where it does not, it says what to write (docs/coming-from.md).

    Parameters
    ----------
    fun : callable, Objective or Problem
        `fun(x, *args) -> float`, x of shape (D,): a Python function (compiled by Numba, loops and branches allowed), a
        function compiled by Numba, or a C function; see `thalweg.objective` for more forms. A `Problem` brings
        its own bounds, x0, args and integrality.
    domain : the box, or a point, optional
        The second argument: `bounds`, or as in SciPy's `minimize` a number or one dimension of numbers, which is `x0`.
        The next are `x0, args` after a box, `args, method` after a point.
    bounds : (D, 2) array_like, sequence of pairs, or scipy.optimize.Bounds
        The box; finite, but for `nelder_mead` and `cma_es`, which may be given any bounds, or none and an x0.
    x0 : (D,) or (n, D) array_like, optional
        A point, or a population, to begin with; the rest of the first generation is uniform in the box. A local method
        begins at the point of the box that is nearest to it, with a warning where that is another.
    args : tuple, default ()
        Further arguments: arrays, numbers, tuples of these. An array that a compiled `fun` writes into is a fresh copy
        in each evaluation; a read-only one is refused then.
    method : str or Solver, default "auto"
        A name in `thalweg.SOLVERS`, in any case and hyphenation. "auto" is `portfolio` in a box, one of DE's family for
        whole numbers, more than 1,000 variables, `workers` and GPUs, and a local method where there is no box.
    jac : callable, True, "2-point", "3-point" or "cs", optional
        The gradient: `jac(x, *args) -> (D,)`; True: `fun` returns (value, gradient), as in SciPy; by differences of two
        or three points for each variable, or by a complex step, exact where `fun` takes complex x (NumPy's functions
        do): these count as evaluations. Default: automatic, exact for every objective
        that is compiled; differences of two points for one in Python. Of no use, with a warning, to a local method
        that uses none; refused by other methods.
    hess, hessp : callable, optional
        The Hessian, `hess(x, *args) -> (D, D)`, or its product with a vector, `hessp(x, p, *args) -> (D,)`. Default:
        automatic, or differences of the gradient that is given, for which "2-point", "3-point", "cs" and what SciPy
        approximates a Hessian with stand, too. Where a method uses none, as with `jac`.
    integrality : (D,) array_like of bool, optional
        True where a variable takes whole numbers.
    seed : int or generator of NumPy, optional
        0 <= seed < 2**64; a generator gives one, None draws one. The same seed gives the same bits, on any number of
        threads.
    restarts : int, default 1
        Independent runs, on all threads; the best is returned.
    threads : int, optional
        Default: all cores. Restarts use one each; a single run spreads its rows where that is measured to be faster.
    workers : int, map-like callable, or distributed.Client, optional
        For objectives that take long in Python, which is how they are evaluated then: the rows of a generation side by
        side, on so many processes (-1: all cores), by `workers(function, iterable)` as in SciPy, or on the workers of
        the client; of a method that uses gradients, the points of one by differences. The same answer whatever the
        number. Excludes `threads`; needs a method with rows, or with gradients.
    device : "cpu" or "cuda", default "cpu"
        "cuda" runs on an NVIDIA GPU (extras cuda12, cuda13): a block for each restart, or a thread for each individual
        of one large population. The same draws; values equal to rounding. The objective must be Python that Numba
        compiles for a GPU: numbers and loops, no new arrays. Compiled anew in each process, some seconds.
    max_evals : int, default 10,000 D
        Evaluations per run. The adaptive methods plan their run by it. Without limit where `max_iters` is given alone.
        An objective in Python is called as often as `nfev` says; of one that is compiled, the plain function is also
        called at a few points beforehand, once in a process, which do not count (`objective(f, check=False)`: at none).
    max_iters : int, optional
        Iterations per run: generations of a population, steps of other methods; the first sample is one, too. The
        adaptive methods plan by the limit that comes first.
    max_time : float, optional
        Seconds; compilation does not count. Without `max_evals` and `max_iters`, runs of the default length repeat
        until the time is up.
    target : float, optional
        Stop when a value <= target is found.
    ftol : float, optional
        Stop when the method's values (of a population, of a simplex) lie within ftol (1 + |best|). Default: none for a
        compiled objective; 1e-8 for one in Python and a population of DE's family, where there is no target.
    patience : int, optional
        Stop after so many iterations without improvement: generations, or moves of an annealing.
    callback : callable, optional
        `callback(intermediate_result)`, with x, fun, nfev and nit of the best so far, `callback(x)`, or, as in SciPy's
        differential_evolution, `callback(x, convergence)`. Returning True, or StopIteration, ends the run.
    callback_every : "generation", optional
        When it is called: after each generation (each iteration of other methods; runs then go one after another).
        Of a method that may go uphill (`gradient_descent`, `momentum`, `adam` ...) x and fun are then the point where
        it stands, so that its path can be drawn. Default: so for one run of a local method, else about every 0.1 s.
    progress : bool, default False
        Show the best value, evaluations and speed while it runs.
    checkpoint : path, optional
        Written once a second and at the end; if it exists and belongs to the same call, the run goes on from it.
    options : dict or Options, optional
        Options of the method, for example `{"population": 100}`.
    polish : bool or "auto", default "auto"
        A local search with the exact gradient, from the same budget: True ends a global method with one from its best
        point; "auto" does so where `method="auto"` has chosen one of DE's family, with at least 1000 evaluations for
        each variable. A named method stays itself. `result.arm` says what found the best, `result.arms` what each took.
    check : bool, default False
        Compare a `jac` of yours with differences of `fun` near the start, at 16 evaluations that do not count; where
        it is not the gradient, ValueError names the entry.

    Returns
    -------
    Result
        As SciPy's OptimizeResult, with stop_reason, n_failed, history, runs, timing and more.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected, before anything runs.
    Exception
        What the objective raised, with the x as a note.

    Examples
    --------
    >>> from thalweg import minimize
    >>> def rosenbrock(x):
    ...     total = 0.0
    ...     for i in range(x.size - 1):
    ...         total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    ...     return total
    >>> result = minimize(rosenbrock, [(-5, 10)] * 5, seed=1)
    >>> bool(result.fun < 1e-8)
    True
    """
    polish, chosen = _read_polish(polish), method == "auto"
    if seed is None and checkpoint is not None:
        seed = saved_seed(checkpoint)  # so that the same call goes on
    call = parse_call(
        fun, bounds, x0, args, method=method, jac=jac, hess=hess, hessp=hessp, integrality=integrality,
        seed=seed, max_evals=max_evals, max_iters=max_iters, target=target, ftol=ftol, patience=patience,
        options=options, polished=polish is True or (polish == "auto" and chosen),
        rows=workers is not None or device == "cuda",
    )  # fmt: skip
    limited = max_evals is not None or max_iters is not None
    single = call.solver.local and restarts == 1
    each_generation = wants_each_generation(callback_every, callback, device, single)
    plan = settings.make_plan(restarts, threads, device, limited, max_time, each_generation)
    tell = None if callback is None else read_callback(callback)
    progress = as_flag("progress", progress)

    called = time.perf_counter()
    with workers_of(call.solver, workers, plan.device, threads=threads) as spread:
        call, bound = _bind(call, spread, chosen)
        call = with_default_ftol(call, bound)
        if as_flag("check", check):
            check_gradient(bound, call.problem)
        last = None if spread is not None else polish_of(call, bound, plan, polish, chosen)
        call = call if last is None else last.call
        session: Any = make_session(call, bound, plan)
        compiling = time.perf_counter() - called
        with hooks_of(session, call, bound, plan, tell, progress, checkpoint):
            session.carry_out()
    running = session.seconds()
    result = session.summarise()
    if last is not None:
        result = last.end(result, plan)
    if bound.derivatives is not None:
        result["derivatives"] = bound.derivatives.how
    result.update(
        timing={
            "compile": compiling + session.compiling,
            "run": running,
            "evaluate": evaluating(session, bound, result, running),
        },
        method=call.solver.name,
        options=dataclasses.asdict(call.options),
        objective=bound.runs_as,
        threads=session.threads,
        device=device,
        seed=call.seed,
        versions=versions(device),
    )
    return result


def _read_polish(polish) -> bool | str:
    if isinstance(polish, str) and polish != "auto":
        raise ValueError(f"polish: got {polish!r}, expected True, False or 'auto'")
    return polish if isinstance(polish, str) else as_flag("polish", polish)


def _bind(call: Call, spread, chosen: bool) -> tuple[Call, Any]:
    """The call and its objective; where `auto` chose a method with gradients and there are none, without them."""
    try:
        return call, bind(call, spread)
    except NotDifferentiable:
        if not chosen:
            raise
    solver = SOLVERS["nelder_mead"]
    call = dataclasses.replace(call, solver=solver, options=solver.Options())
    return call, bind(call, spread)
