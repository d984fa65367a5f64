"""Tiles: sums of products, Cholesky and solutions against NumPy's, for whole and for broken tiles."""

import numpy as np
import pytest

from thalweg.kernels.compile.jit import kernel
from thalweg.kernels.numbers.tiles import add_rows, add_squares, factorise, padded, solve_factorised, take_row


@kernel
def solve(rows, targets, ridge, n, a, line):
    """(rows' rows + ridge) x = rows' targets: whether it could be, and b x."""
    for i in range(n):
        a[i, i] = ridge
    add_squares(rows, 0, rows.shape[0], a)
    add_rows(targets, rows, 0, rows.shape[0], line)
    if not factorise(a, n):
        return False, 0.0
    return True, solve_factorised(a, n, line.reshape((line.size, 1)), line)


@kernel
def take(out, j, left, right, first, last):
    take_row(out, 1, j, left, right, first, last)


def test_padded():
    assert [padded(n) for n in (1, 8, 9, 16)] == [8, 8, 16, 16]


@pytest.mark.parametrize("n", [1, 5, 8, 13, 40])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_small_system_is_solved(n, dtype):
    random, width = np.random.default_rng(n), padded(n)
    rows, targets = np.zeros((11, width), dtype), random.normal(size=(11, 1)).astype(dtype)
    rows[:, :n] = random.normal(size=(11, n))
    a, line = np.zeros((width, width), dtype), np.zeros((1, width), dtype)
    done, product = solve(rows, targets, dtype(0.5), n, a, line)
    assert done
    f = rows[:, :n].astype(float)
    system, b = f.T @ f + 0.5 * np.eye(n), f.T @ targets[:, 0].astype(float)
    accuracy = 1e-12 if dtype is np.float64 else 2e-5
    upper = np.linalg.cholesky(system).T
    assert np.triu(a, 1)[:n, :n] == pytest.approx(np.triu(upper, 1), abs=10 * accuracy)
    assert np.diag(a)[:n] == pytest.approx(1.0 / np.diag(upper), rel=10 * accuracy)
    assert line[0, :n] == pytest.approx(np.linalg.solve(system, b), abs=10 * accuracy)
    assert product == pytest.approx(b @ np.linalg.solve(system, b), rel=10 * accuracy)
    assert not line[0, n:].any()


def test_what_is_not_positive_definite_is_told():
    rows, targets = np.zeros((2, 8)), np.zeros((2, 1))
    for ridge in (0.0, -1.0, np.nan, np.inf):
        assert not solve(rows, targets, ridge, 3, np.zeros((8, 8)), np.zeros((1, 8)))[0]


def test_rows_are_taken_off_from_first_to_before_last():
    random = np.random.default_rng(0)
    left, right, out = random.normal(size=(6, 3)), random.normal(size=(6, 16)), random.normal(size=(2, 16))
    expected = out.copy()
    expected[1, 8:] -= left[2:5, 1] @ right[2:5, 8:]
    take(out, 8, left, right, 2, 5)
    assert out == pytest.approx(expected, abs=1e-14)
