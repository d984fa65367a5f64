"""Four methods as textbooks set them up, each beside what the best method here reaches with the same evaluations.

    python examples/textbook.py

The genetic algorithm: 10 individuals, 5 variables, 50 generations, the better half are parents, one-point crossover,
each gene mutates with probability 0.05, the best individual stays. Differential evolution: 50 points, F = 0.5,
CR = 0.7, 100 generations. The particle swarm: 30 particles, w = 0.5, c1 = 1, c2 = 1.5, 100 iterations. Each number is a
median of 15 runs; `tests/test_textbook.py` checks them.
"""

import math
from statistics import median

from thalweg import minimize

RUNS = 15


def sphere(x):
    total = 0.0
    for v in x:
        total += v * v
    return total


def rastrigin(x):
    total = 0.0
    for v in x:
        total += v * v - 10.0 * math.cos(2.0 * math.pi * v) + 10.0
    return total


TEXTBOOK = {  # name: objective, variables, method, its settings, evaluations
    "genetic algorithm": (
        sphere, 5, "genetic",
        {
            "population": 10, "selection": "truncation", "crossover": "one_point", "crossover_rate": 1.0,
            "mutation": "uniform", "mutation_rate": 0.05, "elites": 1,
        },
        10 * 51,
    ),
    "differential evolution": (
        sphere, 10, "de", {"population": 50, "strategy": "rand1bin", "weight": 0.5, "crossover": 0.7}, 50 * 101,
    ),
    "particle swarm": (
        rastrigin, 10, "pso",
        {"variant": "inertia", "population": 30, "inertia": 0.5, "cognitive": 1.0, "social": 1.5}, 30 * 101,
    ),
}  # fmt: skip
BEST = {  # the one that reaches most with so few evaluations
    "genetic algorithm": ("cma_es", {}),
    "differential evolution": ("cma_es", {}),
    "particle swarm": ("cma_es", {}),
}


def reached(fun, dimension, method, options, evaluations):
    """The median over the runs of the best value found."""
    box = [(-5.12, 5.12)] * dimension
    return median(
        minimize(fun, box, method=method, options=options, max_evals=evaluations, seed=seed).fun for seed in range(RUNS)
    )


def compare(name):
    """What the textbook's form reaches, and what the best method does with the same evaluations."""
    fun, dimension, method, options, evaluations = TEXTBOOK[name]
    best, its_options = BEST[name]
    ours = reached(fun, dimension, best, its_options, evaluations)
    return reached(fun, dimension, method, options, evaluations), ours


if __name__ == "__main__":
    for name, (fun, dimension, _, _, evaluations) in TEXTBOOK.items():
        textbook, best = compare(name)
        print(f"{name}: {dimension}-D {fun.__name__}, {evaluations} evaluations: {textbook:.2g}; ", end="")
        print(f"{BEST[name][0]}: {best:.2g}")
