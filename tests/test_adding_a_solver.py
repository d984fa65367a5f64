"""The examples of docs/adding-a-solver.md, as they stand there."""

import pickle
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.kernels.run import RUNNING
from thalweg.solvers import SOLVERS, Optimizer, StopReason, minimize, registry

TEXT = (Path(__file__).parents[1] / "docs" / "adding-a-solver.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
BOX = [(-4.0, 5.0)] * 3


@pytest.fixture(scope="module", params=range(len(EXAMPLES)), ids=["compass_search", "random_walks"])
def solver(request):
    """The solver of an example, registered for the time of its tests."""
    module = types.ModuleType(f"example_{request.param}")
    sys.modules[module.__name__] = module
    before = dict(SOLVERS), dict(registry._state_classes)
    exec(compile(EXAMPLES[request.param], module.__name__, "exec"), vars(module))
    yield module.SOLVER
    for table, content in zip((SOLVERS, registry._state_classes), before):
        table.clear()
        table.update(content)
    del sys.modules[module.__name__]


def valley(x):
    return (x[0] - 1.0) * (x[0] - 1.0) + 4.0 * (x[1] + 2.0) * (x[1] + 2.0) + abs(x[2])


def test_it_finds_the_minimum(solver):
    result = minimize(valley, BOX, method=solver.name, seed=1, max_evals=20_000)
    assert result.fun < 0.02
    assert result.stop_reason in (StopReason.CONVERGED, StopReason.OUT_OF_BUDGET)


def test_all_ways_to_run_it_give_the_same_bits(solver, tmp_path):
    fun, call = objective(valley, precise=True), {"method": solver.name, "seed": 3, "max_evals": 700}
    expected = minimize(fun, BOX, **call)
    bound = fun.bind((), np.zeros(3))
    optimizer = Optimizer(bounds=BOX, **call)
    while not optimizer.done:
        optimizer.tell(bound.evaluate(optimizer.ask()))
        optimizer = pickle.loads(pickle.dumps(optimizer))
    python = minimize(objective(valley, compiled=False), BOX, **call)
    saved = minimize(fun, BOX, checkpoint=tmp_path / "run.npz", **call)
    again = minimize(fun, BOX, checkpoint=tmp_path / "run.npz", **call)
    for found in (optimizer.result(), python, saved, again):
        assert (found.fun, found.nfev, found.nit) == (expected.fun, expected.nfev, expected.nit)
        assert (found.x == expected.x).all()


def test_it_has_the_stops_of_all(solver):
    assert minimize(valley, BOX, method=solver.name, seed=1, target=5.0).stop_reason == StopReason.REACHED_TARGET
    assert minimize(valley, BOX, method=solver.name, seed=1, max_evals=50).nfev == 50
    assert RUNNING == 0
