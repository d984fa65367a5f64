"""Whole numbers as Python has them, and powers and complex quotients as NumPy has them, in the user's functions.

In Numba whole numbers wrap at 64 bits, `12 // 0` and `10 ** -2` are 0, and `x ** -2` raises at 0, where NumPy gives
inf. Here is another answer for each operation whose value would not be Python's. What Python calls undefined makes the
value of the objective NaN, as in an objective that Python evaluates; what compiled code cannot do as Python does is an
exception.

    n * m, n ** k, n << k, int(x), math.floor(x) ...    beyond 64 bits: OverflowError
    n / 0, n // 0, n % 0, int(nan), int(inf)            undefined
    n ** -k                                             a float, as written; n ** k where k is below 0: ValueError
    x ** -2, z / w                                      at 0 as in NumPy

Sums of whole numbers are not watched, as most of them are indices, nor are products that cannot reach 64 bits
(source_numbers.py), nor arrays of whole numbers, which wrap in NumPy.

How. Numba asks a context for the machine code of an operation. The context of a user's function answers some of these
questions itself (`PythonNumbers`). The array expressions in it get `NumPyNumbers`, since NumPy's whole numbers are not
Python's; what Numba compiles on the way and keeps for others gets its own.
"""

from __future__ import annotations

import copy
import math
import operator
from typing import Any

from numba.core import cgutils, types
from numba.core.base import _wrap_impl
from numba.core.callconv import errcode_t
from numba.core.compiler import Flags
from numba.core.cpu import CPUContext
from numba.core.typed_passes import NopythonTypeInference
from numba.core.untyped_passes import LiteralPropagationSubPipelinePass

from .overlaps import apart, in_place
from .source_numbers import LeaveIndices, WritePowers

UNDEFINED = -4  # a compiled function returns this beside Numba's own codes


def as_python(state: Any, pipeline: Any) -> None:
    """Compile the function of this pipeline with Python's numbers."""
    state.targetctx.__class__ = PythonNumbers  # it is this function's own copy
    pipeline.add_pass_after(WritePowers, LiteralPropagationSubPipelinePass)
    pipeline.add_pass_after(LeaveIndices, NopythonTypeInference)


class NumPyNumbers(CPUContext):
    """Numba's context, with our answers for floating-point numbers."""

    def subtarget(self, **options):
        below: Any = super().subtarget(**options)
        if "error_model" in options:  # it is for another function, one that Numba makes
            below.__class__ = NumPyNumbers
        return below

    def compile_subroutine(self, builder, impl, sig, locals=None, flags=None, caching=True):
        if caching:  # other functions than the user's may get it, too
            return _numbas(self).compile_subroutine(builder, impl, sig, locals, flags, caching)
        return super().compile_subroutine(builder, impl, sig, locals, flags, caching)

    def get_function(self, fn, sig, _firstcall=True):
        found = self.answer(getattr(fn, "typing_key", fn), sig)
        if found is None:
            return super().get_function(fn, sig, _firstcall)
        numbas = super().get_function(fn, sig, _firstcall)

        def lower(context, builder, sig, arguments):
            return found(context, builder, sig, arguments, numbas)

        return _wrap_impl(lower, self, sig.as_function())

    def answer(self, operation, sig) -> Any:
        """Our machine code for an operation; None: Numba's own."""
        if operation is operator.pow and _are(sig.args, types.Float, types.Integer):
            return power
        if operation is operator.truediv and _are(sig.args, types.Complex, types.Complex):
            return complex_quotient
        return None


class PythonNumbers(NumPyNumbers):
    """The same, with our answers for whole numbers."""

    def answer(self, operation, sig) -> Any:
        if operation in FOR_WHOLE and _are(sig.args, types.Integer, types.Integer):
            return FOR_WHOLE[operation]
        if operation in TO_WHOLE and _are(sig.args, types.Float) and isinstance(sig.return_type, types.Integer):
            return to_whole
        if in_place(operation, sig):
            return apart(operation)
        return super().answer(operation, sig)


def _are(given, *expected) -> bool:
    return len(given) == len(expected) and all(map(isinstance, given, expected))


# --- the answers: (context, builder, signature, arguments, Numba's own machine code) -> a value ---------------------


def power(context, builder, sig, arguments, numbas):
    return _call(context, builder, _power, sig, arguments)


def _power(x, k):
    """As Numba does it, but 1 / 0 is inf."""
    exponent = abs(k)
    if exponent > 0x10000:
        return math.pow(x, float(k))
    result = 1.0
    while exponent != 0:
        if exponent & 1:
            result *= x
        exponent >>= 1
        x *= x
    return 1.0 / result if k < 0 else result


def complex_quotient(context, builder, sig, arguments, numbas):
    return _call(context, builder, _complex_quotient, sig, arguments)


def _complex_quotient(z, w):
    if w.real == 0.0 and w.imag == 0.0:
        return complex(z.real / abs(w.real), z.imag / abs(w.real))
    return z / w


def whole_power(context, builder, sig, arguments, numbas):
    return _call(context, builder, _whole_power, sig, arguments)


def _whole_power(n, k):
    if k < 0:
        raise ValueError("a whole number to a negative power is a float: write the base as one (10.0 ** k)")
    result = 1
    while k > 0:
        if k & 1:
            if abs(float(result) * float(n)) >= 9.223372036854775e18:
                raise OverflowError(
                    "a whole number beyond 64 bits, which compiled code lacks: write a float (2.0 ** k)"
                )
            result *= n
        k >>= 1
        if k > 0:
            if abs(float(n)) >= 3037000499.5:
                raise OverflowError(
                    "a whole number beyond 64 bits, which compiled code lacks: write a float (2.0 ** k)"
                )
            n *= n
    return result


def product(context, builder, sig, arguments, numbas):
    if not sig.return_type.signed:
        return numbas(builder, arguments)
    n, m = (context.cast(builder, value, ty, sig.return_type) for value, ty in zip(arguments, sig.args))
    found = builder.smul_with_overflow(n, m)
    with cgutils.if_unlikely(builder, builder.extract_value(found, 1)):
        _beyond(context, builder)
    return builder.extract_value(found, 0)


def shift_left(context, builder, sig, arguments, numbas):
    if not sig.return_type.signed:
        return numbas(builder, arguments)
    return _call(context, builder, _shift_left, sig, arguments)


def _shift_left(n, k):
    if k < 0:
        raise ValueError("negative shift count")
    if n != 0 and (k > 62 or (n << k) >> k != n):
        raise OverflowError("a whole number beyond 64 bits, which compiled code lacks: write a float (2.0 ** k)")
    return n << k if n != 0 else n


def shift_right(context, builder, sig, arguments, numbas):
    if not sig.return_type.signed:
        return numbas(builder, arguments)
    return _call(context, builder, _shift_right, sig, arguments)


def _shift_right(n, k):
    if k < 0:
        raise ValueError("negative shift count")
    return n >> min(k, 63)


def quotient(context, builder, sig, arguments, numbas):
    with cgutils.if_unlikely(builder, cgutils.is_scalar_zero(builder, arguments[1])):
        _undefined(context, builder)
    return numbas(builder, arguments)


def to_whole(context, builder, sig, arguments, numbas):
    """int(x), math.floor(x) and their kin."""
    (x,) = arguments
    ends = x.type(-(2.0**63)), x.type(2.0**63)
    fits = builder.and_(builder.fcmp_ordered(">=", x, ends[0]), builder.fcmp_ordered("<", x, ends[1]))
    with cgutils.if_unlikely(builder, builder.not_(fits)):
        finite = builder.and_(
            builder.fcmp_ordered(">", x, x.type(-math.inf)), builder.fcmp_ordered("<", x, x.type(math.inf))
        )
        with builder.if_then(finite):
            _beyond(context, builder)
        _undefined(context, builder)
    return numbas(builder, arguments)


TO_WHOLE = {int, math.floor, math.ceil, math.trunc, round}
FOR_WHOLE = {
    operator.mul: product, operator.pow: whole_power, operator.lshift: shift_left, operator.rshift: shift_right,
    operator.truediv: quotient, operator.floordiv: quotient, operator.mod: quotient, divmod: quotient,
}  # fmt: skip


def _call(context, builder, function, sig, arguments):
    """Call a function of this file, compiled as NumPy divides."""
    flags: Any = Flags()
    flags.error_model = "numpy"
    compiled = context.compile_subroutine(builder, function, sig, flags=flags)
    return context.call_internal(builder, compiled.fndesc, sig, arguments)


def _numbas(context) -> Any:
    """The context as Numba has it."""
    plain = copy.copy(context)
    plain.__class__ = CPUContext
    return plain


def _beyond(context, builder) -> None:
    message = "a whole number beyond 64 bits, which compiled code lacks: write floats"
    context.call_conv.return_user_exc(builder, OverflowError, (message,))


def _undefined(context, builder) -> None:
    context.call_conv._return_errcode_raw(builder, errcode_t(UNDEFINED))
