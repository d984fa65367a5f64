"""What the papers leave to whoever writes the program: the engine's conventions, shared by all solvers.

A plain state has seed, index, iteration, evaluations, max_evals, max_iterations (0: no limit), failed, stall, patience,
target, ftol, stop, best, best_x, lower, upper, whole (mask of whole-numbered variables) and, at the beginning, given
(points of x0); with a population also size and count, the rows of a full generation and of this one. A method that goes
from point to point has points, where it evaluated in its iteration.
"""

import math
from types import SimpleNamespace

import numpy as np

RUNNING, REACHED_TARGET, OUT_OF_BUDGET, CONVERGED, STALLED = range(5)
COLLAPSED, ENDED, OUT_OF_ITERATIONS = 13, 15, 16
ALWAYS, COORDINATES = 63, 64  # slots: which coordinate crosses in any case; one slot for each coordinate


def copied(state):
    """A state that may be changed: arrays are replaced, never written to, but for lists of points."""
    return SimpleNamespace(**{k: v.copy() if isinstance(v, np.ndarray) else v for k, v in vars(state).items()})


def in_box(state, u):
    """The points that u in [0, 1)^D stands for; whole numbers have equal shares."""
    width = state.upper - state.lower
    real = state.lower + np.asarray(u) * width
    whole = np.minimum(state.lower + np.floor(np.asarray(u) * (width + 1)), state.upper)
    return np.where(state.whole, whole, real)


def initial_sample(state, draws):
    """Generation 0: x0 first, the rest uniform in the box, coordinate j from slot j."""
    points = [in_box(state, draws.uniforms(i, 0, len(state.lower))) for i in range(state.count)]
    points[: len(state.given)] = list(state.given)[: state.count]
    return np.array(points)


def midpoint(state, point, parent):
    """A coordinate outside goes midway between the bound and the parent (JADE, L-SHADE)."""
    point = np.where(point < state.lower, (state.lower + parent) / 2, point)
    return np.where(point > state.upper, (state.upper + parent) / 2, point)


def rounded(state, point):
    """Whole-numbered variables: to the nearest, halves upwards."""
    return np.array([math.floor(v + 0.5) if whole else v for v, whole in zip(point, state.whole)])


def binomial(draws, i, mutant, parent, rate):
    """(what each coordinate becomes, how many cross): randb(j) < CR or j = rnbr(i), as Storn and Price write it."""
    crosses = np.array(draws.uniforms(i, COORDINATES, len(parent))) < rate
    crosses[draws.integer(i, ALWAYS, len(parent))] = True
    return np.where(crosses, mutant, parent), int(crosses.sum())


def evaluate(state, fun, trial):
    """The values of the candidates; counts, and keeps the best of the run. NaN counts as inf and as failed."""
    values = np.asarray(fun(trial), dtype=float)
    state.trial = trial
    state.failed += int(np.isnan(values).sum())
    state.trial_f = np.where(np.isnan(values), np.inf, values)
    state.evaluations += len(values)
    state.stall += 1
    winner = int(np.argmin(state.trial_f))  # the first of equals
    if state.trial_f[winner] < state.best:
        state.best, state.best_x, state.stall = state.trial_f[winner], trial[winner].copy(), 0


def value_at(state, fun, point):
    """The value at one point, of a method that goes from point to point; as `evaluate`, but for stall: see `begin`."""
    value = float(np.asarray(fun(np.array([point])))[0])
    if math.isnan(value):
        state.failed, value = state.failed + 1, np.inf
    state.evaluations += 1
    state.points = [*state.points, np.array(point)]
    if value < state.best:
        state.best, state.best_x, state.stall = value, np.array(point), 0
    return value


def begin(state):
    """What an iteration of such a method begins with: a state to work on, one more iteration without improvement."""
    state = copied(state)
    state.points, state.stall = [], state.stall + 1
    return state


def budget_left(state):
    return state.evaluations < state.max_evals


def ranks(f):
    """Rows from best to worst; of equal values the lower row first."""
    return np.argsort(f, kind="stable")


def keep_best(x, f, order, wanted):
    """The best `wanted` points, where the engine puts them.

    Who has a row that stays keeps it; the others fill the rows that became free, the better the lower. The rank of a
    point is what it was, also where points are equal.
    """
    kept = order[:wanted].copy()
    movers = kept[kept >= wanted]
    free = np.setdiff1d(np.arange(wanted), kept)
    x, f = x.copy(), f.copy()
    x[free], f[free] = x[movers], f[movers]
    kept[kept >= wanted] = free
    return x[:wanted], f[:wanted], kept


def note_collapse(state, *populations):
    """Where all points that a candidate is made from are one and the same, the run is over."""
    points = [point for population in populations for point in population]
    if all((point == points[0]).all() for point in points):
        state.stop = COLLAPSED


def close(state, population_f=None):
    """Decide whether to stop, and count on to the next iteration."""
    state.iteration += 1
    state.stop = stop_reason(state, population_f)
    state.given = state.given[:0]
    if hasattr(state, "size"):
        state.count = min(state.size, state.max_evals - state.evaluations)
    return state


def progress(state):
    """The share of the run that is over, by the limit that comes first."""
    shares = [state.evaluations / state.max_evals]
    if state.max_iterations:
        shares.append(state.iteration / state.max_iterations)
    return max(shares)


def stop_reason(state, population_f):
    if state.target > -np.inf and state.best <= state.target:
        return REACHED_TARGET
    if state.stop != RUNNING:  # the method said so itself
        return state.stop
    if state.evaluations >= state.max_evals:
        return OUT_OF_BUDGET
    if state.max_iterations and state.iteration >= state.max_iterations:
        return OUT_OF_ITERATIONS
    if state.ftol >= 0 and population_f is not None:
        with np.errstate(invalid="ignore"):
            if max(population_f) - min(population_f) <= state.ftol * (1 + abs(state.best)):
                return CONVERGED
    if state.patience and state.stall >= state.patience:
        return STALLED
    return RUNNING
