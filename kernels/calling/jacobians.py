"""Jacobians of residuals, as machine code of the form FORMS["jacobian"]: given, by differences, or automatic.

Each is one compiled kernel for all residuals: it finds what it calls, and room to work in, in `work` (WORK).

    given          the user's function of x
    two_point      (r(x + h) - r(x)) / h
    three_point    (r(x + h) - r(x - h)) / 2h, or one-sided of second order beside a bound
    complex_step   Im r(x + ih) / h

Steps: h = eps^(1/2), eps^(1/3) (three points) times max(1, |x|), with the sign of x (Nocedal and Wright 2006, section
8.1; Squire and Trapp, SIAM Review 40 (1998) 110); turned round, or shortened, where x + h would leave the bounds.
Residuals at x stand in r when a Jacobian is asked for, and stay there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.core import cgutils, types
from numba.np.arrayobj import populate_array

from ..compile.jit import compile_for, inlined, kernel
from ..compile.structures import Vector
from .adapters import COMPLEX, address_of, once
from .arguments import VECTOR, WORD, call_adapter, intrinsic, load, word_at
from .asking import FORMS, JACOBIAN_WORK, Functions, answers, make_question

EPSILON = 2.220446049250313e-16
OF_SINGLES = 2.0**-11.5  # the relative step of two points for residuals in single precision


class Work(NamedTuple):
    """What the Jacobian of one run calls, and where it works. 0 stands where there is no function."""

    function: int  # an address: of the user's Jacobian, of the residuals, or of an automatic Jacobian
    record: int  # its arguments
    inner: int  # its workspace, where it has one
    loss: int  # the user's: (z, arguments, rho)
    loss_record: int
    relative: Vector  # (D,) steps over |x|; 0: the usual ones
    lower: Vector  # (D,) bounds
    upper: Vector  # (D,)
    x: Vector  # (D,) scratch
    r: Vector  # (M,)
    other: Vector  # (M,)
    flat: Vector  # (M D,), or (3 M,) of a loss
    complex_x: np.ndarray  # (D,)
    complex_r: np.ndarray  # (M,)


WORK = types.BaseTuple.from_types([types.intp] * 5 + [VECTOR] * 7 + [COMPLEX] * 2, Work)


def make_work(lower: np.ndarray, upper: np.ndarray, count: int, relative: Any, **functions: int) -> Work:
    """Room for `count` residuals. relative: steps over |x|, a number or (D,), None: the usual; functions: addresses."""
    n = len(lower)
    return Work(
        *(functions.get(name, 0) for name in Work._fields[:5]),
        relative=np.zeros(n) + (0.0 if relative is None else relative),
        lower=np.ascontiguousarray(lower, dtype=np.float64),
        upper=np.ascontiguousarray(upper, dtype=np.float64),
        x=np.zeros(n),
        r=np.zeros(count),
        other=np.zeros(count),
        flat=np.zeros(count * max(n, 3)),
        complex_x=np.zeros(n, dtype=np.complex128),
        complex_r=np.zeros(count, dtype=np.complex128),
    )


# 0, and the user's loss of z (M,), squared residuals, in rho (3, M)
loss: Any = make_question("loss", "problem, z, rho")


@answers(loss, Functions)
def _loss_by_address(problem, z, rho):
    work = load(word_at(problem.work, JACOBIAN_WORK), WORK)
    out = part_of(work.flat, rho.size)
    answer = call_adapter(work.loss, (z, work.loss_record, out))
    unfold(out, rho)
    return answer


@intrinsic
def part_of(typingctx, vector, size):
    """The first `size` entries of a vector, as a borrowed view."""

    def codegen(context, builder, signature, arguments):
        source = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        view = context.make_array(VECTOR)(context, builder)
        size = arguments[1]
        populate_array(view, source.data, [size], [size.type(WORD)], size.type(WORD), meminfo=None)
        return view._getvalue()

    return VECTOR(vector, types.intp), codegen


@intrinsic
def parts_of(typingctx, numbers):
    """The real and imaginary parts of complex numbers (M,), as a borrowed view (2 M,)."""

    def codegen(context, builder, signature, arguments):
        source = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        view = context.make_array(VECTOR)(context, builder)
        (count,) = cgutils.unpack_tuple(builder, source.shape, 1)
        size = builder.mul(count, count.type(2))
        data = builder.bitcast(source.data, view.data.type)
        populate_array(view, data, [size], [size.type(WORD)], size.type(WORD), meminfo=None)
        return view._getvalue()

    return VECTOR(numbers), codegen


def given(x, record, r, J, words):
    work = load(words, WORK)
    out = part_of(work.flat, J.size)
    answer = call_adapter(work.function, (x, work.record, out))
    unfold(out, J)
    return answer


def automatic(x, record, r, J, words):
    work = load(words, WORK)
    return call_adapter(work.function, (x, record, work.r, J, work.inner))


@inlined
def unfold(flat, out):
    """out, row by row."""
    n = out.shape[1]
    for i in range(out.shape[0]):
        for j in range(n):
            out[i, j] = flat[i * n + j]


@inlined
def step_of(x, relative, usual):
    """h, before the bounds are looked at."""
    sign = 1.0 if x >= 0.0 else -1.0
    h = relative * sign * abs(x)
    return sign * usual * max(1.0, abs(x)) if (x + h) - x == 0.0 else h


@inlined
def one_sided(x, h, lower, upper, points):
    """h such that x + points h is inside: turned round, or else the whole way to the farther bound."""
    reach = points * h
    if lower <= x + reach <= upper:
        return h
    if abs(reach) <= max(x - lower, upper - x):
        return -h
    return (upper - x) / points if upper - x >= x - lower else -(x - lower) / points


@inlined
def copy(source, target):
    for j in range(source.size):
        target[j] = source[j]


def two_point(x, record, r, J, words):
    work = load(words, WORK)
    copy(x, work.x)
    for j in range(x.size):
        h = step_of(x[j], work.relative[j], EPSILON**0.5)
        h = one_sided(x[j], h, work.lower[j], work.upper[j], 1.0)
        work.x[j] = x[j] + h
        answer = call_adapter(work.function, (work.x, record, work.r))
        if answer != answer:
            return answer
        h = work.x[j] - x[j]
        for i in range(r.size):
            J[i, j] = (work.r[i] - r[i]) / h
        work.x[j] = x[j]
    return 0.0


def three_point(x, record, r, J, words):
    work = load(words, WORK)
    copy(x, work.x)
    for j in range(x.size):
        low, high = work.lower[j], work.upper[j]
        h = abs(step_of(x[j], work.relative[j], EPSILON ** (1.0 / 3.0)))
        central = low <= x[j] - h and x[j] + h <= high
        if not central:
            h = one_sided(x[j], h, low, high, 2.0)
            nearest = min(x[j] - low, high - x[j])
            if abs(h) <= nearest:
                h, central = nearest, True
        first, second = x[j] + h, x[j] - h if central else x[j] + 2.0 * h
        work.x[j] = first
        answer = call_adapter(work.function, (work.x, record, work.r))
        if answer != answer:
            return answer
        work.x[j] = second
        answer = call_adapter(work.function, (work.x, record, work.other))
        if answer != answer:
            return answer
        for i in range(r.size):
            if central:
                J[i, j] = (work.r[i] - work.other[i]) / (first - second)
            else:
                J[i, j] = (4.0 * work.r[i] - 3.0 * r[i] - work.other[i]) / (second - x[j])
        work.x[j] = x[j]
    return 0.0


def complex_step(x, record, r, J, words):
    work = load(words, WORK)
    for j in range(x.size):
        work.complex_x[j] = x[j]
    for j in range(x.size):
        h = abs(step_of(x[j], work.relative[j], EPSILON**0.5))
        work.complex_x[j] = x[j] + 1j * h
        answer = call_adapter(work.function, (work.complex_x, work.record, work.complex_r))
        if answer != answer:
            return answer
        for i in range(r.size):
            J[i, j] = work.complex_r[i].imag / h
        work.complex_x[j] = x[j]
    return 0.0


SCHEMES = {"2-point": two_point, "3-point": three_point, "cs": complex_step}


def address_of_kernel(function) -> int:
    """Where the machine code of one of the above stands."""
    name = f"jacobian {function.__name__}"
    return address_of(once(name, lambda: compile_for(kernel(function, inner=True), FORMS["jacobian"])))
