"""minimize by methods whose steps are single rows: SAGA, SVRG, Hogwild!; how they end, and what is refused."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import thalweg as tw
from thalweg.solvers import StopReason

generator = np.random.default_rng(4)
N, P = 1200, 5
X = generator.normal(size=(N, P)) * (generator.uniform(size=(N, P)) < 0.6)
Y = np.where(X @ generator.normal(size=P) + generator.normal(size=N) > 0, 1.0, -1.0)


def logistic(z, y):
    return math.log1p(math.exp(-y * z))


DENSE = tw.DataSum(logistic, X, Y, l2=0.05, fit_intercept=True)
SPARSE = tw.DataSum(logistic, csr_matrix(X), Y, l2=0.05, fit_intercept=True)


def minimum():
    """By Newton's method."""
    table, penalty, w = np.column_stack([X, np.ones(N)]), np.diag([0.05] * P + [0.0]), np.zeros(P + 1)
    for _ in range(20):
        share = 1 / (1 + np.exp(Y * (table @ w)))
        hessian = table.T * (share * (1 - share)) @ table / N + penalty
        w = w - np.linalg.solve(hessian, penalty @ w - table.T @ (Y * share) / N)
    return w


BEST = minimum()
LOWEST = DENSE(BEST)


@pytest.mark.parametrize("method", ["saga", "SVRG"])
def test_it_comes_to_the_minimum(method):
    found = tw.minimize(DENSE, method=method, seed=1, options={"gtol": 1e-8})
    np.testing.assert_allclose(found.x, BEST, atol=1e-6)
    assert found.success and found.stop_reason == StopReason.GRADIENT_SMALL and found.reproducible
    assert found.method == method.lower() and found.history["epoch"][-1] == found.epochs == len(
        found.history["training"]
    )
    assert found.history["training"][-1] == DENSE(found.x) == found.fun
    again = tw.minimize(SPARSE, method=method, seed=1, threads=1, options={"gtol": 1e-8})
    np.testing.assert_allclose(again.x, BEST, atol=1e-6)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    one, two, other = (
        tw.minimize(DENSE, method="saga", seed=seed, threads=threads, epochs=3)
        for seed, threads in ((1, 1), (1, 2), (2, 2))
    )
    assert one.x.tobytes() == two.x.tobytes() != other.x.tobytes()
    assert not one.success and one.message.startswith("The epochs are done. The largest entry of the gradient is ")


@pytest.mark.parametrize("data", [DENSE, SPARSE], ids=["dense", "sparse"])
def test_threads_without_locks_come_close_and_say_what_they_are(data):
    found = tw.minimize(data, method="hogwild", seed=1, epochs=40, options={"step": 0.05})
    assert LOWEST - 1e-15 <= found.fun < LOWEST + 1e-3
    assert found.success and not found.reproducible and "without locks: it is not reproducible" in found.message


def test_one_thread_makes_the_steps_of_the_paper():
    """Where no other thread writes, it is stochastic gradient descent; the penalty is shared out among the entries."""
    from thalweg.kernels.data.stochastic import shuffle

    for data in (DENSE, SPARSE):
        found = tw.minimize(data, method="hogwild", seed=3, epochs=2, threads=1, options={"step": 0.02, "decay": 0.5})
        held = np.array((X != 0).sum(axis=0)) if data is SPARSE else np.full(P, N)
        w, order, end = np.zeros(P + 1), np.arange(N), []
        for epoch, eta in enumerate((0.02, 0.01)):
            shuffle(order, 3, epoch)
            for i in order:
                slope = -Y[i] / (1 + np.exp(Y[i] * (X[i] @ w[:P] + w[P])))
                has = (X[i] != 0) | (data is DENSE)
                w = w - eta * np.append(slope * X[i] + has * 0.05 * N / held * w[:P], slope)
            end.append((data(w), w))
        np.testing.assert_allclose(found.x, min(end, key=lambda pair: pair[0])[1], atol=1e-12)


def test_a_general_loss_takes_a_step_length():
    def squares(w, x, y):
        return 0.5 * (np.sum(w * x) - y) ** 2

    data = tw.DataSum(squares, X, Y)
    best = np.linalg.lstsq(X, Y, rcond=None)[0]
    for method in ("saga", "svrg", "hogwild"):
        found = tw.minimize(data, np.zeros(P), method=method, seed=0, epochs=50, options={"step": 0.02})
        np.testing.assert_allclose(found.x, best, atol=1e-2 if method == "hogwild" else 1e-4)


def test_how_it_ends(capsys):
    seen = []
    found = tw.minimize(DENSE, method="saga", seed=1, callback=lambda x: bool(seen.append(x) or len(seen) == 2))
    assert found.stop_reason == StopReason.CALLBACK and found.epochs == 2 and not found.success
    found = tw.minimize(DENSE, method="saga", seed=1, target=LOWEST + 1e-3, progress=True)
    assert found.success and found.stop_reason == StopReason.REACHED_TARGET
    assert capsys.readouterr().out.count("epoch ") == found.epochs
    assert tw.minimize(DENSE, method="svrg", max_time=1e-9).stop_reason == StopReason.OUT_OF_TIME
    found = tw.minimize(DENSE, method="saga", seed=1, options={"step": 1e3})
    assert found.stop_reason == StopReason.DIVERGED and found.fun == DENSE(np.zeros(P + 1)) and not found.success
    assert tw.minimize(DENSE, BEST, method="svrg").epochs == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"bounds": [(-1, 1)] * 6},
            "bounds: .* is nothing that saga knows; it has epochs, target, max_time and options",
        ),
        ({"max_evals": 5}, "max_evals: got 5; it is nothing that saga knows"),
        ({"batch_size": 10}, "batch_size: got 10; it is nothing that saga knows"),
        ({"options": {"stepp": 1.0}}, "options: saga has no option 'stepp'; did you mean 'step'"),
        ({"options": {"step": 0.0}}, r"step: got 0\.0, expected a number above 0"),
        ({"epochs": 0}, "epochs: got 0"),
    ],
)
def test_what_is_refused(more, words):
    with pytest.raises(ValueError, match=words):
        tw.minimize(DENSE, method="saga", **more)
