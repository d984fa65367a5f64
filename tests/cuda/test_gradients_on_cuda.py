"""Gradients for a GPU: compiled to PTX without one; on one, equal to those of the CPU."""

import math
import warnings

import numpy as np
import pytest
from numba import njit

from thalweg.kernels import objective
from thalweg.kernels.calling.checking import CompilationError
from thalweg.kernels.differentiate.device import gradient_ptx
from thalweg.kernels.differentiate.doors import value_and_grad

T = np.linspace(0.0, 2.0, 12)
WEIGHTS = np.arange(1.0, 17.0).reshape(4, 4) / 10.0


def rosenbrock(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def rastrigin(x):
    total = 10.0 * x.size
    for v in x:
        total += v * v - 10.0 * math.cos(2.0 * math.pi * v)
    return total


def ackley(x):
    a = b = 0.0
    for v in x:
        a += v * v
        b += math.cos(2.0 * math.pi * v)
    return -20.0 * math.exp(-0.2 * math.sqrt(a / x.size)) - math.exp(b / x.size)


def decay(x, t):
    return np.sum((x[0] * np.exp(-x[1] * t) + x[2] - np.cos(x[3] * t)) ** 2)


def likelihood(x, t):
    total = 0.0
    for i in range(t.size):
        r = (t[i] - x[0]) / math.exp(x[1])
        total += 0.5 * r * r + x[1] if r < 1.0 else math.log1p(r * r)
    return total


def kepler(x, t):
    total = 0.0
    for m in t:
        e = m
        while True:
            step = (e - 0.3 * math.sin(x[0]) * math.sin(e) - m) / (1.0 - 0.3 * math.sin(x[0]) * math.cos(e))
            e -= step
            if abs(step) < 1e-13:
                break
        total += (math.cos(e) - x[1]) ** 2
    return total + x[2] ** 2 + x[3] ** 2


def network(x, w):
    hidden = np.zeros(4)
    for i in range(4):
        for j in range(4):
            hidden[i] += w[i, j] * x[j]
        hidden[i] = math.tanh(hidden[i])
    return np.sum(hidden**2) + max(x[0], x[1])


@njit
def helper(a, b):
    return max(a, 0.0) * b + min(a, b)


def helped(x):
    total = 0.0
    for i in range(1, x.size):
        total += helper(x[i - 1], x[i]) ** 2
    return total


def written(x):
    x[0] = x[0] ** 2
    for i in range(1, x.size):
        x[i] += math.sin(x[i - 1])
    return x[-1] * x[0]


def oscillator(x):
    u, v = x[0], x[1]
    for _ in range(50):
        u, v = u + 0.02 * v, v - 0.02 * (x[2] * u + x[3] * u**3)
    return u * u + v * v


OBJECTIVES = [
    (rosenbrock, ()), (rastrigin, ()), (ackley, ()), (decay, (T,)), (likelihood, (T,)), (kepler, (T,)),
    (network, (WEIGHTS,)), (helped, ()), (written, ()), (oscillator, ()),
]  # fmt: skip
X = np.random.default_rng(0).uniform(-1.0, 1.0, (64, 4))


def ptx_of(function, args):
    return gradient_ptx(objective(function, boundscheck=False).bind(args, X[:1]))


@pytest.mark.parametrize(("function", "args"), OBJECTIVES)
def test_a_gradient_compiles_to_ptx_that_needs_no_library(function, args):
    text = ptx_of(function, args)
    assert ".visible .func  (.param .b32 func_retval0) gradient(" in text
    assert ".extern" not in text and ".f64" in text


def test_what_a_gpu_does_not_have_is_refused_by_name():
    with pytest.raises(CompilationError, match=r"it calls llvm\.pow\.f64, which a GPU does not have"):
        ptx_of(lambda x: abs(x[0]) ** x[1], ())


def gpu():
    """numba.cuda, where there is a GPU; None where there is none, or its simulator, which knows no PTX."""
    pytest.importorskip("numba_cuda")
    from thalweg.kernels.cuda import shim

    try:
        shim.require_gpu()
    except RuntimeError:
        return None
    from numba import cuda

    return None if shim.SIMULATED else cuda


@pytest.mark.parametrize(("function", "args"), OBJECTIVES)
def test_on_a_gpu_it_is_that_of_the_cpu(function, args):
    cuda = gpu()
    if cuda is None:
        pytest.skip("no GPU: the test before compiles it to PTX")
    size, (n, d) = 1 << 12, X.shape
    ask = cuda.declare_device(
        "gradient",
        "int32(int64, int64, int64, int64, int64, int64, int64)",
        link=cuda.PTXSource(ptx_of(function, args).encode()),
    )

    @cuda.jit
    def all_rows(x, record, values, g, memory, status):
        i = cuda.grid(1)
        if i < status.size:
            row = 8 * d * i
            status[i] = ask(x + row, d, record, values + 8 * i, g + row, memory + 3 * size * i, size)

    def address(array):
        return array.__cuda_array_interface__["data"][0]

    arrays = [cuda.to_device(np.ascontiguousarray(a)) for a in args]
    words = [word for a in arrays for word in (address(a), *a.shape)] or [0]
    record = cuda.to_device(np.array(words, dtype=np.int64))
    x, g = cuda.to_device(X), cuda.to_device(np.zeros_like(X))
    values, memory = cuda.to_device(np.zeros(n)), cuda.to_device(np.zeros(3 * size * n, dtype=np.uint8))
    status = cuda.to_device(np.full(n, -1, dtype=np.int32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one block is few
        all_rows[1, n](address(x), address(record), address(values), address(g), address(memory), status)
    assert (status.copy_to_host() == 0).all()
    expected = [value_and_grad(function)(row.copy(), *args) for row in X]
    np.testing.assert_allclose(values.copy_to_host(), [value for value, _ in expected], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(g.copy_to_host(), [gradient for _, gradient in expected], rtol=1e-9, atol=1e-11)
