"""`peers` of scaling.py: many short runs of one problem, as each package's users would write them.

Each contender is `run(runs, evaluations, seed) -> (final values, best x, evaluations)` and works in a process of its
own, which stays warm between the repeats; some fork, which a process with a Dask client should not."""

import math
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
from common import pairwise, table
from scaling_runs import BOUNDS, D, rastrigin, say

POPULATION, F, CR = 50, 0.5, 0.9
EVALUATIONS = 10_000  # of a run


@cache
def compiled():
    """For peers that call Python: compiled, as an experienced user would have it."""
    import numba

    return numba.njit("f8(f8[::1])")(rastrigin)


@cache
def client():
    from thalweg.orchestration import cluster

    return cluster(2)


def thalweg(method, on_client, **options):
    def run(runs, evaluations, seed):
        from thalweg.orchestration import restarts

        where = {"client": client()} if on_client else {"threads": 2}
        result = restarts(
            rastrigin, BOUNDS, runs=runs, method=method, max_evals=evaluations, seed=seed, options=options, **where
        )
        return result.runs["fun"], result.x, result.nfev

    return run


class Rastrigin:
    """For pygmo, a problem in Python."""

    def fitness(self, x):
        return (compiled()(x),)

    def get_bounds(self):
        return tuple(zip(*BOUNDS, strict=True))


def pygmo_threads(runs, evaluations, seed):
    import pygmo

    return _archipelago(pygmo, pygmo.rastrigin(dim=D), pygmo.thread_island(), runs, evaluations, seed)


def pygmo_processes(runs, evaluations, seed):
    import pygmo

    pygmo.mp_island.init_pool(2)
    return _archipelago(pygmo, Rastrigin(), pygmo.mp_island(), runs, evaluations, seed)


def _archipelago(pygmo, problem, island, runs, evaluations, seed):
    de = pygmo.de(gen=evaluations // POPULATION - 1, F=F, CR=CR, variant=7, ftol=0.0, xtol=0.0)
    islands = pygmo.archipelago(
        n=runs, algo=pygmo.algorithm(de), prob=pygmo.problem(problem), pop_size=POPULATION, udi=island, seed=seed
    )
    islands.evolve()
    islands.wait_check()
    values = np.array(islands.get_champions_f())[:, 0]
    evaluated = sum(island.get_population().problem.get_fevals() for island in islands)
    return values, islands.get_champions_x()[int(np.argmin(values))], evaluated


def fcmaes(own_default):
    def run(runs, evaluations, seed):  # its retry takes no seed
        multiprocessing.set_start_method(
            "fork", force=True
        )  # as in a script on Linux; here it would be that of our parent
        os.environ["LOGURU_AUTOINIT"] = "0"  # no log
        from fcmaes import optimizer, retry
        from scipy.optimize import Bounds

        ends = Bounds(*zip(*BOUNDS, strict=True))
        de = optimizer.De_cpp(evaluations, popsize=POPULATION, f=F, cr=CR)
        method = optimizer.de_cma(evaluations) if own_default else de
        store = retry.Store(compiled(), ends, capacity=2 * runs)  # as retry.minimize does, with all values kept
        result = retry.retry(store, method.minimize, runs, workers=2)
        return np.array(store.get_ys()), result.x, result.nfev

    return run


def scipy_de(evaluations, seed):
    from scipy.optimize import differential_evolution

    result = differential_evolution(
        compiled(),
        BOUNDS,
        strategy="rand1bin",
        popsize=POPULATION // D,
        mutation=F,
        recombination=CR,
        init="random",
        polish=False,
        tol=0,
        atol=0,
        maxiter=evaluations // POPULATION - 1,
        rng=seed,
    )
    return result.fun, result.x, result.nfev


def scipy_multistart(evaluations, seed):
    """L-BFGS-B from random points until the budget is spent."""
    from scipy.optimize import minimize

    rng, best, spent = np.random.default_rng(seed), (math.inf, None), 0
    while spent < evaluations:
        result = minimize(compiled(), rng.uniform(*np.transpose(BOUNDS)), bounds=BOUNDS, method="L-BFGS-B")
        best, spent = min(best, (float(result.fun), result.x), key=lambda pair: pair[0]), spent + result.nfev
    return *best, spent


def joblib(one):
    def run(runs, evaluations, seed):
        from joblib import Parallel, delayed

        done = Parallel(n_jobs=2)(delayed(one)(evaluations, [seed, k]) for k in range(runs))
        values, points, evaluated = zip(*done, strict=True)
        return np.array(values), points[int(np.argmin(values))], sum(evaluated)

    return run


OURS = "thalweg DE, 2 threads"
RAND1BIN = {"population": POPULATION, "weight": F, "crossover": CR, "strategy": "rand1bin"}
CONTENDERS = {  # name: (how, runs)
    OURS: (thalweg("de", False, **RAND1BIN), 2000),
    "thalweg DE, Dask, 2 workers": (thalweg("de", True, **RAND1BIN), 2000),
    "thalweg jSO, 2 threads": (thalweg("jso", False), 2000),
    "pygmo DE, its C++ problem, thread islands": (pygmo_threads, 2000),
    "pygmo DE, Python problem, mp islands": (pygmo_processes, 400),
    "fcmaes retry, DE in C++, workers=2": (fcmaes(False), 400),
    "fcmaes retry, its default (DE, CMA-ES), workers=2": (fcmaes(True), 400),
    "joblib n_jobs=2, SciPy DE": (joblib(scipy_de), 40),
    "joblib n_jobs=2, SciPy L-BFGS-B": (joblib(scipy_multistart), 60),
}


def attempt(name, divide, seed):
    """In the contender's process: what a validated call took."""
    how, runs = CONTENDERS[name]
    runs = max(runs // divide, 4)
    start = time.perf_counter()
    values, x, evaluated = how(runs, EVALUATIONS, seed)
    seconds = time.perf_counter() - start
    best = float(np.min(values))
    assert len(values) == runs, f"{len(values)} values of {runs} runs"
    assert abs(rastrigin([float(v) for v in x]) - best) <= 1e-9 * (1 + abs(best)), f"reports {best} at {x}"
    assert np.all(np.abs(x) <= 5.12), "left the box"
    assert 0.5 < evaluated / (runs * EVALUATIONS) < 1.1, f"{evaluated} evaluations, not {runs * EVALUATIONS}"
    return {
        "runs": runs,
        "evaluations": evaluated / runs,
        "rate": evaluated / seconds,
        "median": float(np.median(values)),
        "best": best,
    }


def close():
    """In the contender's process: end the processes that it keeps for the next call."""
    if "joblib" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown()
    if "pygmo" in sys.modules:
        sys.modules["pygmo"].mp_island.shutdown_pool()
    if client.cache_info().currsize:
        client().close()


def measure_peers(quick):
    repeats, divide = (2, 10) if quick else (3, 1)
    rows, missing, processes = {}, {}, {}
    try:
        for repeat in range(repeats + 1):  # the first one warms up
            for name in CONTENDERS:
                if name in missing:
                    continue
                if name not in processes:
                    processes[name] = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
                try:
                    found = processes[name].submit(attempt, name, 100 if repeat == 0 else divide, repeat).result()
                except Exception as error:
                    if name.startswith("thalweg"):
                        raise
                    # A peer that is not installed or fails is reported, and the others go on.
                    missing[name] = f"{type(error).__name__}: {error}"[:120]
                    say(f"{name}: {missing[name]}")
                    continue
                if repeat > 0:
                    rows.setdefault(name, []).append(found)
                    say(f"{name}: {found['rate'] / 1e6:.3f} million evaluations/s, median value {found['median']:.3g}")
    finally:
        for process in processes.values():
            process.submit(close).result()
            process.shutdown()
    return {"rows": rows, "missing": missing}


def report_peers(data):
    rows, ours = [], [found["rate"] for found in data["rows"][OURS]]
    for name, repeats in data["rows"].items():
        rates = [found["rate"] for found in repeats]
        median, low, high = pairwise(ours, rates)
        cells = [
            name,
            repeats[0]["runs"],
            f"{np.median([found['evaluations'] for found in repeats]):.0f}",
            f"{np.median(rates) / 1e6:.3f}",
        ]
        cells.append("" if name == OURS else f"{median:.2f} ({low:.2f} to {high:.2f})")
        cells += [f"{np.median([found[key] for found in repeats]):.3g}" for key in ("median", "best")]
        rows.append(cells)
    head = ["", "runs", "evaluations of each", "million evaluations/s", f"{OURS}, is faster by", "median value", "best"]
    lines = [f"- {name}: not measured ({why})" for name, why in data["missing"].items()]
    return (
        f"{D}-D Rastrigin, {EVALUATIONS} evaluations for each run, evaluations per second of all runs together. DE is "
        f"rand/1/bin, F {F}, CR {CR}, population {POPULATION}, wherever it is so called; fcmaes' is a variant of its "
        "own. pygmo's C++ problem needs no Python; its Python problem, fcmaes and SciPy call a function that Numba "
        "compiled. SciPy's DE updates its population within a generation. fcmaes' retry and pygmo's DE do not repeat: "
        "fcmaes takes no seed. L-BFGS-B starts anew until the evaluations of a run are spent; CMA-ES may end before "
        "they are. Slow contenders get fewer runs, of the same length.\n\n" + "\n".join([table(head, rows), "", *lines])
    )
