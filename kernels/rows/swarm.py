"""Particle swarms: how a particle moves in three variants, and what all of them share.

Fields of a state, beside those of population.py and renewal.py:
    x, f       (P, D), (P,)  the best point that each particle has found, and its value
    position   (P, D)        where the particles are
    velocity   (P, D)        how they came there
    step       (P, D)        the velocities of this generation's candidates
    exemplar   (P, D)        CLPSO: the particle from whose best point a coordinate is learnt
    idle       (P,)          CLPSO: generations since a particle's best improved; GAP: it learns from others now
    own        the scalars of SCALARS
"""

import numpy as np

from ..compile.jit import inlined
from ..compile.structures import record
from ..numbers.elementary import exp, log
from ..numbers.random import generation_key, integer, integer_except, normal, row_key, run_key, uniform
from ..run import progress
from . import population

SPSO2011, CLPSO, INERTIA = 0, 1, 2
SCALARS = record(
    variant="i8",
    inertia="f8",  # w
    cognitive="f8",  # c1
    social="f8",  # c2
    links="i8",  # SPSO: the generation in which it was drawn who informs whom
    apart="f8",  # SPSO: log of the probability that one particle does not inform another
)
GAP = 7  # m of CLPSO
FASTEST = 0.2  # CLPSO: the first velocities, at most, as a share of the box


@inlined
def start_row(i, state):
    """A new particle: a point of the box and its first velocity."""
    population.sample_row(i, state)
    key, box, variant = population.row_of(i, state), state.box, state.own[0].variant
    n = state.trial.shape[1]
    for j in range(n):
        low, high, u = box.lower[j], box.upper[j], uniform(key, n + j)
        if variant == SPSO2011:  # towards any point of the box
            state.step[i, j] = low + u * (high - low) - state.trial[i, j]
        elif variant == CLPSO:
            state.step[i, j] = (2.0 * u - 1.0) * FASTEST * (high - low)
        else:
            state.step[i, j] = 0.0


@inlined
def move(i, j, step, state):
    """trial[i, j]: the position after a step. A bound stops a particle and throws it half as fast back (SPSO, 2.4)."""
    low, high = state.box.lower[j], state.box.upper[j]
    there = state.position[i, j] + step
    state.step[i, j] = -0.5 * step if there < low or there > high else step
    state.trial[i, j] = min(max(there, low), high)


@inlined
def keep_row(i, state):
    """The particle is where its candidate was; its best point is the better one."""
    for j in range(state.trial.shape[1]):
        state.position[i, j], state.velocity[i, j] = state.trial[i, j], state.step[i, j]
    improved, survives = state.trial_f[i] < state.f[i], state.trial_f[i] <= state.f[i]
    before = 0 if state.idle[i] >= GAP else state.idle[i]
    state.idle[i] = GAP if state.life[0].fresh == 1 else (0 if improved else before + 1)
    state.f[i] = state.trial_f[i] if survives else state.f[i]
    population.replace_row(survives, state.trial, i, state.x, i)


# --- SPSO-2011: a random point around the centre of gravity of where it is and of two points beyond the best ------


@inlined
def draw_directions(start, stop, state):
    """trial: standard normal numbers. Of a whole row at once the vector unit makes them."""
    for i in range(start, stop):
        key = population.row_of(i, state)
        for j in range(state.trial.shape[1]):
            state.trial[i, j] = normal(key, j)


@inlined
def best_informant(i, state):
    """The particle with the best point among those that inform particle i; it does so itself.

    Each of the others does with one probability: from one to the next, the gap is distributed geometrically.
    """
    own, now, n = state.own[0], state.run.now[0], state.rows[0].live
    key = row_key(generation_key(run_key(now.seed, now.index), own.links), n + i)
    best, other, k = i, -1, 0
    while True:
        other += 1 + int(log(1.0 - uniform(key, k)) / own.apart)
        if other >= n:
            return best
        best = other if state.f[other] < state.f[best] else best
        k += 1


@inlined
def gravitate_row(i, state):
    """Clerc's eq. 3.9 to 3.12, in a box that is as wide as 1 in every variable; trial[i] holds a random direction."""
    own, box, n = state.own[0], state.box, state.trial.shape[1]
    leader = best_informant(i, state)
    own_pull, pull = own.cognitive / 3.0, own.social / 3.0
    if leader == i:
        own_pull, pull = 0.5 * own.cognitive, 0.0
    square, length = 0.0, 0.0
    for j in range(n):
        at, width = state.position[i, j], box.upper[j] - box.lower[j]
        towards = own_pull * (state.x[i, j] - at) + pull * (state.x[leader, j] - at)  # G - x
        state.step[i, j] = towards
        towards = towards / width if width > 0.0 else 0.0
        square += towards * towards
        length += state.trial[i, j] * state.trial[i, j]
    radius = uniform(population.row_of(i, state), n) * np.sqrt(square / length)
    for j in range(n):
        width = box.upper[j] - box.lower[j]
        drawn = own.inertia * state.velocity[i, j] + radius * width * state.trial[i, j]
        move(i, j, state.step[i, j] + drawn, state)


@inlined
def draw_links(state):
    """Who informs whom is drawn anew where the last generation brought no better point."""
    if state.life[0].fresh == 1 or state.life[0].stall > 0:
        state.own[0].links = state.run.now[0].iteration + 1


# --- CLPSO: every coordinate learns from the best point of one particle ------------------------------------------


@inlined
def learn_from(i, state, key):
    """exemplar[i]: with probability Pc the winner of a tournament of two others, coordinate by coordinate."""
    rows, n = state.rows[0].live, state.trial.shape[1]
    share = 0.05 + 0.45 * (exp(10.0 * i / (rows - 1.0)) - 1.0) / (exp(10.0) - 1.0)  # Pc, eq. 10
    foreign = False
    for j in range(n):
        state.exemplar[i, j], state.step[i, j] = i, uniform(key, n + 3 * j)
    for j in range(n):
        if state.step[i, j] < share:
            one, two = integer_except(key, n + 3 * j + 1, rows, i), integer_except(key, n + 3 * j + 2, rows, i)
            state.exemplar[i, j] = two if state.f[two] < state.f[one] else one
            foreign = True
    if not foreign:
        state.exemplar[i, integer(key, 4 * n, n)] = integer_except(key, 4 * n + 1, rows, i)


@inlined
def choose_exemplars(start, stop, state):
    """step: the coordinates that are learnt from. Ahead of the rows: what was just written is not read at once."""
    for i in range(start, stop):
        if state.idle[i] >= GAP:
            learn_from(i, state, population.row_of(i, state))
        for j in range(state.trial.shape[1]):
            state.step[i, j] = state.x[np.uint64(state.exemplar[i, j]), j]


@inlined
def learn_row(i, state):
    """Eq. 8; the inertia falls from 0.9 to 0.4 over the run."""
    key, own = population.row_of(i, state), state.own[0]
    inertia = 0.9 - 0.5 * progress(state.run)
    for j in range(state.trial.shape[1]):
        towards = state.step[i, j] - state.position[i, j]
        move(i, j, inertia * state.velocity[i, j] + own.cognitive * uniform(key, j) * towards, state)


# --- the textbook's: towards its own best point and the best of all ----------------------------------------------


@inlined
def follow_row(i, state):
    """Shi and Eberhart's eq. 1."""
    key, own, leader, n = population.row_of(i, state), state.own[0], state.rows[0].best, state.trial.shape[1]
    for j in range(n):
        at = state.position[i, j]
        step = (
            own.inertia * state.velocity[i, j]
            + own.cognitive * uniform(key, j) * (state.x[i, j] - at)
            + own.social * uniform(key, n + j) * (state.x[leader, j] - at)
        )
        move(i, j, step, state)
