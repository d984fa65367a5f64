"""Levenberg-Marquardt: its step against dense algebra, the method against a plain transcription, point by point."""

import numpy as np
import pytest

from thalweg import least_squares, objective
from thalweg.kernels.least_squares.damping import step_in_region
from thalweg.kernels.numbers.qr import factorise

from .reference import levenberg_marquardt as plain


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def rosenbrock_jacobian(x):
    return np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
Y = np.array([0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])


def kowalik(x):
    """Kowalik and Osborne's function (Moré, Garbow and Hillstrom 1981, number 15)."""
    return Y - x[0] * (U * U + U * x[1]) / (U * U + U * x[2] + x[3])


def kowalik_jacobian(x):
    above, below = U * U + U * x[1], U * U + U * x[2] + x[3]
    J = np.empty((11, 4))
    J[:, 0] = -above / below
    J[:, 1] = -x[0] * U / below
    J[:, 2] = x[0] * above * U / below**2
    J[:, 3] = x[0] * above / below**2
    return J


KOWALIK_START = np.array([0.25, 0.39, 0.415, 0.39])


def factorised(A, b):
    """R, its diagonal, the permutation, Q'b and the norms of the columns, by the engine."""
    A, b, n = A.copy(), b.copy(), A.shape[1]
    perm, diagonal, norms = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    factorise(A, b, perm, diagonal, norms, np.zeros((2, n)))
    return np.triu(A[:n], 1), diagonal, perm, b, norms


@pytest.mark.parametrize("shape", [(7, 7), (12, 5), (3, 1)])
def test_the_factors_make_the_matrix(shape):
    rng = np.random.default_rng(1)
    A, b = rng.standard_normal(shape), rng.standard_normal(shape[0])
    R, diagonal, perm, q, norms = factorised(A, b)
    R = R + np.diag(diagonal)
    assert np.allclose(R.T @ R, A[:, perm].T @ A[:, perm], rtol=1e-13, atol=1e-13)
    assert np.allclose(R.T @ q[: shape[1]], A[:, perm].T @ b, rtol=1e-13, atol=1e-13)
    assert np.allclose(norms, np.linalg.norm(A, axis=0), rtol=1e-14)
    assert (np.diff(np.abs(diagonal)) <= 0).all()


def test_a_dependent_column_comes_last():
    A = np.random.default_rng(2).standard_normal((6, 3))
    A[:, 1] = 2 * A[:, 0] - A[:, 2]
    _, diagonal, perm, _, _ = factorised(A, np.ones(6))
    assert abs(diagonal[2]) < 1e-14 < 0.1 < abs(diagonal[1])
    assert sorted(perm) == [0, 1, 2]


def test_numbers_near_the_ends_of_the_range_are_factorised():
    A = np.array([[3e-200, 1.0], [4e-200, 2.0]])
    _, diagonal, perm, _, norms = factorised(A, np.ones(2))
    assert norms[0] == pytest.approx(5e-200)
    assert list(perm) == [1, 0]
    assert np.isfinite(diagonal).all()


@pytest.mark.parametrize("radius", [1e-3, 0.3, 1.0, 1e3])
def test_the_step_is_the_least_in_its_region(radius):
    rng = np.random.default_rng(3)
    J, f, D = rng.standard_normal((8, 4)), rng.standard_normal(8), rng.uniform(0.5, 2, 4)
    R, diagonal, perm, q, _ = factorised(J, f)
    p = np.zeros(4)
    par = step_in_region(R, diagonal, perm, D, q, radius, 0.1, 0.0, np.zeros((4, 4)), np.zeros((5, 4)), p)
    expected, step = plain.parameter(J, f, D, radius, 0.0)
    assert par == pytest.approx(expected, rel=1e-10)
    assert np.allclose(-p, step, rtol=1e-9, atol=1e-13)
    assert np.linalg.norm(D * p) <= 1.1 * radius


@pytest.mark.parametrize(
    ("fun", "jac", "x0"),
    [
        (rosenbrock, rosenbrock_jacobian, np.array([-1.2, 1.0])),
        (kowalik, kowalik_jacobian, KOWALIK_START),
        (kowalik, kowalik_jacobian, 10 * KOWALIK_START),
    ],
)
def test_every_point_is_that_of_the_paper(fun, jac, x0):
    seen = []

    def noted(x):
        seen.append(x.copy())
        return fun(x)

    result = least_squares(
        objective(noted, compiled=False), x0, objective(jac, compiled=False), method="lm", max_nfev=20,
        ftol=1e-15, xtol=1e-15, gtol=1e-15,
    )  # fmt: skip
    assert len(seen) == result.nfev >= 10
    expected = plain.iterates(fun, jac, x0, len(seen))
    assert np.allclose(seen, expected, rtol=1e-7, atol=1e-10)
