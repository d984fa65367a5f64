"""Problems of whole numbers whose best is known by formula: every method that takes them finds it."""

import numpy as np
import pytest

from thalweg import minimize

SHAPES = ((3, 15), (10, 8))  # variables, values of each


def separable(x, best):
    total = 0.0
    for i in range(x.size):
        total += (i + 1.0) * (x[i] - best[i]) ** 2
    return total


def coupled(x, best):
    total = 0.0
    for i in range(x.size):
        total += (x[i] - best[i]) ** 2
        if i > 0:
            total += 0.9 * (x[i - 1] - best[i - 1]) * (x[i] - best[i])
    return total


@pytest.mark.parametrize("method", ["pso", "genetic", "de", "arrde", "cma_es"])
@pytest.mark.parametrize("fun", [separable, coupled])
@pytest.mark.parametrize(("variables", "values"), SHAPES)
def test_the_best_is_found_by_every_seed(method, fun, variables, values):
    best = np.random.default_rng(5).integers(0, values, variables).astype(float)
    box = [(0, values - 1)] * variables
    for seed in range(20):
        found = minimize(fun, box, args=(best,), integrality=True, method=method, seed=seed, max_evals=10_000)
        assert found.fun == 0.0
