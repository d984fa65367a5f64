"""`thalweg restarts` and `thalweg search`: a file and settings in, a result or a short refusal out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ...kernels.problem import Problem
from ...solvers.driving.result import Result
from ..execution.cluster import cluster
from ..multistart import restarts
from ..search import grid_search, random_search
from .load import Loaded, Refusal, load, load_search
from .run import explained, parse_options


def restarts_file(file: str, *, options=(), scheduler=None, workers=None, **settings) -> tuple[Loaded, Result]:
    """Load the problem and minimise it by many runs."""
    loaded = load(file)
    with connected(scheduler, workers) as client, explained(loaded, settings["progress"]):
        return loaded, restarts(loaded.problem, client=client, options=parse_options(options), **settings)


def search_file(
    file: str, *, levels=None, points=None, sampling="random", seed=None, scheduler=None, workers=None, **settings
) -> tuple[Loaded, Result]:
    """Load the problem, or the function and its space, and search it: a grid where there are `levels` or no `points`
    to draw."""
    loaded = load_search(file)
    fun: Any = loaded.problem
    with connected(scheduler, workers) as client, explained(loaded, settings["progress"]):
        if points is None and levels is None and isinstance(fun, Problem):
            raise Refusal("--levels, --points: got neither, expected --levels for a grid or --points for random points")
        if points is None:
            if seed is not None:
                raise Refusal("--seed: a grid has none; random points are asked for with --points")
            return loaded, grid_search(fun, loaded.space, levels=levels, client=client, **settings)
        if levels is not None:
            raise Refusal("--levels, --points: got both, expected --levels for a grid or --points for random points")
        settings |= {"points": points, "sampling": sampling, "seed": seed}
        return loaded, random_search(fun, loaded.space, client=client, **settings)


@contextlib.contextmanager
def connected(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    """A client of the scheduler that is asked for, or of workers started here; None where neither is."""
    if scheduler is not None and workers is not None:
        raise Refusal("--scheduler, --workers: got both, expected an address, or a number of workers to start here")
    if workers is not None:
        with refused("--workers", lambda: cluster(workers)) as client:
            yield client
    elif scheduler is not None:
        from distributed import Client

        with refused("--scheduler", lambda: Client(scheduler, timeout="10s")) as client:
            yield client
    else:
        yield None


def refused(option: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
        raise Refusal(f"{option}: {error}") from None
