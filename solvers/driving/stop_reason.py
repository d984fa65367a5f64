"""Why a run ended: codes, names, and what a user reads."""

from __future__ import annotations

from enum import IntEnum

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
    OUT_OF_ITERATIONS = run.OUT_OF_ITERATIONS
    GRADIENT_SMALL = run.GRADIENT_SMALL
    STEP_SMALL = run.STEP_SMALL
    LINE_SEARCH_FAILED = run.LINE_SEARCH_FAILED
    UNBOUNDED = run.UNBOUNDED
    SINGULAR = run.SINGULAR
    NO_DERIVATIVE = run.NO_DERIVATIVE
    DIVERGED = run.DIVERGED

    @property
    def sentence(self) -> str:
        return SENTENCES[self]


def stop_name(code: int) -> str:
    """What a code is called in frames and in JSON."""
    return StopReason(code).name.lower() if code else "running"


SENTENCES = {
    StopReason.REACHED_TARGET: "The target value was reached.",
    StopReason.OUT_OF_BUDGET: "The budget of evaluations (max_evals) is spent.",
    StopReason.OUT_OF_ITERATIONS: "The iterations (max_iters) are done.",
    StopReason.CONVERGED: "It has converged: the values agree to within ftol, or the method's own test is met.",
    StopReason.COLLAPSED: "All points of the population are the same: no evaluation can change the answer.",
    StopReason.ENDED: "The method is at its end: no restart is left, and the best has not converged.",
    StopReason.GRADIENT_SMALL: "It has converged: the gradient is small, within gtol.",
    StopReason.STEP_SMALL: "It has converged: the last step was small, within xtol.",
    StopReason.LINE_SEARCH_FAILED: "The line search found no lower value along its direction.",
    StopReason.UNBOUNDED: "The values fall without end: the objective is unbounded below.",
    StopReason.SINGULAR: "A matrix is singular: the method cannot go on from here.",
    StopReason.NO_DERIVATIVE: "The derivative is not finite at the last point.",
    StopReason.DIVERGED: "The values grow without end: the steps are too long.",
    StopReason.STALLED: "No improvement for as many generations as `patience` allows.",
    StopReason.RAISED: "The objective raised an exception.",
    StopReason.OUT_OF_TIME: "The time (max_time) is up; where it stopped depends on the clock.",
    StopReason.CALLBACK: "The callback asked to stop.",
    StopReason.INTERRUPTED: "Interrupted from the keyboard; this is the best so far.",
    StopReason.CANCELLED: "Another run reached the target first.",
    StopReason.SCHEDULER_LOST: "The connection to the Dask scheduler is lost; this is the best so far.",
    StopReason.HOPELESS: "The first hundred came to nothing, and none was done; the others were not begun.",
    StopReason.FAILED: "Its worker died, or it took longer than task_timeout; this is the best before that.",
}
