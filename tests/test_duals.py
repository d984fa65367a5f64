"""The dual numbers that the tests hold automatic gradients against have right derivatives themselves."""

import math

import numpy as np
import pytest

from . import differences
from .duals import gradient, value_and_gradient

X = np.array([0.7, -1.2, 0.35])

NAMES = "sin cos tan sinh cosh tanh exp expm1 sqrt log log1p atan erf erfc fabs".split()
FORMULAS = [
    lambda x: x[0] * x[1] + x[2] * 3.0 - 2.0 * x[0] + (1.0 - x[1]),
    lambda x: x[0] / x[1] + 2.0 / x[2] + x[0] / 3.0,
    lambda x: x[0] ** 3 + x[2] ** x[0] + 2.0 ** x[1] + x[0] ** -1.5 + x[1] ** 0,
    lambda x: abs(x[1]) + max(x[0], x[1], 0.1) + min(x[2], 0.3 * x[0]) + 2.3 % x[0] + -x[1] + +x[0],
    lambda x: math.hypot(x[0], x[1]) + math.atan2(x[0], x[1]) + math.pow(x[2], 1.5) + math.atan2(2.0, x[0]),
    lambda x: np.sum(np.sin(x) ** 2) + np.mean(np.exp(x)) + np.prod(x) + np.max(x) * np.min(x) + x @ (x * x),
    lambda x: np.sum(np.abs(x)) + np.sum(np.hypot(x, 1.0)) + np.dot(x, np.cumsum(x)) + np.sort(x)[0] + np.var(x),
    lambda x: np.sum(np.where(x > 0.0, x * x, -x)) + np.sum(np.array([x[0], x[1]]) ** 2) + np.sum(np.maximum(x, 0.1)),
    lambda x: 3.5,
]


@pytest.mark.parametrize("name", NAMES)
def test_functions(name):
    def f(x):
        return getattr(math, name)(x[0]) * 2.0

    assert gradient(f, X) == pytest.approx(differences.gradient(f, X), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("f", FORMULAS)
def test_arithmetic_and_arrays(f):
    value, g = value_and_gradient(f, X)
    assert value == pytest.approx(f(X), rel=1e-14)
    assert g == pytest.approx(differences.gradient(f, X), rel=1e-8, abs=1e-8)


def test_helpers_closures_and_new_arrays():
    weight = np.array([1.0, 2.0, 3.0])

    def helper(v, scale=2.0):
        return math.sin(v) * scale

    def f(x, B):
        local = np.zeros((2, 3))
        for i in range(3):
            local[1, i] = helper(x[i]) + weight[i]
            B[i] = local[1, i] * x[0]
        x[0] = B[2]
        return np.sum(local * local) + x[0] * B[0]

    scratch = np.ones(3)
    assert gradient(f, X, (scratch,)) == pytest.approx(differences.gradient(f, X, (scratch.copy(),)), rel=1e-8)
    assert np.array_equal(scratch, np.ones(3))
