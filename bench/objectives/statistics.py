"""Objectives of statistics: likelihoods with error functions, mixtures, regressions, option prices."""

import math

import numpy as np

from .kinds import entry

RANDOM = np.random.default_rng(10)
ROOT_2 = math.sqrt(2.0)


def normal_cdf(z):
    return 0.5 * math.erfc(-z / ROOT_2)


def probit(x, X, y):
    """Regression of yes and no by the normal distribution"""
    loss = 0.0
    for k in range(len(y)):
        score = 0.0
        for j in range(len(x)):
            score += x[j] * X[k, j]
        loss -= math.log(normal_cdf(score) if y[k] else normal_cdf(-score))
    return loss


def weibull(x, times, died):
    """Survival times, some of them censored"""
    shape, scale = math.exp(x[0]), math.exp(x[1])
    loss = 0.0
    for k in range(len(times)):
        z = (times[k] / scale) ** shape
        loss += z
        if died[k]:
            loss -= math.log(shape / times[k]) + math.log(z)
    return loss


def mixture(x, y):
    """Three normal distributions, their shares by softmax"""
    means, logs = x[:3], x[3:6]
    shares = np.exp(x[6:]) / np.sum(np.exp(x[6:]))
    loss = 0.0
    for v in y:
        likelihood = 0.0
        for k in range(3):
            z = (v - means[k]) * math.exp(-logs[k])
            likelihood += shares[k] * math.exp(-0.5 * z * z - logs[k])
        loss -= math.log(likelihood)
    return loss


def student(x, y):
    """Degrees of freedom, place and width of Student's distribution, by lgamma"""
    nu = math.exp(x[0])
    constant = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu) - x[2]
    loss = 0.0
    for v in y:
        z = (v - x[1]) * math.exp(-x[2])
        loss -= constant - 0.5 * (nu + 1.0) * math.log1p(z * z / nu)
    return loss


def ordered_logit(x, X, grade):
    """Grades between thresholds that are kept in order"""
    low = x[0]
    high = x[0] + math.exp(x[1])
    loss = 0.0
    for k in range(len(grade)):
        score = x[2] * X[k, 0] + x[3] * X[k, 1]
        upper = 1.0 / (1.0 + math.exp(score - high))
        lower = 1.0 / (1.0 + math.exp(score - low))
        if grade[k] == 0:
            loss -= math.log(lower)
        elif grade[k] == 1:
            loss -= math.log(upper - lower)
        else:
            loss -= math.log(1.0 - upper)
    return loss


def poisson(x, X, counts):
    """Counts whose logarithmic mean is linear, as whole arrays"""
    score = X @ x
    return np.sum(np.exp(score) - counts * score) + 0.5 * np.dot(x, x)


def call_price(spot, strike, time, rate, sigma):
    """The price of Black and Scholes."""
    spread = sigma * math.sqrt(time)
    d = (math.log(spot / strike) + (rate + 0.5 * sigma * sigma) * time) / spread
    return spot * normal_cdf(d) - strike * math.exp(-rate * time) * normal_cdf(d - spread)


def calibration(x, strikes, prices, market):
    """A smile of volatility fitted to option prices; the market in a tuple"""
    spot, time = market
    total = 0.0
    for k in range(len(strikes)):
        moneyness = math.log(strikes[k] / spot)
        sigma = x[0] + x[1] * moneyness + x[2] * moneyness**2
        total += (call_price(spot, strikes[k], time, x[3], sigma) - prices[k]) ** 2
    return total


def density(x, y):
    """The likelihood of points under a density of kernels, each point left out of its own"""
    width = math.exp(x[0])
    loss = 0.0
    for i in range(len(y)):
        total = 1e-12
        for j in range(len(y)):
            if i != j:
                total += math.exp(-0.5 * ((y[i] - y[j] - x[1] * (i - j)) / width) ** 2)
        loss -= math.log(total / (len(y) - 1) / width)
    return loss


_X = np.column_stack([np.ones(30), RANDOM.normal(size=30), RANDOM.normal(size=30)])
_STRIKES = np.linspace(80.0, 120.0, 9)

STATISTICS = [
    entry(probit, [0.2, 0.8, -0.5], (_X, RANDOM.random(30) < 0.5)),
    entry(weibull, [0.3, 0.5], (0.1 + RANDOM.random(40) * 3.0, RANDOM.random(40) < 0.7)),
    entry(mixture, [-1.0, 0.2, 1.5, -0.3, 0.1, 0.0, 0.2, 0.0, -0.1], (RANDOM.normal(size=30),)),
    entry(student, [1.2, 0.3, -0.1], (RANDOM.standard_t(4, size=40),), exact=False),
    entry(ordered_logit, [-0.7, 0.4, 0.9, -0.4], (_X[:, 1:].copy(), RANDOM.integers(0, 3, size=30))),
    entry(poisson, [0.5, 0.3, -0.2], (_X, RANDOM.poisson(2.0, size=30).astype(np.float64))),
    entry(calibration, [0.25, -0.1, 0.2, 0.02], (_STRIKES, np.maximum(105.0 - _STRIKES, 3.0), (100.0, 0.5))),
    entry(density, [-0.8, 0.01], (RANDOM.normal(size=20),)),
]
