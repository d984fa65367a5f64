"""From a call to a session: what is compiled for it, and who carries it out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import numpy as np

from ...kernels.calling.objective import CompiledObjective
from ...kernels.compile.fingerprint import cell_content, names_in
from ...kernels.compile.substitution import rebuild
from ..contract import Solver
from . import drivers
from .batches import WORTH
from .call import Call, begin
from .result import Result
from .running import compile_for_run
from .session import Session
from .settings import Plan


def make_session(call: Call, bound, plan: Plan) -> Session:
    """The session of a call, compiled or loaded from disk."""
    if plan.device == "cuda":
        from .cuda import CudaSession

        return CudaSession(call, bound, plan.runs, plan.max_time)
    compile_for_run(call.solver, bound)
    compile_for_many(call.solver, bound, plan.runs)
    if call.solver.nests:
        begin(call, 0, late=plan.runs == 1)  # compiles the drivers of what its state nests
    return Session(call, bound, plan.runs, plan.threads, plan.max_time, plan.each_generation)


def compile_for_many(solver: Solver, bound, runs: int | None) -> None:
    """The loop of many short runs, if they may need it: here, not in the midst of the time that they have."""
    if isinstance(bound, CompiledObjective) and (runs is None or runs >= WORTH):
        drivers.many(solver)


@contextlib.contextmanager
def workers_of(solver: Solver, workers, device: str = "cpu", **others) -> Iterator[Any]:
    """Who evaluates the generations, from the argument `workers`; None: nobody but the run itself.

    others: arguments that it excludes, None where they are left out.
    """
    if workers is None:
        yield None
        return
    from .workers import refuse_workers, spread_over

    refuse_workers(solver, device, **others)
    with spread_over(workers) as spread:
        yield spread


def evaluating(session: Session, bound, result: Result, running: float) -> float:
    """Seconds in the objective: measured in Python; in compiled code, what a sample at x tells; NaN on a GPU."""
    if not isinstance(bound, CompiledObjective):
        return bound.seconds
    if not session.on_cpu or not np.isfinite(result.x).all():
        return float("nan")
    most = result.nfev // 20  # a sample must not cost what it measures
    if most < 16 or may_be_heard(bound):
        return float("nan")
    bound.evaluate_into(result.x[None], np.empty(1))  # loads what the next calls use
    count, elapsed = 16, 0.0
    while elapsed < min(2e-4, 0.05 * running) and count <= most:
        rows, values = np.repeat(result.x[None], count, axis=0), np.empty(count)
        begin = time.perf_counter()
        bound.evaluate_into(rows, values)
        elapsed = time.perf_counter() - begin
        count *= 4
    return min(4 * elapsed / count * result.nfev / max(session.threads, 1), running)


def may_be_heard(bound: CompiledObjective) -> bool:
    """Whether somebody may count the calls: C does what it likes, and Python prints."""
    if not hasattr(bound.adapter, "heard"):
        bound.adapter.heard = _may_be_heard(bound)
    return bound.adapter.heard


def _may_be_heard(bound: CompiledObjective) -> bool:
    function = getattr(bound.source.function, "py_func", bound.source.function)
    if not isinstance(function, FunctionType):
        return True
    reached: dict = {}
    rebuild(function, {}, lambda f: f, reached)
    functions = [f for f in reached.values() if isinstance(f, FunctionType)]
    return any("print" in names_in(f.__code__) or any(map(_is_c, _values(f))) for f in functions)


def _values(function: FunctionType) -> list:
    return [*function.__globals__.values(), *map(cell_content, function.__closure__ or ())]


def _is_c(value) -> bool:
    return hasattr(value, "argtypes")  # of ctypes
