"""L-SRTDE as Stanovov and Semenkin write it, CEC 2024, with successes applied at the end of a generation.

Conventions of the engine: a choice that is refused is drawn again at most 7 times, then it stands; two points are the
same where their rows in their populations are; in generation 0 front and top are the sample; the front forgets nobody
when it shrinks but its worst, and its place to write at is taken modulo its new size; parents at inf count as 1e100.

The state has front, front_f, front_order, top, top_f, top_order, next (place of the front that is overwritten next),
rate (SR), memory (M_CR), slot, initial_size; afterwards also parent, share (of coordinates that crossed), front_place,
top_place.
"""

import math

import numpy as np

from .common import (
    COORDINATES,
    binomial,
    close,
    copied,
    evaluate,
    in_box,
    initial_sample,
    keep_best,
    note_collapse,
    progress,
    ranks,
    rounded,
)

PARENT, SLOT, GUIDE, CROSSOVER, R1, R2, WEIGHT = 0, 1, 2, 3, 10, 20, 30  # slots of the random numbers
SMALLEST = 4


def draw(choice, accepts):
    """The first of eight choices that is accepted, or else the last."""
    for k in range(8):
        chosen = choice(k)
        if accepts(chosen):
            break
    return chosen


def candidate(s, draws, i):
    """(u, target, share of coordinates crossed) by r-new-to-ptop/n/t."""
    n = s.size
    target = draws.integer(i, PARENT, n)
    best = max(2, math.floor(0.7 * n * math.exp(-7 * s.rate)))
    ptop = s.top_order[draws.integer(i, GUIDE, best)]
    selective = np.cumsum(np.exp(-3 * np.arange(n) / n))  # rank-based pressure: kp = 3
    shares = selective / selective[-1]
    r1 = draw(lambda k: s.front_order[np.searchsorted(shares, draws.uniform(i, R1 + k), "right")], lambda r: r != ptop)
    r2 = draw(lambda k: s.top_order[draws.integer(i, R2 + k, n)], lambda r: r != ptop and r != r1)
    mean = 0.4 + 0.25 * math.tanh(5 * s.rate)
    weight = draw(lambda k: mean + 0.02 * draws.normal(i, WEIGHT + k), lambda w: 0 <= w <= 1)
    mean_cr = s.memory[draws.integer(i, SLOT, len(s.memory))]
    crossover = np.clip(mean_cr + 0.05 * draws.normal(i, CROSSOVER), 0, 1)
    x = s.front[target]
    v = x + weight * (s.top[ptop] - x) + weight * (s.front[r1] - s.top[r2])
    u, crossed = binomial(draws, i, v, x, crossover)
    anew = in_box(s, draws.uniforms(i, COORDINATES + len(x), len(x)))
    u = np.where((u < s.lower) | (u > s.upper), anew, u)
    return rounded(s, u), target, crossed / len(x)


def lehmer_mean(values, gains):
    """The weighted Lehmer mean, or 1 where its denominator is about 0."""
    gains = np.minimum(gains, 1e100)
    weights = gains / gains.sum() if gains.sum() > 0 else np.zeros(len(gains))
    below = np.sum(weights * values)
    return np.sum(weights * values**2) / below if below > 1e-8 else 1.0


def select(s):
    """Apply the successes in the order of their rows: the front overwritten, the top longer. Returns the gains."""
    s.front_place, s.top_place = np.full((2, s.count), -1)
    parent_f = s.front_f[s.parent]
    successes = np.flatnonzero(s.trial_f <= parent_f)
    with np.errstate(invalid="ignore"):
        gains = np.where(s.trial_f < parent_f, parent_f - s.trial_f, 0.0)[successes]
    for i in successes:
        s.front_place[i], s.top_place[i] = s.next, len(s.top)
        s.front[s.next], s.front_f[s.next] = s.trial[i], s.trial_f[i]
        s.top, s.top_f = np.vstack([s.top, s.trial[i]]), np.append(s.top_f, s.trial_f[i])
        s.next = (s.next + 1) % s.size
    return successes, gains


def learn(s, successes, gains):
    s.rate = len(successes) / s.count
    if len(successes) > 0:
        s.memory[s.slot] = 0.5 * (s.memory[s.slot] + lehmer_mean(s.share[successes], gains))
        s.slot = (s.slot + 1) % len(s.memory)


def shrink(s):
    """N falls linearly from N_max to 4; the front loses its worst, the top keeps its best N."""
    wanted = math.trunc(s.initial_size + (SMALLEST - s.initial_size) * progress(s))
    s.size = min(s.size, max(wanted, SMALLEST))
    s.front, s.front_f, s.front_order = keep_best(s.front, s.front_f, s.front_order, s.size)
    s.top, s.top_f, s.top_order = keep_best(s.top, s.top_f, s.top_order, min(s.size, len(s.top)))
    s.next %= s.size


def iterate(state, fun, draws):
    s = copied(state)
    if s.iteration == 0:
        trial = initial_sample(s, draws)
        s.parent, s.share = np.arange(s.count), np.zeros(s.count)
    else:
        made = [candidate(s, draws, i) for i in range(s.count)]
        trial, s.parent, s.share = (np.array(part) for part in zip(*made))
    evaluate(s, fun, trial)
    successes, gains = select(s)
    if s.iteration > 0:
        learn(s, successes, gains)
    s.front_order, s.top_order = ranks(s.front_f), ranks(s.top_f)
    shrink(s)
    note_collapse(s, s.front, s.top)
    return close(s, s.front_f)


def start(dimension):
    """What a run begins with: N_max = 20 D, SR = 0.5, H = 5 slots of 1."""
    return {"size": 20 * dimension, "rate": 0.5, "memory": np.ones(5)}
