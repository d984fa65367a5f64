"""One run, advanced in chunks: compiled, on several threads, or with the objective in Python.

A chunk is a number of evaluations that takes about a tenth of a second; between chunks the callers look at clocks,
callbacks and Ctrl-C. How a run is cut changes nothing in its answer."""

from __future__ import annotations

import time

import numba
import numpy as np

from ...kernels.calling.objective import CompiledObjective, PythonObjective
from ...kernels.compile import jit
from ...kernels.rows import population
from ..contract import Solver
from . import drivers

CHUNK = 0.1  # seconds
PROBE = 0.02  # seconds of a chunk that measures the other way to run
FIRST_PROBE, PROBE_EVERY = 1.0, 2.0  # seconds of running
SHORT_GENERATION = 2e-4  # seconds: below it, waking the threads costs what they save
EARLY_PROBE, LONG_GENERATION = 0.25, 1e-3  # seconds: threads are sure to pay where a generation takes so long


class Run:
    """The state of one run and what is known of it from outside."""

    def __init__(self, solver: Solver, state, index: int, seconds: float = 0.0):
        self.solver, self.state, self.index, self.seconds = solver, state, index, seconds
        self.threads = 1
        self.publish()

    @property
    def stop(self) -> int:
        return int(self.state.counters[population.STOP])

    def publish(self) -> None:
        """Note the best so far, so that another thread may read it while the state is at work."""
        counters, state = self.state.counters, self.state
        evaluations, generations = int(counters[population.EVALUATIONS]), int(counters[population.GENERATION])
        fun, x = float(state.params[population.BEST]), state.best_x
        cursor = int(counters[population.CURSOR])  # rows of an unfinished generation count, too
        values = np.where(np.isnan(state.trial_f[:cursor]), np.inf, state.trial_f[:cursor])
        if cursor > 0 and values.min() < fun:
            fun, x = float(values.min()), state.trial[values.argmin()]
        self.best = (fun, x.copy(), evaluations + cursor, generations)

    def step(self) -> None:
        """Go on for one chunk."""
        begin = time.perf_counter()
        self._advance()
        self.seconds += time.perf_counter() - begin
        self.publish()

    def _advance(self) -> None:
        raise NotImplementedError


class CompiledRun(Run):
    """A run inside one compiled loop; with `threads`, of several if that is measured to be faster."""

    def __init__(self, solver, state, index, objective: CompiledObjective, threads: int = 1, seconds: float = 0.0):
        super().__init__(solver, state, index, seconds)
        self.objective = objective
        self.allowed = threads
        self.rows = 1
        self.rates = {False: 0.0, True: 0.0}  # evaluations per second, serial and parallel
        self.next_probe = FIRST_PROBE

    def _advance(self) -> None:
        generation = self.state.counters[population.LIVE] / (self.rates[False] or np.inf)
        early = generation > LONG_GENERATION and self.rates[True] == 0.0 and self.seconds >= EARLY_PROBE
        due = generation > SHORT_GENERATION and self.seconds >= self.next_probe
        probes = self.allowed > 1 and (early or due)
        parallel = self.rates[True] > self.rates[False]
        if probes:
            parallel = not parallel
            self.next_probe = self.seconds + PROBE_EVERY
        rate = self.rates[parallel] or self.rates[not parallel]
        rows = max(int(rate * PROBE), 1) if probes else self.rows
        elapsed = self._run_rows(rows, parallel)
        if elapsed > 1e-3:
            self.rates[parallel] = rows / elapsed
        if not probes:
            self.rows = int(np.clip(rows * CHUNK / max(elapsed, 1e-6), 1, 4 * rows))
        self.threads = self.allowed if self.rates[True] > self.rates[False] else 1
        if self.stop == population.RAISED:
            self.objective.replay(self.state.trial[self.state.counters[population.RAISED_ROW]])

    def _run_rows(self, rows: int, parallel: bool) -> float:
        addresses = self.objective.address, self.objective.args_address
        if not parallel:
            advance = drivers.serial(self.solver)
            begin = time.perf_counter()
            advance(*addresses, self.state, rows)
            return time.perf_counter() - begin
        advance = drivers.parallel(self.solver)
        before = numba.get_num_threads()
        numba.set_num_threads(min(self.allowed, jit.available_threads()))
        try:
            with jit.parallel_region():
                begin = time.perf_counter()
                advance(*addresses, self.state, rows)
                return time.perf_counter() - begin
        finally:
            numba.set_num_threads(before)


class PythonRun(Run):
    """A run whose objective stays in Python: one row, or a whole generation, per call."""

    def __init__(self, solver, state, index, objective: PythonObjective, seconds: float = 0.0):
        super().__init__(solver, state, index, seconds)
        self.objective = objective
        self.evaluating = 0.0  # seconds inside the objective

    def _advance(self) -> None:
        counters, state = self.state.counters, self.state
        end = time.perf_counter() + CHUNK
        while self.stop == population.RUNNING and time.perf_counter() < end:
            rows, start = int(counters[population.ROWS]), int(counters[population.CURSOR])
            if start == 0:
                drivers.proposer(self.solver)(state, 0, rows)
            begin = time.perf_counter()
            if self.objective.source.vectorized:
                state.trial_f[:rows] = self.objective.evaluate(state.trial[:rows])
                counters[population.CURSOR] = rows
            else:
                for i in range(start, rows):
                    state.trial_f[i] = self.objective.evaluate(state.trial[i : i + 1])[0]
                    counters[population.CURSOR] = i + 1  # what is done stays done, whatever interrupts
                    if time.perf_counter() > end:
                        break
            self.evaluating += time.perf_counter() - begin
            if counters[population.CURSOR] == rows:
                drivers.concluder(self.solver)(state)


def compile_for_run(solver: Solver, objective) -> None:
    """Compile, or load from disk, what a run will call."""
    if isinstance(objective, CompiledObjective):
        drivers.serial(solver)
    else:
        drivers.proposer(solver)
        drivers.concluder(solver)


def make_run(solver, state, index, objective, threads=1, seconds=0.0) -> Run:
    if isinstance(objective, CompiledObjective):
        return CompiledRun(solver, state, index, objective, threads, seconds)
    return PythonRun(solver, state, index, objective, seconds)
