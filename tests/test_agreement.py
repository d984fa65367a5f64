"""When methods that begin local searches are a success: two of them came to the best value."""

import pytest

from thalweg import SOLVERS, StopReason, minimize

METHODS = ("basin_hopping", "dual_annealing")
BOX = [(-5.0, 5.0)] * 3


def bent(x):
    total = 0.0
    for i in range(x.size):
        total += (i + 1.0) * (x[i] - 0.3) ** 2
    return total


def wells(x):
    """Two minima along the first variable, one of 0 at 2 and one of 1 at -2."""
    return (x[0] ** 2 - 4.0) ** 2 + 0.25 * (2.0 - x[0]) + x[1] ** 2 + x[2] ** 2


@pytest.mark.parametrize("method", METHODS)
def test_a_minimum_that_was_found_twice_is_a_success(method):
    found = minimize(bent, BOX, method=method, seed=1)
    assert found.success and found.stop_reason == StopReason.OUT_OF_BUDGET and "has converged" in found.message
    assert not SOLVERS[method].local  # it goes on from there


@pytest.mark.parametrize("method", METHODS)
def test_one_search_alone_proves_nothing(method):
    found = minimize(bent, BOX, method=method, seed=1, max_iters=1)
    assert not found.success and "has not converged" in found.message
    assert found.fun < 1e-10


def test_another_minimum_is_no_agreement():
    """The first search ends in the higher well, the jump leads to the lower one."""
    spreads = {}
    for iterations in range(1, 12):
        found = minimize(
            wells, BOX, [-2.0, 0.0, 0.0], method="basin_hopping", seed=1, max_iters=iterations, options={"step": 0.9}
        )
        spreads[iterations] = found.runs["spread"][0], found.fun, found.success
    first = min(k for k, (_, fun, _) in spreads.items() if fun < 0.5)
    assert 1 < first and not spreads[first][2]
    assert spreads[first][0] == pytest.approx(1.0, abs=0.01)
    assert spreads[11][2]


@pytest.mark.parametrize("method", METHODS)
def test_ftol_and_patience_end_it(method):
    agreed = minimize(bent, BOX, method=method, seed=1, ftol=1e-8)
    assert agreed.success and agreed.stop_reason == StopReason.CONVERGED and agreed.nfev < 20_000
    stalled = minimize(bent, BOX, method=method, seed=1, patience=5)
    assert stalled.stop_reason == StopReason.STALLED and stalled.nfev < 20_000
