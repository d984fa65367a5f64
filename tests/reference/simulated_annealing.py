"""Simulated annealing: one move after Kirkpatrick, Gelatt and Vecchi (1983), in plain Python, with four schedules.

Temperatures, of number k = 0, 1, ...: geometric T_0 r^k (Kirkpatrick et al.); linear T_0 (1 - k / K); logarithmic
c / ln(1 + k) from k = 1 on (Geman and Geman 1984), T_0 being its first; Cauchy's T_0 / (1 + k) (Szu and Hartley 1987).
T_0 is where rises like those of the first moves are accepted with probability 0.8 (Johnson et al. 1989); the first
moves themselves are all accepted. A move changes one coordinate, as in Corana et al. (1987).

Steps are in units of the box's width. Normal ones (logarithmic) have a width of sqrt(T), Cauchy's of T, as their
distributions have; of the others, uniform in [-1, 1), the logarithm of the width follows the share of accepted moves to
0.44 (Roberts, Gelman and Gilks 1997) by steps of 0.05 times the difference, up to the whole box.

Conventions of the engine: what leaves the box is mirrored at the lower bound, then at the upper one, and what is still
outside goes to the bound; a whole number that a step leaves unchanged goes to a neighbour instead.

variant "corana", as Corana, Marchesi, Martini and Ridella wrote it: coordinates in turn, each with a width of its own,
which after N_S = 20 moves of each is multiplied by 1 + 2 (a - 0.6) / 0.4 where a share a > 0.6 was accepted, divided by
1 + 2 (0.4 - a) / 0.4 where a < 0.4; a new temperature begins at the best point.

The state has variant, widths, taken (accepted moves of each coordinate), turn (the next coordinate); x, f, schedule,
first (T_0; 0: not known yet), temperature, ratio, step, width, level (k), last_level (K), moves (at each temperature),
left (of these), trials (moves until T_0 is known), rises (their sum), risen (their number).
"""

import math

import numpy as np

from .common import begin, close, in_box, value_at

WHERE, HOW_FAR, ACCEPTS, SIDE, PARTNER = range(5)  # slots of the random numbers; they belong to no row
UPHILL = 0.8


def temperature(s, k):
    """The k-th temperature."""
    return {
        "geometric": lambda: s.first * s.ratio**k,
        "linear": lambda: s.first * max(1 - k / s.last_level, 0),
        "logarithmic": lambda: s.first * math.log(2) / math.log(1 + (k + 1)),
        "cauchy": lambda: s.first / (1 + k),
    }[s.schedule]()


def width(s, k):
    """How wide steps are at the k-th temperature, where that decides."""
    cooled = temperature(s, k) / s.first
    return s.step * {"cauchy": cooled, "logarithmic": math.sqrt(cooled)}[s.schedule]


def adapt_width(s, accepted):
    s.width = min(math.exp(math.log(s.width) + 0.05 * (float(accepted) - 0.44)), 1.0)


def drawn_step(s, draws):
    if s.schedule == "cauchy":
        return draws.cauchy(None, HOW_FAR)
    if s.schedule == "logarithmic":
        return draws.normal(None, HOW_FAR)
    return 2 * draws.uniform(None, HOW_FAR) - 1


def mirrored(value, low, high):
    if value < low:
        value = low + (low - value)
    if value > high:
        value = high - (value - high)
    return min(max(value, low), high)


def neighbour(s, draws, x, low, high):
    """The next whole number, up or down; there is one, or else x alone."""
    up, down = x + 1, x - 1
    wanted, other = (up, down) if draws.uniform(None, SIDE) < 0.5 else (down, up)
    wanted = wanted if low <= wanted <= high else other
    return min(max(wanted, low), high)


def candidate(s, draws):
    """x with one of its coordinates moved."""
    corana = s.variant == "corana"
    j = s.turn if corana else draws.integer(None, WHERE, len(s.x))
    low, high = s.lower[j], s.upper[j]
    width = s.widths[j] if corana else s.width
    moved = mirrored(s.x[j] + width * (high - low) * drawn_step(s, draws), low, high)
    if s.whole[j]:
        moved = math.floor(moved + 0.5)
        if moved == s.x[j]:
            moved = neighbour(s, draws, s.x[j], low, high)
    point = s.x.copy()
    point[j] = moved
    return with_partners(s, draws, None, s.x, point, j, width)


def with_partners(s, draws, i, x, point, j, width):
    """Beside a whole number, another one changes with probability 3/4, and after each a further one with 1/4."""
    for number in range(len(x) - 1 if s.whole[j] else 0):
        slot = PARTNER + 4 * number
        if draws.uniform(i, slot + 1) >= (0.25 if number else 0.75):
            break
        k = draws.integer(i, slot, len(x))
        if not s.whole[k] or k == j:
            continue
        low, high = s.lower[k], s.upper[k]
        moved = x[k] + width * (high - low) * (2 * draws.uniform(i, slot + 2) - 1)
        moved = math.floor(mirrored(moved, low, high) + 0.5)
        if moved == x[k]:
            sides = (1, -1) if draws.uniform(i, slot + 3) < 0.5 else (-1, 1)
            moved = next((x[k] + side for side in sides if low <= x[k] + side <= high), x[k])
        point[k] = moved
    return point


def metropolis(rise, temperature, u):
    """Whether a move is accepted: always where it does not rise, else with probability exp(-rise / T)."""
    return rise <= 0 or (temperature > 0 and u < math.exp(-rise / temperature))


def explore(s, point, value):
    """A move before T_0 is known: accepted unless it ends at inf; its rise is counted."""
    rise = value - s.f if value < np.inf else np.inf
    if 0 < rise < np.inf:
        s.rises, s.risen = s.rises + rise, s.risen + 1
    if value <= s.f or rise < np.inf:
        s.x, s.f = point, value
    if s.iteration == s.trials:
        mean = s.rises / s.risen if s.risen else 1.0
        s.first = s.temperature = mean / math.log(1 / UPHILL)


def corana(s, accepted):
    """After a move: the widths, and at the end of a temperature the return to the best point."""
    s.taken = s.taken.copy()
    s.taken[s.turn] += accepted
    s.turn = (s.turn + 1) % len(s.x)
    if (s.moves - s.left + 1) % (20 * len(s.x)) == 0:
        a = s.taken / 20
        wider, narrower = 1 + 2 * (a - 0.6) / 0.4, 1 + 2 * (0.4 - a) / 0.4
        s.widths = np.minimum(np.where(a > 0.6, s.widths * wider, np.where(a < 0.4, s.widths / narrower, s.widths)), 1)
        s.taken = np.zeros_like(s.taken)
    if s.left == 1:
        s.x, s.f = s.best_x, s.best


def anneal(s, draws, point, value):
    rise = 0.0 if value == s.f else value - s.f  # also where both are inf
    accepted = metropolis(rise, s.temperature, draws.uniform(None, ACCEPTS))
    if accepted:
        s.x, s.f = point, value
    follows_acceptance = s.schedule in ("geometric", "linear")
    if s.variant == "corana":
        corana(s, accepted)
    elif follows_acceptance:
        adapt_width(s, accepted)
    s.left -= 1
    if s.left == 0:
        s.level, s.left = s.level + 1, s.moves
        s.temperature = temperature(s, s.level)
        if not follows_acceptance:
            s.width = width(s, s.level)


def iterate(state, fun, draws):
    s = begin(state)
    if s.iteration == 0:
        s.x = np.array(s.given[0]) if len(s.given) else in_box(s, draws.uniforms(None, 0, len(s.lower)))
        s.f = value_at(s, fun, s.x)
        return close(s)
    point = candidate(s, draws)
    value = value_at(s, fun, point)
    if s.iteration <= s.trials:
        explore(s, point, value)
    else:
        anneal(s, draws, point, value)
    return close(s)


def start(dimension):
    """What a run of 10,000 D evaluations begins with; its last temperature is 1e-8 of the first."""
    trials = 10 * dimension + 10
    levels = (10_000 * dimension - trials - 1) // dimension
    return {
        "schedule": "geometric", "first": 0.0, "temperature": 0.0, "step": 0.2, "width": 0.2, "moves": dimension,
        "left": dimension, "level": 0, "last_level": levels, "trials": trials, "ratio": 1e-8 ** (1 / levels),
        "rises": 0.0, "risen": 0,
    }  # fmt: skip
