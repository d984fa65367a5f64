"""Many small problems on the device: their arguments, states and memory up, iterations, and what was found down.

The history of a run has two entries here: nobody reads it.
"""

from __future__ import annotations

import numpy as np

from ..calling.arguments import WORD, pack, pack_each
from ..calling.objective import CompiledObjective
from ..compile.structures import leaves, mapped
from ..compile.waiting import announce, explained
from ..differentiate.device import library_in, ptx_of
from .launches import kept, not_empty
from .objective import library
from .problems import AGAIN, FAULT, NEXT, Found, Given, Threads, kernel_of_problems
from .questions import Memory, answers, kinds_of, symbol_of
from .shim import (
    SIMULATED,
    address_of,
    architecture,
    configure,
    free_bytes,
    library_text,
    linked_kernel,
    require_gpu,
    room_on_device,
    to_device,
    to_host,
)

BLOCK = 4 if SIMULATED else 64  # threads of a block: of those with many registers, more do not fit
THREADS = 8 if SIMULATED else 2**16  # most at work at a time: more than an H200 runs side by side
FIRST = 1 << 10  # bytes of each part of a thread's memory at first
SHARE = 0.5  # of the device's free memory that states and the memory of threads may take
SECONDS = 30  # that a kernel takes to compile, about
_rebuilt: dict[bool, dict] = {}  # functions of the engine -> of the device, by how gradients are found


class ManyProblems:
    """Problems of one kind on the device, from their first iteration to their last.

    Parameters
    ----------
    solver, advance, place
        The method, and its kernels as of `kernel_of_problems`.
    bound : CompiledObjective
        Of the first problem, with the derivatives that the method asks for.
    template
        The state of a run that has not begun.
    starts : (m, D) or (0, D) array
    each : tuple of (m, ...) arrays
        Arguments that each problem has of its own, behind what the function carries.
    ended, points : arrays
        As of `drivers.each`; filled by `fetch`.

    Raises
    ------
    RuntimeError, ValueError, CompilationError
        No GPU; what a GPU cannot do of this.
    """

    def __init__(self, solver, advance, place, bound: CompiledObjective, template, starts, each, ended, points):
        require_gpu()
        self.solver, self.advance, self.place, self.bound = solver, advance, place, bound
        self.template = template._replace(run=template.run._replace(history=np.zeros((2, 2))))
        self.kinds = kinds_of(bound)
        self.ended, self.points, self.count = ended, points, len(ended)
        self.held: list = []  # what is used by its address
        carried, args = bound.args[: bound.held], bound.args[bound.held + len(each) :]
        records = pack_each(carried, each, args, self.count, lambda array: address_of(self._hold(array)))
        self.records, self.stride = self._hold(records), WORD * records.shape[1]
        self.behind = WORD * len(pack(carried)) if carried else 0
        self.starts, self.placed = to_device(not_empty(starts)), int(len(starts) > 0)
        again, self.counts = np.zeros(self.count, np.int64), self._counts()
        self.found = Found(to_device(ended), to_device(points), to_device(again), to_device(self.counts))
        self.on_template = mapped(lambda array: to_device(not_empty(array)), self.template)
        self._begin(np.arange(self.count), FIRST)

    def _hold(self, array: np.ndarray):
        self.held.append(to_device(not_empty(array)))
        return self.held[-1]

    def _counts(self) -> np.ndarray:
        counts = np.zeros(3, np.int64)
        counts[FAULT] = self.count
        return counts

    def _begin(self, numbers: np.ndarray, size: int) -> None:
        """Take up these problems, with parts of so many bytes in the memory of a thread."""
        dimension = self.points.shape[1]
        size = max(size, -(-8 * dimension // 64) * 128)
        state = sum(array.nbytes for _, array in leaves(self.template))
        most = int(SHARE * free_bytes())
        threads = min(THREADS, len(numbers), most // (state + Memory.bytes(self.kinds, size)))
        if threads < 1:
            raise MemoryError(f"device='cuda': a problem takes more than {most / 2**20:.0f} MiB; use device='cpu'")
        blocks = -(-threads // BLOCK)
        self.threads = threads = blocks * BLOCK
        self.memory, self.size = Memory(self.kinds, self.bound, threads, size), size
        self.states = mapped(
            lambda array: room_on_device((*not_empty(array).shape, threads), array.dtype), self.template
        )
        room = room_on_device((threads, 1 + 3 * dimension), np.float64)
        self.work = np.full(threads, -1)
        self.of_threads = Threads(to_device(self.work), room, room_on_device((threads,), np.int64))
        to_host(self.found.counts, self.counts)
        self.counts[[NEXT, AGAIN]] = 0
        self.found = self.found._replace(counts=to_device(self.counts))
        self.numbers = len(numbers)
        self.given = Given(
            address_of(self.records), self.stride, self.behind, to_device(numbers), self.starts, self.placed,
            address_of(room), self.memory.address, self.memory.each, size,
        )  # fmt: skip
        self.launch = configure(self._kernel(), blocks, BLOCK)

    def _kernel(self):
        forms = tuple((kind, bound.form and bound.form.key) for kind, bound in self.kinds.items())
        return kept(("problems", self.solver, *forms), self._build)

    def _build(self):
        with explained(self.solver.name, SECONDS, "this GPU, once in each process"):
            announce()
        given = "vector" in self.kinds
        memo = _rebuilt.setdefault(given, {})
        twins = {**library(), **answers(given)}
        solve = kernel_of_problems(self.solver.State, self.advance, self.place, twins, memo)
        texts = []
        if not SIMULATED:
            texts = [
                ptx_of(bound, kind, symbol_of(kind), architecture(), library=True) for kind, bound in self.kinds.items()
            ]
            texts += map(library_text, set().union(*map(library_in, texts)))
        return linked_kernel(solve, texts).specialize(*self._arguments(1))

    def _arguments(self, iterations: int) -> tuple:
        return self.states, self.on_template, self.of_threads, self.given, self.found, np.int64(iterations)

    def step(self, iterations: int) -> bool:
        """Let each thread make so many iterations, at most. False: nothing is left to do."""
        self.launch(*self._arguments(iterations))
        to_host(self.found.counts, self.counts)
        to_host(self.of_threads.work, self.work)
        if self.fault is not None:
            return False
        if self.counts[NEXT] < self.numbers or (self.work >= 0).any():
            return True
        if self.counts[AGAIN] == 0:
            return False
        again = np.zeros(self.count, np.int64)
        to_host(self.found.again, again)
        self._begin(np.sort(again[: self.counts[AGAIN]]), 2 * self.size)
        return True

    @property
    def fault(self) -> int | None:
        """The number of a problem whose objective raised, or with which the method failed."""
        return int(self.counts[FAULT]) if self.counts[FAULT] < self.count else None

    def fetch(self) -> None:
        """Bring what was found into `ended` and `points`."""
        to_host(self.found.ended, self.ended)
        to_host(self.found.points, self.points)
