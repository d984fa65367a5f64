"""What the lessons share: the points that a method goes through, and the pictures of them."""

import io
import sys
from pathlib import Path

import numpy as np

import thalweg as tw

BLUE, ORANGE, GREEN, RED, GREY = "#1f5fa8", "#d97706", "#2e7d4f", "#b3261e", "#8a8a8a"


def walk(method, fun, x0, steps, **options):
    """The points x0, x1, ... (steps + 1, D) of a method, and the values there; fewer where the method ends before."""
    points = [np.array(x0, dtype=float)]
    options = {"gtol": 0.0, **options}  # go all the steps, however small the gradient is
    tw.minimize(
        fun, list(x0), method=method, max_iters=steps, options=options,
        callback=lambda xk: points.append(np.array(xk)), callback_every="generation",
    )  # fmt: skip
    return np.array(points), np.array([fun(point) for point in points])


def contours(axes, fun, x, y, levels):
    """Lines of equal value of a function of two variables."""
    grid = np.meshgrid(np.linspace(*x, 160), np.linspace(*y, 160))
    values = np.apply_along_axis(fun, 0, np.array(grid))
    axes.contour(*grid, values, levels=levels, colors="#b9c3cf", linewidths=0.7)
    axes.set(xlabel="x", ylabel="y", xlim=x, ylim=y)


def picture(draw, file=None):
    """`draw(left, right)` into a picture beside the script that runs, or into `file`."""
    from matplotlib.figure import Figure
    from PIL import Image  # which matplotlib needs

    figure = Figure(figsize=(8.4, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw(left, right)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.5)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    small = Image.open(drawn).convert("RGB").quantize(96, Image.Quantize.MAXCOVERAGE)  # a third of the size
    small.save(file or Path(sys.argv[0]).with_suffix(".png"), optimize=True)
