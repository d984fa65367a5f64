"""Does migration help? Differential evolution on 8 islands, with and without it, beside pygmo's archipelago.

    python bench/islands.py [--seeds 9]

Rand/1/bin, F 0.5, CR 0.9, 25 points per island, 20 generations per epoch, one migrant: the same for both, on one core.
Both spend the same evaluations, those of all islands together. "one population" is a single run with all 200 points.
pygmo's ring has arrows both ways, ours one. Its default, point to point, asks one neighbour drawn anew: over a full
graph that is our "random". Its islands migrate when they come to it, so that no seed fixes its answer.
"""

import argparse
import dataclasses
import os
import statistics
import time

import numpy as np
import pygmo
from common import machine, save, table, versions

from thalweg.kernels.functions import problem
from thalweg.orchestration import islands
from thalweg.solvers import minimize

DIMENSION, ISLANDS, ROWS, EVERY, F, CR = 20, 8, 25, 20, 0.5, 0.9
EPOCHS = {"rosenbrock": 200, "rastrigin": 200, "schwefel": 200, "ackley": 40, "griewank": 60}
SUCCESS = 1e-6  # above the minimum
OPTIONS = {"population": ROWS, "weight": F, "crossover": CR}


def mine(name):
    """The problem over pygmo's box."""
    return dataclasses.replace(problem(name, DIMENSION), bounds=np.column_stack(theirs(name).get_bounds()))


def theirs(name):
    return pygmo.problem(getattr(pygmo, name)(DIMENSION))


def ours(name, seed, topology="ring", every=EVERY):
    """Best value, evaluations."""
    result = islands(
        mine(name), islands=ISLANDS, every=every, topology=topology, method="de", seed=seed,
        max_evals=EPOCHS[name] * EVERY * ROWS, options=OPTIONS, threads=1,
    )  # fmt: skip
    return result.fun, result.nfev


def one_population(name, seed):
    budget = EPOCHS[name] * EVERY * ROWS * ISLANDS
    options = OPTIONS | {"population": ROWS * ISLANDS}
    result = minimize(mine(name), method="de", seed=seed, max_evals=budget, options=options, threads=1)
    return result.fun, result.nfev


def archipelago(name, seed, topology, broadcast=False):
    de = pygmo.algorithm(pygmo.de(gen=EVERY, F=F, CR=CR, variant=7, ftol=0.0, xtol=0.0))
    isles = pygmo.archipelago(
        n=ISLANDS, t=topology, algo=de, prob=theirs(name), pop_size=ROWS, seed=seed,
        r_pol=pygmo.fair_replace(1), s_pol=pygmo.select_best(1), udi=pygmo.thread_island(),
    )  # fmt: skip
    isles.set_migration_type(getattr(pygmo.migration_type, "broadcast" if broadcast else "p2p"))
    isles.evolve(EPOCHS[name])
    isles.wait_check()
    populations = [isle.get_population() for isle in isles]
    return min(p.champion_f[0] for p in populations), sum(p.problem.get_fevals() for p in populations)


WAYS = {
    "thalweg, no migration": lambda name, seed: ours(name, seed, every=2**40),
    "thalweg, ring": ours,
    "thalweg, fully connected": lambda name, seed: ours(name, seed, topology="fully_connected"),
    "thalweg, random": lambda name, seed: ours(name, seed, topology="random"),
    "thalweg, one population": one_population,
    "pygmo, no migration": lambda name, seed: archipelago(name, seed, pygmo.unconnected()),
    "pygmo, ring": lambda name, seed: archipelago(name, seed, pygmo.ring()),
    "pygmo, fully connected": lambda name, seed: archipelago(name, seed, pygmo.fully_connected(), broadcast=True),
    "pygmo, random": lambda name, seed: archipelago(name, seed, pygmo.fully_connected()),
}


def validate(name):
    """Both minimise the same function, and its minimum is where we say."""
    own, other = mine(name), theirs(name)
    points = np.random.default_rng(1).uniform(own.lower, own.upper, (100, DIMENSION))
    for x in [*points, np.asarray(own.minimum.x)]:
        np.testing.assert_allclose(own.fun(x, *own.args), other.fitness(x)[0], rtol=1e-9, atol=1e-9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=9)
    seeds = parser.parse_args().seeds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # pygmo has a thread for each island
    rows, data = [], []
    for name in EPOCHS:
        validate(name)
        minimum = problem(name, DIMENSION).minimum.fun
        runs = {way: [] for way in WAYS}
        for run in WAYS.values():
            run(name, 0)  # compiles
        for seed in range(1, seeds + 1):
            for way, run in WAYS.items():
                begin = time.perf_counter()
                fun, evaluations = run(name, seed)
                runs[way].append((fun - minimum, evaluations, time.perf_counter() - begin))
        for way, found in runs.items():
            gaps, counts, times = zip(*found)
            hits = sum(gap <= SUCCESS for gap in gaps)
            data.append({"problem": name, "way": way, "gaps": gaps, "evaluations": counts, "seconds": times})
            numbers = f"{statistics.median(gaps):.2g}", f"{max(gaps):.2g}", f"{statistics.median(counts):,.0f}"
            rows.append([name, way, f"{hits} of {seeds}", *numbers, f"{statistics.median(times):.3f}"])
            print(*rows[-1], sep="  ", flush=True)
    head = ["problem", "", f"within {SUCCESS:g}", "median gap", "worst gap", "evaluations", "seconds"]
    about = f"{machine()}\n\n{versions('pygmo')}"
    save("islands", data, f"# Islands\n\n```\n{__doc__.strip()}\n```\n\n{about}\n\n{table(head, rows)}")


if __name__ == "__main__":
    main()
