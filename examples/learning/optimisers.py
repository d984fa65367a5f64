"""Logistic regression by several optimisers side by side: how far each is from the minimum, over epochs and seconds.

python examples/learning/optimisers.py
"""

import math
import time

import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, RED, picture

import thalweg as tw

VIOLET = "#7b4fa3"
METHODS = {  # name: (arguments of minimize, colour)
    "gradient descent": ({"method": "gradient_descent", "options": {"step": 1.0}}, GREY),
    "L-BFGS": ({"method": "l_bfgs_b"}, BLUE),
    "Newton-CG": ({"method": "newton_cg"}, RED),
    "SGD": ({"method": "sgd", "batch_size": 256, "schedule": "1/sqrt(t)", "options": {"step": 1.0}}, ORANGE),
    "Adam": ({"method": "adam", "batch_size": 256, "schedule": "1/sqrt(t)", "options": {"step": 0.02}}, GREEN),
    "SAGA": ({"method": "saga"}, VIOLET),
}
BY_EPOCHS = ("sgd", "adam", "saga")
EPOCHS = 60  # passes over the data


def logistic(z, y):
    """-log of the probability of y, 1 or -1; written so that exp does not overflow."""
    m = y * z
    return math.log1p(math.exp(-m)) if m > 0 else math.log1p(math.exp(m)) - m


def data(rows=100_000, columns=20, seed=1):
    """Columns that are correlated by half, on scales from 1 to 0.1; labels by the logistic model."""
    random = np.random.default_rng(seed)
    X = (random.standard_normal((rows, columns)) + random.standard_normal((rows, 1))) / math.sqrt(2)
    w = random.standard_normal(columns)
    y = np.where(random.random(rows) < 1 / (1 + np.exp(-X @ w)), 1.0, -1.0)
    return tw.DataSum(logistic, X * np.geomspace(1, 0.1, columns), y, l2=1e-4)


def minimum(total):
    return tw.minimize(total, method="newton_cg", options={"gtol": 1e-10}).fun


def run(total, arguments, epochs=EPOCHS):
    """(points, 3) epochs, seconds, values of one method; what it takes to note them does not count as time."""
    rows = [(0, 0.0, total(np.zeros(total.source.columns)))]
    begin = time.perf_counter()

    def note(intermediate_result):
        nonlocal begin
        now, found = time.perf_counter(), intermediate_result
        if found.get("nit", 1):
            rows.append((found["epoch"] if "epoch" in found else found.nfev, now - begin, total(found.x)))
        begin += time.perf_counter() - now

    limit = {"epochs" if arguments["method"] in BY_EPOCHS else "max_evals": epochs}
    tw.minimize(total, callback=note, seed=1, **limit, **arguments)
    rows = np.array(rows, dtype=float)
    if arguments["method"] == "newton_cg":  # products with the Hessian are passes, too
        for k in range(1, len(rows)):
            found = tw.minimize(total, max_iters=k, **arguments)
            rows[k, 0] = found.nfev + found.nhev
    return rows[rows[:, 0] <= epochs]


def traces(total, epochs=EPOCHS):
    """name -> what `run` gives; each method is compiled before it is timed."""
    for arguments, _ in METHODS.values():
        run(total, arguments, epochs=2)
    return {name: run(total, arguments, epochs) for name, (arguments, _) in METHODS.items()}


def drawing(found, least):
    def draw(left, right):
        for name, rows in found.items():
            for axes, column in ((left, 0), (right, 1)):
                axes.semilogy(rows[:, column], rows[:, 2] - least, color=METHODS[name][1], label=name)
        left.set(title="Over epochs", xlabel="passes over the data", ylabel="loss above the minimum")
        right.set(title="Over seconds", xlabel="seconds", ylabel="loss above the minimum")
        for axes in (left, right):
            axes.set_ylim(1e-8, 1)
        right.set_xlim(right=1.8 * max(rows[-1, 1] for rows in found.values()))  # beside the legend
        right.legend(fontsize=8, loc="lower right")

    return draw


if __name__ == "__main__":
    total = data()
    least = minimum(total)
    found = traces(total)
    for name, rows in found.items():
        near = rows[rows[:, 2] - least < 1e-3]
        print(
            f"{name}: {rows[-1, 0]:.0f} epochs, {rows[-1, 1]:.2f} s, {rows[-1, 2] - least:.1e} above the minimum;",
            end="",
        )
        print(f" 1e-3 after {near[0, 0]:.0f} epochs, {near[0, 1]:.2f} s" if len(near) else "")
    picture(drawing(found, least))
