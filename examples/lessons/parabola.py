"""Lesson 1, gradient descent on a parabola.

python examples/lessons/parabola.py
"""

import numpy as np
from walking import BLUE, GREEN, GREY, ORANGE, RED, picture, walk


def parabola(x):
    return x[0] ** 2


def descend(step, steps):
    points, _ = walk("gradient_descent", parabola, [5.0], steps, step=step)
    return points[:, 0]


def draw(left, right):
    x = np.linspace(-5.5, 5.5, 200)
    walked = descend(0.1, 25)
    left.plot(x, x**2, color=GREY)
    left.plot(walked, walked**2, "o-", color=BLUE, markersize=4, linewidth=0.8)
    left.set(title="25 steps of 0.1 from x = 5", xlabel="x", ylabel="f(x) = x²")
    for step, color in ((0.1, BLUE), (0.45, GREEN), (1.0, ORANGE), (1.05, RED)):
        distances = np.abs(descend(step, 50))
        distances = distances[distances > 1e-9]
        right.semilogy(distances, color=color, label=f"step {step}")
    right.set(title="The step decides", xlabel="steps", ylabel="distance |x| from the minimum")
    right.legend()


if __name__ == "__main__":
    print(f"x after 25 steps: {descend(0.1, 25)[-1]:.4g}, after 50 steps: {descend(0.1, 50)[-1]:.4g}")
    picture(draw)
