"""`minimize`: the door to every method."""

from __future__ import annotations

import dataclasses
import inspect
import time

import numpy as np

from ..kernels.calling.objective import CompiledObjective
from ..kernels.compile import jit
from .driving import settings
from .driving.call import begin, bind, describe, parse_call, versions
from .driving.checkpoint import Checkpoint, saved_seed
from .driving.result import Result
from .driving.running import compile_for_run, make_run
from .driving.session import Session

CALLBACK_EVERY = 0.1  # seconds


def minimize(
    fun, bounds=None, x0=None, args=(), *, method="auto", jac=None, integrality=None, seed=None, restarts=1,
    threads=None, device="cpu", max_evals=None, max_time=None, target=None, ftol=None, patience=None,
    callback=None, progress=False, checkpoint=None, options=None,
) -> Result:  # fmt: skip
    """Find the minimum of a function over a box.

    Parameters
    ----------
    fun : callable, Objective or Problem
        `fun(x, *args) -> float`, x of shape (D,): a Python function (compiled by Numba, loops and branches allowed), a
        function compiled by Numba, or a C function; see `thalweg.kernels.objective` for more forms. A `Problem` brings
        its own bounds, x0, args and integrality.
    bounds : (D, 2) array_like, sequence of pairs, or scipy.optimize.Bounds
        The box, finite.
    x0 : (D,) or (n, D) array_like, optional
        A point, or a population, to begin with; the rest of the first generation is uniform in the box.
    args : tuple, default ()
        Further arguments: arrays, numbers, tuples of these.
    method : str, default "auto"
        A name in `thalweg.solvers.SOLVERS`; "auto" chooses by dimension and budget.
    jac : callable, optional
        The gradient. Refused by methods that use none.
    integrality : (D,) array_like of bool, optional
        True where a variable takes whole numbers.
    seed : int, optional
        0 <= seed < 2**64. The same seed gives the same bits, on any number of threads. None draws one.
    restarts : int, default 1
        Independent runs, on all threads; the best is returned.
    threads : int, optional
        Default: all cores. Restarts use one each; a single run spreads its rows where that is measured to be faster.
    device : "cpu" or "cuda", default "cpu"
        "cuda" runs on an NVIDIA GPU (extras cuda12, cuda13): a block for each restart, or a thread for each individual
        of one large population. The same draws; values equal to rounding. The objective must be Python that Numba
        compiles for a GPU: numbers and loops, no new arrays. Compiled anew in each process, some seconds.
    max_evals : int, default 10,000 D
        Evaluations per run. The adaptive methods plan their run by it.
    max_time : float, optional
        Seconds. Without `max_evals`, runs of the default length repeat until the time is up.
    target : float, optional
        Stop when a value <= target is found.
    ftol : float, optional
        Stop when the population's values lie within ftol (1 + |best|).
    patience : int, optional
        Stop after so many generations without improvement.
    callback : callable, optional
        `callback(intermediate_result)` (or `callback(x)`, if its parameter has another name) about every 0.1 s;
        StopIteration ends the run.
    progress : bool, default False
        Show the best value, evaluations and speed while it runs.
    checkpoint : path, optional
        Written once a second and at the end; if it exists and belongs to the same call, the run goes on from it.
    options : dict or Options, optional
        Options of the method, for example `{"population": 100}`.

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
    >>> from thalweg.solvers import minimize
    >>> def rosenbrock(x):
    ...     total = 0.0
    ...     for i in range(x.size - 1):
    ...         total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    ...     return total
    >>> result = minimize(rosenbrock, [(-5, 10)] * 5, seed=1)
    >>> bool(result.fun < 1e-8)
    True
    """
    if seed is None and checkpoint is not None:
        seed = saved_seed(checkpoint)  # so that the same call goes on
    call = parse_call(
        fun, bounds, x0, args, method=method, integrality=integrality, seed=seed,
        max_evals=max_evals, target=target, ftol=ftol, patience=patience, options=options,
    )  # fmt: skip
    solver, limits, dimension = call.solver, call.limits, call.problem.dimension
    if jac is not None:
        raise ValueError(f"jac: {solver.name} uses no gradient; leave it out")
    runs = settings.make_positive("restarts", restarts)
    max_time = None if max_time is None else settings.as_positive_real("max_time", max_time)
    if device == "cuda" and threads is not None:
        raise ValueError("threads: device='cuda' has threads of its own, as many as suit it; leave this out")
    threads = jit.available_threads() if threads is None else settings.make_positive("threads", threads)
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device: got {device!r}, expected 'cpu' or 'cuda'")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback: got {type(callback).__name__}, expected a callable")

    called = time.perf_counter()
    bound = bind(call)
    states = {}  # of a checkpoint

    def make_state(index):
        state, seconds = states.pop(index, (None, 0.0))
        return state or begin(call, index), seconds

    def make(index):
        state, seconds = make_state(index)
        return make_run(solver, state, index, bound, threads if pool == 1 else 1, seconds)

    endless = max_time is not None and max_evals is None and restarts == 1
    compiled = isinstance(bound, CompiledObjective)
    pool = min(threads, runs if not endless else threads) if compiled and (runs > 1 or endless) else 1
    if device == "cuda":
        from .driving.cuda import CudaSession

        pool = 1
        session = CudaSession(make_state, solver, bound, None if endless else runs, dimension, max_time)
    else:
        compile_for_run(solver, bound)
        session = Session(make, None if endless else runs, dimension, max_time)
    compiling = time.perf_counter() - called
    hooks, finish = [], []
    if callback is not None:
        hooks.append(_call_back(callback))
    if checkpoint is not None:
        header = describe(call, bound, device) | {"restarts": None if endless else runs, "device": device}
        saved = Checkpoint(checkpoint, header)
        session.resume(*saved.load(solver.State, session.dtype), states)
        session.snapshot_every = 0.5
        hooks.append(saved)
        finish.append(saved.save)
    if progress:
        from .driving.progress import Progress

        shown = Progress(solver.name, limits.max_evals * runs if not endless else None, runs if not endless else None)
        hooks.append(shown)
        finish.append(shown.close)
    session.hooks = hooks
    try:
        session.carry_out(pool)
    finally:
        for close in finish:
            close(session)
    running = time.perf_counter() - session.begin
    result = session.summarise(limits)
    result.update(
        timing={"compile": compiling, "run": running, "evaluate": _evaluating(session, bound, result, device)},
        method=solver.name,
        options=dataclasses.asdict(call.options),
        objective=bound.runs_as,
        threads=session.threads,
        device=device,
        seed=call.seed,
        versions=versions(device),
    )
    return result


def _evaluating(session: Session, bound, result: Result, device: str) -> float:
    """Seconds in the objective: measured in Python; in compiled code, what a sample at x tells; NaN on a GPU."""
    if not isinstance(bound, CompiledObjective):
        return bound.seconds
    if device == "cuda" or not np.isfinite(result.x).all():
        return float("nan")
    bound.evaluate(result.x[None])  # the loop around it may have to be loaded
    count, elapsed = 1, 0.0
    while elapsed < 2e-4:
        count *= 4
        rows = np.repeat(result.x[None], count, axis=0)
        begin = time.perf_counter()
        bound.evaluate(rows)
        elapsed = time.perf_counter() - begin
    return elapsed / count * result.nfev / max(session.threads, 1)


def _call_back(callback):
    """The user's callback as a hook of a session, at most every 0.1 s."""
    takes_result = "intermediate_result" in inspect.signature(callback).parameters
    last = 0.0

    def hook(session: Session):
        nonlocal last
        if time.perf_counter() - last < CALLBACK_EVERY:
            return
        fun, x, evaluations, generations = session.best_so_far()
        if x is None or np.isnan(x).any():  # nothing but inf and NaN so far
            return
        last = time.perf_counter()
        if takes_result:
            callback(intermediate_result=Result(x=x.copy(), fun=fun, nfev=evaluations, nit=generations))
        else:
            callback(x.copy())

    return hook
