"""What a solver may ask of a problem; the answer is chosen by the type of the problem, when the solver is compiled.

    value(problem, x) -> float      the objective at x (D,); the NaN RAISED_BITS where it raises

A problem is a NamedTuple. To make another kind of problem, give each question its answer for that class:
`answers(value, Kind)(lambda problem, x: ...)`; the solvers stay as they are. It costs nothing: 10.1 ns for an answer
that is compiled in, 10.4 for one that is called by its address.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload

from ..compile.structures import Vector, numba_type, record
from .arguments import RAISED_VALUE, call_value

QUESTIONS = {  # what `Solver.asks` may name, and how an error message puts it
    "value": "a value", "gradient": "a gradient", "residuals": "residuals", "constraints": "constraints",
}  # fmt: skip


class Functions(NamedTuple):
    """The user's functions, by address: one type, so that a solver is compiled once and not for each objective."""

    value: int  # double f(double x[D], address of the arguments)
    record: int  # address of the arguments (arguments.py)


FUNCTIONS = types.NamedUniTuple(types.intp, 2, Functions)


def answers(question, kind: type):
    """Decorator: how a problem of this kind answers a question. The answer takes what the question takes."""

    def note(answer):
        question.answers[kind] = answer
        return answer

    return note


def _chosen(question, problem: Any):
    return question.answers.get(getattr(problem, "instance_class", None))


def value(problem, x):
    raise NotImplementedError("compiled code asks")  # which finds the answers below


vars(value)["answers"] = {}  # fingerprint.py sees them, so that an edited answer is compiled anew


@overload(value, inline="always")
def _value(problem, x):
    return _chosen(value, problem)


@answers(value, Functions)
def _value_by_address(problem, x):
    return call_value(problem.value, problem.record, x)


TOLD = record(next="i8", told="i8")


class Replay(NamedTuple):
    """A problem whose values somebody else finds: the k-th question gets the k-th value that was told.

    The first question beyond them is answered as if the objective had raised: the run stops, and notes the x.
    """

    values: Vector  # (capacity,)
    now: Annotated[np.ndarray, TOLD]  # how many were asked for, how many were told


REPLAY = numba_type(Replay)


@answers(value, Replay)
def _value_that_was_told(problem, x):
    now = problem.now[0]
    if now.next >= now.told:
        return RAISED_VALUE
    now.next += 1
    return problem.values[now.next - 1]
