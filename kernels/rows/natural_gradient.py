"""The search distribution of CR-FM-NES: a covariance matrix of 2 D numbers, adapted along its natural gradient.

Nomura and Ono, Fast moving natural evolution strategy for high-dimensional problems, CEC 2022; the natural gradient of
this family of matrices after Akimoto, Auger and Hansen (VD-CMA), GECCO 2014. Points are
    x = m + sigma D (z + (sqrt(1 + |v|^2) - 1) u u'z),   u = v / |v|,   z and -z in pairs,
so that their covariance is sigma^2 D (I + v v') D. Fields of a state, beside those of population.py:
    mean       (D,)    m, in the space that is folded into the box (bounds.py)
    scale      (D,)    the unit of each variable
    margin     (2, D)  of the box
    stretch    (D,)    D, whose determinant with v is kept at 1
    v          (D,)
    path_sigma, path_c (D,)  the evolution paths
    rank_weight (P,)   w-hat of the paper, by rank
    weight     (P,)    of each row, in this generation
    step       (P, D)  z of each row
    along      (P,)    u'z
    order      (P,)    rows from best to worst
    work       (2, D)  room within a generation
    own                the scalars of SCALARS
"""

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..compile.structures import record
from ..numbers.elementary import exp, log, tanh
from ..numbers.linear_algebra import dot
from ..numbers.random import normal, row_key
from .bounds import into_box

SCALARS = record(
    sigma="f8",  # the step size
    first="f8",  # sigma at the beginning
    mu_eff="f8", c_sigma="f8", c_c="f8", c_1="f8",
    distance="f8",  # h^-1 min(1, sqrt(lambda / D)), of the weights by distance
    chi="f8",  # E|N(0, I)|
    calm="i8",  # generations one after another in which all values agreed
)  # fmt: skip


def distance_constant(dimension: int) -> float:
    """h^-1, the a > 0 with (1 + a^2) exp(a^2 / 2) / 0.24 = 10 + D, by Newton's steps from above."""
    a = 6.0 if dimension < 10**8 else 9.0
    for _ in range(60):
        grown = np.exp(0.5 * a * a) / 0.24
        a -= ((1.0 + a * a) * grown - 10.0 - dimension) / (a * (3.0 + a * a) * grown)
    return a


def constants(dimension: int, population: int) -> tuple[np.ndarray, dict]:
    """w-hat by rank, and what does not change during a run (table 1)."""
    n = dimension
    weight = np.maximum(0.0, np.log(0.5 * population + 1.0) - np.log(np.arange(1, population + 1)))
    mu_eff = weight.sum() ** 2 / (weight**2).sum()
    c_1 = 2.0 / ((n + 1.3) ** 2 + mu_eff)
    return weight, {
        "mu_eff": mu_eff,
        "c_sigma": (mu_eff + 2.0) / (n + mu_eff + 5.0),
        "c_c": (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n),
        "c_1": c_1 * max(n - 5.0, 0.0) / 6.0,  # ours: not below 0, for few variables
        "distance": distance_constant(n) * min(1.0, np.sqrt(population / n)),
        "chi": np.sqrt(n) * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
    }


# --- sampling ----------------------------------------------------------------------------------------------------


@inlined
def draw_numbers(generation, start, stop, population, trial):
    """trial: standard normal numbers; the second half of the rows has those of the first with the other sign."""
    half = population // 2
    for i in range(start, stop):
        key, sign = row_key(generation, i % half), 1.0 if i < half else -1.0
        for j in range(trial.shape[1]):
            trial[i, j] = sign * normal(key, j)


@inlined
def sample_row(i, state):
    """From z in trial to z in step, and x in trial."""
    box, v, margin, n, sigma = state.box, state.v, state.margin, state.mean.size, state.own[0].sigma
    x, z = row(state.trial, i), row(state.step, i)
    length = np.sqrt(dot(v, v, n))
    along = dot(v, x, n) / length
    state.along[i] = along
    share = (np.sqrt(1.0 + length * length) - 1.0) * along / length
    for j in range(n):
        z[j] = x[j]
        point = state.mean[j] + sigma * state.scale[j] * state.stretch[j] * (z[j] + share * v[j])
        x[j] = into_box(point, box.lower[j], box.upper[j], margin[0, j], margin[1, j])


# --- learning ----------------------------------------------------------------------------------------------------


@inlined
def weigh(state, feasible):
    """The path of the step size by ranks; weights by rank and, while that path is long, by distance. Returns the path's
    length and the sum of (|z|^2 - D) w / D."""
    own, population, n, path = state.own[0], state.rows[0].live, state.mean.size, state.path_sigma
    mean_z = row(state.work, 0)
    total = 0.0
    for k in range(population):
        total += state.rank_weight[k]
    for j in range(n):
        mean_z[j] = 0.0
    for k in range(population):
        i = state.order[k]
        w = state.rank_weight[k] / total - 1.0 / population
        state.weight[i] = w
        for j in range(n):
            mean_z[j] += w * state.step[i, j]
    gain = np.sqrt(own.c_sigma * (2.0 - own.c_sigma) * own.mu_eff)
    for j in range(n):
        path[j] = (1.0 - own.c_sigma) * path[j] + gain * mean_z[j]
    length = np.sqrt(dot(path, path, n))
    if length >= own.chi:
        alpha, total = own.distance * np.sqrt(feasible / population), 0.0
        for k in range(population):
            i = state.order[k]
            z = row(state.step, i)
            state.weight[i] = state.rank_weight[k] * exp(alpha * (np.sqrt(dot(z, z, n)) - own.chi))
            total += state.weight[i]
        for i in range(population):
            state.weight[i] = state.weight[i] / total - 1.0 / population
    growth = 0.0
    for i in range(population):
        z = row(state.step, i)
        growth += state.weight[i] * (dot(z, z, n) - n)
    return length, growth / n


@inlined
def rate_of_sigma(length, chi, feasible, n):
    """eta_sigma: while the mean moves, stagnates, or converges."""
    if length >= chi:
        return 1.0
    if length >= 0.1 * chi:
        return tanh((0.024 * feasible + 0.7 * n + 20.0) / (n + 12.0))
    return 2.0 * tanh((0.025 * feasible + 0.75 * n + 10.0) / (n + 4.0))


@part
def learn(state, feasible):
    """A generation teaches, whose rows are ranked; so many of them have a finite value."""
    own, n, v, stretch = state.own[0], state.mean.size, state.v, state.stretch
    length, growth = weigh(state, feasible)
    norm2 = dot(v, v, n)
    root = np.sqrt(1.0 + norm2)
    squares, products = row(state.work, 0), row(state.work, 1)
    rate = tanh((min(0.02 * feasible, 3.0 * log(n)) + 5.0) / (0.23 * n + 25.0))  # eta_B
    total, total_along = move(state, np.sqrt(norm2), root, rate)
    rate_c = own.c_1 * feasible / state.rows[0].live
    along = 0.0
    for j in range(n):
        along += v[j] * state.path_c[j] / stretch[j]
    along /= np.sqrt(norm2)
    for j in range(n):  # the path counts as one more y
        y = state.path_c[j] / stretch[j]
        squares[j] += rate_c * y * y
        products[j] += rate_c * along * y
    follow_gradient(state, norm2, total + rate_c, total_along + rate_c * along * along)
    own.sigma *= exp(0.5 * rate_of_sigma(length, own.chi, feasible, n) * growth)


@inlined
def move(state, norm, root, rate):
    """The mean and path_c; in work the sums of w y^2 and of w (u'y) y. Returns the sums of w and of w (u'y)^2."""
    own, n, v, stretch = state.own[0], state.mean.size, state.v, state.stretch
    squares, products = row(state.work, 0), row(state.work, 1)
    gain = np.sqrt(own.c_c * (2.0 - own.c_c) * own.mu_eff)
    total, total_along = 0.0, 0.0
    for j in range(n):
        squares[j], products[j] = 0.0, 0.0
        state.path_c[j] *= 1.0 - own.c_c
    for i in range(state.rows[0].live):
        w, along = state.weight[i], state.along[i] * root
        share = (root - 1.0) * state.along[i] / norm
        total += rate * w
        total_along += rate * w * along * along
        for j in range(n):
            y = state.step[i, j] + share * v[j]
            squares[j] += rate * w * y * y
            products[j] += rate * w * along * y
            state.mean[j] += own.sigma * state.scale[j] * stretch[j] * w * y
            state.path_c[j] += gain * stretch[j] * w * y
    return total, total_along


@inlined
def follow_gradient(state, norm2, total, total_along):
    """v and stretch (D) along the natural gradient: s and t of the paper, which are linear in the weights."""
    n, v, stretch = state.mean.size, state.v, state.stretch
    s, t = row(state.work, 0), row(state.work, 1)
    norm, gamma, largest = np.sqrt(norm2), 1.0 + norm2, 0.0
    for j in range(n):
        largest = max(largest, v[j] * v[j] / norm2)
    alpha = min(1.0, np.sqrt(norm2 * norm2 + (2.0 * gamma - np.sqrt(gamma)) / largest) / (2.0 + norm2))
    b = -(1.0 - alpha * alpha) * norm2 * norm2 / gamma + 2.0 * alpha * alpha
    u_t = 0.0
    for j in range(n):
        u = v[j] / norm
        s[j] += -norm2 / gamma * u * t[j] - total
        t[j] -= 0.5 * u * (total_along + gamma * total)
        u_t += u * t[j]
    u_h_u, s_h_u = 0.0, 0.0
    for j in range(n):
        u = v[j] / norm
        s[j] -= alpha / gamma * ((2.0 + norm2) * t[j] * u - norm2 * u * u * u_t)
        h = 2.0 - (b + 2.0 * alpha * alpha) * u * u
        u_h_u += u * u * u * u / h
        s_h_u += s[j] * u * u / h
    u_s = 0.0
    for j in range(n):
        u = v[j] / norm
        h = 2.0 - (b + 2.0 * alpha * alpha) * u * u
        s[j] = (s[j] - b / (1.0 + b * u_h_u) * u * u * s_h_u) / h
        u_s += s[j] * u * u
    logs, new_norm2 = 0.0, 0.0
    for j in range(n):
        u = v[j] / norm
        t[j] -= alpha * ((2.0 + norm2) * s[j] * u - u * u_s)
        v[j] += t[j] / norm
        stretch[j] += s[j] * stretch[j]
        logs += log(stretch[j])
        new_norm2 += v[j] * v[j]
    root = exp(logs / n + log(1.0 + new_norm2) / (2.0 * n))
    for j in range(n):
        stretch[j] /= root
