"""Runs of one call: which are done, which are going on, when to stop; on one thread or on a pool.

Runs are independent and numbered; the answer is the best by (value, number), never by arrival. When a run reaches the
target, those with lower numbers still finish and those with higher ones are cancelled, so that the answer is that of
runs 0..k, k the smallest that reached it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from ...kernels.calling.aside import GRACE, start_all
from ...kernels.calling.derivatives import SCHEMES
from ...kernels.calling.in_python import PythonObjective
from ...kernels.calling.objective import CompiledObjective
from ...kernels.compile.structures import copied
from ...kernels.run import RUNNING
from .batches import Batches
from .call import Call, begin
from .records import Records
from .result import Result, StopReason, best_of, summarise
from .running import Run, check_end, details_of, history_of, make_run
from .telling import left_out

TICK = 0.05  # seconds between looks at the clock while the pool works
ENDLESS = 2**62  # runs, where only the clock ends them
BY_CLOCK = " Where it stopped depends on the clock."  # unless the callback is called after each generation


class Session:
    """Carries out runs 0, 1, ... of a call and keeps what they found.

    Parameters
    ----------
    call : Call
    bound : CompiledObjective or PythonObjective
    runs : int, optional
        None: until the time is up.
    threads : int
        Runs share them out; a single run may spread its rows over them.
    max_time : float, optional
    each_generation : bool
        Hooks are called after each generation; runs go one after another.
    """

    on_cpu = True
    snapshot_every: float | None = None  # seconds between copies of the states at work, for checkpoints

    def __init__(
        self, call: Call, bound, runs: int | None, threads: int, max_time: float | None, each_generation: bool = False
    ):
        self.call, self.bound, self.max_time, self.each_generation = call, bound, max_time, each_generation
        self.endless, self.runs = runs is None, ENDLESS if runs is None else runs
        apart = isinstance(bound, CompiledObjective) and not each_generation
        self.pool = min(threads, self.runs) if apart and self.runs > 1 else 1
        self.threads_of_run = threads if self.pool == 1 else 1
        self.threads = self.pool  # that were really used
        self.hooks: Sequence[Callable[[Session], None]] = ()
        self.records = Records(call.problem.dimension)
        self.active: dict[int, Run] = {}
        self.states: dict[int, tuple] = {}  # run -> (state, seconds), as a checkpoint had it
        self.snapshots: dict[int, tuple] = {}  # the same, for the next checkpoint
        self.resumed: set[int] = set()  # runs that a checkpoint says are done
        self.histories: dict[int, np.ndarray] = {}  # of the best finished run
        self.details: dict[int, dict] = {}  # the same: what its method tells beside
        self.stop: StopReason | None = None
        self.errors: dict[int, BaseException] = {}
        self.workers: list[threading.Thread] = []  # of a pool
        self.batches: dict[int, Batches] = {}  # by thread
        self.left_at: list[np.ndarray | None] = []  # where evaluations did not return, an x or None for each
        self.next_index = 0
        self.lock = threading.Lock()
        self.begin = time.perf_counter()
        self.compiling = 0.0  # seconds since then, of a driver that was not needed before

    def resume(self, rows: np.ndarray, states: dict, histories: dict) -> None:
        """Take up what a checkpoint holds: the rows of finished runs, the states of the others."""
        self.records.add(rows)
        self.resumed = set(rows["run"].tolist())
        self.histories.update(histories)
        self.states.update(states)
        self.snapshots.update({run: (copied(state), seconds) for run, (state, seconds) in states.items()})

    def carry_out(self) -> None:
        """Run all. Ctrl-C ends the runs where they are; evaluations that do not return then are left to themselves."""
        self.begin = time.perf_counter()
        try:
            if self.pool > 1:
                self._on_threads()
            else:
                self._work(self._tick)
        except KeyboardInterrupt as error:
            self.stop = StopReason.INTERRUPTED
            self.left_at = [None for batches in self.batches.values() if batches.at_work]
            for run in list(self.active.values()):
                self._finish(run)
            if not self.records.evaluations:
                if self.left_at:
                    error.add_note(left_behind(self.left_at))
                raise
        errors = [index for index in self.errors if not self._beyond_hit(index)]
        if errors:
            raise self.errors[min(errors)]

    def _on_threads(self) -> None:
        self.workers = [threading.Thread(target=self._guarded_work, daemon=True) for _ in range(self.pool)]
        over = threading.Event()
        until = np.inf
        try:
            start_all(self.workers, self._cancel)
            while self._working():
                over.wait(TICK)
                self._tick()
            self._tick()  # short runs have ended before the first look
        except KeyboardInterrupt:
            until = time.perf_counter() + GRACE
            self.stop = StopReason.INTERRUPTED
            raise
        finally:
            self._cancel()  # a hook raised: let the workers end before it is seen
            while self._working() and time.perf_counter() < until:
                try:
                    over.wait(TICK)
                except KeyboardInterrupt:
                    until = min(until, time.perf_counter() + GRACE)

    def _working(self) -> bool:
        return any(worker.is_alive() for worker in self.workers)

    def _cancel(self) -> None:
        """Let what is going on end, where nothing else has ended it."""
        if self._working():
            self.stop = self.stop or StopReason.CALLBACK

    def _guarded_work(self) -> None:
        try:
            self._work(lambda: None)
        except BaseException as error:
            with self.lock:
                self.errors.setdefault(self.next_index - 1, error)

    def _work(self, tick: Callable[[], None]) -> None:
        """Take the next runs and carry them out, until there are none: one by one, or many short ones at a time."""
        batches: Batches | None = None
        while True:
            left = (self.runs - self.next_index) // self.pool
            size = 0 if batches is None or self.states else batches.size(left)
            first, count = self._take(max(size, 1))
            if count == 0:
                return
            if batches is not None and size > 0:
                if not self._run_batch(batches, first, count):
                    return
            else:
                run = self._run(first, tick)
                if run is None:
                    return
                batched = isinstance(self.bound, CompiledObjective) and not self.each_generation
                if self.runs > 1 and batched and run.stop != RUNNING:
                    batches = batches or self._batches()
                    batches.learn(run.seconds)
            tick()

    def _run(self, index: int, tick: Callable[[], None]) -> Run | None:
        """Carry out one run; None if it failed."""
        state, seconds = self.states.pop(index, (None, 0.0))
        state = begin(self.call, index, late=self.runs == 1) if state is None else state
        run = make_run(self.call.solver, state, index, self.bound, self.threads_of_run, seconds)
        run.watched, run.each_generation = len(self.hooks) > 0, self.each_generation
        with self.lock:
            self.active[index] = run
        snapshot_at, compiled = run.seconds, self.compiling
        while not self._ends(index):
            try:
                check_end(self.call.solver, run.state, self.bound)  # of a checkpoint: it raised, and raises again
                if run.stop != RUNNING:
                    break
                run.step()
                if run.compiling:
                    self.compiling = compiled + run.compiling
            except Exception as error:
                with self.lock:
                    self.errors[index] = error
                return None
            if self.snapshot_every is not None and run.seconds - snapshot_at >= self.snapshot_every:
                snapshot_at = run.seconds
                self._snapshot(run)
            tick()
        self._finish(run)
        return run

    def _batches(self) -> Batches:
        batches = Batches(self.call.solver, begin(self.call, 0), self.bound, self.records.dtype)
        self.batches[threading.get_ident()] = batches
        return batches

    def _run_batch(self, batches: Batches, first: int, count: int) -> bool:
        """Carry out a range of runs; False if one failed."""
        rows, history = batches.run(first, count)
        with self.lock:
            leads = self.records.add(rows)
            if len(rows) and (leads or self.records.first_hit == rows["run"][-1]) and not self._beyond_hit(first):
                self.histories = {int(best_of(rows)["run"]): history.copy()}
        try:
            batches.check_end()
        except Exception as error:
            with self.lock:
                self.errors[first + len(rows)] = error
            return False
        return True

    def _take(self, count: int) -> tuple[int, int]:
        """(number of the next run, how many from there on): at most `count`; none where nothing is left to begin."""
        with self.lock:
            while self.next_index in self.resumed:
                self.next_index += 1
            first = self.next_index
            if self._ends(first) or first >= self.runs:
                return first, 0
            last, most = first + 1, min(first + count, self.runs)
            while last < most and last not in self.resumed:
                last += 1
            self.next_index = last
            return first, last - first

    def _ends(self, index: int) -> bool:
        """Whether a run has no part in the answer: lower ones finish, so that the answer is not a matter of arrival."""
        return self.stop is not None or self._beyond_hit(index) or any(index > failed for failed in self.errors)

    def _beyond_hit(self, index: int) -> bool:
        return self.records.first_hit is not None and index > self.records.first_hit

    def _snapshot(self, run: Run) -> None:
        self.snapshots[run.index] = (copied(run.state), run.seconds)

    def _finish(self, run: Run) -> None:
        """Record a run that has ended or is ended here."""
        if run.at_work:
            self.left_at.append(run.leave(self.stop or StopReason.CANCELLED))
        elif run.stop != RUNNING:
            run.publish()  # Ctrl-C may have come between its end and the note of it
        row = run.record(self.records.dtype, self.stop or StopReason.CANCELLED)
        single = self.runs == 1  # its last state is kept, too: a larger budget may go on from there
        if self.snapshot_every is not None and (single or run.stop == RUNNING):
            self._snapshot(run)
        with self.lock:
            if run.index not in self.active:  # an evaluation that was left has returned after all
                return
            leads = self.records.add(row) and not self._beyond_hit(run.index)
            self.active.pop(run.index, None)
            if run.stop != RUNNING and not run.at_work and not single:
                self.snapshots.pop(run.index, None)
            self.threads = max(self.threads, run.threads)
            if leads or self.records.first_hit == run.index:
                self.histories = {run.index: history_of(run.state)}
                self.details = {run.index: details_of(self.call.solver, run.state)}

    def summarise(self) -> Result:
        """The result of the runs that are kept."""
        runs = self.records.kept()
        self._find_details(int(best_of(runs)["run"]))
        better, best = self.records.left_out(), int(best_of(runs)["run"])
        cut = self.stop is not None and (self.runs != len(runs) or self.stop in runs["stop"])
        by_clock = BY_CLOCK if cut and self.stop is StopReason.CALLBACK and not self.each_generation else ""
        details, cost = self._with_gradient(best_of(runs))
        found = summarise(
            runs, self.call.limits, names=self.call.problem.names, reached=self.records.first_hit is not None,
            stop=self.stop if cut else None,
            remark=by_clock + ("" if better is None else left_out("run", *better)) + left_behind(self.left_at),
            unhurt=not (cut and self.stop is StopReason.INTERRUPTED),
            history=self.histories.get(best, np.zeros((0, 2))), **details,
        )  # fmt: skip
        found["nfev"] += cost
        return found

    def _with_gradient(self, best) -> tuple[dict, int]:
        """(what the method of the best run tells, with the gradient at its x; the evaluations that this took).

        Where x is not the point at which the run ended, it takes one more, if that is exact and the budget has room.
        Differences know no slope along a variable that is fixed: NaN.
        """
        details, asked = dict(self.details.get(int(best["run"]), {})), self.bound.derivatives
        if "gradient" not in self.call.solver.asks or asked is None:
            return details, 0
        gradient, cost = asked.of["gradient"], 0
        wanted = "jac" not in details and self.call.solver.report is not None and gradient.price == 0
        if wanted and self.stop is None and np.isfinite(best["fun"]) and best["nfev"] < self.call.limits.max_evals:
            cost = 1
            jac = asked.gradient_at(best["x"].copy(), self.bound.problem().value.record)
            if jac is None:  # it raised, aside of x
                self.bound.callback.errors.clear()
                return details, cost
            details |= {"jac": jac, "njev": details["njev"] + 1}
        if "jac" in details and gradient.how in SCHEMES:
            details["jac"][self.call.problem.lower == self.call.problem.upper] = np.nan
        return details, cost

    def _find_details(self, index: int) -> None:
        """Of a run whose state is gone: carried out again, as it gives the same bits."""
        call, solver = self.call, self.call.solver
        told = "gradient" in solver.asks or solver.report is not None
        if not told or index in self.details or self.stop is not None or isinstance(self.bound, PythonObjective):
            return  # in Python each call counts, and may take long
        run = make_run(call.solver, begin(call, index), index, self.bound)
        while run.stop == RUNNING:
            run.step()
        self.details[index] = details_of(call.solver, run.state)

    def seconds(self) -> float:
        """That the runs have had; compilation does not count."""
        return time.perf_counter() - self.begin - self.compiling

    def _tick(self) -> None:
        """Between chunks, in the caller's thread: the clock, then callback, progress and checkpoint."""
        if self.max_time is not None and self.seconds() >= self.max_time and self.stop is None:
            self.stop = StopReason.OUT_OF_TIME
        for hook in self.hooks:
            try:
                hook(self)
            except StopIteration:
                self.stop = self.stop or StopReason.CALLBACK

    def best_so_far(self) -> tuple[float, np.ndarray | None, int, int]:
        """(value, x, evaluations, iterations) over what is done and what is going on."""
        with self.lock:
            evaluations, iterations, best = self.records.evaluations, self.records.iterations, self.records.best
            going = [run.best for run in self.active.values()]
        value, x = (np.inf, None) if best is None else (float(best["fun"]), best["x"])
        for fun, point, nfev, nit in going:
            evaluations, iterations = evaluations + nfev, iterations + nit
            if fun < value or x is None:
                value, x = fun, point
        return value, x, evaluations, iterations

    def standing(self) -> tuple[float, np.ndarray] | None:
        """(value, x) where a method is that goes from point to point, not always to better ones; None of the others."""
        stands, going = self.call.solver.stands, list(self.active.values())
        return stands(going[0].state) if stands and going else None

    def spread(self) -> float:
        """By how much the values of the run differ that has the best so far; inf where that is not known."""
        with self.lock:
            best = self.records.best
            known = [] if best is None else [(float(best["fun"]), float(best["spread"]))]
            known += [(run.best[0], run.spread) for run in self.active.values()]
        return min(known, default=(np.inf, np.inf))[1]


def left_behind(points: Sequence[np.ndarray | None]) -> str:
    """What is said of evaluations that did not return."""
    if not points:
        return ""
    known = next((f", at x = {np.array2string(x, threshold=20)}" for x in points if x is not None), "")
    if len(points) == 1:
        return f" An evaluation did not return{known}: it is still at work, in a thread of this process."
    first = f", one of them{known[1:]}" if known else ""
    return f" {len(points)} evaluations did not return{first}: they are still at work, in threads of this process."
