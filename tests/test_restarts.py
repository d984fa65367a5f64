"""Restarts: the same bits however they are carried out, the journal, the target, what is refused and what failed."""

import math

import numpy as np
import pytest

from thalweg.kernels import Problem, objective
from thalweg.orchestration import read_journal, restarts
from thalweg.solvers import minimize

BOX = [(-5.12, 5.12)] * 4


def rastrigin(x):
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i]) + 10.0
    return total


def in_python(x):
    return float(((x - 1.0) ** 2).sum())


def bits(result):
    return [result.runs[name].tobytes() for name in ("run", "fun", "nfev", "nit", "stop", "x")]


def call(**changes):
    return restarts(rastrigin, BOX, **({"runs": 12, "max_evals": 900, "seed": 7, "method": "lshade"} | changes))


def test_each_run_is_that_of_minimize():
    one = minimize(rastrigin, BOX, restarts=12, max_evals=900, seed=7, method="lshade")
    assert bits(call()) == bits(one)
    assert call().fun == one.fun and (call().x == one.x).all()


def test_the_bits_do_not_hang_on_threads():
    assert bits(call(threads=1)) == bits(call(threads=2)) == bits(call(threads=5))


def test_with_a_target_the_answer_is_that_of_the_first_runs():
    values = call().runs["fun"]
    target = float(np.sort(values)[3])
    first = int(np.flatnonzero(values <= target)[0])
    for threads in (1, 3):
        found = call(target=target, threads=threads)
        assert len(found.runs) == first + 1 and found.success and found.stop_reason.name == "REACHED_TARGET"
        assert found.runs["run"].tolist() == list(range(first + 1))
    missed = call(target=-1.0)
    assert not missed.success and "target was not reached" in missed.message and len(missed.runs) == 12


def test_a_journal_is_resumed_to_the_same_bits(tmp_path):
    journal = tmp_path / "fit.jsonl"
    whole = call()
    call(runs=5, journal=journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4]) + lines[4][: len(lines[4]) // 2])  # a crash in the middle of a line
    resumed = call(journal=journal)
    assert bits(resumed) == bits(whole) and resumed.fun == whole.fun
    header, records, failures = read_journal(journal)
    assert sorted(records) == list(range(12)) and not failures
    assert header["seed"] == 7 and header["method"] == "lshade" and "numba" in header["versions"]
    before = journal.read_bytes()
    assert bits(call(journal=journal)) == bits(whole)
    assert len(journal.read_bytes().splitlines()) <= len(before.splitlines()) + 1  # nothing was done anew


def test_a_journal_brings_its_seed(tmp_path):
    journal = tmp_path / "fit.jsonl"
    first = call(seed=None, runs=3, journal=journal)
    assert bits(call(seed=None, runs=3, journal=journal)) == bits(first)


@pytest.mark.parametrize("changes", [{"seed": 8}, {"max_evals": 901}, {"method": "jso"}, {"options": {"memory": 5}}])
def test_a_journal_of_another_call_is_refused(tmp_path, changes):
    journal = tmp_path / "fit.jsonl"
    call(runs=2, journal=journal)
    with pytest.raises(ValueError, match=r"journal: .*another"):
        call(runs=2, journal=journal, **changes)


def test_a_problem_and_whole_numbers():
    problem = Problem(fun=rastrigin, bounds=[(-5, 5)] * 3, integrality=[True, False, True])
    found = restarts(problem, runs=4, max_evals=600, seed=1)
    assert (found.x[[0, 2]] == np.rint(found.x[[0, 2]])).all() and len(found.runs) == 4


def test_an_objective_in_python():
    found = restarts(objective(in_python, compiled=False), BOX, runs=3, max_evals=500, seed=2, method="de")
    assert found.objective == "python" and found.threads == 1
    twice = restarts(objective(in_python, compiled=False), BOX, runs=3, max_evals=500, seed=2, method="de", threads=2)
    assert bits(found) == bits(twice)


def test_what_raises_is_said(tmp_path):
    def shaky(x):
        if x[0] > 4.9:
            raise ArithmeticError("too far")
        return float((x * x).sum())

    shaky_objective = objective(shaky, compiled=False)
    found = restarts(
        shaky_objective, [(-5, 5)], runs=30, max_evals=30, seed=1, retries=1, method="lshade", journal=tmp_path / "j"
    )
    assert 0 < len(found.failures) < 30 and len(found.runs) + len(found.failures) == 30
    failure = found.failures[0]
    assert failure["kind"] == "raised" and failure["attempts"] == 2 and "too far" in failure["error"]
    assert f"{len(found.failures)} of 30 runs came to nothing" in found.message
    assert set(read_journal(tmp_path / "j")[2]) == {f["unit"] for f in found.failures}


def test_where_all_runs_raise_the_first_is_shown():
    def broken(x):
        if x.sum() != 0.12345:
            raise ArithmeticError("always")
        return 0.0

    checked = objective(broken, compiled=False, check=False)
    with pytest.raises(RuntimeError, match="all 3 came to nothing: 3 raised") as caught:
        restarts(checked, BOX, runs=3, max_evals=50, retries=0)
    assert isinstance(caught.value.__cause__, ArithmeticError)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": 0}, "runs: got 0"),
        ({"runs": 2.5}, "runs: got 2.5"),
        ({"threads": 0}, "threads: got 0"),
        ({"retries": -1}, "retries: got -1"),
        ({"task_timeout": 0}, "task_timeout: got 0"),
        ({"max_time": -1}, "max_time: got -1"),
        ({"total_evals": 0}, "total_evals: got 0"),
        ({"total_evals": 299, "max_evals": 300}, "total_evals: got 299, expected at least 300, those of one run"),
        ({"method": "simplex"}, "method: "),
    ],
)
def test_refused(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call(**changes)


def test_max_time_returns_what_is_done():
    found = restarts(objective(in_python, compiled=False), BOX, runs=100_000, max_evals=300, seed=1, max_time=0.3)
    assert found.stop_reason.name == "OUT_OF_TIME" and 0 < len(found.runs) < 100_000


def test_coordinated_restarts_have_the_same_bits_and_go_on_from_a_journal(tmp_path):
    settings = {"coordinated": True, "round_size": 4, "max_evals": 300, "seed": 3, "method": "auto"}
    one, two = (call(runs=14, threads=threads, **settings) for threads in (1, 3))
    assert bits(one) == bits(two) and one.method == "cma_es" and len(one.runs) == 14
    call(runs=6, journal=tmp_path / "fit.jsonl", **settings)
    assert bits(call(runs=14, journal=tmp_path / "fit.jsonl", **settings)) == bits(one)
    with pytest.raises(ValueError, match="round_size"):
        call(runs=14, journal=tmp_path / "fit.jsonl", **(settings | {"round_size": 5}))
    other = call(runs=14, **(settings | {"round_size": 7}))
    assert bits(other) != bits(one)


def test_coordinated_restarts_end_at_the_target():
    found = call(runs=100, coordinated=True, max_evals=None, target=1e-6, method="auto")
    assert found.success and found.fun <= 1e-6 and len(found.runs) < 100
    with pytest.raises(ValueError, match="round_size: got 5, expected coordinated=True"):
        call(round_size=5)


def test_coordinated_restarts_need_a_box():
    open_box = {"bounds": [(0, None)] * 2, "x0": [1.0, 2.0], "method": "nelder_mead", "runs": 2, "seed": 1}
    assert restarts(rastrigin, **open_box).success
    with pytest.raises(ValueError, match=r"variable 0 has \(0.0, inf\), expected a finite box: a coordinated search"):
        restarts(rastrigin, coordinated=True, **open_box)


@pytest.mark.parametrize("coordinated", [False, True])
def test_total_evals_is_kept_and_used(coordinated):
    settings = {"coordinated": coordinated, "max_evals": 300, "seed": 3, "method": "jso"}
    found, longer = call(runs=1000, total_evals=30_000, **settings), call(runs=10, **settings)
    best = found.runs[np.lexsort((found.runs["run"], found.runs["fun"]))[0]]
    assert 29_000 < found.nfev <= 30_000 and found.success == (best["spread"] <= 1e-8 * (1 + abs(found.fun)))
    assert (found.runs["fun"][:10] == longer.runs["fun"]).all()
