"""Steps inside a box: how far it is to the bounds, and one-dimensional quadratics along the way.

Coleman and Li, An interior trust region approach for nonlinear minimization subject to bounds, SIAM J. Optim. 6 (1996)
418; Branch, Coleman and Li, A subspace, interior, and conjugate gradient method for large-scale bound-constrained
minimization problems, SIAM J. Sci. Comput. 21 (1999) 1.
"""

import numpy as np

from ..compile.jit import part


@part
def reach(x, s, lower, upper):
    """The largest t with lower <= x + t s <= upper; inf where nothing is in the way."""
    largest = np.inf
    for j in range(x.size):
        if s[j] > 0.0:
            largest = min(largest, (upper[j] - x[j]) / s[j])
        elif s[j] < 0.0:
            largest = min(largest, (lower[j] - x[j]) / s[j])
    return largest


@part
def hits(x, s, lower, upper, t, j):
    """The bound of variable j that x + t s meets at t = reach: -1, 1, or 0."""
    if s[j] > 0.0 and (upper[j] - x[j]) / s[j] == t:
        return 1
    if s[j] < 0.0 and (lower[j] - x[j]) / s[j] == t:
        return -1
    return 0


@part
def inside(x, s, lower, upper):
    """Whether x + s lies in the box."""
    for j in range(x.size):
        if not lower[j] <= x[j] + s[j] <= upper[j]:
            return False
    return True


@part
def clear_of_bounds(x, lower, upper, share):
    """Move x off the bounds by `share` of their size; 0: to the next number. The middle where there is no room."""
    for j in range(x.size):
        if x[j] <= lower[j]:
            low = lower[j]
            x[j] = np.nextafter(low, upper[j]) if share == 0.0 else low + share * max(1.0, abs(low))
        elif x[j] >= upper[j]:
            high = upper[j]
            x[j] = np.nextafter(high, lower[j]) if share == 0.0 else high - share * max(1.0, abs(high))
        if not lower[j] < x[j] < upper[j]:
            x[j] = 0.5 * (lower[j] + upper[j])


@part
def best_on(a, b, low, high):
    """t in [low, high] for which a t^2 + b t is least."""
    t, value = low, low * (a * low + b)
    if high * (a * high + b) < value:
        t, value = high, high * (a * high + b)
    if a != 0.0:
        middle = -0.5 * b / a
        if low < middle < high and middle * (a * middle + b) < value:
            t = middle
    return t


@part
def to_sphere(p, s, radius):
    """t >= 0 with |p + t s| = radius, for |p| <= radius."""
    a = b = c = 0.0
    for j in range(p.size):
        a += s[j] * s[j]
        b += p[j] * s[j]
        c += p[j] * p[j]
    if a == 0.0:
        return 0.0
    root = np.sqrt(max(b * b - a * (c - radius * radius), 0.0))
    return (root - b) / a if b <= 0.0 else max(radius * radius - c, 0.0) / (root + b)
