"""Automatic gradients against exact ones, differences and dual numbers; what is refused; the workspace; threads."""

import math
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from thalweg import check_grad, grad, hessian, hvp, jacobian, value_and_grad
from thalweg.kernels import objective
from thalweg.kernels.calling.arguments import RAISED_BITS
from thalweg.kernels.calling.checking import CompilationError
from thalweg.kernels.differentiate.adapters import derivatives
from thalweg.kernels.differentiate.workspace import Workspace

from .automatic import Automatic
from .derivatives import objectives as o
from .test_objectives import objectives

BASICS = {objective.name: objective for objective in objectives.BASICS}
rosenbrock = BASICS["rosenbrock"].fun


def relative(found, expected):
    return np.abs(found - expected).max() / (1.0 + np.abs(expected).max())


QUICK = {"listappend", "append_sum", "complex_numbers", "norm_cdf", "power_i", "np_funcs", "matmat", "gauss", "where"}


def quick_first(cases):
    return [pytest.param(*case, id=case[0], marks=() if case[0] in QUICK else pytest.mark.slow) for case in cases]


@pytest.mark.parametrize("name, f, args", quick_first((f.__name__, f, args) for f, args in o.PATTERNS))
def test_patterns(name, f, args):
    value, g = Automatic(f, args).gradient(o.POINT)
    args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
    assert value == pytest.approx(f(o.POINT.copy(), *args), rel=1e-12)
    assert relative(g, o.differences(f, o.POINT, args)) < 3e-10


# --- what the value means, the gradient means -----------------------------------------------------------------------


def test_an_exception_and_what_python_calls_undefined():
    def f(x, n):
        if x[0] > 1.0:
            raise ValueError("too large")
        return x[0] ** 2 + 6 // n

    one, zero = Automatic(f, (1,)).gradient, Automatic(f, (0,)).gradient
    assert one(np.array([0.5]))[0] == 6.25
    assert np.float64(one(np.array([1.5]))[0]).view(np.int64) == RAISED_BITS
    value, _ = zero(np.array([0.5]))
    assert math.isnan(value) and np.float64(value).view(np.int64) != RAISED_BITS


def test_zero_times_infinity_is_zero():
    def f(x):
        return np.sum(np.where(x > 0.0, np.sqrt(x), 0.0))

    _, g = Automatic(f).gradient(np.array([4.0, 0.0, -1.0]))
    assert g.tolist() == [0.25, 0.0, 0.0]


def test_one_side_is_taken_where_there_is_no_derivative():
    _, g = Automatic(lambda x: abs(x[0]) + max(x[1], 0.0) + min(x[2], x[2])).gradient(np.zeros(3))
    assert set(g.tolist()) <= {-1.0, 0.0, 1.0}


def test_what_a_closure_carries_is_read_anew():
    def make(c):
        return lambda x: c * x[0] ** 2

    x = np.array([3.0])
    assert Automatic(make(2.0)).gradient(x)[1] == [12.0] and Automatic(make(5.0)).gradient(x)[1] == [30.0]


def test_precise_objectives():
    value, g = Automatic(lambda x: math.sin(x[0]) * math.exp(x[1]), precise=True).gradient(np.array([0.5, 0.25]))
    assert value == math.sin(0.5) * math.exp(0.25)
    assert g == pytest.approx([math.cos(0.5) * math.exp(0.25), value], rel=1e-15)


def test_gamma_functions():
    from scipy import special

    value, g = Automatic(lambda x: math.lgamma(x[0]) + math.gamma(x[1])).gradient(np.array([2.5, 0.7]))
    assert value == pytest.approx(special.gammaln(2.5) + special.gamma(0.7), rel=1e-14)
    assert g == pytest.approx([special.digamma(2.5), special.gamma(0.7) * special.digamma(0.7)], rel=1e-13)


# --- the workspace --------------------------------------------------------------------------------------------------


def test_the_workspace_grows_by_itself_and_stays_as_it_is():
    def f(x):
        u = x.copy()
        for _ in range(2000):
            u = u + 0.001 * np.sin(u)
        return np.sum(u)

    automatic, x = Automatic(f), np.linspace(0.1, 1.0, 5)
    _, g = automatic.gradient(x)
    size = automatic.works["gradient"].size
    assert size > 2000 * 5 * 8
    assert (automatic.gradient(x)[1] == g).all() and automatic.works["gradient"].size == size
    assert relative(g, o.differences(f, x, ())) < 1e-9


def test_the_same_bits_on_one_and_on_eight_threads():
    _, f, x, args, _ = BASICS["lotka_volterra"]
    gradient = Automatic(f, args).gradient
    points = [x + 0.001 * k for k in range(64)]
    serial = [gradient(p)[1] for p in points]
    with ThreadPoolExecutor(8) as threads:
        parallel = list(threads.map(lambda p: gradient(p, Workspace())[1], points))
    assert all((a == b).all() for a, b in zip(serial, parallel))


# --- what is refused ------------------------------------------------------------------------------------------------


def _eigenvalue(x):
    return x[0] + np.linalg.eigvalsh(np.outer(x, x))[0]


def _bits(x):
    y = x.copy()
    words = y.view(np.int64)
    for i in range(len(words)):
        words[i] = words[i] & 0x7FFFFFFFFFFF0000
    return y.sum()


@pytest.mark.parametrize(
    "f, reason",
    [
        (_eigenvalue, "np.linalg.eigh"),
        (o.dictionary, "a dict"),
        (o.recursion, "it calls itself"),
        (o.f32_active, "float32"),
        (_bits, "bits"),
        (lambda x: x[0] * np.random.random(), "random numbers"),
    ],
)
def test_what_has_no_derivative_is_refused(f, reason):
    with pytest.raises(CompilationError, match=reason) as error:
        Automatic(f).gradient(np.ones(3))
    said = str(error.value)
    assert "jac=" in said and f.__code__.co_filename in said
    if f is _eigenvalue:
        first = f.__code__.co_firstlineno
        assert re.search(rf'test_derivatives.py", line ({first}|{first + 1})\n', said)


# --- functions of Python --------------------------------------------------------------------------------------------


def test_value_and_grad_and_grad():
    f = rosenbrock
    x = np.array([-1.2, 1.0])
    value, g = value_and_grad(f)(x)
    assert value == pytest.approx(24.2) and g == pytest.approx([-215.6, -88.0])
    assert (grad(f)(x) == g).all()
    assert grad(lambda x, a: a * x[0], args=(3.0,))([1.0]) == [3.0]
    assert grad(lambda x, a: a * x[0], args=(3.0,))([1.0], 4.0) == [4.0]


def test_products_with_the_hessian_and_hessians():
    x = np.array([-1.2, 1.0, 0.7])
    exact = np.zeros((3, 3))
    for i in range(2):
        exact[i, i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        exact[i + 1, i + 1] += 200.0
        exact[i, i + 1] -= 400.0 * x[i]
        exact[i + 1, i] -= 400.0 * x[i]
    v = np.array([0.5, -1.0, 2.0])
    assert hvp(rosenbrock)(x, v) == pytest.approx(exact @ v, rel=1e-13)
    assert hessian(rosenbrock)(x) == pytest.approx(exact, rel=1e-13)
    with pytest.raises(ValueError, match="v: got"):
        hvp(rosenbrock)(x, v[:2])


@pytest.mark.parametrize(
    "name", ["autoencoder", "determinant", pytest.param("lotka_volterra_arrays", marks=pytest.mark.slow)]
)
def test_products_with_the_hessian_against_differences_of_gradients(name):
    _, f, x, args, _ = BASICS[name]
    v = np.random.default_rng(1).normal(size=len(x))
    gradient = Automatic(f, args).gradient

    def slope(h):
        return (gradient(x + h * v)[1] - gradient(x - h * v)[1]) / (2.0 * h)

    assert relative(hvp(f, args=args)(x, v), (4.0 * slope(5e-5) - slope(1e-4)) / 3.0) < 1e-8


def test_jacobians():
    A = np.arange(12.0).reshape(4, 3)
    x = np.array([0.5, -1.0, 2.0])
    assert jacobian(lambda x, A: A @ x - 1.0)(x, A) == pytest.approx(A, rel=1e-14)

    def residuals(x):
        r = np.empty(7)
        for i in range(7):
            r[i] = x[i % 3] * np.exp(-0.1 * i * x[0])
        return r

    i = np.arange(7)
    expected = np.zeros((7, 3))
    expected[i, i % 3] = np.exp(-0.1 * i * x[0])
    expected[:, 0] -= 0.1 * i * x[i % 3] * np.exp(-0.1 * i * x[0])
    assert jacobian(residuals)(x) == pytest.approx(expected, rel=1e-13)


def test_errors_of_the_objective_appear_as_themselves():
    def f(x):
        if x[0] > 1.0:
            raise ValueError("too large")
        return x[0]

    with pytest.raises(ValueError, match="too large"):
        grad(f)([2.0])
    with pytest.raises(ValueError, match="x: got"):
        grad(f)([[2.0]])


def test_check_grad():
    good = check_grad(rosenbrock, [0.3, 0.2])
    wrong = check_grad(rosenbrock, [0.3, 0.2], jac=lambda x: np.array([1.0, 2.0]))
    assert good.ok and float(good) < 1e-5 and "agrees" in str(good)
    assert not wrong.ok and "variable 1" in str(wrong)
    with pytest.raises(ValueError, match="jac"):
        check_grad(rosenbrock, [0.3, 0.2], jac=lambda x: np.zeros(3))


def test_the_value_adapter_and_the_gradient_agree():
    bound = objective(BASICS["slices"].fun).bind((), BASICS["slices"].x0)
    assert isinstance(derivatives(bound).gradient, int)


def test_what_hangs_on_nothing_has_a_derivative_of_0():
    """The memory that derivatives are put into holds other numbers beforehand."""
    x = np.array([1.5, -2.0, 0.5])
    for f, second in (
        (lambda x: 1.0 + 0.0 * x[0], 0.0),
        (lambda x: 2.0 * x[1] - x[2], 0.0),
        (lambda x: x[0] ** 2, 2.0),
    ):
        expected = np.diag([second, 0.0, 0.0])
        for _ in range(3):
            np.full((64, 64), 7.0)
            np.testing.assert_array_equal(hessian(f)(x), expected)
    for _ in range(3):
        np.full((64, 64), 7.0)
        found = jacobian(lambda x: np.array([1.0, x[1], 3.0, 2.0 * x[0]]))(x)
        np.testing.assert_array_equal(found, [[0, 0, 0], [0, 1, 0], [0, 0, 0], [2, 0, 0]])


def test_who_has_the_address_of_a_derivative_holds_its_machine_code():
    """Adapters are let go beyond a number of them: an objective keeps its own."""
    bound = objective(lambda x: x[0] ** 3 + x[1]).bind((), np.ones((1, 2)))
    made = derivatives(bound)
    addresses = made.gradient, made.product
    assert [bound.kept[kind].address for kind in ("gradient", "product")] == list(addresses)
