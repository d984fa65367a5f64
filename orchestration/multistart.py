"""Restarts: independent runs of one method, or coordinated ones, on threads here or on a Dask cluster."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any, Unpack, overload

from ..kernels.given import as_flag
from ..solvers.driving import settings
from ..solvers.driving.call import Call, code_of, describe, parse_call, versions
from ..solvers.driving.callbacks import read_callback
from ..solvers.driving.preparing import workers_of
from ..solvers.driving.reading import reads_calls
from ..solvers.driving.result import Result
from ..solvers.driving.signatures import AnyMethod, Box, Fun, Point, Points, RestartsSettings
from ..solvers.registry import SOLVERS
from .call_back import CallBack
from .coordinated import ROUND, Way, coordinate, short_runs
from .execution import Execution
from .journal import open_journal, saved_header
from .progress import hooks_for
from .runs import Runs, place, summarise


@overload
def restarts(
    fun: Fun, domain: Box | None = None, x0: Points | None = None, args: Any = (), *, bounds: Box | None = None,
    method: AnyMethod = "auto", **settings: Unpack[RestartsSettings],
) -> Result: ...  # fmt: skip
@overload
def restarts(
    fun: Fun, x0: Point, args: Any = (), method: AnyMethod = "auto", *, bounds: Box | None = None,
    **settings: Unpack[RestartsSettings],
) -> Result: ...  # fmt: skip
@reads_calls("fun", "x0", "args", "method")
def restarts(
    fun, bounds=None, x0=None, args=(), *, runs=100, method="auto", integrality=None, seed=None, coordinated=False,
    round_size=None, client=None, threads=None, workers=None, max_evals=None, max_iters=None, total_evals=None,
    max_time=None, target=None, ftol=None, patience=None, callback=None, options=None, journal=None, progress=False,
    retries=2, task_timeout=None,
) -> Result:  # fmt: skip
    """Find the minimum of a function over a box by many runs.

    Run k depends on (seed, k) alone: the answer has the same bits on any number of threads, workers and machines (of
    one CPU model and one set of versions), also after workers were lost and after a resume.

    Parameters
    ----------
    fun, bounds, x0, args, method, integrality, seed, max_evals, max_iters, target, ftol, patience, options
        As in `thalweg.minimize`; `max_evals` and the other stops are those of each run.
    runs : int, default 100
    coordinated : bool, default False
        In rounds: later runs search around and between the good solutions of earlier ones, as in the coordinated retry
        of fcmaes. For problems whose single runs end in different valleys. By default by CMA-ES, and by jSO with a
        small population where good solutions are varied. `max_evals` is then that of the first run, by default 125 D,
        of another method 2000 D. Runs begin short: give `runs` in thousands, and `total_evals`.
    round_size : int, default 50
        Runs of a round, where `coordinated`; what is learnt in a round serves the next. Changes the answer. Runs differ
        in length: ten or more for each worker keep all of them busy.
    client : distributed.Client, optional
        Its workers carry out the runs, one per thread of a worker. See `thalweg.orchestration.cluster`.
    threads : int, optional
        Without a client. Default: all cores for a compiled objective, one for an objective in Python.
    workers : int, map-like callable, or distributed.Client, optional
        For objectives that take long in Python: one run after another, the rows of each generation side by side on
        these, as in `minimize`. Excludes `threads` and `client`, which share out whole runs.
    total_evals : int, optional
        What the budgets of all runs may add up to: the first run that goes beyond it, and all later ones, are left out.
    max_time : float, optional
        Seconds, compilation not counted, here and on the workers. Runs that threads are at work on then count with what
        they have found, as after Ctrl-C; those on workers, and those not begun, are left out.
    journal : path, optional
        Every finished run is appended to this file (JSON lines); if it exists and belongs to the same call, the runs in
        it are taken from there. More runs than it holds extend it.
    callback : callable, optional
        As in `thalweg.minimize`: called with the best of the runs that are done, about every 0.1 s and once at the end,
        where some are new. Returning True, or StopIteration, ends the call with what is done.
    progress : bool, default False
        Show the best value, the runs done and the workers.
    retries : int, default 2
        How often a run is tried again after it raised an exception, took too long or lost its worker.
    task_timeout : float, optional
        Seconds that one run may take. A worker that does not end it then is restarted (by its nanny, which the workers
        of `cluster` have), a thread here ends where it is in Python. What cannot be ended goes on, and the message says
        so: a long call of C code, machine code that never returns. What holds Python's lock meanwhile, as a regular
        expression does, stops the whole process: only workers are safe from that.

    Returns
    -------
    Result
        As that of `minimize`. `runs` holds a row per finished run; `failures` says for each run that came to nothing
        what happened, how often and where. With a target, they are those of runs 0..k, k the first that reached it.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected, before anything runs.
    OSError
        If the journal cannot be read, or not be made.
    RuntimeError
        If no run came to an end, with the reason of the first; if the workers have other versions.

    Examples
    --------
    >>> from thalweg.orchestration import restarts
    >>> def sphere(x):
    ...     return (x * x).sum()
    >>> result = restarts(sphere, [(-5, 5)] * 3, runs=4, max_evals=2000, seed=1)
    >>> bool(result.fun < 1e-6), len(result.runs)
    (True, 4)
    """
    runs, progress = settings.make_positive("runs", runs), as_flag("progress", progress)
    coordinated = as_flag("coordinated", coordinated)
    max_time = settings.as_max_time(max_time)
    if seed is None and journal is not None:
        seed = saved_header(journal).get("seed")  # so that the same call goes on
    if round_size is not None and not coordinated:
        raise ValueError(f"round_size: got {round_size!r}, expected coordinated=True beside it")
    round_size = ROUND if round_size is None else settings.make_positive("round_size", round_size)
    call = parse_call(
        fun, bounds, x0, args, method=method, integrality=integrality, seed=seed,
        max_evals=max_evals, max_iters=max_iters, target=target, ftol=ftol, patience=patience, options=options,
        rows=workers is not None,
    )  # fmt: skip
    ways: dict[str, Way] = {}
    if coordinated:
        call.problem.require_box("a coordinated search")
        call, ways = short_runs(call, method, max_evals, options)
    total = math.inf if total_evals is None else settings.make_positive("total_evals", total_evals)
    if total_evals is not None and call.limits.budget is None:
        raise ValueError("total_evals: it shares out the evaluations of runs; expected max_evals beside it")
    if total < call.limits.max_evals:
        raise ValueError(f"total_evals: got {total_evals}, expected at least {call.limits.max_evals}, those of one run")
    if not coordinated:
        runs = int(min(runs, total // call.limits.max_evals))
    back = None if callback is None else CallBack(read_callback(callback), call.limits.ftol)
    begin = time.perf_counter()
    work = Runs(call, 0 if coordinated else runs, frozenset(way.method for way in ways.values()))
    with workers_of(call.solver, workers, threads=threads, client=client) as spread:
        work.prepare(spread)  # here first: what is wrong with the objective appears as itself
        call = work.call
        if threads is None and client is None and work.bound.runs_as != "compiled":
            threads = 1
        header = {} if journal is None else _header(call, work, runs, round_size if coordinated else None, ways)
        with Execution(work, client=client, threads=threads, retries=retries, task_timeout=task_timeout) as execution:
            compiling = time.perf_counter() - begin  # here, and on the workers
            with open_journal(journal, header, work.tests()) as book, hooks_for(progress) as hooks:
                common = {"target": target, "journal": book, "hooks": hooks if back is None else [*hooks, back]}
                if coordinated:
                    outcome = coordinate(execution, call, ways, runs, round_size, total, max_time, **common)
                else:
                    outcome = execution.run(range(runs), max_time=max_time, **common)
                if back is not None:
                    back.finish()
    result = summarise(call, outcome, runs)
    result.update(
        timing={"compile": compiling, "run": outcome.seconds, "busy": outcome.busy},
        method=call.solver.name,
        options=dataclasses.asdict(call.options),
        objective=work.bound.runs_as,
        **place(client, outcome),
        seed=call.seed,
        versions=versions(),
    )
    return result


def _header(call: Call, work: Runs, runs: int, round_size: int | None, ways: dict[str, Way]) -> dict:
    """What the journal belongs to; round_size: None where the runs are independent."""
    strategy: dict[str, Any] = {"work": "restarts"}
    if round_size is not None:
        strategy = {"work": "coordinated restarts", "round_size": round_size, "ways": {}}
        for kind, (method, options) in ways.items():
            strategy["ways"][kind] = [method, code_of(SOLVERS[method]), dataclasses.asdict(options)]
    names = {} if call.problem.names is None else {"names": list(map(str, call.problem.names))}
    return {**strategy, "units": runs, **names, **describe(call, work.bound)}
