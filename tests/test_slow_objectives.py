"""Objectives in Python, which may take long: a converged run ends, each call counts, the time that is left is told."""

import ctypes
import time

import numpy as np
import pytest

import thalweg as tw
from thalweg import StopReason, objective
from thalweg.solvers.driving.progress import Progress

BOX = [(-5.0, 5.0)] * 2
POPULATIONS = ("auto", "lshade", "jso", "lsrtde", "de")


def bowl(x):
    return float((x[0] - 1.0) ** 2 + (x[1] - 2.0) ** 2)


class Counting:
    def __init__(self):
        self.calls = 0

    def one(self, x):
        self.calls += 1
        return bowl(x)

    def many(self, x):
        self.calls += len(x)
        return np.array([bowl(row) for row in x])


# --- a run that has converged ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", POPULATIONS)
def test_a_converged_run_in_python_ends(method):
    call = {"method": method, "seed": 1}
    for function in (objective(bowl, compiled=False), objective(Counting().many, vectorized=True)):
        found = tw.minimize(function, BOX, **call)
        assert found.stop_reason is StopReason.CONVERGED and found.success and found.nfev < 10_000
        np.testing.assert_allclose(found.x, [1, 2], atol=1e-3)
        if method == "auto":
            continue  # compiled, it has exact gradients
        asked = tw.minimize(
            bowl, BOX, ftol=1e-8, polish=False, **call
        )  # the documented default, by name, of compiled code
        assert (found.nfev, found.fun) == (asked.nfev, pytest.approx(asked.fun))


def test_what_asks_for_more_gets_it():
    """A target, or an ftol of one's own; and compiled objectives, which are fast, go on as before."""
    plain = objective(bowl, compiled=False)
    call = {"method": "de", "seed": 1, "max_evals": 3000}
    default = tw.minimize(plain, BOX, **call).nfev
    assert default < 2000
    assert tw.minimize(plain, BOX, ftol=1e-3, **call).nfev < default
    assert tw.minimize(plain, BOX, ftol=1e-12, **call).nfev > default
    assert tw.minimize(plain, BOX, target=1e-20, **call).fun <= 1e-20
    assert tw.minimize(bowl, BOX, **call).stop_reason is not StopReason.CONVERGED


@pytest.mark.parametrize("method", ["cma_es", "nelder_mead", "simulated_annealing", "random_search"])
def test_methods_that_begin_anew_or_end_by_themselves_have_no_default(method):
    call = {"method": method, "seed": 1, "max_evals": 600}
    found, compiled = (tw.minimize(f, BOX, **call) for f in (objective(bowl, compiled=False), bowl))
    assert (found.nfev, found.stop_reason) == (compiled.nfev, compiled.stop_reason)


def test_restarts_have_the_same_default(tmp_path):
    call = {"method": "de", "seed": 1, "runs": 3}
    found = tw.restarts(objective(bowl, compiled=False), BOX, journal=tmp_path / "runs.jsonl", **call)
    assert set(found.runs["stop"]) == {StopReason.CONVERGED}
    np.testing.assert_array_equal(found.runs["nfev"], tw.restarts(bowl, BOX, ftol=1e-8, **call).runs["nfev"])
    again = tw.restarts(objective(bowl, compiled=False), BOX, journal=tmp_path / "runs.jsonl", **call)
    assert again.resumed == 3


# --- each call counts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", tw.SOLVERS)
@pytest.mark.parametrize("max_evals", [1, 2, 7, 100])
def test_a_function_is_called_as_often_as_nfev_says(method, max_evals):
    for how in ({"compiled": False}, {"vectorized": True}):
        for more in (
            {},
            {"restarts": 3},
            {"progress": False, "callback": lambda x: None, "callback_every": "generation"},
        ):
            count = Counting()
            function = objective(count.many if "vectorized" in how else count.one, **how)
            found = tw.minimize(function, BOX, method=method, seed=1, max_evals=max_evals, **more)
            assert count.calls == found.nfev == sum(found.runs["nfev"])
            # what differences cost is known when they are done
            assert (found.runs["nfev"] <= max_evals).all() or "gradient" in tw.SOLVERS[method].asks


def test_many_runs_islands_searches_and_maps_count_alike():
    call = {"method": "de", "seed": 1, "max_evals": 50}
    for door, more in (
        (tw.restarts, {"runs": 4}),
        (tw.islands, {"islands": 3}),
        (tw.minimize, {"workers": map}),
        (tw.restarts, {"runs": 4, "workers": map}),
    ):
        count = Counting()
        found = door(objective(count.one, compiled=False), BOX, **call, **more)
        assert count.calls == found.nfev
    for search, more in ((tw.grid_search, {"levels": 5}), (tw.random_search, {"points": 25, "seed": 1})):
        count = Counting()
        assert search(objective(count.one, compiled=False), BOX, **more).nfev == count.calls == 25


def test_a_compiled_objective_that_is_heard_is_called_no_more_often_than_it_counts(capfd):
    """No sample is taken to measure what it costs where somebody may count; the check of the plain function stays."""

    def prints(x):
        print("called")
        return x[0] ** 2 + x[1] ** 2

    def calls_one_that_prints(x):
        return prints(x)

    for function in (prints, calls_one_that_prints):
        for max_evals in (1, 2, 2000):
            capfd.readouterr()
            plain = objective(function, check=False)
            found = tw.minimize(plain, BOX, method="de", seed=1, max_evals=max_evals, threads=1)
            assert capfd.readouterr().out.count("called") == found.nfev == max_evals
            assert np.isnan(found.timing["evaluate"])
        tw.minimize(function, BOX, method="de", seed=1, max_evals=2, threads=1)
        assert 2 <= capfd.readouterr().out.count("called") <= 2 + 4


def test_a_c_function_is_called_as_often_as_nfev_says():
    count = Counting()
    form = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    found = tw.minimize(form(lambda n, x: count.one(x)), BOX, method="de", seed=1, max_evals=2000, threads=1)
    assert count.calls == found.nfev == 2000
    assert tw.minimize(quiet, BOX, method="de", seed=1, max_evals=50_000, threads=1).timing["evaluate"] > 0


def quiet(x):
    return (x[0] - 1.0) ** 2 + (x[1] - 2.0) ** 2


# --- what is left is told ---------------------------------------------------------------------------------------------


class AtWork:
    """A session as the progress display sees it."""

    max_time, records = None, ()

    def __init__(self, evaluations, iterations, max_time=None):
        self.evaluations, self.iterations, self.max_time = evaluations, iterations, max_time

    def best_so_far(self):
        return 1.0, np.zeros(2), self.evaluations, self.iterations

    def seconds(self):
        return 10.0


def line(session, planned=1000, had=0):
    shown = Progress("de", planned, 1, had)
    shown.session, shown.begin = session, time.perf_counter() - 10.0
    return shown._line()


def test_the_time_left_is_told_after_the_first_generation():
    assert "left" not in line(AtWork(5, 0))
    assert "at most 90.0 s left" in line(AtWork(100, 5)) or "at most 0:01:30 left" in line(AtWork(100, 5))
    assert "at most 30.0 s left" in line(AtWork(100, 5, max_time=40.0))
    assert "at most 30.0 s left" in line(AtWork(100, 5, max_time=40.0), planned=None)
    assert "left" not in line(AtWork(100, 5), planned=None)
    assert "at most 10:00:00 left" in line(AtWork(10, 1), planned=36_010)  # an objective of a second


def test_what_a_checkpoint_brought_is_not_taken_for_speed():
    """100 of 1,000 in 10 s, after 500 that were there: 40 s for the other 400."""
    assert "at most 40.0 s left" in line(AtWork(600, 5), had=500)
