"""First-order methods as their papers write them: each gives the points after 1, 2, ... steps from x.

gradient(x) -> (D,). What is not in the paper is said where it stands."""

import numpy as np


def gradient_descent(x, gradient, steps, step=0.01, normalised=False):
    for _ in range(steps):
        g = gradient(x)
        x = x - step * (g / np.linalg.norm(g) if normalised else g)
        yield x


def momentum(x, gradient, steps, step=0.01, momentum=0.9):
    """Polyak 1964 in the form with a velocity."""
    v = np.zeros_like(x)
    for _ in range(steps):
        v = momentum * v - step * gradient(x)
        x = x + v
        yield x


def nesterov(x, gradient, steps, step=0.01, momentum=0.9):
    """Sutskever et al. 2013, eq. 3 and 4; given are the points theta + mu v, at which gradients are taken."""
    theta, v = x, np.zeros_like(x)
    for _ in range(steps):
        v = momentum * v - step * gradient(theta + momentum * v)
        theta = theta + v
        yield theta + momentum * v


def nesterov_1983(x, gradient, steps, step=0.01):
    """Nesterov 1983: y_k, x_k and a_k as there, with a fixed step."""
    y, before, a = x, x, 1.0
    for _ in range(steps):
        new = y - step * gradient(y)
        after = (1.0 + np.sqrt(4.0 * a * a + 1.0)) / 2.0
        y = new + (a - 1.0) / after * (new - before)
        before, a = new, after
        yield y


def adagrad(x, gradient, steps, step=0.01, epsilon=1e-10):
    squares = np.zeros_like(x)
    for _ in range(steps):
        g = gradient(x)
        squares = squares + g**2
        x = x - step * g / (epsilon + np.sqrt(squares))
        yield x


def rmsprop(x, gradient, steps, step=0.001, forget=0.9, epsilon=1e-8):
    mean = np.zeros_like(x)
    for _ in range(steps):
        g = gradient(x)
        mean = forget * mean + (1.0 - forget) * g**2
        x = x - step * g / (np.sqrt(mean) + epsilon)
        yield x


def adam(x, gradient, steps, step=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Kingma and Ba 2015, algorithm 1."""
    m = v = np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        x = x - step * (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + epsilon)
        yield x


def adamw(x, gradient, steps, step=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
    """Loshchilov and Hutter 2019, algorithm 2 with eta = 1, alpha = step and lambda = step * weight_decay."""
    m = v = np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        x = x - (step * (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + epsilon) + step * weight_decay * x)
        yield x


def armijo(x, value, gradient, steps, step=1.0, share=1e-4):
    """The largest of step, step/2, step/4 ... with f(x - t g) <= f(x) - share t g g."""
    for _ in range(steps):
        g, t = gradient(x), step
        while not value(x - t * g) <= value(x) - share * t * (g @ g):
            t /= 2.0
        x = x - t * g
        yield x


def conjugate(variant, d, before, g):
    """b of the next direction -g + b d; d, before: the last direction, and the gradient where it began."""
    y = g - before
    if variant == "hager_zhang":
        free = (y - 2.0 * d * (y @ y) / (d @ y)) @ g / (d @ y)
        return max(free, -1.0 / (np.linalg.norm(d) * min(0.01, np.linalg.norm(before))))
    if abs(g @ before) >= 0.2 * (g @ g):  # Powell 1977
        return 0.0
    return (g @ g) / (before @ before) if variant == "fletcher_reeves" else max(0.0, g @ y / (before @ before))
