"""Runs within a run: a method that carries out others gives each a run of its own, a part of the budget, and its books.

The inner run keeps its own counters, its own best and its own stop; what it evaluates counts in the whole run, too.
"""

import numpy as np

from .compile.jit import part
from .run import RUNNING, evaluate, note_raised, open_iteration


@part
def evaluated(problem, x, run):
    """As `run.evaluate`, as a call: where many places of a method evaluate, it is compiled once for all of them."""
    return evaluate(problem, x, run)


@part
def lend(run, inner, evaluations):
    """The inner run begins anew, and may make so many evaluations, if the whole one has them left."""
    whole, now = run.now[0], inner.now[0]
    now.stop, now.iteration, now.evaluations, now.best, now.spread = RUNNING, 0, 0, np.inf, np.inf
    now.index, now.max_evals = whole.index, min(evaluations, whole.max_evals - whole.evaluations)
    now.entries, now.stride, now.due = 0, 1, 0
    open_iteration(inner)


@part
def take_in(run, inner, before):
    """What an inner run has done since it had made `before` evaluations, in the books of the whole one."""
    whole, now = run.now[0], inner.now[0]
    whole.evaluations += now.evaluations - before
    whole.failed += now.failed
    whole.gradients += now.gradients
    now.failed = now.gradients = 0
    if now.best < whole.best:
        whole.best, whole.stall = now.best, -1
        for j in range(run.best_x.size):
            run.best_x[j] = inner.best_x[j]
    if now.raised == 1:
        note_raised(run, inner.raised_x)
