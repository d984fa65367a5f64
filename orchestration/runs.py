"""One run of a solver as a unit of work, and the result of many."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.problem import Problem
from ..kernels.rows import population
from ..solvers.driving.call import Call, bind, start
from ..solvers.driving.running import CHUNK, CompiledRun, compile_for_run
from ..solvers.result import Result, StopReason, run_dtype
from .execution.campaign import Outcome, count_kinds


class NothingDone(RuntimeError):
    """No unit came to an end: there is no result."""


class CallWork:
    """What all work on runs of a call has: the call travels, its objective is compiled in each process."""

    def __init__(self, call: Call):
        self.call = call
        self.bound: Any = None  # in this process
        self.rows = 1  # evaluations of a first chunk, by the speed of the last unit

    def __getstate__(self) -> dict:
        return {"call": self.call, "bound": None, "rows": 1}  # machine code stays where it was made

    def prepare(self) -> None:
        if self.bound is None:
            self.bound = bind(self.call)
            compile_for_run(self.call.solver, self.bound)

    def note_speed(self, evaluations: int, seconds: float) -> None:
        self.rows = max(int(evaluations / max(seconds, 1e-6) * CHUNK), 1)


class Runs(CallWork):
    """Unit k is run k of a call; where a plan is given, in the box, from the points and with the budget it says."""

    name = "run"

    def carry_out(self, unit: int, given: Any, ends: Callable[[], bool]) -> dict | None:
        call = self.call if given is None else planned(self.call, given)
        run = start(call, unit, self.bound)
        if isinstance(run, CompiledRun):
            run.rows = self.rows
        while run.stop == population.RUNNING:
            if ends():
                return None
            run.step()
        fun, x, evaluations, generations = run.best
        self.note_speed(evaluations, run.seconds)
        failed = int(run.state.counters[population.FAILED])
        record = {"fun": fun, "x": x.tolist(), "nfev": evaluations, "nit": generations}
        return record | {"n_failed": failed, "stop": int(run.stop)}


def planned(call: Call, plan) -> Call:
    """The call of one run that was planned: its own box, starting points and budget."""
    x0 = call.problem.x0 if plan.x0 is None else plan.x0
    problem = dataclasses.replace(call.problem, bounds=np.column_stack([plan.lower, plan.upper]), x0=x0)
    return dataclasses.replace(call, problem=problem, limits=dataclasses.replace(call.limits, max_evals=plan.max_evals))


def summarise(call: Call, outcome: Outcome, runs: int) -> Result:
    """The result of the runs that came to an end.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    if not outcome.records:
        raise nothing(outcome)
    rows = np.array([_row(unit, record) for unit, record in outcome.records.items()], dtype=_dtype(call.problem))
    best = rows[min(range(len(rows)), key=lambda k: (rows["fun"][k], rows["run"][k]))]
    complete = len(rows) == runs
    stop = StopReason.REACHED_TARGET if outcome.reached is not None else outcome.stop or StopReason(int(best["stop"]))
    fun = float(best["fun"])
    missed = call.limits.target > -np.inf and outcome.reached is None
    message = ("" if fun < np.inf else "No evaluation gave a finite value. ") + stop.sentence
    message += " The target was not reached." if missed else ""
    if outcome.failures:
        message += f" {len(outcome.failures)} of {runs} runs came to nothing: {count_kinds(outcome.failures)}."
    unhurt = complete or outcome.reached is not None or outcome.stop in (None, StopReason.OUT_OF_TIME)
    return Result(
        x=best["x"].copy(),
        fun=fun,
        success=bool(np.isfinite(fun)) and not missed and unhurt,
        status=int(stop),
        message=message,
        nfev=int(rows["nfev"].sum()),
        nit=int(rows["nit"].sum()),
        stop_reason=stop,
        n_failed=int(rows["n_failed"].sum()),
        runs=rows,
        failures=failures(outcome),
    )


def failures(outcome: Outcome) -> list[dict]:
    """What the result says of the units that came to nothing."""
    kept = ("unit", "kind", "error", "attempts", "workers")
    return [{key: failure[key] for key in kept} for failure in outcome.failures.values()]


def place(client, outcome: Outcome) -> dict:
    """Where it ran, for the result."""
    journal = {"resumed": outcome.resumed} if outcome.resumed else {}  # units that were not done anew
    if client is None:
        return {"threads": outcome.workers, **journal}
    return {"workers": outcome.workers, "scheduler": client.scheduler.address, "tasks": outcome.tasks, **journal}


def nothing(outcome: Outcome) -> NothingDone | KeyboardInterrupt:
    """Why there is no result at all."""
    if outcome.stop is StopReason.INTERRUPTED:
        return KeyboardInterrupt()
    if not outcome.failures:
        reason = "none" if outcome.stop is None else outcome.stop.sentence
        return NothingDone(f"no unit of the work came to an end. {reason}")
    unit, first = next(iter(outcome.failures.items()))
    times = first["attempts"]
    all_of = "the first" if outcome.stop is StopReason.HOPELESS else "all"
    error = NothingDone(
        f"{all_of} {len(outcome.failures)} came to nothing: {count_kinds(outcome.failures)}. The first, number {unit}, "
        f"after {times} attempt{'s' * (times != 1)}:\n{first['error']}"
    )
    error.__cause__ = first.get("exception")
    return error


def _row(unit: int, r: dict) -> tuple:
    return (unit, r["fun"], r["nfev"], r["nit"], r["n_failed"], r["stop"], r["seconds"], r["x"])


def _dtype(problem: Problem) -> np.dtype:
    return run_dtype(problem.dimension)
