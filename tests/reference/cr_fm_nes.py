"""CR-FM-NES as its paper writes it, one generation: what the engine is tested by.

Nomura and Ono, CEC 2022; s and t are made for each point, where the engine sums first. Conventions of the engine:
generation 0; the fold into the box; when it is over; c_1 is not below 0.
"""

import math

import numpy as np

from .cma_es import folded, unfolded
from .common import CONVERGED, ENDED, close, copied, evaluate, initial_sample, ranks


def constants(n, size):
    hat = np.array([max(0, math.log(size / 2 + 1) - math.log(i)) for i in range(1, size + 1)])
    w = hat / hat.sum() - 1 / size
    mu_eff = 1 / ((w + 1 / size) ** 2).sum()
    low, high = 1e-9, 12.0
    for _ in range(200):
        middle = (low + high) / 2
        above = (1 + middle**2) * math.exp(middle**2 / 2) / 0.24 > 10 + n
        low, high = (low, middle) if above else (middle, high)
    return {
        "hat": hat,
        "w": w,
        "mu_eff": mu_eff,
        "c_sigma": (mu_eff + 2) / (n + mu_eff + 5),
        "c_c": (4 + mu_eff / n) / (n + 4 + 2 * mu_eff / n),
        "c_1": max(0, 2 / ((n + 1.3) ** 2 + mu_eff) * (n - 5) / 6),
        "h_inverse": low,
        "chi": math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2)),
    }


def adapt(s, z, order):
    n, size, c = len(s.mean), s.size, constants(len(s.mean), s.size)
    feasible = int(np.isfinite(s.trial_f).sum())
    z, norm2 = z[order], s.v @ s.v
    u, hat, w = s.v / math.sqrt(norm2), c["hat"], c["w"]
    y = z + (math.sqrt(1 + norm2) - 1) * np.outer(z @ u, u)
    step = s.sigma * s.stretch * y
    s.path_sigma = (1 - c["c_sigma"]) * s.path_sigma + math.sqrt(c["c_sigma"] * (2 - c["c_sigma"]) * c["mu_eff"]) * (
        w @ z
    )
    length = np.linalg.norm(s.path_sigma)
    if length >= c["chi"]:
        alpha = c["h_inverse"] * min(1, math.sqrt(size / n)) * math.sqrt(feasible / size)
        far = hat * np.exp(alpha * np.linalg.norm(z, axis=1))
        w, eta = far / far.sum() - 1 / size, 1.0
        s.moved = "moving"
    elif length >= 0.1 * c["chi"]:
        eta = math.tanh((0.024 * feasible + 0.7 * n + 20) / (n + 12))
        s.moved = "stagnating"
    else:
        eta = 2 * math.tanh((0.025 * feasible + 0.75 * n + 10) / (n + 4))
        s.moved = "converging"
    s.path_c = (1 - c["c_c"]) * s.path_c + math.sqrt(c["c_c"] * (2 - c["c_c"]) * c["mu_eff"]) * (w @ step) / s.sigma
    s.mean = s.mean + s.scale * (w @ step)
    # s and t of each y, of which the path is one more
    y = np.vstack([y, s.path_c / s.stretch])
    gamma, uu, inner = 1 + norm2, u * u, y @ u
    alpha = min(1, math.sqrt(norm2**2 + (2 * gamma - math.sqrt(gamma)) / uu.max()) / (2 + norm2))
    t = y * inner[:, None] - np.outer((inner**2 + gamma) / 2, u)
    b = -(1 - alpha**2) * norm2**2 / gamma + 2 * alpha**2
    h = 2 - (b + 2 * alpha**2) * uu
    one = y**2 - norm2 / gamma * (y * u) * inner[:, None] - 1
    two = one - alpha / gamma * ((2 + norm2) * t * u - norm2 * np.outer(t @ u, uu))
    three = two / h - b / (1 + b * uu @ (uu / h)) * np.outer(two @ (uu / h), uu / h)
    t = t - alpha * ((2 + norm2) * three * u - np.outer(three @ uu, u))
    eta_b = math.tanh((min(0.02 * feasible, 3 * math.log(n)) + 5) / (0.23 * n + 25))
    extended = np.append(eta_b * w, c["c_1"] * feasible / size)
    s.v = s.v + extended @ t / math.sqrt(norm2)
    s.stretch = s.stretch + (extended @ three) * s.stretch
    s.stretch = s.stretch / math.exp(np.log(s.stretch).sum() / n + math.log(1 + s.v @ s.v) / (2 * n))
    s.sigma *= math.exp(eta / 2 * (w @ (z**2 - 1)).sum() / n)


def end(s, order):
    n, f = len(s.mean), s.trial_f[order]
    s.spread = f[-1] - f[0] if f[-1] < math.inf else math.inf
    s.calm = s.calm + 1 if s.spread < 1e-11 else 0
    largest = s.sigma * s.stretch.max() * math.sqrt(1 + s.v @ s.v)
    if s.calm >= 10 + math.ceil(30 * n / s.size) or largest < 1e-11 * s.sigma_0:
        s.stop = CONVERGED
    elif largest > 1e3 * s.sigma_0:
        s.stop = ENDED


def iterate(state, fun, draws):
    s, n, half = copied(state), len(state.mean), state.size // 2
    s.moved = ""
    if s.iteration == 0:
        evaluate(s, fun, s.given[: s.count].copy() if len(s.given) else initial_sample(s, draws))
        s.mean = unfolded(s, s.trial[int(np.argmin(s.trial_f))])
        s.v = np.array([draws.normal(None, j) for j in range(n)]) / math.sqrt(n)
    else:
        z = np.array([[draws.normal(i % half, j) for j in range(n)] for i in range(s.count)])
        z[half:] *= -1
        u = s.v / np.linalg.norm(s.v)
        y = z + (math.sqrt(1 + s.v @ s.v) - 1) * np.outer(z @ u, u)
        evaluate(s, fun, np.array([folded(s, s.mean + s.sigma * s.scale * s.stretch * point) for point in y]))
        if s.count == s.size:
            order = ranks(s.trial_f)
            adapt(s, z, order)
            end(s, order)
    return close(s, [0.0, s.spread])


def start(dimension):
    size = 4 + math.floor(3 * math.log(dimension))
    size += size % 2
    made = constants(dimension, size)
    return {"size": size, "count": 1, "sigma": 0.3, "stretch": np.ones(dimension), "hat": made["hat"]}
