"""States on the device: up, on, down; and the values of an objective for a batch of points.

`Runs` and `Rows` are the two shapes of generation.py. Both hold a state for each run, as a state whose arrays have a
leading axis, on the host (`host`) and on the device, and carry them on by whole generations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..calling.checking import explain
from ..calling.objective import CompiledObjective
from ..compile import jit
from ..compile.fingerprint import fingerprint
from ..compile.structures import leaves, mapped
from ..compile.waiting import announce, explained
from ..numbers.random import generation_key, run_key
from ..run import RAISED
from .generation import kernel_of_runs, kernel_of_values, kernels_of_rows, make_stages
from .objective import arguments_on_device, check_fits_device, function_of, writes_into_x
from .reductions import UNFILLED
from .shim import SIMULATED, configure, repeated, require_gpu, to_device, to_host

# Threads of a block. The simulator, which starts each as a thread of Python, has fewer.
FEWEST, MOST = (4, 8) if SIMULATED else (32, 256)  # where a block carries a run
ROW_BLOCK = 8 if SIMULATED else 128  # where each has its row
ONE_BLOCK = 8 if SIMULATED else 512  # where one block serves a large population
KEPT = 64  # objectives whose kernels stay compiled
SECONDS = 10  # that the kernels of a solver take to compile, about
_compiled: dict = {}


@jit.kernel
def number_runs(now, indices):
    """Make the records of runs that have not begun those of the runs `indices`."""
    for k in range(indices.size):
        now[k].index = indices[k]
        now[k].key = generation_key(run_key(now[k].seed, now[k].index), now[k].iteration)


class Launcher:
    """The kernels of a solver and an objective, compiled when the first states are there."""

    grid: int
    block: int

    def __init__(self, solver: Any, bound: CompiledObjective):
        require_gpu()
        check_fits_device(bound)
        self.solver, self.State, self.bound = solver, solver.State, bound
        self.args = arguments_on_device(bound.given)

    @property
    def threads(self) -> int:
        """Threads of the device that work at a time."""
        return self.grid * self.block

    def load(self, states: list) -> None:
        """Put the states of some runs onto the device."""
        self.host = mapped(lambda *arrays: np.stack(arrays), *states)
        self.states = mapped(lambda array: to_device(not_empty(array)), self.host)
        self._configure(len(states), int(self.host.trial.shape[1]))

    def begin(self, template: Any, indices: Sequence[int]) -> None:
        """Put runs of these numbers onto the device, as they begin; `template`: any of them.

        It is multiplied on the device: thousands of states that the host makes and stacks would take longer than short
        runs do. `host` has records and best points; the rest comes with `pull`.
        """
        count = len(indices)
        self.host = mapped(lambda array: np.empty((count, *array.shape), array.dtype), template)
        now = self.host.run.now
        now[:], self.host.run.best_x[:] = template.run.now, template.run.best_x
        number_runs(now.reshape(count), np.array(indices, dtype=np.int64))
        states = mapped(lambda array: repeated(not_empty(array), count), template)
        self.states = states._replace(run=states.run._replace(now=to_device(now)))
        self._configure(count, int(self.host.trial.shape[1]))

    def pull(self, *names: str, runs: slice = slice(None)) -> None:
        """Bring arrays ("run.now"; all, where none is named) of runs into `host`; waits for what was launched."""
        on_device, host = dict(leaves(self.states)), dict(leaves(self.host))
        for name in names or host:
            to_host(on_device[name][runs], host[name][runs])

    def state(self, k: int):
        """A view of the state of the k-th run on the host."""
        return mapped(lambda array: array[k], self.host)

    def raised_at(self, stuck: np.ndarray) -> np.ndarray | None:
        """The x (D,) at which the objective raised; `stuck`: runs that no launch carries on. None: it did not."""
        suspects = np.flatnonzero((self.host.run.now["stop"][:, 0] == RAISED) | stuck)
        if not suspects.size:
            return None
        self.pull("trial", "trial_f")
        rows = np.argwhere(self.host.trial_f[suspects].view(np.int64) == UNFILLED)
        return self.host.trial[suspects[rows[0, 0]], rows[0, 1]] if len(rows) else None

    def _kernels(self, block: int) -> list:
        """The kernels of this shape for blocks of so many threads, compiled once per process."""

        def build() -> list:
            dimension = self.host.trial.shape[2]
            with explained(self.solver.name, SECONDS, "this GPU, once in each process"):
                announce()
            return self._build(make_stages(self.solver, function_of(self.bound, dimension)), block)

        return compiled_once((type(self), self.solver, block), self.bound, self.host.trial.shape[2], build)

    def _configure(self, runs: int, rows: int) -> None:
        raise NotImplementedError

    def _build(self, stages: SimpleNamespace, block: int) -> list:
        raise NotImplementedError

    def advance(self, generations: int, last: int) -> None:
        """Launch so many generations of the runs 0..last, as the wave counts them, that go on."""
        raise NotImplementedError


class Runs(Launcher):
    """A block for each run."""

    def _configure(self, runs: int, rows: int) -> None:
        self.grid, self.block = runs, _power_of_two(rows, FEWEST, MOST)
        (kernel,) = self._kernels(self.block)
        self.launch = configure(kernel, self.grid, self.block)

    def _build(self, stages: SimpleNamespace, block: int) -> list:
        kernel = kernel_of_runs(self.State, stages, block)
        return [kernel.specialize(self.states, self.args, np.int64(0), np.int64(0))]

    def advance(self, generations: int, last: int) -> None:
        self.launch(self.states, self.args, np.int64(generations), np.int64(last))


class Rows(Launcher):
    """A thread for each individual; of one run."""

    def _configure(self, runs: int, rows: int) -> None:
        if runs != 1:
            raise ValueError(f"runs: got {runs}, expected 1 where each individual has a thread")
        self.grid, self.block, self.single = -(-rows // ROW_BLOCK), ROW_BLOCK, _power_of_two(rows, FEWEST, ONE_BLOCK)
        self.launches = [
            (configure(kernel, 1 if single else self.grid, self.single if single else self.block), takes_args)
            for kernel, takes_args, single in self._kernels(self.single)
        ]

    def _build(self, stages: SimpleNamespace, block: int) -> list:
        return [
            (kernel.specialize(self.states, *([self.args] * takes_args)), takes_args, by_one_block)
            for kernel, takes_args, by_one_block in kernels_of_rows(self.State, stages, block)
        ]

    def advance(self, generations: int, last: int) -> None:
        *generation, (finish, _) = self.launches
        for _ in range(generations):
            for launch, takes_args in generation:
                launch(self.states, *([self.args] * takes_args))
        finish(self.states)


def evaluate(bound: CompiledObjective, x: np.ndarray) -> np.ndarray:
    """Values (n,) of the rows of x (n, D) on the device, a thread each; as CompiledObjective.evaluate."""
    require_gpu()
    check_fits_device(bound)
    x = np.ascontiguousarray(x, dtype=np.float64)
    args, values = arguments_on_device(bound.given), np.full(len(x), UNFILLED).view(np.float64)
    points, on_device = to_device(x), to_device(values)

    def build():
        return kernel_of_values(function_of(bound, x.shape[1])).specialize(points, on_device, args)

    kernel = compiled_once(("evaluate",), bound, x.shape[1], build)
    configure(kernel, max(-(-len(x) // ROW_BLOCK), 1), ROW_BLOCK)(points, on_device, args)
    to_host(on_device, values)
    for i in np.flatnonzero(values.view(np.int64) == UNFILLED):
        bound.replay(x[i])
    return values


def compiled_once(key: tuple, bound: CompiledObjective, dimension: int, build: Callable):
    """What `build()` compiles of an objective's source, or what it made before; its errors say what to do."""
    key = (*key, fingerprint((bound.adapter, bound.args[: bound.held])), dimension if writes_into_x(bound) else 0)

    def explaining():
        try:
            return build()
        except Exception as error:  # Numba's own, and whatever its inside stumbles upon
            source = bound.source.function
            raise explain(error, getattr(source, "py_func", source)) from None

    return kept(key, explaining)


def kept(key: tuple, build: Callable):
    """What `build()` compiles, or what it made before."""
    if key not in _compiled:
        _compiled[key] = build()
        if len(_compiled) > KEPT:
            _compiled.pop(next(iter(_compiled)))
    return _compiled[key]


def not_empty(array: np.ndarray) -> np.ndarray:
    """An array that has an address; an archive of no points has none, and nothing reads it."""
    return array if array.size else np.zeros([max(extent, 1) for extent in array.shape], array.dtype)


def _power_of_two(rows: int, fewest: int, most: int) -> int:
    return int(np.clip(1 << (rows - 1).bit_length(), fewest, most))
