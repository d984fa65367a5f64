"""Functions and their derivatives as a GPU is handed them: as machine code of the CPU, as PTX, and on a GPU."""

import ctypes
import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from thalweg.kernels import objective
from thalweg.kernels.calling.checking import CompilationError
from thalweg.kernels.differentiate import flatten
from thalweg.kernels.differentiate.adapters import source_of
from thalweg.kernels.differentiate.adjoint import FULL
from thalweg.kernels.differentiate.device import KINDS, ROOM, entry, made, ptx_of
from thalweg.kernels.differentiate.doors import hvp, value_and_grad
from thalweg.kernels.differentiate.linking import linkable

spec: Any = importlib.util.spec_from_file_location("_gradients", Path(__file__).parent / "test_gradients_on_cuda.py")
gradients: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gradients)
OBJECTIVES, X = gradients.OBJECTIVES, gradients.X
SIZE = 1 << 12
V = np.array([0.3, -1.2, 0.7, 2.0])


def bound_of(function, args) -> Any:
    source: Any = objective(function, boundscheck=False)
    return source.bind(args, X[:1])


def on_cpu(bound, kind):
    """The device function as a function of Python: numbers, each an address or a count, to a status."""
    symbol = f"{kind}_of_{bound.form.function.__name__}_{id(bound)}"
    flat = flatten.flatten(*source_of(bound.form), flatten.VECTOR if kind == "vector" else flatten.VALUE)
    with global_compiler_lock:
        text = made(kind, flat, f"{symbol}_itself", bound.form.precise) + entry(kind, symbol)
        context: Any = cpu_target.target_context
        library = context.codegen().create_library(symbol)
        library.add_llvm_module(linkable(text, symbol)._final_module)
        library.finalize()
    words = [ctypes.c_int64] * (6 + len(KINDS[kind].handed.split()))
    call = ctypes.CFUNCTYPE(ctypes.c_int32, *words)(library.get_pointer_to_function(symbol))

    def ask(x, *handed, size=SIZE):
        memory = np.full(9 * SIZE + 2 * ROOM, 77, np.uint8)  # whatever stands there
        status = np.array([-1], np.int32)
        given = [a if isinstance(a, int) else a.ctypes.data for a in handed]
        start = (memory.ctypes.data + 63) & -64
        assert call(status.ctypes.data, x.ctypes.data, x.size, bound.args_address, *given, start, size) == 0
        assert library is not None
        return int(status[0])

    return ask


def jacobian(x, t):
    r = np.zeros(4)
    for k in range(t.size):
        r += t[k] * x**2
    return r


@pytest.mark.parametrize(("function", "args"), [OBJECTIVES[k] for k in (5, 6, 8)], ids=["loops", "arrays", "x written"])
def test_a_device_function_is_that_of_the_cpu(function, args):
    bound, value, g, slope, hv = bound_of(function, args), *(np.zeros(n) for n in (1, 4, 1, 4))
    ask = {kind: on_cpu(bound, kind) for kind in ("value", "gradient", "slope", "product")}
    for x in X[:3]:
        f, expected = value_and_grad(function)(x.copy(), *args)
        assert ask["value"](x, value) == 0 and abs(value[0] - f) <= 1e-13 * abs(f)
        assert ask["gradient"](x, value, g) == 0 and value[0] == f
        assert ask["slope"](x, V, slope) == ask["product"](x, V, hv) == 0
        np.testing.assert_array_equal(g, expected)
        np.testing.assert_allclose(slope[0], expected @ V, rtol=1e-13)
        np.testing.assert_allclose(hv, hvp(function)(x.copy(), V, *args), rtol=1e-13)


def test_a_memory_that_is_too_small_is_told_and_an_exception():
    def wide(x):
        inside = np.zeros(100)
        for i in range(100):
            inside[i] = x[0] * i
        if x[1] > 0.5:
            raise ValueError("beyond")
        return np.sum(inside)

    value, ask = np.zeros(1), on_cpu(bound_of(wide, ()), "value")
    x = np.array([1.0, 0.0])
    assert ask(x, value) == 0 and value[0] == 4950
    assert ask(x, value, size=512) == FULL
    assert ask(np.array([1.0, 1.0]), value) == 1


def test_a_function_of_several_numbers():
    t, r = np.array([1.0, 2.0]), np.zeros(4)
    bound: Any = objective(jacobian, boundscheck=False)
    bound = replace(bound, way="vector", check=False).bind((t,), X[0])
    assert on_cpu(bound, "vector")(X[0], r, 4) == 0
    np.testing.assert_allclose(r, 3 * X[0] ** 2, rtol=1e-14)
    assert "thalweg_vector(" in ptx_of(bound, "vector", "thalweg_vector")


@pytest.mark.parametrize(("function", "args"), OBJECTIVES)
def test_forward_derivatives_compile_to_ptx_that_needs_no_library(function, args):
    for kind in ("slope", "product"):
        text = ptx_of(bound_of(function, args), kind, kind)
        assert f".visible .func  (.param .b32 func_retval0) {kind}(" in text
        assert ".extern" not in text and ".f64" in text


def test_a_value_that_a_gpu_does_not_have():
    with pytest.raises(CompilationError, match=r"<lambda> cannot run on a GPU: it calls llvm\.pow\.f64, which a GPU"):
        ptx_of(bound_of(lambda x: abs(x[0]) ** x[1], ()), "value", "value")


@pytest.mark.parametrize(("function", "args"), OBJECTIVES)
def test_on_a_gpu_forward_derivatives_are_those_of_the_cpu(function, args):
    cuda = gradients.gpu()
    if cuda is None:
        pytest.skip("no GPU: a test before compiles them to PTX")
    bound, (n, d) = bound_of(function, args), X.shape
    ask = {
        kind: cuda.declare_device(
            kind, f"int32({', '.join(['int64'] * 7)})", link=cuda.PTXSource(ptx_of(bound, kind, kind).encode())
        )
        for kind in ("slope", "product")
    }
    slope_at, product_at, bytes = ask["slope"], ask["product"], ROOM + 8 * SIZE

    @cuda.jit
    def all_rows(x, record, v, slopes, products, memory, status):
        i = cuda.grid(1)
        if i < status.size:
            row = 8 * d * i
            status[i] = slope_at(x + row, d, record, v, slopes + 8 * i, memory + bytes * i, SIZE)
            status[i] += product_at(x + row, d, record, v, products + row, memory + bytes * i, SIZE)

    def address(array):
        return array.__cuda_array_interface__["data"][0]

    arrays = [cuda.to_device(np.ascontiguousarray(a)) for a in args]
    words = [word for a in arrays for word in (address(a), *a.shape)] or [0]
    record, x, v = (cuda.to_device(a) for a in (np.array(words, dtype=np.int64), X, V))
    slopes, products = cuda.to_device(np.zeros(n)), cuda.to_device(np.zeros((n, d)))
    memory, status = cuda.to_device(np.zeros(bytes * n, np.uint8)), cuda.to_device(np.full(n, -1, np.int32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one block is few
        all_rows[1, n](*map(address, (x, record, v, slopes, products, memory)), status)
    assert (status.copy_to_host() == 0).all()
    expected = [value_and_grad(function)(row.copy(), *args)[1] @ V for row in X]
    np.testing.assert_allclose(slopes.copy_to_host(), expected, rtol=1e-9, atol=1e-9)
    expected = [hvp(function)(row.copy(), V, *args) for row in X]
    np.testing.assert_allclose(products.copy_to_host(), expected, rtol=1e-8, atol=1e-8)
