"""Derivatives from what there is: functions of the user's, differences, and each other. Each is an adapter by address.

All of them are machine code of the engine, compiled once. What they need of one problem, they find in their workspace:
a record of addresses and arrays (arguments.py), of one of the types below.

    given               the gradient by a function of the user's, the value by the objective
    given_both          the two by one function of the user's
    two_point           the gradient by forward differences, D evaluations; at a bound, backward
    three_point         by central differences, 2 D; at a bound, by three points on one side
    complex_step        the gradient by Im f(x + ih) / h, without cancellation; D evaluations at complex points
    by_gradients        a product with the Hessian: central differences of two gradients along the vector
    by_hessian          the same, where there is a Hessian
    by_products         the Hessian, a column for each product
    given_hessian       the Hessian by a function of the user's; given_product: a product with it

Steps: the square root of the precision of a double for two points, the cube root for three, times max(1, |x|), as in
Dennis and Schnabel, Numerical Methods for Unconstrained Optimization (1983), sections 5.4 and 5.6; 1e-20 times that
along the imaginary axis (Squire and Trapp, SIAM Review 40 (1998) 110).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba.core import types

from ..compile.jit import compile_for, inlined, kernel
from ..numbers.linear_algebra import EPSILON
from .adapters import COMPLEX, address_of, once
from .arguments import RAISED_VALUE, VECTOR, call_adapter, call_value, load
from .asking import FORMS, MATRIX

TWO_POINT, THREE_POINT = EPSILON**0.5, EPSILON ** (1 / 3)  # relative steps
COMPLEX_LENGTH = 1e-20
GIVEN = types.Tuple((types.intp, types.intp, types.intp, types.intp))  # objective; the user's function, its arguments
STEPS = types.Tuple((types.intp, VECTOR, VECTOR, VECTOR, VECTOR))  # objective; relative steps, bounds; a point
COMPLEX_STEP = types.Tuple((types.intp, types.intp, types.intp, COMPLEX, COMPLEX))  # objective; at complex x; a point
CHAIN = types.Tuple((types.intp, types.intp, VECTOR, VECTOR))  # an adapter, its workspace; two vectors
INSIDE = types.Tuple((types.intp, types.intp, VECTOR, VECTOR, VECTOR, VECTOR))  # the same, and bounds
FULL = types.Tuple((types.intp, types.intp, MATRIX))  # the same, with a matrix
NUMBERS = types.Tuple((types.intp, types.intp, VECTOR))  # the user's function, its arguments; numbers in or out


@inlined
def is_raised(value):
    """Whether this is the sign that a function raised."""
    return value != value and np.float64(value).view(np.int64) == np.float64(RAISED_VALUE).view(np.int64)


def given(x, args, g, work):
    objective, function, record, behind = load(work, GIVEN)
    if record == 0:  # its arguments are those of the objective, behind what that carries
        record = args + behind
    if is_raised(call_adapter(function, (x, record, g))):
        return RAISED_VALUE
    return call_value(objective, args, x)


def given_both(x, args, g, work):
    function, record, numbers = load(work, NUMBERS)
    if is_raised(call_adapter(function, (x, record, numbers))):
        return RAISED_VALUE
    for j in range(x.size):
        g[j] = numbers[j + 1]
    return numbers[0]


def two_point(x, args, g, work):
    objective, relative, lower, upper, point = load(work, STEPS)
    value = call_value(objective, args, x)
    for j in range(x.size):
        point[j] = x[j]
    for j in range(x.size):
        h = relative[j] * max(1.0, abs(x[j]))
        if x[j] < 0.0:
            h = -h
        if not lower[j] <= x[j] + h <= upper[j]:
            if lower[j] <= x[j] - h <= upper[j]:
                h = -h
            else:  # longer than the box: to the farther bound
                h = upper[j] - x[j] if upper[j] - x[j] >= x[j] - lower[j] else lower[j] - x[j]
        point[j] = x[j] + h
        h = point[j] - x[j]  # what was really added
        other = call_value(objective, args, point)
        if is_raised(other):
            return other
        g[j] = (other - value) / h if h != 0.0 else 0.0
        point[j] = x[j]
    return value


def three_point(x, args, g, work):
    objective, relative, lower, upper, point = load(work, STEPS)
    value = call_value(objective, args, x)
    for j in range(x.size):
        point[j] = x[j]
    for j in range(x.size):
        h = relative[j] * max(1.0, abs(x[j]))
        low, high = x[j] - lower[j], upper[j] - x[j]  # room on either side
        central = low >= h and high >= h
        if central:
            first, second = x[j] - h, x[j] + h
        else:
            side = 1.0 if high >= low else -1.0
            h = side * min(h, 0.5 * max(low, high))
            first, second = x[j] + h, x[j] + 2.0 * h
        point[j] = first
        one = call_value(objective, args, point)
        point[j] = second
        two = call_value(objective, args, point)
        point[j] = x[j]
        if is_raised(one):
            return one
        if is_raised(two):
            return two
        if h == 0.0:
            g[j] = 0.0
        elif central:
            g[j] = (two - one) / (second - first)
        else:  # the parabola through x, x + h, x + 2 h
            g[j] = (4.0 * one - 3.0 * value - two) / (second - x[j])
    return value


def complex_step(x, args, g, work):
    objective, function, record, point, out = load(work, COMPLEX_STEP)
    value = call_value(objective, args, x)
    for j in range(x.size):
        point[j] = x[j]
    for j in range(x.size):
        h = COMPLEX_LENGTH * max(1.0, abs(x[j]))
        point[j] = x[j] + 1j * h
        if is_raised(call_adapter(function, (point, record, out))):
            return RAISED_VALUE
        g[j] = out[0].imag / h
        point[j] = x[j]
    return value


def by_gradients(x, args, v, hv, work):
    gradient, inner, point, before, lower, upper = load(work, INSIDE)
    longest, size, back, ahead = 0.0, 0.0, np.inf, np.inf
    for j in range(x.size):
        longest, size = max(longest, abs(v[j])), max(size, abs(x[j]))
        if v[j] != 0.0:  # how far the line stays inside, either way
            low, high = (lower[j] - x[j]) / v[j], (upper[j] - x[j]) / v[j]
            if v[j] > 0.0:
                back, ahead = min(back, -low), min(ahead, high)
            else:
                back, ahead = min(back, -high), min(ahead, low)
    h = THREE_POINT * max(1.0, size) / longest if longest > 0.0 else 0.0
    if min(back, ahead) < h:  # from x to the farther side
        h = min(h, max(back, ahead))
        start, end = (0.0, h) if ahead >= back else (-h, 0.0)
    else:
        start, end = -h, h
    if not end > start:
        for j in range(x.size):
            hv[j] = 0.0
        return 0.0
    for j in range(x.size):
        point[j] = min(max(x[j] + start * v[j], lower[j]), upper[j])
    value = call_adapter(gradient, (point, args, before, inner))
    if is_raised(value):
        return value
    for j in range(x.size):
        point[j] = min(max(x[j] + end * v[j], lower[j]), upper[j])
    value = call_adapter(gradient, (point, args, hv, inner))
    if is_raised(value):
        return value
    for j in range(x.size):
        hv[j] = (hv[j] - before[j]) / (end - start)
    return 0.0


def by_hessian(x, args, v, hv, work):
    hessian, inner, H = load(work, FULL)
    value = call_adapter(hessian, (x, args, H, inner))
    if is_raised(value):
        return value
    for i in range(x.size):
        total = 0.0
        for j in range(x.size):
            total += H[i, j] * v[j]
        hv[i] = total
    return 0.0


def by_products(x, args, H, work):
    product, inner, unit, column = load(work, CHAIN)
    for j in range(x.size):
        unit[j] = 0.0
    for j in range(x.size):
        unit[j] = 1.0
        value = call_adapter(product, (x, args, unit, column, inner))
        if is_raised(value):
            return value
        unit[j] = 0.0
        for i in range(x.size):
            H[i, j] = column[i]
    for i in range(x.size):  # the Hessian of a computed function is symmetric to rounding only
        for j in range(i):
            H[i, j] = H[j, i] = 0.5 * (H[i, j] + H[j, i])
    return 0.0


def given_hessian(x, args, H, work):
    function, record, numbers = load(work, NUMBERS)
    value = call_adapter(function, (x, record, numbers))
    for i in range(x.size):
        for j in range(x.size):
            H[i, j] = numbers[i * x.size + j]
    return value


def given_product(x, args, v, hv, work):
    function, record, vector = load(work, NUMBERS)
    for j in range(x.size):
        vector[j] = v[j]
    return call_adapter(function, (x, record, hv))


def compiled(adapter: Callable, form: str) -> int:
    """The address of one of these; form: a name in asking.FORMS."""
    name = adapter.__name__
    return address_of(once(f"derivative {name}", lambda: compile_for(kernel(adapter, inner=True), FORMS[form])))


def caller(form: str) -> Callable:
    """What calls an adapter of a form from Python: (address, arguments) -> what it returns."""

    def call(address, arguments):
        return call_adapter(address, arguments)

    given = types.Tuple(FORMS[form].args)
    return once(f"call of a {form}", lambda: compile_for(kernel(call), (types.intp, given)))
