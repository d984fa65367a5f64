"""The 24 objectives by which the ways to differentiate were chosen: test functions, and forms that everybody writes."""

import math

import numpy as np

from .kinds import entry

RANDOM = np.random.default_rng(1)


def rosenbrock(x):
    """A loop over indices"""
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def rastrigin(x):
    """A loop with a cosine"""
    total = 10.0 * len(x)
    for i in range(len(x)):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
    return total


def rastrigin_array(x):
    """The same as an expression of arrays"""
    return 10.0 * x.size + np.sum(x * x - 10.0 * np.cos(2.0 * np.pi * x))


def tobit(x, t, y, censored):
    """A likelihood with erfc, a branch on data and one on what is computed"""
    sigma = math.exp(x[2])
    likelihood = 0.0
    for i in range(t.size):
        error = (y[i] - x[0] - x[1] * t[i]) / sigma
        if censored[i]:
            if error > 3.0:
                continue
            likelihood += math.log(0.5 * math.erfc(error / math.sqrt(2.0)))
        else:
            likelihood -= 0.5 * error * error + math.log(sigma)
    return -likelihood


def predators(u, p, du):
    du[0] = p[0] * u[0] - p[1] * u[0] * u[1]
    du[1] = p[2] * u[0] * u[1] - p[3] * u[1]


def lotka_volterra(x, seen, h):
    """Runge and Kutta's fourth order, arrays made once, a helper that writes"""
    u = np.array([10.0, 5.0])
    k1, k2, k3, k4, moved = np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2), np.empty(2)
    total = 0.0
    for step in range(seen.shape[0]):
        predators(u, x, k1)
        for j in range(2):
            moved[j] = u[j] + 0.5 * h * k1[j]
        predators(moved, x, k2)
        for j in range(2):
            moved[j] = u[j] + 0.5 * h * k2[j]
        predators(moved, x, k3)
        for j in range(2):
            moved[j] = u[j] + h * k3[j]
        predators(moved, x, k4)
        for j in range(2):
            u[j] += h / 6.0 * (k1[j] + 2.0 * k2[j] + 2.0 * k3[j] + k4[j])
            total += (u[j] - seen[step, j]) ** 2
    return total


def predator_rates(u, p):
    return np.array([p[0] * u[0] - p[1] * u[0] * u[1], p[2] * u[0] * u[1] - p[3] * u[1]])


def lotka_volterra_arrays(x, seen, h):
    """The same with a new array for each stage"""
    u = np.array([10.0, 5.0])
    total = 0.0
    for step in range(seen.shape[0]):
        k1 = predator_rates(u, x)
        k2 = predator_rates(u + 0.5 * h * k1, x)
        k3 = predator_rates(u + 0.5 * h * k2, x)
        k4 = predator_rates(u + h * k3, x)
        u = u + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        total += np.sum((u - seen[step]) ** 2)
    return total


def lookup(x, nodes, heights):
    """A table searched by halving"""
    total = 0.0
    for i in range(len(x)):
        v = min(max(x[i], nodes[0]), nodes[-1])
        low, high = 0, len(nodes) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if nodes[middle] <= v:
                low = middle
            else:
                high = middle
        share = (v - nodes[low]) / (nodes[high] - nodes[low])
        total += ((1.0 - share) * heights[low] + share * heights[high]) ** 2
    return total


def interp(x, nodes, heights):
    """np.interp of the variables"""
    total = 0.0
    for v in x:
        total += np.interp(v, nodes, heights) * v
    return total


def quadratic(x, A, b):
    """x @ A @ x"""
    return 0.5 * (x @ A @ x) - np.dot(b, x)


def square(v):
    return v * v


def term(a, b, scale=3.0):
    if a > b:
        return scale * square(a - b)
    return square(a) + math.sin(b)


def helpers(x):
    """Plain helper functions, one with a default"""
    total = 0.0
    for i in range(1, len(x)):
        total += term(x[i - 1], x[i])
    return total


def kepler(x, anomalies):
    """Kepler's equation by Newton until it has converged"""
    total = 0.0
    for m in anomalies:
        e = m
        while True:
            step = (e - x[0] * math.sin(e) - m) / (1.0 - x[0] * math.cos(e))
            e -= step
            if abs(step) < 1e-13:
                break
        total += (math.cos(e) - x[1]) ** 2
    return total


def array_expression(x, a):
    """Sums, an exponential, a largest element"""
    return np.sum((x - a) ** 2) + np.exp(-np.sum(np.abs(x)) / 10.0) + np.max(x * a)


def slices(x):
    """Rosenbrock's function with slices"""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def elements(x):
    """enumerate, abs, a product, max and min of several"""
    total, product = 0.0, 1.0
    for i, v in enumerate(x):
        total += abs(v) + v * v / 4000.0
        product *= math.cos(v / math.sqrt(i + 1.0))
    return total - product + max(x[0], x[1], 0.1) + min(x[2], 0.5)


def weighted(w, x):
    total = 0.0
    for a, b in zip(w, x):
        total += a * b * b
    return total


def _make_closure():
    weights = np.linspace(1.0, 2.0, 10)
    slope = 3.0
    return lambda x: math.sqrt(weighted(weights, x)) + slope * x[0]


def ackley(x):
    """A loop over the elements"""
    a = b = 0.0
    for v in x:
        a += v * v
        b += math.cos(2.0 * math.pi * v)
    n = len(x)
    return -20.0 * math.exp(-0.2 * math.sqrt(a / n)) - math.exp(b / n) + 20.0 + math.e


def local_matrix(x):
    """A local 2-D array, a recursion in a local 1-D array, a slice that grows"""
    n = len(x)
    m = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            m[i, j] = x[i] * x[j] + (1.0 if i == j else 0.0)
    c = np.empty(n)
    c[0] = m[0, 0]
    for i in range(1, n):
        c[i] = c[i - 1] * 0.5 + m[i, i - 1]
    c *= 2.0
    m[1:3, :] += x
    return np.sum(m * m) + c[n - 1] + c.mean()


def autoencoder(x, W, y):
    """A small neural network by @ and np.tanh"""
    h = np.tanh(W @ x)
    z = W.T @ h
    return np.sum((z - y) ** 2) + np.linalg.norm(x)


def moments(x):
    """np.var, np.std, np.prod, np.mean"""
    return np.var(x) + np.std(x) + np.prod(x) + np.mean(x) ** 2


def powers(x):
    """Powers of all kinds, hypot, atan2"""
    first = x[0] ** x[1] + abs(x[2]) ** 1.5 + math.hypot(x[0], x[2]) + math.atan2(x[1], x[2])
    return first + x[1] ** 3 + math.pow(x[0], 2.5) + 2.0 ** x[2]


def overwritten(x):
    """Writes into x"""
    x[0] = x[0] ** 2
    x *= 2.0
    for i in range(1, len(x)):
        x[i] += math.sin(x[i - 1])
    return x[-1] * x[0]


def sorted_weights(x):
    """np.sort"""
    y = np.sort(x)
    total = 0.0
    for i in range(len(y)):
        total += (i + 1) * y[i] ** 2
    return total


def determinant(x, n):
    """Cholesky's factor in place"""
    A = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            A[i, j] = math.exp(-abs(i - j) * x[0]) + (x[1] ** 2 if i == j else 0.0)
    total = 0.0
    for j in range(n):
        for k in range(j):
            for i in range(j, n):
                A[i, j] -= A[i, k] * A[j, k]
        root = math.sqrt(A[j, j])
        total += math.log(root)
        for i in range(j, n):
            A[i, j] /= root
    return total


def tuples(x, p):
    """Tuples that are compared and replaced, a list"""
    a, b = p
    best = (x[0], 1.0)
    for i in range(len(x)):
        candidate = (x[i] * a, x[i] - b)
        if candidate[1] > best[1]:
            best = candidate
    points = [x[0], x[1] * 2.0]
    return best[0] * best[1] + points[1] * points[0]


_TIMES = np.linspace(0.0, 1.0, 40)
_NODES = np.linspace(-3.0, 3.0, 21)
_A = RANDOM.normal(size=(10, 10))
_X = RANDOM.normal(size=10)
_SEEN = RANDOM.random((50, 2)) * 10.0
_NOISY = 0.5 + _TIMES + RANDOM.normal(size=40) * 0.3

BASICS = [
    entry(rosenbrock, _X),
    entry(rastrigin, _X),
    entry(rastrigin_array, _X),
    entry(tobit, [0.3, 1.2, -0.3], (_TIMES, _NOISY, RANDOM.random(40) < 0.3)),
    entry(lotka_volterra, [1.1, 0.4, 0.1, 0.4], (_SEEN, 0.05)),
    entry(lotka_volterra_arrays, [1.1, 0.4, 0.1, 0.4], (_SEEN, 0.05)),
    entry(lookup, _X, (_NODES, np.sin(_NODES))),
    entry(interp, _X, (_NODES, np.sin(_NODES)), exact=False),
    entry(quadratic, _X, (_A @ _A.T, RANDOM.normal(size=10))),
    entry(helpers, _X),
    entry(kepler, [0.4, 0.2], (np.linspace(0.1, 6.0, 30),)),
    entry(array_expression, _X, (RANDOM.normal(size=10),)),
    entry(slices, _X),
    entry(elements, _X),
    entry(_make_closure(), _X, name="closure"),
    entry(ackley, _X),
    entry(local_matrix, _X),
    entry(autoencoder, _X, (RANDOM.normal(size=(10, 10)) * 0.3, RANDOM.normal(size=10)), exact=False),
    entry(moments, _X + 2.0),
    entry(powers, [1.3, 0.7, 0.4]),
    entry(overwritten, _X),
    entry(sorted_weights, _X),
    entry(determinant, [0.7, 0.5], (8,)),
    entry(tuples, _X, ((1.5, 0.25),)),
]
