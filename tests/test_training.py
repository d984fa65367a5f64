"""Training by mini-batches: steps against NumPy, orders, averages, early stopping, rows in files, what ends it."""

import math
import signal
import threading

import numpy as np
import pytest

from thalweg import DataSum, StopReason, minimize
from thalweg.kernels.data.rows import block_start
from thalweg.kernels.data.shuffling import run_length, shuffle

N, P = 1200, 4
RNG = np.random.default_rng(5)
X = RNG.normal(size=(N, P))
Y = np.where(X @ [1.0, -1.0, 0.5, 0.0] + RNG.logistic(size=N) > 0, 1.0, -1.0)
WEIGHTS = RNG.random(N)


def logistic(z, y):
    return math.log1p(math.exp(-y * z))


def angry(z, y):
    if z > 100.0:
        raise ValueError("too high")
    return (z - y) ** 2


DATA = DataSum(logistic, X, Y, sample_weight=WEIGHTS, l2=0.02)


def gradient(w, rows):
    s = (WEIGHTS / WEIGHTS.mean())[rows]
    z = X[rows] @ w
    return X[rows].T @ (-s * Y[rows] / (1 + np.exp(Y[rows] * z))) / len(rows) + 0.02 * w


def order_of(seed, epoch, count=N, run=1):
    order = np.empty(count, np.int64)
    shuffle(seed, epoch, np.zeros(0, np.int64), run, order)
    return order


def batches_of(seed, epochs, size):
    """The rows of each batch, epoch after epoch."""
    count = -(-N // size)
    for epoch in range(epochs):
        order = order_of(seed, epoch)
        for b in range(count):
            yield order[block_start.py_func(N, count, b) : block_start.py_func(N, count, b + 1)]


def test_adam_takes_the_steps_of_its_paper():
    """Kingma and Ba 2015, algorithm 1, written in NumPy."""
    a, b1, b2, epsilon = 0.01, 0.9, 0.999, 1e-8
    x, m, v = np.zeros(P), np.zeros(P), np.zeros(P)
    points = []
    for t, rows in enumerate(batches_of(7, 2, 100), 1):
        g = gradient(x, rows)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        x = x - a * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon)
        points.append(x)
    result = minimize(DATA, method="adam", batch_size=100, epochs=2, seed=7, options={"step": a})
    assert result.nit == result.nfev == len(points) == 24
    assert np.abs(result.x - x).max() < 1e-12
    assert result.success and abs(result.fun - DATA(x)) < 1e-12
    averaged = minimize(DATA, method="adam", batch_size=100, epochs=2, seed=7, options={"step": a}, average=1)
    assert np.abs(averaged.x - np.mean(points[12:], axis=0)).max() < 1e-12


def test_sgd_follows_its_schedule_and_tells_the_losses_of_epochs():
    x, losses = np.zeros(P), []
    for t, rows in enumerate(batches_of(3, 2, 500)):
        s = (WEIGHTS / WEIGHTS.mean())[rows]
        losses.append((s * np.log1p(np.exp(-Y[rows] * (X[rows] @ x)))).mean() + 0.01 * x @ x)
        x = x - 0.5 / (1 + 0.1 * t) * gradient(x, rows)
    calls = []
    result = minimize(
        DATA, method="SGD", batch_size=500, epochs=2, seed=3, schedule="1/t", options={"step": 0.5, "rate": 0.1},
        callback=lambda intermediate_result: calls.append(intermediate_result),
    )  # fmt: skip
    assert np.abs(result.x - x).max() < 1e-12
    assert np.abs(result.history["training"] - [np.mean(losses[:3]), np.mean(losses[3:])]).max() < 1e-12
    assert [found.epoch for found in calls] == [1, 2] and calls[1].fun == result.history["training"][1]
    assert "2 entries" in repr(result)


def test_the_bits_hang_on_the_seed_and_not_on_threads():
    large = DataSum(logistic, np.tile(X, (60, 1)), np.tile(Y, 60))
    call = {"method": "sgd", "batch_size": 40_000, "epochs": 1}
    ends = [minimize(large, seed=s, threads=t, **call).x.tobytes() for s, t in ((1, 1), (1, 2), (2, 2))]
    assert ends[0] == ends[1] != ends[2]


@pytest.mark.parametrize("run", [1, 7, 300])
def test_an_order_has_every_row_once_and_is_another_in_each_epoch(run):
    orders = [order_of(1, epoch, 1000, run) for epoch in range(2)]
    assert all((np.sort(order) == np.arange(1000)).all() for order in orders)
    assert (orders[0] != orders[1]).any() and (orders[0] == order_of(1, 0, 1000, run)).all()
    together = np.mean(np.diff(orders[0]) == 1)
    assert abs(together - (1 - 1 / run)) < 0.02


def test_runs_are_short_enough_for_the_batch():
    assert run_length(10_000, 400.0, 256, False) == 1  # in the cache
    assert run_length(10**6, 400.0, 256, False) == 16
    assert run_length(10**6, 400.0, 10**5, False) == 81
    assert run_length(10**6, 400.0, 256, True) == 2621


def test_early_stopping_keeps_the_best_by_the_validation():
    call = {"method": "sgd", "batch_size": 50, "epochs": 400, "seed": 2, "options": {"step": 2.0}}
    result = minimize(DATA, validation_fraction=0.25, patience=3, **call)
    assert result.stop_reason is StopReason.STALLED and result.success
    validation = result.history["validation"]
    assert len(validation) == result.epochs < 400
    assert validation.argmin() >= result.epochs - 1 - 3
    one = minimize(DATA, validation=(X[:200], Y[:200]), **(call | {"epochs": 1}))
    assert abs(one.history["validation"][0] - np.log1p(np.exp(-Y[:200] * (X[:200] @ one.x))).mean()) < 1e-12


def test_rows_in_a_file_are_read_there(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = DataSum(logistic, mapped, Y)
    assert data.mapped and np.shares_memory(data.source.X.x, mapped)
    result = minimize(data, method="sgd", batch_size=300, epochs=3, seed=1, options={"step": 0.5})
    assert result.fun < math.log(2) and (np.load(tmp_path / "x.npy") == X).all()


def test_what_ends_it():
    call = {"method": "sgd", "batch_size": 100, "seed": 1}
    assert minimize(DATA, max_time=1e-9, **call).stop_reason is StopReason.OUT_OF_TIME
    assert minimize(DATA, callback=lambda x: True, **call).epochs == 1
    diverged = minimize(DataSum(lambda z, y: (z - y) ** 2, X, Y), options={"step": 1e3}, epochs=99, **call)
    assert diverged.stop_reason is StopReason.DIVERGED and not diverged.success and np.isfinite(diverged.x).all()

    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    timer.start()
    stopped = minimize(DATA, epochs=10**7, **call)
    timer.join()
    assert stopped.stop_reason is StopReason.INTERRUPTED and not stopped.success
    assert stopped.epochs >= 1 and stopped.fun < math.log(2)


def test_an_exception_comes_with_its_row():
    far, y = X.copy(), Y.copy()
    far[777], y[777] = 1e3, 900.0  # z is 0 at the start, and goes there
    with pytest.raises(ValueError, match="too high") as caught:
        minimize(DataSum(angry, far, y), method="sgd", batch_size=100, options={"step": 1e-5})
    assert "raised by the loss in row 777" in caught.value.__notes__


REFUSED = [
    ({"batch_size": 0}, "batch_size: got 0, expected at least 1"),
    ({"batch_size": 2000}, "batch_size: got 2000, expected at most 1200"),
    ({"epochs": 0}, "epochs: got 0"),
    ({"method": "l_bfgs_b"}, "batch_size: l_bfgs_b goes over all rows.*one of sgd"),
    ({"max_iters": 5}, "max_iters: got 5; it is for passes over all rows"),
    ({"batch_size": None, "epochs": 3}, "epochs: got 3; it goes with a batch_size"),
    ({"validation_fraction": 1.5}, "validation_fraction: got 1.5, expected a share"),
    ({"validation_fraction": 0.1, "validation": (X, Y)}, "validation_fraction: got it beside validation"),
    ({"validation": (X[:, 1:], Y)}, "validation: its rows have not the columns"),
    ({"validation": DataSum(lambda z, y: z * y, X, Y)}, "validation: got a DataSum of another loss"),
    ({"schedule": "staircase"}, "schedule: got 'staircase', expected one of constant"),
    ({"average": -1}, "average: got -1"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_what_is_refused(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        minimize(DATA, **({"method": "adam", "batch_size": 100} | given))
