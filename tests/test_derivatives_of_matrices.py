"""Derivatives of what LAPACK and BLAS do, against formulas; of powers; of arrays that may be x or an argument."""

import numpy as np
import pytest

from thalweg import grad, hessian, hvp, jacobian
from thalweg.kernels.calling.checking import CompilationError

RANDOM = np.random.default_rng(5)
N = 4
A = RANDOM.normal(size=(N, N))
A = A @ A.T + np.eye(N)
A[1], A[2] = A[2].copy(), A[1].copy()  # so that rows change places
W, B = RANDOM.normal(size=(2, N, N))
X, V = RANDOM.normal(size=(2, N))


def matrix(x, A):
    M = A.copy()
    for i in range(x.size):
        for j in range(x.size):
            M[i, j] += x[i] * x[j]
    return M


def results(x, A, W, B):
    """A number of each function, of the matrix A + x x'."""
    M = matrix(x, A)
    S = matrix(x, A @ A.T)
    found = np.zeros(5)
    solved, inverse, root = np.linalg.solve(M, B), np.linalg.inv(M), np.linalg.cholesky(S)
    for i in range(x.size):
        for j in range(x.size):
            found[0] += W[i, j] * solved[i, j]
            found[1] += W[i, j] * inverse[i, j]
            found[2] += W[i, j] * root[i, j]
    found[3] = np.linalg.det(M)
    found[4] = np.linalg.slogdet(M)[1]
    return found


def weighted(x, A, W, B, weights):
    found = results(x, A, W, B)
    total = 0.0
    for k in range(5):
        total += weights[k] * found[k]
    return total


def slopes(x, A, W, B):
    """(5, N): of a function with the derivative G by its matrix it is (G + G') x."""
    M = A + np.outer(x, x)
    T = np.linalg.inv(M).T
    L = np.linalg.cholesky(A @ A.T + np.outer(x, x))
    half = np.tril(L.T @ np.tril(W))
    half[np.diag_indices(len(x))] *= 0.5
    under = np.linalg.inv(L)
    by_matrix = [
        -T @ W @ np.linalg.solve(M, B).T, -T @ W @ T, under.T @ half @ under, np.linalg.det(M) * T, T,
    ]  # fmt: skip
    return np.array([(G + G.T) @ x for G in by_matrix])


@pytest.mark.slow
def test_jacobians_of_decompositions():
    assert jacobian(results)(X, A, W, B) == pytest.approx(slopes(X, A, W, B), rel=1e-11, abs=1e-11)


def test_gradients_of_decompositions():
    for known, weights in zip(slopes(X, A, W, B), np.eye(5)):
        assert grad(weighted)(X, A, W, B, weights) == pytest.approx(known, rel=1e-11, abs=1e-11)


@pytest.mark.slow
def test_products_with_hessians_of_decompositions():
    h = 1e-4
    sides = [(slopes(X + k * h * V, A, W, B) - slopes(X - k * h * V, A, W, B)) / (2 * k * h) for k in (0.5, 1.0)]
    for known, weights in zip((4.0 * sides[0] - sides[1]) / 3.0, np.eye(5)):
        found = hvp(weighted)(X, V, A, W, B, weights)
        assert found == pytest.approx(known, rel=0.0, abs=1e-8 * np.abs(known).max())


def test_a_singular_matrix_raises_what_numpy_raises():
    def f(x):
        return np.linalg.inv(np.diag(x))[0, 0]

    assert grad(f)([2.0, 1.0]) == pytest.approx([-0.25, 0.0])
    with pytest.raises(np.linalg.LinAlgError, match=r"[Ss]ingular"):
        grad(f)([2.0, 0.0])


def test_matrices_of_32_bits_are_refused():
    def f(x):
        return np.linalg.det(np.diag(x).astype(np.float32))

    with pytest.raises(CompilationError, match=r"np\.linalg\.det|float32"):
        grad(f)([2.0, 1.0])


def test_powers_by_whole_numbers():
    def f(x):
        return np.sum(x**-2.0) + np.sum(x**5.0) + np.sum((1.0 + x) ** -1) + np.sum(x**0.0)

    x = np.array([0.7, -1.3, 2.0])
    assert grad(f)(x) == pytest.approx(-2.0 * x**-3 + 5.0 * x**4 - (1.0 + x) ** -2, rel=1e-13)
    assert hessian(f)(x) == pytest.approx(np.diag(6.0 * x**-4 + 20.0 * x**3 + 2.0 * (1.0 + x) ** -3), rel=1e-13)


def test_what_is_multiplied_may_be_x_or_an_argument():
    def f(x, A, b):
        z = x if x[1] > 5.0 else b
        M = A if x[0] > 100.0 else np.outer(x, x) + A
        y = z.copy()
        return np.sum(M @ z) + y @ y + np.linalg.norm(z)

    b = np.array([0.5, 1.0, -2.0])
    C, one = A[:3, :3].copy(), np.ones(3)
    for x in (np.array([0.3, 0.7, -0.2]), np.array([0.3, 7.0, -0.2]), np.array([101.0, 7.0, -0.2])):
        z, fixed, inner = b if x[1] < 5.0 else x, x[0] > 100.0, 0.0 if x[1] < 5.0 else 1.0
        M = C + (0.0 if fixed else 1.0) * np.outer(x, x)
        known = inner * (M.T @ one + 2.0 * z + z / np.linalg.norm(z))
        known = known + (0.0 if fixed else 1.0) * (one * (x @ z) + x.sum() * z)
        assert grad(f)(x, C, b) == pytest.approx(known, rel=1e-12)
        h = 1e-5 * np.abs(x).max()
        sides = [grad(f)(x + side * V[:3], C, b) for side in (h, -h)]
        assert hvp(f)(x, V[:3], C, b) == pytest.approx((sides[0] - sides[1]) / (2.0 * h), rel=1e-6, abs=1e-6)
