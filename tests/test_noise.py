"""Noise in an objective: what a seed decides (thalweg.random), and what none reaches (np.random) is said."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
from numpy.random import normal as drawn_by_numpy

import thalweg as tw
from thalweg.kernels import objective

BOX = [(-2, 2)] * 3


def noisy(x, seed):
    key = tw.random.point_key(seed, x)
    return np.sum(x * x) + 0.1 * tw.random.normal(key, 0) + 0.1 * tw.random.uniform(key, 1)


def in_numpy(x):
    return x[0] + np.random.rand()


def by_name(x):
    return x[0] + drawn_by_numpy(0.0, 1.0)


def in_python(x):
    return x[0] + random.random()


def in_a_helper(x):
    return in_numpy(x)


def in_a_comprehension(x):
    return np.sum(np.array([v + np.random.random() for v in x]))


@pytest.mark.parametrize("threads", [1, 2])
def test_noise_from_a_seed_is_the_same_in_every_run(threads):
    ways = dict(max_evals=500, seed=3, restarts=3)
    first = tw.minimize(noisy, BOX, args=(7,), threads=1, **ways)
    again = tw.minimize(noisy, BOX, args=(7,), threads=threads, **ways)
    other = tw.minimize(noisy, BOX, args=(8,), threads=1, **ways)
    assert (again.fun, again.x.tolist()) == (first.fun, first.x.tolist())
    assert other.x.tolist() != first.x.tolist()


def test_noise_is_that_of_the_plain_function():
    x = np.array([[0.1, -0.2, 0.3], [0.0, 1.0, 2.0], [-0.0, 1.0, 2.0]])
    compiled = objective(noisy).bind((7,), x[0]).evaluate(x)
    with np.errstate(over="ignore"):
        assert compiled == pytest.approx([noisy(row, 7) for row in x], abs=1e-15)
    assert compiled[1] == compiled[2]  # 0.0 and -0.0 are one point


def test_noise_of_neighbouring_points_and_seeds_is_independent():
    n = 20_000
    steps = np.column_stack([np.arange(n) * 1e-16, np.ones(n)])
    by_point = np.array([tw.random.uniform(tw.random.point_key(1, x), 0) for x in steps])
    by_seed = np.array([tw.random.uniform(tw.random.point_key(seed, steps[0]), 0) for seed in range(n)])
    swapped = np.array([tw.random.uniform(tw.random.point_key(1, x[::-1].copy()), 0) for x in steps])
    for u in (by_point, by_seed):
        assert abs(u.mean() - 0.5) < 5 * (1 / 12 / n) ** 0.5
        assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 5 / n**0.5
    assert abs(np.corrcoef(by_point, swapped)[0, 1]) < 5 / n**0.5


@pytest.mark.parametrize(
    "function, name",
    [
        (in_numpy, "np.random.rand"),
        (by_name, "np.random.normal"),
        (in_python, "random.random"),
        (in_a_helper, "np.random.rand"),
        (in_a_comprehension, "np.random.random"),
    ],
)
def test_a_generator_that_no_seed_reaches_is_named(function, name):
    with pytest.warns(UserWarning, match=rf"^fun: {name} in a compiled objective .* thalweg.random"):
        objective(lambda x: function(x)).bind((), np.zeros(3))


def test_attributes_called_random_are_no_generators():
    def objective_with(x):
        return x[0] + tw.kernels.random.uniform(tw.random.point_key(1, x), 0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tw.minimize(objective_with, BOX, seed=1, max_evals=50, threads=1)
