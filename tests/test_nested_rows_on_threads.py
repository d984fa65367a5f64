"""A method that nests others has the rows of their generations on several threads, where the run is long."""

import math

import pytest

import thalweg as tw
from thalweg.kernels import Problem, nesting
from thalweg.solvers import SOLVERS
from thalweg.solvers.contract import Key, Limits
from thalweg.solvers.driving import drivers, running

BOX = [(-5.0, 5.0)] * 10


def waves(x):
    total = 0.0
    for i in range(x.size):
        z = x[i] - 0.1 * i
        total += z * z - 10.0 * math.cos(2.0 * math.pi * z) + 10.0
    return total


@pytest.fixture
def spread(monkeypatch):
    """Every second chunk is on threads, as if each were slow; how often the drivers for that were asked for."""
    asked = []

    def link(solver, state):
        asked.append(solver.name)
        original(solver, state)

    original = drivers.link_spread
    monkeypatch.setattr(drivers, "link_spread", link)
    for name, seconds in {"CHUNK": 1e-3, "PROBE": 1e-3, "TOLD": 1e-4}.items():
        monkeypatch.setattr(running, name, seconds)
    for name in ("SHORT_GENERATION", "FIRST_PROBE", "PROBE_EVERY"):
        monkeypatch.setattr(running, name, 0.0)
    return asked


def solve(**more):
    return tw.minimize(waves, BOX, method="portfolio", seed=4, max_evals=60_000, **more)


def test_the_bits_are_those_of_one_thread(spread, monkeypatch):
    alone = solve(threads=1)
    assert not spread
    monkeypatch.setattr(running, "LONG_RUN", 0.0)
    together = solve(threads=2)
    assert "portfolio" in spread
    assert together.x.tobytes() == alone.x.tobytes() and together.fun == alone.fun
    assert together.arms == alone.arms and (together.nfev, together.nit) == (alone.nfev, alone.nit)


def test_a_driver_that_is_called_is_that_for_threads(spread, monkeypatch):
    """With no driver at its address, the other one is called: so both words are read."""
    monkeypatch.setattr(running, "LONG_RUN", 0.0)
    solve(threads=2)
    serial, threads = [nesting._words[nesting._symbol("lsrtde", "Functions", way)][0] for way in ("", "_spread")]
    assert serial != 0 and threads != 0 and serial != threads
    before = solve(threads=1)
    nesting.link("lsrtde", "Functions", 0, nesting.SPREAD)
    try:
        monkeypatch.setattr(drivers, "link_spread", lambda solver, state: None)
        assert solve(threads=2).x.tobytes() == before.x.tobytes()
    finally:
        nesting.link("lsrtde", "Functions", int(threads), nesting.SPREAD)


def test_a_short_run_compiles_nothing_for_threads(spread, monkeypatch):
    monkeypatch.setattr(running, "LONG_RUN", 1e6)  # a chunk of 0.1 ms may be a hundred times as long beside others
    solve(threads=2)
    assert not spread


def test_what_is_raised_on_threads_is_raised(spread, monkeypatch):
    monkeypatch.setattr(running, "LONG_RUN", 0.0)

    def falls(x):
        if abs(x[0] - 1.234) < 0.002 and abs(x[1] + 2.3) < 0.5:  # first met by evolution
            raise ValueError("here")
        return waves(x)

    places = []
    for threads in (1, 2):
        with pytest.raises(ValueError, match="here") as raised:
            tw.minimize(falls, BOX, method="portfolio", seed=4, max_evals=60_000, threads=threads)
        places += raised.value.__notes__
        assert bool(spread) == (threads == 2)
    assert places[0] == places[1]


@pytest.mark.parametrize(
    ("method", "rows"), [("portfolio", True), ("cma_es", True), ("basin_hopping", False), ("nelder_mead", False)]
)
def test_which_methods_have_rows_for_threads(method, rows):
    solver = SOLVERS[method]
    state = solver.init(Problem(fun=waves, bounds=BOX), solver.Options(), Limits(max_evals=60_000), Key(1, 0))
    assert (drivers.rows_at_once(solver, state) > 0) == rows
