"""States on the device: up, on, down; and the values of an objective for a batch of points.

`Runs` and `Rows` are the two shapes of generation.py. Both hold a state for each run, as arrays with a leading axis on
the host (`host`) and on the device, and carry them on by whole generations.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from ..calling import CompiledObjective
from ..checking import explain
from ..population import LIVE, RAISED, STOP
from .generation import kernel_of_runs, kernels_of_rows, make_stages
from .objective import arguments_on_device, function_of
from .reductions import UNFILLED
from .shim import SIMULATED, cuda, device_kernel, require_gpu, to_device, to_host

# Threads of a block. The simulator, which starts each as a thread of Python, has fewer.
FEWEST, MOST = (4, 8) if SIMULATED else (32, 256)  # where a block carries a run
ROW_BLOCK = 8 if SIMULATED else 128  # where each has its row
ONE_BLOCK = 8 if SIMULATED else 1024  # where one block serves a large population


class Launcher:
    """The kernels of a solver and an objective, compiled when the first states are there."""

    block: int
    grid: int

    def __init__(self, solver: SimpleNamespace, bound: CompiledObjective, dimension: int):
        require_gpu()
        self.State, self.bound = solver.State, bound
        self.stages = make_stages(solver, function_of(bound, dimension))
        self.args = arguments_on_device(bound.args)

    @property
    def threads(self) -> int:
        """Threads of the device that work at a time."""
        return self.grid * self.block

    def load(self, states: list) -> None:
        """Put the states of some runs onto the device."""
        self.host = self.State(*(np.stack(arrays) for arrays in zip(*states)))
        self.states = self.State(*(to_device(array) for array in self.host))
        self._configure(len(states), int(self.host.trial.shape[1]))

    def pull(self, *fields: str) -> None:
        """Bring fields (all, where none is named) into `host`; waits for what was launched."""
        for name in fields or self.State._fields:
            to_host(getattr(self.states, name), getattr(self.host, name))

    def state(self, k: int):
        """A view of the state of the k-th run on the host."""
        return self.State(*(array[k] for array in self.host))

    def raised_at(self, stuck: np.ndarray) -> np.ndarray | None:
        """The x (D,) at which the objective raised; `stuck`: runs that no launch carries on. None: it did not."""
        suspects = np.flatnonzero((self.host.counters[:, STOP] == RAISED) | stuck)
        if not suspects.size:
            return None
        self.pull("trial", "trial_f")
        rows = np.argwhere(self.host.trial_f[suspects].view(np.int64) == UNFILLED)
        return self.host.trial[suspects[rows[0, 0]], rows[0, 1]] if len(rows) else None

    def _compile(self, kernel, *args):
        try:
            return kernel.specialize(*args)
        except Exception as error:  # Numba's own, and whatever its inside stumbles upon
            source = self.bound.source.function
            raise explain(error, getattr(source, "py_func", source)) from None

    def _configure(self, runs: int, rows: int) -> None:
        raise NotImplementedError

    def advance(self, generations: int, last: int) -> None:
        """Launch so many generations of the runs 0..last that go on."""
        raise NotImplementedError


class Runs(Launcher):
    """A block for each run."""

    kernel = None

    def _configure(self, runs: int, rows: int) -> None:
        self.grid = runs
        if self.kernel is None:
            self.block = int(np.clip(1 << (rows - 1).bit_length(), FEWEST, MOST))
            kernel = kernel_of_runs(self.State, self.stages, self.block)
            self.kernel = self._compile(kernel, self.states, self.args, np.int64(0), np.int64(0))

    def advance(self, generations: int, last: int) -> None:
        assert self.kernel is not None
        self.kernel[self.grid, self.block](self.states, self.args, np.int64(generations), np.int64(last))


class Rows(Launcher):
    """A thread for each individual; of one run."""

    kernels: list | None = None

    def _configure(self, runs: int, rows: int) -> None:
        assert runs == 1
        self.grid, self.block = -(-rows // ROW_BLOCK), ROW_BLOCK
        if self.kernels is None:
            self.single = int(np.clip(1 << (rows - 1).bit_length(), FEWEST, ONE_BLOCK))
            self.kernels = [
                (self._compile(kernel, self.states, *([self.args] * takes_args)), takes_args, one_block)
                for kernel, takes_args, one_block in kernels_of_rows(self.State, self.stages, self.single)
            ]

    def advance(self, generations: int, last: int) -> None:
        assert self.kernels is not None
        for _ in range(generations):
            for kernel, takes_args, one_block in self.kernels:
                configured = kernel[1, self.single] if one_block else kernel[self.grid, self.block]
                configured(self.states, *([self.args] * takes_args))


def evaluate(bound: CompiledObjective, x: np.ndarray) -> np.ndarray:
    """Values (n,) of the rows of x (n, D) on the device, a thread each; as CompiledObjective.evaluate."""
    require_gpu()
    x = np.ascontiguousarray(x, dtype=np.float64)
    call = function_of(bound, x.shape[1])

    def evaluate_rows(points, values, args):
        for i in range(cuda.grid(1), values.size, cuda.gridsize(1)):
            values[i] = call(points[i], args)

    args, values = arguments_on_device(bound.args), np.full(len(x), UNFILLED).view(np.float64)
    points, on_device = to_device(x), to_device(values)
    kernel = device_kernel(evaluate_rows).specialize(points, on_device, args)
    kernel[-(-len(x) // ROW_BLOCK), ROW_BLOCK](points, on_device, args)
    to_host(on_device, values)
    for i in np.flatnonzero(values.view(np.int64) == UNFILLED):
        bound.replay(x[i])
    return values
