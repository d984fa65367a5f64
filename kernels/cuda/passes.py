"""Passes over rows of data on the device: sums of losses and of their gradients, always in the same order.

A block of threads takes a range of rows, and has sums of its own; `fold` adds those of all blocks, always in the same
order. So a card gives the same bits each time.

Linear models: z_i = x_i w (+ intercept), and the gradient is the sum of l'(z_i) x_i. A block takes CHUNK rows at a
time. Its threads form teams of LANES. Each team makes products of whole rows, its lanes side by side in memory; then a
thread a row asks for the loss and its slope; then the teams add up what the rows give to the gradient, while they are
still in the cache. General losses: a thread takes a row after another, and asks for the gradient of each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .questions import Asked
from .reductions import raised
from .shim import SIMULATED, cuda, device_function

LANES, TEAMS, CHUNK = (4, 2, 8) if SIMULATED else (32, 8, 32)  # CHUNK <= LANES * TEAMS
BLOCK = LANES * TEAMS  # threads
PADDED = LANES + 1  # so that rows of shared memory lie in different banks
FOLD = 4 if SIMULATED else 128  # threads that add up one column


class Askers(NamedTuple):
    """Threads that ask a user's function: what each of them has (questions.Asked)."""

    records: int  # address of the arguments of row 0
    stride: int  # bytes to those of the next
    room: Any  # (T, 1 + 3 D)
    at: int  # address of the room of thread 0
    points: Any  # (T, 2 D) the point, and the gradient
    memory: int  # address of the memory of thread 0
    bytes: int  # of memory of a thread
    size: int  # of each of its parts
    full: Any  # (T,) 1 where that was too small


@device_function
def asked_of(askers, thread, i):
    """The problem of row i, as this thread asks it."""
    record = askers.records + i * askers.stride
    room = askers.room[thread]
    memory = askers.memory + thread * askers.bytes
    at = askers.at + 8 * thread * room.size
    return Asked(thread, record, record, room, at, memory, askers.size, askers.full)


def loss_of_engine(loss):
    """`one(askers, thread, i, z, y) -> (value, slope)` of a device function of the engine, `loss(z, y)`."""

    def one(askers, thread, i, z, y):
        return loss(z, y)

    return device_function(one)


def loss_of_user(ask):
    """The same of a function of the user's, of which `ask(problem, x, g)` gives value and derivative at x (1,)."""

    def one(askers, thread, i, z, y):
        point = askers.points[thread]
        point[0] = z
        value = ask(asked_of(askers, thread, i), point[:1], point[1:])
        return value, point[1]

    return device_function(one)


def kernel_of_linear(one):
    """`sums(X, y, weights, order, first, stop, w, askers, teams, found, fault)` for a grid of blocks of BLOCK threads.

    X (n, p), y (n,), weights (n,); the rows are order[first:stop]. w (p,), or (p + 1,) with the intercept.
    teams (blocks * TEAMS, p) is where teams add up. found (blocks, p + 2): the gradient, that of the intercept, the
    value. fault (1,): the first row whose loss raised.
    """

    def sums(X, y, weights, order, first, stop, w, askers, teams, found, fault):
        products = cuda.shared.array((CHUNK, PADDED), np.float64)
        slopes = cuda.shared.array(CHUNK, np.float64)
        block, thread, p = cuda.blockIdx.x, cuda.threadIdx.x, X.shape[1]
        team, lane = thread // LANES, thread % LANES
        own = teams[block * TEAMS + team]
        for j in range(lane, p, LANES):
            own[j] = 0.0
        blocks, n = found.shape[0], stop - first
        begin, end = first + block * n // blocks, first + (block + 1) * n // blocks
        value, intercept = 0.0, 0.0
        for start in range(begin, end, CHUNK):
            for r in range(team, CHUNK, TEAMS):
                total = 0.0
                if start + r < end:
                    i = order[start + r]
                    for j in range(lane, p, LANES):
                        total += X[i, j] * w[j]
                products[r, lane] = total
            cuda.syncthreads()
            if thread < CHUNK and start + thread < end:
                i = order[start + thread]
                z = w[p] if w.size > p else 0.0
                for k in range(LANES):
                    z += products[thread, k]
                loss, slope = one(askers, block * CHUNK + thread, i, z, y[i])
                if raised(loss):
                    cuda.atomic.min(fault, 0, i)
                value += weights[i] * loss
                slope *= weights[i]
                intercept += slope
                slopes[thread] = slope
            cuda.syncthreads()
            for r in range(team, min(CHUNK, end - start), TEAMS):
                i, slope = order[start + r], slopes[r]
                for j in range(lane, p, LANES):
                    own[j] += slope * X[i, j]
        if thread < CHUNK:
            products[thread, 0], products[thread, 1] = intercept, value
        cuda.syncthreads()
        for j in range(thread, p, BLOCK):
            total = 0.0
            for k in range(TEAMS):
                total += teams[block * TEAMS + k, j]
            found[block, j] = total
        if thread < 2:
            total = 0.0
            for k in range(CHUNK):
                total += products[k, thread]
            found[block, p + thread] = total

    return sums


def kernel_of_general(ask):
    """`sums(weights, order, first, stop, w, askers, found, fault)`: a row of `found` (T, D + 1) a thread.

    It has the gradient, and behind it the value; `ask` as of `loss_of_user`, at w (D,).
    """

    def sums(weights, order, first, stop, w, askers, found, fault):
        t, threads, D = cuda.grid(1), found.shape[0], w.size
        if t >= threads:
            return
        own, g = found[t], askers.points[t, D:]
        for j in range(D + 1):
            own[j] = 0.0
        n = stop - first
        for k in range(first + t * n // threads, first + (t + 1) * n // threads):
            i = order[k]
            value = ask(asked_of(askers, t, i), w, g)
            if raised(value):
                cuda.atomic.min(fault, 0, i)
            own[D] += weights[i] * value
            for j in range(D):
                own[j] += weights[i] * g[j]

    return sums


def fold(found, out):
    """out (C,): the sums of the columns of `found` (R, C), by a block of FOLD threads for each."""
    shared = cuda.shared.array(FOLD, np.float64)
    thread, column = cuda.threadIdx.x, cuda.blockIdx.x
    total = 0.0
    for k in range(thread, found.shape[0], FOLD):
        total += found[k, column]
    shared[thread] = total
    cuda.syncthreads()
    if thread == 0:
        total = 0.0
        for k in range(FOLD):
            total += shared[k]
        out[column] = total
