"""Sums over data on the device: X, y and weights go up once, then a point up and a value and a gradient down, per pass.

The host holds the solver; what is handed over is 8 (D + 1) bytes each way, beside a pass over all of X.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..calling import asking
from ..calling.arguments import pack_each
from ..calling.derivatives import Derivatives, automatic_gradient
from ..calling.objective import CompiledObjective
from ..compile.waiting import announce, explained
from ..differentiate.device import library_in, ptx_of
from .launches import kept, not_empty
from .objective import check_is_compiled, of_engine
from .passes import (
    BLOCK,
    CHUNK,
    FOLD,
    TEAMS,
    Askers,
    fold,
    kernel_of_general,
    kernel_of_linear,
    loss_of_engine,
    loss_of_user,
)
from .questions import Memory, answers, symbol_of
from .shim import (
    SIMULATED,
    address_of,
    architecture,
    configure,
    device_kernel,
    library_text,
    linked_kernel,
    require_gpu,
    room_on_device,
    to_device,
    to_host,
)

BLOCKS = 4 if SIMULATED else 1024  # of rows, at most; a number that hangs on the card would give it bits of its own
THREADS = 8 if SIMULATED else 2**14  # that ask general losses, at most
GROUP = 4 if SIMULATED else 64  # of these form a block
FIRST = 1 << 10  # bytes of each part of a thread's memory at first
MOST = 1 << 20  # and at most
SECONDS = 10  # that a kernel takes to compile, about


class DataOnDevice:
    """The sum over rows i of weights_i loss_i, and its gradient, on a GPU.

    Parameters
    ----------
    loss : CompiledObjective or kernel
        Of a linear model: a kernel of the engine, `loss(z, y_i) -> (value, derivative by z)`, or the objective of
        x = (z,), bound to the arguments (y_0, *args). Else the objective of w, bound to (x_0, y_0, *args).
    X : (n, p) array
        C-contiguous, of double or single precision.
    y : (n, ...) array, optional
        None: the loss is one of z, or of w and x_i, alone.
    weights : (n,) array, optional
        Default: 1 for each row.
    linear : bool
        Which of the two it is.

    Raises
    ------
    RuntimeError, ValueError, CompilationError
        No GPU; a loss that a GPU cannot carry out.
    """

    def __init__(
        self, loss: Any, X: np.ndarray, y: np.ndarray | None, weights: np.ndarray | None = None, *, linear=True
    ):
        require_gpu()
        self.loss, self.linear, self.rows = loss, linear, X.shape[0]
        self.of_engine = not isinstance(loss, CompiledObjective) and linear
        if not self.of_engine:
            check_is_compiled(loss)
            loss.derivatives = loss.derivatives or Derivatives({"gradient": automatic_gradient(loss)})
        self.host = [np.ascontiguousarray(array) for array in (X, y) if array is not None]
        self.X, self.y = to_device(self.host[0]), to_device(np.zeros(self.rows) if y is None else self.host[1])
        self.weights = to_device(np.ones(self.rows) if weights is None else np.ascontiguousarray(weights, np.float64))
        self.whole = to_device(np.arange(self.rows))
        self.fault: int | None = None  # the first row whose loss raised in the last pass
        self.parts = FIRST
        self.records: Any = None
        self.made: dict = {}  # (number of rows, of entries of w) -> what a pass over so many takes

    def value_and_gradient(self, w: np.ndarray, rows: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The sum at w, over all rows or those of these numbers, and its gradient (D,).

        For a linear model w is (p,), or (p + 1,) with the intercept as the last. Where a loss raised, the value is NaN
        and `fault` the row: call the function with that row to see what it raises.
        """
        order = self.whole if rows is None else to_device(np.ascontiguousarray(rows, np.int64))
        count = self.rows if rows is None else len(rows)
        while True:
            found, full = self._pass(np.ascontiguousarray(w, np.float64), order, count)
            if not full:
                break
            if self.parts >= MOST:
                raise MemoryError(f"device='cuda': one row's loss takes more than {MOST} bytes; use device='cpu'")
            self.parts *= 2
            self.made.clear()
        return float(found[-1]), found[: len(w)]

    def _pass(self, w: np.ndarray, order, count: int) -> tuple[np.ndarray, bool]:
        key = count, len(w)
        if key not in self.made:
            self.made[key] = self._make(count, w)
        launch, given, askers, found, columns = self.made[key]
        fault = to_device(np.array([self.rows]))
        data = (self.X, self.y) if self.linear else ()
        launch(*data, self.weights, order, np.int64(0), np.int64(count), to_device(w), askers, *given, found, fault)
        out = room_on_device((columns,), np.float64)
        self._fold(found, out, columns)
        host, first = np.empty(columns), np.empty(1, np.int64)
        to_host(out, host)
        to_host(fault, first)
        full = np.zeros(len(askers.full), np.int64)
        if not self.of_engine and first[0] < self.rows:
            to_host(askers.full, full)
        self.fault = int(first[0]) if first[0] < self.rows else None
        return host, bool(full.any())

    def _make(self, count: int, w: np.ndarray) -> tuple:
        """The launch for so many rows and entries of w, and the arrays that it fills."""
        if self.linear:
            blocks, group = min(BLOCKS, max(1, -(-count // CHUNK))), BLOCK
            p, askers = self.X.shape[1], self._askers(blocks * CHUNK, 1)
            given = (room_on_device((blocks * TEAMS, p), np.float64),)
            found = room_on_device((blocks, p + 2), np.float64)
        else:
            threads = min(THREADS, max(1, count))
            blocks, group, askers, given = -(-threads // GROUP), GROUP, self._askers(threads, len(w)), ()
            found = room_on_device((threads, len(w) + 1), np.float64)
        return configure(self._kernel(), blocks, group), given, askers, found, found.shape[1]

    def _askers(self, threads: int, dimension: int) -> Askers:
        """What the threads have that ask a function of the user's."""
        if self.of_engine:
            nothing = room_on_device((1, 2), np.float64)
            return Askers(0, 0, nothing, 0, nothing, 0, 0, 0, room_on_device((1,), np.int64))
        size = max(self.parts, -(-8 * dimension // 64) * 128)
        self.memory = Memory({"gradient": self.loss}, self.loss, threads, size)
        room = room_on_device((threads, 1 + 3 * dimension), np.float64)
        points = room_on_device((threads, 2 * dimension), np.float64)
        if self.records is None:
            self.records = self._records()
        records, stride = self.records
        return Askers(
            address_of(records), stride, room, address_of(room), points, self.memory.address, self.memory.each, size,
            to_device(np.zeros(threads, np.int64)),
        )  # fmt: skip

    def _records(self):
        """The arguments of each row, on the device."""
        bound, each = self.loss, tuple(self.host[self.linear :])
        places = {id(host): array for host, array in zip(self.host, (self.X, self.y))}

        def address(array: np.ndarray) -> int:
            if id(array) not in places:
                places[id(array)] = to_device(not_empty(array))
            return address_of(places[id(array)])

        carried, args = bound.args[: bound.held], bound.args[bound.held + len(each) :]
        records = pack_each(carried, each, args, self.rows, address)
        self.held = places  # what is used by its address
        return to_device(records), 8 * records.shape[1]

    def _kernel(self):
        if self.of_engine:
            loss = self.loss
            return kept(("sums", loss), lambda: device_kernel(kernel_of_linear(loss_of_engine(of_engine(loss)))))
        return kept(("sums", self.linear, self.loss.form and self.loss.form.key), self._build)

    def _build(self):
        with explained("the loss", SECONDS, "this GPU, once in each process"):
            announce()
        ask = answers(False)[asking.value_and_gradient]
        texts = []
        if not SIMULATED:
            texts = [ptx_of(self.loss, "gradient", symbol_of("gradient"), architecture(), library=True)]
            texts += map(library_text, library_in(texts[0]))
        sums = kernel_of_linear(loss_of_user(ask)) if self.linear else kernel_of_general(ask)
        return linked_kernel(sums, texts)

    def _fold(self, found, out, columns: int) -> None:
        configure(kept(("fold",), lambda: device_kernel(fold)), columns, FOLD)(found, out)
