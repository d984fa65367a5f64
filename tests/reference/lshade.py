"""L-SHADE as Tanabe and Fukunaga write it, CEC 2014; equation numbers are theirs.

Conventions of the engine: the pbest set has at least 2 members; the archive is a list, where a full one gives a place
drawn from slot 5 to the newcomer, and which loses its end when it shrinks; F is drawn at most 40 times, then it is its
mean; halves are rounded up. All candidates of a generation are made from its beginning.

The state has x, f, order (ranks of the rows), archive (list of points), archive_size, archive_rate, initial_size,
memory_f, memory_cr, slot, best_share; afterwards also weight, crossover (F and CR of each candidate), place.
"""

import numpy as np

from .common import (
    binomial,
    close,
    copied,
    evaluate,
    initial_sample,
    keep_best,
    midpoint,
    note_collapse,
    progress,
    ranks,
    rounded,
)

SLOT, CROSSOVER, PBEST, R1, R2, PLACE, WEIGHT = 0, 1, 2, 3, 4, 5, 16  # slots of the random numbers
TERMINAL = -1.0
SMALLEST = 4  # N_min


def draw_weight(draws, i, mean):
    """Eq. 2: Cauchy(M_F, 0.1), again while it is not positive, at most 1."""
    tries = (mean + 0.1 * draws.cauchy(i, WEIGHT + k) for k in range(40))
    return min(next((weight for weight in tries if weight > 0), mean), 1.0)


def draw_crossover(draws, i, mean):
    """Eq. 1: Normal(M_CR, 0.1) cut to [0, 1], or 0 for the terminal value."""
    return 0.0 if mean == TERMINAL else float(np.clip(mean + 0.1 * draws.normal(i, CROSSOVER), 0, 1))


def round_half_up(value):
    return int(np.floor(value + 0.5))


def donors(s, draws, i, best_share):
    """(x_pbest, x_r1, x_r2): of the best p N, of the population, of population and archive."""
    pbest = s.order[draws.integer(i, PBEST, max(round_half_up(best_share * s.size), 2))]
    r1 = draws.integer(i, R1, s.size, without=(i,))
    everybody = [*s.x, *s.archive]
    r2 = draws.integer(i, R2, len(everybody), without=(i, r1))
    return s.x[pbest], s.x[r1], everybody[r2]


def candidate(s, draws, i):
    """(u, F, CR) by current-to-pbest/1/bin, eq. 3-5."""
    slot = draws.integer(i, SLOT, len(s.memory_f))
    weight, crossover = draw_weight(draws, i, s.memory_f[slot]), draw_crossover(draws, i, s.memory_cr[slot])
    pbest, x_r1, x_r2 = donors(s, draws, i, s.best_share)
    v = s.x[i] + weight * (pbest - s.x[i]) + weight * (x_r1 - x_r2)
    u, _ = binomial(draws, i, v, s.x[i], crossover)
    return rounded(s, midpoint(s, u, s.x[i])), weight, crossover


def lehmer_mean(values, gains):
    """Eq. 7-9: the weighted Lehmer mean; 0 where all values are. The gain of a parent at inf counts as 1e100."""
    gains = np.minimum(gains, 1e100)
    weights = gains / gains.sum()
    mean = np.average(values, weights=weights)
    return np.average(np.square(values), weights=weights) / mean if mean > 0 else 0.0


def update_memory(s, mean_f, mean_cr):
    """Algorithm 1: slot k takes the means; CR stays terminal once it was, or where all successful CR were 0."""
    k = s.slot
    s.memory_f[k] = mean_f
    s.memory_cr[k] = TERMINAL if s.memory_cr[k] == TERMINAL or mean_cr == 0 else mean_cr


def select(s, draws):
    """Survivors; replaced parents into the archive, but for those at inf. Returns who succeeded and the gains."""
    s.archive, s.place = list(s.archive), np.full(s.count, -1)
    successes = [i for i in range(s.count) if s.trial_f[i] < s.f[i]]
    gains = np.array([s.f[i] - s.trial_f[i] for i in successes])
    for i in successes:
        if s.f[i] == np.inf or s.archive_size == 0:
            continue
        if len(s.archive) < s.archive_size:
            s.place[i] = len(s.archive)
            s.archive.append(s.x[i].copy())
        else:
            s.place[i] = draws.integer(i, PLACE, s.archive_size)
            s.archive[s.place[i]] = s.x[i].copy()
    for i in range(s.count):
        if s.trial_f[i] <= s.f[i]:
            s.x[i], s.f[i] = s.trial[i], s.trial_f[i]
    return successes, gains


def shrink(s):
    """Eq. 10: the population falls linearly to N_min with the evaluations; the archive with it."""
    wanted = round_half_up((SMALLEST - s.initial_size) * progress(s) + s.initial_size)
    s.size = min(s.size, max(wanted, SMALLEST))
    s.x, s.f, s.order = keep_best(s.x, s.f, s.order, s.size)
    s.archive_size = round_half_up(s.archive_rate * s.size)
    s.archive = s.archive[: s.archive_size]


def iterate(state, fun, draws, candidate=candidate, update_memory=update_memory):
    """jSO has another candidate and another memory."""
    s = copied(state)
    if s.iteration == 0:
        trial = initial_sample(s, draws)
    else:
        made = [candidate(s, draws, i) for i in range(s.count)]
        trial, s.weight, s.crossover = (np.array(part) for part in zip(*made))
    evaluate(s, fun, trial)
    successes, gains = select(s, draws)
    if s.iteration > 0 and successes:  # the initial sample has no F and CR to learn from
        update_memory(s, lehmer_mean(s.weight[successes], gains), lehmer_mean(s.crossover[successes], gains))
        s.slot = (s.slot + 1) % len(s.memory_f)
    s.order = ranks(s.f)
    shrink(s)
    note_collapse(s, s.x, s.archive)
    return close(s, s.f)


def start(dimension):
    """What a run begins with: N_init = 18 D, |A| = 2.6 N, p = 0.11, H = 6 slots of 0.5 (the paper's table I)."""
    size = 18 * dimension
    memory = np.full(6, 0.5)
    return {
        "size": size, "archive_size": round_half_up(2.6 * size), "best_share": 0.11,
        "memory_f": memory, "memory_cr": memory,
    }  # fmt: skip
