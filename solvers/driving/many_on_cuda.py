"""`minimize_many(device="cuda")`: the problems of one call on a GPU, in launches of about 0.1 s.

What no GPU can run is refused before anything runs. An exception of the objective ends its problem; the host raises it
by calling the function again.
"""

from __future__ import annotations

import time

import numpy as np

from ...kernels.cuda.many import ManyProblems
from ...kernels.cuda.objective import check_is_compiled
from ...kernels.cuda.shim import require_gpu
from ..contract import Solver
from . import drivers
from .call import Call

CHUNK = 0.1  # seconds between looks
AT_FIRST = 16  # iterations of a launch


def check_fits(solver: Solver, bound) -> None:
    """ValueError if a GPU cannot run this; RuntimeError if there is none."""
    if not solver.on_gpu:
        raise ValueError(f"device='cuda': {solver.name} runs on the CPU only; use device='cpu', or another method")
    check_is_compiled(bound)
    require_gpu()


def carry_out(
    call: Call, bound, template, starts: np.ndarray, each: tuple, ended: np.ndarray, points: np.ndarray
) -> tuple[int, int | None, bool]:
    """(threads of the GPU; the number of a problem that failed, or None; whether Ctrl-C ended it).

    starts (m, D), or (0, D): where the problems begin. Filled are `ended` (m,), the records of the runs, and `points`
    (m, D), the best points; of a run whose objective raised, the x at which it did.
    """
    solver = call.solver
    place = drivers.placing(solver) or drivers.place_nothing
    problems = ManyProblems(solver, drivers.advancing(solver), place, bound, template, starts, each, ended, points)
    iterations, interrupted = AT_FIRST, False
    try:
        going = True
        while going:
            begin = time.perf_counter()
            going = problems.step(iterations)
            elapsed = time.perf_counter() - begin
            iterations = int(np.clip(iterations * CHUNK / max(elapsed, 1e-6), 1, 4 * iterations))
    except KeyboardInterrupt:
        interrupted = True
    problems.fetch()
    return problems.threads, problems.fault, interrupted
