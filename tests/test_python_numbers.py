"""Whole numbers, powers and quotients in compiled objectives: Python's value, NaN where Python has none, or an error.

The reference is always the same function, run by Python on an x of NumPy's doubles.
"""

import math
import operator

import numpy as np
import pytest

from thalweg import minimize
from thalweg.kernels import objective
from thalweg.kernels.calling.checking import undefined


def python_value(function, x):
    """The value of the plain function; NaN where its arithmetic is undefined."""
    with np.errstate(all="ignore"):
        try:
            return float(function(np.array(x, dtype=float)))
        except Exception as error:
            if undefined(error):
                return np.nan
            raise


def compiled_value(function, x, **options):
    return objective(function, check=False, **options).bind().evaluate(np.array([x], dtype=float))[0]


def factorial(n):
    product = 1
    for k in range(2, n + 1):
        product *= k
    return product


def recursive_factorial(n):
    return 1 if n < 2 else n * recursive_factorial(n - 1)


def halves(x):
    total = 0.0
    for k in range(len(x)):
        total += 2**-k * x[k]
    return total


def power_by_builtin(x):
    return pow(3, -int(x[0])) + pow(int(x[0]), 2) + operator.pow(2, -3)


def power_in_a_name(x):
    k = -int(x[0])
    return 10**k


def power_of_a_variable(x):
    n = int(x[0])
    return n**-2 + n**-1 + n**3


POWERS = {
    "10 ** -int(x)": lambda x: 10 ** -int(x[0]), "2 ** -k in a loop": halves, "pow": power_by_builtin,
    "of a name": power_in_a_name, "n ** -2": power_of_a_variable, "2 ** n": lambda x: 2 ** int(x[0]),
    "negative base": lambda x: (-3) ** int(x[0]), "0 ** 0": lambda x: 0 ** (int(x[0]) - int(x[0])),
    "1 ** n": lambda x: 1 ** int(1e6 * x[0]), "n ** n": lambda x: int(x[0]) ** int(x[0]),
    "n ** 2.0": lambda x: int(x[0]) ** 2.0, "array": lambda x: (2.0**-np.arange(3)).sum(),
    "in an expression of arrays": lambda x: (2 ** -int(x[0]) * np.arange(4)).sum(),
    "x ** k": lambda x: x[0] ** -int(x[0]), "bool": lambda x: (x[0] > 0) ** 2 + 2 ** (x[0] > 0),
    "inplace": lambda x: inplace(int(x[0])), "to 70": lambda x: x[0] * 2**70 + 10**20,
}  # fmt: skip


def inplace(n):
    n **= 3
    n *= 2
    n //= 5
    n <<= 2
    return n


@pytest.mark.parametrize("name", POWERS)
@pytest.mark.parametrize("x", [1.0, 2.0, 5.0])
def test_powers_of_whole_numbers(name, x):
    point = [x, 0.5, 0.25, 3.0]
    assert compiled_value(POWERS[name], point) == pytest.approx(python_value(POWERS[name], point), rel=1e-14)


AT_ZERO = {
    "x ** -1": lambda x: x[0] ** -1, "x ** -2": lambda x: x[0] ** -2, "x ** -k": lambda x: x[0] ** -(1 + int(x[1])),
    "x ** k": lambda x: x[0] ** (int(x[1]) - 3), "(-x) ** -3": lambda x: (-x[0]) ** -3,
    "array ** -2": lambda x: (x**-2).sum(), "array ** -1, kept": lambda x: np.sort(x**-1)[1],
    "array ** k": lambda x: (x ** (int(x[1]) - 3)).sum(), "1 / x": lambda x: 1 / x[0], "x // 0": lambda x: x[1] // x[0],
    "Lennard-Jones": lambda x: x[0] ** -12 - 2 * x[0] ** -6, "pow": lambda x: pow(x[0], -2),
    "float power": lambda x: abs(x[0]) ** -1.5 + abs(x[0]) ** -0.5,
    "array ** -2.5": lambda x: (np.abs(x) ** -2.5).sum(),
    "complex": lambda x: abs(1 / np.complex128(x[0])), "complex arrays": lambda x: np.abs(1 / (1j * x)).sum(),
    "a complex array and its sum": lambda x: abs((1j / (x + 0j)).sum()), "helper": lambda x: reciprocal(x[0], 2),
}  # fmt: skip


def reciprocal(value, power):
    return value**-power


@pytest.mark.parametrize("name", AT_ZERO)
@pytest.mark.parametrize("x", [[0.0, 1.0], [-0.0, 1.0], [2.0, 1.0], [-3.0, 2.0]])
def test_powers_and_quotients_at_zero_are_those_of_numpy(name, x):
    for precise in (False, True):
        found = compiled_value(AT_ZERO[name], x, precise=precise)
        np.testing.assert_allclose(found, python_value(AT_ZERO[name], x), rtol=1e-14)


UNDEFINED = {
    "12 // n": lambda x: 12 // int(x[0]), "12 % n": lambda x: 12 % int(x[0]),
    "divmod": lambda x: divmod(7, int(x[0]))[1],
    "12 / n": lambda x: -12 / int(x[0]), "in a helper": lambda x: share(3, int(x[0])),
    "augmented": lambda x: augmented(x),
    "int(nan)": lambda x: int(math.nan * x[0]), "int(inf)": lambda x: int(math.inf + x[0]),
    "floor(inf)": lambda x: math.floor(math.inf + x[0]), "round(nan)": lambda x: round(math.nan * x[0]),
}  # fmt: skip


def share(n, parts):
    return n // parts if parts < 5 else 0


def augmented(x):
    n = 12
    n //= int(x[0])
    return n


@pytest.mark.parametrize("name", UNDEFINED)
def test_what_python_calls_undefined_is_no_value(name):
    """`12 // 0` was 0, and the best; -12 / 0 was -inf."""
    assert np.isnan(python_value(UNDEFINED[name], [0.0]))
    assert np.isnan(compiled_value(UNDEFINED[name], [0.0]))


@pytest.mark.parametrize("compiled", [True, False])
def test_a_run_goes_on_where_arithmetic_is_undefined(compiled):
    f = objective(lambda x: 12 // int(x[0]), compiled=compiled)
    result = minimize(f, [(0, 5)], integrality=[True], seed=1, max_evals=100)
    assert (result.fun, result.x[0]) == (2.0, 5.0) and result.n_failed > 0


BEYOND = {
    "factorial": lambda x: factorial(int(x[0])), "recursive": lambda x: recursive_factorial(int(x[0])),
    "10 ** n": lambda x: 10 ** int(x[0]), "n ** 5": lambda x: int(1e3 * x[0]) ** 5,
    "2 ** n": lambda x: -(2 ** int(2 * x[0])),
    "n * n": lambda x: int(1e9 * x[0]) * int(1e9 * x[0]), "1 << n": lambda x: 1 << int(2 * x[0]),
    "-1 << n": lambda x: -1 << int(2 * x[0]), "int": lambda x: int(x[0] * 1e18),
    "floor": lambda x: math.floor(-x[0] * 1e18),
    "ceil": lambda x: math.ceil(x[0] * 1e18), "round": lambda x: round(x[0] * 1e18),
    "array": lambda x: (x * 10 ** int(x[0])).sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND)
def test_whole_numbers_beyond_64_bits_are_refused(name):
    """They wrapped: factorials became negative, and the best."""
    assert compiled_value(BEYOND[name], [3.0]) == python_value(BEYOND[name], [3.0])
    with pytest.raises(OverflowError, match="64 bits") as caught:
        compiled_value(BEYOND[name], [40.0])
    assert caught.value.x[0] == 40.0  # pyright: ignore[reportAttributeAccessIssue]


def test_a_negative_power_that_nothing_announces_is_refused():
    with pytest.raises(ValueError, match=r"10\.0 \*\* k"):
        compiled_value(lambda x: 10 ** int(x[0]), [-3.0])


SHIFTS = {
    "x >> 70": lambda x: int(x[0]) >> 70, "-x >> 70": lambda x: -int(x[0]) >> 70,
    "x >> n": lambda x: int(100 * x[0]) >> 3,
    "masks": lambda x: (int(x[0]) << 5) & 0xFF | 3, "0 << 99": lambda x: (int(x[0]) - 4) << 99,
}  # fmt: skip


@pytest.mark.parametrize("name", SHIFTS)
def test_shifts(name):
    assert compiled_value(SHIFTS[name], [4.0]) == python_value(SHIFTS[name], [4.0])


def test_complex_quotients_of_zero_have_no_value():
    """1j * x[0] is Python's complex number, by which Python does not divide; NumPy's would give inf."""

    def f(x):
        return abs(1 / (1j * x[0]))

    assert np.isnan(python_value(f, [0.0])) and np.isinf(compiled_value(f, [0.0]))
    assert compiled_value(f, [0.5]) == python_value(f, [0.5]) == 2.0


def test_arrays_of_whole_numbers_are_numpys():
    """They wrap, and n // 0 is 0 there: NumPy's values, not Python's."""

    def f(x):
        a = np.arange(4) * 4_000_000_000_000_000_000
        return (a // np.arange(4)).sum() * 1e-18 + a[3] * 1e-18

    assert compiled_value(f, [1.0]) == pytest.approx(python_value(f, [1.0]), rel=1e-14)


def test_numbas_own_functions_stay_as_they_are_for_others():
    """What is compiled for an objective must not be found by a function that the user compiles with Numba."""
    import numba

    compiled_value(lambda x: x[0] ** (int(x[0]) - 3), [2.0])
    with pytest.raises(ZeroDivisionError):
        numba.njit(lambda x, k: x**k)(0.0, -1)
    assert numba.njit(lambda n: n * n)(2**32) == 0
