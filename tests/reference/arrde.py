"""ARRDE by the rules of minionpy 1.9 (Muzakka, Moeller and Finsterbusch), one generation: what the engine is tested by.

Conventions of the engine, beside those of lshade.py and jso.py: a uniform initial sample; records of bounded size, each
entry of a stream with the same chance; a refinement at 0.9 of the
run takes the best of the run. Numbers of an iteration have slots by what they are for.
"""

import math

import numpy as np

from . import lshade
from .common import binomial, close, copied, evaluate, in_box, initial_sample, keep_best, progress, ranks, rounded
from .jso import update_memory
from .lshade import CROSSOVER, SLOT, TERMINAL, WEIGHT, donors, lehmer_mean, round_half_up

RECORDING, LEARNING, CHOOSING, FORGETTING, REPEATING = (k * 2**20 for k in range(5))
FIRST, RESTART, REFINEMENT = 0, 1, 2


def candidate(s, draws, i):
    """current-to-pbest/1/bin with an archive; F and CR as in jSO in the first population, widths of 0.05."""
    t, n = progress(s) / 0.9, len(s.lower)
    slot = draws.integer(i, SLOT, len(s.memory_f))
    tries = (s.memory_f[slot] + 0.05 * draws.cauchy(i, WEIGHT + k) for k in range(40))
    weight = min(next((w for w in tries if w > 0), s.memory_f[slot]), 1.0)
    mean = s.memory_cr[slot]
    crossover = 0.0 if mean == TERMINAL else float(np.clip(mean + 0.05 * draws.normal(i, CROSSOVER), 0, 1))
    if s.phase == FIRST:
        crossover = max(crossover, 0.7 if t < 0.25 else 0.6 if t < 0.5 else 0.0)
        weight = min(weight, 0.7) if t < 0.6 else weight
    pbest, x_r1, x_r2 = donors(s, draws, i, 0.11)
    v = s.x[i] + weight * (x_r1 - x_r2) + weight * (pbest - s.x[i])  # in this order: halves are rounded
    u, _ = binomial(draws, i, v, s.x[i], crossover)
    r, width = np.array(draws.uniforms(i, 64 + n, n)), s.upper - s.lower
    inside = np.where(u < s.lower, s.lower + r * np.minimum(s.lower - u, width), u)
    inside = np.where(u > s.upper, s.upper - r * np.minimum(u - s.upper, width), inside)
    return rounded(s, inside), weight, crossover


def size_at(s, t):
    n, a = len(s.lower), s.initial_size
    end = max(4, n / 2)
    if t <= 0.9:
        value = a - (a - end) * (1 - (1 - t / 0.9) ** (1.17 + 2.075 * math.exp(-0.0567 * n)))
    else:
        again = max(2 * n, a / 4)
        value = again - (again - end) * (1 - (1 - (t - 0.9) / 0.1) ** 2)
    return int(min(max(round_half_up(value), 4), a))


def kept_at(draws, slot, before, room):
    place = before if before < room else draws.integer(None, slot, before + 1)
    return place if place < room else -1


def put(rows, place, entry):
    rows = list(rows)
    if place == len(rows):
        rows.append(entry)
    elif place >= 0:
        rows[place] = entry
    return rows


def leave(s, draws):
    if s.phase != RESTART:
        for k, pair in enumerate(zip(s.memory_f, s.memory_cr)):
            s.learnt = put(s.learnt, kept_at(draws, LEARNING + k, s.learnings, 10 * len(s.memory_f)), pair)
            s.learnings += 1
    taken = []
    for j in range(len(s.lower)):
        mean, deviation = s.x[:, j].mean(), s.x[:, j].std()
        new = [max(mean - deviation, s.lower[j]), min(mean + deviation, s.upper[j])]
        taken += [[j, *interval] for interval in merged([*intervals(s, j), new])]
    s.taken = taken


def intervals(s, j):
    return [[low, high] for k, low, high in s.taken if k == j]


def merged(given):
    given = sorted(given)
    found = given[:1]
    for low, high in given[1:]:
        if low <= found[-1][1]:
            found[-1] = [found[-1][0], max(found[-1][1], high)]
        else:
            found.append([low, high])
    return found


def record(s, draws):
    for i in range(s.size):
        place = kept_at(draws, RECORDING + i, s.recorded, 2 * s.initial_size)
        s.record_f, s.record = put(s.record_f, place, s.f[i]), put(s.record, place, s.x[i])
        s.recorded += 1
    s.best_recorded = min(s.best_recorded, s.f.min())


def restart(s, size):
    memory = len(s.memory_f) - 1
    s.memory_f[:memory], s.memory_cr[:memory] = 0.3, 0.8
    s.f, s.order = np.full(size, np.inf), np.arange(size)
    s.phase, s.fresh, s.tolerance, s.best_here, s.restarts = RESTART, 1, 1e-4, math.inf, s.restarts + 1
    s.moved = "restart"


def refine(s, draws, size, final):
    held = len(s.record)
    chosen = list(range(held))
    points = []
    for k in range(min(held, size)):
        other = k + draws.integer(None, CHOOSING + k, held - k)
        chosen[k], chosen[other] = chosen[other], chosen[k]
        points.append((s.record[chosen[k]], s.record_f[chosen[k]]))
    count, known = len(points), len(s.improved)
    for k in range(count, size):
        back = k - count if k - count < known else draws.integer(None, REPEATING + k, max(known, 1))
        points.append((s.improved[-1 - back], s.improved_f[-1 - back]) if known else points[k % count])
    if final:
        s.last = 1
        points[0] = (s.best_x, s.best) if s.best < math.inf else points[0]
    s.x, s.f = np.array([x for x, _ in points]), np.array([f for _, f in points])
    for k in range(len(s.memory_f) - 1):
        s.memory_f[k] = s.learnt[draws.integer(None, FORGETTING + 2 * k, len(s.learnt))][0]
        s.memory_cr[k] = s.learnt[draws.integer(None, FORGETTING + 2 * k + 1, len(s.learnt))][1]
    s.order = ranks(s.f)
    s.phase, s.restarts, s.best_here = REFINEMENT, 0, s.f.min()
    s.tolerance = 0.0 if progress(s) > 0.9 else 1e-6
    s.moved = "last" if final else "refinement"


def settle(s, draws):
    low, high = s.f.min(), s.f.max()
    with np.errstate(invalid="ignore"):
        if s.stall == 0:
            s.spread = high - low
        elif low <= s.best:
            s.spread = min(s.spread, high - low)
    if s.phase == FIRST and s.iteration > 0 and low < s.best_here:
        s.improved = [*s.improved, s.x[s.order[0]].copy()][-s.initial_size :]
        s.improved_f = [*s.improved_f, low][-s.initial_size :]
    s.best_here = low
    wanted = size_at(s, progress(s))
    final = not s.last and wanted > s.size
    if wanted < s.size:
        s.size = wanted
        s.x, s.f, s.order = keep_best(s.x, s.f, s.order, wanted)
    s.archive_size = s.size
    s.archive = s.archive[: s.size]
    with np.errstate(invalid="ignore"):
        converged = s.f.std() <= s.tolerance * abs(s.f.mean())
    if final or converged:
        leave(s, draws)
        again = s.best_recorded <= s.best_here and s.restarts < max(1, round_half_up(1 + 4 * progress(s)))
        again = again or s.phase in (FIRST, REFINEMENT)
        if s.phase == FIRST or converged:
            record(s, draws)
        s.size = s.archive_size = wanted
        s.archive, s.slot = [], 0
        if final or not again:
            refine(s, draws, wanted, final)
        else:
            restart(s, wanted)


def avoided(s, draws, i, point):
    n, point = len(point), point.copy()
    for j in range(n):
        taken = intervals(s, j)
        if any(low <= point[j] <= high for low, high in taken):
            width, u = s.upper[j] - s.lower[j], draws.uniform(i, n + j)
            room = width - sum(high - low for low, high in taken)
            anew = s.lower[j] + u * (room if room > 0 else width)
            for low, high in taken if room > 0 else ():
                anew += high - low if anew >= low else 0.0
            point[j] = min(max(anew, s.lower[j]), s.upper[j])
    return rounded(s, point)


def iterate(state, fun, draws):
    s = copied(state)
    s.moved = ""
    weight = crossover = np.zeros(0)
    if s.iteration == 0:
        trial = initial_sample(s, draws)
    elif s.fresh:
        points = [in_box(s, draws.uniforms(i, 0, len(s.lower))) for i in range(s.count)]
        trial = np.array([avoided(s, draws, i, point) for i, point in enumerate(points)])
    else:
        made = [candidate(s, draws, i) for i in range(s.count)]
        trial, weight, crossover = (np.array(part) for part in zip(*made))
    evaluate(s, fun, trial)
    successes, gains = lshade.select(s, draws)
    if s.iteration > 0 and not s.fresh and successes:
        update_memory(s, lehmer_mean(weight[successes], gains), lehmer_mean(crossover[successes], gains))
        s.slot = (s.slot + 1) % len(s.memory_f)
    s.order, s.fresh = ranks(s.f), 0
    settle(s, draws)
    return close(s, [0.0, s.spread])


def start(dimension):
    """The population of 10,000 evaluations per variable; F and CR of 0.3 and 0.8, 0.9 in the last slot."""
    return {
        "memory_f": np.array([0.3] * 5 + [0.9]), "memory_cr": np.array([0.8] * 5 + [0.9]),
        "tolerance": 1e-8, "restarts": 1, "phase": FIRST,
    }  # fmt: skip
