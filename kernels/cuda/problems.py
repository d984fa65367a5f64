"""Many small problems on the device: each thread solves one after another with a sequential method, from its source.

A thread has a state of its own and takes the next problem when it is done with one; which thread solves a problem
leaves no trace. It goes on by single iterations, so that neighbours that are at different problems go together, and a
launch ends after a number of them, so that the host can look at Ctrl-C.

The arrays of all states lie side by side with the thread as the last index: where the threads of a warp read the j-th
entry, they read neighbours in memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import run
from ..compile.structures import classes, rebuilt
from ..compile.substitution import rebuild
from ..run import RAISED, RUNNING, STUCK
from .questions import Asked
from .shim import cuda, device_function

NEXT, AGAIN, FAULT = 0, 1, 2  # of `counts`: problems that were taken; that are to be done again; the first that failed


class Given(NamedTuple):
    """The problems, the same for all threads."""

    records: int  # address of the arguments of problem 0
    stride: int  # bytes to those of the next
    behind: int  # bytes in front of those of a gradient of the user's
    numbers: Any  # which problems, in the order in which they are taken
    starts: Any  # (m, D) where they begin, if `placed`
    placed: int
    at: int  # address of the room of thread 0
    memory: int  # address of its memory
    bytes: int  # of memory of a thread
    size: int  # of each of its parts


class Threads(NamedTuple):
    """What each thread has, beside its state."""

    work: Any  # (T,) the problem that it is at; -1: none
    room: Any  # (T, 1 + 3 D) questions.Asked
    full: Any  # (T,)


class Found(NamedTuple):
    ended: Any  # (m,) the records of runs
    points: Any  # (m, D) their best points; where one raised, the x at which it did
    again: Any  # (m,) problems whose thread had too little memory
    counts: Any  # (3,) NEXT, AGAIN, FAULT


def kernel_of_problems(State, advance, place, twins: dict, memo: dict):
    """`solve(states, template, threads, given, found, iterations)`: each thread makes so many iterations, at most.

    advance(problem, state, evaluations), place(x, state): of the CPU (solvers/driving/drivers.py).
    """

    def on_device(function):
        return rebuild(function, twins, device_function, memo)

    view, restore = _viewer(State), _restorer(State)
    advance, place, open_iteration = on_device(advance), on_device(place), on_device(run.open_iteration)

    @device_function
    def begin(k, state, template, given):
        restore(state, template)
        if given.placed == 1:
            place(given.starts[k], state)
        else:
            state.run.now[0].index = k
        open_iteration(state.run)

    @device_function
    def conclude(k, state, found):
        """Note how a run ended."""
        now = state.run.now[0]
        found.ended[k] = now
        at = state.run.raised_x if now.stop == RAISED else state.run.best_x
        for j in range(at.size):
            found.points[k, j] = at[j]
        if now.stop == RAISED or now.stop == STUCK:
            cuda.atomic.min(found.counts, FAULT, k)

    def solve(states, template, threads, given, found, iterations):
        t = cuda.grid(1)
        if t >= threads.work.size:
            return
        state, k = view(states, t), threads.work[t]
        now = state.run.now[0]
        for _ in range(iterations):
            if k < 0:
                next = cuda.atomic.add(found.counts, NEXT, 1)
                if next >= given.numbers.size:
                    break
                k = given.numbers[next]
                threads.full[t] = 0
                begin(k, state, template, given)
            record = given.records + k * given.stride
            memory = given.memory + t * given.bytes
            room = threads.room[t]
            asked = Asked(
                t, record, record + given.behind, room, given.at + 8 * t * room.size, memory, given.size, threads.full
            )
            advance(asked, state, 1)
            if now.stop != RUNNING:
                if threads.full[t] == 1:
                    found.again[cuda.atomic.add(found.counts, AGAIN, 1)] = k
                else:
                    conclude(k, state, found)
                k = -1
        threads.work[t] = k

    return solve


def _viewer(State):
    """`view(states, t)`: the state of thread t."""
    scope: dict[str, Any] = {**classes(State)}

    def member(name: str, kind: Any) -> str:
        dimensions = 1 if isinstance(kind, np.dtype) else kind.ndim
        return f"states.{name}[{':, ' * dimensions}t]"

    exec(f"def view(states, t):\n    return {_written(rebuilt(State, member))}\n", scope)
    return device_function(scope["view"])


def _written(state) -> str:
    """Source text that makes a state of its members' source texts."""
    if isinstance(state, str):
        return state
    return f"{type(state).__name__}({', '.join(map(_written, state))})"


def _restorer(State):
    """`restore(state, template)`: all arrays but the history, in which nothing is, as the record says."""
    lines: list[str] = []

    def member(name: str, kind: Any) -> None:
        copy = "copy_2" if not isinstance(kind, np.dtype) and kind.ndim == 2 else "copy_1"
        if name != "run.history":
            lines.append(f"    {copy}(state.{name}, template.{name})\n")

    rebuilt(State, member)
    scope: dict[str, Any] = {"copy_1": _copy_1, "copy_2": _copy_2}
    exec(f"def restore(state, template):\n{''.join(lines)}", scope)
    return device_function(scope["restore"])


@device_function
def _copy_1(target, source):
    for i in range(target.size):
        target[i] = source[i]


@device_function
def _copy_2(target, source):
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            target[i, j] = source[i, j]
