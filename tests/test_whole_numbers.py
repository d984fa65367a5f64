"""Problems of whole numbers whose best is known by formula: every method that takes them finds it."""

from pathlib import Path

import numpy as np
import pytest

from thalweg import minimize

from .by_path import load_file

whole_numbers = load_file(Path(__file__).parents[1] / "bench" / "objectives" / "whole_numbers.py")

SHAPES = ((3, 15), (10, 8))  # variables, values of each


@pytest.mark.parametrize("method", ["pso", "genetic", "de", "arrde", "cma_es"])
@pytest.mark.parametrize("fun", [whole_numbers.separable, whole_numbers.coupled])
@pytest.mark.parametrize(("variables", "values"), SHAPES)
def test_the_best_is_found_by_every_seed(method, fun, variables, values):
    best = np.random.default_rng(5).integers(0, values, variables).astype(float)
    box = [(0, values - 1)] * variables
    for seed in range(20):
        found = minimize(fun, box, args=(best,), integrality=True, method=method, seed=seed, max_evals=10_000)
        assert found.fun == 0.0
