"""Runs within a run of CMA-ES: when one of them ends, and with how many rows and which steps the next begins.

They end by the criteria of appendix B.3 of Hansen's tutorial (arXiv:1604.00772) with the tolerances of pycma. The next
one has twice the rows (IPOP: Auger and Hansen, CEC 2005), or, so that both get as many evaluations, few rows and small
steps (BIPOP: Hansen, Benchmarking a BI-population CMA-ES, GECCO workshops 2009). By pycma's rules: the first counts
as a small one, and those have up to as many rows as the last large one (the paper: up to half of that). Fields of a
state, beside those of population.py and covariance.py:
    recent  (T,)    best values of the last generations, one after another around a ring
    trace   (3, H)  best and median value, every `stride` generations; room for a part of them
    start   (D,)    where inner runs begin that are not drawn from the box
    inner           the scalars of SCALARS
"""

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..compile.structures import record
from ..numbers.elementary import exp, log
from ..numbers.linear_algebra import on_diagonal
from ..numbers.random import uniform
from ..run import CONVERGED, ENDED
from . import covariance, whole_numbers
from .bounds import out_of_box

NONE, IPOP, BIPOP = 0, 1, 2
SCALARS = record(
    regime="i8",  # NONE, IPOP or BIPOP
    population="i8",  # lambda_0: rows of the first inner run
    large="i8",  # rows of the last one with a large population
    small="i8",  # 1: this one counts among those with a small population
    whole="i8",  # 1: there are whole-numbered variables
    draws="i8",  # 1: inner runs begin at points drawn from the box
    drawn="i8",  # 1: the next does
    began="i8",  # evaluations before this one
    most="i8",  # evaluations that it may make
    spent_small="i8", spent_large="i8",  # evaluations of those that have ended
    holds="i8",  # 1: the best point so far is of this one
    converged="i8",  # 1: the one that found the best point has converged
    level="i8",  # generations whose best values were equal
    entries="i8", stride="i8",  # of the trace
    sigma="f8",  # sigma_0
    first="f8",  # the step size that this one began with
)  # fmt: skip
TRACE = 512  # entries
DOUBLINGS = 9  # of the population
TOLFUN, TOLFUNHIST, TOLX, TOLFACUPX, TOLFLAT = 1e-11, 1e-12, 1e-11, 1e3, 1  # pycma
LEAST = 10  # generations before TOLFUNHIST counts
LOOKS = 8  # entries of the trace between two looks for stagnation
UNLIMITED = 2**62


def largest_population(population: int, max_evals: int, regime: int) -> int:
    """The most rows that a run can come to: none of its inner runs ends before its second generation."""
    spent = 2 * population
    for _ in range(0 if regime == NONE else DOUBLINGS):
        if spent >= max_evals:
            break
        population *= 2
        spent += 2 * population
    return population


@inlined
def recent_generations(dimension, population):
    """Over how many the best values are compared (B.3, TolFun)."""
    return 10 + (30 * dimension + population - 1) // population


# --- the beginning -----------------------------------------------------------------------------------------------


@part
def begin(state, population, sigma, most):
    """Begin an inner run, at a point drawn from the box or where the run itself began."""
    inner, now, box, margin = state.inner[0], state.run.now[0], state.box, state.margin
    for j in range(state.mean.size):
        low, high = box.lower[j], box.upper[j]
        x = low + uniform(now.key, j) * (high - low) if inner.drawn == 1 else state.start[j]
        if box.integer[j] > 0.0:
            state.mean[j], state.scale[j] = x, whole_numbers.unit(low, high)
        else:
            state.mean[j] = out_of_box(x, low, high, margin[0, j], margin[1, j])
    covariance.reset(state, population, sigma)
    inner.first, inner.most, inner.began = sigma, most, now.evaluations
    inner.level, inner.entries, inner.stride = 0, 0, 1
    inner.drawn = inner.draws
    state.rows[0].live = population
    keep_margin(state)


@inlined
def keep_margin(state):
    """Where there are whole-numbered variables: no number beside the likeliest may die out."""
    if state.inner[0].whole == 1:
        sigma, population = state.own[0].sigma, state.rows[0].live
        whole_numbers.keep_margin(state.mean, state.scale, state.covariance, state.box, sigma, population)


# --- the end -----------------------------------------------------------------------------------------------------


@inlined
def note_best(state):
    """Whose the best point is, after a generation, whole or not."""
    inner, now = state.inner[0], state.run.now[0]
    if now.stall == -1 and inner.holds == 0:
        inner.holds, inner.converged, now.spread = 1, 0, np.inf


@inlined
def note_generation(state):
    """Ring, trace and spread after a whole generation."""
    inner, now, order, f = state.inner[0], state.run.now[0], state.order, state.trial_f
    population, generation = state.rows[0].live, state.own[0].generation
    best, worst = f[order[0]], f[order[population - 1]]
    state.recent[(generation - 1) % state.recent.size] = best
    inner.level = inner.level + 1 if best == f[order[int(0.75 * population)]] else 0
    if generation % inner.stride == 0:
        if inner.entries == state.trace.shape[1]:
            inner.entries //= 2
            inner.stride *= 2
            for k in range(inner.entries):
                state.trace[0, k], state.trace[1, k] = state.trace[0, 2 * k + 1], state.trace[1, 2 * k + 1]
        if generation % inner.stride == 0:
            state.trace[0, inner.entries], state.trace[1, inner.entries] = best, f[order[population // 2]]
            inner.entries += 1
    if inner.holds == 1:
        now.spread = worst - now.best if worst < np.inf else np.inf


@inlined
def has_converged(state):
    """Whether values agree (TolFun, EqualFunValues), or steps have become nothing (TolX)."""
    inner, order, f, own = state.inner[0], state.order, state.trial_f, state.own[0]
    population, generation = state.rows[0].live, own.generation
    low, high = np.inf, -np.inf
    count = min(recent_generations(state.mean.size, population), generation)
    for k in range(count):
        value = state.recent[(generation - 1 - k) % state.recent.size]
        low, high = min(low, value), max(high, value)
    agree = high - low < TOLFUN and f[order[population - 1]] - f[order[0]] < TOLFUN
    agree = agree or (generation >= LEAST and high - low < TOLFUNHIST)
    return agree or inner.level > TOLFLAT or largest_step(state) < TOLX * inner.sigma


@inlined
def largest_step(state):
    """The largest of sigma sqrt(C_jj) and sigma |p_c,j|."""
    largest, sigma = 0.0, state.own[0].sigma
    for j in range(state.mean.size):
        largest = max(largest, sigma * np.sqrt(on_diagonal(state.covariance, j)), sigma * abs(state.path_c[j]))
    return largest


@inlined
def has_failed(state):
    """Whether it takes too long (MaxIter), its steps have grown without end (TolXUp), or nothing improves."""
    inner, own, n, population = state.inner[0], state.own[0], state.mean.size, state.rows[0].live
    spent = state.run.now[0].evaluations - inner.began
    too_long = own.generation >= 100.0 + 150.0 * (n + 3.0) ** 2 / np.sqrt(population) or spent >= inner.most
    return too_long or not largest_step(state) <= TOLFACUPX * inner.first or stagnates(state)


@inlined
def stagnates(state):
    """Stagnation: of the last 20 % of the generations, at least 120 + 30 D / lambda, the last three tenths are no
    better than the first, by the medians of the best and of the median values."""
    inner, generation = state.inner[0], state.own[0].generation
    if generation % (LOOKS * inner.stride) != 0:
        return False
    least = 120.0 + 30.0 * state.mean.size / state.rows[0].live
    window = int(max(0.2 * generation, least)) // inner.stride
    if window > inner.entries:
        return False
    part, stagnant = int(0.3 * window), True
    for kind in range(2):
        last = median(state.trace, kind, inner.entries - part, part)
        first = median(state.trace, kind, inner.entries - window, part)
        stagnant = stagnant and last >= first
    return stagnant


@part
def median(trace, kind, start, count):
    """The median of trace[kind, start : start + count], of two in the middle the greater; by insertion."""
    ordered = row(trace, 2)
    for i in range(count):
        value, k = trace[kind, start + i], i
        while k > 0 and value < ordered[k - 1]:
            ordered[k] = ordered[k - 1]
            k -= 1
        ordered[k] = value
    return ordered[count // 2]


# --- the next ----------------------------------------------------------------------------------------------------


@inlined
def begin_next(state, converged):
    """After the end of an inner run: the next one, or the end of all."""
    inner, now, dimension = state.inner[0], state.run.now[0], state.mean.size
    if inner.holds == 1:
        inner.holds, inner.converged = 0, 1 if converged else 0
    spent = now.evaluations - inner.began
    inner.spent_small += spent if inner.small == 1 else 0
    inner.spent_large += spent if inner.small == 0 else 0
    population, sigma, most = 2 * inner.large, inner.sigma, UNLIMITED
    inner.small = 1 if inner.regime == BIPOP and inner.spent_small < inner.spent_large else 0
    if inner.small == 1:
        u = uniform(now.key, dimension)
        population = int(inner.population * exp(u * u * log(inner.large / inner.population)))
        sigma *= exp(-2.0 * uniform(now.key, dimension + 1) * log(10.0))
        most = inner.spent_large // 2
    elif inner.regime == NONE or population > state.trial.shape[0]:
        now.stop = CONVERGED if inner.converged == 1 else ENDED
        return
    else:
        inner.large = population
    begin(state, population, sigma, most)
