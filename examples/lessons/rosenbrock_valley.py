"""Lesson 4, a narrow curved valley: where plain descent is thrown out, and what brings it down.

python examples/lessons/rosenbrock_valley.py
"""

import numpy as np
from walking import BLUE, GREEN, GREY, ORANGE, RED, contours, picture, walk

START, STEP = [0.1, 3.0], 0.01
A, B = 1.0, 100.0


def rosenbrock(x):
    return (A - x[0]) ** 2 + B * (x[1] - x[0] ** 2) ** 2


def plain(step, steps):
    return walk("gradient_descent", rosenbrock, START, steps, step=step)


def heavy(step, steps):
    return walk("momentum", rosenbrock, START, steps, step=step, momentum=0.8)


def normalised(steps, momentum=0.0, schedule="constant"):
    """Each step along g/|g|: 0.01 long, however steep it is."""
    return walk("momentum", rosenbrock, START, steps, step=STEP, momentum=momentum, normalised=True, schedule=schedule)


def lowest(walked):
    """The lowest value up to each step."""
    return np.minimum.accumulate(walked[1])


def largest_stable_step():
    """2 / (largest eigenvalue of the Hessian at the minimum (1, 1))."""
    hessian = np.array([[2 + 8 * B, -4 * B], [-4 * B, 2 * B]])
    return 2 / np.linalg.eigvalsh(hessian)[-1]


def draw(left, right):
    contours(left, rosenbrock, (-0.5, 2.0), (-0.6, 3.3), 10.0 ** np.arange(-1.5, 3.1, 0.5))
    for points, color, label in (
        (normalised(400)[0], ORANGE, "normalised, 400 steps"),
        (normalised(400, 0.8)[0], GREEN, "and momentum 0.8"),
        (plain(STEP, 5)[0][:2], RED, "plain, its first step"),
    ):
        left.plot(*points.T, "-", color=color, linewidth=1.1, label=label)
    left.plot(*START, "ko", markersize=4)
    left.plot(1, 1, "k*", markersize=9)
    left.set(title="Paths from (0.1, 3), step 0.01")
    left.legend(fontsize=7, loc="upper center")
    for values, color, label in (
        (plain(STEP, 5)[1], RED, "plain, step 0.01: f itself"),
        (lowest(plain(0.001, 3000)), BLUE, "plain, step 0.001"),
        (lowest(heavy(0.001, 3000)), GREY, "momentum 0.8, step 0.001"),
        (lowest(normalised(3000)), ORANGE, "normalised, step 0.01"),
        (lowest(normalised(3000, 0.8, "1/sqrt(t)")), GREEN, "and momentum, falling step"),
    ):
        right.loglog(np.minimum(values, 1e7), color=color, linewidth=1.2, label=label)
    right.set(title="Lowest values so far", xlabel="steps", ylabel="f", xlim=(1, 3000), ylim=(1e-7, 1e7))
    right.legend(fontsize=7, loc="lower left")


if __name__ == "__main__":
    print(f"largest stable step at the minimum: {largest_stable_step():.5f}")
    for name, (points, values) in {
        "plain, step 0.01": plain(STEP, 1000),
        "momentum 0.8, step 0.01": heavy(STEP, 1000),
        "plain, step 0.001": plain(0.001, 1000),
        "momentum 0.8, step 0.001": heavy(0.001, 1000),
        "normalised, step 0.01": normalised(1000),
        "normalised, momentum 0.8": normalised(1000, 0.8),
        "the same, step falling as 1/sqrt(t)": normalised(1000, 0.8, "1/sqrt(t)"),
    }.items():
        print(f"{name}: {len(points) - 1} steps, at {points[-1]}, f = {values[-1]:.2g}, lowest {values.min():.2g}")
    picture(draw)
