"""What a run returns, and why it stopped."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from ...kernels import run


class StopReason(IntEnum):
    """Why a run ended; `sentence` is what a user reads."""

    REACHED_TARGET = run.REACHED_TARGET
    OUT_OF_BUDGET = run.OUT_OF_BUDGET
    CONVERGED = run.CONVERGED
    STALLED = run.STALLED
    RAISED = run.RAISED
    OUT_OF_TIME = 6
    CALLBACK = 7
    INTERRUPTED = 8
    CANCELLED = 9
    SCHEDULER_LOST = 10
    FAILED = 11
    HOPELESS = 12
    COLLAPSED = run.COLLAPSED
    ENDED = run.ENDED

    @property
    def sentence(self) -> str:
        return SENTENCES[self]


SENTENCES = {
    StopReason.REACHED_TARGET: "The target value was reached.",
    StopReason.OUT_OF_BUDGET: "The budget of evaluations (max_evals) is spent.",
    StopReason.CONVERGED: "The values agree to within ftol.",
    StopReason.COLLAPSED: "All points of the population are the same: no evaluation can change the answer.",
    StopReason.ENDED: "The method is at its end: no restart is left, and the best has not converged.",
    StopReason.STALLED: "No improvement for as many generations as `patience` allows.",
    StopReason.RAISED: "The objective raised an exception.",
    StopReason.OUT_OF_TIME: "The time (max_time) is up; where it stopped depends on the clock.",
    StopReason.CALLBACK: "The callback asked to stop; where it stopped depends on the clock.",
    StopReason.INTERRUPTED: "Interrupted from the keyboard; this is the best so far.",
    StopReason.CANCELLED: "Another run reached the target first.",
    StopReason.SCHEDULER_LOST: "The connection to the Dask scheduler is lost; this is the best so far.",
    StopReason.HOPELESS: "The first hundred came to nothing, and none was done; the others were not begun.",
    StopReason.FAILED: "Its worker died, or it took longer than task_timeout; this is the best before that.",
}


class Result(dict):
    """The outcome of `minimize`: SciPy's OptimizeResult and more, by attribute or by item.

    x (D,), fun, success, status, message, nfev, nit as in SciPy; and
    stop_reason : StopReason
    n_failed : int, evaluations that gave NaN
    history : dict of arrays `evaluations`, `best` (at most 512 entries), of the run that found x
    runs : structured array, a row per run: run, fun, nfev, nit, n_failed, stop, spread, seconds, x
    timing : dict of seconds: `compile`, `run`, and `evaluate`, an estimate of the part spent in the objective
    method, options, threads, device, seed, versions, objective (how it was evaluated)
    """

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the result has no {name!r}; it has {', '.join(self)}") from None

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self):
        return list(self)

    def __repr__(self):
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:>{width}}: {_show(name, value)}" for name, value in self.items())


def _show(name: str, value) -> str:
    if name == "history":
        return f"{len(value['evaluations'])} entries"
    if name == "runs":
        return f"{len(value)} run{'s' if len(value) != 1 else ''}"
    if name == "table":
        return f"{len(value['fun'])} rows of {', '.join(value)}"
    if name == "failures":
        return "none" if not value else f"{len(value)}: " + "; ".join(f"{t['unit']} {t['kind']}" for t in value[:3])
    if name == "timing":
        return ", ".join(f"{key} {seconds:.3g} s" for key, seconds in value.items())
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, StopReason):
        return value.name.lower()
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=8, threshold=20)
    return str(value)


def run_dtype(dimension: int) -> np.dtype:
    """One row of `Result.runs`. spread: by how much the method's values differ at the end; inf where it has none."""
    fields = [("run", "i8"), ("fun", "f8"), ("nfev", "i8"), ("nit", "i8"), ("n_failed", "i8"), ("stop", "i8")]
    return np.dtype([*fields, ("spread", "f8"), ("seconds", "f8"), ("x", "f8", (dimension,))])


def best_of(runs: np.ndarray) -> Any:
    """The row of the lowest value; of equals the one of the lowest number."""
    return runs[np.lexsort((runs["run"], runs["fun"]))[0]]


AGREE = 1e-8  # values within 1e-8 (1 + |best|) of each other: the run has converged
NO_MEASURE = "the method has no measure of that; `target` says what is good enough"


def summarise(
    runs: np.ndarray, limits, *, reached=False, stop: StopReason | None = None, remark="", unhurt=True,
    history=None, **more,
) -> Result:  # fmt: skip
    """The result of one run or of many: rows of `run_dtype`, at least one.

    Parameters
    ----------
    reached : bool
        Some run reached the target.
    stop : StopReason, optional
        What ended the whole, if that was not the end of the best run.
    remark : str
        Said behind the reason.
    unhurt : bool
        Whether what there is can be a success.
    history : (entries, 2) array, optional
        Of the best run.
    **more
        Further items.
    """
    best = best_of(runs)
    fun, spread = float(best["fun"]), float(best["spread"])
    code = StopReason.REACHED_TARGET if reached else int(best["stop"]) if stop is None else stop
    reason = StopReason(code) if code else None
    asked = limits.target > -np.inf  # for a target: then nothing else counts
    converged = spread <= AGREE * (1.0 + abs(fun)) or best["stop"] in (StopReason.CONVERGED, StopReason.COLLAPSED)
    success = np.isfinite(fun) and unhurt and (reason == StopReason.REACHED_TARGET if asked else converged)
    found = Result(
        x=best["x"].copy(),
        fun=fun,
        success=bool(success) and reason is not None,
        status=int(code),
        message=_message(fun, spread, reason, asked, converged) + remark,
        nfev=int(runs["nfev"].sum()),
        nit=int(runs["nit"].sum()),
        stop_reason=reason,
        n_failed=int(runs["n_failed"].sum()),
    )
    if history is not None:
        found["history"] = {"evaluations": history[:, 0].copy(), "best": history[:, 1].copy()}
    found.update(runs=runs, **more)
    return found


def _message(fun: float, spread: float, reason: StopReason | None, asked: bool, converged: bool) -> str:
    """Why it ended, and how far it was from an end of its own."""
    sentences = [] if fun < np.inf else ["No evaluation gave a finite value."]
    sentences.append("The run goes on." if reason is None else reason.sentence)
    if asked and reason not in (None, StopReason.REACHED_TARGET):
        sentences.append("The target was not reached.")
    elif not asked and not converged and reason is not None and fun < np.inf:
        far = f"the values of its points still differ by {spread:.3g}"
        sentences.append(f"It has not converged: {far if np.isfinite(spread) else NO_MEASURE}.")
    return " ".join(sentences)
