"""A process that meets one objective after the other: all of them work, and what they took is given back."""

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest
from llvmlite.binding.ffi import ObjectRef
from llvmlite.binding.newpassmanagers import FunctionPassManager, ModulePassManager
from numba.core.registry import cpu_target

from thalweg.kernels.calling import adapters
from thalweg.kernels.calling.objective import objective
from thalweg.kernels.compile.library_functions import anew_if_not_found
from thalweg.solvers import minimize

X = np.array([[0.25]])


def distinct(k):
    """A function whose code no other number has."""
    scope: dict = {}
    exec(f"def f(x):\n    return (x[0] - 0.25) ** 2 + {k}.5\n", scope)
    return scope["f"]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(adapters, "KEPT", 3)
    monkeypatch.setattr(adapters, "_adapters", {})


def test_only_objectives_are_let_go(few):
    """The piece that went first was one of the engine, which cannot be compiled twice: all later calls failed."""
    for k in range(10):
        result = minimize(distinct(k), [(0, 1)], max_evals=60, seed=1, threads=1)
        assert abs(result.fun - (k + 0.5)) < 0.01
    assert len(adapters._adapters) == 3
    assert objective(lambda x: x[0] + 1.0, compiled=False).bind().evaluate(X)[0] == 1.25
    assert minimize(distinct(0), [(0, 1)], max_evals=60, seed=1, threads=1).nfev == 60


def test_an_objective_in_use_lives_on(few):
    held = objective(distinct(1)).bind()
    for k in range(2, 12):
        objective(distinct(k)).bind()
    gc.collect()
    assert held.evaluate(X)[0] == 1.5
    again = objective(distinct(1)).bind()
    assert again.address != held.address
    assert again.evaluate(X)[0] == 1.5


def test_what_was_used_last_stays(few):
    first = objective(distinct(1)).bind()
    for k in range(2, 12):
        objective(distinct(k)).bind()
        assert objective(distinct(1)).bind().address == first.address


@pytest.mark.parametrize("manager", [ModulePassManager, FunctionPassManager])
def test_pass_managers_are_disposed_of(manager):
    assert manager._dispose is not ObjectRef._dispose


GROWTH = """
import gc, psutil
from thalweg.kernels.calling import adapters
from thalweg.kernels.calling.objective import objective
from thalweg.kernels.compile.library_functions import anew_if_not_found
from {module} import distinct

adapters.KEPT = 5
def bind(first, last):
    for k in range(first, last):
        objective(distinct(k)).bind()
    gc.collect()
    return psutil.Process().memory_info().rss
before = bind(0, 10)
print((bind(10, 30) - before) / 20)
"""


def test_an_objective_that_was_let_go_leaves_little(tmp_path, monkeypatch):
    """Some 70 KB of LLVM's and Numba's remain of each; it was half a megabyte."""
    pytest.importorskip("psutil")
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))
    script = GROWTH.format(module=__name__)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 200e3


@pytest.mark.parametrize("compiled", [True, False])
def test_what_compiled_code_asks_holds_the_objective(compiled):
    """Addresses are no references: an objective that is let go leaves a problem that reads freed memory."""
    bound = objective(lambda x, a: a[0] * x[0] ** 2, compiled=compiled).bind((np.array([2.0]),), np.ones(1))
    held, alive = bound.problem(), weakref.ref(bound)
    del bound
    assert alive() is not None
    del held
    gc.collect()
    assert alive() is None


def test_a_library_function_that_another_target_has_taken_is_made_anew():
    tries = []

    def compile_it():
        tries.append(1)
        if len(tries) == 1:
            raise NotImplementedError("No definition for lowering impl(array) -> none")
        return len(tries)

    assert anew_if_not_found(compile_it, cpu_target.typing_context) == 2
    with pytest.raises(ValueError, match="another"):
        anew_if_not_found(lambda: (_ for _ in ()).throw(ValueError("another")), cpu_target.typing_context)
