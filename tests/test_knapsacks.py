"""Knapsacks of whole numbers as a linear penalty, and boxes half real: every method that takes whole numbers."""

from pathlib import Path

import numpy as np
import pytest

from thalweg import SOLVERS, minimize

from .by_path import load_file

whole_numbers = load_file(Path(__file__).parents[1] / "bench" / "objectives" / "whole_numbers.py")
coupled, knapsack = whole_numbers.coupled, whole_numbers.knapsack

METHODS = ["auto", *(name for name, solver in SOLVERS.items() if solver.integers and name != "random_search")]
SHAPES = ((3, 15), (10, 8))  # variables, values of each


def dearest_first(n, values):
    """Weights of 1: full with what gains most, each as often as it may be taken."""
    gains, room = np.random.default_rng(5).permutation(40)[:n] + 1.0, n * (values - 1) // 2
    taken, left = np.zeros(n), room
    for i in np.argsort(-gains):
        taken[i] = min(left, values - 1)
        left -= taken[i]
    return (gains, np.ones(n), float(room)), -float(gains @ taken)


def as_heavy_as_dear(n, values):
    """Gains of 3 a weight: a full one is the best, whatever is in it; the half of each thing fills it."""
    weights = np.random.default_rng(5).integers(3, 12, n).astype(float)
    room = float(weights.sum() * (values // 2))
    return (3.0 * weights, weights, room), -3.0 * room


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [dearest_first, as_heavy_as_dear])
@pytest.mark.parametrize(("variables", "values"), SHAPES)
def test_the_best_is_found_by_every_seed(method, make, variables, values):
    (args, best), box = make(variables, values), [(0, values - 1)] * variables
    for budget in (10_000, 50_000) if make is dearest_first and variables == 10 else (10_000,):
        for seed in range(20):
            found = minimize(
                whole_numbers.knapsack, box, args=args, integrality=True, method=method, seed=seed, max_evals=budget
            )
            assert found.fun == best, (budget, seed)


@pytest.mark.parametrize("method", METHODS)
def test_whole_numbers_beside_real_ones(method):
    """Every second variable is whole-numbered; a pattern search went on bit by bit here, by steps of rounding."""
    best, whole = np.random.default_rng(6).integers(0, 8, 10).astype(float), np.arange(10) % 2 == 0
    for seed in range(3):
        found = minimize(
            whole_numbers.coupled,
            [(0, 7)] * 10,
            args=(best,),
            integrality=whole,
            method=method,
            seed=seed,
            max_evals=50_000,
        )
        assert (found.x == best)[whole].all()
        assert found.fun < (0.1 if method in ("simulated_annealing", "parallel_tempering") else 1e-8)
