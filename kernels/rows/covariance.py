"""The search distribution of CMA-ES: sampled, and adapted to the ranks of what was sampled.

Equations and table 1 as in Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772v2. A coordinate has its own
unit `scale`, in which the covariance matrix C begins as the identity. C may be a diagonal, of O(D) time and memory a
row (sep-CMA: Ros and Hansen, PPSN 2008): nothing is turned then, so B = I, and D numbers are learnt faster than D^2.
Fields of a state, beside those of population.py:
    mean       (D,)    m, in the space that is folded into the box (bounds.py)
    scale      (D,)    the unit of each variable; that of a whole-numbered one widens (whole_numbers.py)
    margin     (2, D)  of the box
    covariance (D, D)  C, its lower triangle; (1, D) where it is a diagonal
    axes       (D, D)  B', an eigenvector of C in each row; (0, D) there
    lengths    (D,)    the diagonal of D: roots of the eigenvalues
    path_sigma, path_c (D,)  the evolution paths
    weight     (P,)    w by rank
    step       (P, D)  y = B D z of each row
    squared    (P,)    |z|^2 of each row
    order      (P,)    rows from best to worst
    work       (D + 3, D)  room within a generation; (3, D) there
    own                the scalars of SCALARS
"""

import numpy as np

from ..calling.arguments import copy_array, row
from ..compile.jit import inlined, part
from ..compile.structures import record
from ..numbers.elementary import exp, log
from ..numbers.linear_algebra import dot, eigensystem, sum_rows
from ..numbers.random import normal, row_key
from .bounds import FAR, FAR_MEAN, into_box, nearby
from .whole_numbers import into_whole_box

SCALARS = record(
    separable="i8",  # 1: C is a diagonal
    generation="i8",  # g, of this distribution
    decomposed="i8",  # the generation of which axes and lengths are
    parents="i8",  # mu: how many weights are positive
    sigma="f8",  # the step size
    mu_eff="f8", c_sigma="f8", d_sigma="f8", c_c="f8", c_1="f8", c_mu="f8",
    total="f8",  # the sum of all weights
    chi="f8",  # E|N(0, I)|
)  # fmt: skip
LAZY = 0.5  # decompose every 0.5 / (D (c_1 + c_mu)) generations, as N. Hansen's purecma does
MOST = 1.0  # growth of ln(sigma) in a generation, as in pycma
CONDITION = 1e7  # longest over shortest axis beyond which rounding prevails (appendix B.3: 1e14 of C)


@inlined
def set_constants(state, population):
    """Weights and learning rates for so many rows (table 1)."""
    own, weight, n = state.own[0], state.weight, state.mean.size
    gain, gain2, loss, loss2, parents = 0.0, 0.0, 0.0, 0.0, 0
    for i in range(population):
        w = log(0.5 * (population + 1.0)) - log(i + 1.0)  # eq. 49
        weight[i] = w
        if w > 0.0:
            gain, gain2, parents = gain + w, gain2 + w * w, parents + 1
        else:
            loss, loss2 = loss - w, loss2 + w * w
    mu_eff, loss_eff = gain * gain / gain2, loss * loss / loss2
    own.c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0)  # eq. 55
    own.d_sigma = 1.0 + 2.0 * max(0.0, np.sqrt((mu_eff - 1.0) / (n + 1.0)) - 1.0) + own.c_sigma
    own.c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n)  # eq. 56
    own.c_1 = 2.0 / ((n + 1.3) ** 2 + mu_eff)  # eq. 57
    own.c_mu = 2.0 * (0.25 + mu_eff + 1.0 / mu_eff - 2.0) / ((n + 2.0) ** 2 + mu_eff)  # eq. 58
    if own.separable == 1:
        own.c_1 *= (n + 2.0) / 3.0  # Ros and Hansen
        own.c_mu *= (n + 2.0) / 3.0
        own.c_c = (1.0 + (1.0 + mu_eff) / n) / (np.sqrt(n) + (1.0 + 2.0 * mu_eff) / n)  # pycma: a path as fast as that
    own.c_mu = min(1.0 - own.c_1, own.c_mu)
    own.chi = np.sqrt(n) * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n))
    negative = min(1.0 + own.c_1 / own.c_mu, 1.0 + 2.0 * loss_eff / (mu_eff + 2.0))  # eq. 50, 51
    negative = min(negative, (1.0 - own.c_1 - own.c_mu) / (n * own.c_mu))  # eq. 52
    for i in range(population):
        weight[i] *= 1.0 / gain if weight[i] > 0.0 else negative / loss  # eq. 53
    own.mu_eff, own.parents, own.total = mu_eff, parents, 1.0 - negative


@inlined
def reset(state, population, sigma):
    """A distribution of this step size that has learnt nothing, for so many rows; the mean stays."""
    n, own = state.mean.size, state.own[0]
    set_constants(state, population)
    own.generation, own.decomposed, own.sigma = 0, 0, sigma
    for i in range(n):
        state.lengths[i] = 1.0
        state.path_sigma[i] = state.path_c[i] = 0.0
    set_to_identity(state.covariance)
    set_to_identity(state.axes)


@inlined
def set_to_identity(matrix):
    """The identity; a matrix of one row is a diagonal."""
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            matrix[i, j] = 1.0 if i == j or matrix.shape[0] == 1 else 0.0


# --- sampling ----------------------------------------------------------------------------------------------------


@inlined
def draw_numbers(generation, start, stop, trial):
    """trial: standard normal numbers, for the rows [start, stop)."""
    for i in range(start, stop):
        key = row_key(generation, i)
        for j in range(trial.shape[1]):
            trial[i, j] = normal(key, j)


@inlined
def sample_row(i, state):
    """From z in trial to y = B D z in step, and x = m + sigma y in trial (eq. 38 to 40).

    What is learnt of a point far outside the box is the step to its image, as of an injected point (Hansen,
    arXiv:1110.4181)."""
    box, mean, scale, margin = state.box, state.mean, state.scale, state.margin
    z, y, n, sigma = row(state.trial, i), row(state.step, i), state.mean.size, state.own[0].sigma
    state.squared[i] = dot(z, z, n)
    for j in range(n):
        z[j] *= state.lengths[j]
    turn(state, z, y)
    far = False
    for j in range(n):
        point, low, high = mean[j] + sigma * scale[j] * y[j], box.lower[j], box.upper[j]
        if box.integer[j] > 0.0:
            z[j] = into_whole_box(point, low, high)
        else:
            z[j] = into_box(point, low, high, margin[0, j], margin[1, j])
            image = nearby(point, low, high, margin[0, j], margin[1, j], FAR)
            if image != point:
                y[j], far = (image - mean[j]) / (sigma * scale[j]), True
    if far:
        shorten(i, state)


@part
def shorten(i, state):
    """The step of row i, which goes to an image now, becomes no longer by C than it was drawn."""
    y, n, drawn, length2 = row(state.step, i), state.mean.size, state.squared[i], 0.0
    for k in range(n):
        along = y[k] if state.own[0].separable == 1 else dot(row(state.axes, k), y, n)
        length2 += (along / state.lengths[k]) ** 2
    if length2 > drawn:
        factor = np.sqrt(drawn / length2)
        for j in range(n):
            y[j] *= factor
    state.squared[i] = min(length2, drawn)


@inlined
def turn(state, x, out):
    """B x"""
    if state.own[0].separable == 1:
        copy_array(out, x)
    else:
        sum_rows(x, state.axes, x.size, out)


@inlined
def turn_back(state, x, out):
    """B' x"""
    if state.own[0].separable == 1:
        copy_array(out, x)
    else:
        for k in range(x.size):
            out[k] = dot(row(state.axes, k), x, x.size)


# --- learning ----------------------------------------------------------------------------------------------------


@inlined
def move(state):
    """The mean, the paths and the step size (eq. 41 to 45). Returns h_sigma."""
    own, mean, path_sigma, n = state.own[0], state.mean, state.path_sigma, state.mean.size
    box, margin = state.box, state.margin
    shift, inside, white = row(state.work, 0), row(state.work, 1), row(state.work, 2)
    for j in range(n):
        shift[j] = 0.0
    for k in range(own.parents):
        w, i = state.weight[k], state.order[k]
        for j in range(n):
            shift[j] += w * state.step[i, j]
    turn_back(state, shift, inside)
    for k in range(n):
        inside[k] /= state.lengths[k]
    turn(state, inside, white)  # C^(-1/2) <y>
    gain = np.sqrt(own.c_sigma * (2.0 - own.c_sigma) * own.mu_eff)
    for j in range(n):
        mean[j] += own.sigma * state.scale[j] * shift[j]
        if box.integer[j] == 0.0:
            mean[j] = nearby(mean[j], box.lower[j], box.upper[j], margin[0, j], margin[1, j], FAR_MEAN)
        path_sigma[j] = (1.0 - own.c_sigma) * path_sigma[j] + gain * white[j]
    own.generation += 1
    length = np.sqrt(dot(path_sigma, path_sigma, n)) / own.chi
    begun = np.sqrt(1.0 - exp(2.0 * own.generation * log(1.0 - own.c_sigma)))
    h_sigma = 1.0 if length < (1.4 + 2.0 / (n + 1.0)) * begun else 0.0
    gain = h_sigma * np.sqrt(own.c_c * (2.0 - own.c_c) * own.mu_eff)
    for j in range(n):
        state.path_c[j] = (1.0 - own.c_c) * state.path_c[j] + gain * shift[j]
    own.sigma *= exp(min(own.c_sigma / own.d_sigma * (length - 1.0), MOST))
    return h_sigma


@inlined
def learn_covariance(state, h_sigma):
    """The rank-one and the rank-mu update, with weights below 0 for the worse half (eq. 46, 47)."""
    own = state.own[0]
    kept = 1.0 + own.c_1 * (1.0 - h_sigma) * own.c_c * (2.0 - own.c_c) - own.c_1 - own.c_mu * own.total
    if own.separable == 1:
        learn_diagonal(state, kept)
    else:
        learn_matrix(state, kept)


@inlined
def learn_diagonal(state, kept):
    variance, path, n, c_1 = row(state.covariance, 0), state.path_c, state.mean.size, state.own[0].c_1
    for j in range(n):
        variance[j] = kept * variance[j] + c_1 * path[j] * path[j]
    for k in range(state.rows[0].live):
        i, w = ranked(state, k)
        for j in range(n):
            variance[j] += w * state.step[i, j] * state.step[i, j]


@inlined
def learn_matrix(state, kept):
    """By four rows."""
    own, covariance, path, step, n = state.own[0], state.covariance, state.path_c, state.step, state.mean.size
    for i in range(n):
        factor = own.c_1 * path[i]
        for j in range(i + 1):
            covariance[i, j] = kept * covariance[i, j] + factor * path[j]
    for k in range(0, state.rows[0].live, 4):
        a, wa = ranked(state, k)
        b, wb = ranked(state, k + 1)
        c, wc = ranked(state, k + 2)
        d, wd = ranked(state, k + 3)
        for i in range(n):
            fa, fb, fc, fd = wa * step[a, i], wb * step[b, i], wc * step[c, i], wd * step[d, i]
            for j in range(i + 1):
                first = fa * step[a, j] + fb * step[b, j]
                covariance[i, j] += first + (fc * step[c, j] + fd * step[d, j])


@inlined
def ranked(state, k):
    """The row of rank k and c_mu w of it, which is 0 beyond the last; below 0 a step counts as if sqrt(D) long."""
    if k >= state.rows[0].live:
        return 0, 0.0
    row, w = state.order[k], state.own[0].c_mu * state.weight[k]
    return row, w if w >= 0.0 else w * state.mean.size / (state.squared[row] + 1e-300)


@inlined
def decompose(state):
    """axes and lengths of C, when it is time. False: C is no longer a covariance matrix that can be worked with."""
    own, lengths, n = state.own[0], state.lengths, state.mean.size
    if own.separable == 0 and own.generation - own.decomposed <= LAZY / (n * (own.c_1 + own.c_mu)):
        return True
    own.decomposed, sound = own.generation, True
    if own.separable == 1:
        copy_array(lengths, row(state.covariance, 0))
    else:
        sound = eigensystem(state.covariance, lengths, state.axes, state.work)
    smallest, largest = np.inf, 0.0
    for j in range(n):
        sound = sound and lengths[j] > 0.0
        lengths[j] = np.sqrt(lengths[j])
        smallest, largest = min(smallest, lengths[j]), max(largest, lengths[j])
    return sound and largest <= CONDITION * smallest
