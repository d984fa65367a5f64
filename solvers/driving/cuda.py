"""`device="cuda"`: the runs of one call of `minimize` on a GPU, in waves that fit its memory.

The states live on the device and are carried on for about 0.1 s at a time; in between the host reads the record and the
best point of each run and looks at clock, callback, progress, checkpoint and Ctrl-C. Draws are those of the CPU, values
equal to rounding. An exception of the objective cannot leave the device: its x comes to the host, where the plain
function is called again and raises it. What no GPU can run is refused before anything runs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...kernels.compile.structures import copied, leaves
from ...kernels.cuda.launches import Launcher, Rows, Runs
from ...kernels.run import RUNNING
from ..contract import Solver
from .call import Call, begin
from .result import StopReason
from .running import history_of
from .session import ENDLESS, Session

CHUNK = 0.1  # seconds between looks
LARGE = 1024  # rows from which a single run has a thread for each row, on the whole device
WAVE_BYTES = 2**31  # of states on the device at a time
ENDLESS_WAVE = 256  # runs at a time where only the clock ends them


def check_has_rows(solver: Solver) -> None:
    """ValueError if a solver makes its evaluations one after another, which is nothing for a GPU."""
    if solver.rows is None:
        raise ValueError(
            f"device='cuda': {solver.name} has no rows, whose values a GPU could compute side by side; "
            f"use device='cpu', or a method with a population"
        )
    if not solver.on_gpu:
        raise ValueError(f"device='cuda': {solver.name} runs on the CPU only; use device='cpu', or another method")


class CudaSession(Session):
    """A session whose runs are advanced together, a wave at a time."""

    on_cpu = False

    def __init__(self, call: Call, bound, runs: int | None, max_time: float | None):
        check_has_rows(call.solver)
        super().__init__(call, bound, runs, 1, max_time)
        self.template = begin(call, 0)
        rows, size = self.template.trial.shape[0], sum(array.nbytes for _, array in leaves(self.template))
        self.launcher = (Rows if runs == 1 and rows > LARGE else Runs)(call.solver, bound)
        self.wave_size = max(min(WAVE_BYTES // size, ENDLESS_WAVE if self.endless else self.runs), 1)
        self.launcher.begin(self.template, [0])  # compiles
        self.generations = 1  # of a launch

    def _work(self, tick) -> None:
        while indices := self._next_wave():
            wave = Wave(self.launcher, indices, self._load(indices))
            self.active[-1] = wave  # type: ignore[assignment]
            self.threads = self.launcher.threads
            snapshot_at = time.perf_counter()
            while (running := wave.running(self._last())).any() and self.stop is None:
                self.generations = wave.step(self.generations, self._last(), running)
                self._record(wave, np.flatnonzero(wave.stops != RUNNING))
                if self.snapshot_every is not None and time.perf_counter() - snapshot_at >= self.snapshot_every:
                    self._snapshot_wave(wave)
                    snapshot_at = time.perf_counter()
                tick()
            self._finish(wave)  # type: ignore[arg-type]

    def _next_wave(self) -> list[int]:
        indices: list[int] = []
        while len(indices) < self.wave_size:
            first, count = self._take(self.wave_size - len(indices))
            if count == 0:
                break
            indices += range(first, first + count)
        return indices

    def _load(self, indices: list[int]) -> list[float]:
        """Put runs onto the device, as a checkpoint had them or as they begin; the seconds that each has taken."""
        if not any(index in self.states for index in indices):
            self.launcher.begin(self.template, indices)
            return [0.0] * len(indices)
        held = [self.states.pop(index, None) or (begin(self.call, index), 0.0) for index in indices]
        states, seconds = zip(*held)
        self.launcher.load(list(states))
        return list(seconds)

    def _last(self) -> int:
        """The last run that still counts."""
        return ENDLESS if self.records.first_hit is None else self.records.first_hit

    def _finish(self, run) -> None:
        """Record the runs of a wave that have not ended: the clock, the user or a lower run ended them."""
        wave: Any = run
        if self.snapshot_every is not None and self.stop is not None:
            self._snapshot_wave(wave)
        self._record(wave, np.flatnonzero(wave.open))
        self.active.pop(-1, None)

    def _record(self, wave, finished: np.ndarray) -> None:
        """Move runs, given by their place in the wave, to the records; keep the history of the best."""
        finished = finished[wave.open[finished]]
        if not finished.size:
            return
        wave.open[finished] = False
        rows = wave.rows(finished, self.records.dtype, int(self.stop or StopReason.CANCELLED))
        with self.lock:
            self.records.add(rows)
            for k in finished[wave.stops[finished] != RUNNING]:
                self.snapshots.pop(wave.indices[k], None)
            assert self.records.best is not None
            best = int(self.records.best["run"]) if self.records.first_hit is None else self.records.first_hit
            if best in rows["run"]:
                k = wave.indices.index(best)
                wave.launcher.pull("run.history", runs=slice(k, k + 1))
                self.histories = {best: history_of(wave.launcher.state(k))}
            wave.publish()  # without those that the records hold from now on

    def _snapshot_wave(self, wave) -> None:
        """The states of the runs that go on, for a checkpoint."""
        wave.launcher.pull()
        for k in np.flatnonzero(wave.open):
            self.snapshots[wave.indices[k]] = (copied(wave.launcher.state(k)), float(wave.seconds[k]))


class Wave:
    """Runs that are on the device together, as the host last saw them."""

    def __init__(self, launcher: Launcher, indices: list[int], seconds: Sequence[float]):
        self.launcher, self.indices = launcher, indices
        self.now, self.best_x = launcher.host.run.now[:, 0], launcher.host.run.best_x
        self.seconds = np.array(seconds, dtype=np.float64)
        self.open = np.ones(len(indices), dtype=np.bool_)  # not yet recorded
        self.publish()

    @property
    def stops(self) -> np.ndarray:
        return self.now["stop"]

    def running(self, last: int) -> np.ndarray:
        """Which runs the next launch carries on."""
        return self.open & (self.stops == RUNNING) & (np.array(self.indices) <= last)

    def step(self, generations: int, last: int, running: np.ndarray) -> int:
        """Launch, wait, read. Returns the generations of a launch that takes about CHUNK."""
        begin = time.perf_counter()
        before = self.now["iteration"].copy()
        self.launcher.advance(generations, int(np.searchsorted(self.indices, last, side="right")) - 1)
        self.launcher.pull("run.now", "run.best_x")
        elapsed = time.perf_counter() - begin
        self.seconds[running] += elapsed
        stuck = running & (self.stops == RUNNING) & (self.now["iteration"] == before)
        x = self.launcher.raised_at(stuck)
        if x is not None:
            self.launcher.bound.replay(x)
        if stuck.any():
            raise RuntimeError("the device carried a run no further, and no exception of the objective explains it")
        self.publish()
        return int(np.clip(generations * CHUNK / max(elapsed, 1e-6), 1, 4 * generations))

    def rows(self, places: np.ndarray, dtype: np.dtype, cut: int) -> np.ndarray:
        """What the result keeps of runs (`result.run_dtype`); `cut`: why those ended that did not by themselves."""
        rows, now = np.zeros(len(places), dtype), self.now[places]
        rows["run"], rows["x"] = np.array(self.indices)[places], self.best_x[places]
        rows["fun"], rows["nfev"], rows["nit"] = now["best"], now["evaluations"], now["iteration"]
        rows["n_failed"], rows["spread"], rows["seconds"] = now["failed"], now["spread"], self.seconds[places]
        rows["stop"] = np.where(now["stop"] == RUNNING, cut, now["stop"])
        return rows

    def publish(self) -> None:
        """Note the best and the counts over the runs that are not yet recorded."""
        going = np.flatnonzero(self.open)
        now = self.now[going]
        k = going[np.argmin(now["best"])] if going.size else 0
        evaluations, iterations = int(now["evaluations"].sum()), int(now["iteration"].sum())
        self.best = (float(now["best"].min(initial=np.inf)), self.best_x[k].copy(), evaluations, iterations)
        self.spread = float(self.now["spread"][k])
