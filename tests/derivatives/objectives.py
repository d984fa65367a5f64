"""Further forms in which users write objectives: PATTERNS is (f, args) at POINT. The usual ones: bench/objectives."""

import math
from collections import namedtuple

import numpy as np

R = np.random.default_rng(1)


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
