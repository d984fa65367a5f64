"""Objectives of whole arrays: slices, products, new axes, sorting, and linear algebra by hand."""

import math

import numpy as np

from .kinds import entry

RANDOM = np.random.default_rng(9)


def total_variation(x, y, weight):
    """np.diff in a smooth norm"""
    return np.sum((x - y) ** 2) + weight * np.sum(np.sqrt(1e-2 + np.diff(x) ** 2))


def cumulative(x, y):
    """np.cumsum, of increments that are exp of the variables"""
    return np.mean((np.cumsum(np.exp(x)) - y) ** 2)


def trimmed(x, cut):
    """A sorted copy, its ends left away"""
    ordered = np.sort(x)[cut:-cut]
    return np.mean(ordered) ** 2 + np.var(ordered)


def pieces(x, y):
    """np.where, np.clip, np.maximum and np.sign"""
    error = x - y
    huber = np.where(np.abs(error) < 0.5, error**2, np.abs(error) - 0.25)
    return np.sum(huber) + np.sum(np.clip(x, -0.8, 0.8) ** 3) + np.sum(np.maximum(x, 0.1) * np.sign(y))


def softmax_regression(x, X, labels):
    """x as a matrix, scores by @, the logarithm of a sum of exponentials with its largest taken out"""
    W = x.reshape((3, X.shape[1]))
    loss = 0.0
    for k in range(len(labels)):
        scores = W @ X[k]
        top = np.max(scores)
        loss += top + math.log(np.sum(np.exp(scores - top))) - scores[labels[k]]
    return loss / len(labels) + 0.01 * np.sum(W * W)


def convolved(x, signal, seen):
    """A kernel slid over a signal by slices"""
    n = len(x)
    total = 0.0
    for k in range(len(signal) - n + 1):
        total += (np.sum(signal[k : k + n] * x) - seen[k]) ** 2
    return total


def ring(x, stiffness):
    """np.roll"""
    return np.sum(stiffness * (np.roll(x, 1) - x) ** 4) + np.sum(x * np.roll(x, -2)) + np.sum(x**2)


def relaxed(x, sweeps):
    """Writes into x: slices of it are changed in place, again and again"""
    for _ in range(sweeps):
        x[1:-1] += 0.2 * (x[2:] - 2.0 * x[1:-1] + x[:-2])
        x[0] *= 0.9
        x[-1] -= 0.1 * x[0]
    return np.sum(x * x * x)


def lennard_jones(x):
    """Atoms as rows of a matrix, all pairs"""
    atoms = x.reshape((len(x) // 3, 3))
    energy = 0.0
    for i in range(len(atoms)):
        for j in range(i):
            gap = atoms[i] - atoms[j]
            inverse = 1.0 / np.dot(gap, gap) ** 3
            energy += 4.0 * (inverse * inverse - inverse)
    return energy


def pairwise(x, scale):
    """New axes: all differences at once in a matrix"""
    gaps = x[:, None] - x[None, :]
    return np.sum(np.exp(-(gaps**2) / scale)) / len(x) + np.mean(x**2)


def perceptron(x, X, y, hidden):
    """A network of one hidden layer with loops, the weights in one long x"""
    loss = 0.0
    for k in range(X.shape[0]):
        out = x[-1]
        for h in range(hidden):
            base = h * (X.shape[1] + 2)
            total = x[base + X.shape[1]]
            for j in range(X.shape[1]):
                total += x[base + j] * X[k, j]
            out += x[base + X.shape[1] + 1] * math.tanh(total)
        loss += (out - y[k]) ** 2
    return loss / X.shape[0]


def two_layers(x, X, y):
    """A network with matrices, its weights as slices of x, and a rectifier"""
    W1 = x[:12].reshape((4, 3))
    W2 = x[12:16]
    total = 0.0
    for k in range(len(y)):
        h = np.maximum(W1 @ X[k], 0.0)
        total += (np.dot(W2, h) + x[16] - y[k]) ** 2
    return total


def elimination(x, b):
    """A linear system solved by Gauss's elimination with pivots, in a local 2-D array"""
    n = len(x)
    A = np.zeros((n, n + 1))
    for i in range(n):
        for j in range(n):
            A[i, j] = 1.0 / (1.0 + abs(i - j)) + (x[i] ** 2 if i == j else 0.3 * x[j])
        A[i, n] = b[i]
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(A[i, k]) > abs(A[pivot, k]):
                pivot = i
        if pivot != k:
            for j in range(n + 1):
                A[k, j], A[pivot, j] = A[pivot, j], A[k, j]
        for i in range(k + 1, n):
            factor = A[i, k] / A[k, k]
            for j in range(k, n + 1):
                A[i, j] -= factor * A[k, j]
    total = 0.0
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            A[i, n] -= A[i, j] * A[j, n]
        A[i, n] /= A[i, i]
        total += A[i, n] ** 2
    return total


def gaussian_process(x, t, y):
    """The marginal likelihood of a Gaussian process: Cholesky's factor and forward substitution by hand"""
    n = len(t)
    length, signal, noise = math.exp(x[0]), math.exp(x[1]), math.exp(x[2])
    L = np.zeros((n, n))
    z = y.copy()
    loss = 0.0
    for i in range(n):
        for j in range(i + 1):
            value = signal * math.exp(-0.5 * ((t[i] - t[j]) / length) ** 2)
            if i == j:
                value += noise
            for k in range(j):
                value -= L[i, k] * L[j, k]
            L[i, j] = math.sqrt(value) if i == j else value / L[j, j]
        for k in range(i):
            z[i] -= L[i, k] * z[k]
        z[i] /= L[i, i]
        loss += 0.5 * z[i] ** 2 + math.log(L[i, i])
    return loss


def thomas(x, y, stiffness):
    """A smoothing spline's tridiagonal system, solved in two sweeps"""
    n = len(y)
    upper, right = np.empty(n), np.empty(n)
    for i in range(n):
        side = -stiffness * x[i % len(x)] ** 2
        diagonal = 1.0 - 2.0 * side
        if i == 0:
            upper[i], right[i] = side / diagonal, y[i] / diagonal
        else:
            pivot = diagonal - side * upper[i - 1]
            upper[i] = side / pivot
            right[i] = (y[i] - side * right[i - 1]) / pivot
    for i in range(n - 2, -1, -1):
        right[i] -= upper[i] * right[i + 1]
    return np.sum((right - y) ** 2) + 0.1 * np.sum(x**2)


def largest_eigenvalue(x, A):
    """Repeated products with a matrix until the quotient stays"""
    M = A + np.outer(x, x)
    v = np.ones(len(x))
    before, now = 0.0, 1.0
    while abs(now - before) > 1e-14 * abs(now):
        w = M @ v
        before, now = now, math.sqrt(np.sum(w * w))
        v = w / now
    return now


def exponential(x, A, y):
    """The exponential of a matrix by its series, times a vector"""
    M = A * x[0] + np.eye(len(y)) * x[1]
    term = x[2] * y
    total = term.copy()
    for k in range(1, 25):
        term = M @ term / k
        total += term
    return np.sum(total**2)


def orthogonal(x, n):
    """Gram and Schmidt's columns of a matrix of x, their distance from the unit matrix"""
    Q = x.copy().reshape((n, n))
    for j in range(n):
        for k in range(j):
            Q[:, j] -= np.sum(Q[:, k] * Q[:, j]) * Q[:, k]
        Q[:, j] /= math.sqrt(np.sum(Q[:, j] ** 2))
    return np.sum((Q - np.eye(n)) ** 2)


def chain(x, A, B):
    """Products of several matrices, one transposed"""
    return (A @ (B @ x)) @ (A.T @ x) + np.trace(A * x[0]) + np.dot(x, x)


_A = RANDOM.normal(size=(6, 6))
_X = RANDOM.normal(size=(15, 3))

ARRAYS = [
    entry(total_variation, RANDOM.normal(size=20), (RANDOM.normal(size=20), 0.5)),
    entry(cumulative, RANDOM.normal(size=12) * 0.3, (np.arange(12.0),)),
    entry(trimmed, RANDOM.normal(size=11), (2,)),
    entry(pieces, RANDOM.normal(size=15), (RANDOM.normal(size=15),)),
    entry(softmax_regression, RANDOM.normal(size=9) * 0.5, (_X, RANDOM.integers(0, 3, size=15))),
    entry(convolved, RANDOM.normal(size=5), (RANDOM.normal(size=40), RANDOM.normal(size=36))),
    entry(ring, RANDOM.normal(size=12), (1.0 + RANDOM.random(12),)),
    entry(relaxed, RANDOM.normal(size=15), (6,)),
    entry(lennard_jones, (np.arange(12) % 4 + 1.1 * np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 0.5, 0.6, 1.3])).ravel()),
    entry(pairwise, RANDOM.normal(size=10), (0.7,)),
    entry(perceptron, RANDOM.normal(size=21) * 0.5, (_X, np.sin(_X[:, 0]), 4)),
    entry(two_layers, RANDOM.normal(size=17) * 0.7, (_X, np.cos(_X[:, 1]))),
    entry(elimination, RANDOM.normal(size=6), (RANDOM.normal(size=6),)),
    entry(gaussian_process, [-0.5, 0.2, -1.0], (np.linspace(0.0, 2.0, 12), np.sin(3.0 * np.linspace(0.0, 2.0, 12)))),
    entry(thomas, RANDOM.normal(size=4), (RANDOM.normal(size=24), 2.0)),
    entry(largest_eigenvalue, RANDOM.normal(size=6), (_A @ _A.T,)),
    entry(exponential, [0.3, -0.2, 1.1], (_A, RANDOM.normal(size=6))),
    entry(orthogonal, np.eye(4).ravel() + 0.3 * RANDOM.normal(size=16), (4,)),
    entry(chain, RANDOM.normal(size=6), (_A, RANDOM.normal(size=(6, 6)))),
]
