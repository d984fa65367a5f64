"""Active CMA-ES with IPOP and BIPOP restarts, one generation after the papers: what the engine is tested by.

Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772v2, figure 6 and table 1, ends of a run after appendix
B.3; a diagonal matrix after Ros and Hansen, PPSN 2008, with pycma's c_c; Auger and Hansen, CEC 2005; Hansen, GECCO
2009, with pycma's rules; whole numbers after Hamano et al., GECCO 2022. Tolerances are pycma's, and so is the bound on
the growth of sigma; when C is decomposed is purecma's.

Conventions of the engine: generation 0 is the points given, or one drawn; the fold into the box (`folded`); which
values are kept for stagnation; what the spread is. Eigenvectors have no sign of their own: the state brings those that
it samples with (`axes`, `lengths`), and how far they are from an eigensystem of C when they are new (`residual`).
"""

import math
from statistics import NormalDist

import numpy as np

from .common import CONVERGED, ENDED, close, copied, evaluate, initial_sample, ranks

TOLFUN, TOLFUNHIST, TOLX, TOLFACUPX = 1e-11, 1e-12, 1e-11, 1e3
ENTRIES, UNLIMITED = 512, 2**62


def constants(n, size, diagonal=False):
    """Table 1. Where C is a diagonal, its rates are (n + 2) / 3 times as large, and c_c is about 1 / sqrt(n)."""
    raw = np.array([math.log((size + 1) / 2) - math.log(i) for i in range(1, size + 1)])
    good, bad = raw[raw > 0], raw[raw <= 0]
    mu_eff, mu_eff_bad = good.sum() ** 2 / (good**2).sum(), bad.sum() ** 2 / (bad**2).sum()
    c_sigma = (mu_eff + 2) / (n + mu_eff + 5)
    faster = (n + 2) / 3 if diagonal else 1
    c_1 = faster * 2 / ((n + 1.3) ** 2 + mu_eff)
    c_mu = min(1 - c_1, faster * 2 * (1 / 4 + mu_eff + 1 / mu_eff - 2) / ((n + 2) ** 2 + mu_eff))
    c_c = (4 + mu_eff / n) / (n + 4 + 2 * mu_eff / n)
    if diagonal:
        c_c = (1 + 1 / n + mu_eff / n) / (math.sqrt(n) + 1 / n + 2 * mu_eff / n)
    alphas = 1 + c_1 / c_mu, 1 + 2 * mu_eff_bad / (mu_eff + 2), (1 - c_1 - c_mu) / (n * c_mu)
    return {
        "weights": np.where(raw > 0, raw / good.sum(), raw * min(alphas) / abs(bad).sum()),
        "mu_eff": mu_eff,
        "c_sigma": c_sigma,
        "d_sigma": 1 + 2 * max(0, math.sqrt((mu_eff - 1) / (n + 1)) - 1) + c_sigma,
        "c_c": c_c,
        "c_1": c_1,
        "c_mu": c_mu,
        "chi": math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2)),
    }


# --- the box ------------------------------------------------------------------------------------------------------


def margins(s, j):
    low, high = s.lower[j], s.upper[j]
    if math.isfinite(high - low):
        return (0.05 * (high - low),) * 2
    return tuple(0.05 * max(abs(bound), 1) if math.isfinite(bound) else 0.05 for bound in (low, high))


def folded(s, y):
    """Mirrored as often as it takes; quadratic near the bounds, which it meets a margin outside of the box."""
    x = np.array(y, dtype=float)
    for j in range(len(x)):
        low, high, (below, above) = s.lower[j], s.upper[j], margins(s, j)
        if s.whole[j]:
            while not low - 0.5 <= x[j] <= high + 0.5:
                x[j] = 2 * low - 1 - x[j] if x[j] < low else 2 * high + 1 - x[j]
            x[j] = min(max(math.floor(x[j] + 0.5), low), high)
            continue
        while not low - below <= x[j] <= high + above:
            x[j] = 2 * (low - below) - x[j] if x[j] < low - below else 2 * (high + above) - x[j]
        if x[j] < low + below:
            x[j] = low + (x[j] - low + below) ** 2 / (4 * below)
        elif x[j] > high - above:
            x[j] = high - (x[j] - high - above) ** 2 / (4 * above)
    return x


def unfolded(s, x):
    y = np.array(x, dtype=float)
    for j in range(len(y)):
        low, high, (below, above) = s.lower[j], s.upper[j], margins(s, j)
        if s.whole[j]:
            continue
        if y[j] < low + below:
            y[j] = low - below + math.sqrt(4 * below * (y[j] - low))
        elif y[j] > high - above:
            y[j] = high + above - math.sqrt(4 * above * (high - y[j]))
    return y


def nearby(s, j, y, far):
    """y, or where it is so many margins beyond the outer one its image."""
    below, above = margins(s, j)
    low, high = s.lower[j] - below, s.upper[j] + above
    if low - far * below <= y <= high + far * above:
        return y
    while not low <= y <= high:
        y = 2 * low - y if y < low else 2 * high - y
    return y


def steps_that_count(s, z, steps):
    """(y, z, |z|^2) by rows: a point farther outside than three margins beyond the outer one counts as its image, and
    its step is no longer than it was drawn."""
    y, z, squared = steps.copy(), z.copy(), (z**2).sum(axis=1)
    for i in range(len(y)):
        images = s.mean + s.sigma * s.scale * y[i]
        for j in np.flatnonzero(~s.whole):
            if nearby(s, j, images[j], 3) != images[j]:
                y[i, j] = (nearby(s, j, images[j], 3) - s.mean[j]) / (s.sigma * s.scale[j])
        if (y[i] != steps[i]).any():
            z[i] = s.axes.T @ y[i] / s.lengths
            share = min(1, math.sqrt(squared[i] / (z[i] @ z[i])))
            y[i], z[i] = share * y[i], share * z[i]
            squared[i] = z[i] @ z[i]
    return y, z, squared


# --- a generation -------------------------------------------------------------------------------------------------


def adapt(s, y, z, squared, order):
    """Figure 6 of the tutorial, from selection on."""
    n, c = len(s.mean), constants(len(s.mean), s.size, s.diagonal)
    mu_eff, c_sigma, c_c, c_1, c_mu, w = (c[k] for k in ("mu_eff", "c_sigma", "c_c", "c_1", "c_mu", "weights"))
    y, z, squared = y[order], z[order], squared[order]
    best = w > 0
    y_w, z_w = w[best] @ y[best], w[best] @ z[best]
    s.mean = s.mean + s.sigma * s.scale * y_w
    for j in np.flatnonzero(~s.whole):
        s.mean[j] = nearby(s, j, s.mean[j], 1)
    s.path_sigma = (1 - c_sigma) * s.path_sigma + math.sqrt(c_sigma * (2 - c_sigma) * mu_eff) * (s.axes @ z_w)
    s.generation += 1
    length = np.linalg.norm(s.path_sigma)
    limit = (1.4 + 2 / (n + 1)) * c["chi"] * math.sqrt(1 - (1 - c_sigma) ** (2 * s.generation))
    s.h_sigma = int(length < limit)
    s.path_c = (1 - c_c) * s.path_c + s.h_sigma * math.sqrt(c_c * (2 - c_c) * mu_eff) * y_w
    s.sigma *= math.exp(min(1, c_sigma / c["d_sigma"] * (length / c["chi"] - 1)))
    w_y = np.where(best, w, w * n / squared)
    kept = 1 + c_1 * (1 - s.h_sigma) * c_c * (2 - c_c) - c_1 - c_mu * w.sum()
    s.C = kept * s.C + c_1 * np.outer(s.path_c, s.path_c) + c_mu * (w_y * y.T) @ y
    s.C = np.diag(np.diag(s.C)) if s.diagonal else s.C


def note(s, order):
    f = s.trial_f[order]
    s.recent = [*s.recent, f[0]][-s.ring :]
    s.level = s.level + 1 if f[0] == f[int(0.75 * s.size)] else 0
    if s.generation % s.stride == 0 and len(s.bests) == ENTRIES:
        s.bests, s.medians, s.stride = s.bests[1::2], s.medians[1::2], 2 * s.stride
    if s.generation % s.stride == 0:
        s.bests, s.medians = [*s.bests, f[0]], [*s.medians, f[s.size // 2]]
    if s.holds:
        s.spread = f[-1] - s.best if f[-1] < math.inf else math.inf


def end(s, order):
    """Why the inner run ends here, or ""."""
    n, f, c = len(s.mean), s.trial_f[order], constants(len(s.mean), s.size, s.diagonal)
    recent = s.recent[-(10 + math.ceil(30 * n / s.size)) :]
    with np.errstate(invalid="ignore"):
        span, now = max(recent) - min(recent), f[-1] - f[0]
    step = s.sigma * max(np.sqrt(np.diag(s.C)).max(), abs(s.path_c).max())
    if max(span, now) < TOLFUN:
        return "tolfun"
    if s.generation >= 10 and span < TOLFUNHIST:
        return "tolfunhist"
    if s.level > 1:
        return "flat"
    if step < TOLX * s.sigma_0:
        return "tolx"
    if s.generation >= 100 + 150 * (n + 3) ** 2 / math.sqrt(s.size) or s.evaluations - s.began >= s.most:
        return "too long"
    if step > TOLFACUPX * s.first:
        return "tolfacupx"
    if stagnates(s):
        return "stagnation"
    if s.diagonal or s.generation - s.decomposed > 0.5 / (n * (c["c_1"] + c["c_mu"])):
        s.decomposed = s.generation
        values = np.linalg.eigvalsh(s.C)
        if not values[-1] <= 1e14 * values[0]:
            return "condition"
    return ""


def stagnates(s):
    """Looked for every eight entries."""
    window = int(max(0.2 * s.generation, 120 + 30 * len(s.mean) / s.size)) // s.stride
    if s.generation % (8 * s.stride) or window > len(s.bests):
        return False
    part = int(0.3 * window)
    return all(upper_median(v[-part:]) >= upper_median(v[-window:][:part]) for v in (s.bests, s.medians))


def upper_median(values):
    return sorted(values)[len(values) // 2]


# --- whole numbers ------------------------------------------------------------------------------------------------


def chi(gamma):
    """The root of the quantile of chi-squared with one degree of freedom."""
    return NormalDist().inv_cdf((1 + gamma) / 2)


def keep_margin(s):
    """Section 4.2: alpha = 1 / (lambda D), A is a part of the scale. Ours: the mean is no more than 1/2 outside."""
    s.mean, s.scale, alpha = s.mean.copy(), s.scale.copy(), 1 / (s.size * len(s.mean))
    for j in np.flatnonzero(s.whole & (s.lower < s.upper)):
        s.mean[j] = min(max(s.mean[j], s.lower[j] - 0.5), s.upper[j] + 0.5)
        deviation = s.sigma * s.scale[j] * math.sqrt(s.C[j, j])
        marginal = NormalDist(s.mean[j], deviation)
        at = min(max(math.floor(s.mean[j] + 0.5), s.lower[j]), s.upper[j])
        low, up = at - 0.5, at + 0.5
        if at in (s.lower[j], s.upper[j]):
            border = up if at == s.lower[j] else low
            away = min(abs(s.mean[j] - border), deviation * chi(1 - 2 * alpha))
            s.mean[j] = border + math.copysign(away, s.mean[j] - border)
            continue
        p_low, p_up = marginal.cdf(low), NormalDist(-s.mean[j], deviation).cdf(-up)
        p_mid = 1 - p_low - p_up
        q_low, q_up = max(alpha / 2, p_low), max(alpha / 2, p_up)
        if (q_low, q_up) != (p_low, p_up):
            delta = (1 - q_low - q_up - p_mid) / (q_low + q_up + p_mid - 3 * alpha / 2)
            r_low, r_up = q_low + delta * (q_low - alpha / 2), q_up + delta * (q_up - alpha / 2)
            c_low, c_up = chi(1 - 2 * r_low), chi(1 - 2 * r_up)
            s.mean[j] = (low * c_up + up * c_low) / (c_low + c_up)
            s.scale[j] = (up - low) / (s.sigma * math.sqrt(s.C[j, j]) * (c_low + c_up))


# --- inner runs ---------------------------------------------------------------------------------------------------


def next_inner_run(s, draws, reason):
    if s.holds:
        s.holds, s.converged = 0, int(reason in ("tolfun", "tolfunhist", "flat", "tolx"))
    if s.small:
        s.spent_small += s.evaluations - s.began
    else:
        s.spent_large += s.evaluations - s.began
    s.small = int(s.regime == "bipop" and s.spent_small < s.spent_large)
    if s.small:
        u, v = draws.uniform(None, len(s.mean)), draws.uniform(None, len(s.mean) + 1)
        size = math.floor(s.smallest * (s.large / s.smallest) ** (u * u))
        return begin(s, draws, size, s.sigma_0 * 10 ** (-2 * v), s.spent_large // 2)
    if s.regime == "none" or 2 * s.large > s.largest:
        s.stop = CONVERGED if s.converged else ENDED
        return None
    s.large *= 2
    return begin(s, draws, s.large, s.sigma_0, UNLIMITED)


def begin(s, draws, size, sigma, most):
    n = len(s.mean)
    s.mean = unfolded(s, s.lower + np.array(draws.uniforms(None, 0, n)) * (s.upper - s.lower) if s.drawn else s.start)
    s.size, s.sigma, s.first, s.most, s.began = size, sigma, sigma, most, s.evaluations
    s.C, s.path_sigma, s.path_c = np.eye(n), np.zeros(n), np.zeros(n)
    s.generation, s.decomposed, s.level = 0, 0, 0
    s.recent, s.bests, s.medians, s.stride = [], [], [], 1
    s.drawn = s.draws
    width = s.upper - s.lower
    s.scale = np.where(np.isfinite(width), width, 1.0)
    keep_margin(s)


def iterate(state, fun, draws):
    s, n = copied(state), len(state.mean)
    s.residual, s.moved = 0.0, ""
    if s.iteration == 0:
        evaluate(s, fun, s.given[: s.count].copy() if len(s.given) else initial_sample(s, draws))
        s.start = s.trial[int(np.argmin(s.trial_f))]
        s.drawn = int(s.draws and len(s.given) > 0 and s.index > 0)
        begin(s, draws, s.smallest, s.sigma_0, UNLIMITED)
    else:
        z = np.array([[draws.normal(i, j) for j in range(n)] for i in range(s.count)])
        steps = z @ (s.axes * s.lengths).T
        evaluate(s, fun, np.array([folded(s, s.mean + s.sigma * s.scale * y) for y in steps]))
        if s.stall == 0 and not s.holds:  # the best is of this inner run now
            s.holds, s.converged, s.spread = 1, 0, math.inf
        if s.count == s.size:
            order = ranks(s.trial_f)
            adapt(s, *steps_that_count(s, z, steps), order)
            note(s, order)
            s.moved = end(s, order)
            if s.moved:
                next_inner_run(s, draws, s.moved)
            else:
                keep_margin(s)
    vars(s).update(constants(n, s.size, s.diagonal))
    return close(s, [0.0, s.spread])


def start(dimension):
    """What a run begins with."""
    size = 4 + math.floor(3 * math.log(dimension))
    return {"smallest": size, "size": size, "count": 1, "sigma_0": 0.3, "regime": "bipop", "small": 1, "spread": np.inf}
