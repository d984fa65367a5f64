"""Second-order methods in plain NumPy, one iteration after their papers: what the engine is tested by.

J. J. Moré, D. C. Sorensen, "Computing a trust region step", SIAM J. Sci. Stat. Comput. 4 (1983) 553, as A. R. Conn,
N. I. M. Gould and Ph. L. Toint give it in "Trust-Region Methods" (2000), Algorithm 7.3.4; T. Steihaug, SIAM J. Numer.
Anal. 20 (1983) 626; P. E. Gill, W. Murray and M. H. Wright, "Practical Optimization" (1981), section 4.4.2.2;
D. P. Bertsekas, SIAM J. Control Optim. 20 (1982) 221; for the radius and the length of a step J. E. Dennis and R. B.
Schnabel, "Numerical Methods for Unconstrained Optimization" (1983), sections 6.3 and 6.4.

Conventions of the engine: lambda is 0 at first; H counts as singular where its least eigenvalue may be 1e-8 of its
size; pieces of a path within bounds share the radius. The state s has x, g, f, lower, upper, `hessian` (a function) and
what the method keeps.
"""

import numpy as np

EPS = 2.0**-52


def free_at(s):
    """Variables that a step along -g would not push through a bound."""
    pushed = ((s.g > 0) & (s.x <= s.lower)) | ((s.g < 0) & (s.x >= s.upper))
    return ~pushed & (s.lower < s.upper)


# --- Moré and Sorensen ------------------------------------------------------------------------------------------------


def partial_cholesky(A):
    """(L, k, lack): the first pivot that is not positive is the k-th, and lacks so much of 0; k = n: there is none."""
    n = len(A)
    L = np.zeros((n, n))
    for k in range(n):
        L[k, :k] = [0.0] * k
        for j in range(k):
            L[k, j] = (A[k, j] - L[k, :j] @ L[j, :j]) / L[j, j]
        pivot = A[k, k] - L[k, :k] @ L[k, :k]
        if not pivot > 0:
            return L, k, -pivot
        L[k, k] = np.sqrt(pivot)
    return L, n, 0.0


def flattest(L):
    """The estimate of LINPACK: L w = e with signs that make w grow, then L'z = w, of length 1."""
    n = len(L)
    w = np.zeros(n)
    for k in range(n):
        sums = L[k:, :k] @ w[:k]
        plus, minus = (1 - sums[0]) / L[k, k], (-1 - sums[0]) / L[k, k]
        grown = [abs(e) + np.abs(sums[1:] + L[k + 1 :, k] * e).sum() for e in (plus, minus)]
        w[k] = plus if grown[0] >= grown[1] else minus
    z = np.linalg.solve(L.T, w)
    length = np.linalg.norm(z)
    return z / length, (w @ w) / length**2


def minimum_in_ball(H, g, radius):
    """(s, at the edge, indefinite): the nearly exact minimum of g's + s'Hs / 2 over |s| <= radius."""
    n, diagonal, steep = len(g), np.diag(H), np.linalg.norm(g) / radius
    beside, size = np.abs(H).sum(1) - np.abs(diagonal), np.abs(H).sum(1).max()
    frobenius = np.linalg.norm(H)
    low = max(0.0, (-diagonal).max(), steep - min((diagonal + beside).max(), frobenius, size))
    high = max(0.0, steep + min((beside - diagonal).max(), frobenius, size))
    step, length, margin, indefinite, lam = np.zeros(n), 0.0, EPS * size, False, 0.0

    def between():
        return max(np.sqrt(low * high), low + 0.01 * (high - low))

    for _ in range(60):
        L, k, lack = partial_cholesky(H + lam * np.eye(n))
        if k < n:
            u = np.append(-np.linalg.solve(L[:k, :k].T, L[k, :k]), 1.0)
            indefinite = indefinite or lam > 0 or lack / (u @ u) > 1e-8 * size
            low = max(low, lam + lack / (u @ u))
            high, margin = max(high, low + margin), 4 * margin
            lam = between() if indefinite or low > 1e-8 * size else 1e-8 * size
            continue
        q = np.linalg.solve(L, -g)
        step = np.linalg.solve(L.T, q)
        length = np.linalg.norm(step)
        if length <= radius and lam <= 1e-8 * size and not indefinite:
            return step, False, False
        if abs(length - radius) <= 0.1 * radius:
            break
        if length < radius:
            high = lam
            z, curvature = flattest(L)
            gap, along = (radius - length) * (radius + length), step @ z
            far = gap / (along + np.copysign(np.sqrt(along**2 + gap), along))
            if far**2 * curvature <= 0.2 * (q @ q + lam * radius**2):
                return step + far * z, True, indefinite
            low = max(low, lam - curvature)
        else:
            low = lam
        w = np.linalg.solve(L, step)
        guess = lam + (length / np.linalg.norm(w)) ** 2 * (length - radius) / radius if w.any() else -1.0
        lam = max(guess, low) if guess > low or length > radius else between()
        if high - low <= EPS * high:
            lam = high
    return step * min(1.0, radius / length) if length > 1.1 * radius else step, True, indefinite


def exact_step(s):
    """(step, decrease of the model, at the edge, indefinite), bent at each bound that it meets."""
    free, step, edge, indefinite = free_at(s), np.zeros(len(s.x)), False, None
    while free.any():
        left = s.radius - np.linalg.norm(step)
        if left < 0.1 * s.radius:
            edge = True
            break
        piece = np.zeros(len(s.x))
        piece[free], edge_of_ball, found = minimum_in_ball(s.H[np.ix_(free, free)], (s.g + s.H @ step)[free], left)
        indefinite = found if indefinite is None else indefinite
        share, meets = room(s, step, piece)
        if share >= 1.0:
            step, edge = step + piece, edge_of_ball
            break
        step = np.where(meets, np.where(piece > 0, s.upper, s.lower) - s.x, step + share * piece)
        free = free & ~meets
    return step, -(s.g @ step + 0.5 * step @ s.H @ step), edge, bool(indefinite)


def room(s, step, move):
    """(how often the move can be made before a bound is met, which variables meet theirs)"""
    bound = np.where(move > 0, s.upper, s.lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(move == 0, np.inf, np.maximum((bound - s.x - step) / move, 0.0))
    return times.min(), times <= times.min()


# --- Steihaug ---------------------------------------------------------------------------------------------------------


def truncated_step(s):
    """(step, decrease of the model, at the edge): conjugate gradients up to the edge of the ball; bounds as above."""
    free, step, r = free_at(s), np.zeros(len(s.x)), s.g.copy()
    p = np.where(free, -r, 0.0)
    size = p @ p
    tolerance = min(s.forcing, np.sqrt(np.linalg.norm(s.g))) * np.sqrt(size)
    edge, s.products = False, 0
    while size > 0 and s.products < 2 * len(s.x) + 2:
        Hp = s.H @ p
        s.products += 1
        curvature = p @ Hp
        alpha = size / curvature if curvature > 0 else np.inf
        if s.radius == 0.0:
            s.radius = alpha * np.sqrt(size) if alpha < np.inf else 1.0
        a, b, c = p @ p, step @ p, step @ step - s.radius**2
        to_edge = (-b + np.sqrt(b * b - a * c)) / a
        to_bound, meets = room(s, step, p)
        t = min(alpha, to_edge, to_bound)
        r = r + t * Hp
        if to_bound <= min(alpha, to_edge):
            step = np.where(meets, np.where(p > 0, s.upper, s.lower) - s.x, step + t * p)
            free = free & ~meets
            p = np.where(free, -r, 0.0)
            size = p @ p
            if np.sqrt(size) <= tolerance:
                break
            continue
        step = step + t * p
        if to_edge <= alpha:
            edge = True
            break
        before, size = size, np.where(free, r, 0.0) @ np.where(free, r, 0.0)
        if np.sqrt(size) <= tolerance:
            break
        p = np.where(free, -r, 0.0) + size / before * p
    return step, -(s.g @ step + 0.5 * step @ s.H @ step), edge


# --- the trust region -------------------------------------------------------------------------------------------------


def optimality(s, x, g):
    """The largest entry of x - P(x - g)."""
    return np.abs(np.clip(x - g, s.lower, s.upper) - x).max()


def try_step(s, step, decrease, edge):
    """The point that is tried, and the next radius."""
    trial = np.clip(s.x + step, s.lower, s.upper)
    value, gradient = s.fun(trial), s.gradient(trial)
    ratio, length, slope = (s.f - value) / decrease, np.linalg.norm(step), s.g @ step
    s.step, s.trial, s.taken = step, trial, False
    if max(decrease, abs(s.f - value)) <= 10 * EPS * abs(s.f):  # rounding hides it: the gradient tells (CGT 17.4.2)
        if not optimality(s, trial, gradient) < 0.5 * optimality(s, s.x, s.g):
            return s
        ratio = 1.0
    if ratio < 0.25:
        bend = value - s.f - slope
        share = 0.25 if not value < np.inf else -slope / (2 * bend) if bend > 0 else 0.5
        s.radius = min(max(share, 0.1), 0.5) * length
    elif ratio > 0.75 and edge:
        s.radius = min(max(s.radius, 2 * length), s.largest)
    if ratio > s.eta:
        s.taken = True
        s.x, s.f, s.g = trial, value, gradient
    return s


def trust_exact(s):
    s.H = s.hessian(s.x)
    step, decrease, edge, s.curved = exact_step(s)
    return try_step(s, step, decrease, edge)


def newton_cg(s):
    """After a step that was refused, the same again, as long as the radius is."""
    s.H, s.products = s.hessian(s.x), 0
    if s.known:
        step = s.step * s.radius / np.linalg.norm(s.step)
        return try_step(s, step, -(s.g @ step + 0.5 * step @ s.H @ step), True)
    return try_step(s, *truncated_step(s))


# --- Newton with a search along the direction -------------------------------------------------------------------------


def modified_cholesky(A):
    """(P, L, D, E) with P (A + E) P' = L D L': Algorithm MC, by the largest diagonal entry of what is left."""
    n = len(A)
    order, left, L, D = np.arange(n), A.astype(float), np.eye(n), np.zeros(n)
    gamma, xi = np.abs(np.diag(A)).max(), np.abs(A - np.diag(np.diag(A))).max()
    delta = EPS * max(gamma + xi, 1.0)
    beta_squared = max(gamma, xi / max(1.0, np.sqrt(n * n - 1)), EPS)
    E = np.zeros(n)
    for j in range(n):
        q = j + int(np.abs(np.diag(left)[j:]).argmax())
        swap = np.arange(n)
        swap[[j, q]] = q, j
        left, order = left[np.ix_(swap, swap)], order[swap]
        L[:, :j] = L[swap, :j]
        theta = np.abs(left[j + 1 :, j]).max(initial=0.0)
        D[j] = max(abs(left[j, j]), theta**2 / beta_squared, delta)
        E[order[j]] = D[j] - left[j, j]
        L[j + 1 :, j] = left[j + 1 :, j] / D[j]
        left[j + 1 :, j + 1 :] -= np.outer(L[j + 1 :, j], left[j + 1 :, j])
    return np.eye(n)[order], L, D, E


def newton(s):
    x, g, f, epsilon = s.x, s.g, s.f, min(1e-3, np.abs(np.clip(s.x - s.g, s.lower, s.upper) - s.x).max())
    held = ((g > 0) & (x <= s.lower + epsilon)) | ((g < 0) & (x >= s.upper - epsilon)) | (s.lower == s.upper)
    direction, changed = -g, False
    if not held.all():
        P, L, D, E = modified_cholesky(s.hessian(x)[np.ix_(~held, ~held)])
        solution = np.linalg.solve(L, P @ -g[~held]) / D
        direction[~held] = P.T @ np.linalg.solve(L.T, solution)
        changed = E.max() > 0

    def at(step):
        point = np.clip(x + step * direction, s.lower, s.upper)
        return point, s.fun(point), -step * (g[~held] @ direction[~held]) + g[held] @ (x - point)[held]

    step, s.tried = 1.0, 0
    while True:
        point, value, decrease = at(step)
        s.tried += 1
        if f - value >= s.sigma * decrease:
            break
        share = 0.1 if not value < np.inf else 0.5 * decrease / (value - f + decrease)
        step *= min(max(share, 0.1), 0.5)
    while step >= 1.0 and changed:
        point_beyond, beyond, _ = at(2 * step)
        s.tried += 1
        if not beyond < value:
            break
        step, point, value = 2 * step, point_beyond, beyond
    s.x, s.f, s.g = point, value, s.gradient(point)
    return s
