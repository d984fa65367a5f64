"""sin, cos, ... of elementary.py: accuracy, the ends of the doubles, equal bits everywhere, vectorised loops."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.kernels.compile.fingerprint import fingerprint
from thalweg.kernels.compile.jit import kernel, relaxed
from thalweg.kernels.compile.substitution import rebuild
from thalweg.kernels.numbers import elementary
from thalweg.kernels.numbers.elementary import FUNCTIONS, LIBRARY, REACH, TWINS, ArrayFunction

NAMES = [function.__name__ for function in FUNCTIONS]
INF, NAN, TINY, LARGEST = math.inf, math.nan, 5e-324, 1.7976931348623157e308
N = 100_000
LONG = np.longdouble
needs_long_double = pytest.mark.skipif(np.finfo(LONG).nmant < 63, reason="long double is no wider than double here")


def uniform(low, high):
    return np.random.default_rng(1).uniform(low, high, N)


def spread(low, high, sign=0):
    """Magnitudes from low to high, all binades alike; sign 0: of both signs."""
    rng = np.random.default_rng(2)
    return np.exp(rng.uniform(np.log(low), np.log(high), N)) * (sign or rng.choice([-1.0, 1.0], N))


def over(function, decorator=kernel):
    """The loop that a user writes."""

    @decorator
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    def values(x):
        out = np.empty_like(x)
        loop(x, out)
        return out

    return values


LOOPS = {name: over(getattr(elementary, name)) for name in NAMES}
SAMPLES = {
    "sin": (0.8, [uniform(-3.2, 3.2), uniform(-REACH, REACH), spread(1e-310, REACH)]),
    "cos": (0.8, [uniform(-3.2, 3.2), uniform(-REACH, REACH), spread(1e-310, REACH)]),
    "tan": (1.5, [uniform(-3.2, 3.2), uniform(-REACH, REACH), spread(1e-310, REACH)]),
    "exp": (0.9, [uniform(-1, 1), uniform(-745.2, 709.78), uniform(-745.2, -708), spread(1e-300, 700)]),
    "expm1": (1.3, [uniform(-1, 1), uniform(-50, 709.78), spread(1e-310, 700)]),
    "tanh": (2.8, [uniform(-1, 1), uniform(-25, 25), spread(1e-310, 700)]),
    "log": (0.9, [uniform(0.5, 2), spread(TINY, LARGEST, 1), 1 + spread(1e-15, 1e-2)]),
    "log1p": (
        1.3,
        [uniform(-0.9, 2), spread(1e-310, LARGEST, 1), spread(1e-310, 0.999, -1), spread(1e-15, 0.1, 1) - 1],
    ),
}
ENDS = [0.0, -0.0, 1.0, -1.0, TINY, -TINY, 1e-310, 0.5, -1.5, 30.0, -30.0, 1e5, 3e5, -1e22, 1e308, INF, -INF, NAN]


def errors(values, exact):
    """In units in the last place of the double nearest to the exact value."""
    unit = np.spacing(np.abs(exact.astype(float)))
    return np.abs(values.astype(LONG) - exact) / unit


def same_bits(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return np.all((a.view(np.uint64) == b.view(np.uint64)) | (np.isnan(a) & np.isnan(b)))


# --- accuracy ------------------------------------------------------------------------------------------------------


@needs_long_double
@pytest.mark.parametrize("name", NAMES)
def test_error_in_units_in_the_last_place(name):
    bound, samples = SAMPLES[name]
    for x in samples:
        exact = getattr(np, name)(x.astype(LONG))
        assert errors(LOOPS[name](x), exact).max() <= bound


HALF_PI = 0x3243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C8  # floor(pi / 2 * 2**253), 64 digits


def nearest_double_and_distance(n):
    """The double nearest to n pi / 2, and how far beyond that it is."""
    exact = n * HALF_PI
    x = exact / 2**253  # division of integers rounds correctly
    numerator, denominator = x.as_integer_ratio()
    return x, (numerator * (2**253 // denominator) - exact) / 2**253


def test_multiples_of_half_pi_keep_their_relative_accuracy():
    n = [*range(1, 2000), *(29 * 2**j for j in range(12)), *range(2000, int(REACH / math.pi * 2), 97)]
    x, distance = np.array([nearest_double_and_distance(k) for k in n]).T
    even, sign = np.array(n) % 2 == 0, np.where(np.array(n) // 2 % 2 == 0, 1.0, -1.0)
    near_zero = np.where(even, LOOPS["sin"](x), LOOPS["cos"](x))
    expected = np.where(even, sign, -sign) * distance  # sin t = t to double precision
    assert np.all(np.abs(near_zero - expected) <= np.spacing(np.abs(expected)))
    assert np.all(np.abs(LOOPS["tan"](x[even]) - distance[even]) <= np.spacing(np.abs(distance[even])))


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("sin", [0.0, -0.0, TINY, -TINY, INF, -INF, NAN], [0.0, -0.0, TINY, -TINY, NAN, NAN, NAN]),
        ("cos", [0.0, -0.0, TINY, -TINY, INF, -INF, NAN], [1.0, 1.0, 1.0, 1.0, NAN, NAN, NAN]),
        ("tan", [0.0, -0.0, TINY, -TINY, INF, -INF, NAN], [0.0, -0.0, TINY, -TINY, NAN, NAN, NAN]),
        ("exp", [0.0, -0.0, TINY, INF, -INF, NAN, 709.79, -745.14], [1.0, 1.0, 1.0, INF, 0.0, NAN, INF, 0.0]),
        ("exp", [-745.13, LARGEST, -LARGEST], [TINY, INF, 0.0]),
        ("expm1", [0.0, -0.0, TINY, -TINY, INF, -INF, NAN], [0.0, -0.0, TINY, -TINY, INF, -1.0, NAN]),
        ("expm1", [LARGEST, -LARGEST, -40.0, 709.79], [INF, -1.0, -1.0, INF]),
        ("tanh", [0.0, -0.0, TINY, -TINY, INF, -INF, NAN], [0.0, -0.0, TINY, -TINY, 1.0, -1.0, NAN]),
        ("log", [0.0, -0.0, 1.0, INF, -INF, NAN, -1.0, -TINY], [-INF, -INF, 0.0, INF, NAN, NAN, NAN, NAN]),
        ("log1p", [0.0, -0.0, TINY, -TINY, INF, NAN, -1.0, -1.5], [0.0, -0.0, TINY, -TINY, INF, NAN, -INF, NAN]),
    ],
)
def test_the_ends(name, x, expected):
    assert same_bits(LOOPS[name](np.array(x)), expected)
    assert same_bits([getattr(elementary, name)(value) for value in x], expected)


# --- beyond the reach of the reduction -----------------------------------------------------------------------------


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) > REACH))
def test_beyond_reach_the_c_library_answers(x):
    assert elementary.sin(x) == math.sin(x)
    assert elementary.cos(x) == math.cos(x)
    assert elementary.tan(x) == math.tan(x)


def test_the_double_nearest_to_a_multiple_of_half_pi():
    x = 6381956970095103 * 2.0**797  # glibc 2.36 itself is 9 units in the last place off here
    assert elementary.cos(x) == pytest.approx(-4.68716592425462761112e-19, rel=1e-14, abs=0)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_near_and_far_arguments_in_one_vector(name):
    """The near ones keep their value while the far ones go through the library, whichever they are."""
    near, far = uniform(-10, 10)[:64], uniform(1e6, 1e9)[:64]
    scalar = getattr(elementary, name)
    patterns = [np.arange(64) == k for k in range(64)]
    patterns += [np.random.default_rng(k).random(64) < 0.5 for k in range(64)] + [np.ones(64, bool)]
    for pattern in patterns:
        x = np.where(pattern, far, near)
        assert same_bits(LOOPS[name](x), [scalar(value) for value in x])


# --- the same bits everywhere --------------------------------------------------------------------------------------


def arguments(name):
    return np.concatenate([ENDS, *(x[:101] for x in SAMPLES[name][1])])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_in_a_loop_a_relaxed_loop_an_array_and_alone(name):
    function, x = getattr(elementary, name), arguments(name)
    alone = [function(value) for value in x]
    assert same_bits(LOOPS[name](x), alone)
    assert same_bits(over(function, relaxed)(x), alone)
    assert same_bits(over(TWINS[getattr(np, name)], relaxed)(x), alone)
    ufunc = TWINS[getattr(np, name)]
    assert same_bits(relaxed(lambda x: ufunc(x))(x), alone)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_in_python(name):
    """As the CUDA simulator runs it: nothing compiled, the library's functions beyond reach."""
    function, x = getattr(elementary, name), arguments(name)
    plain = rebuild(function, {}, lambda f: f)
    with np.errstate(all="ignore"):
        assert same_bits([plain(value) for value in x], LOOPS[name](x))


@settings(deadline=None)
@given(st.floats())
def test_symmetries_hold_to_the_bit(x):
    for odd in (elementary.sin, elementary.tan, elementary.tanh):
        assert same_bits(odd(-x), -odd(x))
    assert same_bits(elementary.cos(-x), elementary.cos(x))


# --- what they stand in for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_number_is_taken(name):
    function = getattr(elementary, name)
    for value in (1, True, np.float32(0.5)):
        assert function(value) == function(float(value)) == function.py_func(value)


@pytest.mark.parametrize("name", NAMES)
def test_twins_of_numpy_take_what_numpy_takes(name):
    library = getattr(np, name)
    ufunc = TWINS[library]
    assert isinstance(ufunc, ArrayFunction)
    mapped = kernel(lambda x: ufunc(x))
    for x in (0.5, 1, np.array([0.25, 0.5]), np.ones((3, 2)).T, np.arange(1, 4), np.array([0.5], np.float32), 0.5 + 1j):
        np.testing.assert_allclose(mapped(x), library(x), rtol=1e-6 if np.result_type(x) == np.float32 else 1e-14)


def test_twins_know_both_libraries_and_themselves():
    assert set(TWINS) == {getattr(m, name) for m in (math, np, elementary) for name in NAMES}
    assert all(TWINS[getattr(m, name)] is getattr(elementary, name) for m in (math, elementary) for name in NAMES)


def test_the_cache_tells_twins_apart_and_knows_them_in_another_process():
    here = [fingerprint(TWINS[getattr(np, name)]) for name in NAMES]
    assert len(set(here)) == len(NAMES)
    script = (
        "import numpy; from thalweg.kernels.numbers.elementary import TWINS\n"
        "from thalweg.kernels.compile.fingerprint import fingerprint\n"
        "print(fingerprint(TWINS[numpy.cos]))"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert there.strip() == here[NAMES.index("cos")]


# --- the vector unit -----------------------------------------------------------------------------------------------


def vector_code(function, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))  # what comes from the cache cannot be inspected

    @relaxed
    def rastrigin(x):
        total = 10.0 * x.size
        for i in range(x.size):
            total += x[i] * x[i] - 10 * function(2 * math.pi * x[i])
        return total

    rastrigin.compile("f8(f8[::1])")
    return next(iter(rastrigin.inspect_llvm().values()))


@pytest.mark.parametrize("name", NAMES)
def test_loops_run_on_the_vector_unit(name, tmp_path, monkeypatch):
    code = vector_code(getattr(elementary, name), tmp_path, monkeypatch)
    assert len(re.findall(r"fmul [a-z ]*<\d+ x double>", code)) > 10


def test_relaxed_callers_do_not_relax_the_functions(tmp_path, monkeypatch):
    code = vector_code(elementary.cos, tmp_path, monkeypatch)
    assert "reassoc" in code  # the caller's own operations
    reductions = [line for line in code.splitlines() if re.search(r"0x3FE45F306DC9C883|0\.636619772367581", line)]
    assert reductions and not any("reassoc" in line for line in reductions)


def test_another_device_substitutes_the_library_functions():
    cos = rebuild(elementary.cos, LIBRARY, lambda f: f)
    assert cos.__globals__["far_cos"] is math.cos
    assert cos(1e22) == math.cos(1e22)
