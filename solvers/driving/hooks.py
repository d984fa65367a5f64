"""What a session calls between chunks: the user's callback, the checkpoint, the progress display."""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
from collections.abc import Iterator

import numpy as np

from .call import Call, describe
from .checkpoint import Checkpoint
from .progress import Progress
from .result import Result
from .session import Session
from .settings import Plan

CALLBACK_EVERY = 0.1  # seconds
SNAPSHOT_EVERY = 0.5  # seconds between copies of the states at work


@contextlib.contextmanager
def hooks_of(session: Session, call: Call, bound, plan: Plan, callback, progress, checkpoint) -> Iterator[None]:
    """The hooks of a session while it is carried out. A checkpoint that exists is taken up."""
    hooks, finish = [], []
    if callback is not None:
        hooks.append(_call_back(callback))
    if checkpoint is not None:
        saved = Checkpoint(checkpoint, describe(call, bound, plan.device) | {"device": plan.device}, call, plan.runs)
        session.resume(*saved.load())
        session.snapshot_every = SNAPSHOT_EVERY
        hooks.append(saved)
        finish.append(functools.partial(saved.save, last=True))
    if progress:
        budget = call.limits.budget
        planned = None if plan.runs is None or budget is None else budget * plan.runs
        shown = Progress(call.solver.name, planned, plan.runs)
        hooks.append(shown)
        finish.append(shown.close)
    session.hooks = hooks
    try:
        yield
    finally:
        for close in finish:
            close(session)


def check_callback(callback) -> None:
    """TypeError where it is none, or wants more than it gets."""
    if callback is None:
        return
    if not callable(callback):
        raise TypeError(f"callback: got {type(callback).__name__}, expected a callable")
    needed = [p.name for p in inspect.signature(callback).parameters.values()
              if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]  # fmt: skip
    if len(needed) > 1:
        raise TypeError(
            f"callback: got a function of {', '.join(needed)}, expected callback(intermediate_result), whose x and fun "
            f"are the best so far, or callback(x)"
        )


def _call_back(callback):
    """The user's callback as a hook of a session, at most every 0.1 s."""
    takes_result = "intermediate_result" in inspect.signature(callback).parameters
    last = 0.0

    def hook(session: Session):
        nonlocal last
        if time.perf_counter() - last < CALLBACK_EVERY:
            return
        fun, x, evaluations, iterations = session.best_so_far()
        if x is None or np.isnan(x).any():  # nothing but inf and NaN so far
            return
        last = time.perf_counter()
        if takes_result:
            told = callback(intermediate_result=Result(x=x.copy(), fun=fun, nfev=evaluations, nit=iterations))
        else:
            told = callback(x.copy())
        if told is True:  # as of SciPy's differential_evolution
            raise StopIteration

    return hook
