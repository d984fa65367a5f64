"""This tree beside an earlier one, in one run: a change that makes something slower shows here.

    git worktree add ../earlier COMMIT
    python bench/before.py ../earlier [--repeats 9] [--cold]

The same tasks in two processes, turn by turn, each with its own copy of thalweg and its own warm cache; whole processes
for what a user waits for at first. The answers are compared before anything is timed. --cold adds the CPU seconds to
compile each method with an empty cache. Ratios are taken pair by pair, now / before: above 1 is slower.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import machine, save, table, versions

HERE = Path(__file__).resolve()
METHODS = ("de", "lshade", "jso", "lsrtde", "random_search")
FIRST = """
from thalweg.solvers import minimize
minimize(lambda x: (x * x).sum(), [(-5, 5)] * 10, seed=1, max_evals=10000)
"""
COLD = """
import importlib, resource, sys
from thalweg.solvers import SOLVERS
drivers = importlib.import_module(sys.argv[1])
from numba import njit
njit("f8(f8)")(lambda x: x)
before = resource.getrusage(resource.RUSAGE_SELF)
drivers.serial(SOLVERS[sys.argv[2]])
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""


def rastrigin(x):
    total = 10.0 * len(x)
    for i in range(len(x)):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
    return total


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] * x[0]) ** 2 + (1.0 - x[0]) ** 2


def tasks():
    """{name: function of a seed that returns what it found}."""
    from thalweg.kernels import objective
    from thalweg.orchestration import restarts
    from thalweg.solvers import Optimizer, minimize

    def run(method, dimension=30, max_evals=300_000, fun=rastrigin, **more):
        bounds = [(-5.12, 5.12)] * dimension
        return lambda seed: minimize(fun, bounds, method=method, seed=seed, max_evals=max_evals, threads=1, **more).fun

    def asking(seed):
        optimizer = Optimizer("lshade", [(-5, 5)] * 10, seed=seed, max_evals=10_000)
        while not optimizer.done:
            x = optimizer.ask()
            optimizer.tell((x * x).sum(axis=1))
        return optimizer.result().fun

    def many(seed):
        kept = {"method": "lshade", "seed": seed, "max_evals": 200, "threads": 2}
        return restarts(rosenbrock, [(-5, 10)] * 2, runs=2000, **kept).fun

    def short(seed):
        return sum(minimize(rosenbrock, [(-5, 10)] * 2, seed=seed + k, max_evals=50).fun for k in range(50))

    in_python = objective(rosenbrock, compiled=False)
    in_batches = objective(lambda x: (x * x).sum(axis=1), vectorized=True)
    return {
        **{f"{method}, 30-D, 300,000 evaluations": run(method) for method in METHODS},
        **{f"{method}, 2-D, 100,000 evaluations": run(method, 2, 100_000) for method in ("de", "lshade")},
        "de, two threads": lambda seed: (
            minimize(
                rastrigin, [(-5.12, 5.12)] * 30, method="de", seed=seed, max_evals=300_000, restarts=4, threads=2
            ).fun
        ),
        "an objective in Python, 10,000 evaluations": run("de", 2, 10_000, in_python),
        "one in batches, 100,000 evaluations": run("de", 10, 100_000, in_batches),
        "ask and tell, 10,000 evaluations": asking,
        "50 calls of 50 evaluations": short,
        "2,000 restarts of 200 evaluations": many,
    }


def work():
    """Answer lines `name<tab>seed` by the seconds it took and what was found."""
    known = tasks()
    print(json.dumps(list(known)), flush=True)
    for line in sys.stdin:
        name, seed = line.rstrip("\n").split("\t")
        begin = time.perf_counter()
        found = known[name](int(seed))
        print(json.dumps([time.perf_counter() - begin, found]), flush=True)


def environment(package: Path, folder: Path, cache: str) -> dict:
    """Variables with which Python finds this copy of thalweg first."""
    link = folder / package.name / "thalweg"
    link.parent.mkdir(exist_ok=True)
    if not link.exists():
        link.symlink_to(package)
    return {**os.environ, "PYTHONPATH": str(link.parent), "THALWEG_CACHE_DIR": str(folder / f"{package.name}-{cache}")}


def ask(worker, name, seed):
    worker.stdin.write(f"{name}\t{seed}\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def cpu_seconds(env, method):
    """To compile a method with an empty cache."""
    for module in ("thalweg.solvers.driving.drivers", "thalweg.solvers.drivers"):
        done = subprocess.run([sys.executable, "-c", COLD, module, method], env=env, capture_output=True, text=True)
        if done.returncode == 0:
            return float(done.stdout)
    return math.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("earlier", type=Path, nargs="?", help="a checkout of an earlier commit")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.work:
        return work()
    measured: dict = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trees = {"before": a.earlier.resolve(), "now": HERE.parents[1]}
        envs = {when: environment(tree, folder, "warm") for when, tree in trees.items()}
        command = [sys.executable, str(HERE), "--work"]
        workers = {
            when: subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for when, env in envs.items()
        }
        names, _ = (json.loads(w.stdout.readline()) for w in workers.values())
        for task in names:
            found = [ask(w, task, 0)[1] for w in workers.values()]
            print(f"{task}: {found[0]:.6g} and {found[1]:.6g}", flush=True)
            measured[task] = {"before": [], "now": []}
        for repeat in range(a.repeats):
            for task in names:
                for when in sorted(workers, reverse=bool(repeat % 2)):
                    measured[task][when].append(ask(workers[when], task, repeat + 1)[0])
        for w in workers.values():
            w.stdin.close()
            w.wait()
        measured["a process with its first result"] = {"before": [], "now": []}
        for _ in range(a.repeats):
            for when, env in envs.items():
                begin = time.perf_counter()
                subprocess.run([sys.executable, "-c", FIRST], env=env, check=True)
                measured["a process with its first result"][when].append(time.perf_counter() - begin)
        for method in METHODS if a.cold else ():
            row = measured[f"{method}: CPU s to compile"] = {"before": [], "now": []}
            for k in range(3):
                for when, tree in trees.items():
                    row[when].append(cpu_seconds(environment(tree, folder, f"{method}-{k}"), method))
    rows = []
    for task, pair in measured.items():
        ratio = np.array(pair["now"]) / np.array(pair["before"])
        low, high = np.quantile(ratio, [0.25, 0.75])
        said = "slower" if low > 1.05 else "faster" if high < 0.95 else "within the noise"
        medians = [f"{np.median(pair[when]):.4f}" for when in ("before", "now")]
        rows.append([task, *medians, f"{np.median(ratio):.2f} ({low:.2f} to {high:.2f})", said])
    body = table(["seconds", "before", "now", "now / before (quartiles)", ""], rows)
    text = "\n\n".join(["# Before and now", f"{machine()}", f"{versions()}", f"{a.repeats} pairs.", body])
    print(text)
    save("before", {"machine": machine(), "versions": versions(), "measured": measured}, text)


if __name__ == "__main__":
    main()
