"""What a solver asks of a problem (calling/asking.py), as one thread of the device asks it.

The user's functions and their derivatives come as PTX from the machine code of the CPU (differentiate/device.py) and
are linked with the kernel, which calls them by their names. They see contiguous arrays; the arrays of a state are not
(problems.py). So each thread has a room in which x is handed over, and in which what was asked for comes back.

In the simulator, which knows no PTX, the machine code of the CPU answers, with a workspace for each thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.core import types

from ..calling import asking
from ..calling.arguments import RAISED_BITS, block, load, row
from ..calling.asking import FUNCTIONS, MATRIX, VECTOR
from ..calling.derivatives import AUTOMATIC
from ..calling.objective import CompiledObjective
from ..compile.jit import compile_for, kernel, once
from ..differentiate.adjoint import FULL
from ..differentiate.device import KINDS, ROOM
from ..differentiate.runtime import UNDEFINED
from ..numbers import linear_algebra
from ..numbers.sums import LANES, add_rows, add_whole_rows, dots
from .shim import SIMULATED, address_of, cuda, device_function, inlined_device_function, room_on_device

RAISED = np.int64(RAISED_BITS)


class Asked(NamedTuple):
    """A problem, as one thread asks it."""

    thread: int
    record: int  # address of its arguments
    beside: int  # address of those of a gradient of the user's
    room: Any  # (1 + 3 D,) the value; x; the first and the second array that is handed over
    at: int  # address of the room
    memory: int  # address of the thread's memory
    size: int  # bytes of each of its parts
    full: Any  # (threads,) 1 where it was too small


class Memory:
    """The memory of all threads: each has `each` bytes, the first at `address`.

    In the simulator it holds the functions of each thread, with workspaces of its own.
    """

    def __init__(self, kinds: dict, bound: CompiledObjective, threads: int, size: int):
        if SIMULATED:
            problems = [bound.problem() for _ in range(threads)]
            words = np.array([problem.words for problem in problems])
            self.held, self.address, self.each = (problems, words), int(words.ctypes.data), words.strides[0]
        else:
            self.each = self.bytes(kinds, size)
            self.held = room_on_device((threads * self.each,), np.uint8)
            self.address = address_of(self.held)

    @staticmethod
    def bytes(kinds: dict, size: int) -> int:
        """Of a thread, for device functions of these kinds, with parts of so many bytes."""
        return ROOM + size * max(KINDS[kind].parts for kind in kinds)


def kinds_of(bound: CompiledObjective) -> dict[str, CompiledObjective]:
    """Which device functions are needed, each a kind of device.KINDS, and of what: the objective, or a given gradient.

    Raises
    ------
    ValueError
        What has to be found by differences.
    """
    kinds = {"value": bound}
    for name, derivative in bound.derivatives.of.items() if bound.derivatives else ():
        if derivative.how == AUTOMATIC:
            kinds["product" if name == "hessian" else name] = bound
        elif name == "gradient" and derivative.function is not None and derivative.function.compiled:
            kinds["vector"] = derivative.function.bound
        else:
            raise ValueError(
                f"device='cuda': {asking.QUESTIONS[name]} would be found as {derivative.how!r}, which a GPU does not "
                f"do; give a function, or leave jac out for the automatic derivative, or use device='cpu'"
            )
    return kinds


def answers(given: bool) -> dict:
    """Questions of calling/asking.py, and what else a GPU does in another way -> functions of the device.

    given: the gradient is a function of the user's.
    """
    views = {row: _row, block: _block, add_rows: _add_rows, add_whole_rows: _add_rows}
    if SIMULATED:
        return {**_by_machine_code(), **views, dots: _dots}
    sums = {linear_algebra.dot: _dot, linear_algebra.two_dots: _two_dots, linear_algebra.four_dots: _four_dots}
    return {**_by_ptx(given), **views, **sums}


# The eight sums of the CPU are for its vector unit, and here half of all machine code; its code for rows and vectors of
# them knows arrays whose entries are neighbours, which those of a thread are not.


@device_function
def _dot(a, b, n):
    """The sum of a_j b_j."""
    total = 0.0
    for j in range(n):
        total += a[j] * b[j]
    return total


@device_function
def _two_dots(a, b, c, n):
    first, second = 0.0, 0.0
    for j in range(n):
        first += a[j] * b[j]
        second += a[j] * c[j]
    return first, second


@device_function
def _four_dots(a, b, c, d, n):
    ac, ad, bc, bd = 0.0, 0.0, 0.0, 0.0
    for j in range(n):
        ac += a[j] * c[j]
        ad += a[j] * d[j]
        bc += b[j] * c[j]
        bd += b[j] * d[j]
    return ac, ad, bc, bd


@device_function
def _add_rows(factors, matrix, rows, out, n):
    for j in range(n):
        total = out[j]
        for k in range(rows):
            total += factors[k] * matrix[k, j]
        out[j] = total


def _dots(left, right, n):
    """In the simulator: with the bits of the CPU (numbers/sums.py)."""
    sums = []
    for a in left:
        for b in right:
            lanes, whole = [0.0] * LANES, n - n % LANES
            for j in range(n):
                lane = j % LANES if j < whole else 0
                lanes[lane] += a[j] * b[j]
            pairs = [lanes[k] + lanes[k + 4] for k in range(4)]
            sums.append((pairs[0] + pairs[1]) + (pairs[2] + pairs[3]))
    return tuple(sums)


@inlined_device_function  # Numba lets no other hand out an array
def _row(x, i):
    return x[i]


@inlined_device_function
def _block(x, i, rows):
    return x[i * rows : (i + 1) * rows]


@once
def external(kind: str):
    """A device function that is linked with the kernel: status = thalweg_<kind>(words)."""
    words = 5 + len(KINDS[kind].handed.split())
    return cuda.declare_device(symbol_of(kind), f"int32({', '.join(['int64'] * words)})")


def symbol_of(kind: str) -> str:
    return f"thalweg_{kind}"


# --- on a GPU --------------------------------------------------------------------------------------------------------


@device_function
def hand_over(problem, x, place):
    """x (D,) into the room."""
    for j in range(x.size):
        problem.room[place + j] = x[j]


@device_function
def fetch(problem, place, out):
    for j in range(out.size):
        out[j] = problem.room[place + j]


@device_function
def answer(problem, status, value):
    """What a solver is told. Where the memory was too small it is noted, and the run stops as at an exception."""
    if status == 0:
        return value if value == value else np.nan  # whatever the bits of the function's own
    if status == UNDEFINED:
        return np.nan
    if status == FULL:
        problem.full[problem.thread] = 1
    return RAISED.view(np.float64)


@once
def _by_ptx(given: bool) -> dict:
    ask_value, ask_gradient, ask_vector = external("value"), external("gradient"), external("vector")
    ask_product = external("product")

    @device_function
    def value(problem, x):
        hand_over(problem, x, 1)
        at = problem.at
        status = ask_value(at + 8, x.size, problem.record, at, problem.memory, problem.size)
        return answer(problem, status, problem.room[0])

    @device_function
    def automatic(problem, x, g):
        n, at = x.size, problem.at
        hand_over(problem, x, 1)
        status = ask_gradient(at + 8, n, problem.record, at, at + 8 * (1 + n), problem.memory, problem.size)
        fetch(problem, 1 + n, g)
        return answer(problem, status, problem.room[0])

    @device_function
    def by_user(problem, x, g):
        n, at = x.size, problem.at
        hand_over(problem, x, 1)
        status = ask_vector(at + 8, n, problem.beside, at + 8 * (1 + n), n, problem.memory, problem.size)
        fetch(problem, 1 + n, g)
        if status != 0 and status != UNDEFINED:
            return answer(problem, status, 0.0)
        return value(problem, x)

    @device_function
    def product(problem, x, v, hv):
        n, at = x.size, problem.at
        hand_over(problem, x, 1)
        hand_over(problem, v, 1 + n)
        ahead, behind = at + 8 * (1 + n), at + 8 * (1 + 2 * n)
        status = ask_product(at + 8, n, problem.record, ahead, behind, problem.memory, problem.size)
        fetch(problem, 1 + 2 * n, hv)
        return answer(problem, status, 0.0)

    @device_function
    def hessian(problem, x, H):
        n, at = x.size, problem.at
        hand_over(problem, x, 1)
        ahead, behind = at + 8 * (1 + n), at + 8 * (1 + 2 * n)
        for j in range(n):
            for i in range(n):
                problem.room[1 + n + i] = 1.0 if i == j else 0.0
            status = ask_product(at + 8, n, problem.record, ahead, behind, problem.memory, problem.size)
            if status != 0:
                return answer(problem, status, 0.0)
            for i in range(n):
                H[i, j] = problem.room[1 + 2 * n + i]
        for i in range(n):  # the Hessian of a computed function is symmetric to rounding only
            for j in range(i):
                H[i, j] = H[j, i] = 0.5 * (H[i, j] + H[j, i])
        return 0.0

    return {
        asking.value: value, asking.value_and_gradient: by_user if given else automatic,
        asking.hessian_product: product, asking.hessian: hessian, **_free(),
    }  # fmt: skip


def _free() -> dict:
    """Derivatives that cost no further evaluations: no others are found on a GPU."""
    nothing = device_function(lambda problem: 0)
    return dict.fromkeys((asking.price, asking.product_price, asking.hessian_price), nothing)


# --- in the simulator ------------------------------------------------------------------------------------------------


@once
def _by_machine_code() -> dict:
    def one(functions, record):
        return asking.with_record(load(functions, FUNCTIONS), record)

    one = kernel(one, inner=True, inline=True, cached=False)

    def value(functions, record, x):
        return asking.value(one(functions, record), x)

    def gradient(functions, record, x, g):
        return asking.value_and_gradient(one(functions, record), x, g)

    def product(functions, record, x, v, hv):
        return asking.hessian_product(one(functions, record), x, v, hv)

    def hessian(functions, record, x, H):
        return asking.hessian(one(functions, record), x, H)

    def asker(function, *arrays):
        @once
        def compiled():
            return compile_for(kernel(function), (types.intp, types.intp, *arrays))

        def ask(problem, *given):
            handed = [np.array(array) for array in given]  # contiguous ones
            found = compiled()(problem.memory, problem.record, *handed)
            if len(given) > 1:
                given[-1][...] = handed[-1]
            return np.float64(found)

        return ask

    return {
        asking.value: asker(value, VECTOR), asking.value_and_gradient: asker(gradient, VECTOR, VECTOR),
        asking.hessian_product: asker(product, VECTOR, VECTOR, VECTOR), asking.hessian: asker(hessian, VECTOR, MATRIX),
        **_free(),
    }  # fmt: skip
