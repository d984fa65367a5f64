"""Whole numbers whose best is known: how many of 20 seeds find it, for every method that takes `integrality`.

usage: python bench/whole_numbers.py [--tune] [--methods de,pso] [--seeds 20] [--save]

Quadratics, separable and coupled, and knapsacks as a linear penalty on the excess, in 3 variables of 15 values and in
10 of 8; `mixed` is coupled, every second variable real. Without --tune on the instances that
results/whole_numbers.md shows; with it on others, on which changes to methods were tried."""

import argparse

import numpy as np
from common import RESULTS, machine, table, versions
from objectives.whole_numbers import coupled, knapsack, separable

import thalweg as tw

SHAPES = ((3, 15), (10, 8))  # variables, values of each
BUDGETS = (10_000, 50_000)
SHOWN, TUNED = (5, 6), (105, 106)  # what instances are drawn from
KINDS = """\
`separable`, `coupled`: quadratics. `unit_weights`: a knapsack whose best is to take the dearest first;
`full_by_density`: weights of 2 to 11, filled exactly by gain over weight; `by_programming`: gains of a weight and 5,
the hard kind, best by dynamic programming. `mixed`: coupled with every second variable real; counted is whether its
whole numbers are right.
"""


def full_by_density(random, n, most):
    """Filled by gain over weight until it is exactly full: that is the best of real numbers, too."""
    weights = random.integers(2, 12, n).astype(float)
    gains = random.integers(10, 100, n).astype(float)
    order = np.argsort(-gains / weights, kind="stable")
    taken = np.zeros(n)
    taken[order[: n // 2]] = most
    taken[order[n // 2]] = most // 2
    return gains, weights, float(weights @ taken), float(-gains @ taken)


def unit_weights(random, n, most):
    """The dearest first."""
    gains, room = random.permutation(40)[:n] + 1.0, (n * most) // 2
    taken, left = np.zeros(n), room
    for i in np.argsort(-gains):
        taken[i] = min(left, most)
        left -= taken[i]
    return gains, np.ones(n), float(room), float(-gains @ taken)


def by_programming(random, n, most):
    """Gains that follow the weights, the hard kind: the best by dynamic programming over the room."""
    weights = random.integers(5, 25, n)
    gains, room = weights + 5, int(weights.sum() * most // 2)
    best = np.zeros(room + 1)
    for weight, gain in zip(weights, gains, strict=True):
        before, best = best, best.copy()
        for k in range(1, min(most, room // weight) + 1):
            best[k * weight :] = np.maximum(best[k * weight :], before[: best.size - k * weight] + k * gain)
    return gains.astype(float), weights.astype(float), float(room), -best.max()


def problems(instances):
    """(name, function, arguments, variables, values, integrality, best): separable, coupled, mixed, and knapsacks"""
    for instance in instances:
        for n, values in SHAPES:
            random = np.random.default_rng(instance)
            target = random.integers(0, values, n).astype(float)
            for fun in (separable, coupled):
                yield fun.__name__, fun, (target,), n, values, True, 0.0
            yield "mixed", coupled, (target,), n, values, np.arange(n) % 2 == 0, 0.0
            for make in (unit_weights, full_by_density, by_programming):
                *args, best = make(random, n, values - 1)
                yield make.__name__, knapsack, tuple(args), n, values, True, best


def found(method, problem, seed, budget):
    """Whether the best is found; where some variables are real, whether its whole numbers are."""
    name, fun, args, n, values, whole, best = problem
    result = tw.minimize(
        fun, [(0, values - 1)] * n, args=args, integrality=whole, method=method, seed=seed, max_evals=budget
    )
    return bool((result.x == args[0])[whole].all()) if name == "mixed" else bool(result.fun <= best)


def main():
    methods = ["auto", *(name for name, solver in tw.SOLVERS.items() if solver.integers)]
    parser = argparse.ArgumentParser()
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--methods", default=",".join(methods))
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    methods = options.methods.split(",")
    instances, counts = TUNED if options.tune else SHOWN, {}
    for budget in BUDGETS:
        for problem in problems(instances):
            line = counts.setdefault((budget, f"{problem[0]} {problem[3]} x {problem[4]}"), dict.fromkeys(methods, 0))
            for method in methods:
                line[method] += sum(found(method, problem, seed, budget) for seed in range(options.seeds))
    text = "# Whole numbers whose best is known\n\n"
    text += f"How many of {len(instances) * options.seeds} runs found it: {len(instances)} instances each, "
    text += f"{options.seeds} seeds. `random_search` for comparison.\n\n{KINDS}"
    for budget in BUDGETS:
        names = [name for at, name in counts if at == budget]
        rows = [[method, *(counts[budget, name][method] for name in names)] for method in methods]
        text += f"\n## {budget:,} evaluations\n\n{table(['method', *names], rows)}\n"
    found_in, on = versions("scipy"), machine()
    text += f"\n{on['cpu']}, {on['cores']} cores, {on['date']}; {', '.join(f'{k} {v}' for k, v in found_in.items())}\n"
    print(text)
    if options.save:
        (RESULTS / "whole_numbers.md").write_text(text)


if __name__ == "__main__":
    main()
