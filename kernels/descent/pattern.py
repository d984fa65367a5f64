"""Local searches that ask for values alone, within bounds and on whole numbers: a pattern search, and random moves.

Hooke and Jeeves, Direct search solution of numerical and statistical problems, J. ACM 8 (1961) 212-229. Where that
ends, pairs of whole numbers are tried, as under a constraint one alone can seldom change.

x, trial (D,)   the best point of the search, and room for another one
unit     (D,)   of each variable: the width of its box, or 1
share           of the unit: the first step of a pattern search, and of each random move
least           of the unit: the step below which a pattern search has converged
"""

import numpy as np

from ..compile.jit import inlined, part
from ..numbers.random import normal, row_key
from ..run import evaluate, spent
from .box import inside


@part
def value_of(problem, x, run):
    """The value at x: one function, and not a copy of it in each place that asks."""
    return evaluate(problem, x, run)


@inlined
def is_over(run, until):
    return spent(run) or run.now[0].evaluations >= until


@inlined
def length(share, unit, integer):
    """A step; of whole numbers at least 1."""
    return share * unit if integer == 0.0 else max(np.floor(share * unit + 0.5), 1.0)


@part
def explore(problem, x, value, share, unit, box, until, run):
    """An exploratory move: along each axis in turn a step there, else back, kept where the value becomes less."""
    for j in range(x.size):
        before = x[j]
        for sign in (1.0, -1.0):
            x[j] = inside(before + sign * length(share, unit[j], box.integer[j]), box.lower[j], box.upper[j])
            if x[j] == before or is_over(run, until):
                x[j] = before
                continue
            found = value_of(problem, x, run)
            if found < value:
                value = found
                break
            x[j] = before
    return value


@part
def explore_pairs(problem, x, value, box, until, run):
    """Two whole numbers change by 1 each: the first pair that makes the value less is kept."""
    for j in range(x.size):
        for k in range(j):
            for sign in range(4):
                if box.integer[j] == 0.0 or box.integer[k] == 0.0 or is_over(run, until):
                    continue
                one, other = x[j], x[k]
                x[j] = one + (1.0 if sign < 2 else -1.0)
                x[k] = other + (1.0 if sign % 2 == 0 else -1.0)
                inner = box.lower[j] <= x[j] <= box.upper[j] and box.lower[k] <= x[k] <= box.upper[k]
                found = value_of(problem, x, run) if inner else np.inf
                if found < value:
                    return found
                x[j], x[k] = one, other
    return value


@inlined
def is_finest(share, least, unit, box):
    """Whether no step can become shorter, or has a meaning if it does."""
    whole = True
    for j in range(unit.size):
        whole = whole and (box.integer[j] > 0.0 or box.lower[j] == box.upper[j]) and share * unit[j] < 1.5
    return whole or share < least


@part
def pattern_search(problem, x, value, trial, share, least, unit, box, until, run):
    """From x (D,) with its value to where no step helps; x becomes that point, its value is returned.

    until: the number of evaluations of the run at which the search ends in any case.
    """
    n = x.size
    for j in range(n):
        trial[j] = x[j]
    trial_f, follows = value, False
    while not is_over(run, until):
        explored = explore(problem, trial, trial_f, share, unit, box, until, run)
        leads = False
        if explored < value:  # a new base, and a pattern move: as far again in the direction that has led there
            value = explored
            for j in range(n):
                step, x[j] = trial[j] - x[j], trial[j]
                leads = leads or abs(step) > 0.5 * length(share, unit[j], box.integer[j])
                trial[j] = inside(x[j] + step, box.lower[j], box.upper[j])
        if leads:  # what rounding alone has moved would go on so, bit by bit
            trial_f = np.inf if is_over(run, until) else value_of(problem, trial, run)
            follows = True
            continue
        for j in range(n):
            trial[j] = x[j]
        trial_f = value
        if not follows:
            if is_finest(share, least, unit, box):
                paired = explore_pairs(problem, trial, value, box, until, run)
                if not paired < value:
                    break
                trial_f = value = paired
                for j in range(n):
                    x[j] = trial[j]
                continue
            share *= 0.5
        follows = False
    return value


@part
def random_moves(problem, x, value, trial, share, unit, box, until, run):
    """Hill climbing: normal steps of all variables from x (D,), kept where the value does not grow, up to `until`."""
    move = 0
    while not is_over(run, until):
        key = row_key(run.now[0].key, move)
        for j in range(x.size):
            new = x[j] + share * unit[j] * normal(key, j)
            new = new if box.integer[j] == 0.0 else np.floor(new + 0.5)
            trial[j] = inside(new, box.lower[j], box.upper[j])
        found = value_of(problem, trial, run)
        if found <= value:
            value = found
            for j in range(x.size):
                x[j] = trial[j]
        move += 1
    return value
