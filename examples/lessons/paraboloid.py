"""Lesson 3, two variables: gradient descent on a paraboloid.

python examples/lessons/paraboloid.py
"""

import numpy as np
from walking import BLUE, ORANGE, contours, picture, walk

START, STEP = [2.9, -2.9], 0.025


def paraboloid(x):
    return x[0] ** 2 + x[1] ** 2


def stretched(x):
    return x[0] ** 2 + 10 * x[1] ** 2


def descend(fun, steps=100):
    return walk("gradient_descent", fun, START, steps, step=STEP)


def draw(left, right):
    contours(left, stretched, (-3.2, 3.2), (-3.2, 3.2), np.array([0.5, 2, 5, 10, 20, 40, 70]))
    for fun, color, label in ((paraboloid, BLUE, "x² + y²"), (stretched, ORANGE, "x² + 10 y²")):
        points, values = descend(fun)
        left.plot(*points.T, ".-", color=color, markersize=3, linewidth=0.8, label=label)
        right.semilogy(values, color=color, label=label)
    left.plot(*START, "ko", markersize=4)
    left.set(title="Paths from (2.9, −2.9); contours of x² + 10 y²")
    left.legend(fontsize=8)
    right.set(title="Values over the steps, step 0.025", xlabel="steps", ylabel="f")
    right.legend(fontsize=8)


if __name__ == "__main__":
    for fun in (paraboloid, stretched):
        points, values = descend(fun)
        print(f"{fun.__name__}: after 100 steps at {points[-1]}, f = {values[-1]:.3g}")
    picture(draw)
