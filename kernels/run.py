"""What every run has: its record (counters, stops, the best value), the best point, the history.

A solver's state holds it as `run`, whatever the method. `evaluate` asks the problem for a value and keeps the books;
`close_iteration` ends an iteration: it records, looks at the stops, and gives the next one its random numbers.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from .calling import asking
from .calling.arguments import RAISED_BITS
from .compile.jit import inlined, part
from .compile.structures import Matrix, Vector, filled, record
from .numbers.random import generation_key, run_key

# why a run stopped, as the solvers report it
RUNNING, REACHED_TARGET, OUT_OF_BUDGET, CONVERGED, STALLED, RAISED = 0, 1, 2, 3, 4, 5
COLLAPSED = 13  # all points that a candidate is made from are the same: no evaluation can change the answer
STUCK = 14  # a fault of the solver: it made no evaluation for IDLE iterations
ENDED = 15  # the method is at its end, without having converged
OUT_OF_ITERATIONS = 16  # max_iters are done
GRADIENT_SMALL, STEP_SMALL = 17, 18  # a local method's own tests: it has converged
LINE_SEARCH_FAILED = 19  # no step along the direction makes the value less
UNBOUNDED = 20  # the values fall without end
SINGULAR = 21  # a matrix that has no inverse
NO_DERIVATIVE = 22  # a derivative that is not finite
DIVERGED = 23  # the values grow without end
PAUSED = -1  # no end: whoever asked for the pause sets `stop` back
UNLINKED = -2  # no end: the next iteration may call a nested driver, which is to be linked first (nesting.py)
IDLE = 1_000_000
HISTORY_ENTRIES = 512

RUN = record(
    seed="u8", index="i8",  # what the random numbers hang on: the seed, and the number of the run
    iteration="i8", evaluations="i8",
    failed="i8",  # evaluations that gave NaN
    stall="i8",  # iterations since the best value improved
    stop="i8",  # RUNNING, or the reason
    raised="i8",  # 1: the objective raised, whatever the method made of the value that it got instead
    max_evals="i8",
    max_iterations="i8",  # 0: no limit
    patience="i8",  # iterations without improvement; 0: no limit
    pause_at="i8",  # the iteration before which the run pauses; 0: none
    entries="i8", stride="i8", due="i8",  # entries of the history in use; iterations per entry; the next to be recorded
    key="u8",  # generation_key(run_key(seed, index), iteration)
    target="f8",  # -inf: none
    ftol="f8",  # spread of the values <= ftol (1 + |best|) ends the run; negative: no such stop
    best="f8",
    gradients="i8", hessians="i8",  # how many were made; a product with the Hessian counts as one
    optimality="f8",  # a local method: the largest entry of the (projected) gradient; inf: not known
    spread="f8",  # largest minus smallest of the values that shall agree in the end; inf: the method has none
)  # fmt: skip


class Run(NamedTuple):
    now: Annotated[np.ndarray, RUN]  # (1,)
    best_x: Vector  # (D,) the best point so far
    raised_x: Vector  # (D,) where the objective raised an exception, if it did
    history: Matrix  # (H, 2) evaluations and best value, every `stride` iterations


def make_run(dimension: int, limits, key) -> Run:
    """The record of a run that has not begun. limits, key: see solvers/contract.py."""
    now = filled(
        RUN, seed=np.uint64(key.seed), index=key.run, stride=1, max_evals=limits.max_evals,
        max_iterations=limits.max_iterations, patience=limits.patience, target=limits.target, ftol=limits.ftol,
        best=np.inf, spread=np.inf, optimality=np.inf,
    )  # fmt: skip
    run = Run(now, np.full(dimension, np.nan), np.zeros(dimension), np.zeros((HISTORY_ENTRIES, 2)))
    open_iteration(run)
    return run


@inlined
def open_iteration(run):
    """The key of the iteration that begins."""
    now = run.now[0]
    now.key = generation_key(run_key(now.seed, now.index), now.iteration)


@inlined
def raised(value):
    """Whether this is no value, but the sign that the objective raised an exception."""
    return value != value and np.float64(value).view(np.int64) == RAISED_BITS


@inlined
def note_raised(run, x):
    """Stop the run; x is where the host finds the exception. The first one counts."""
    now = run.now[0]
    if now.raised == 1:
        return
    now.stop, now.raised = RAISED, 1
    for j in range(x.size):
        run.raised_x[j] = x[j]


@inlined
def note_value(value, x, run):
    """Count a value, and keep it if it is the best; inf in place of NaN. An exception stops the run."""
    now = run.now[0]
    if value != value:
        if raised(value):
            note_raised(run, x)
            return np.inf
        now.failed += 1
        value = np.inf
    now.evaluations += 1
    if value < now.best:
        now.best, now.stall = value, -1
        for j in range(x.size):
            run.best_x[j] = x[j]
    return value


@inlined
def evaluate(problem, x, run):
    """The value at x, inf in place of NaN; counted, and kept if it is the best. An exception stops the run."""
    return note_value(asking.value(problem, x), x, run)


@part
def evaluated(problem, x, run):
    """As `evaluate`, as a call: where many places of a method evaluate, it is compiled once for all of them."""
    return evaluate(problem, x, run)


@inlined
def evaluate_gradient(problem, x, g, run):
    """As `evaluate`, with the gradient in g (D,), whose entries the method must look at: they may be NaN."""
    now = run.now[0]
    value = note_value(asking.value_and_gradient(problem, x, g), x, run)
    if now.raised == 0:
        now.gradients += 1
        now.evaluations += asking.price(problem)
    return value


@inlined
def count_second_order(price, of_gradient, run):
    """Count a Hessian or a product, and what it is made of: gradients of 1 + `of_gradient` evaluations each."""
    now = run.now[0]
    now.hessians += 1
    now.evaluations += price
    now.gradients += price // (1 + of_gradient)


@inlined
def evaluate_product(problem, x, v, hv, run):
    """The Hessian at x times v, in hv (D,). False: the run has stopped, as the objective raised."""
    if raised(asking.hessian_product(problem, x, v, hv)):
        note_raised(run, x)
        return False
    count_second_order(asking.product_price(problem), asking.price(problem), run)
    return True


@inlined
def evaluate_hessian(problem, x, H, run):
    """The Hessian at x, in H (D, D). False: the run has stopped, as the objective raised."""
    if raised(asking.hessian(problem, x, H)):
        note_raised(run, x)
        return False
    count_second_order(asking.hessian_price(problem), asking.price(problem), run)
    return True


@inlined
def spent(run):
    """Whether the run may make no further evaluation: what an iteration asks between its evaluations."""
    now = run.now[0]
    return now.stop != RUNNING or now.evaluations >= now.max_evals


@inlined
def progress(run):
    """The share of the run that is over, by the limit that comes first: what schedules are planned by."""
    now = run.now[0]
    share = now.evaluations / now.max_evals
    return share if now.max_iterations == 0 else max(share, now.iteration / now.max_iterations)


@part
def close_iteration(run):
    """Record the iteration, decide whether to stop, open the next. A stop that the method set itself stays.

    `stall` counts the iterations since the best improved; `evaluate` sets it to -1 where it did.
    """
    now = run.now[0]
    if now.raised == 1:
        now.stop = RAISED
        return
    now.stall += 1
    append_history(run)
    now.iteration += 1
    if -np.inf < now.target and now.best <= now.target:
        now.stop = REACHED_TARGET
    elif now.stop != RUNNING:
        pass
    elif now.evaluations >= now.max_evals:
        now.stop = OUT_OF_BUDGET
    elif 0 < now.max_iterations <= now.iteration:
        now.stop = OUT_OF_ITERATIONS
    elif now.spread <= now.ftol * (1.0 + abs(now.best)):
        now.stop = CONVERGED
    elif 0 < now.patience <= now.stall:
        now.stop = STALLED
    elif now.iteration == now.pause_at:
        now.stop = PAUSED
    open_iteration(run)


@inlined
def append_history(run):
    """Append to the history; when it is full, keep every second entry and record half as often."""
    now, history = run.now[0], run.history
    if now.iteration < now.due:
        return
    if now.entries == history.shape[0]:
        kept = history.shape[0] // 2
        for k in range(kept):
            history[k, 0], history[k, 1] = history[2 * k, 0], history[2 * k, 1]
        now.entries = kept
        now.stride *= 2
        now.due = kept * now.stride  # this iteration
    history[now.entries, 0], history[now.entries, 1] = now.evaluations, now.best
    now.entries += 1
    now.due += now.stride
