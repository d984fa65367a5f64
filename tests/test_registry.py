"""What `register` refuses, and what a solver's own faults come to."""

import dataclasses
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from thalweg.kernels.compile.fingerprint import type_text
from thalweg.kernels.compile.jit import inlined
from thalweg.kernels.compile.structures import Vector, classes, numba_type, record
from thalweg.kernels.run import Run, evaluate, make_run
from thalweg.solvers import SOLVERS, Optimizer, minimize, register, registry
from thalweg.solvers.contract import Solver


@dataclasses.dataclass(frozen=True)
class Options:
    pass


class IdleState(NamedTuple):
    x: Vector
    run: Run


def init(domain, options, limits, key):
    return IdleState(np.zeros(domain.dimension), make_run(domain.dimension, limits, key))


@inlined
def iterate(problem, state):
    """Evaluates once, and then only thinks."""
    if state.run.now[0].iteration == 0:
        evaluate(problem, state.x, state.run)


IDLE = Solver("idle", "it makes no evaluation", Options, IdleState, init, iterate=iterate)


@pytest.fixture
def registered():
    """Solvers that a test registers are gone afterwards."""
    before = dict(SOLVERS), dict(registry._state_classes)
    yield register
    for table, content in zip((SOLVERS, registry._state_classes), before):
        table.clear()
        table.update(content)


def sphere(x):
    return (x * x).sum()


def test_two_solvers_of_one_name(registered):
    registered(IDLE)
    registered(IDLE)  # the same one again is no other
    with pytest.raises(ValueError, match="another one of the name 'de'"):
        registered(dataclasses.replace(IDLE, name="de"))
    assert SOLVERS["de"] is not IDLE


def test_a_state_whose_class_name_is_taken(registered):
    class LshadeState(NamedTuple):
        x: Vector
        run: Run

    with pytest.raises(ValueError, match=r"solver twin: .*a class LshadeState.*solvers\.population\.lshade"):
        registered(dataclasses.replace(IDLE, name="twin", State=LshadeState))
    assert "twin" not in SOLVERS


@pytest.mark.parametrize("changes", [{"iterate": None}, {"rows": SOLVERS["de"].rows}])
def test_a_solver_has_one_way_to_iterate(registered, changes):
    with pytest.raises(ValueError, match="either `iterate` or `rows`"):
        registered(dataclasses.replace(IDLE, **changes))


def test_a_solver_asks_for_what_there_is(registered):
    with pytest.raises(ValueError, match="idle: asks for a_crystal_ball; there are value, gradient"):
        registered(dataclasses.replace(IDLE, asks=frozenset({"value", "a_crystal_ball"})))


def test_a_method_asked_for_what_the_problem_lacks(registered):
    registered(dataclasses.replace(IDLE, asks=frozenset({"value", "constraints"})))
    with pytest.raises(ValueError, match="method: idle asks for constraints, which this problem does not have"):
        minimize(sphere, [(-1, 1)], method="idle")


def test_a_solver_that_makes_no_evaluation_does_not_hang(registered):
    registered(IDLE)
    with pytest.raises(RuntimeError, match="idle: a fault of the solver: 1000000 iterations without an evaluation"):
        minimize(sphere, [(-1, 1)], method="idle", seed=1)


def test_every_state_is_made_of_classes_of_its_own():
    """Numba tells named tuples apart by the name of their class alone."""
    known = {}
    for solver in SOLVERS.values():
        for name, kind in classes(solver.State).items():
            assert known.setdefault(name, kind) is kind, f"{solver.name}: two classes are called {name}"


def test_the_key_of_the_cache_tells_the_modules_of_states_apart():
    class OneState(NamedTuple):
        x: Vector

    text = type_text(numba_type(OneState))
    numba_type.cache_clear()
    OneState.__module__ = "elsewhere"
    assert type_text(numba_type(OneState)) != text


def test_a_record_has_no_field_that_python_hides():
    with pytest.raises(ValueError, match="size"):
        record(size="i8")  # array[0].size is 1


TWIN = """
import dataclasses, sys, types
import numpy as np
from thalweg.solvers import SOLVERS, minimize, register
from thalweg.solvers.population import differential_evolution as de
source = open(de.__file__).read().replace("DifferentialEvolutionState", "TwinState").replace('"de"', '"twin"')
twin = types.ModuleType("thalweg.solvers.population.twin")
sys.modules[twin.__name__] = twin
twin.__package__ = de.__package__
exec(compile(source, de.__file__, "exec"), vars(twin))
register(twin.SOLVER)
a, b = (minimize(lambda x: (x * x).sum(), [(-5, 5)] * 3, method=m, seed=1, max_evals=500).fun for m in METHODS)
print(a == b, float(a))
"""


@pytest.mark.slow
def test_a_twin_of_a_solver_and_the_solver_do_not_break_each_other(tmp_path, monkeypatch):
    """Within a process and through the cache on the disk, whichever comes first."""
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))
    answers = set()
    for methods in (("de", "twin"), ("twin", "de")):
        code = TWIN.replace("METHODS", repr(methods))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        answers.add(done.stdout)
    assert len(answers) == 1 and answers.pop().startswith("True")


@pytest.mark.parametrize("array", [np.array([1, 2]), np.zeros((2, 2))[:, 0], np.zeros(2, np.float32), np.zeros((2, 1))])
def test_a_state_of_other_arrays_than_declared_is_refused(registered, array):
    """Compiled code reads them by address: it would take their bytes for doubles."""

    def other(domain, options, limits, key):
        return IdleState(array, make_run(domain.dimension, limits, key))

    registered(dataclasses.replace(IDLE, init=other))
    with pytest.raises(TypeError, match=r"solver idle: its state has x as .*expected a C-contiguous"):
        minimize(sphere, [(-1, 1)] * 2, method="idle")


def test_a_solver_that_makes_no_evaluation_says_so_when_asked_to(registered):
    registered(IDLE)
    optimizer = Optimizer("idle", [(-1, 1)])
    optimizer.ask()
    with pytest.raises(RuntimeError, match="idle: a fault of the solver"):
        optimizer.tell([1.0])
