"""A sum over data from Python: where the rows come from, and passes over them by the address of their machine code.

The machine code is that of sums.py, compiled once for each type of X and form of loss, whatever the loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..calling.adapters import address_of, once
from ..calling.arguments import RAISED_BITS, Packed, pack, record_type
from ..calling.aside import GRACE, Call
from ..calling.asking import FORMS
from ..calling.gradients import caller
from ..calling.objective import CompiledObjective
from ..compile import forking
from ..compile.jit import RELAXED, compile_for, kernel, parallel_region
from ..differentiate.adapters import derivatives
from ..differentiate.workspace import Workspace
from .handing import Code, Data, Scratch
from .losses import LINES, Loss, words_before
from .rows import Dense
from .sums import blocks_of, pass_over
from .team import OVER, new_team

WORTH = 1 << 17  # numbers from which threads pay: about 50 us of one
WORTH_OF_TEAM = 1 << 14  # the same of batches, whose threads are awake
HELP = 1  # as the workspace of a gradient: what a helper passes (sums.py)


@dataclass(frozen=True)
class Source:
    """The rows, and the loss of each; what is compiled once for all that is done with them."""

    loss: Loss
    X: Any  # Dense or Sparse
    y: np.ndarray | None  # (n,) or (n, k) float64 or int64
    weights: np.ndarray | None  # (n,) of mean 1
    l2: float
    intercept: bool  # the last entry of w is one, which l2 leaves alone

    @property
    def rows(self) -> int:
        return len(self.X.x) if isinstance(self.X, Dense) else len(self.X.starts) - 1

    @property
    def columns(self) -> int:
        return self.X.x.shape[1] if isinstance(self.X, Dense) else self.X.width

    @property
    def row_bytes(self) -> float:
        """That a row of X takes, in the mean."""
        X = self.X
        return X.x.nbytes / len(X.x) if isinstance(X, Dense) else 1.5 * X.values.nbytes / self.rows + 1.0

    def line(self, i: Any) -> np.ndarray:
        """Row i (p,) in double precision, a copy."""
        if isinstance(self.X, Dense):
            return self.X.x[i].astype(np.float64)
        line, here = np.zeros(self.columns), slice(*self.X.starts[i : i + 2])
        np.add.at(line, self.X.columns[here], self.X.values[here])
        return line

    def loss_at(self, w: np.ndarray, i: int) -> float:
        """The loss of row i in plain Python; an exception comes with the number of the row."""
        x = self.line(i)
        y = None if self.y is None else self.y[i]
        try:
            return self.loss.at(_z(x, w), None, y) if self.loss.linear else self.loss.at(w.copy(), x, y)
        except Exception as error:
            error.add_note(f"raised by the loss in row {i}")
            raise

    def bind(self, w: np.ndarray) -> CompiledObjective:
        """The machine code of the loss; w (D,): where it is compared with Python."""
        few = np.arange(LINES) % self.rows  # always so many: what is proven of indices holds for shorter blocks
        lines = np.array([self.line(i) for i in few])
        y = None if self.y is None else self.y[few]
        if self.loss.linear:
            return self.loss.bind(np.array([_z(x, w) for x in lines]), None, y)
        return self.loss.bind(w, lines, y)


def _z(x: np.ndarray, w: np.ndarray) -> float:
    return float(x @ w[: x.size]) + (float(w[-1]) if w.size > x.size else 0.0)


class Passes:
    """Passes over rows of a source, by address; the memory they need is of one run at a time.

    order: (m,) which rows, in which order; empty: all as they stand. batch (2,): from where to where in that order.
    Both may be written to between passes.
    most: rows of the largest batch; None: passes go over all of them. Threads that share out batches are those of
    `helped`, others Numba's.
    """

    def __init__(
        self, source: Source, bound: CompiledObjective, dimension: int, threads: int,
        order: np.ndarray | None = None, most: int | None = None,
    ):  # fmt: skip
        self.source: Source = source
        self.bound: CompiledObjective = bound
        self.dimension: int = dimension
        self.order: np.ndarray = np.zeros(0, np.int64) if order is None else order
        self.batch: np.ndarray = np.array([0, self.order.size or source.rows])
        self.most: int = int(most or self.batch[1])
        numbers, blocks = self.most * source.columns, int(blocks_of.py_func(self.most, dimension))
        self.parallel: bool = most is None and numbers >= WORTH and not forking.threads_are_gone()
        self.helpers: int = min(threads, blocks) - 1 if most is not None and numbers >= WORTH_OF_TEAM else 0
        y, dimensions = np.zeros((source.rows, 0), np.int64), 0
        if source.y is not None:
            y, dimensions = source.y.view(np.int64).reshape(source.rows, -1), source.y.ndim
        made = _scratch(source, bound, dimension, blocks)
        self.scratch: Scratch = made[0]
        self.workspaces: list[Any] = made[1]
        derived = derivatives(bound)
        asked = {"value": bound.address, "gradient": derived.gradient, "product": 0}
        code = Code(**asked, place=len(words_before(bound)), dimensions=dimensions)
        weights = np.zeros(0) if source.weights is None else source.weights
        self.data: Data = Data(
            source.X, y, weights, self.order, self.batch, np.ones(LINES), code, float(source.l2),
            dimension - source.intercept, threads, new_team(), self.scratch,
        )  # fmt: skip
        self.packed: Packed = Packed(self.data)
        self.type: Any = record_type((self.data,)).types[0]

    def address(self, kind: str) -> int:
        """Of the adapter "value", "gradient" or "product", compiled when it is asked for."""
        if kind == "product" and self.data.code.product == 0:
            self.data = self.data._replace(code=self.data.code._replace(product=derivatives(self.bound).product))
            words = pack(self.data)
            self.packed.value, self.packed.words[:] = self.data, words  # in its place: compiled code knows its address
        linear, parallel, Type = self.source.loss.linear, self.parallel, self.type

        def compile_it():
            adapter = pass_over(kind, Type, linear, parallel)
            return compile_for(kernel(adapter, flags=RELAXED, inner=not parallel), FORMS[kind])

        return address_of(once(("sum", kind, linear, parallel, str(Type)), compile_it))

    @property
    def record(self) -> int:
        return self.packed.address

    def value(self, w: np.ndarray) -> float:
        return self._call("value", w)

    def gradient(self, w: np.ndarray, g: np.ndarray) -> float:
        """The value; the gradient in g (D,)."""
        return self._call("gradient", w, g, 0)

    def product(self, w: np.ndarray, v: np.ndarray, hv: np.ndarray) -> None:
        """The Hessian at w times v (D,) in hv (D,)."""
        self._call("product", w, v, hv, 0)

    def _call(self, kind: str, w: np.ndarray, *others) -> float:
        address = self.address(kind)
        with parallel_region():
            value = float(caller(kind)(address, (w, self.record, *others)))
        if was_raised(value):
            self.replay(w)
        return value

    @contextmanager
    def helped(self, w: np.ndarray) -> Iterator[None]:
        """Within, other threads take their share of gradients at w, whose entries may change between passes."""
        given = caller("gradient"), self.address("gradient"), (w, self.record, w, HELP)
        calls = [Call(*given) for _ in range(self.helpers)]
        self.data.team[OVER] = 0
        try:
            for call in calls:
                call.begin()
            yield
        finally:
            self.data.team[OVER] = 1
            for call in calls:
                if call.begun:
                    call.wait(GRACE)

    def replay(self, w: np.ndarray) -> None:
        """Raise what the loss raises at w, in the first row of the batch of which it does."""
        for k in np.flatnonzero([was_raised(value) for value in self.scratch.values[:, 0]]):
            start = int(self.scratch.values[k, 1])
            for position in range(start, min(start + LINES, int(self.batch[1]))):
                self.source.loss_at(w, int(self.order[position]) if self.order.size else position)
        raise RuntimeError("the loss raised an exception, and not when it was called again in Python")


def was_raised(value: float) -> bool:
    """Whether a value that came from machine code is the sign of an exception."""
    return value != value and int(np.float64(value).view(np.int64)) == RAISED_BITS


def _scratch(source: Source, bound: CompiledObjective, dimension: int, count: int) -> tuple[Scratch, list]:
    """(memory for so many blocks, the workspaces whose addresses stand there)"""
    linear, p = source.loss.linear, source.columns
    k = 0 if source.y is None else source.y[0].size
    before = words_before(bound)
    workspaces = [(Workspace(), Workspace()) for _ in range(count)]

    def room(numbers: int, kind: Any = np.float64) -> np.ndarray:
        # Two lines of the cache between blocks: with a line in common, two threads took as long as one.
        return np.zeros((count, -(-numbers // 8) * 8 + 16), kind)

    records, works = room(len(before) + 8, np.int64), room(2, np.int64)
    records[:, : len(before)] = before
    works[:, :2] = [[work.address for work in pair] for pair in workspaces]
    slopes, x = room(LINES if linear else dimension), room(0 if linear else LINES * p)
    z, along, s = room(LINES), room(LINES), room(LINES)
    scratch = Scratch(records, works, z, slopes, along, x, room(LINES * k, np.int64), s, room(dimension), room(2))
    return scratch, workspaces
