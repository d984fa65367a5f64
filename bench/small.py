"""What is around an evaluation: short runs by the thousand, a step of annealing, a told value, a call.

    python bench/small.py [--repeats 5]

Objectives are trivial, so that the engine is what takes the time. Each row is validated first: the short runs against
runs carried out one by one, ask and tell against the compiled run.
"""

import argparse
import time

import numpy as np
from common import machine, save, table, versions

from thalweg.kernels import objective
from thalweg.kernels.run import RUNNING
from thalweg.orchestration import restarts
from thalweg.solvers import Optimizer, minimize
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.call import begin, bind, parse_call, start

RUNS = 100_000
SHORT = {"bounds": [(-5, 10)] * 2, "method": "lshade", "max_evals": 200, "seed": 1}


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] * x[0]) ** 2 + (1.0 - x[0]) ** 2


def trivial(x):
    return x[0] * x[0]


def short_runs(door, **more):
    """µs per run, records and result included."""

    def measure():
        begun = time.perf_counter()
        result = door(rosenbrock, **SHORT, **more)
        seconds = time.perf_counter() - begun
        call = parse_call(rosenbrock, **SHORT)
        for k in (0, 777, RUNS - 1):
            run = start(call, k, bind(call))
            while run.stop == RUNNING:
                run.step()
            assert result.runs["fun"][k] == run.best[0] and (result.runs["x"][k] == run.best[1]).all()
        return 1e6 * seconds / RUNS

    return measure


def per_evaluation(method, evaluations=1_000_000, **options):
    """ns per evaluation, in compiled code."""
    call = parse_call(trivial, [(-5, 5)] * 2, method=method, seed=1, max_evals=evaluations, options=options)
    bound, advance = bind(call), drivers.serial(call.solver)

    def measure():
        state = begin(call, 0)
        begun = time.perf_counter()
        advance(bound.problem(), state, 10**9)
        seconds = time.perf_counter() - begun
        assert state.run.now[0].best < 1e-6
        return 1e9 * seconds / state.run.now[0].evaluations

    return measure


def telling(method):
    """µs per told value."""

    def measure():
        call = {"bounds": [(-5, 5)] * 4, "method": method, "seed": 1, "max_evals": 600}
        expected = minimize(objective(trivial, precise=True), **call)
        optimizer, told = Optimizer(**call), 0
        begun = time.perf_counter()
        while not optimizer.done:
            x = optimizer.ask()
            optimizer.tell(x[:, 0] * x[:, 0])
            told += len(x)
        seconds = time.perf_counter() - begun
        assert optimizer.result().fun == expected.fun
        return 1e6 * seconds / told

    return measure


def called(function, evaluations=20_000):
    """µs per evaluation of a Python objective."""

    def measure():
        begun = time.perf_counter()
        result = minimize(function, [(-5, 5)] * 2, method="de", seed=1, max_evals=evaluations, ftol=None)
        return 1e6 * (time.perf_counter() - begun) / result.nfev

    return measure


def one_call():
    """µs of a call with 50 evaluations."""
    begun = time.perf_counter()
    minimize(rosenbrock, [(-5, 10)] * 2, method="nelder_mead", x0=[-1.2, 1.0], seed=1, max_evals=50)
    return 1e6 * (time.perf_counter() - begun)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    rows = {  # name: (what to measure, unit, required at most)
        "restarts, 200 evaluations, 2 threads": (short_runs(restarts, runs=RUNS, threads=2), "µs per run", 15),
        "minimize(restarts=), the same": (short_runs(minimize, restarts=RUNS, threads=2), "µs per run", 15),
        "the same, 1 thread": (short_runs(minimize, restarts=RUNS, threads=1), "µs per run", None),
        "simulated_annealing, geometric": (per_evaluation("simulated_annealing"), "ns per evaluation", 120),
        "simulated_annealing, logarithmic": (
            per_evaluation("simulated_annealing", schedule="logarithmic"), "ns per evaluation", None,
        ),
        "nelder_mead": (per_evaluation("nelder_mead", xtol=0.0), "ns per evaluation", None),
        "nelder_mead, ask and tell": (telling("nelder_mead"), "µs per value", None),
        "simulated_annealing, ask and tell": (telling("simulated_annealing"), "µs per value", None),
        "lshade, ask and tell": (telling("lshade"), "µs per value", None),
        "an objective in Python": (called(objective(trivial, compiled=False)), "µs per evaluation", None),
        "a call with 50 evaluations": (one_call, "µs", None),
    }  # fmt: skip
    for measure, _, _ in rows.values():
        measure()
    taken = {name: [] for name in rows}
    for _ in range(repeats):
        for name, (measure, _, _) in rows.items():
            taken[name].append(measure())
    cells = []
    for name, (_, unit, most) in rows.items():
        median = float(np.median(taken[name]))
        met = "" if most is None else f"{most}: {'met' if median <= most else 'MISSED'}"
        cells.append([name, f"{median:.4g}", f"{min(taken[name]):.4g} to {max(taken[name]):.4g}", unit, met])
    body = table(["", "median", "least to greatest", "", "at most"], cells)
    head = ["# Around an evaluation", f"{machine()}", f"{versions()}", f"{repeats} interleaved repeats."]
    text = "\n\n".join([*head, body])
    print(text)
    save("small", {"machine": machine(), "versions": versions(), "taken": taken}, text)


if __name__ == "__main__":
    main()
