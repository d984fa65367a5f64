"""Coordinated restarts on real problems, beside fcmaes: space trajectories of ESA's GTOP, and clusters of atoms.

    python bench/coordinated.py --gtop gtop.json --clusters lennard_jones.json     # what is missing, then the tables
    python bench/coordinated.py                                                    # only the tables, from what is there

Of the trajectories, the functions are those of the fcmaes package, called from Python by both; they are to come within
0.5 % of the best known value. Evaluations are counted by our wrapper in both; each has one worker. Every finished run
is one line in results/coordinated.jsonl. `--gtop` names a file of problems with their boxes, the value to reach and
points with their values, which are checked first. `--clusters` names one with the energies of Lennard-Jones clusters by
their atoms: see clusters.py; runs in results/clusters.jsonl.
"""

import argparse
import ctypes
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import clusters
import numpy as np
from common import RESULTS, cpu_seconds, machine, save, table, versions

LINES = RESULTS / "coordinated.jsonl"
BUDGET = {"Cassini1": 5_000_000, "GTOC1": 30_000_000, "Sagas": 20_000_000, "Messenger reduced": 10_000_000}
SEEDS = {"Cassini1": 20, "GTOC1": 5, "Sagas": 3, "Messenger reduced": 1}


class Counted:
    """A function that counts its calls and keeps the best value, in forked processes, too."""

    def __init__(self, name):
        from fcmaes import astro

        self.problem = getattr(astro, name.split()[0].capitalize())()
        self.count = multiprocessing.RawValue(ctypes.c_long, 0)
        self.best = multiprocessing.RawValue(ctypes.c_double, np.inf)

    def __call__(self, x):
        self.count.value += 1
        value = self.problem.fun(x)
        if value < self.best.value:
            self.best.value = value
        return value


def thalweg(fun, seed, target, budget):
    from thalweg.kernels import objective
    from thalweg.orchestration import restarts

    bounds = np.column_stack([fun.problem.bounds.lb, fun.problem.bounds.ub])
    settings = {"runs": 10**6, "total_evals": budget, "coordinated": True, "seed": seed, "target": target}
    restarts(objective(fun, compiled=False), bounds, **settings)


class WithinBudget:
    """Ends the worker process of fcmaes when the evaluations are used up; the best is kept."""

    def __init__(self, fun, budget):
        self.fun, self.budget = fun, budget

    def __call__(self, x):
        if self.fun.count.value >= self.budget:
            os._exit(0)
        return self.fun(x)


def fcmaes(fun, seed, target, budget):
    from fcmaes import advretry
    from loguru import logger

    logger.remove()
    within = WithinBudget(fun, budget)
    advretry.minimize(within, fun.problem.bounds, num_retries=5000, workers=1, stop_fitness=target)


METHODS = {"thalweg": thalweg, "fcmaes advretry": fcmaes}


def one_run(task):
    method, name, target, seed = task
    fun, start, before = Counted(name), time.perf_counter(), cpu_seconds()
    METHODS[method](fun, seed, target, BUDGET[name])
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - before
    best = fun.best.value
    record = {"method": method, "problem": name, "seed": seed, "best": best, "reached": bool(best <= target)}
    return record | {"evaluations": fun.count.value, "seconds": round(seconds, 2), "cpu": round(cpu, 2)}


def load():
    return [json.loads(line) for line in LINES.read_text().splitlines()] if LINES.exists() else []


def check(name, facts):
    """The function is the published one."""
    fun = Counted(name)
    for x, value in facts["check"]:
        got = fun(np.array(x))
        assert abs(got - value) <= 1e-9 * (1 + abs(value)), (name, x, got, value)


def report(records):
    rows = []
    for name in BUDGET:
        for method in METHODS:
            runs = [r for r in records if (r["problem"], r["method"]) == (name, method)]
            if runs:
                evaluations, seconds = ([r[key] for r in runs] for key in ("evaluations", "seconds"))
                within = sum(r["reached"] and r["evaluations"] <= BUDGET[name] for r in runs)
                counts = [f"{value:.2e}" for value in (np.median(evaluations), max(evaluations), BUDGET[name])]
                cpu = [r["cpu"] for r in runs if "cpu" in r]  # older runs have none
                times = [f"{np.median(cpu):.0f}" if cpu else "", f"{np.median(seconds):.1f}", f"{max(seconds):.1f}"]
                best = f"{np.median([r['best'] for r in runs]):.6g}"
                rows.append([f"{name}, {method}", f"{within} of {len(runs)}", best, *counts, *times])
    head = ["problem, method", "reached", "median best", "median evaluations", "most", "allowed"]
    head += ["median CPU s", "median s", "most s"]
    return table(head, rows)


def save_tables():
    trajectories, atoms = load(), clusters.load()
    parts = ["# Coordinated restarts on real problems", str(machine()), str(versions("fcmaes"))]
    parts += [
        "One worker each. Most runs had other work beside them: compare evaluations and CPU seconds.",
        "## Space trajectories: to within 0.5 % of the best known value\n\nThe objective is called from Python. "
        "The strategy was tuned on Sagas, Cassini1 and GTOC1 with seeds above 100; these are seeds from 1 on.",
        report(trajectories),
        "## Lennard-Jones clusters: to the published energy\n\nRuns that came within "
        f"{clusters.REACHED:g} of it in {clusters.LIMIT:g} CPU seconds, and the median of these where it is known.",
        clusters.report(atoms),
    ]
    save("coordinated", {"trajectories": trajectories, "clusters": atoms}, "\n\n".join(parts))
    print("\n\n".join(parts[4:]))


def let_fork():
    """In a process that was spawned, fcmaes would spawn, too, and import everything anew while its time runs."""
    multiprocessing.set_start_method("fork", force=True)


def run(one_run, tasks, lines, processes):
    """Each finished run is a line at once."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), let_fork)
    with pool, lines.open("a") as file:
        for future in as_completed([pool.submit(one_run, task) for task in tasks]):
            record = future.result()
            file.write(json.dumps(record) + "\n")
            file.flush()
            print(record, flush=True)


def trajectories(path, names, methods, seeds):
    """What is missing, the methods in turns."""
    facts = json.loads(path.read_text())["problems"]
    done = {(r["method"], r["problem"], r["seed"]) for r in load()}
    tasks = []
    for name in names:
        check(name, facts[name])
        for seed in seeds or range(1, SEEDS[name] + 1):
            tasks += [(m, name, facts[name]["stop_0p5pct"], seed) for m in methods if (m, name, seed) not in done]
    return tasks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gtop", type=Path, help="gtop.json")
    parser.add_argument("--clusters", type=Path, help="lennard_jones.json")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--problems", default=",".join(BUDGET))
    parser.add_argument("--seeds", default="", help="of those that are missing, only these: 1,2")
    a = parser.parse_args()
    if a.clusters:
        energies = {int(atoms): least for atoms, least in json.loads(a.clusters.read_text())["energy"].items()}
        run(clusters.one_run, clusters.tasks(energies), clusters.LINES, a.processes)
    if a.gtop:
        seeds = [int(seed) for seed in a.seeds.split(",") if seed]
        tasks = trajectories(a.gtop, a.problems.split(","), a.methods.split(","), seeds)
        run(one_run, tasks, LINES, a.processes)
    save_tables()


if __name__ == "__main__":
    main()
