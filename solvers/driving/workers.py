"""`workers=`: the rows of a generation, or the points of a gradient by differences, evaluated side by side.

It is for objectives that take long in Python.

Processes of our own, a map-like callable as in SciPy, or a `distributed.Client`. A generation is cut into pieces in the
order of its rows and put together again in that order: the answer is the same whatever the number of workers.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import get_context
from typing import Any

import cloudpickle
import numpy as np

from ...kernels.calling.in_python import PythonObjective, evaluate_one, number_of
from ...kernels.calling.objective import Objective
from ...kernels.compile.by_value import dumps
from .settings import as_integer, count_of

PIECE = 0.02  # seconds that a message should be worth


class SpreadObjective(PythonObjective):
    """A Python objective whose batches are shared out."""

    def __init__(self, source: Objective, args: tuple, spread: Spread):
        super().__init__(source, args)
        self.spread, self.batches = spread, True

    @property
    def runs_as(self) -> str:
        return f"python, {self.spread.name}"

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        begin = time.perf_counter()
        try:
            return self.spread.evaluate(self.source, self.args, x)
        finally:
            self.seconds += time.perf_counter() - begin


def evaluate_rows(source: Objective, args: tuple, x: np.ndarray) -> tuple[np.ndarray, float]:
    """(values of the rows of x, seconds): what a worker does."""
    begin = time.perf_counter()
    if source.vectorized:
        values = PythonObjective(source, args).evaluate(x)
    else:
        values = np.array([evaluate_one(source.function, args, row.copy()) for row in x])
    return values, time.perf_counter() - begin


class Spread:
    """Shares the rows of a batch out. `run(pieces) -> results` is what the kinds of workers differ in."""

    def __init__(self, name: str, count: int):
        self.name, self.count = name, count
        self.seconds = np.inf  # of one evaluation, by the last batch

    def evaluate(self, source: Objective, args: tuple, x: np.ndarray) -> np.ndarray:
        rows = int(np.clip(PIECE / max(self.seconds, 1e-9), 1, -(-len(x) // self.count)))
        results = self.run(source, args, [x[k : k + rows] for k in range(0, len(x), rows)])
        self.seconds = sum(seconds for _, seconds in results) / len(x)
        return np.concatenate([values for values, _ in results])

    def run(self, source: Objective, args: tuple, pieces: list[np.ndarray]) -> list[tuple[np.ndarray, float]]:
        raise NotImplementedError

    def close(self, hurry: bool = False) -> None:
        """`hurry`: do not wait for what is being evaluated."""


class OnProcesses(Spread):
    """Processes of this call. The function travels once, by value where no module has it."""

    def __init__(self, count: int):
        super().__init__(f"{count} processes", count)
        self.pool: Any = None
        self.cut = False  # some rows may be at work for nobody

    def run(self, source, args, pieces):
        futures = []
        try:
            if self.pool is None:
                self._start(source, args)
            pool: Any = self.pool
            futures += [pool.submit(_evaluate_piece, piece) for piece in pieces]
            results = [future.result() for future in futures]
        except BaseException as error:  # Ctrl-C among them
            self.cut = True
            for future in futures:
                future.cancel()
            if isinstance(error, BrokenProcessPool):
                raise RuntimeError("workers: a process died while it evaluated the objective") from None
            raise
        return _values_of(results)

    def _start(self, source, args) -> None:
        payload = dumps((source, args))
        with _without_main():
            self.pool = ProcessPoolExecutor(self.count, get_context("spawn"), _take_up, (payload,))
            try:
                for future in [self.pool.submit(_nothing) for _ in range(self.count)]:  # all begin here
                    future.result()
            except OSError as error:
                raise RuntimeError(f"workers: got {self.count}, expected fewer: the system gives no more") from error

    def close(self, hurry: bool = False) -> None:
        if self.pool is None:
            return
        hurry = hurry or self.cut
        processes = list((self.pool._processes or {}).values()) if hurry else []
        for process in processes:  # an evaluation that is going on may take minutes
            process.terminate()
        self.pool.shutdown(wait=not hurry, cancel_futures=True)
        for process in processes:
            process.join(1.0)


class OnMap(Spread):
    """A callable as SciPy's `workers`: `map(function, iterable)`."""

    def __init__(self, function: Callable):
        super().__init__("a map", 1)
        self.function = function

    def run(self, source, args, pieces):
        work = _One(source, args)
        rows = [row for piece in pieces for row in piece]
        values = list(self.function(work, rows))
        if len(values) != len(rows):
            raise ValueError(f"workers: the map gave {len(values)} values for {len(rows)} points")
        return [(np.array([number_of(value) for value in values]), 0.0)]


class OnClient(Spread):
    """The workers of a `distributed.Client`."""

    def __init__(self, client):
        super().__init__("a Dask client", max(sum(client.nthreads().values()), 1))
        self.client, self.work = client, None

    def run(self, source, args, pieces):
        if self.work is None:
            self.work = self.client.scatter([dumps((source, args))], broadcast=True, hash=False)[0]
        futures = self.client.map(_evaluate_sent, pieces, work=self.work, pure=False, batch_size=None)
        try:
            return _values_of(self.client.gather(futures))
        finally:
            self.client.cancel(futures)


class _One:
    """The objective at one point, to be sent to a map."""

    def __init__(self, source: Objective, args: tuple):
        self.source, self.args = source, args

    def __call__(self, x: np.ndarray) -> float:
        return float(evaluate_rows(self.source, self.args, np.asarray(x)[None])[0][0])

    def __reduce__(self):
        return _loaded_one, (dumps((self.source, self.args)),)


def _loaded_one(payload: bytes) -> _One:
    return _One(*cloudpickle.loads(payload))


_here: tuple[Objective, tuple] | None = None  # in a worker process: what it evaluates


def _take_up(payload: bytes) -> None:
    global _here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's
    _here = cloudpickle.loads(payload)


def _nothing() -> None:
    pass


def _evaluate_piece(piece: np.ndarray) -> tuple[np.ndarray, float] | bytes:
    assert _here is not None, "the initializer has run"
    return _values_or_error(_here, piece)


def _evaluate_sent(piece: np.ndarray, work: bytes) -> tuple[np.ndarray, float] | bytes:
    return _values_or_error(_loaded(work), piece)


def _values_or_error(work: tuple[Objective, tuple], piece: np.ndarray) -> tuple[np.ndarray, float] | bytes:
    """What `evaluate_rows` returns, or the pickled exception: its class may stand in the caller's script alone.

    Also that of sys.exit(), which is meant for the caller: a worker of Dask would end by it.
    """
    try:
        return evaluate_rows(*work, piece)
    except BaseException as error:
        return cloudpickle.dumps(error)


def _values_of(results: list) -> list[tuple[np.ndarray, float]]:
    """The values, or the exception of the first row that raised."""
    for result in results:
        if isinstance(result, bytes):
            raise cloudpickle.loads(result)
    return results


@lru_cache(maxsize=4)
def _loaded(work: bytes) -> tuple[Objective, tuple]:
    return cloudpickle.loads(work)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Processes that start here do not run the user's script again: no `if __name__ == "__main__"` is asked for."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def spread_over(workers) -> Iterator[Spread]:
    """Who evaluates, from what the user gave as `workers`: a number, a map or a client.

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    if hasattr(workers, "scatter") and hasattr(workers, "gather"):
        spread: Spread = OnClient(workers)
    elif callable(workers):
        spread = OnMap(workers)
    else:
        spread = OnProcesses(_count(workers))
    try:
        yield spread
    except BaseException:
        spread.close(hurry=True)
        raise
    spread.close()


def _count(workers) -> int:
    number = as_integer("workers", workers)
    if number < 1 and number != -1:
        raise ValueError(f"workers: got {workers}, expected a number of processes (-1: all cores), a map or a client")
    return count_of("workers", None if number == -1 else number)


def refuse_workers(solver, device: str = "cpu", **others) -> None:
    """ValueError where `workers` has no meaning; `others`: arguments that it excludes, None where they are left out."""
    if solver.rows is None and "gradient" not in solver.asks:
        raise ValueError(f"workers: {solver.name} evaluates one point at a time; leave it out")
    if device != "cpu":
        raise ValueError(f"workers: device={device!r} evaluates by itself; leave it out")
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"workers: got it together with {name}, expected one of them")
