"""The calling convention: every form of objective and of arguments, its values, its errors, its one machine code."""

import collections
import ctypes
import functools
import math
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import njit
from scipy import LowLevelCallable

from thalweg.kernels.calling.arguments import RAISED_BITS, load, normalise, pack, record_type
from thalweg.kernels.calling.objective import CompilationError, PythonObjective, objective
from thalweg.kernels.compile.jit import kernel

PROBE = np.array([0.5, -1.25, 2.0])
POINTS = np.random.default_rng(1).uniform(-2, 2, (20, 3))


def values(fun, args=(), points=POINTS, probe=PROBE, **options):
    return objective(fun, **options).bind(args, probe).evaluate(points)


def in_python(fun, args=(), points=POINTS):
    return np.array([fun(x.copy(), *args) for x in points], dtype=np.float64)


def agree(fun, args=(), **options):
    np.testing.assert_allclose(values(fun, args, **options), in_python(fun, args), rtol=1e-13, atol=1e-13)


# --- arguments ---------------------------------------------------------------------------------------------------


def weighted(x, a):
    return x[0] + a.sum()


BASE = np.arange(12.0).reshape(3, 4)
ARRAYS = {
    "fortran": np.asfortranarray(BASE),
    "strided": np.arange(24.0).reshape(4, 6)[::2, ::3],
    "reversed": BASE[::-1],
    "big-endian": BASE.astype(">f8"),
    "float16": BASE.astype(np.float16),
    "float32": BASE.astype(np.float32),
    "longdouble": BASE.astype(np.longdouble),
    "int8": BASE.astype(np.int8),
    "uint64": BASE.astype(np.uint64),
    "big-endian int16": BASE.astype(">i2"),
    "bool": BASE > 3,
    "3-d": np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
    "empty": np.empty((0, 3)),
    "list": [[1.0, 2.0], [3.0, 4.5]],
    "unaligned": np.frombuffer(b"\0" * 1 + np.arange(3.0).tobytes(), dtype=np.uint8)[1:].view(np.float64),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_array_of_any_dtype_and_layout(name):
    array = ARRAYS[name]
    expected = POINTS[:, 0] + float(np.asarray(array, dtype=np.float64).sum())
    np.testing.assert_allclose(values(weighted, (array,), check=False), expected, rtol=1e-15, atol=1e-15)


def test_array_that_needs_no_copy_is_not_copied():
    (array,) = normalise((BASE,))
    assert array.base is BASE.base or array is BASE or np.shares_memory(array, BASE)


def test_read_only_and_writable_arrays_share_one_machine_code():
    read_only = BASE.copy()
    read_only.flags.writeable = False
    assert objective(weighted).bind((read_only,)).address == objective(weighted).bind((BASE,)).address


def test_zero_dimensional_array():
    agree(lambda x, a: x[0] + a[()], (np.array(2.5),))


def test_object_with_array_interface():
    class Series:
        def __array__(self, dtype=None, copy=None):
            return np.arange(4.0)

    np.testing.assert_allclose(values(weighted, (Series(),), check=False), POINTS[:, 0] + 6.0)


Pair = collections.namedtuple("Pair", "scale shift")
Swapped = collections.namedtuple("Pair", "shift scale")


def scaled(x, pair):
    return pair.scale * x[0] + pair.shift


def test_scalars_tuples_and_named_tuples():
    agree(lambda x, a, b, c: x[0] * a + b if c else 0.0, (2, 0.5, True))
    agree(lambda x, a, b: x[0] * a[0] + a[1][1] + b[0][2], ((1.5, (2, 3.5)), (np.arange(3.0), 4)))
    agree(lambda x, z: x[0] + z.real - z.imag, (2 - 3j,))
    agree(lambda x, a: x[0] + len(a), ((),))
    agree(scaled, (Pair(2.0, 10.0),))
    agree(scaled, (Pair(np.float32(2.0), np.int8(3)),))


def test_named_tuples_that_differ_only_in_the_order_of_their_fields():
    agree(scaled, (Pair(2.0, 10.0),))
    agree(scaled, (Swapped(10.0, 2.0),))


def test_default_values_of_arguments():
    def fun(x, a, b=3.0):
        return x[0] * a + b

    agree(fun, (2.0,))
    agree(fun, (2.0, 4.0))


def test_a_bare_argument_is_a_tuple_of_one():
    assert normalise(3.0) == (3.0,)


NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int16, np.uint8, np.bool_, np.complex64]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
        elements={"allow_nan": False},
    ),
)
NESTED = st.recursive(NUMBERS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=5)


def python_load(words, value, offset=0):
    """What `load` does, in Python: (value, offset behind it)."""
    if isinstance(value, tuple):
        members = []
        for member in value:
            member, offset = python_load(words, member, offset)
            members.append(member)
        return tuple(members), offset
    if isinstance(value, np.ndarray):
        shape = tuple(words[offset + 1 : offset + 1 + value.ndim].tolist())
        raw = ctypes.string_at(int(words[offset]), math.prod(shape) * value.itemsize)
        return np.frombuffer(raw, value.dtype).reshape(shape), offset + 1 + value.ndim
    if isinstance(value, bool | int):
        return type(value)(words[offset]), offset + 1
    parts = words[offset : offset + 2].view(np.float64)
    return (complex(*parts), offset + 2) if isinstance(value, complex) else (float(parts[0]), offset + 1)


def same(a, b):
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(*pair) for pair in zip(a, b))
    return np.array_equal(a, b) and type(a) is type(b)


@settings(max_examples=200, deadline=None)
@given(st.lists(NESTED, max_size=4).map(tuple))
def test_record_holds_what_was_packed(args):
    args = normalise(args)
    record = pack(args)
    loaded, used = python_load(record, args)
    assert same(loaded, args)
    assert used == (0 if not record_type(args).count else len(record)) or len(record) == 1


def test_compiled_load_returns_what_was_packed():
    args = normalise((3, (2.5, BASE, (True, False)), 1 - 2j, BASE.astype(np.int8).T, Pair(1.0, -7)))
    record, ty = pack(args), record_type(args)
    unpack = kernel(lambda address: load(address, ty))
    loaded = unpack(record.ctypes.data)
    assert loaded[0] == 3 and loaded[1][2] == (True, False) and loaded[2] == 1 - 2j and loaded[4] == Pair(1.0, -7)
    assert np.array_equal(loaded[1][1], BASE) and np.array_equal(loaded[3], BASE.T) and loaded[3].dtype == np.int8


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"a": 1}, "a dict"),
        ("text", "a str"),
        (None, "a NoneType"),
        (np.array([1, None]), "dtype object"),
        (["a", "b"], "dtype <U1"),
        ([[1, 2], [3]], "no array"),
        (np.zeros(2, "M8[s]"), "dtype datetime64"),
        (np.zeros(2, [("a", "f8")]), "dtype"),
        (2**64, "integer 18446744073709551616"),
        ({1, 2}, "a set"),
        (lambda x: x, "a function"),
        (np.ma.masked_equal([1.0, 2.0], 2.0), "masked"),
    ],
)
def test_arguments_that_cannot_be_compiled_are_named(value, named):
    with pytest.raises(TypeError, match=r"args\[1\]\[0\].*") as info:
        objective(weighted).bind((1.0, (value,)), PROBE)
    assert named in str(info.value)


# --- functions ---------------------------------------------------------------------------------------------------


def square(u):
    return u * u


@njit
def cube(u):
    return u * u * u


@njit
def calls_njit(x):
    return cube(x[0]) + math.cos(x[1])


@njit(["float64(float64[::1])"], fastmath=True)
def with_signature(x):
    return math.sin(x[0]) + cube(x[1])


def plain_helper(x):
    s = 0.0
    for v in x:
        s += square(v) - 10 * math.cos(2 * math.pi * v)
    return s


def factorial(n):
    return 1.0 if n <= 1 else n * factorial(n - 1)


def recursive(x):
    return x[0] + factorial(5)


def expression(x):
    return np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


def linear_algebra(x, a):
    return np.linalg.norm(np.linalg.solve(a, x)) + x @ a @ x + np.dot(a, x).max()


@pytest.mark.parametrize(
    "fun", [calls_njit, with_signature, plain_helper, recursive, expression], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("precise", [False, True])
def test_functions_of_every_kind(fun, precise):
    agree(fun, precise=precise)


def times(c):
    return lambda x: x[0] * c


def test_closures_and_lambdas():
    power, weights, inner = 3, np.array([1.0, 2.0, 3.0]), lambda u: u * 2

    def fun(x):
        return np.sum(weights * x**power) + inner(x[0])

    agree(fun)
    agree(lambda x: math.exp(x[0]) + abs(x[1]))
    for shift in (1.0, 2.0, 3.0):  # same code, different defaults and cells
        agree(lambda x, shift=shift: x[0] + shift)
    for function in map(times, (1.0, 2.0, 3.0)):
        agree(function)


def test_linear_algebra():
    agree(linear_algebra, (np.eye(3) * 2 + 0.1,))


def test_user_modules_that_import_each_other(tmp_path, monkeypatch):
    (tmp_path / "mod_a_thalweg.py").write_text(
        "import math\nimport mod_b_thalweg\nscale = 2.0\n"
        "def helper(x):\n    return scale * math.cos(x) + mod_b_thalweg.other(x)\n"
    )
    (tmp_path / "mod_b_thalweg.py").write_text(
        "import mod_a_thalweg\ndef other(x):\n    return mod_a_thalweg.scale * x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import mod_a_thalweg
    import mod_b_thalweg

    def fun(x):
        return mod_a_thalweg.helper(x[0]) + mod_b_thalweg.other(x[1])

    agree(fun)
    mod_a_thalweg.scale = 5.0
    agree(fun)


FACTOR = 1.0


def uses_global(x):
    return FACTOR * x[0]


def test_a_changed_global_is_never_stale(monkeypatch):
    for factor in (1.0, 2.0, np.array(3.0)[()], 4):
        monkeypatch.setitem(globals(), "FACTOR", factor)
        np.testing.assert_array_equal(values(uses_global), factor * POINTS[:, 0])


TABLE = np.arange(3.0)


def uses_table(x):
    return TABLE[1] * x[0]


def test_a_global_array_changed_in_place_is_never_stale():
    before = TABLE[1]
    try:
        for entry in (5.0, 7.0):
            TABLE[1] = entry
            np.testing.assert_array_equal(values(uses_table), entry * POINTS[:, 0])
    finally:
        TABLE[1] = before


def test_functions_typed_into_a_shell():
    code = (
        "import math\nfrom thalweg.kernels import objective\nimport numpy as np\n"
        "def h(u):\n    return u * u\n\n"
        "def f(x, a):\n    return h(x[0]) + a * math.cos(x[1])\n\n"
        "b = objective(f).bind((2.0,), np.ones(2))\n"
        "print(b.evaluate(np.array([[3.0, 0.0]]))[0])\n"
    )
    run = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, timeout=100)
    assert run.stdout == "11.0\n", run.stderr[-2000:]
    namespace: dict = {}
    exec("def f(x):\n    return x[0] + 4.0", namespace)
    agree(namespace["f"])


def test_int_and_bool_results():
    agree(lambda x: int(x[0]))
    agree(lambda x: x[0] > 0)


@pytest.mark.parametrize(
    "fun",
    [
        functools.partial(math.fsum),
        np.linalg.norm,
        math.fsum,
        np.poly1d([1.0]),
        [].append,
    ],
    ids=["partial", "numpy", "builtin", "instance", "method"],
)
def test_what_is_no_python_function_is_refused_with_a_way_out(fun):
    with pytest.raises(CompilationError, match=r"(?s)fun: got .*expected a Python function.*compiled=False"):
        objective(fun).bind((), PROBE)


def test_callables_run_in_python():
    bound = objective(functools.partial(weighted, a=BASE), compiled=False).bind()
    assert isinstance(bound, PythonObjective) and bound.runs_as == "python"
    np.testing.assert_array_equal(bound.evaluate(POINTS), POINTS[:, 0] + 66.0)
    bound = objective(lambda x, c: x.sum(axis=1) * c, vectorized=True).bind((2,))
    assert bound.runs_as == "python, vectorized"
    np.testing.assert_array_equal(bound.evaluate(POINTS), POINTS.sum(axis=1) * 2)
    with pytest.raises(TypeError, match=r"shape \(3,\).*20 points"):
        values(lambda x: x[0], vectorized=True)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match=r"fun: got int, expected a callable"):
        objective(3)


# --- C functions -------------------------------------------------------------------------------------------------

FORMS = [
    ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double)),
    ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_void_p),
]


def c_sum(n, x, data=None):
    return sum(x[i] for i in range(n)) + (ctypes.cast(data, ctypes.POINTER(ctypes.c_double))[0] if data else 0.0)


@pytest.mark.parametrize("form", FORMS, ids=["without data", "with data"])
def test_ctypes(form):
    function = form(c_sum)
    np.testing.assert_allclose(values(function), POINTS.sum(axis=1))
    other = form(lambda n, x, data=None: 2.0 * x[0])  # one adapter serves both
    assert objective(function).bind().address == objective(other).bind().address
    np.testing.assert_allclose(values(other), 2.0 * POINTS[:, 0])
    with pytest.raises(TypeError, match=r"args: a C function takes none"):
        objective(function).bind((1.0,))


def test_scipy_low_level_callable():
    data = ctypes.c_double(10.0)
    pointer = ctypes.cast(ctypes.pointer(data), ctypes.c_void_p)
    np.testing.assert_allclose(values(LowLevelCallable(FORMS[1](c_sum), pointer)), POINTS.sum(axis=1) + 10.0)
    np.testing.assert_allclose(values(LowLevelCallable(FORMS[1](c_sum))), POINTS.sum(axis=1))
    np.testing.assert_allclose(values(LowLevelCallable(FORMS[0](c_sum))), POINTS.sum(axis=1))


def test_scipy_low_level_callable_from_a_capsule():
    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    function, name = FORMS[0](c_sum), ctypes.create_string_buffer(b"double (int, double *)")
    capsule = new(ctypes.cast(function, ctypes.c_void_p), ctypes.cast(name, ctypes.c_char_p), None)
    np.testing.assert_allclose(values(LowLevelCallable(capsule)), POINTS.sum(axis=1))


def test_cffi():
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    function = ffi.callback("double(int, double *)", lambda n, x: sum(x[i] for i in range(n)))
    np.testing.assert_allclose(values(function), POINTS.sum(axis=1))
    handle = ffi.new("double *", 3.0)
    assert handle[0] == 3.0
    function = ffi.callback("double(int, double const *, void *)", lambda n, x, data: x[0] if data == ffi.NULL else 0.0)
    np.testing.assert_allclose(values(function), POINTS[:, 0])
    with pytest.raises(TypeError, match=r"expected double \(int, double \*"):
        objective(ffi.callback("double(double)", lambda x: x)).bind()


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_shared_library_from_c(tmp_path):
    (tmp_path / "f.c").write_text(
        "double f(int n, double *x) { double s = 0; for (int i = 0; i < n; i++) s += x[i] * x[i]; return s; }\n"
        "double g(int n, double *x, void *data) { return x[0] + (data ? *(double *)data : 0.0); }\n"
    )
    library = tmp_path / "f.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "f.c"], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.f.restype, loaded.f.argtypes = ctypes.c_double, (ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    np.testing.assert_allclose(values(loaded.f), (POINTS**2).sum(axis=1))
    if cffi := pytest.importorskip("cffi"):
        ffi = cffi.FFI()
        ffi.cdef("double g(int, double *, void *);")
        np.testing.assert_allclose(values(ffi.dlopen(str(library)).g), POINTS[:, 0])


def test_numba_cfunc():
    from numba import carray, cfunc

    @cfunc("float64(intc, CPointer(float64))")
    def fun(n, x):
        return carray(x, n).sum()

    np.testing.assert_allclose(values(fun), POINTS.sum(axis=1))


def test_c_functions_of_another_form():
    with pytest.raises(TypeError, match=r"ctypes function of another form, expected restype c_double"):
        objective(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)).bind()
    callback = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_void_p)(lambda x, d: x)
    with pytest.raises(TypeError, match=r"expected double \(int, double \*"):
        objective(LowLevelCallable(callback)).bind()


# --- errors ------------------------------------------------------------------------------------------------------


class OwnError(Exception):
    pass


def raises_sometimes(x):
    if x[0] > 1.0:
        raise OwnError("too large")
    return x[0]


def test_the_exception_of_the_objective_comes_with_its_x():
    bound = objective(raises_sometimes).bind((), PROBE)
    x = np.array([[0.0, 0, 0], [1.5, 2, 3]])
    for _ in range(2):  # nothing is poisoned
        with pytest.raises(OwnError, match="too large") as info:
            bound.evaluate(x)
        np.testing.assert_array_equal(info.value.x, x[1])
        assert any("1.5" in note and "x =" in note for note in info.value.__notes__)
        np.testing.assert_array_equal(bound.evaluate(x[:1]), [0.0])
    with pytest.raises(OwnError) as info:
        objective(raises_sometimes, compiled=False).bind().evaluate(x)
    np.testing.assert_array_equal(info.value.x, x[1])
    with pytest.raises(OwnError) as info:
        values(raises_sometimes, probe=x[1])
    np.testing.assert_array_equal(info.value.x, x[1])


def test_nan_is_a_value_and_not_an_exception():
    bound = objective(lambda x: np.nan if x[0] > 0 else 1.0).bind((), PROBE)
    found = bound.evaluate(np.array([[1.0], [-1.0]]))
    assert np.isnan(found[0]) and found[1] == 1.0
    assert found[:1].view(np.int64)[0] != RAISED_BITS


def test_a_missing_return_is_said():
    def fun(x):
        if x[0] > 0:
            return x[0]

    bound = objective(fun).bind((), np.ones(3))
    with pytest.raises(TypeError, match="None"):
        bound.evaluate(-np.ones((1, 3)))


@pytest.mark.parametrize(
    ("fun", "error", "message"),
    [
        (lambda x: None, TypeError, "returned None"),
        (lambda x: x, TypeError, r"array of shape \(3,\)"),
        (lambda x: 1j, TypeError, "complex 1j"),
        (lambda x: "a", TypeError, "str 'a'"),
        (lambda x: (1.0,), TypeError, "tuple"),
        (lambda x: x[7], IndexError, "out of bounds"),
        (lambda x: float("a"), ValueError, "could not convert"),
        (lambda x: undefined_name, NameError, "undefined_name"),  # noqa: F821
        (lambda x, y: x[0], TypeError, "missing 1 required"),
        (lambda: 1.0, TypeError, "takes 0 positional"),
    ],
)
def test_the_first_check_shows_errors_as_themselves(fun, error, message):
    with pytest.raises(error, match=message) as info:
        objective(fun).bind((), PROBE)
    assert not isinstance(info.value, CompilationError)


@pytest.mark.parametrize(
    ("fun", "expected"),
    [
        (lambda x: 1.0 / float(x[0] - x[0]), math.inf),
        (lambda x: math.exp(1e4 + x[0]), math.inf),
        (lambda x: math.log(-1.0 - x[0] * x[0]), math.nan),
        (lambda x: math.sqrt(-1.0 - x[0] * x[0]), math.nan),
    ],
    ids=["1 / 0", "exp", "log", "sqrt"],
)
def test_undefined_arithmetic_is_no_error(fun, expected):
    np.testing.assert_array_equal(values(fun), np.full(20, expected))
    found = objective(fun, compiled=False).bind((), PROBE).evaluate(POINTS)
    assert np.isnan(found).all()


def test_a_raised_arithmetic_error_is_the_users_own():
    def fun(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        objective(fun).bind((), PROBE)


def write_always(x):
    x[0] = 3.0
    return x[0] + x[1]


def write_sometimes(x):
    if x[0] < -0.5:
        x[1] = 100.0
    return x[0] + x[1]


def add_in_place(x):
    x *= 2.0
    return x.sum()


def _writer(x):
    x[0] += 1


def helper_writes(x):
    if x[0] < 0:
        _writer(x)
    return x[0]


@pytest.mark.parametrize("fun", [write_always, write_sometimes, add_in_place, helper_writes], ids=lambda f: f.__name__)
def test_an_objective_that_writes_into_its_x(fun):
    points = POINTS.copy()
    np.testing.assert_allclose(values(fun, points=points), in_python(fun))
    np.testing.assert_array_equal(points, POINTS)


def test_a_generator_expression_is_told_what_to_write():
    with pytest.raises(CompilationError, match=r"sum\(\[v \* v for v in x\]\)"):
        objective(lambda x: sum(v * v for v in x)).bind((), np.ones(3))


# What Numba cannot compile, each with the line where it stands.
def with_dict_of_mixed(x):
    return {1: "a"}.setdefault(2, x)  # LINE with_dict_of_mixed


def with_import(x):
    import cmath  # LINE with_import

    return cmath.phase(x[0])


def with_file(x):
    with open(os.devnull) as file:  # LINE with_file
        return file.fileno() * x[0]


def with_generator(x):
    return sum(v for v in x)  # LINE with_generator


def _helper_with_method(x):
    return x.tolist()[0]  # LINE with_method


def with_method(x):
    return _helper_with_method(x)


@pytest.mark.parametrize(
    "fun", [with_dict_of_mixed, with_import, with_file, with_generator, with_method], ids=lambda f: f.__name__
)
def test_what_numba_cannot_compile(fun):
    with open(__file__) as file:
        lines = [number for number, line in enumerate(file, 1) if line.endswith(f"# LINE {fun.__name__}\n")]
    with pytest.raises(CompilationError) as info:
        objective(fun, check=False).bind((), PROBE)
    reason, place, advice = str(info.value).split("\n")
    assert reason.startswith(f"fun: Numba cannot compile {fun.__name__}: ") and len(reason) < 400
    assert "test_calling.py" in place and int(place.split()[-1]) in (lines[0], fun.__code__.co_firstlineno)
    assert "compiled=False" in advice
    assert info.value.__cause__ is None


# --- one machine code, and what it costs ------------------------------------------------------------------------


def test_one_machine_code_per_objective():
    first, second = objective(plain_helper).bind((), PROBE), objective(plain_helper).bind()
    assert first.address == second.address
    assert objective(plain_helper, precise=True).bind().address != first.address
    opaque = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)  # content that cannot be described
    fun = lambda x: opaque(x[0])
    assert objective(fun).bind().address == objective(fun).bind().address


def test_binding_again_is_quick():
    objective(plain_helper).bind((), PROBE)
    begin = time.process_time()
    for _ in range(200):
        objective(plain_helper).bind((), PROBE)
    assert (time.process_time() - begin) / 200 < 2e-3


def test_sums_are_reordered_only_without_precise():
    points = np.random.default_rng(0).uniform(-1, 1, (50, 1000))

    def fun(x):
        s = 0.0
        for i in range(x.size):  # Numba vectorises this, not `for v in x`
            s += x[i]
        return s

    exact = in_python(fun, points=points)
    np.testing.assert_array_equal(values(fun, points=points, precise=True), exact)
    found = values(fun, points=points)
    np.testing.assert_allclose(found, exact, rtol=1e-10, atol=1e-12)
    assert (found != exact).any()


def test_fingerprint_tells_objectives_and_arguments_apart():
    def fingerprint(fun, args=(), **options):
        return objective(fun, **options).bind(args).fingerprint()

    assert fingerprint(weighted, (BASE,)) == fingerprint(weighted, (BASE.copy(),))
    assert fingerprint(weighted, (BASE,)) != fingerprint(weighted, (BASE + 1,))
    assert fingerprint(expression) != fingerprint(expression, precise=True)
    assert fingerprint(weighted, (BASE,), compiled=False) == fingerprint(weighted, (BASE.copy(),), compiled=False)
    assert fingerprint(FORMS[0](c_sum)) == fingerprint(FORMS[0](c_sum))
