"""`thalweg warm`: everything that is compiled once and for all, compiled into the disk cache."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

import click

from ...kernels.calling.asking import REPLAY
from ...kernels.compile import cache
from ...kernels.compile.waiting import silent
from ...solvers import SOLVERS, minimize
from ...solvers.contract import Solver
from ...solvers.driving import drivers


def every_function(x):
    """An objective that calls whatever stands in for `math`, so that the stand-ins are compiled too."""
    y = x[0]
    total = math.sin(y) + math.cos(y) + math.tan(y) + math.exp(y) + math.expm1(y) + math.tanh(y) + math.sqrt(y)
    return total + math.log(1.0 + y) + math.log1p(y)


def compile_drivers(solver: Solver) -> None:
    """Each way to run a method: serial, many short runs, on threads, ask and tell."""
    drivers.serial(solver)
    drivers.many(solver)
    if solver.rows is None:
        drivers.serial(solver, REPLAY)
        return
    drivers.parallel(solver)
    drivers.proposer(solver)
    drivers.concluder(solver)


def fill_cache(methods: Iterable[str]) -> None:
    """Compile the drivers of each method and minimise something small with it; say what is done."""
    methods = tuple(methods)
    begin = time.perf_counter()
    for number, name in enumerate(methods, 1):
        click.echo(f"{number}/{len(methods)}  {name:<16}", nl=False)
        before = time.perf_counter()
        with silent():
            compile_drivers(SOLVERS[name])
            minimize(every_function, [(0.5, 1.0)], method=SOLVERS[name], seed=0, max_evals=500)
        click.echo(f"{time.perf_counter() - before:6.1f} s")
    files, size = cache_size()
    click.echo(f"{time.perf_counter() - begin:.1f} s in all")
    click.echo(f"{cache.folder() or 'no folder'}: {files} files, {size / 2**20:.1f} MB")


def cache_size() -> tuple[int, int]:
    """Files and bytes in the cache folder."""
    sizes = [size for _, size, path in cache.stored() if path.suffix == ".nbc"]
    return len(sizes), sum(sizes)
