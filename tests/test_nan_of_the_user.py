"""A NaN is a value that failed, whatever its bits: also those by which the engine marks that an objective raised."""

import ctypes

import numpy as np
import pytest

import thalweg as tw
from thalweg import objective
from thalweg.kernels.calling.arguments import RAISED_BITS

BOX = [(-1.0, 1.0)] * 2
MARKED = np.array([RAISED_BITS, RAISED_BITS - 2**63, 0x7FF0000000000001], dtype=np.int64).view(np.float64)
METHODS = ("de", "lshade", "cma_es", "nelder_mead", "simulated_annealing", "random_search")
CALL = {"seed": 1, "max_evals": 300, "threads": 1}


def half_failed(x, marks):
    return marks[int(4 * x[0]) % 3] if x[0] > 0 else x[0] ** 2 + x[1] ** 2


def half_nan(x):
    return np.nan if x[0] > 0 else x[0] ** 2 + x[1] ** 2


def same(found, expected):
    for name in ("fun", "nfev", "n_failed", "success"):
        np.testing.assert_equal(found[name], expected[name])


def from_c(n, x):
    return float(MARKED[0]) if x[0] > 0 else x[0] ** 2 + x[1] ** 2


def in_rows(x):
    return np.where(x[:, 0] > 0, MARKED[0], (x**2).sum(axis=1))


@pytest.mark.parametrize("method", METHODS)
def test_compiled_python_and_c_objectives_agree_with_the_plain_nan(method):
    expected = tw.minimize(objective(half_nan, precise=True), BOX, method=method, **CALL)
    assert expected.n_failed > 0
    same(tw.minimize(objective(half_failed, precise=True), BOX, args=(MARKED,), method=method, **CALL), expected)
    same(tw.minimize(objective(half_failed, compiled=False), BOX, args=(MARKED,), method=method, **CALL), expected)
    same(tw.minimize(objective(in_rows, vectorized=True), BOX, method=method, **CALL), expected)
    pointer = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))(from_c)
    same(tw.minimize(pointer, BOX, method=method, **CALL), expected)


def test_a_number_among_the_arguments_may_have_the_bits():
    def returns_it(x, mark):
        return mark if x[0] > 0 else x[0] ** 2

    assert tw.minimize(returns_it, BOX, args=(float(MARKED[0]),), **CALL).n_failed > 0


@pytest.mark.parametrize("method", METHODS)
def test_values_that_are_told(method):
    asked = tw.Optimizer(method, BOX, seed=1, max_evals=300)
    while not asked.done:
        asked.tell([half_failed(x, MARKED) for x in asked.ask()])
    same(asked.result(), tw.minimize(objective(half_nan, precise=True), BOX, method=method, **CALL))


def test_values_of_a_map():
    found = tw.minimize(
        objective(half_nan, compiled=False), BOX, method="de", seed=1, max_evals=300,
        workers=lambda function, rows: (half_failed(x, MARKED) for x in rows),
    )  # fmt: skip
    same(found, tw.minimize(objective(half_nan, precise=True), BOX, method="de", **CALL))


@pytest.mark.parametrize("door", [tw.restarts, tw.islands])
def test_many_runs(door):
    more = {"method": "de", "seed": 1, "max_evals": 200, **({"runs": 300} if door is tw.restarts else {})}
    found = door(objective(half_failed, precise=True), BOX, args=(MARKED,), **more)
    same(found, door(objective(half_nan, precise=True), BOX, **more))


@pytest.mark.parametrize("compiled", [True, False])
def test_searches(compiled):
    found = tw.grid_search(objective(half_failed, compiled=compiled), BOX, levels=11, args=(MARKED,))
    assert found.n_failed == 5 * 11 and found.fun == 0.0


@pytest.mark.parametrize("kind", [np.float32, np.longdouble])
def test_a_batch_in_another_precision(kind):
    found = tw.minimize(objective(lambda x: in_rows(x).astype(kind), vectorized=True), BOX, method="de", **CALL)
    assert found.n_failed > 0 and found.nfev == 300


def test_what_is_raised_is_raised_still():
    def raises(x):
        if x[0] > 0:
            raise ValueError("above")
        return MARKED[0]

    for function in (objective(raises, check=False), objective(raises, compiled=False)):
        with pytest.raises(ValueError, match="above") as caught:
            tw.minimize(function, BOX, method="de", **CALL)
        assert caught.value.x[0] > 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["1"] * 20, "holds text"),
        ([None] * 20, "holds None.* NaN for what failed"),
        ([1 + 1j] * 20, "holds complex"),
        (np.ma.array(np.ones(20), mask=np.arange(20) == 3), "is masked"),
        (np.ones(19), r"shape \(19,\), expected \(20,\)"),
        (np.ones((20, 1)), r"shape \(20, 1\)"),
        (1.0, r"shape \(\)"),
    ],
)
def test_told_values_are_numbers(values, words):
    asked = tw.Optimizer("de", BOX, seed=1)
    assert len(asked.ask()) == 20
    with pytest.raises(ValueError, match=f"^tell: .*{words}"):
        asked.tell(values)
    asked.tell(np.ones(20))  # it may be told again
