"""How fast mini-batches train beside one look at the data, scikit-learn's SGDClassifier and PyTorch.

    python bench/learning.py [--rows 1000000] [--columns 50] [--repeats 5] [--threads 2]

Logistic regression on rows of independent columns, labels drawn from a logistic model, with the penalty 1e-4/2 |w|^2,
which is SGDClassifier's default. Ours is given the loss as a user writes it, loss(z, y), and Adam, batches of 4096.

First, an epoch of Adam beside one look at X: the sum of its numbers, compiled, on the same threads. Both are timed in
turns, by the clock, and by the CPU time of all threads, which others on the machine lengthen less. Required: at most 3
times the look.

Then the time to the same loss: to within 0.02 (F(0) - F*) of the least, F* being that of l_bfgs_b at a tight
tolerance. Each is timed epoch by epoch, and the losses are computed afterwards, outside of the times. PyTorch: Adam
with the same step and batches, gathered by a random permutation, gradients by its autograd, on the same threads; and
with the batch of 1024, at which it needs fewer epochs. SGDClassifier: as it stands, an epoch for each partial_fit.
Validated first: the objective at one point is that of NumPy. Required: at most half of the others' time.
"""

import argparse
import os
import time
import warnings
from importlib import import_module

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numba
import numpy as np
from common import machine, save, table, versions
from numba import prange
from sklearn.linear_model import SGDClassifier

import thalweg as tw
from thalweg.kernels.compile.jit import RELAXED, kernel

torch = import_module("torch")  # last, as it may take this folder from the path
PENALTY, NEAR, STEP, BATCH, EPOCHS, OF_TORCH = 1e-4, 0.02, 0.01, 4096, 12, 4
LOOK, HALF = 3.0, 2.0  # required


def logistic(z, y):
    return np.log1p(np.exp(-y * z))


@kernel(parallel=True, flags=RELAXED)
def look(numbers):
    """The sum of all numbers."""
    parts = np.zeros(64)
    for k in prange(64):
        part = numbers[k * numbers.size // 64 : (k + 1) * numbers.size // 64]
        total = numbers.dtype.type(0.0)
        for i in range(part.size):
            total += part[i]
        parts[k] = total
    return parts.sum()


def cells(pairs):
    """Times of look and epoch, in ms, and their ratio: on the clock, and of the CPU."""
    least = 1e3 * pairs.min(axis=0)
    return [f"{v:.1f}" for v in least[:2]] + [f"{least[1] / least[0]:.2f}"] + [
        f"{v:.1f}" for v in least[2:]] + [f"{least[3] / least[2]:.2f}"]  # fmt: skip


def timed(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


def make(rows, columns, seed=1):
    random = np.random.default_rng(seed)
    X, w = random.standard_normal((rows, columns)), random.standard_normal(columns) / np.sqrt(columns)
    return X, np.where(X @ w + random.logistic(size=rows) > 0, 1.0, -1.0)


def losses(X, y, points):
    """F at points (k, D)."""
    z = y[:, None] * (X @ np.transpose(points))
    return np.logaddexp(0.0, -z).mean(axis=0) + 0.5 * PENALTY * np.sum(np.square(points), axis=1)


def ours(data, threads, batch, seed):
    """(seconds after each epoch, the points there)"""
    seen = []
    tw.minimize(
        data, method="adam", batch_size=batch, epochs=EPOCHS, options={"step": STEP}, seed=seed, threads=threads,
        callback=lambda intermediate_result: seen.append((intermediate_result.seconds, intermediate_result.x)),
    )  # fmt: skip
    return np.array([s for s, _ in seen]), np.array([x for _, x in seen])


def torchs(X, y, threads, batch, seed):
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=STEP, weight_decay=PENALTY)
    seconds, points, spent = [], [], 0.0
    for _ in range(OF_TORCH):
        begin = time.perf_counter()
        for rows in torch.randperm(len(X)).split(batch):
            optimizer.zero_grad()
            torch.nn.functional.softplus(-y[rows] * (X[rows] @ w)).mean().backward()
            optimizer.step()
        spent += time.perf_counter() - begin
        seconds.append(spent)
        points.append(w.detach().numpy().astype(np.float64))
    return np.array(seconds), np.array(points)


def sklearns(X, y, seed):
    model = SGDClassifier(loss="log_loss", alpha=PENALTY, fit_intercept=False, random_state=seed)
    seconds, points, spent = [], [], 0.0
    for _ in range(EPOCHS):
        begin = time.perf_counter()
        model.partial_fit(X, y, classes=[-1.0, 1.0])
        spent += time.perf_counter() - begin
        seconds.append(spent)
        points.append(model.coef_[0].copy())
    return np.array(seconds), np.array(points)


def reached(seconds, points, X, y, goal):
    """(seconds to the goal, epochs); inf where it was not reached."""
    found = losses(X, y, points) <= goal
    return (seconds[found.argmax()], int(found.argmax()) + 1) if found.any() else (np.inf, len(points))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    numba.set_num_threads(given.threads)
    X, y = make(given.rows, given.columns)
    single = X.astype(np.float32)
    data = {"float64": tw.DataSum(logistic, X, y, l2=PENALTY), "float32": tw.DataSum(logistic, single, y, l2=PENALTY)}
    tensors = {name: (torch.from_numpy(d), torch.from_numpy(y.astype(d.dtype))) for name, d in
               (("float64", X), ("float32", single))}  # fmt: skip

    point = np.random.default_rng(0).standard_normal(given.columns)
    assert abs(data["float64"](point) / losses(X, y, point[None])[0] - 1.0) < 1e-12
    best = tw.minimize(data["float64"], options={"gtol": 1e-9}, ftol=None)
    goal = best.fun + NEAR * (np.log(2.0) - best.fun)

    looks = {}
    for name, rows in (("float64", X), ("float32", single)):
        flat, pairs = rows.reshape(-1), []
        look(flat)
        ours(data[name], given.threads, BATCH, 0)
        for repeat in range(3 * given.repeats):
            begin = time.process_time()
            seconds, _ = ours(data[name], given.threads, BATCH, repeat)
            middle = time.process_time()
            once = min(timed(look, flat) for _ in range(EPOCHS))
            spent = (time.process_time() - middle) / EPOCHS, (middle - begin) / EPOCHS
            pairs.append((once, np.diff(seconds).min(), *spent))
        looks[name] = np.array(pairs)

    ways = {
        "ours, float64, 4096": lambda s: ours(data["float64"], given.threads, BATCH, s),
        "PyTorch, float64, 4096": lambda s: torchs(*tensors["float64"], given.threads, BATCH, s),
        "PyTorch, float64, 1024": lambda s: torchs(*tensors["float64"], given.threads, 1024, s),
        "scikit-learn SGDClassifier, float64": lambda s: sklearns(X, y, s),
        "ours, float32, 4096": lambda s: ours(data["float32"], given.threads, BATCH, s),
        "PyTorch, float32, 4096": lambda s: torchs(*tensors["float32"], given.threads, BATCH, s),
    }
    times = {name: [] for name in ways}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for repeat in range(given.repeats):
            for name, way in ways.items():
                times[name].append(reached(*way(repeat), X, y, goal))

    head = ["precision", "one look, ms", "an epoch, ms", "ratio", "look, CPU ms", "epoch, CPU ms", "ratio"]
    rows = [[name, *cells(pairs)] for name, pairs in looks.items()]
    text = [
        "# Training by mini-batches",
        f"`python bench/learning.py --rows {given.rows} --columns {given.columns}`, {given.threads} threads, "
        f"{machine()['cpu']}, {machine()['date']}.",
        f"An epoch of Adam (batches of {BATCH}) beside the sum of all numbers of X: the least of "
        f"{3 * given.repeats * EPOCHS}, in turns. Required: at most {LOOK:g} times.",
        table(head, rows),
        f"Seconds to a loss within {NEAR:g} of the way from F(0) to the least, the median of {given.repeats} seeds, "
        f"one after another in turns. Required: at most 1/{HALF:g} of the others'.",
    ]
    mine = {kind: np.array(times[f"ours, {kind}, 4096"])[:, 0] for kind in ("float64", "float32")}
    rows = []
    for name, found in times.items():
        seconds, epochs = np.array(found).T
        ratio = seconds / mine["float32" if "float32" in name else "float64"]
        rows.append([name, f"{np.median(seconds):.3f}", f"{np.median(epochs):.0f}", f"{np.median(ratio):.1f}"])
    text.append(table(["", "seconds", "epochs", "to ours"], rows))
    text.append("Versions: " + ", ".join(f"{k} {v}" for k, v in versions("scikit-learn", "torch").items()))
    print("\n\n".join(text))
    result = {"looks": {k: v.tolist() for k, v in looks.items()}, "times": times, "machine": machine()}
    save("learning", result | {"versions": versions("scikit-learn", "torch")}, "\n\n".join(text))


if __name__ == "__main__":
    main()
