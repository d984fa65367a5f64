"""Loops by whole vectors do what plain loops do; rows are ranked as NumPy ranks them."""

import numpy as np
import pytest

from thalweg.kernels.compile.jit import inlined, kernel
from thalweg.kernels.compile.whole_vectors import each
from thalweg.kernels.numbers.random import uniform
from thalweg.kernels.numbers.ranking import sort_rows


@inlined
def draw(j, key, rate, x):
    x[j] = uniform(key, j)
    return 1 if x[j] < rate else 0


@kernel
def by_vectors(key, rate, x, n):
    return each(draw, n, (np.uint64(key), rate, x))


@kernel
def one_by_one(key, rate, x, n):
    total = 0
    for j in range(n):
        total += draw(j, np.uint64(key), rate, x)
    return total


@pytest.mark.parametrize("n", [-1, 0, 1, 7, 8, 9, 30, 67])
def test_each_is_a_loop(n):
    """What lies behind the last one is not touched."""
    x, expected = np.full(80, 5.0), np.full(80, 5.0)
    assert by_vectors(3, 0.4, x, n) == one_by_one(3, 0.4, expected, n)
    assert np.array_equal(x, expected) and (x[max(n, 0) :] == 5.0).all()


def test_in_python_it_is_one_too():
    x = np.zeros(5)
    assert each(draw.py_func, 5, (np.uint64(3), 1.0, x)) == 5 and (x > 0.0).all()


@kernel
def ranked(f, order, scratch, start, stop):
    sort_rows(f, order, scratch, start, stop)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 129, 300, 601])
@pytest.mark.parametrize("values", [3, 10**9])
def test_rows_are_ranked_equal_values_by_row(count, values):
    f = np.random.default_rng(count).integers(0, values, count + 5).astype(float)
    f[::9] = np.inf
    order, scratch = np.full(len(f), -1), np.zeros(len(f), dtype=np.int64)
    ranked(f, order, scratch, 3, 3 + count)
    assert np.array_equal(order[3 : 3 + count], 3 + np.argsort(f[3 : 3 + count], kind="stable"))
    assert (order[:3] == -1).all() and (order[3 + count :] == -1).all()
