"""Every solver gives the answers of data/answers.json, bit for bit, in every mode. See answers.py."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from thalweg.orchestration import cluster, islands, restarts
from thalweg.solvers import SOLVERS, Optimizer, StopReason, minimize

from .by_path import load_file

answers = load_file(Path(__file__).with_name("answers.py"))
CASES, RESTARTS, bits, bits_of_runs = answers.CASES, answers.RESTARTS, answers.bits, answers.bits_of_runs
ANSWERS = json.loads(answers.FILE.read_text("utf-8"))
OLD_SOLVERS = answers.METHODS
ON_WORKERS = ("mixed", "joint")  # the problems that are sent to a cluster: with whole numbers, with arrays


def pairs(mode, names=tuple(CASES)):
    """A test for each method and problem that has an answer, named by them."""
    found = [(method, name) for method, of in ANSWERS[mode].items() for name in of if name in names]
    return pytest.mark.parametrize(("method", "name"), found, ids=["-".join(pair) for pair in found])


def compare(mode, method, name, found):
    expected = ANSWERS[mode][method][name]
    changed = {key: {"expected": expected[key], "found": found.get(key)} for key in expected}
    changed = {key: both for key, both in changed.items() if both["expected"] != both["found"]}
    assert not changed, f"{method} on {name} has other bits than {ANSWERS['written by']}"


# --- how the inside is reached -------------------------------------------------------------------------------------


def parallel_rows(case, method, rows):
    """A run whose rows are spread over threads, at most `rows` evaluations at a time."""
    from thalweg.solvers.driving import drivers

    optimizer, bound = begun(case, method)
    advance = drivers.parallel(SOLVERS[method])
    while not optimizer.done:
        advance(bound.problem(), optimizer.state, rows)
    return optimizer.result()


@pytest.fixture
def eager_callbacks(monkeypatch):
    """Callbacks after each chunk, not only every 0.1 s, so that a short run can be cut in its midst."""
    monkeypatch.setattr(sys.modules["thalweg.solvers.driving.hooks"], "CALLBACK_EVERY", 0.0)
    monkeypatch.setattr(sys.modules["thalweg.solvers.driving.running"], "GROWTH", 4)


def begun(case, method):
    """An Optimizer, and the compiled objective to evaluate what it asks."""
    arguments = case.arguments(method)
    bound = case.objective().bind(arguments.pop("args", ()), np.zeros(len(arguments["bounds"])))
    return Optimizer(**arguments), bound


# --- one run -----------------------------------------------------------------------------------------------------


def test_there_are_answers_of_every_solver_that_was_moved_and_of_every_problem():
    for mode, without in (("serial", ()), ("restarts", ()), ("islands", answers.NO_POPULATION)):
        assert set(ANSWERS[mode]) == set(OLD_SOLVERS) - set(without)
        assert all(set(of) == set(CASES) for of in ANSWERS[mode].values())


@pairs("serial")
def test_serial(method, name):
    compare("serial", method, name, answers.serial(CASES[name], method))


@pairs("serial")
@pytest.mark.parametrize("rows", [13, 10**9])
def test_parallel_rows(method, name, rows):
    compare("serial", method, name, bits(parallel_rows(CASES[name], method, rows)))


@pairs("serial")
def test_ask_and_tell(method, name):
    optimizer, bound = begun(CASES[name], method)
    while not optimizer.done:
        x = optimizer.ask()
        if len(x) % 2 == 1:
            optimizer = pickle.loads(pickle.dumps(optimizer))
        optimizer.tell(bound.evaluate(x))
    compare("serial", method, name, bits(optimizer.result()))


@pairs("serial")
def test_objective_in_python(method, name, monkeypatch):
    """The same bits as compiled; what ends a run in Python by default, where its values agree, aside."""
    case = CASES[name]
    monkeypatch.setattr(sys.modules["thalweg.solvers.minimize"], "with_default_ftol", lambda call, bound: call)
    result = minimize(case.objective(compiled=False), **case.arguments(method))
    assert result.objective == "python"
    compare("serial", method, name, bits(result))


def interrupt_and_resume(case, method, evaluations, path, **more):
    """Stop after some evaluations, then go on by the same call."""

    def stop(intermediate_result):
        if intermediate_result.nfev >= evaluations:
            raise StopIteration

    arguments = {"checkpoint": path, "threads": 1} | more | case.arguments(method)
    cut = minimize(case.objective(), callback=stop, **arguments)
    assert cut.stop_reason == StopReason.CALLBACK and cut.nfev >= evaluations
    return minimize(case.objective(), **arguments)


@pairs("serial")
def test_checkpoint(method, name, tmp_path, eager_callbacks):
    evaluations = ANSWERS["serial"][method][name]["nfev"] // 5  # chunks grow fourfold
    resumed = interrupt_and_resume(CASES[name], method, evaluations, tmp_path / "run.npz")
    compare("serial", method, name, bits(resumed))


# --- several runs ------------------------------------------------------------------------------------------------


@pairs("restarts")
@pytest.mark.parametrize("threads", [1, 2])
def test_restarts_of_minimize(method, name, threads):
    case = CASES[name]
    result = minimize(case.objective(), restarts=RESTARTS, threads=threads, **case.arguments(method))
    compare("restarts", method, name, bits_of_runs(result))


@pairs("restarts")
def test_restarts_with_a_checkpoint(method, name, tmp_path, eager_callbacks):
    evaluations = ANSWERS["serial"][method][name]["nfev"] + 1  # in the second run
    if "target" in CASES[name].common:
        evaluations = 1  # the first run is the last one
    resumed = interrupt_and_resume(CASES[name], method, evaluations, tmp_path / "run.npz", restarts=RESTARTS)
    compare("restarts", method, name, bits_of_runs(resumed))


@pairs("restarts")
def test_restarts(method, name):
    case = CASES[name]
    result = restarts(case.objective(), runs=RESTARTS, **case.arguments(method))
    compare("restarts", method, name, bits_of_runs(result))


@pairs("islands")
@pytest.mark.parametrize("threads", [1, 2])
def test_islands(method, name, threads):
    compare("islands", method, name, answers.apart(CASES[name], method, threads=threads))


@pytest.mark.parametrize("method", answers.NO_POPULATION)
def test_islands_need_a_population(method):
    with pytest.raises(ValueError, match="keeps no population"):
        islands(answers.early, [(-5, 5)] * 2, method=method)


# --- on a cluster ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    with cluster(workers=2) as client:
        yield client


@pairs("restarts", ON_WORKERS)
def test_restarts_on_workers(method, name, client):
    case = CASES[name]
    result = restarts(case.objective(), runs=RESTARTS, client=client, **case.arguments(method))
    compare("restarts", method, name, bits_of_runs(result))


@pairs("islands", ON_WORKERS)
def test_islands_on_workers(method, name, client):
    compare("islands", method, name, answers.apart(CASES[name], method, client=client))
