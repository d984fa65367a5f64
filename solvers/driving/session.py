"""Runs of one call of `minimize`: which are done, which are going on, when to stop; on one thread or on a pool.

Runs are independent and numbered; the answer is the best by (value, number), never by arrival. When a run reaches the
target, those with lower numbers still finish and those with higher ones are cancelled, so that the answer is that of
runs 0..k, k the smallest that reached it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from ...kernels.compile.structures import copied
from ...kernels.run import RUNNING
from .result import Result, StopReason, run_dtype, summarise
from .running import Run, history_of

TICK = 0.05  # seconds between looks at the clock while the pool works


class Session:
    """Carries out runs 0, 1, ... of `make(index) -> Run` and keeps what they found."""

    def __init__(self, make: Callable[[int], Run], runs: int | None, dimension: int, max_time: float | None, hooks=()):
        self.make, self.runs, self.max_time, self.hooks = make, runs, max_time, hooks
        self.records: dict[int, np.void] = {}
        self.dtype = run_dtype(dimension)
        self.active: dict[int, Run] = {}
        self.snapshots: dict[int, tuple] = {}  # run -> (state, seconds), for checkpoints
        self.snapshot_every: float | None = None
        self.histories: dict[int, np.ndarray] = {}  # of the best finished run
        self.first_hit: int | None = None  # smallest run that reached the target
        self.stop: StopReason | None = None
        self.errors: dict[int, BaseException] = {}
        self.done: tuple = (np.inf, None, 0, 0)  # over finished runs: best value, its x, evaluations, generations
        self.best_index: int | None = None  # best finished run by (value, number)
        self.next_index = 0
        self.threads = 1
        self.lock = threading.Lock()
        self.begin = time.perf_counter()

    def resume(self, records: dict, saved: dict, histories: dict, states: dict) -> None:
        """Take up what a checkpoint holds: the records of finished runs, the states of the others into `states`."""
        self.records.update(records)
        self.histories.update(histories)
        for index in sorted(records):
            self._note(records[index])
        states.update(saved)
        self.snapshots.update(saved)
        hits = [index for index, r in records.items() if r["stop"] == StopReason.REACHED_TARGET]
        self.first_hit = min(hits, default=None)

    def carry_out(self, threads: int) -> None:
        """Run all; on a pool where `threads` > 1. Ctrl-C ends the runs where they are."""
        self.begin = time.perf_counter()
        try:
            if threads > 1:
                self._pool(threads)
            else:
                self._work(self._tick)
        except KeyboardInterrupt:
            self.stop = StopReason.INTERRUPTED
            for run in list(self.active.values()):
                self._finish(run)
            if not self.records:
                raise
        errors = [index for index in self.errors if self.first_hit is None or index < self.first_hit]
        if errors:
            raise self.errors[min(errors)]

    def _pool(self, threads: int) -> None:
        workers = [threading.Thread(target=self._guarded_work, daemon=True) for _ in range(threads)]
        self.threads = threads
        done = threading.Event()
        try:
            for worker in workers:
                worker.start()
            while any(worker.is_alive() for worker in workers):
                done.wait(TICK)
                self._tick()
        except KeyboardInterrupt:
            self.stop = StopReason.INTERRUPTED
        finally:
            if self.stop is None and any(worker.is_alive() for worker in workers):
                self.stop = StopReason.CALLBACK  # a hook raised: let the workers end before it is seen
            while any(worker.is_alive() for worker in workers):
                try:
                    done.wait(TICK)
                except KeyboardInterrupt:  # once more: they are ending already
                    continue

    def _guarded_work(self) -> None:
        try:
            self._work(lambda: None)
        except BaseException as error:
            with self.lock:
                self.errors.setdefault(self.next_index - 1, error)

    def _work(self, tick: Callable[[], None]) -> None:
        """Take the next run and carry it out, until there is none."""
        while (index := self._take()) is not None:
            run = self.make(index)
            with self.lock:
                self.active[index] = run
            snapshot_at = run.seconds
            while run.stop == RUNNING and not self._ends(index):
                try:
                    run.step()
                except Exception as error:
                    with self.lock:
                        self.errors[index] = error
                    return
                if self.snapshot_every is not None and run.seconds - snapshot_at >= self.snapshot_every:
                    snapshot_at = run.seconds
                    self._snapshot(run)
                tick()
            self._finish(run)

    def _take(self) -> int | None:
        with self.lock:
            while self.next_index in self.records:  # from a checkpoint
                self.next_index += 1
            index = self.next_index
            if self._ends(index) or (self.runs is not None and index >= self.runs):
                return None
            self.next_index += 1
            return index

    def _ends(self, index: int) -> bool:
        """Whether a run has no part in the answer: lower ones finish, so that the answer is not a matter of arrival."""
        decided = [*self.errors] if self.first_hit is None else [*self.errors, self.first_hit]
        return self.stop is not None or any(index > first for first in decided)

    def _snapshot(self, run: Run) -> None:
        self.snapshots[run.index] = (copied(run.state), run.seconds)

    def _finish(self, run: Run) -> None:
        """Record a run that has ended or is ended here."""
        record = run.record(self.dtype, self.stop or StopReason.CANCELLED)
        if run.stop == RUNNING and self.snapshot_every is not None:
            self._snapshot(run)
        with self.lock:
            self.records[run.index] = record
            self.active.pop(run.index, None)
            if run.stop != RUNNING:
                self.snapshots.pop(run.index, None)
            self.threads = max(self.threads, run.threads)
            if record["stop"] == StopReason.REACHED_TARGET and (self.first_hit is None or run.index < self.first_hit):
                self.first_hit = run.index
            if self._note(record) or self.first_hit == run.index:
                self.histories = {run.index: history_of(run.state)}

    def _note(self, record) -> bool:
        """Count a finished run in; whether it is the best so far."""
        fun, index = float(record["fun"]), int(record["run"])
        value, x, evaluations, generations = self.done
        leads = self.best_index is None or (fun, index) < (value, self.best_index)
        if leads:
            value, x, self.best_index = fun, record["x"], index
        self.done = (value, x, evaluations + int(record["nfev"]), generations + int(record["nit"]))
        return leads

    def kept(self) -> list[np.void]:
        """The records that the answer is made of: those of runs 0..k where run k reached the target."""
        records = [self.records[index] for index in sorted(self.records)]
        return [r for r in records if self.first_hit is None or r["run"] <= self.first_hit]

    def best_record(self):
        return min(self.kept(), key=lambda r: (float(r["fun"]), int(r["run"])), default=None)

    def summarise(self, limits) -> Result:
        """The result of the runs that are kept."""
        runs = np.array(self.kept(), dtype=self.dtype)
        best = self.best_record()
        assert best is not None, "a session keeps at least one run"
        cut = self.stop is not None and (self.runs != len(runs) or self.stop in runs["stop"])
        return summarise(
            runs, limits, reached=self.first_hit is not None, stop=self.stop if cut else None,
            unhurt=not (cut and self.stop is StopReason.INTERRUPTED),
            history=self.histories.get(int(best["run"]), np.zeros((0, 2))),
        )  # fmt: skip

    def _tick(self) -> None:
        """Between chunks, in the caller's thread: the clock, then callback, progress and checkpoint."""
        if self.max_time is not None and time.perf_counter() - self.begin >= self.max_time and self.stop is None:
            self.stop = StopReason.OUT_OF_TIME
        for hook in self.hooks:
            try:
                hook(self)
            except StopIteration:
                self.stop = self.stop or StopReason.CALLBACK

    def best_so_far(self) -> tuple[float, np.ndarray | None, int, int]:
        """(value, x, evaluations, generations) over what is done and what is going on."""
        with self.lock:
            value, x, evaluations, generations = self.done
            going = [run.best for run in self.active.values()]
        for fun, point, nfev, nit in going:
            evaluations, generations = evaluations + nfev, generations + nit
            if fun < value or x is None:
                value, x = fun, point
        return value, x, evaluations, generations
