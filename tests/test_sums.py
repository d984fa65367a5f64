"""Sums of products by the vector unit: the bits of the eight running sums that they are defined as."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.kernels.compile.jit import kernel
from thalweg.kernels.numbers.linear_algebra import dot
from thalweg.kernels.numbers.sums import add_rows, dots


@kernel
def products(a, b, x, y, n):
    return dots((a, b), (x, y), n)


@kernel
def summed(factors, matrix, rows, out, n):
    add_rows(factors, matrix, rows, out, n)


def eight_sums(a, b):
    sums, whole = [0.0] * 8, len(a) - len(a) % 8
    for j in range(len(a)):
        sums[j % 8 if j < whole else 0] += a[j] * b[j]
    s = [sums[k] + sums[k + 4] for k in range(4)]
    return (s[0] + s[1]) + (s[2] + s[3])


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 31, 100])
def test_a_product_is_eight_sums(n):
    a, b, x, y = np.random.default_rng(n).normal(size=(4, n + 3)) * 10.0 ** np.arange(-4, n - 1)[: n + 3].clip(-4, 4)
    pairs = [(a, x), (a, y), (b, x), (b, y)]
    assert products(a, b, x, y, n) == tuple(eight_sums(u[:n].tolist(), v[:n].tolist()) for u, v in pairs)
    assert dot(a, b, n) == eight_sums(a[:n].tolist(), b[:n].tolist())


@pytest.mark.parametrize("n", [0, 1, 8, 31, 32, 45, 80])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_rows_are_added_one_after_another(rows, n):
    random = np.random.default_rng(n)
    factors, matrix, out = random.normal(size=5), random.normal(size=(5, n + 2)), random.normal(size=n + 2)
    expected = out.copy()
    for k in range(rows):
        expected[:n] += factors[k] * matrix[k, :n]
    summed(factors, matrix, rows, out, n)
    np.testing.assert_array_equal(out, expected)
