"""In-place arithmetic of arrays that share memory: NumPy's values, where Numba has others, and their gradients."""

import numba
import numpy as np
import pytest

import thalweg as tw

X = np.array([0.3, 0.5, 0.7, 1.1])


def shifted(x):
    """Views of one vector, ufuncs with an output, whole numbers."""
    a = np.zeros(6)
    a[:4] = x
    a[1:] += a[:-1]
    np.multiply(a[1:], a[:-1] + 1.0, a[1:])
    np.add(a[1:], a[:-1], a[1:])
    a += a[::-1]
    a[::2] -= a[1::2]
    n = np.arange(6)
    n[1:] += n[:-1]
    return np.sum(a * np.arange(1, 7)) + n.sum()


def tables(x):
    """Rows that are broadcast over their own table, a table and its transpose."""
    a = np.outer(x, x + 1.0)
    a += a.T
    a -= a[0]
    a[1:] += a[:-1]
    a *= a[:, 1:2]
    b = np.asfortranarray(np.outer(x, x + 2.0))
    b += b.T
    b[:, 1:] -= b[:, :-1]
    return np.sum(a * a) + np.sum(b * np.outer(x, x))


def same_view(x):
    """The same elements in the same places: nothing to copy."""
    a = x.copy()
    a *= a
    a += x
    a[1:] += a[1:]
    return np.sum(a * np.arange(4))


def add_to(target, given):
    target += given


def by_a_helper(x):
    """What only its caller knows to be one array."""
    a = np.concatenate((x, x))
    add_to(a[1:], a[:-1])
    return np.sum(a * np.arange(8))


FUNCTIONS = [shifted, tables, same_view, by_a_helper]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_values_are_those_of_numpy(function):
    found = tw.minimize(function, [(0.0, 2.0)] * 4, x0=X, method="nelder_mead", max_evals=1)
    assert found.fun == pytest.approx(function(X), rel=1e-13)


def test_gradients_too():
    gradient = tw.grad(by_a_helper)(X)
    step = 1e-5
    differences = [(by_a_helper(X + step * e) - by_a_helper(X - step * e)) / (2 * step) for e in np.eye(4)]
    assert gradient == pytest.approx(differences, rel=1e-7, abs=1e-7)


def test_numba_alone_has_another_value():
    """When this fails, Numba has mended it, and overlaps.py can go."""

    def function(x):
        a = x.copy()
        a[1:] += a[:-1]
        return a[3]

    assert numba.njit(function)(X) != pytest.approx(function(X))
