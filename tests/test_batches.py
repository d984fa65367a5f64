"""Short runs in one compiled loop: each is the run that it is alone."""

import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.kernels.run import RUNNING
from thalweg.orchestration import read_journal, restarts
from thalweg.solvers import SOLVERS, StopReason, minimize
from thalweg.solvers.driving import batches
from thalweg.solvers.driving.call import begin, bind, parse_call, start
from thalweg.solvers.driving.result import run_dtype

BOX = [(-5.0, 10.0)] * 2
RUNS = 1000  # enough for batches


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1.0 - x[0]) * (1.0 - x[0])


def alone(call, index):
    run = start(call, index, bind(call))
    while run.stop == RUNNING:
        run.step()
    return run


@pytest.fixture
def counted(monkeypatch):
    """How many runs went through a compiled loop."""
    sizes, run = [], batches.Batches.run

    def counting(self, first, count):
        rows, history = run(self, first, count)
        sizes.append(len(rows))
        return rows, history

    monkeypatch.setattr(batches.Batches, "run", counting)
    return sizes


@pytest.mark.parametrize("name", SOLVERS)
def test_a_run_in_a_batch_is_the_run_alone(name):
    call = parse_call(rosenbrock, BOX, method=name, seed=7, max_evals=90)
    loop = batches.Batches(call.solver, begin(call, 0), bind(call), run_dtype(2))
    rows, history = loop.run(3, 9)
    best = np.argmin(rows["fun"])
    for k, row in enumerate(rows):
        run = alone(call, 3 + k)
        assert row["run"] == 3 + k and row["stop"] == run.stop
        assert (row["fun"], row["nfev"], row["nit"]) == (run.best[0], run.best[2], run.best[3])
        assert (row["x"] == run.best[1]).all()
        if k == best:
            assert (history == run.state.run.history[: len(history)]).all() and history[-1, 1] == row["fun"]


@pytest.mark.parametrize("threads", [1, 2])
def test_both_doors_give_the_same_runs(threads, counted):
    call = {"method": "lshade", "seed": 1, "max_evals": 120}
    few = minimize(rosenbrock, BOX, restarts=20, threads=threads, **call)
    assert not counted
    many = minimize(rosenbrock, BOX, restarts=RUNS, threads=threads, **call)
    assert sum(counted) > RUNS / 2
    other = restarts(rosenbrock, BOX, runs=RUNS, threads=threads, **call)
    for name in ("run", "fun", "nfev", "nit", "n_failed", "stop", "spread", "x"):
        assert (many.runs[name] == other.runs[name]).all()
        assert (many.runs[name][:20] == few.runs[name]).all()
    assert many.fun == many.runs["fun"].min() == many.history["best"][-1]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_target_ends_all_at_the_same_run(threads, counted):
    call = {"method": "de", "seed": 5, "max_evals": 300}
    values = minimize(rosenbrock, BOX, restarts=RUNS, threads=threads, **call).runs["fun"]
    target = np.sort(values)[3]
    first = np.flatnonzero(values <= target)[0]
    found = minimize(rosenbrock, BOX, restarts=RUNS, threads=threads, target=target, **call)
    other = restarts(rosenbrock, BOX, runs=RUNS, threads=threads, target=target, **call)
    assert len(found.runs) == len(other.runs) <= first + 1
    assert found.stop_reason == StopReason.REACHED_TARGET and found.success
    assert (found.runs["fun"] == other.runs["fun"]).all() and (found.x == other.x).all()
    assert found.history["best"][-1] == found.fun


def test_an_exception_is_that_of_the_first_run_that_meets_it(counted):
    def steep(x):
        if x[0] > 9.999:
            raise ValueError("too far")
        return x[0] * x[0]

    call = {"method": "random_search", "seed": 2, "max_evals": 50}
    caught = []
    for threads in (1, 2):
        with pytest.raises(ValueError, match="too far") as error:
            minimize(steep, BOX, restarts=2000, threads=threads, **call)
        caught.append(error.value.x.tolist())
    assert caught[0] == caught[1] and caught[0][0] > 9.999 and counted


def test_a_run_that_raises_costs_the_others_nothing(counted):
    def steep(x):
        if x[0] > 9.999:
            raise ValueError("too far")
        return x[0] * x[0]

    result = restarts(steep, BOX, runs=2000, method="random_search", seed=2, max_evals=50, retries=0)
    assert 0 < len(result.failures) < 40 and len(result.runs) + len(result.failures) == 2000
    assert all("too far" in failure["error"] for failure in result.failures) and counted


def test_a_journal_holds_them_all(tmp_path, counted):
    path = tmp_path / "runs.jsonl"
    call = {"method": "lshade", "seed": 3, "max_evals": 80}
    first = restarts(rosenbrock, BOX, runs=RUNS, journal=path, **call)
    assert len(read_journal(path)[1]) == RUNS and counted
    longer = restarts(rosenbrock, BOX, runs=RUNS + 100, journal=path, **call)
    assert longer.resumed == RUNS and (longer.runs["fun"][:RUNS] == first.runs["fun"]).all()


def test_a_checkpoint_goes_on_with_them(tmp_path):
    call = {"method": "lshade", "seed": 3, "max_evals": 80, "restarts": RUNS, "threads": 2}
    whole = minimize(rosenbrock, BOX, **call)
    path = tmp_path / "runs.npz"

    def stop(intermediate_result):
        raise StopIteration

    cut = minimize(rosenbrock, BOX, checkpoint=path, callback=stop, **call)
    resumed = minimize(rosenbrock, BOX, checkpoint=path, **call)
    assert len(cut.runs) <= RUNS
    assert (resumed.runs["fun"] == whole.runs["fun"]).all() and (resumed.x == whole.x).all()


def test_objectives_in_python_run_one_by_one(counted):
    result = minimize(objective(rosenbrock, compiled=False), BOX, restarts=RUNS, method="de", seed=1, max_evals=20)
    assert len(result.runs) == RUNS and not counted


def test_the_clock_ends_them():
    result = minimize(rosenbrock, BOX, restarts=10**7, method="lshade", seed=1, max_evals=100, max_time=0.5)
    assert result.stop_reason == StopReason.OUT_OF_TIME and 100 < len(result.runs) < 10**7
