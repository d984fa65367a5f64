"""Particle swarms in three variants, each as its paper writes it, one iteration at a time.

SPSO-2011: M. Clerc, Standard particle swarm optimisation, hal-00764996 (2012), and his program of 2011.
CLPSO: Liang, Qin, Suganthan and Baskar, IEEE Trans. Evol. Comput. 10 (2006) 281-295; equation numbers are theirs.
inertia: Shi and Eberhart, A modified particle swarm optimizer (1998), eq. 1.

Conventions of the engine: all particles move from the iteration's beginning; what is on or beyond a bound is handled as
in SPSO-2011 in all variants; a best point is replaced by an equal one, whole numbers are rounded where a particle
stops; the first velocities of `inertia` are 0, those of CLPSO at most a fifth of the box; SPSO-2011 works in a box that
is as wide as 1 in each variable, as its author advises where widths differ. Of the particles that may inform another,
the next is found by a draw of the gap.

The state has x, f (best points and values), position, velocity, exemplar, idle, variant, inertia, cognitive, social,
links (the iteration whose numbers say who informs whom), and what renewal.py says; afterwards also step.
"""

import math

import numpy as np

from .common import close, copied, evaluate, initial_sample, rounded
from .draws import Draws
from .renewal import renew

GAP = 7  # m
INFORMED = 3  # K


def begin(s, draws):
    """(positions, velocities) of a new swarm; x0 first where the run begins."""
    n, width = len(s.lower), s.upper - s.lower
    positions = initial_sample(s, draws)
    u = np.array([draws.uniforms(i, n, n) for i in range(s.count)])
    velocities = {
        "spso2011": s.lower + u * width - positions,  # U(lower - x, upper - x)
        "clpso": (2 * u - 1) * 0.2 * width,
        "inertia": np.zeros_like(positions),
    }
    return positions, velocities[s.variant]


def informants(s, i):
    """The particles that inform particle i, itself not counted: each with probability 1 - (1 - 1/S)^K."""
    links, p = Draws(s.seed, s.index, s.links), 1 - (1 - 1 / s.size) ** INFORMED
    found, k = [], 0
    other = -1
    while True:
        other += 1 + math.floor(math.log(1 - links.uniform(s.size + i, k)) / math.log(1 - p))
        if other >= s.size:
            return found
        found.append(other)
        k += 1


def spso2011(s, draws, i):
    """The new velocity of particle i (Clerc, section 3.2)."""
    x, p, n = s.position[i], s.x[i], len(s.lower)
    w, c = 1 / (2 * math.log(2)), 1 / 2 + math.log(2)
    leader = i
    for other in informants(s, i):
        leader = other if s.f[other] < s.f[leader] else leader
    towards_p, towards_l = x + c * (p - x), x + c * (s.x[leader] - x)
    centre = (x + towards_p) / 2 if leader == i else (x + towards_p + towards_l) / 3
    width = np.where(s.upper > s.lower, s.upper - s.lower, np.inf)
    radius = np.linalg.norm((centre - x) / width)
    direction = np.array([draws.normal(i, j) for j in range(n)])
    inside = draws.uniform(i, n) * radius * direction / np.linalg.norm(direction)  # of the ball around 0
    return w * s.velocity[i] + centre + inside * (s.upper - s.lower) - x


def learning_probability(i, size):
    """Eq. 10, for i = 0 .. size - 1."""
    return 0.05 + 0.45 * (math.exp(10 * i / (size - 1)) - 1) / (math.exp(10) - 1)


def exemplars(s, draws, i):
    """Whom particle i learns each coordinate from (section III.A, fig. 1)."""
    n, others = len(s.lower), {"n": s.size, "without": (i,)}
    chosen = np.full(n, i)
    for j in range(n):
        if draws.uniform(i, n + 3 * j) < learning_probability(i, s.size):
            one, two = draws.integer(i, n + 3 * j + 1, **others), draws.integer(i, n + 3 * j + 2, **others)
            chosen[j] = two if s.f[two] < s.f[one] else one
    if (chosen == i).all():
        chosen[draws.integer(i, 4 * n, n)] = draws.integer(i, 4 * n + 1, **others)
    return chosen


def clpso(s, draws, i):
    """Eq. 8, with w falling from 0.9 to 0.4 and c = 1.49445."""
    n, share = len(s.lower), s.evaluations / s.max_evals
    if s.max_iterations:
        share = max(share, s.iteration / s.max_iterations)
    if s.idle[i] >= GAP:
        s.exemplar[i] = exemplars(s, draws, i)
    learnt = s.x[s.exemplar[i], np.arange(n)]
    w = 0.9 - (0.9 - 0.4) * share
    return w * s.velocity[i] + 1.49445 * np.array(draws.uniforms(i, 0, n)) * (learnt - s.position[i])


def inertia(s, draws, i):
    x, n = s.position[i], len(s.lower)
    r1, r2 = np.array(draws.uniforms(i, 0, n)), np.array(draws.uniforms(i, n, n))
    return s.inertia * s.velocity[i] + s.cognitive * r1 * (s.x[i] - x) + s.social * r2 * (s.x[s.best_row] - x)


VARIANTS = {"spso2011": spso2011, "clpso": clpso, "inertia": inertia}


def stopped(s, position, velocity):
    """At a bound, where the particle crossed it; its velocity is turned and halved there."""
    outside = (position < s.lower) | (position > s.upper)
    return np.clip(position, s.lower, s.upper), np.where(outside, -0.5 * velocity, velocity)


def iterate(state, fun, draws):
    s = copied(state)
    count, before = s.count, s.own_best
    if s.fresh:
        trial, step = begin(s, draws)
    else:
        step = np.array([VARIANTS[s.variant](s, draws, i) for i in range(count)])
        moved = [stopped(s, s.position[i] + step[i], step[i]) for i in range(count)]
        trial = np.array([rounded(s, point) for point, _ in moved])
        step = np.array([velocity for _, velocity in moved])
    evaluate(s, fun, trial)
    s.position[:count], s.velocity[:count], s.step = trial, step, step
    for i in range(count):
        waited = 0 if s.idle[i] >= GAP else s.idle[i]  # it has new exemplars
        s.idle[i] = GAP if s.fresh else (0 if s.trial_f[i] < s.f[i] else waited + 1)
        if s.trial_f[i] <= s.f[i]:
            s.x[i], s.f[i] = trial[i], s.trial_f[i]
    s.best_row = int(np.argmin(s.f))
    improved = s.f.min() < before
    renew(s)
    if s.fresh or not improved:
        s.links = s.iteration + 1
    return close(s, [s.spread, 0.0])


def start(dimension):
    """What a run begins with: S = 40 particles, the default variant; CLPSO never begins anew for want of better."""
    few = dimension <= 10
    return {
        "size": 40, "fresh": True, "links": 1, "variant": "spso2011" if few else "clpso",
        "longest": 100 + 10 * dimension if few else 2**62 - 1,
    }  # fmt: skip
