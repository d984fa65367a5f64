"""Training by mini-batches: the updates of the first-order methods, each by the gradient of one batch of rows.

An epoch goes once over all rows, in an order that is a function of (seed, epoch) (kernels/data/shuffling.py), in
batches of equal size, to one row. The mathematics of a method is its `update` (solvers/descent), the same that it makes
of the whole gradient. The step of a batch is that of the schedule, whose time is counted in batches.

Robbins and Monro, Ann. Math. Stat. 22 (1951) 400; averages of the points: Polyak and Juditsky, SIAM J. Control Optim.
30 (1992) 838.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba.core import types

from ...kernels.calling import asking
from ...kernels.calling.adapters import once
from ...kernels.calling.arguments import Packed, load
from ...kernels.calling.aside import Call
from ...kernels.calling.asking import FUNCTIONS, Functions
from ...kernels.calling.states import state_type
from ...kernels.compile.jit import compile_for, kernel
from ...kernels.data.passes import Passes
from ...kernels.data.rows import block_start
from ...kernels.data.shuffling import run_length, shuffle
from ...kernels.descent.box import clip
from ...kernels.descent.schedules import scheduled
from ...kernels.run import DIVERGED, OUT_OF_ITERATIONS, RUNNING, STALLED, raised
from ..contract import UNLIMITED, Key, Limits, Solver
from ..descent import adagrad, adam, adamw, gradient_descent, momentum, nesterov, rmsprop

BATCHED: dict[str, tuple[Solver, Any]] = {  # what a method makes of a gradient
    "sgd": (gradient_descent.SOLVER, gradient_descent.update),
    "momentum": (momentum.SOLVER, momentum.update),
    "nesterov": (nesterov.SOLVER, nesterov.update),
    "adagrad": (adagrad.SOLVER, adagrad.update),
    "rmsprop": (rmsprop.SOLVER, rmsprop.update),
    "adam": (adam.SOLVER, adam.update),
    "adamw": (adamw.SOLVER, adamw.update),
}
INTERRUPTED = 8  # as StopReason has it
CHUNK = 0.1  # seconds between looks at the clock


def advancing(name: str) -> Any:
    """advance(problem, state, batch, mean, total, batches, rows, first, stop, average) -> the first batch left to do.

    batch (2,): where the problem finds which rows it is; mean (D,): of the points, where there have been `average` > 0
    of them before; total (1,): the sum of the values of the batches, each times its rows.
    """
    solver, update = BATCHED[name]
    State = state_type(solver.State)

    def advance(asked, packed, batch, mean, total, batches, rows, first, stop, average):
        problem, state = load(asked, FUNCTIONS), load(packed, State)
        own, now = state.own[0], state.run.now[0]
        for b in range(first, stop):
            batch[0], batch[1] = block_start(rows, batches, b), block_start(rows, batches, b + 1)
            value = asking.value_and_gradient(problem, state.x, state.g)
            if raised(value):
                return b
            own.f = value
            total[0] += value * (batch[1] - batch[0])
            update(problem, state, scheduled(own, state.run))
            clip(state.x, state.box)
            now.iteration += 1
            if average >= 0:
                average += 1
                for j in range(mean.size):
                    mean[j] += (state.x[j] - mean[j]) / average
        return stop

    vector, whole = types.float64[::1], types.int64
    form = whole(whole, whole, types.int64[::1], vector, vector, *[whole] * 5)
    return once(("epoch", name), lambda: compile_for(kernel(advance), form))


@dataclass(frozen=True, kw_only=True)
class Schooling:
    """How it is trained."""

    method: str
    batch_size: int
    epochs: int
    seed: int
    average: int | None = None  # the epoch from which on points are averaged; None: never
    patience: int | None = None  # epochs without a better loss after which it ends
    tol: float = 0.0  # what is better: by tol (1 + |loss|)
    max_time: float | None = None  # seconds
    mapped: bool = False  # rows stand in a file


@dataclass
class Trained:
    """Where the training stands."""

    x: np.ndarray  # (D,) the answer: the best by the validation loss, else the last, or the mean
    stop: int = RUNNING
    steps: int = 0  # batches
    seconds: float = 0.0
    best: float = np.inf  # of the loss that is watched: that of the validation, else that of the training
    stall: int = 0  # epochs since it got better
    history: list[tuple[int, float, float, float]] = field(default_factory=list)

    def record(self) -> dict[str, np.ndarray]:
        """A value for each epoch; the training loss is the mean over the epoch's batches, as the points moved."""
        columns = np.array(self.history or np.zeros((0, 4)), dtype=np.float64).T
        names = ("epoch", "training", "validation", "seconds")
        found = {name: np.array(column) for name, column in zip(names, columns)}
        return found | {"epoch": found["epoch"].astype(np.int64)}


class Training:
    """A run over epochs.

    passes: over batches of at most `batch_size` rows; their `order` has the rows that are trained on.
    held: passes over the rows that the validation loss is of.
    rows: (m,) which rows; (0,): all.
    """

    def __init__(self, plan: Schooling, domain, options, passes: Passes, rows: np.ndarray, held: Passes | None):
        self.plan, self.passes, self.rows, self.held = plan, passes, rows, held
        self.count = passes.order.size
        self.batches = -(-self.count // plan.batch_size)
        solver, _ = BATCHED[plan.method]
        limits = Limits(UNLIMITED, max_iterations=self.batches * plan.epochs)
        self.state = solver.init(domain, options, limits, Key(plan.seed, 0))
        self.packed = Packed(self.state)
        self.words = np.zeros(4, np.int64)  # a pass needs no workspace but its own
        self.problem = Packed(
            Functions(
                passes.address("value"), passes.record, gradient=passes.address("gradient"),
                work=int(self.words.ctypes.data),
            )
        )  # fmt: skip
        self.advance = advancing(plan.method)
        self.mean, self.total = np.zeros_like(self.state.x), np.zeros(1)
        self.run = run_length(self.count, passes.source.row_bytes, plan.batch_size, plan.mapped)
        self.averaged = -1  # points in the mean; -1: there is none
        self.at = Trained(self.state.x.copy())
        self.chunk = 1  # batches
        self.begin = 0.0

    @property
    def point(self) -> np.ndarray:
        return self.mean if self.averaged > 0 else self.state.x

    def carry_out(self, each_epoch: Callable[[Trained], None], over: Callable[[], int]) -> Trained:
        """Train; `each_epoch` is called after each, `over` tells between chunks why it shall end, or RUNNING."""
        at, plan = self.at, self.plan
        self.begin = time.perf_counter()
        try:
            for epoch in range(plan.epochs):
                if plan.average is not None and epoch >= plan.average and self.averaged < 0:
                    self.averaged = 0
                if not self._epoch(epoch, over):
                    break
                self._note(epoch)
                each_epoch(at)
                if at.stop != RUNNING:
                    break
        finally:
            at.steps = int(self.state.run.now["iteration"][0])
            at.seconds = time.perf_counter() - self.begin
        if at.stop == RUNNING:
            at.stop = OUT_OF_ITERATIONS
        return at

    def interrupted(self) -> Trained:
        """Where it stands after Ctrl-C; a chunk that did not return has no part in it."""
        self.at.stop = INTERRUPTED
        self._take()
        return self.at

    def _epoch(self, epoch: int, over: Callable[[], int]) -> bool:
        """Whether it came to its end."""
        shuffle(self.plan.seed, epoch, self.rows, self.run, self.passes.order)
        self.total[0], first = 0.0, 0
        while first < self.batches:
            stop, begin = min(first + self.chunk, self.batches), time.perf_counter()
            with self.passes.helped(self.state.x):
                done = Call(
                    self.advance, self.problem.address, self.packed.address, self.passes.batch, self.mean, self.total,
                    self.batches, self.count, first, stop, self.averaged,
                ).result()  # fmt: skip
            if self.averaged >= 0:
                self.averaged += done - first
            if done < stop:
                self.passes.replay(self.state.x)
            elapsed = time.perf_counter() - begin
            self.chunk = int(max(1, min(16 * (stop - first), (stop - first) * CHUNK / max(elapsed, 1e-6))))
            first = stop
            self.at.steps = int(self.state.run.now["iteration"][0])
            self.at.stop = over()
            if self.at.stop != RUNNING:
                self._take()
                return False
        return True

    def _take(self) -> None:
        """The point is the answer, unless the validation knows a better one."""
        if self.held is None and np.isfinite(self.point).all():
            self.at.x = self.point.copy()

    def _note(self, epoch: int) -> None:
        """The losses of an epoch, what is best, and whether this is the end."""
        at, plan = self.at, self.plan
        training = float(self.total[0] / self.count)
        if not (np.isfinite(training) and np.isfinite(self.point).all()):
            at.stop = DIVERGED
            return
        validation = np.nan if self.held is None else self.held.value(self.point)
        loss = training if self.held is None else validation
        at.stall = 0 if loss < at.best - plan.tol * (1.0 + abs(at.best) if at.best < np.inf else 0.0) else at.stall + 1
        if self.held is not None and loss < at.best:
            at.x = self.point.copy()
        self._take()
        at.best = min(at.best, loss)
        at.seconds = time.perf_counter() - self.begin
        at.history.append((epoch + 1, training, validation, at.seconds))
        if plan.patience is not None and at.stall >= plan.patience:
            at.stop = STALLED
