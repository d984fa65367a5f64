"""Ranges of a search on the device: the points of the CPU, its best, its counts, what it raises."""

import math

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from thalweg.kernels import objective
from thalweg.kernels.search import INTEGER, LOG, LOG_INTEGER, REAL, TABLE
from thalweg.orchestration.compiled_search import CompiledSearch
from thalweg.orchestration.spaces import FlatSpace

on_device = pytest.mark.usefixtures("simulated")
KINDS = np.array([REAL, LOG, INTEGER, LOG_INTEGER, TABLE])
MIXED = FlatSpace(
    KINDS, np.array([-1, 1e-3, -4, 1, 0.0]), np.array([2, 10, 4, 99, 0.0]), np.arange(3.0), np.array([0, 0, 0, 0, 0, 3])
)
GRID_OF_360 = FlatSpace(
    np.full(5, TABLE),
    np.zeros(5),
    np.zeros(5),
    np.concatenate([np.linspace(-1, 2, n) for n in (3, 1, 4, 6, 5)]),
    np.cumsum([0, 3, 1, 4, 6, 5]),
)


@objective(precise=True)
def bumpy(x, centre):
    if x[0] > 1.7:
        return math.nan
    total = 0.0
    for j in range(x.size):
        total += (x[j] - centre[j]) ** 2 - math.cos(3.0 * x[j])
    return total


def both(fun, space, mode, points=100, args=(), **options):
    """The search on the device, and on the CPU."""
    return [CompiledSearch(fun, args, space, mode, points, seed=3, device=d, **options) for d in ("cuda", "cpu")]


@pytest.mark.parametrize(
    ("space", "mode"),
    [(GRID_OF_360, "grid"), (MIXED, "random"), (MIXED, "sobol"), (MIXED, "lhs")],
    ids=lambda v: str(v)[:6],
)
@pytest.mark.parametrize("block", [100, 37])
def test_the_best_is_that_of_the_cpu(space, mode, block, close):
    works = both(bumpy, space, mode, args=(np.array([0.5, 1.0, 0.0, 7.0, 1.0]),), block=block)
    for unit in range(works[0].units):
        found, expected = (work.carry_out(unit, None, lambda: False) for work in works)
        np.testing.assert_allclose(found.pop("fun"), expected.pop("fun"), **close)
        assert found == expected


@on_device
def test_every_point_of_a_grid_is_visited_once_and_the_first_of_equals_wins():
    space = FlatSpace(np.full(2, TABLE), np.zeros(2), np.zeros(2), np.arange(24.0), np.array([0, 4, 24]))
    for k in range(0, 80, 7):
        x = np.array([k // 20, 4 + k % 20])

        def fun(x, goal):
            return -1.0 if x[0] >= goal[0] and x[1] >= goal[1] else 0.0

        works = both(objective(fun), space, "grid", 80, (x.astype(float),), block=80)
        found, expected = (work.carry_out(0, None, lambda: False) for work in works)
        assert found == expected and found["index"] == k


@on_device
def test_values_of_nan_and_a_range_without_a_value():
    space = FlatSpace(np.array([TABLE]), np.zeros(1), np.zeros(1), np.arange(40.0), np.array([0, 40]))
    work, _ = both(objective(lambda x: math.nan), space, "grid", 40, block=40)
    record = work.carry_out(0, None, lambda: False)
    assert (record["fun"], record["index"], record["n_failed"]) == (math.inf, 0, 40)
    assert work.prepared.search(13, 14) == (math.inf, 13, 1)


@on_device
def test_points_far_out():
    levels = np.concatenate([np.arange(1000.0) * 10**j for j in range(6)])
    space = FlatSpace(np.full(6, TABLE), np.zeros(6), np.zeros(6), levels, np.arange(7) * 1000)
    works = both(objective(lambda x: abs(x[5] - 123.0e5) - x[0]), space, "grid", 10**18)
    found, expected = (work.prepared.search(10**18 - 900, 10**18 - 850) for work in works)
    assert found == expected and found[1] == 10**18 - 877


@pytest.mark.usefixtures("only_simulated")
def test_what_ended_a_thread_is_raised_by_the_host(monkeypatch):
    """On a GPU a `raise` ends its thread, which is then missing among those that came to an end."""
    from thalweg.kernels.cuda import search as on_cuda

    def picky(x):
        if x[0] > 60.0:
            raise ValueError("too large")
        return -x[0]

    def second_block_is_short(array, out):
        out[...] = on_cuda.ROW_BLOCK
        if out.ndim == 2:
            out[on_cuda.ENDED, 1] -= 1

    space = FlatSpace(np.array([TABLE]), np.zeros(1), np.zeros(1), np.arange(64.0), np.array([0, 64]))
    work, _ = both(objective(picky), space, "grid", 64, block=64)
    work.prepare()
    monkeypatch.setattr(on_cuda, "to_host", second_block_is_short)
    monkeypatch.setattr(on_cuda, "configure", lambda kernel, blocks, threads: lambda *args: None)
    with pytest.raises(ValueError, match="too large") as caught:
        work.prepared.search(0, 64)
    assert caught.value.x[0] == 61.0
    with pytest.raises(RuntimeError, match=r"\(16, 32\)"):
        work.prepared.search(0, 32)


@on_device
def test_an_exception_of_the_objective_comes_through():
    def picky(x):
        if x[0] > 60.0:
            raise ValueError("too large")
        return -x[0]

    space = FlatSpace(np.array([TABLE]), np.zeros(1), np.zeros(1), np.arange(64.0), np.array([0, 64]))
    with pytest.raises(ValueError, match="too large"):
        both(objective(picky), space, "grid", 64, block=64)[0].carry_out(0, None, lambda: False)


@on_device
def test_an_objective_that_writes_into_its_x_changes_no_point():
    def model(x):
        x[0] += 10.0
        return x[0] - x[1]

    space = FlatSpace(np.full(2, TABLE), np.zeros(2), np.zeros(2), np.arange(14.0), np.array([0, 2, 14]))
    found, expected = (
        work.carry_out(0, None, lambda: False) for work in both(objective(model), space, "grid", 24, block=24)
    )
    assert found == expected and found["fun"] == 10.0 - 13.0


@on_device
def test_what_no_gpu_can_run_is_refused():
    work, _ = both(objective(lambda x: x[0], compiled=False), MIXED, "random")
    with pytest.raises(ValueError, match="compiled=False"):
        work.prepare()
