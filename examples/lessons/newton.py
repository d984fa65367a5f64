"""Lesson 5, Newton's method on a cubic.

python examples/lessons/newton.py
"""

import numpy as np
from walking import BLUE, GREY, ORANGE, picture, walk

import thalweg as tw

MINIMUM = 4 / 3


def cubic(x):
    return x**3 - 2 * x**2 + 2


def formula(x, steps):
    """x - f'(x) / f''(x), as it stands in the textbook."""
    points = [x]
    for _ in range(steps):
        points.append(points[-1] - (3 * points[-1] ** 2 - 4 * points[-1]) / (6 * points[-1] - 4))
    return np.array(points)


def newton(x, steps):
    """Where thalweg's method is after each step."""
    runs = [
        tw.minimize_scalar(cubic, method="newton", x0=x, options={"maxiter": k, "xtol": 0.0}) for k in range(steps + 1)
    ]
    return np.array([run.x for run in runs])


def cubic_of_vector(x):
    return x[0] ** 3 - 2 * x[0] ** 2 + 2


def descent(x, steps):
    return walk("gradient_descent", cubic_of_vector, [x], steps, step=0.1)[0][:, 0]


def draw(left, right):
    x = np.linspace(-0.7, 3.1, 200)
    points = newton(3.0, 5)
    left.plot(x, cubic(x), color=GREY)
    left.plot(points, cubic(points), "o-", color=BLUE, markersize=5, linewidth=0.8, label="Newton from 3")
    near = np.linspace(0.6, 3.1, 100)
    left.plot(near, cubic(3.0) + 15 * (near - 3) + 7 * (near - 3) ** 2, "--", color=ORANGE, label="parabola at 3")
    left.set(title="f(x) = x³ − 2x² + 2", xlabel="x", ylabel="f(x)", ylim=(-1, 12))
    left.legend(fontsize=8)
    for points, color, label in ((newton(3.0, 7), BLUE, "Newton"), (descent(3.0, 30), ORANGE, "descent, step 0.1")):
        right.semilogy(np.maximum(np.abs(points - MINIMUM), 1e-16), "o-", color=color, markersize=3, label=label)
    right.set(title="Distance from the minimum 4/3", xlabel="steps", ylabel="|x − 4/3|")
    right.legend(fontsize=8)


if __name__ == "__main__":
    for k, x in enumerate(newton(3.0, 6)):
        print(f"step {k}: x = {x:.16f}")
    print(f"from 0.5, behind the hill: {tw.minimize_scalar(cubic, method='newton', x0=0.5).x:.6f}")
    print(f"and the formula alone: {formula(0.5, 8)[-1]:.6f}")
    picture(draw)
