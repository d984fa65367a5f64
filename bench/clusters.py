"""Lennard-Jones clusters to the published energies: coordinated basin hopping beside fcmaes; a part of coordinated.py.

The objective is a user's: a loop over pairs, compiled by Numba. Our gradient is automatic and counted as 4
evaluations; fcmaes calls the same compiled function. Of fcmaes two ways are run: its coordinated retry, `advretry`
with its DE and CMA-ES, and independent restarts of its CMA-ES. Lengths of runs were chosen for them on 7, 13, 17 and 19
atoms: 20,000 of 1,500 and 20,000 evaluations, 50,000 of 50,000 and 200,000. Ours has its defaults.
"""

import contextlib
import ctypes
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np
from common import RESULTS, cpu_seconds, table

sys.path.append(str(Path(__file__).parents[1] / "examples"))
from lennard_jones import box, energy, solve

LINES = RESULTS / "clusters.jsonl"
LIMIT = 20.0  # CPU seconds of a run
REACHED = 1e-5  # above the published energy, which has six digits behind the point


def thalweg(atoms, target, seed):
    solve(atoms, least=0.0, seed=0, runs=1, max_evals=100)  # compiles
    before = cpu_seconds()
    found = solve(atoms, least=target - REACHED, seed=seed, runs=10**6, max_time=LIMIT, threads=1)
    return found.fun, found.nfev, cpu_seconds() - before


class Watched:
    """The energy in a process of fcmaes: it is ended at the target, or when its time is over."""

    def __init__(self, target):
        self.target = target
        self.count = multiprocessing.RawValue(ctypes.c_long, 0)
        self.best = multiprocessing.RawValue(ctypes.c_double, np.inf)

    def __call__(self, x):
        value = energy(x)
        self.count.value += 1
        self.best.value = min(self.best.value, value)
        if value <= self.target or time.process_time() > LIMIT:
            os._exit(0)
        return value


def fcmaes(minimize, optimizer, atoms, target):
    from loguru import logger
    from scipy.optimize import Bounds

    logger.remove()
    lower, upper = np.array(box(atoms)).T
    energy(np.linspace(lower, upper, 3)[1] + np.arange(3.0 * atoms))  # compiles
    fun, before = Watched(target), cpu_seconds()
    settings = {"num_retries": 10**6, "workers": 1, "stop_fitness": target, "optimizer": optimizer}
    with contextlib.suppress(TypeError):  # it has no answer where its first run was ended
        minimize(fun, Bounds(lower, upper), **settings)
    return fun.best.value, fun.count.value, cpu_seconds() - before


def fcmaes_cma_es(atoms, target, seed):
    from fcmaes import optimizer, retry

    return fcmaes(retry.minimize, optimizer.Cma_cpp(50_000, stop_fitness=target), atoms, target)


def fcmaes_advretry(atoms, target, seed):
    from fcmaes import advretry, optimizer

    return fcmaes(advretry.minimize, optimizer.de_cma(20_000, 31, target), atoms, target)


ALL, SOME = range(5, 32, 2), (5, 9, 13, 21, 31)
METHODS = {  # name: function, seeds, sizes
    "thalweg": (thalweg, 10, ALL),
    "fcmaes CMA-ES": (fcmaes_cma_es, 1, SOME),
    "fcmaes advretry": (fcmaes_advretry, 1, SOME),
}


def one_run(task):
    method, atoms, least, seed = task
    best, evaluations, seconds = METHODS[method][0](atoms, least + REACHED, seed)
    record = {"method": method, "atoms": atoms, "seed": seed, "best": best, "reached": bool(best <= least + REACHED)}
    return record | {"evaluations": evaluations, "cpu": round(seconds, 3)}


def load():
    return [json.loads(line) for line in LINES.read_text().splitlines()] if LINES.exists() else []


def tasks(energies):
    """What is missing; the methods in turns."""
    done = {(r["method"], r["atoms"], r["seed"]) for r in load()}
    wanted = [
        (method, atoms, energies[atoms], seed)
        for atoms in ALL
        for seed in range(1, 11)
        for method, (_, seeds, sizes) in METHODS.items()
        if seed <= seeds and atoms in sizes
    ]
    return [task for task in wanted if (task[0], task[1], task[3]) not in done]


def report(records):
    rows = []
    for atoms in sorted({r["atoms"] for r in records}):
        row = [atoms]
        for method in METHODS:
            runs = [r for r in records if (r["atoms"], r["method"]) == (atoms, method)]
            reached = sum(r["reached"] for r in runs)
            seconds = f", {np.median([r['cpu'] for r in runs]):.2f} s" if reached * 2 > len(runs) else ""
            row.append(f"{reached} of {len(runs)}{seconds}" if runs else "")
        rows.append(row)
    return table(["atoms", *METHODS], rows)
