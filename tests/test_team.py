"""Threads that share out the blocks of short passes; four rows of a table at a time."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from thalweg.kernels.compile.jit import kernel
from thalweg.kernels.data import team
from thalweg.kernels.data.four_rows import add_four, dot_four
from thalweg.solvers import DataSum, minimize

BLOCKS = 8


@kernel
def work(words, helps, counts, sums):
    """Blocks of the pass that stands, until none is left; each adds its number to its sum."""
    while True:
        k = team.take_block(words, helps)
        if k == team.NONE:
            break
        for _ in range(20_000):  # about 20 us
            sums[k] += 1.0
        counts[k] += 1
        team.block_done(words)


@kernel
def lead(words, passes, counts, sums, seen):
    for p in range(passes):
        team.open_pass(words, BLOCKS)
        work(words, False, counts, sums)
        team.wait_for_all(words)
        for k in range(BLOCKS):
            seen[p] += sums[k]  # what a helper wrote is there


def test_every_block_is_done_once_and_helpers_have_their_share():
    words, sums = team.new_team(), np.zeros(BLOCKS)
    own, helped = np.zeros((2, BLOCKS), np.int64)
    lead(words, 1, own, sums, np.zeros(1))  # a team of one
    assert own.tolist() == [1] * BLOCKS
    passes, until = 1, time.monotonic() + 20.0
    while helped.sum() == 0 and time.monotonic() < until:
        words[team.OVER] = 0
        helper = threading.Thread(target=work, args=(words, True, helped, sums))
        helper.start()
        seen = np.zeros(200)
        lead(words, seen.size, own, sums, seen)
        words[team.OVER] = 1
        helper.join()
        assert (seen == 20_000 * BLOCKS * np.arange(passes + 1, passes + 201)).all()
        passes += seen.size
        assert (own + helped == passes).all()
    assert helped.sum() > 0


def test_a_helper_goes_home_where_nobody_leads():
    words, nothing = team.new_team(), np.zeros(BLOCKS)
    begin = time.monotonic()
    work(words, True, np.zeros(BLOCKS, np.int64), nothing)
    assert time.monotonic() - begin < 5.0 and not nothing.any()


def logistic(z, y):
    return np.log1p(np.exp(-y * z))


def test_batches_have_the_same_bits_on_any_number_of_threads():
    random = np.random.default_rng(1)
    X = random.standard_normal((6000, 21))
    data = DataSum(logistic, X, np.where(X[:, 0] + random.standard_normal(6000) > 0, 1.0, -1.0), l2=1e-3)
    call = {"method": "adam", "batch_size": 2048, "epochs": 20, "seed": 3, "options": {"step": 0.05}}
    ends = [minimize(data, threads=threads, **call) for threads in (1, 2, 4)]
    assert len({end.x.tobytes() for end in ends}) == 1 and ends[0].fun < 0.5


def test_what_a_helper_raises_is_raised():
    def picky(z, y):
        if y > 1.5:
            raise ValueError("too large")
        return (z - y) ** 2

    y = np.zeros(6000)
    y[-5] = 2.0
    data = DataSum(picky, np.ones((6000, 20)), y)
    with pytest.raises(ValueError, match="too large"):
        minimize(data, method="sgd", batch_size=3000, epochs=1, threads=2)


@kernel
def products(x, i, w):
    return dot_four(x, i, w)


@kernel
def summed(x, i, factors, out):
    add_four(x, i, factors, out)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("p", [0, 1, 7, 8, 9, 50])
def test_four_rows_are_numpys(p, dtype):
    random = np.random.default_rng(p)
    x, w = random.standard_normal((9, p)).astype(dtype), random.standard_normal(p + 1)
    rows, factors, out = (3, 0, 8, 3), (1.5, -2.0, 0.25, 3.0), np.arange(p + 2.0)
    assert np.abs(products(x, rows, w) - x[list(rows)].astype(float) @ w[:p]).max() < 1e-13
    summed(x, rows, factors, out)
    expected = np.arange(p + 2.0)
    expected[:p] += np.array(factors) @ x[list(rows)].astype(float)
    assert np.abs(out - expected).max() < 1e-13
