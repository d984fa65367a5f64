"""Coordinated restarts on two space trajectories of ESA's GTOP, beside fcmaes' advretry: evaluations and time to 0.5 %.

    python bench/coordinated.py --gtop gtop.json --processes 1       # runs what is missing, then writes the table
    python bench/coordinated.py --table                              # only the table, from what is there

The functions are those of the fcmaes package, called from Python by both. Evaluations are counted by our wrapper in
both; each has one worker. Every finished run is one line in results/coordinated.jsonl. `--gtop` names a file of
problems with their boxes, the value to reach and points with their values, which are checked first.
"""

import argparse
import ctypes
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from common import RESULTS, machine, save, table, versions

LINES = RESULTS / "coordinated.jsonl"
BUDGET = {"Cassini1": 5_000_000, "GTOC1": 30_000_000}
SEEDS = {"Cassini1": 20, "GTOC1": 5}


class Counted:
    """A function that counts its calls, in forked processes, too."""

    def __init__(self, name):
        from fcmaes import astro

        self.problem = getattr(astro, name.capitalize())()
        self.count = multiprocessing.RawValue(ctypes.c_long, 0)

    def __call__(self, x):
        self.count.value += 1
        return self.problem.fun(x)


def thalweg(fun, seed, target, budget):
    from thalweg.kernels import objective
    from thalweg.orchestration import restarts

    bounds = np.column_stack([fun.problem.bounds.lb, fun.problem.bounds.ub])
    common = {"runs": 10**6, "total_evals": budget, "coordinated": True, "seed": seed, "target": target}
    return restarts(objective(fun, compiled=False), bounds, **common).fun


class WithinBudget:
    """Ends the worker process of fcmaes when the evaluations are used up; the best that it stored is returned."""

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
    return advretry.minimize(within, fun.problem.bounds, num_retries=5000, workers=1, stop_fitness=target).fun


METHODS = {"thalweg": thalweg, "fcmaes advretry": fcmaes}


def one_run(task):
    method, name, target, seed = task
    fun, start = Counted(name), time.perf_counter()
    best = METHODS[method](fun, seed, target, BUDGET[name])
    seconds = time.perf_counter() - start
    record = {"method": method, "problem": name, "seed": seed, "best": best, "reached": bool(best <= target)}
    return record | {"evaluations": fun.count.value, "seconds": round(seconds, 2)}


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
                times = [f"{np.median(seconds):.1f}", f"{max(seconds):.1f}"]
                rows.append([f"{name}, {method}", f"{within} of {len(runs)}", *counts, *times])
    head = ["problem, method", "reached", "median evaluations", "most", "allowed", "median s", "most s"]
    parts = ["# Coordinated restarts: evaluations and time to within 0.5 % of the best known value", str(machine())]
    parts += [
        str(versions("fcmaes")),
        "One worker each; the objective is called from Python. Some had other work beside them: compare evaluations.",
        table(head, rows),
    ]
    save("coordinated", records, "\n\n".join(parts))
    print(parts[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gtop", type=Path, help="gtop.json")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--problems", default=",".join(BUDGET))
    parser.add_argument("--seeds", default="", help="of those that are missing, only these: 1,2")
    parser.add_argument("--table", action="store_true", help="run nothing")
    a = parser.parse_args()
    if not a.table:
        facts = json.loads(a.gtop.read_text())["problems"]
        done = {(r["method"], r["problem"], r["seed"]) for r in load()}
        tasks = []
        for name in a.problems.split(","):
            check(name, facts[name])
            for method in a.methods.split(","):
                seeds = [seed for seed in range(1, SEEDS[name] + 1) if (method, name, seed) not in done]
                if a.seeds:
                    seeds = [seed for seed in seeds if str(seed) in a.seeds.split(",")]
                tasks += [(method, name, facts[name]["stop_0p5pct"], seed) for seed in seeds]
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(a.processes, spawn) as pool, LINES.open("a") as lines:  # its processes may fork
            for future in as_completed([pool.submit(one_run, task) for task in tasks]):
                record = future.result()
                lines.write(json.dumps(record) + "\n")
                lines.flush()
                print(record, flush=True)
    report(load())


if __name__ == "__main__":
    main()
