"""The user's function is compiled flat: natural code gives the values of plain Python, and machine code as for the
loop over indices: no array is allocated, and the loop runs on the vector unit."""

from __future__ import annotations

import math
import operator
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit, objmode
from numba.core.errors import NumbaWarning

from thalweg.kernels import objective
from thalweg.kernels.calling import adapters
from thalweg.kernels.calling.arguments import normalise, record_type

DIMENSIONS = (1, 2, 3, 10, 31)


@pytest.fixture
def code_of(monkeypatch, tmp_path):
    """The LLVM code of the adapter of an objective, compiled anew: what comes from the disk does not show it."""

    def compiled_code(f, args=()) -> str:
        monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))
        adapter = adapters._compile(f, record_type(normalise(args)), precise=False)
        return adapter.overloads[adapters.ADAPTER.args].library.get_llvm_str()

    return compiled_code


def compare(f, args=(), dimensions=DIMENSIONS, **options):
    """Compiled values are those of plain Python."""
    rng = np.random.default_rng(1)
    for dimension in dimensions:
        x = rng.uniform(-2, 2, (3, dimension))
        expected = [f(row.copy(), *args) for row in x]
        np.testing.assert_allclose(objective(f, **options).bind(args).evaluate(x), expected, rtol=1e-12, atol=1e-12)


# --- the forms that people write ----------------------------------------------------------------------------------


def wave(v):
    return v * v - 10.0 * math.cos(2.0 * math.pi * v)


def wave_sum(x):
    total = 0.0
    for v in x:
        total += wave(v)
    return total


def over_indices(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
    return total


def over_values(x):
    total = 0.0
    for v in x:
        total += v * v - 10.0 * math.cos(2.0 * math.pi * v)
    return total


def enumerated(x):
    total = 0.0
    for i, v in enumerate(x):
        total += i * v * v
    return total


def zipped(x):
    total = 0.0
    for a, b in zip(x[:-1], x[1:]):
        total += 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2
    return total


def sliced(x):
    head, tail = x[:-1], x[1:]
    total = 0.0
    for i in range(len(head)):
        total += 100.0 * (tail[i] - head[i] ** 2) ** 2 + (1.0 - head[i]) ** 2
    return total


def while_loop(x):
    total, i = 0.0, 0
    while i < len(x):
        total += wave(x[i])
        i += 1
    return total


def in_helper(x):
    return 10.0 * len(x) + wave_sum(x)


def array_expression(x):
    return 10.0 * x.size + np.sum(x * x - 10.0 * np.cos(2.0 * np.pi * x))


def array_method(x):
    return ((1.0 - x[:-1]) ** 2 + 100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0).sum()


def means(x):
    a = -20.0 * np.exp(-0.2 * np.sqrt(np.mean(x**2)))
    return a - np.exp(np.cos(2.0 * np.pi * x).mean()) + 20.0 + np.e


def named_arrays(x):
    bend = x[1:] - x[:-1] ** 2
    away = 1.0 - x[:-1]
    return np.sum(100.0 * bend**2 + away * away)


def dots(x):
    away = x - 0.5
    return np.dot(away, away) + (2.0 * x) @ (x + 1.0)


def products(x):
    return 1.0 + np.sum(x * x) / 4000.0 - np.prod(np.cos(x))


def built_in(x):
    return sum(x * x)


FORMS = [
    over_indices, over_values, enumerated, zipped, sliced, while_loop, in_helper, array_expression, array_method, means,
    named_arrays, dots, products, built_in,
]  # fmt: skip


@pytest.mark.parametrize("f", FORMS, ids=lambda f: f.__name__)
def test_natural_code_has_the_values_of_python_and_the_code_of_an_index_loop(f, code_of):
    compare(f, dimensions=DIMENSIONS[1:])
    code = code_of(f)
    assert "x double>" in code, "the loop does not run on the vector unit"
    assert "NRT_" not in code, "an array is allocated"


def test_residuals_of_a_model(code_of):
    t = np.linspace(0.0, 4.0, 37)
    y = np.exp(-1.3 * t)

    def misfit(b, t, y):
        model = b[0] * np.exp(-b[1] * t) + b[1] * np.sin(b[0] * t)
        r = y - model
        return np.sum(r**2)

    compare(misfit, (t, y), dimensions=(2,))
    assert "NRT_" not in code_of(misfit, (t, y))


# --- what must not be put into the loop ---------------------------------------------------------------------------


def written_later(x):
    a = x * 2.0
    b = a + 1.0
    a[0] = 100.0
    return np.sum(b * b) + a[0]


def written_by_helper(x):
    a = x * 2.0
    b = a + 1.0
    double(a)
    return np.sum(b) + np.sum(a)


def double(a):
    for i in range(len(a)):
        a[i] *= 2.0


def written_in_place(x):
    a = x * 2.0
    b = a + 1.0
    a += 5.0
    return np.sum(b) + np.sum(a)


def used_twice(x):
    a = x * x
    return np.sum(a) + a[0] + a.max()


def made_before_a_loop(x):
    a = x * x
    total = 0.0
    for _ in range(3):
        total += np.sum(a + total)
    return total


def made_in_a_loop(x):
    total = 0.0
    for k in range(3):
        a = x * k
        total += np.sum(a * a)
    return total


def under_a_condition(x):
    a = x + 1.0
    if x[0] > 0.0:
        a = x - 1.0
    return np.sum(a * a)


def matrices(x):
    m = np.outer(x, x)
    return np.sum(m * m) + np.sum(m, axis=0)[0] + np.sum(m[0] * x)


def halves(a):
    r = a * 2.0
    yield 0.0
    yield np.sum(r)


def written_between_yields(x):
    a = x * 1.0
    total = 0.0
    for v in halves(a):
        a[0] = 100.0
        total += v
    return total


def kept_method(x):
    r = x * 2.0
    f = r.sum
    return f() + f()


def signs(x):
    k = np.arange(len(x))
    s = (-1.0) ** k
    return np.sum((-1.0) ** k * x) + np.sum(s * x) + np.dot((-2.0) ** k, x) + np.sum((-2) ** k * x)


def large_integers(x):
    u = np.full(len(x), 2**63 + 5, np.uint64)
    r = u + np.arange(len(x))
    return np.sum(r * r) * 1e-40 + x[0]


def used_many_times(x):
    a = x * 0.1
    b = a * a + a
    c = b * b + b
    d = c * c + c
    e = d * d + d
    g = e * e + e
    h = g * g + g
    k = h * h + h
    return np.sum(k)


MADE: dict = {"np": np}
exec("def long_expression(x):\n    return np.sum(x" + "".join(f" + x * {k}.5" for k in range(200)) + ")\n", MADE)
exec("def deep_chain(x):\n    a = x\n" + "    a = a * x * 0.1 + 0.1\n" * 40 + "    return np.sum(a)\n", MADE)


def library_arrays(x):
    return np.sum(np.ones(len(x)) * x) + np.full(3, 2.0)[1] + np.eye(2)[0, 0]


def other_types(x):
    k = np.arange(len(x))
    return np.sum(k * x) + np.sum(k) + np.sum(x > 0.0) + np.sum(x.astype(np.float32) * 2.0)


def strided(x):
    return np.sum(x[::2] ** 2) + x[::-1].sum() + np.sum(x * x[::-1])


@pytest.mark.parametrize(
    "f",
    [
        written_later, written_by_helper, written_in_place, used_twice, made_before_a_loop, made_in_a_loop,
        under_a_condition, matrices, strided, written_between_yields, kept_method, signs, large_integers,
        used_many_times, MADE["long_expression"], MADE["deep_chain"], library_arrays,
    ],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_arrays_keep_their_values(f):
    compare(f)
    compare(f, precise=True)


def test_vectors_of_other_types():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (4, 9))
    np.testing.assert_allclose(objective(other_types).bind().evaluate(x), [other_types(row) for row in x], rtol=1e-6)


# --- what a function has of Python -----------------------------------------------------------------------------------

SPEAKING = """
import numpy as np
from thalweg.kernels import objective

def speaks(x):
    print("at", x[0])
    return x[0]

def raises(x):
    if x[0] > 0.5:
        raise ValueError("too large", x[0])
    return x[0]

x = np.array([[0.25], [0.75]])
print(objective(speaks, check=False).bind().evaluate(x))
try:
    objective(raises, check=False).bind().evaluate(x)
except ValueError as error:
    print(error.args)
"""


def test_print_and_exceptions_with_values_work_at_once_and_from_the_cache(tmp_path):
    environment = {**os.environ, "THALWEG_CACHE_DIR": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", SPEAKING], capture_output=True, text=True, env=environment, timeout=120
        )
        assert done.stdout == "at 0.25\nat 0.75\n[0.25 0.75]\n('too large', 0.75)\n", done.stderr


def test_a_block_in_object_mode():
    def f(x):
        with objmode(y="float64"):
            y = sum(x.tolist())
        return 2.0 * y

    with pytest.warns(NumbaWarning, match="object mode"):
        assert objective(f, check=False).bind().evaluate(np.ones((1, 3)))[0] == 6.0


def test_no_variables_are_refused():
    with pytest.raises(ValueError, match="variables"):
        objective(array_expression).bind().evaluate(np.ones((2, 0)))


# --- lengths ------------------------------------------------------------------------------------------------------


def test_a_vector_of_one_element_is_repeated():
    compare(lambda x: np.sum(x * x[:1] + x[-1:]))
    compare(lambda x: np.dot(x - x[:1], x))
    compare(lambda x: np.sum(x[:0] * x[:1]), dimensions=(3,))


@pytest.mark.parametrize("f", [lambda x: np.sum(x[1:] * x[2:]), lambda x: np.dot(x, x[:1]), lambda x: x @ x[1:]])
def test_lengths_that_do_not_fit_are_an_error(f):
    with pytest.raises(ValueError, match=r"broadcast|sizes"):
        objective(f, check=False).bind().evaluate(np.ones((1, 4)))


# --- order of sums ------------------------------------------------------------------------------------------------


def test_precise_keeps_the_order_of_numbas_sums():
    """Without reordering, the bits are those of Numba's own np.sum, and of BLAS."""

    def f(x):
        return np.sum(x * x * 0.1) + 3.0 * np.mean(x / 3.0) + x @ x + np.prod(1.0 + 0.01 * x)

    x = np.random.default_rng(3).uniform(-1, 1, (20, 50))
    reference = njit(error_model="numpy")(f)
    np.testing.assert_array_equal(objective(f, precise=True).bind().evaluate(x), [reference(row) for row in x])


# --- any expression -----------------------------------------------------------------------------------------------

UNARY = {"-{}": operator.neg, "np.abs({})": abs, "np.sin({})": np.sin, "({})**2": lambda a: a**2}
leaves = st.sampled_from(["x", "y", "x[::-1]", "w", "1.5", "2", "c"])
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner),
        st.builds(lambda form, a: form.format(a), st.sampled_from(list(UNARY)), inner),
        st.builds("np.maximum({}, {})".format, inner, inner),
        st.builds("({} / (3.0 + np.abs({})))".format, inner, inner),
    ),
    max_leaves=6,
)
reductions = st.sampled_from(["np.sum({})", "({}).sum()", "np.mean({})", "np.dot({}, x)", "np.sum({}) * np.sum(x)"])


@given(st.lists(expressions, min_size=1, max_size=3), reductions)
@settings(max_examples=25, deadline=None)
def test_sums_of_any_expressions(parts, reduction):
    """Up to three named arrays, each made of those before it, and a sum over the last."""
    lines, scope = [f"    a{k} = x * 0.0 + {part}" for k, part in enumerate(parts)], {"np": np}
    last = " + ".join(f"a{k}" for k in range(len(parts)))
    exec("def f(x, y, w, c):\n" + "\n".join(lines) + f"\n    return {reduction.format(last)}\n", scope)
    rng = np.random.default_rng(5)
    args = (rng.uniform(-1, 1, 7), rng.uniform(-1, 1, 7).astype(np.float32).astype(np.float64), 0.7)
    compare(scope["f"], args, dimensions=(7,))
