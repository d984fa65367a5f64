"""Grid and random search, over a Python callable or a compiled objective, on threads here or on a Dask cluster."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..kernels.calling.objective import Objective, objective
from ..kernels.given import as_flag, as_word
from ..kernels.problem import Problem
from ..solvers.driving import settings
from ..solvers.driving.call import versions
from ..solvers.driving.result import Result
from ..solvers.driving.signatures import Box, File, Fun, Seed
from .compiled_search import CompiledSearch
from .execution import Execution
from .journal import open_journal, saved_header
from .point_search import PointSearch
from .progress import hooks_for
from .runs import place
from .search_answer import Search, summarise
from .spaces import Space, check_qmc, parse_space

OWN_COLUMNS = ("index", "fun", "seconds")  # of `table`, beside the variables
SpaceLike = Mapping[str, Any] | Sequence[Mapping[str, Any]] | Box | None
SAMPLINGS = ("random", "sobol", "lhs")


def grid_search(
    fun: Fun, space: SpaceLike = None, *, levels: int | Mapping[str, int] | None = None, args: Any = (),
    client: Any = None, threads: int | None = None, device: Literal["cpu", "cuda"] = "cpu",
    target: float | None = None, max_time: float | None = None, journal: File = None, progress: bool = False,
    retries: int = 2, task_timeout: float | None = None,
) -> Result:  # fmt: skip
    """Try every point of a grid.

    The grid is never built: point k is decoded from k, the last variable changing fastest, so that 10^9 points are a
    range of numbers. The best is the lowest value; the first such point by number.

    Parameters
    ----------
    fun : callable, Objective or Problem
        A function, called as `fun(**point)` and to be minimised: a training, a simulation. Values that can change
        (lists, arrays, estimators) are copied for each call (`copy.deepcopy`). Or an objective for the compiler,
        `objective(f)` with `f(x, *args) -> float`, or a Problem: blocks of points are then decoded and evaluated inside
        one compiled loop.
    space : dict, list of dicts, or bounds
        Name -> list of values, or one of `uniform`, `log_uniform`, `integer`, `log_integer`, `choice`, `when`, or a
        frozen distribution of scipy.stats. A list of dicts joins their grids. For an objective also (low, high) pairs.
        A Problem brings its own.
    levels : int or dict, optional
        Points along each real variable (or of each that is named), both ends included.
    args : tuple, default ()
        Further arguments of an objective.
    client : distributed.Client, optional
        Its workers do the work. See `thalweg.orchestration.cluster`.
    threads : int, optional
        Without a client. Default: all cores for a compiled objective, one for Python.
    device : "cpu" or "cuda", default "cpu"
        Where a compiled objective is evaluated.
    target : float, optional
        Stop at the first point, by number, with a value <= target; of a compiled objective, after its block.
    max_time : float, optional
        Seconds; points that are not done by then are left out.
    journal : path, optional
        What is finished is appended to this file (JSON lines); if it exists and belongs to the same search, it goes on
        from there.
    progress : bool, default False
    retries : int, default 2
        How often a point is tried again after it raised an exception, took too long or lost its worker.
    task_timeout : float, optional
        Seconds that one point (of a compiled objective: one block of points) may take. What can be ended then, and what
        only on workers, is told in `thalweg.restarts`.

    Returns
    -------
    Result
        `point` (dict), `fun`, `index`, `success`, `message`, `nfev`, `n_failed` (values that were NaN), `failures`
        (what came to nothing, how often and where), `timing`; for a function `table`, a dict of columns with a row per
        point (`pandas.DataFrame(result.table)`); for an objective `x`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected, before anything runs.
    OSError
        If the journal cannot be read, or not be made.
    RuntimeError
        If no point came to an end, with the reason of the first; if the workers have other versions.

    Examples
    --------
    >>> from thalweg.orchestration import grid_search
    >>> found = grid_search(lambda a, b: (a - 3) ** 2 + b, {"a": range(6), "b": [0.5, 0.25]})
    >>> found.point, found.fun, found.index
    ({'a': 3, 'b': 0.25}, 0.25, 7)
    """
    search = _parse(fun, space, args, levels, "grid", None, None, device, journal)
    return _carry_out(
        "grid search", search, client, threads, target, max_time, journal, progress, retries, task_timeout
    )


def random_search(
    fun: Fun, space: SpaceLike = None, *, points: int = 100, sampling: Literal["random", "sobol", "lhs"] = "random",
    seed: Seed = None, args: Any = (), client: Any = None, threads: int | None = None,
    device: Literal["cpu", "cuda"] = "cpu", target: float | None = None, max_time: float | None = None,
    journal: File = None, progress: bool = False, retries: int = 2, task_timeout: float | None = None,
) -> Result:  # fmt: skip
    """Try points drawn from a space.

    Point k depends on (seed, k) alone: the answer has the same bits on any number of threads and workers.

    Parameters
    ----------
    fun, space, args, client, threads, device, target, max_time, journal, progress, retries, task_timeout
        As in `grid_search`. Where a space is a list of dicts, each is equally likely.
    points : int, default 100
        How many; of a space that has fewer, all.
    sampling : {"random", "sobol", "lhs"}, default "random"
        Random points: of a finite space none comes twice, but where it has more than 2**20 points they are independent,
        and about points / (2 size) of them repeat others. Or a scrambled Sobol sequence (best with a power of two
        points), or a Latin hypercube, both those of scipy.stats.qmc.
    seed : int, optional
        0 <= seed < 2**64. None draws one, or takes that of the journal.

    Returns
    -------
    Result
        As that of `grid_search`.

    Raises
    ------
    TypeError, ValueError, OSError, RuntimeError
        As `grid_search`.

    Examples
    --------
    >>> from thalweg.orchestration import log_uniform, random_search
    >>> def loss(C, penalty):
    ...     return abs(C - 1) + (penalty == "l1")
    >>> found = random_search(loss, {"C": log_uniform(1e-4, 1e4), "penalty": ["l1", "l2"]}, points=50, seed=1)
    >>> found.point["penalty"], len(found.table["C"])
    ('l2', 50)
    """
    as_word("sampling", sampling, SAMPLINGS)
    points = settings.make_positive("points", points)
    search = _parse(fun, space, args, None, sampling, points, seed, device, journal)
    name = "random search"
    return _carry_out(name, search, client, threads, target, max_time, journal, progress, retries, task_timeout)


def _parse(fun, space, args, levels, sampling, points, seed, device, journal) -> Search:
    """The search that the arguments ask for."""
    saved = {} if journal is None else saved_header(journal)
    if sampling == "grid":
        seed = 0
    elif seed is None:
        seed = saved.get("seed")  # so that the same call goes on
    integrality, names = None, None
    if isinstance(fun, Problem):
        if space is not None or not isinstance(args, tuple) or args:
            raise ValueError("space, args: a Problem brings its own; change it with dataclasses.replace")
        names, integrality = fun.names, fun.integrality
        fun, space, args = objective(fun.fun), fun.bounds, fun.args
    elif not callable(fun):
        raise TypeError(f"fun: got {type(fun).__name__}, expected a callable, an objective(f) or a Problem")
    found = parse_space(space, levels=levels, integrality=integrality)
    seed = settings.make_seed(seed)
    asked = total = found.size if points is None else points
    order = None
    if sampling == "random" and found.small:
        sampling, total = "distinct", min(total, found.size)
        order = found.order(seed)[:total]
    if total > sys.maxsize:
        raise ValueError("space: got a grid of 2**63 points or more, expected fewer; random_search needs no grid")
    if sampling in ("sobol", "lhs"):
        check_qmc(sampling, found.slots, total)
    if isinstance(fun, Objective):
        block = saved.get("block", 0)  # a matter of speed alone
        args = args if isinstance(args, tuple) else (args,)
        flat = found.flat(grid=sampling in ("grid", "distinct"))
        work = CompiledSearch(fun, args, flat, sampling, total, seed, block, device, order)
        return Search(work, found, sampling, total, asked, seed, names or found.names)
    if not isinstance(space, Mapping) and not (isinstance(space, list | tuple) and isinstance(space[0], Mapping)):
        raise TypeError(
            "space: got bounds for a function, which is called by names; expected a dict, or objective(f) for f(x)"
        )
    if taken := sorted(set(found.names) & set(OWN_COLUMNS)):
        raise ValueError(
            f"space: got the name {taken[0]!r}, expected another one: the table of results has such a column"
        )
    if not isinstance(args, tuple) or args:
        raise ValueError("args: a function is called as fun(**point); bind further arguments with functools.partial")
    if as_word("device", device, settings.DEVICES) != "cpu":
        raise ValueError(f"device: got {device!r}, expected 'cpu': only an objective(f) is compiled for a GPU")
    _warn_of_shared(found)
    work = PointSearch(fun, found, sampling, total, seed, journal is not None, order)
    return Search(work, found, sampling, total, asked, seed, found.names)


def _warn_of_shared(space: Space) -> None:
    for name, value, reason in space.shared():
        warnings.warn(
            f"space: {name!r} has the value {value!r:.80}, of which no copy can be made ({reason}): what a call "
            "changes in it, all later points find. Let the function make such values, and list their names or numbers",
            RuntimeWarning,
            stacklevel=4,
        )


def _carry_out(name, search, client, threads, target, max_time, journal, progress, retries, task_timeout) -> Result:
    """All units, then the best point and what is known of the others."""
    target = None if target is None else settings.as_real("target", target)
    progress = as_flag("progress", progress)
    max_time = settings.as_max_time(max_time)
    begin = time.perf_counter()
    search.work.prepare()  # here first: what is wrong with the function appears as itself
    in_python = not search.compiled or search.work.prepared.bound.runs_as != "compiled"
    if client is None and threads is None and in_python:
        threads = 1
    header = {} if journal is None else {"work": name, **search.header()}
    with (
        open_journal(journal, header, search.work.tests()) as book,
        hooks_for(progress) as hooks,
        Execution(search.work, client=client, threads=threads, retries=retries, task_timeout=task_timeout) as execution,
    ):
        search.drop_short(book)
        preparing = time.perf_counter() - begin
        units = range(search.units)
        outcome = execution.run(units, target=target, journal=book, hooks=hooks, max_time=max_time)
    result = summarise(search, outcome, target)
    result.update(
        method=name if search.sampling in ("grid", "random", "distinct") else f"{name} ({search.sampling})",
        timing={"prepare": preparing, "run": outcome.seconds, "busy": outcome.busy},
        **place(client, outcome),
        seed=None if search.sampling == "grid" else search.seed,
        versions=versions(),
    )
    return result
