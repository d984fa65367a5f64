"""One run, advanced in chunks: compiled, on several threads, or a batch of a generation at a time in Python.

A chunk is a number of evaluations that takes about a tenth of a second; between chunks the callers look at clocks,
callbacks and Ctrl-C. How a run is cut changes nothing in its answer. A chunk that an evaluation never lets end is left
to itself (`Run.leave`): what the run had found is read from its state."""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np

from ...kernels.calling.arguments import Packed
from ...kernels.calling.aside import Call
from ...kernels.calling.objective import CompiledObjective, PythonObjective
from ...kernels.compile import forking, jit
from ...kernels.compile.structures import copied
from ...kernels.run import IDLE, RAISED, RUNNING, STUCK, UNLINKED
from ..contract import Solver
from . import drivers

CHUNK = 0.1  # seconds
GROWTH = 16  # of a chunk against the one before, at most
TOLD = 1e-3  # seconds of a chunk that tell how fast a run is
STILL, LOOKS = 0.01, 100  # seconds in which a state does not change that an evaluation is at work on; looks, at most
PROBE = 0.02  # seconds of a chunk that measures the other way to run
FIRST_PROBE, PROBE_EVERY = 1.0, 2.0  # seconds of running
SHORT_GENERATION = 2e-4  # seconds: below it, waking the threads costs what they save
EARLY_PROBE, LONG_GENERATION = 0.25, 1e-3  # seconds: threads are sure to pay where a generation takes so long
LONG_RUN = 30.0  # seconds that a run has left which nests others: their drivers for threads take 12 to compile


class Run:
    """The state of one run and what is known of it from outside."""

    def __init__(self, solver: Solver, state, index: int, objective, threads: int = 1, seconds: float = 0.0):
        self.solver, self.index, self.seconds, self.objective = solver, index, seconds, objective
        self.take_up(state)
        spreads = isinstance(objective, CompiledObjective) and drivers.rows_at_once(solver, state) > 0
        self.allowed = threads if spreads else 1
        self.threads, self.parallel = 1, False
        self.compiling = 0.0  # seconds of it, that count as no running
        self.evaluations = 1  # of the next chunk
        self.each_generation = False  # whether a chunk ends where a generation does
        self.rates = {False: 0.0, True: 0.0}  # evaluations per second, serial and parallel
        self.next_probe = FIRST_PROBE
        self.watched = False  # somebody looks after each chunk, also after the first ones, of some evaluations
        self.call: Call | None = None  # of machine code
        self.problem: Packed | None = None  # what the machine code asks, with workspaces of this run
        self.for_threads: Packed | None = None  # the same, where what it nests is on several threads
        self.publish()

    def take_up(self, state) -> None:
        """Go on from another state."""
        self.state, self.packed = state, Packed(state)

    @property
    def stop(self) -> int:
        return int(self.state.run.now["stop"][0])

    def publish(self) -> None:
        """Note the best so far, so that another thread may read it while the state is at work."""
        self.best, self.spread = best_so_far(self.state), float(self.state.run.now["spread"][0])

    @property
    def at_work(self) -> bool:
        """Whether machine code is at work on the state."""
        return self.call is not None and self.call.at_work

    def leave(self, stop: int) -> np.ndarray | None:
        """Note the best so far of a run whose chunk does not end; the x that is being evaluated, if that is known."""
        self.best = when_still(self.state)
        cursor = int(self.state.rows["cursor"][0]) if self.solver.rows is not None else 0
        known = self.solver.rows is not None and not self.parallel and cursor < self.state.rows["count"][0]
        self.state.run.now["stop"] = stop  # should the evaluation return, its thread ends soon
        return self.state.trial[cursor].copy() if known else None

    def record(self, dtype: np.dtype, stop: int = RUNNING) -> np.ndarray:
        """What the result keeps of the run, (1,) of `result.run_dtype`; `stop`: why, if it did not end by itself."""
        fun, x, evaluations, iterations = self.best
        failed = int(self.state.run.now["failed"][0])
        spread = float(self.state.run.now["spread"][0])
        row = (self.index, fun, evaluations, iterations, failed, self.stop or stop, spread, self.seconds, x)
        return np.array([row], dtype=dtype)

    def step(self) -> None:
        """Go on for one chunk."""
        begin, compiled = time.perf_counter(), self.compiling
        try:
            self._advance()
            if self.stop == UNLINKED:
                self._link()
        finally:
            self.seconds += time.perf_counter() - begin - (self.compiling - compiled)
        self.publish()
        check_end(self.solver, self.state, self.objective)

    def _advance(self) -> None:
        self.parallel, probes = self._choose()
        rate = self.rates[self.parallel] or self.rates[not self.parallel]
        evaluations = max(int(rate * PROBE), 1) if probes else self.evaluations
        if self.each_generation:
            evaluations = min(evaluations, self._left_in_generation())
        evaluations, elapsed = self._run(evaluations)
        if elapsed > TOLD:
            self.rates[self.parallel] = evaluations / elapsed
        if not probes:
            self.evaluations = int(max(min(evaluations * CHUNK / max(elapsed, 1e-6), GROWTH * evaluations), 1))
        self.threads = self.allowed if self.rates[True] > self.rates[False] else 1

    def _link(self) -> None:
        """Compile, or load, the drivers of what the state nests: the next iteration may call them."""
        begin = time.perf_counter()
        self.publish()  # Ctrl-C leaves it here, where it can go on
        self.state.run.now["stop"] = RUNNING
        drivers.link(self.solver, self.state)
        self.compiling += time.perf_counter() - begin

    def _choose(self) -> tuple[bool, bool]:
        """Whether the next chunk runs on several threads, and whether it is there to measure that."""
        if self.allowed > 1 and forking.threads_are_gone():  # also where the run began before the fork
            self.allowed, self.rates[True] = 1, 0.0
        if self.allowed == 1:
            return False, False
        rate = self.rates[False] or np.inf
        generation = drivers.rows_at_once(self.solver, self.state) / rate
        if self.solver.nests and self.for_threads is None and not self._is_long(rate):
            return False, False
        early = generation > LONG_GENERATION and self.rates[True] == 0.0 and self.seconds >= EARLY_PROBE
        due = generation > SHORT_GENERATION and self.seconds >= self.next_probe
        parallel = self.rates[True] > self.rates[False]
        if early or due:
            self.next_probe = self.seconds + PROBE_EVERY
            return not parallel, True
        return parallel, False

    def _is_long(self, rate: float) -> bool:
        """Whether a run that nests others goes on for long, and has come to call them."""
        now = self.state.run.now
        linked = self.solver.calls_nested is None or self.state.own["unlinked"][0] == 0
        return linked and (now["max_evals"][0] - now["evaluations"][0]) / rate > LONG_RUN

    def _left_in_generation(self) -> int:
        """Evaluations up to the end of the generation; an iteration of a method without rows is never cut."""
        if self.solver.rows is None:
            return 1
        return int(self.state.rows["count"][0] - self.state.rows["cursor"][0])

    def _run(self, evaluations: int) -> tuple[int, float]:
        """(evaluations of the chunk, seconds)"""
        problem = self.problem = self.problem or self.objective.problem()
        if self.objective.callback is not None:
            begin = time.perf_counter()
            self._run_python(drivers.serial(self.solver), problem, evaluations)
            return evaluations, time.perf_counter() - begin
        if not self.parallel:
            return self._machine_code(self._serially, drivers.serial(self.solver), problem, evaluations)
        begin = time.perf_counter()
        if self.solver.rows is not None:
            advance = drivers.parallel(self.solver)
        else:
            drivers.link_spread(self.solver, self.state)
            advance = drivers.serial(self.solver)
            problem = self.for_threads = self.for_threads or Packed(problem.value._replace(spread=1), problem)
        self.compiling += time.perf_counter() - begin
        return self._machine_code(self._on_threads, advance, problem, evaluations)

    def _machine_code(self, function, *arguments) -> tuple[int, float]:
        self.call = Call(function, *arguments)
        value = self.call.result()
        self.call = None
        return value

    def _serially(self, advance, problem, evaluations: int) -> tuple[int, float]:
        while True:
            begin = time.perf_counter()
            advance(problem, self.packed, evaluations)
            elapsed = time.perf_counter() - begin
            if self.watched or elapsed > TOLD or self.stop != RUNNING:
                return evaluations, elapsed
            evaluations *= GROWTH

    def _on_threads(self, advance, problem, evaluations: int) -> tuple[int, float]:
        before = numba.get_num_threads()
        numba.set_num_threads(min(self.allowed, jit.available_threads()))
        try:
            with jit.parallel_region():
                begin = time.perf_counter()
                advance(problem, self.packed, evaluations)
                return evaluations, time.perf_counter() - begin
        finally:
            numba.set_num_threads(before)

    def _run_python(self, advance, problem, evaluations: int) -> None:
        """What the function raises, Ctrl-C included, leaves a state from which the run can go on."""
        before = copied(self.state) if self.solver.rows is None else None
        with self.objective.callback.interruptible():
            advance(problem, self.packed, evaluations)
        if self.stop == RAISED:
            self.publish()
            x = self.state.run.raised_x
            if before is not None:
                self.take_up(before)  # an iteration cannot be taken up in its middle
            now = self.state.run.now[0]
            now.stop, now.raised = RUNNING, 0
            self.objective.replay(x)
        if self.objective.callback.interrupted:
            raise KeyboardInterrupt


class BatchRun(Run):
    """A run whose generations are evaluated by one call each, in Python."""

    def _advance(self) -> None:
        state, counts = self.state, self.state.rows["count"]
        propose, conclude = drivers.ask_and_tell(self.solver)
        end = time.perf_counter() + (0.0 if self.each_generation else CHUNK)
        while self.stop == RUNNING:
            count = int(counts[0])
            propose(self.packed, 0, count)
            state.trial_f[:count] = self.objective.evaluate(state.trial[:count])
            conclude(self.packed)
            if time.perf_counter() >= end:
                return


def check_end(solver: Solver, state, objective) -> None:
    """Raise what the objective raised, or what a fault of the solver's own amounts to."""
    stop = state.run.now["stop"][0]
    if stop == RAISED:
        objective.replay(state.run.raised_x)
    if stop == STUCK:
        raise RuntimeError(f"{solver.name}: a fault of the solver: {IDLE} iterations without an evaluation or a stop")


def when_still(state) -> tuple[float, np.ndarray, int, int]:
    """The best of a state that machine code is at work on, as of a moment in which that did not change it."""
    before, found = b"", best_so_far(state)
    for _ in range(LOOKS):
        now = state.run.now.tobytes() + state.run.best_x.tobytes()
        if now == before:
            break
        before, found = now, best_so_far(state)
        time.sleep(STILL)
    return found


def best_so_far(state) -> tuple[float, np.ndarray, int, int]:
    """(value, x, evaluations, iterations); the rows of an unfinished generation count, too."""
    now = state.run.now  # by name, not by attribute, which takes ten times as long in Python
    fun, x, evaluations = float(now["best"][0]), state.run.best_x, int(now["evaluations"][0])
    cursor = int(state.rows["cursor"][0]) if hasattr(state, "rows") else 0
    if cursor > 0 and now["stop"][0] in (RUNNING, RAISED):
        values = np.where(np.isnan(state.trial_f[:cursor]), np.inf, state.trial_f[:cursor])
        evaluations += cursor
        if values.min() < fun:
            fun, x = float(values.min()), state.trial[values.argmin()]
    return fun, x.copy(), evaluations, int(now["iteration"][0])


def details_of(solver: Solver, state) -> dict:
    """What the result of a local method tells beside, of the run that found x."""
    now = state.run.now
    found: dict = {}
    if "gradient" in solver.asks:
        found = {"njev": int(now["gradients"][0]), "optimality": float(now["optimality"][0])}
    if solver.asks & {"product", "hessian"}:
        found["nhev"] = int(now["hessians"][0])
    return found | (solver.report(state) if solver.report else {})


def history_of(state) -> np.ndarray:
    """(entries, 2) evaluations and best value."""
    return state.run.history[: state.run.now["entries"][0]].copy()


def in_batches(solver: Solver, objective) -> bool:
    """Whether a generation is evaluated by one call in Python."""
    return solver.rows is not None and isinstance(objective, PythonObjective) and objective.batches


def compile_for_run(solver: Solver, objective) -> None:
    """Compile, or load from disk, what a run will call."""
    if in_batches(solver, objective):
        drivers.ask_and_tell(solver)
    else:
        drivers.serial(solver)


def make_run(solver: Solver, state, index: int, objective: Any, threads: int = 1, seconds: float = 0.0) -> Run:
    kind = BatchRun if in_batches(solver, objective) else Run
    return kind(solver, state, index, objective, threads, seconds)
