"""What a session calls between chunks: the user's callback, the checkpoint, the progress display."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator

import numpy as np

from .call import Call, describe
from .callbacks import Tell, convergence_of
from .checkpoint import Checkpoint
from .progress import Progress
from .result import Result
from .session import Session
from .settings import Plan

CALLBACK_EVERY = 0.1  # seconds
SNAPSHOT_EVERY = 0.5  # seconds between copies of the states at work


@contextlib.contextmanager
def hooks_of(
    session: Session, call: Call, bound, plan: Plan, tell: Tell | None, progress, checkpoint
) -> Iterator[None]:
    """The hooks of a session while it is carried out. A checkpoint that exists is taken up."""
    hooks, finish = [], []
    if tell is not None:
        hooks.append(_call_back(tell, call.limits.ftol, plan.each_generation))
    if checkpoint is not None:
        saved = Checkpoint(checkpoint, describe(call, bound, plan.device) | {"device": plan.device}, call, plan.runs)
        session.resume(*saved.load())
        session.snapshot_every = SNAPSHOT_EVERY
        hooks.append(saved)
        finish.append(functools.partial(saved.save, last=True))
    if progress:
        budget = call.limits.budget
        planned = None if plan.runs is None or budget is None else budget * plan.runs
        had = session.records.evaluations + sum(int(s.run.now["evaluations"][0]) for s, _ in session.states.values())
        shown = Progress(call.solver.name, planned, plan.runs, had)
        hooks.append(shown)
        finish.append(shown.close)
    session.hooks = hooks
    try:
        yield
    finally:
        for close in finish:
            close(session)


def _call_back(tell: Tell, ftol: float, each_generation: bool):
    """The user's callback as a hook of a session: at most every 0.1 s, or after each generation."""
    last, seen = 0.0, 0

    def hook(session: Session):
        nonlocal last, seen
        if not each_generation and time.perf_counter() - last < CALLBACK_EVERY:
            return
        fun, x, evaluations, iterations = session.best_so_far()
        if x is None or np.isnan(x).any() or (each_generation and iterations == seen):
            return  # nothing but inf and NaN so far, or in the midst of a generation
        if each_generation:
            fun, x = session.standing() or (fun, x)
        last, seen = time.perf_counter(), iterations
        found = Result(x=x.copy(), fun=fun, nfev=evaluations, nit=iterations)
        tell(found, convergence_of(fun, session.spread(), ftol))

    return hook
