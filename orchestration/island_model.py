"""Islands: populations that evolve apart and exchange their best points every so many generations."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any, Unpack, overload

import numpy as np

from ..kernels.compile.structures import leaves
from ..kernels.given import as_flag, as_word
from ..solvers import SOLVERS
from ..solvers.driving import settings
from ..solvers.driving.call import Call, begin, describe, parse_call, versions
from ..solvers.driving.checkpoint import Checkpoint, saved_seed
from ..solvers.driving.reading import reads_calls
from ..solvers.driving.result import Result, StopReason, as_item
from ..solvers.driving.running import history_of
from ..solvers.driving.signatures import AnyMethod, Box, Fun, IslandsSettings, Point, Points
from ..solvers.driving.telling import counted
from .archipelago import TOPOLOGIES, Archipelago, Islands, carry_on_here
from .execution import Execution
from .execution.campaign import Campaign, count_kinds
from .progress import hooks_for
from .runs import failures, place, summarise

NEVER = 2**62  # generations
COPIES = 2  # of the states: an epoch goes on from copies of them
SHORT = 0.25  # seconds of an epoch that is carried out here, at most: nobody looks at the clock meanwhile
LOOK_EVERY = 0.05  # seconds between looks of a progress display


@overload
def islands(
    fun: Fun, domain: Box | None = None, x0: Points | None = None, args: Any = (), *, bounds: Box | None = None,
    method: AnyMethod = "auto", **settings: Unpack[IslandsSettings],
) -> Result: ...  # fmt: skip
@overload
def islands(
    fun: Fun, x0: Point, args: Any = (), method: AnyMethod = "auto", *, bounds: Box | None = None,
    **settings: Unpack[IslandsSettings],
) -> Result: ...  # fmt: skip
@reads_calls("fun", "x0", "args", "method")
def islands(
    fun, bounds=None, x0=None, args=(), *, islands=8, every=20, topology="ring", migrants=1, method="auto",
    integrality=None, seed=None, max_evals=None, max_iters=None, max_time=None, target=None, ftol=None, patience=None,
    options=None, client=None, threads=None, checkpoint=None, progress=False, retries=2, task_timeout=None,
) -> Result:  # fmt: skip
    """Find the minimum of a function over a box by several populations that exchange their best points.

    Island k begins as run k of `minimize` does. An epoch is `every` generations of each island; after it, an island
    takes in the best points of its sources: they replace its worst ones where they are better and not there already.
    All islands migrate at once, from their states at the end of the epoch, so that the answer has the same bits on any
    number of threads and workers. An island that has ended, by budget, ftol or patience, gives points and takes none.
    L-SRTDE has two populations: the second, which keeps the best, gives; both take.

    Parameters
    ----------
    fun, bounds, x0, args, method, integrality, seed, target, ftol, patience, options
        As in `thalweg.solvers.minimize`. The method must keep a population.
    islands : int, default 8
        At least 2.
    every : int, default 20
        Generations of an epoch.
    topology : {"ring", "fully_connected", "random"}, default "ring"
        Where an island's points come from: the island before it; all others; one other, drawn anew in each epoch.
    migrants : int, default 1
        Points that an island takes from each of its sources in each epoch; below the size of the population.
    max_evals : int, default 10,000 D
        Evaluations per island.
    max_iters : int, optional
        Generations per island.
    max_time : float, optional
        Seconds; the best so far is returned.
    client : distributed.Client, optional
        Its workers carry out the islands; see `thalweg.orchestration.cluster`. An epoch of a compiled objective that
        takes less time than to be handed out, to threads or to workers, is carried out by the caller.
    threads : int, optional
        Without a client. Default: all cores for a compiled objective, one for an objective in Python.
    checkpoint : path, optional
        The states of all islands are written to it, once a second and at the end; if it exists and belongs to the same
        call, the islands go on from it, and end with the same bits.
    progress : bool, default False
        Show the best value, epochs and workers.
    retries : int, default 2
        How often a part of an epoch is tried again after it raised an exception, took too long or lost its worker.
    task_timeout : float, optional
        Seconds that one part of an epoch may take; it takes about 2 s, or one evaluation. What can be ended then, and
        what only on workers, is told in `thalweg.restarts`.

    Returns
    -------
    Result
        As that of `minimize`; `runs` has a row per island, with the best that it had, found or taken in. And `epochs`;
        `migrations`, the points that were taken in; `failures`, the islands that a failure ended, and why.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected, before anything runs.
    RuntimeError
        If no island evaluated a point, with the reason.

    Examples
    --------
    >>> from thalweg.orchestration import islands
    >>> def sphere(x):
    ...     return (x * x).sum()
    >>> result = islands(sphere, [(-5, 5)] * 3, islands=4, method="de", max_evals=3000, seed=1)
    >>> bool(result.fun < 1e-6), result.epochs, len(result.runs)
    (True, 5, 4)
    """
    if seed is None and checkpoint is not None:
        seed = saved_seed(checkpoint)  # so that the same call goes on
    call = parse_call(
        fun, bounds, x0, args, method=method, integrality=integrality, seed=seed,
        max_evals=max_evals, max_iters=max_iters, target=target, ftol=ftol, patience=patience,
        options=options, rows=True,
    )  # fmt: skip
    max_time = settings.as_max_time(max_time)
    progress = as_flag("progress", progress)
    archipelago = _begin_islands(call, islands, every, topology, migrants)
    begin = time.perf_counter()
    work = Islands(call)
    work.prepare()  # here first: what is wrong with the objective appears as itself
    if threads is None and client is None and not work.compiled:
        threads = 1
    saved = None
    if checkpoint is not None:
        saved = Checkpoint(checkpoint, archipelago.plan() | describe(call, work.bound), call, len(archipelago.states))
        archipelago.take_up(saved.load().states)
    with Execution(work, client=client, threads=threads, retries=retries, task_timeout=task_timeout) as execution:
        compiling = time.perf_counter() - begin
        with hooks_for(progress) as hooks:
            _evolve(archipelago, work, execution, saved, max_time, hooks)
    result = _summarise(archipelago)
    result.update(
        timing={"compile": compiling, "run": archipelago.total.seconds, "busy": archipelago.total.busy},
        method=call.solver.name,
        options=dataclasses.asdict(call.options),
        objective=work.bound.runs_as,
        **place(client, archipelago.total),
        seed=call.seed,
        versions=versions(),
    )
    return result


def _begin_islands(call: Call, islands, every, topology, migrants) -> Archipelago:
    """The islands before their first generation, from arguments that have been checked."""
    solver = call.solver
    if solver.points is None:
        able = ", ".join(name for name, other in SOLVERS.items() if other.points is not None)
        raise ValueError(f"method: {solver.name} keeps no population that could take points in; expected one of {able}")
    count = settings.as_integer("islands", islands)
    if count < 2:
        raise ValueError(f"islands: got {islands}, expected at least 2; for one population there is minimize")
    size = sum(array.nbytes for _, array in leaves(begin(call, 0)))
    if COPIES * count * size > settings.memory():
        each, there = f"each takes {size / 2**20:.3g} MiB", f"{settings.memory() / 2**30:.3g} GiB"
        raise ValueError(f"islands: got {islands}, expected fewer: {each}, and this machine has {there} of memory")
    topology = as_word("topology", topology, TOPOLOGIES)
    every = min(settings.make_positive("every", every, math.inf), NEVER)
    migrants = settings.make_positive("migrants", migrants)
    archipelago = Archipelago(call, count, every, topology, migrants)
    rows = int(archipelago.states[0].rows[0].live)
    if migrants >= rows:
        raise ValueError(f"migrants: got {migrants}, expected fewer than {rows}, the size of a population")
    return archipelago


def _evolve(
    archipelago: Archipelago, work: Islands, execution: Execution, saved: Checkpoint | None, max_time, hooks
) -> None:
    """Epochs and migrations, until all islands have ended, the target is reached or the time is up.

    An epoch that takes less time here, in one thread, than handed out is carried out here: the bits are the same.
    """
    total, begin, looked, here = archipelago.total, time.perf_counter(), -np.inf, False

    def look(campaign: Campaign | None = None) -> None:
        nonlocal looked
        archipelago.campaign = campaign or archipelago.campaign
        if time.perf_counter() - looked >= LOOK_EVERY:
            looked = time.perf_counter()
            for hook in hooks:
                hook(archipelago)

    try:
        while total.stop is None:
            left = None if max_time is None else max_time - (time.perf_counter() - begin)
            if left is not None and left <= 0:
                total.stop = StopReason.OUT_OF_TIME
            elif going := archipelago.going():
                seconds = SHORT if left is None else min(left, SHORT)
                outcome = carry_on_here(archipelago, work, seconds) if here else None
                if outcome is None:
                    states = archipelago.states
                    outcome = execution.run(going, states.__getitem__, hooks=[look], max_time=left)
                archipelago.accept(outcome)
                here = work.compiled and outcome.busy <= min(outcome.seconds, SHORT)
                look()
            elif archipelago.over():
                break
            else:
                archipelago.migrate()
            if saved is not None and saved.due():
                saved.write(archipelago.content())
    except KeyboardInterrupt:
        total.stop = StopReason.INTERRUPTED
    finally:
        if saved is not None:
            saved.write(archipelago.content(), last=True)
    total.seconds = time.perf_counter() - begin


def _summarise(archipelago: Archipelago) -> Result:
    total, records = archipelago.total, archipelago.records()
    ended = {island: failure for island, failure in total.failures.items() if island in records}
    nothing = {island: failure for island, failure in total.failures.items() if island not in records}
    outcome = dataclasses.replace(total, records=records, failures=nothing, reached=archipelago.reached())
    result = summarise(archipelago.call, outcome, len(archipelago.states))
    result.success = result.success and total.stop in (None, StopReason.OUT_OF_TIME)
    if ended:
        result.message += (
            f" {len(ended)} of {counted(len(archipelago.states), 'island')} ended early: {count_kinds(ended)}."
        )
    best = archipelago.states[int(result.runs["run"][np.argmin(result.runs["fun"])])]
    result.update(
        history=as_item(history_of(best)),
        epochs=archipelago.epochs,
        migrations=archipelago.migrations,
        failures=failures(total),
    )
    return result
