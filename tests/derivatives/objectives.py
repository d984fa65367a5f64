"""Objectives in the styles that users write: ALL is (name, f, x0, args), PATTERNS (f, args) at POINT."""

import math
from collections import namedtuple

import numpy as np

R = np.random.default_rng(1)


def rosenbrock(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return s


def rastrigin(x):
    s = 10.0 * len(x)
    for i in range(len(x)):
        s += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
    return s


def rastrigin_np(x):
    return 10.0 * x.size + np.sum(x * x - 10.0 * np.cos(2.0 * np.pi * x))


def loglik(x, t, y, censored):
    a, b, sigma = x[0], x[1], math.exp(x[2])
    ll = 0.0
    for i in range(t.size):
        r = (y[i] - a - b * t[i]) / sigma
        if censored[i]:
            if r > 3.0:
                continue
            ll += math.log(0.5 * math.erfc(r / math.sqrt(2.0)))
        else:
            ll -= 0.5 * r * r + math.log(sigma)
    return -ll


def _lotka(u, p, out):
    out[0] = p[0] * u[0] - p[1] * u[0] * u[1]
    out[1] = p[2] * u[0] * u[1] - p[3] * u[1]


def rk4(x, data, h):
    u = np.array([10.0, 5.0])
    k1, k2, k3, k4, w = np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2), np.empty(2)
    s = 0.0
    for step in range(data.shape[0]):
        _lotka(u, x, k1)
        for j in range(2):
            w[j] = u[j] + 0.5 * h * k1[j]
        _lotka(w, x, k2)
        for j in range(2):
            w[j] = u[j] + 0.5 * h * k2[j]
        _lotka(w, x, k3)
        for j in range(2):
            w[j] = u[j] + h * k3[j]
        _lotka(w, x, k4)
        for j in range(2):
            u[j] += h / 6.0 * (k1[j] + 2.0 * k2[j] + 2.0 * k3[j] + k4[j])
            s += (u[j] - data[step, j]) ** 2
    return s


def _rhs(u, x):
    return np.array([x[0] * u[0] - x[1] * u[0] * u[1], x[2] * u[0] * u[1] - x[3] * u[1]])


def rk4_arrays(x, data, h):
    u = np.array([10.0, 5.0])
    s = 0.0
    for step in range(data.shape[0]):
        k1 = _rhs(u, x)
        k2 = _rhs(u + 0.5 * h * k1, x)
        k3 = _rhs(u + 0.5 * h * k2, x)
        k4 = _rhs(u + h * k3, x)
        u = u + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        s += np.sum((u - data[step]) ** 2)
    return s


def lookup(x, xs, ys):
    s = 0.0
    for i in range(len(x)):
        v = min(max(x[i], xs[0]), xs[-1])
        lo, hi = 0, len(xs) - 1
        while hi - lo > 1:
            mid = (lo + hi) // 2
            if xs[mid] <= v:
                lo = mid
            else:
                hi = mid
        t = (v - xs[lo]) / (xs[hi] - xs[lo])
        s += ((1.0 - t) * ys[lo] + t * ys[hi]) ** 2
    return s


def interp(x, xs, ys):
    s = 0.0
    for v in x:
        s += np.interp(v, xs, ys) * v
    return s


def quadratic(x, A, b):
    return 0.5 * (x @ A @ x) - np.dot(b, x)


def _sq(v):
    return v * v


def _term(a, b, scale=3.0):
    if a > b:
        return scale * _sq(a - b)
    return _sq(a) + math.sin(b)


def helper(x):
    s = 0.0
    for i in range(1, len(x)):
        s += _term(x[i - 1], x[i])
    return s


def kepler(x, M):
    s = 0.0
    for m in M:
        E = m
        while True:
            d = (E - x[0] * math.sin(E) - m) / (1.0 - x[0] * math.cos(E))
            E -= d
            if abs(d) < 1e-13:
                break
        s += (math.cos(E) - x[1]) ** 2
    return s


def array_expr(x, a):
    return np.sum((x - a) ** 2) + np.exp(-np.sum(np.abs(x)) / 10.0) + np.max(x * a)


def slices(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def for_v(x):
    s, p = 0.0, 1.0
    for i, v in enumerate(x):
        s += abs(v) + v * v / 4000.0
        p *= math.cos(v / math.sqrt(i + 1.0))
    return s - p + max(x[0], x[1], 0.1) + min(x[2], 0.5)


def _make_closure():
    w = np.linspace(1.0, 2.0, 10)
    k = 3.0
    return lambda x: math.sqrt(sum_(w, x)) + k * x[0]


def sum_(w, x):
    s = 0.0
    for a, b in zip(w, x):
        s += a * b * b
    return s


closure = _make_closure()


def ackley(x):
    n = len(x)
    a = b = 0.0
    for v in x:
        a += v * v
        b += math.cos(2.0 * math.pi * v)
    return -20.0 * math.exp(-0.2 * math.sqrt(a / n)) - math.exp(b / n) + 20.0 + math.e


def local_2d(x):
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


def neural(x, W, y):
    h = np.tanh(W @ x)
    z = W.T @ h
    return np.sum((z - y) ** 2) + np.linalg.norm(x)


def statistics(x):
    return np.var(x) + np.std(x) + np.prod(x) + np.mean(x) ** 2


def powers(x):
    return (
        x[0] ** x[1]
        + abs(x[2]) ** 1.5
        + math.hypot(x[0], x[2])
        + math.atan2(x[1], x[2])
        + x[1] ** 3
        + math.pow(x[0], 2.5)
        + 2.0 ** x[2]
    )


def writes_x(x):
    x[0] = x[0] ** 2
    x *= 2.0
    for i in range(1, len(x)):
        x[i] += math.sin(x[i - 1])
    return x[-1] * x[0]


def sorted_weights(x):
    y = np.sort(x)
    s = 0.0
    for i in range(len(y)):
        s += (i + 1) * y[i] ** 2
    return s


def cholesky(x, n):
    A = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            A[i, j] = math.exp(-abs(i - j) * x[0]) + (x[1] ** 2 if i == j else 0.0)
    s = 0.0
    for j in range(n):
        for k in range(j):
            for i in range(j, n):
                A[i, j] -= A[i, k] * A[j, k]
        d = math.sqrt(A[j, j])
        s += math.log(d)
        for i in range(j, n):
            A[i, j] /= d
    return s


def tuples(x, p):
    a, b = p
    best = (x[0], 1.0)
    for i in range(len(x)):
        c = (x[i] * a, x[i] - b)
        if c[1] > best[1]:
            best = c
    pts = [x[0], x[1] * 2.0]
    return best[0] * best[1] + pts[1] * pts[0]


_t = np.linspace(0, 1, 40)
_xs = np.linspace(-3, 3, 21)
_A = R.normal(size=(10, 10))
x10 = R.normal(size=10)
ALL = [
    ("rosenbrock", rosenbrock, x10, ()),
    ("rastrigin", rastrigin, x10, ()),
    ("rastrigin_np", rastrigin_np, x10, ()),
    ("loglik", loglik, np.array([0.3, 1.2, -0.3]), (_t, 0.5 + _t + R.normal(size=40) * 0.3, R.random(40) < 0.3)),
    ("rk4", rk4, np.array([1.1, 0.4, 0.1, 0.4]), (R.random((50, 2)) * 10, 0.05)),
    ("rk4_arrays", rk4_arrays, np.array([1.1, 0.4, 0.1, 0.4]), (R.random((50, 2)) * 10, 0.05)),
    ("lookup", lookup, x10, (_xs, np.sin(_xs))),
    ("interp", interp, x10, (_xs, np.sin(_xs))),
    ("quadratic", quadratic, x10, (_A @ _A.T, R.normal(size=10))),
    ("helper", helper, x10, ()),
    ("kepler", kepler, np.array([0.4, 0.2]), (np.linspace(0.1, 6.0, 30),)),
    ("array_expr", array_expr, x10, (R.normal(size=10),)),
    ("slices", slices, x10, ()),
    ("for_v", for_v, x10, ()),
    ("closure", closure, x10, ()),
    ("ackley", ackley, x10, ()),
    ("local_2d", local_2d, x10, ()),
    ("neural", neural, x10, (R.normal(size=(10, 10)) * 0.3, R.normal(size=10))),
    ("statistics", statistics, x10 + 2, ()),
    ("powers", powers, np.array([1.3, 0.7, 0.4]), ()),
    ("writes_x", writes_x, x10, ()),
    ("sorted_weights", sorted_weights, x10, ()),
    ("cholesky", cholesky, np.array([0.7, 0.5]), (8,)),
    ("tuples", tuples, x10, ((1.5, 0.25),)),
]


# --- further patterns

W = np.arange(5.0) + 0.5

P = namedtuple("P", "a b")


def glob(x):
    return np.sum(W * x**2)


def concat(x):
    return np.sum(np.concatenate((x[:2], x[2:] * 2.0)) ** 2)


def append(x):
    return np.sum(np.append(x, x[0] ** 2) ** 2)


def cumsum(x):
    return np.sum(np.cumsum(x) ** 2)


def diff(x):
    return np.sum(np.diff(x) ** 2)


def roll(x):
    return np.sum(np.roll(x, 1) * x)


def where(x):
    return np.sum(np.where(x > 0.0, x**2, -x))


def clip(x):
    return np.sum(np.clip(x, -0.5, 0.5) * x)


def outer(x):
    return np.sum(np.outer(x, x) ** 2)


def reshape(x):
    return np.sum(x[:4].reshape(2, 2) @ x[:2])


def methods(x):
    return x.sum() + x.max() * x.min() + x.mean() + x.std() + (x * x).sum() + x.copy().dot(x)


def columns(x, A):
    return np.sum((A[:, 0] - x[:3]) ** 2) + np.sum(A[1] * x[:4]) + np.sum(A.T @ x[:3])


def integer(x):
    i = int(abs(x[0]) * 10.0) % 5
    return x[i] ** 2 + math.floor(x[1]) * x[1] + x[2] % 1.0


def fmod(x):
    return math.fmod(x[0], 0.3) ** 2 + (x[1] // 0.5) * x[2]


def listcomp(x):
    return sum([v * v for v in x])


def listappend(x):
    values = [x[0]]
    for v in x:
        values.append(v * values[-1])
    return values[-1] + values[2]


def append_sum(x):
    values = [0.0]
    for v in x:
        values.append(v * v)
    return np.sum(np.array(values))


def dictionary(x):
    d = {0: x[0], 1: x[1]}
    d[2] = d[0] * d[1]
    return d[2] + x[2]


def recursion(x):
    return fact(x[0], 4)


def fact(v, n):
    if n == 0:
        return 1.0
    return v * fact(v, n - 1)


def complex_numbers(x):
    z = complex(x[0], x[1])
    w = z * z + 1.0
    return w.real**2 + w.imag + abs(z)


def float32(x, B):
    return np.sum(B * x)


def f32_active(x):
    return np.float64(np.float32(x[0]) * np.float32(2.0))


def named(x, p):
    return p.a * x[0] ** 2 + p.b * x[1]


def writes_arg(x, B):
    B[0] = x[0]
    return B[0] * 2.0


def scratch(x, B):
    for i in range(len(x)):
        B[i] = x[i] * 2.0
    return np.sum(B)


def sorting(x):
    o = np.argsort(x)
    return x[o[0]] * 3.0 + x[o[-1]]


def median(x):
    return np.median(x) + np.percentile(x, 30.0)


def norm_cdf(x):
    return 0.5 * math.erf(x[0] / math.sqrt(2.0)) + math.lgamma(abs(x[1]) + 2.0)


def try_(x):
    if x[0] > 100.0:
        raise ValueError("no")
    return x[0] ** 2 + x[1]


def assert_(x):
    assert x[0] < 100.0
    return x[0] ** 2


def power_i(x, n):
    s = 0.0
    for k in range(n):
        s += x[0] ** k * x[1] ** (-k)
    return s


def swap(x):
    y = x.copy()
    for i in range(len(y) // 2):
        y[i], y[-1 - i] = y[-1 - i], y[i]
    return y[0] * 2.0 + y[1] * y[2]


def np_funcs(x):
    return np.sum(
        np.sqrt(np.abs(x))
        + np.log1p(x * x)
        + np.arctan(x)
        + np.maximum(x, 0.1) * np.minimum(x, 0.3)
        + np.sign(x)
        + np.power(np.abs(x), 1.3)
        + np.square(x)
        + np.hypot(x, 1.0)
    )


def poly(x):
    return np.polyval(np.array([1.0, 2.0, 3.0]), x[0])


def dot2(x, A):
    return np.dot(A, x[:4]).sum() + np.vdot(x, x) + np.trace(A[:3, :3] * x[0])


def matmat(x):
    m = x[:4].copy().reshape(2, 2)
    return np.sum(m @ m)


def two_d(x):
    a = np.empty((2, 3))
    a[:] = x[:3]
    a[1] *= x[3]
    return a.sum() + a[1, 2] ** 2


def linspace(x):
    return np.sum(np.sin(np.linspace(0.0, 1.0, 7) * x[0]))


def gauss(x):
    n = 4
    A = np.zeros((n, n + 1))
    for i in range(n):
        for j in range(n):
            A[i, j] = 1.0 / (1.0 + abs(i - j)) + (x[i] ** 2 if i == j else 0.0)
        A[i, n] = x[i]
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(A[i, k]) > abs(A[p, k]):
                p = i
        if p != k:
            for j in range(n + 1):
                A[k, j], A[p, j] = A[p, j], A[k, j]
        for i in range(k + 1, n):
            f = A[i, k] / A[k, k]
            for j in range(k, n + 1):
                A[i, j] -= f * A[k, j]
    s = 0.0
    for i in range(n):
        s += A[i, n] / A[i, i]
    return s


POINT = np.array([0.7, -1.2, 0.35, 1.9, -0.4])
A34 = np.random.default_rng(0).normal(size=(3, 4))
PATTERNS = [
    (glob, ()),
    (concat, ()),
    (append, ()),
    (cumsum, ()),
    (diff, ()),
    (roll, ()),
    (where, ()),
    (clip, ()),
    (outer, ()),
    (reshape, ()),
    (methods, ()),
    (columns, (A34,)),
    (listcomp, ()),
    (listappend, ()),
    (append_sum, ()),
    (complex_numbers, ()),
    (float32, (np.ones(5, np.float32),)),
    (named, (P(2.0, 3.0),)),
    (writes_arg, (np.zeros(5),)),
    (scratch, (np.zeros(5),)),
    (sorting, ()),
    (median, ()),
    (norm_cdf, ()),
    (try_, ()),
    (assert_, ()),
    (power_i, (4,)),
    (swap, ()),
    (np_funcs, ()),
    (dot2, (A34,)),
    (matmat, ()),
    (two_d, ()),
    (linspace, ()),
    (gauss, ()),
]


def differences(f, x, args):
    """Central differences, Richardson once."""
    g = np.empty(len(x))

    def d(j, h):
        a, b = x.copy(), x.copy()
        a[j] += h
        b[j] -= h
        return (f(a, *args) - f(b, *args)) / (2 * h)

    for j in range(len(x)):
        h = 1e-3 * max(1, abs(x[j])) * 0.3
        d1, d2, d3 = d(j, h), d(j, h / 2), d(j, h / 4)
        e1, e2 = (4 * d2 - d1) / 3, (4 * d3 - d2) / 3
        g[j] = (16 * e2 - e1) / 15
    return g
