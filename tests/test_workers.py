"""`workers=`: a generation evaluated side by side gives the answer that one thread gives."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
from multiprocessing.pool import ThreadPool

import pytest

from thalweg.kernels import objective
from thalweg.orchestration import cluster, restarts
from thalweg.solvers import SOLVERS, minimize

BOX = [(-5.0, 5.0)] * 3
CALL = {"method": "lshade", "seed": 4, "max_evals": 130, "options": {"population": 12}}


class Broken(Exception):
    pass


def bowl(x, shift=0.5):
    return float(((x - shift) * (x - shift)).sum())


def broken(x):
    if x[0] > 1.0:
        raise Broken("beyond 1")
    return float(x[0])


def undefined(x):
    return 1 / 0 if x[0] > 0 else float(x[0])


def fatal(x):
    os._exit(3)


@pytest.fixture(scope="module")
def expected():
    return minimize(objective(bowl, compiled=False), BOX, args=(0.25,), **CALL)


def same(found, expected):
    return found.fun == expected.fun and (found.x == expected.x).all() and found.nfev == expected.nfev


@pytest.mark.parametrize("workers", [1, 2, map])
def test_the_answer_is_the_same_whatever_the_number(workers, expected):
    assert same(minimize(bowl, BOX, args=(0.25,), workers=workers, **CALL), expected)


@pytest.mark.parametrize("vectorized", [False, True])
def test_a_pool_of_threads_and_batches(vectorized, expected):
    def batch(x, shift):
        return ((x - shift) * (x - shift)).sum(axis=1)

    fun = objective(batch, vectorized=True) if vectorized else bowl
    with ThreadPool(2) as pool:
        assert same(minimize(fun, BOX, args=(0.25,), workers=pool.map, **CALL), expected)


def test_a_dask_client(expected):
    with cluster(workers=2) as client:
        found = minimize(bowl, BOX, args=(0.25,), workers=client, **CALL)
        assert same(found, expected) and found.objective == "python, a Dask client"
        many = restarts(bowl, BOX, args=(0.25,), runs=2, workers=client, **CALL)
    assert many.runs["fun"][0] == expected.fun


def test_restarts():
    alone = restarts(objective(bowl, compiled=False), BOX, runs=3, **CALL)
    spread = restarts(bowl, BOX, runs=3, workers=map, **CALL)
    assert (alone.runs["fun"] == spread.runs["fun"]).all() and (alone.runs["x"] == spread.runs["x"]).all()
    assert spread.objective == "python, a map"


@pytest.mark.parametrize("workers", [-1, map])
def test_what_the_objective_raises_appears_as_itself(workers):
    with pytest.raises(Broken, match="beyond 1") as caught:
        minimize(broken, BOX, workers=workers, **CALL)
    assert "raised by the objective at x" in caught.value.__notes__[0]


def test_values_that_python_cannot_compute_are_nan():
    found = minimize(undefined, BOX, workers=map, **CALL)
    assert found.n_failed > 0 and found.x[0] <= 0


def test_a_process_that_dies_is_said():
    with pytest.raises(RuntimeError, match="workers: a process died"):
        minimize(fatal, BOX, workers=2, **CALL)
    until = time.monotonic() + 10  # a process that is told to end takes a moment
    while multiprocessing.active_children() and time.monotonic() < until:
        time.sleep(0.01)  # the pool's thread needs the lock to say that it has seen the end
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": 2}, "workers: got it together with threads, expected one of them"),
        ({"device": "cuda"}, "workers: device='cuda' evaluates by itself"),
        ({"method": "nelder_mead", "options": None}, "workers: nelder_mead evaluates one point at a time"),
        ({"workers": 0}, "workers: got 0, expected a number of processes"),
        ({"workers": "two"}, "workers: got 'two', expected a whole number"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        minimize(bowl, BOX, **{**CALL, "workers": 2, **arguments})


def test_restarts_refuse_a_client_beside_workers():
    with pytest.raises(ValueError, match="workers: got it together with client"):
        restarts(bowl, BOX, workers=2, client=object(), **CALL)


def test_a_map_that_loses_points():
    with pytest.raises(ValueError, match="workers: the map gave 11 values for 12 points"):
        minimize(bowl, BOX, workers=lambda function, points: [function(x) for x in points[1:]], **CALL)


@pytest.mark.parametrize("name", [name for name, solver in SOLVERS.items() if solver.rows is not None])
def test_every_method_with_rows(name):
    call = {"method": name, "seed": 2, "max_evals": 60}
    assert same(
        minimize(bowl, BOX, workers=map, **call),
        minimize(objective(bowl, compiled=False), BOX, **call),
    )


def test_a_script_needs_no_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        from thalweg.solvers import minimize
        print("once")
        def mine(x):
            return float(x[0] * x[0])
        print(minimize(mine, [(-1, 1)], workers=2, method="de", seed=1, max_evals=50).nfev)
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["once", "50"], done.stderr


def test_two_workers_really_work_at_once():
    def where(x):
        time.sleep(0.02)
        return float(os.getpid())

    found = minimize(where, BOX, workers=2, method="random_search", seed=1, max_evals=16)
    assert found.fun != os.getpid() and found.fun > 0
