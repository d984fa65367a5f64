"""Lesson 2, derivatives: difference quotients, the rules of calculus, and automatic derivatives.

python examples/lessons/derivatives.py
"""

import math

import numpy as np
from walking import BLUE, GREEN, GREY, ORANGE, RED, picture

import thalweg as tw

AT = 1.3


def product(x):
    return x[0] ** 2 * math.sin(x[0])


def product_rule(x):
    """(u v)' = u' v + u v', with u = x², v = sin x."""
    return 2 * x * math.sin(x) + x**2 * math.cos(x)


def chain(x):
    return math.sin(x[0] ** 2)


def chain_rule(x):
    """(u(v(x)))' = u'(v) v', with u = sin, v = x²."""
    return math.cos(x**2) * 2 * x


def sigmoid(x):
    return 1 / (1 + math.exp(-x[0]))


def sigmoid_slope(x):
    """By the chain rule; with s for the sigmoid it is s (1 - s)."""
    s = sigmoid([x])
    return s * (1 - s)


def automatic(f, x):
    return float(tw.grad(f)([x])[0])


def quotients(f, x, h):
    """(f(x + h) - f(x)) / h, and (f(x + h) - f(x - h)) / (2 h)."""
    return (f([x + h]) - f([x])) / h, (f([x + h]) - f([x - h])) / (2 * h)


def errors(f, slope, steps):
    """How far the two quotients are from the slope, (n, 2)."""
    return np.array([[abs(q - slope) for q in quotients(f, AT, h)] for h in steps])


def draw(left, right):
    steps = 10.0 ** np.arange(0, -15.5, -0.5)
    forward, central = errors(product, product_rule(AT), steps).T
    left.loglog(steps, forward, "o-", color=ORANGE, markersize=3, label="(f(x+h) − f(x)) / h")
    left.loglog(steps, central, "o-", color=BLUE, markersize=3, label="(f(x+h) − f(x−h)) / 2h")
    automatic_error = abs(automatic(product, AT) - product_rule(AT))
    left.axhline(max(automatic_error, 2.0**-53), color=GREEN, label="automatic")
    left.set(title="Error of the slope of x² sin x", xlabel="h", ylabel="error", ylim=(1e-17, 10))
    left.legend(fontsize=8)
    x = np.linspace(-6, 6, 200)
    right.plot(x, [sigmoid([v]) for v in x], color=BLUE, label="s(x) = 1 / (1 + exp(−x))")
    right.plot(x, [automatic(sigmoid, v) for v in x], color=RED, label="s′(x) = s (1 − s)")
    near = np.array([-0.8, 2.8])
    right.plot(near, sigmoid([1.0]) + automatic(sigmoid, 1.0) * (near - 1), color=GREY, label="tangent at 1")
    right.set(title="The sigmoid and its slope", xlabel="x", ylabel="value", ylim=(-0.05, 1.45))
    right.legend(fontsize=8, loc="upper left")


if __name__ == "__main__":
    for f, rule in ((product, product_rule), (chain, chain_rule), (sigmoid, sigmoid_slope)):
        print(f"{f.__name__}: by the rule {rule(AT):.15f}, automatic {automatic(f, AT):.15f}")
    picture(draw)
