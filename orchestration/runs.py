"""One run of a solver as a unit of work, and the result of many."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.calling.objective import CompiledObjective
from ..kernels.run import RUNNING
from ..solvers.driving.batches import SHORT, Batches
from ..solvers.driving.call import Call, begin, bind, start, with_default_ftol
from ..solvers.driving.preparing import compile_for_many
from ..solvers.driving.result import Result, StopReason, run_dtype
from ..solvers.driving.result import summarise as summarise_rows
from ..solvers.driving.running import CHUNK, Run, compile_for_run
from ..solvers.driving.session import BY_CLOCK
from ..solvers.driving.telling import counted, left_out
from ..solvers.registry import SOLVERS
from .execution.campaign import Outcome, count_kinds
from .execution.outcome import left_behind
from .journal.checks import COUNT, LENGTH, NUMBER, Test, numbers, one_of

ASKED_FOR = (None, StopReason.OUT_OF_TIME, StopReason.CALLBACK)  # ends that leave a success one
COLUMNS = ("fun", "x", "nfev", "nit", "n_failed", "stop", "spread")  # of a record


class NothingDone(RuntimeError):
    """No unit came to an end: there is no result."""


class CallWork:
    """What all work on runs of a call has: the call travels, its objective is compiled in each process."""

    def __init__(self, call: Call):
        self.call = call
        self.bound: Any = None  # in this process
        self.seconds = np.inf  # of the last run
        self.evaluations = 1  # of a first chunk, by the speed of the last unit

    def __reduce__(self) -> tuple[type, tuple]:
        return type(self), (self.call,)  # machine code stays where it was made

    def prepare(self, spread=None) -> None:
        """`spread`: who evaluates generations, where that is not this thread (solvers/driving/workers.py)."""
        if self.bound is None:
            begin(self.call, 0)  # what is wrong with x0 is said now
            self.bound = bind(self.call, spread)
            compile_for_run(self.call.solver, self.bound)

    def note_speed(self, evaluations: int, seconds: float) -> None:
        self.evaluations = max(int(evaluations / max(seconds, 1e-6) * CHUNK), 1)


class Runs(CallWork):
    """Unit k is run k of a call; where a plan is given, with the box, points, budget and method that it says."""

    name = "run"

    def __init__(self, call: Call, many: int = 0, methods: frozenset[str] = frozenset()):
        super().__init__(call)
        self.many = many  # runs without a plan: the loop for short ones is made beforehand, too
        self.methods = methods  # that plans name
        self.of_thread = threading.local()  # its Batches

    def __reduce__(self) -> tuple[type, tuple]:
        return type(self), (self.call, self.many, self.methods)

    def prepare(self, spread=None) -> None:
        super().prepare(spread)
        self.call = with_default_ftol(self.call, self.bound)
        compile_for_many(self.call.solver, self.bound, self.many)
        for method in self.methods:
            compile_for_run(SOLVERS[method], self.bound)

    def tests(self) -> dict[str, Test]:
        """What the records in a journal must hold."""
        counts = dict.fromkeys(("nfev", "nit", "n_failed"), COUNT)
        stops = one_of(map(int, StopReason), "the code of a stop")
        x = numbers(self.call.problem.dimension)
        return {"fun": NUMBER, "x": x, **counts, "stop": stops, "spread": LENGTH, "seconds": LENGTH}

    def carry_out_range(self, first: int, count: int) -> list[dict]:
        if not isinstance(self.bound, CompiledObjective) or self.seconds > SHORT:
            return []
        batches = getattr(self.of_thread, "batches", None)
        if batches is None:
            dtype = run_dtype(self.call.problem.dimension)
            batches = self.of_thread.batches = Batches(self.call.solver, begin(self.call, 0), self.bound, dtype)
        batches.learn(self.seconds)
        size = batches.size(count)
        if size == 0:
            return []
        rows, _ = batches.run(first, size)
        columns = zip(*(rows[name].tolist() for name in COLUMNS))
        return [  # written out: a third of the time of dict(zip(...))
            {"fun": fun, "x": x, "nfev": nfev, "nit": nit, "n_failed": n_failed, "stop": stop, "spread": spread}
            for fun, x, nfev, nit, n_failed, stop, spread in columns
        ]

    def carry_out(self, unit: int, given: Any, ends: Callable[[], bool]) -> dict | None:
        call = self.call if given is None else planned(self.call, given)
        run = start(call, unit, self.bound)
        run.evaluations = self.evaluations
        while run.stop == RUNNING:
            if ends():
                return record_of(run) | {"unfinished": True} if run.best[2] > 0 else None
            run.step()
        record = record_of(run)
        self.note_speed(record["nfev"], run.seconds)
        self.seconds = run.seconds
        return record


def record_of(run: Run) -> dict[str, Any]:
    """What is kept of a run."""
    fun, x, evaluations, generations = run.best
    now = run.state.run.now
    record = {"fun": fun, "x": x.tolist(), "nfev": evaluations, "nit": generations}
    return record | {"n_failed": int(now["failed"][0]), "stop": int(run.stop), "spread": float(now["spread"][0])}


def planned(call: Call, plan) -> Call:
    """The call of one run that was planned: its own box, starting points and budget, and its method if it says one."""
    x0 = call.problem.x0 if plan.x0 is None else plan.x0
    problem = dataclasses.replace(call.problem, bounds=np.column_stack([plan.lower, plan.upper]), x0=x0)
    limits = dataclasses.replace(call.limits, max_evals=plan.max_evals)
    solver, options = call.solver, call.options
    if plan.way is not None:
        solver, options = SOLVERS[plan.way.method], plan.way.options
    return Call(problem, solver, options, limits, call.seed)


def summarise(call: Call, outcome: Outcome, runs: int) -> Result:
    """The result of the runs that came to an end.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    if not outcome.records:
        raise nothing(outcome)
    dtype = run_dtype(call.problem.dimension)
    rows = np.empty(len(outcome.records), dtype)
    rows["run"] = list(outcome.records)
    for name in (*COLUMNS, "seconds"):
        rows[name] = [record[name] for record in outcome.records.values()]
    remark = ""
    if outcome.failures:
        remark = f" {len(outcome.failures)} of {counted(runs, 'run')} came to nothing: {count_kinds(outcome.failures)}."
    if outcome.stop is StopReason.CALLBACK:
        remark = BY_CLOCK + remark
    if outcome.left_out is not None:
        value, later = outcome.left_out
        remark += left_out("run", later, value)
    remark += left_behind(outcome.unended, "run")
    complete = len(rows) == runs and outcome.unfinished == 0
    return summarise_rows(
        rows, call.limits, names=call.problem.names, reached=outcome.reached is not None, stop=outcome.stop,
        remark=remark, unhurt=complete or outcome.reached is not None or outcome.stop in ASKED_FOR,
        failures=failures(outcome),
    )  # fmt: skip


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
        interrupt = KeyboardInterrupt()
        if outcome.unended:
            interrupt.add_note(left_behind(outcome.unended, "unit"))
        return interrupt
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
