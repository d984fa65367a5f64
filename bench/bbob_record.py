"""One run on a BBOB function, recorded in compiled code: when each target was first reached.

The record stands between the solver and the function, as a C function with user data: whoever asks for a value, and in
whatever language, is counted there, at 13 ns for an evaluation. No solver knows of it.
"""

import ctypes
import math

import numba
import numpy as np

from thalweg.kernels import objective
from thalweg.kernels.calling.arguments import call_adapter, call_value
from thalweg.kernels.calling.derivatives import automatic_gradient
from thalweg.kernels.functions.bbob import bbob

STEPS = np.arange(10, -41, -1)  # in fifths of a power of ten
TARGETS = 10.0 ** (STEPS / 5)  # 10^2 to 10^-8: the 51 of COCO, above f_opt
SOLVED = TARGETS[-1]
ROOM = 512
GRADIENT = 3  # evaluations that an exact gradient counts beyond its value: reverse mode, of any dimension
RECORD = np.dtype(
    [
        ("function", "i8"), ("arguments", "i8"), ("gradient", "i8"), ("work", "i8"),  # addresses
        ("evaluations", "i8"), ("f_opt", "f8"), ("gap", "f8"),  # the best value so far, above f_opt
        ("target", "f8"), ("events", "i8"),  # the next target, by fifths without an end; how many were reached
        ("due", "i8"), ("checks", "i8"),  # the next evaluation that is noted, 20 in a power of ten; how many were
        ("event_at", "i8", ROOM), ("event_gap", "f8", ROOM), ("check_at", "i8", ROOM), ("check_gap", "f8", ROOM),
    ]
)  # fmt: skip
NUMBERS = numba.types.CPointer(numba.float64)


@numba.njit
def note(run, value):
    """Count a value; note it where it reaches a target, or where its number is due."""
    run.evaluations += 1
    if value - run.f_opt < run.gap:
        run.gap = value - run.f_opt
        if run.gap <= run.target and run.events < ROOM:
            run.event_at[run.events], run.event_gap[run.events] = run.evaluations, run.gap
            run.events += 1
            run.target = 10.0 ** ((math.ceil(5.0 * math.log10(max(run.gap, 1e-99))) - 1.0) / 5.0)
    if run.evaluations >= run.due and run.checks < ROOM:
        run.check_at[run.checks], run.check_gap[run.checks] = run.evaluations, run.gap
        run.checks += 1
        run.due = max(run.evaluations + 1, math.ceil(10.0 ** (run.checks / 20.0)))


@numba.cfunc(numba.float64(numba.intc, NUMBERS, numba.types.voidptr))
def recorded(size, x, data):
    run = numba.carray(data, 1, RECORD)[0]
    value = call_value(run.function, run.arguments, numba.carray(x, size))
    note(run, value)
    return value


@numba.cfunc(numba.float64(numba.intc, NUMBERS, NUMBERS, numba.types.voidptr))
def recorded_gradient(size, x, g, data):
    """The exact gradient in g (D,), which counts `GRADIENT` evaluations beyond that of the value."""
    run = numba.carray(data, 1, RECORD)[0]
    run.evaluations += GRADIENT
    return call_adapter(run.gradient, (numba.carray(x, size), run.arguments, numba.carray(g, size), run.work))


VALUE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(recorded.address)
SLOPE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, *[ctypes.c_void_p] * 3)(recorded_gradient.address)


def exact_value(x, data):
    return VALUE(x.size, x.ctypes, data)


def exact_gradient(x, data):
    g = np.empty(x.size)
    SLOPE(x.size, x.ctypes, g.ctypes, data)
    return g


class Spent(Exception):
    """A peer has spent its budget, or has solved the problem."""


class Run:
    """One problem and the record of what is evaluated on it.

    Parameters
    ----------
    function, dimension, instance : int
        Of `bbob`.
    budget : int
        Evaluations after which `point` raises.
    """

    def __init__(self, function, dimension, instance, budget):
        self.problem, self.budget = bbob(function, dimension, instance), budget
        self.dimension, self.bounds = dimension, [(-5.0, 5.0)] * dimension
        self.goal = self.problem.minimum.fun + SOLVED
        self.bound = objective(self.problem.fun, check=False).bind(self.problem.args, np.zeros(dimension))
        self.record = np.zeros(1, RECORD)
        now = self.now
        now["function"], now["arguments"] = self.bound.address, self.bound.args_address
        now["f_opt"], now["gap"], now["target"], now["due"] = self.problem.minimum.fun, np.inf, np.inf, 1
        self.x = np.zeros(dimension)
        self.place, self.data = self.x.ctypes.data, self.record.ctypes.data
        self.calls, self.over = 0, False  # of `point`
        self.compiling = 0.0  # seconds

    @property
    def now(self):
        return self.record[0]

    @property
    def left(self):
        """Evaluations that may still be made; 0 where the problem is solved."""
        return 0 if self.now["gap"] <= SOLVED else max(self.budget - int(self.now["evaluations"]), 0)

    def compiled(self):
        """For our solvers: a C function."""
        from scipy import LowLevelCallable

        return LowLevelCallable(recorded.ctypes, ctypes.c_void_p(self.data))

    def exact(self):
        """For our solvers, fun, jac and args: the value and the exact gradient, of which each counts."""
        derivative = automatic_gradient(self.bound)
        self.work = derivative.work()
        self.now["gradient"], self.now["work"] = derivative.address, self.work.address
        self.now["evaluations"] -= GRADIENT  # `minimize` calls a jac once beforehand
        return objective(exact_value, check=False), exact_gradient, (self.data,)

    def point(self, x):
        """For peers: the value at x (D,); Spent when there is no evaluation left."""
        if self.over:
            raise Spent
        self.x[:] = x
        value = VALUE(self.dimension, self.place, self.data)
        self.calls += 1
        self.over = value <= self.goal or self.calls >= self.budget
        return value

    def points(self, rows):
        return [self.point(row) for row in rows]

    def hits(self):
        """Evaluations at which each of the 51 targets was first reached, as far as it came within the budget."""
        now = self.now
        at, gap = now["event_at"][: now["events"]], now["event_gap"][: now["events"]]
        found = [at[gap <= target][:1] for target in TARGETS]
        return [int(k[0]) for k in found if k.size and k[0] <= self.budget]
