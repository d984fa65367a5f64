"""The minimum of a quadratic model in a ball, nearly exact, and within bounds.

    m(s) = g's + s'Hs / 2,   |s| <= radius

Moré and Sorensen, Computing a trust region step, SIAM J. Sci. Stat. Comput. 4 (1983) 553-572; with the names of Conn,
Gould and Toint, Trust-Region Methods (2000), Algorithm 7.3.4. The minimum solves (H + lambda I) s = -g with H + lambda
I positive semi-definite, lambda >= 0, and |s| = radius where lambda > 0; Newton's method finds lambda.

Bounds: where the step leaves the box, it goes as far as the first bound, and from there to the minimum in the variables
that are left, and so on. The path has a bend at each bound, and every piece of it makes the model less.
"""

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..numbers import linear_algebra
from ..numbers.linear_algebra import EPSILON, dot

EASY, HARD = 0.1, 0.2  # |s| within 10 % of the radius will do, and 80 % of the decrease in the hard case (CGT 7.3.4)
THETA = 0.01  # where a guess of lambda must be replaced: how far from the lower bound (CGT 7.3.14)
GUESSES = 60  # of lambda, at most; two or three are usual
FLAT = (
    1e-8  # curvature that is less, against the size of H, may be rounding: H counts as singular, and s is the shortest
)


solve_lower = part(linear_algebra.solve_lower.py_func)  # not copied to each place that calls it
solve_lower_transposed = part(linear_algebra.solve_lower_transposed.py_func)


@part
def free_variables(x, g, lower, upper, free):
    """free (D,) holds the variables that a step may change: no bound is in the way of -g. Returns how many."""
    count = 0
    for j in range(x.size):
        held = (g[j] > 0.0 and x[j] <= lower[j]) or (g[j] < 0.0 and x[j] >= upper[j])
        if not held and lower[j] < upper[j]:
            free[count] = j
            count += 1
    return count


@part
def exact_step(x, g, hessian, radius, lower, upper, step, free, block, factor, scratch):
    """step (D,), within the ball and the box around x.

    free (D,), block, factor (D, D), scratch (5, D)   are overwritten

    Returns by how much the model falls, whether the step ends at the edge of the ball, and whether the curvature is
    negative somewhere, in the variables that are free.
    """
    n, at_edge, curved = x.size, False, False
    slope, piece = row(scratch, 3), row(scratch, 4)
    for j in range(n):
        step[j] = 0.0
    count, first = free_variables(x, g, lower, upper, free), True
    while count > 0:
        left = radius - np.sqrt(dot(step, step, n))
        if left < EASY * radius:
            at_edge = True
            break
        for a in range(count):
            i = free[a]
            slope[a] = g[i] + (0.0 if first else dot(row(hessian, i), step, n))
            for b in range(count):
                block[a, b] = hessian[i, free[b]]
        edge, negative = minimum_in_ball(block, slope, left, count, piece, factor, scratch)
        if first:
            curved = negative
        first = False
        remaining = add_piece(x, step, piece, free, count, lower, upper)
        if remaining == count:
            at_edge = edge
            break
        count = remaining
    decrease = 0.0
    for i in range(n):
        decrease -= step[i] * (g[i] + 0.5 * dot(row(hessian, i), step, n))
    return decrease, at_edge, curved


@inlined
def add_piece(x, step, piece, free, count, lower, upper):
    """Add as much of `piece` to the step as stays in the box; variables that meet their bound are free no longer.

    Returns how many still are: all of them, where the whole of it was added.
    """
    share = 1.0
    for a in range(count):
        share = min(share, room(x, step, piece[a], free[a], lower, upper))
    remaining = 0
    for a in range(count):
        j = free[a]
        if share < 1.0 and room(x, step, piece[a], j, lower, upper) <= share:
            step[j] = upper[j] - x[j] if piece[a] > 0.0 else lower[j] - x[j]
        else:
            step[j] += share * piece[a]
            free[remaining] = j
            remaining += 1
    return remaining


@inlined
def room(x, step, move, j, lower, upper):
    """How often variable j can make this move before it meets a bound."""
    if move > 0.0:
        return max(0.0, (upper[j] - x[j] - step[j]) / move)
    return max(0.0, (lower[j] - x[j] - step[j]) / move) if move < 0.0 else np.inf


@part
def minimum_in_ball(hessian, g, radius, n, step, factor, scratch):
    """step (n,), nearly the minimum of m in the ball; H is in the first n rows and columns.

    factor (D, D), scratch (3, D)   are overwritten

    Returns whether the step ends at the edge, and whether H is indefinite.
    """
    direction, w = row(scratch, 0), row(scratch, 1)
    low, high, size = multipliers(hessian, g, radius, n)
    multiplier, curved, length, margin = 0.0, False, 0.0, EPSILON * size
    for j in range(n):
        step[j] = 0.0
    for _ in range(GUESSES):
        failed, lack = factorise(hessian, multiplier, n, factor)
        if failed < n:  # H + lambda I has a negative curvature of -lack / |u|^2 along u
            negative_curvature(factor, failed, w)
            norm = dot(w, w, failed + 1)
            curved = curved or multiplier > 0.0 or lack / norm > FLAT * size
            low = max(low, multiplier + lack / norm)
            high = max(high, low + margin)  # rounding must not make the two the same
            margin *= 4.0
            multiplier = between(low, high) if curved or low > FLAT * size else FLAT * size
            continue
        for j in range(n):
            w[j] = -g[j]
        solve_lower(factor, w, n)
        model = dot(w, w, n)  # s'(H + lambda I)s
        for j in range(n):
            step[j] = w[j]
        solve_lower_transposed(factor, step, n)
        length = np.sqrt(dot(step, step, n))
        if length <= radius and multiplier <= FLAT * size and not curved:
            return False, curved
        if abs(length - radius) <= EASY * radius:
            break
        if length < radius:  # lambda is too large, or this is the hard case: then an eigenvector leads to the edge
            high = multiplier
            curvature = flattest_direction(factor, n, direction, w)
            along, gap = dot(step, direction, n), (radius - length) * (radius + length)
            root = np.sqrt(along * along + gap)
            far = gap / (along + (root if along >= 0.0 else -root))
            if far * far * curvature <= HARD * (model + multiplier * radius * radius):
                for j in range(n):
                    step[j] += far * direction[j]
                length = radius
                break
            low = max(low, multiplier - curvature)
        else:
            low = multiplier
        for j in range(n):
            w[j] = step[j]
        solve_lower(factor, w, n)
        # Newton's method for 1 / radius - 1 / |s(lambda)| = 0
        change = dot(w, w, n)
        guess = -1.0 if change == 0.0 else multiplier + length * length / change * (length - radius) / radius
        if guess > low or length > radius:
            multiplier = max(guess, low)
        else:
            multiplier = between(low, high)
        if high - low <= EPSILON * high:  # no number is left between them
            multiplier = high
    if length > (1.0 + EASY) * radius:  # all guesses are spent
        for j in range(n):
            step[j] *= radius / length
    return True, curved


@inlined
def between(low, high):
    """A guess of lambda in the place of one that is out of bounds (CGT 7.3.14)."""
    return max(np.sqrt(low * high), low + THETA * (high - low))


@inlined
def multipliers(hessian, g, radius, n):
    """Bounds of lambda (CGT, section 7.3.8), and the size of H: its largest row sum."""
    frobenius = largest = 0.0
    least_diagonal = above = below = -np.inf
    for i in range(n):
        beside = dot(row(hessian, i), row(hessian, i), n)
        frobenius += beside
        total = 0.0
        for j in range(n):
            total += abs(hessian[i, j])
        beside = total - abs(hessian[i, i])
        largest = max(largest, total)
        least_diagonal = max(least_diagonal, -hessian[i, i])
        above, below = max(above, hessian[i, i] + beside), max(below, beside - hessian[i, i])
    steep, frobenius = np.sqrt(dot(g, g, n)) / radius, np.sqrt(frobenius)
    low = max(0.0, least_diagonal, steep - min(above, frobenius, largest))
    return low, max(0.0, steep + min(below, frobenius, largest)), largest


@part
def factorise(hessian, multiplier, n, factor):
    """The Cholesky factor L of H + lambda I in the lower triangle.

    Returns n; or the first row whose pivot is not positive, and what the pivot lacks of 0.
    """
    for i in range(n):
        for j in range(i):
            factor[i, j] = (hessian[i, j] - dot(row(factor, i), row(factor, j), j)) / factor[j, j]
        pivot = hessian[i, i] + multiplier - dot(row(factor, i), row(factor, i), i)
        if not pivot > 0.0:
            return i, -pivot
        factor[i, i] = np.sqrt(pivot)
    return n, 0.0


@inlined
def negative_curvature(factor, failed, u):
    """u (failed + 1,) with u'(H + lambda I)u = the pivot at which the factorisation failed, its last entry 1."""
    for j in range(failed):
        u[j] = -factor[failed, j]
    u[failed] = 1.0
    solve_lower_transposed(factor, u, failed)


@part
def flattest_direction(factor, n, z, p):
    """z (n,), of length 1, for which z'L L'z is small; returns that.

    Cline, Moler, Stewart and Wilkinson, SIAM J. Numer. Anal. 16 (1979) 368-375: L w = e, the signs in e so that w
    grows; then L'z = w.
    """
    for j in range(n):
        p[j] = 0.0
    for k in range(n):
        plus, minus = (1.0 - p[k]) / factor[k, k], (-1.0 - p[k]) / factor[k, k]
        grown_plus, grown_minus = abs(plus), abs(minus)
        for i in range(k + 1, n):
            grown_plus += abs(p[i] + factor[i, k] * plus)
            grown_minus += abs(p[i] + factor[i, k] * minus)
        z[k] = plus if grown_plus >= grown_minus else minus
        for i in range(k + 1, n):
            p[i] += factor[i, k] * z[k]
    for j in range(n):
        p[j] = z[j]
    solve_lower_transposed(factor, z, n)
    norm = np.sqrt(dot(z, z, n))
    for j in range(n):
        z[j] /= norm
    return dot(p, p, n) / (norm * norm)
