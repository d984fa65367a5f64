"""Whole-numbered variables of CMA-ES: rounded when sampled, and kept from dying out (the margin).

Hamano, Saito, Nomura and Shirakawa, CMA-ES with margin: lower-bounding marginal probability for mixed-integer black-box
optimization, GECCO 2022, section 4.2. Where the deviation of a variable falls far below 1, all samples round to one
number, and nothing more is learnt. So no neighbouring number may become less likely than alpha = 1 / (lambda D), the
margin: the mean moves, and the variable's own unit widens (A of the paper, which is a part of `scale` here). Bounds are
ours: were samples beyond them cut off, the corners would draw the mean out of the box and the steps up to any length.
"""

import math

import numpy as np

from ..compile.jit import inlined, part
from ..numbers.elementary import exp, log
from ..numbers.linear_algebra import on_diagonal
from .bounds import mirrored

SQRT_2, SQRT_2_PI = 1.4142135623730951, 2.5066282746310002


@inlined
def nearest(y, lower, upper):
    """The whole number of [lower, upper] that y rounds to."""
    x = np.floor(y + 0.5)
    x = x if x >= lower else lower  # what is no number, too
    return x if x <= upper else upper


@inlined
def into_whole_box(y, lower, upper):
    """The whole number that y stands for: space is mirrored half a step outside of the box, as often as it takes."""
    low, high = lower - 0.5, upper + 0.5
    return nearest(mirrored(y, low, high) if y < low or y > high else y, lower, upper)


@inlined
def tail(t):
    """The probability that a standard normal number is above t."""
    return 0.5 * math.erfc(t / SQRT_2)


@part
def reach(probability):
    """The t >= 0 with tail(t) = probability, which lies in (0, 0.5]."""
    r = np.sqrt(-2.0 * log(probability))  # Abramowitz and Stegun 26.2.23, to 4.5e-4; then Halley's steps, cubic
    t = r - (2.515517 + r * (0.802853 + r * 0.010328)) / (1.0 + r * (1.432788 + r * (0.189269 + r * 0.001308)))
    for _ in range(2):
        step = (tail(t) - probability) * SQRT_2_PI * exp(0.5 * t * t)
        t += step / (1.0 - 0.5 * t * step)
    return max(t, 0.0)


@inlined
def unit(lower, upper):
    """In which a variable is measured before anything is learnt: the width of its box, else 1."""
    width = upper - lower
    return width if width < np.inf else 1.0


@part
def keep_margin(mean, scale, covariance, box, sigma, population):
    """Means and units of the whole-numbered variables, so that each neighbour keeps its least probability."""
    n = mean.size
    alpha = 1.0 / (population * n)
    for j in range(n):
        low, high = box.lower[j], box.upper[j]
        deviation = sigma * scale[j] * np.sqrt(on_diagonal(covariance, j))
        if box.integer[j] > 0.0 and deviation > 0.0:  # 0: it has one value
            mean[j] = min(max(mean[j], low - 0.5), high + 0.5)
            at = nearest(mean[j], low, high)
            if at == low or at == high:  # eq. 16: one neighbour, within reach
                border = low + 0.5 if at == low else high - 0.5
                most = reach(alpha) * deviation
                mean[j] = min(max(mean[j], border - most), border + most)
            else:
                keep_both(j, at, mean, scale, deviation, alpha)


@inlined
def keep_both(j, at, mean, scale, deviation, alpha):
    """A neighbour on each side: at least alpha / 2 for each; the others give what that takes (eq. 20 to 25)."""
    below, above, least = tail((mean[j] - (at - 0.5)) / deviation), tail((at + 0.5 - mean[j]) / deviation), 0.5 * alpha
    if below < least or above < least:
        middle = 1.0 - below - above
        below, above = max(below, least), max(above, least)
        share = (1.0 - below - above - middle) / (below + above + middle - 3.0 * least)
        left, right = reach(below + share * (below - least)), reach(above + share * (above - least))
        scale[j] /= deviation * (left + right)
        mean[j] = at - 0.5 + left / (left + right)
