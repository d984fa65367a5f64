"""Lesson 6, momentum, RMSProp and Adam side by side in a valley.

python examples/lessons/side_by_side.py
"""

import numpy as np
from walking import BLUE, GREEN, GREY, ORANGE, contours, picture, walk

START, STEPS = [-1.2, 1.0], 300
METHODS = {  # with a step that suits it
    "gradient_descent": (0.02, GREY, "gradient descent, step 0.02"),
    "momentum": (0.01, BLUE, "momentum 0.9, step 0.01"),
    "rmsprop": (0.02, ORANGE, "RMSProp, step 0.02"),
    "adam": (0.1, GREEN, "Adam, step 0.1"),
}


def valley(x):
    return (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2


def descend(method, steps=STEPS):
    return walk(method, valley, START, steps, step=METHODS[method][0])


def draw(left, right):
    contours(left, valley, (-1.6, 1.6), (-0.8, 2.2), 10.0 ** np.arange(-2, 2.3, 0.4))
    for method, (_, color, label) in METHODS.items():
        points, values = descend(method)
        left.plot(*points.T, "-", color=color, linewidth=1.2, label=label.split(",")[0])
        right.semilogy(values, color=color, linewidth=1.2, label=label)
    left.plot(*START, "ko", markersize=4)
    left.plot(1, 1, "k*", markersize=9)
    left.set(title="Paths from (−1.2, 1) to (1, 1)")
    left.legend(fontsize=7, loc="upper center")
    right.set(title="Values over the steps", xlabel="steps", ylabel="f", ylim=(1e-13, 100))
    right.legend(fontsize=7, loc="lower left")


if __name__ == "__main__":
    for method in METHODS:
        points, values = descend(method)
        print(f"{method}: f after 100 steps {values[100]:.1e}, after 300 steps {values[300]:.1e}, at {points[-1]}")
    picture(draw)
