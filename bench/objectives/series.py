"""Objectives that go through time: differential equations, filters, state-space models."""

import math

import numpy as np

from .kinds import entry

RANDOM = np.random.default_rng(7)


def logistic_growth(x, times, seen, steps):
    """Euler's method with scalars: growth rate, capacity and start from counts"""
    rate, capacity, size = x[0], x[1], x[2]
    total = 0.0
    for k in range(1, len(times)):
        h = (times[k] - times[k - 1]) / steps
        for _ in range(steps):
            size += h * rate * size * (1.0 - size / capacity)
        total += (size - seen[k]) ** 2
    return total


def epidemic_rates(state, x, rates):
    infected = x[0] * state[0] * state[1]
    recovered = x[1] * state[1]
    rates[0], rates[1], rates[2] = -infected, infected - recovered, recovered


def epidemic(x, seen, h):
    """SIR by Runge and Kutta's fourth order, stages in a local 2-D array, a helper that writes"""
    state = np.array([0.99, 0.01, 0.0])
    k = np.zeros((4, 3))
    moved = np.empty(3)
    total = 0.0
    for day in range(len(seen)):
        epidemic_rates(state, x, k[0])
        for stage in range(1, 4):
            share = 1.0 if stage == 3 else 0.5
            for j in range(3):
                moved[j] = state[j] + share * h * k[stage - 1, j]
            epidemic_rates(moved, x, k[stage])
        for j in range(3):
            state[j] += h / 6.0 * (k[0, j] + 2.0 * k[1, j] + 2.0 * k[2, j] + k[3, j])
        total += (state[1] - seen[day]) ** 2
    return total


def stiff(x, h, count):
    """Backward Euler, each step solved by Newton until it has converged"""
    y = x[0]
    for _ in range(count):
        z = y
        change = 1.0
        while abs(change) > 1e-14:
            change = (z - y + h * x[1] * (z**3 - x[2])) / (1.0 + 3.0 * h * x[1] * z * z)
            z -= change
        y = z
    return y * y + 0.1 * x[1]


def local_level(x, y):
    """Kalman's filter with scalars: the likelihood of two variances"""
    noise, drift = math.exp(x[0]), math.exp(x[1])
    level, variance, loss = y[0], noise, 0.0
    for t in range(1, len(y)):
        variance += drift
        spread = variance + noise
        error = y[t] - level
        loss += 0.5 * (math.log(spread) + error * error / spread)
        gain = variance / spread
        level += gain * error
        variance *= 1.0 - gain
    return loss


def tracking(x, y, h):
    """Kalman's filter with matrices: place and speed, products by @, new arrays at each step"""
    F = np.array([[1.0, h], [0.0, 1.0]])
    Q = np.array([[h**3 / 3.0, h * h / 2.0], [h * h / 2.0, h]]) * math.exp(x[0])
    noise = math.exp(x[1])
    m = np.array([x[2], x[3]])
    P = np.eye(2)
    loss = 0.0
    for t in range(len(y)):
        m = F @ m
        P = F @ P @ F.T + Q
        spread = P[0, 0] + noise
        error = y[t] - m[0]
        gain = P[:, 0] / spread
        m = m + gain * error
        P = P - np.outer(gain, P[0])
        loss += 0.5 * (math.log(spread) + error**2 / spread)
    return loss


def garch(x, returns):
    """The likelihood of a variance that depends on the day before; a penalty where it would not be stationary"""
    omega, alpha, beta = math.exp(x[0]), x[1] ** 2, x[2] ** 2
    if alpha + beta >= 1.0:
        return 1e3 * (alpha + beta)
    variance = omega / (1.0 - alpha - beta)
    loss = 0.0
    for r in returns:
        loss += math.log(variance) + r * r / variance
        variance = omega + alpha * r * r + beta * variance
    return 0.5 * loss


def hidden_markov(x, symbols):
    """The forward recursion of two hidden states, scaled at each step; tables made of x, indices from data"""
    stay = 1.0 / (1.0 + np.exp(-x[:2]))
    A = np.array([[stay[0], 1.0 - stay[0]], [1.0 - stay[1], stay[1]]])
    B = np.empty((2, 3))
    for s in range(2):
        weights = np.exp(np.array([0.0, x[2 + 2 * s], x[3 + 2 * s]]))
        B[s] = weights / np.sum(weights)
    now = np.array([0.5, 0.5])
    loss = 0.0
    for symbol in symbols:
        now = (now @ A) * B[:, symbol]
        scale = now.sum()
        loss -= math.log(scale)
        now /= scale
    return loss


def holt_winters(x, y, period):
    """Exponential smoothing with trend and season, the season in a slice that turns"""
    a, b, c = x[0], x[1], x[2]
    level, trend = y[0], (y[period] - y[0]) / period
    season = y[:period] - level
    loss = 0.0
    for t in range(period, len(y)):
        k = t % period
        error = y[t] - (level + trend + season[k])
        loss += error**2
        before = level
        level = a * (y[t] - season[k]) + (1.0 - a) * (level + trend)
        trend = b * (level - before) + (1.0 - b) * trend
        season[k] = c * (y[t] - level) + (1.0 - c) * season[k]
    return loss / len(y)


def autoregression(x, y):
    """Slices of the data, one for each lag"""
    n = len(x)
    errors = y[n:].copy()
    for lag in range(n):
        errors -= x[lag] * y[n - 1 - lag : len(y) - 1 - lag]
    return np.sum(errors * errors) + 0.1 * np.sum(np.abs(x))


def pendulum(x, h, limit):
    """Verlet's steps until the pendulum turns: the angle there, a loop that ends by break"""
    angle, speed = x[0], x[1]
    energy = 0.0
    for _ in range(limit):
        half = speed - 0.5 * h * x[2] * math.sin(angle)
        angle += h * half
        speed = half - 0.5 * h * x[2] * math.sin(angle)
        energy += h * speed * speed
        if speed <= 0.0:
            break
    return (angle - 1.0) ** 2 + energy


_TIMES = np.linspace(0.0, 4.0, 9)
_WALK = np.cumsum(RANDOM.normal(size=60)) * 0.4
_SEASONAL = 10.0 + 0.1 * np.arange(36) + np.sin(np.arange(36) * np.pi / 6.0) + RANDOM.normal(size=36) * 0.1

SERIES = [
    entry(logistic_growth, [1.1, 9.0, 0.6], (_TIMES, 8.0 / (1.0 + 15.0 * np.exp(-1.2 * _TIMES)), 5)),
    entry(epidemic, [1.4, 0.35], (0.2 * np.exp(-((np.arange(20) - 11.0) ** 2) / 30.0), 0.8)),
    entry(stiff, [1.5, 4.0, 0.3], (0.25, 12)),
    entry(local_level, [-0.5, -1.5], (_WALK,)),
    entry(tracking, [-1.0, -0.5, 0.1, 0.2], (_WALK[:25], 0.5)),
    entry(garch, [-2.0, 0.4, 0.8], (RANDOM.normal(size=80) * 0.6,)),
    entry(hidden_markov, [0.8, 0.3, 0.5, -0.4, -0.2, 0.9], (RANDOM.integers(0, 3, size=40),)),
    entry(holt_winters, [0.4, 0.2, 0.3], (_SEASONAL, 12)),
    entry(autoregression, [0.5, -0.2, 0.1, 0.05], (_WALK,)),
    entry(pendulum, [0.2, 1.3, 2.0], (0.05, 200)),
]
