"""sin, cos, tan, exp, log, log1p, expm1 and tanh without branches, so that LLVM vectorises the loops that call them.

Method. The argument is reduced to a short interval, where the function is a polynomial (Cody and Waite, Software Manual
for the Elementary Functions, 1980): a constant is split so that its products with small integers are exact. Rounding
errors that matter are kept as a second number (Dekker, Numer. Math. 18 (1971) 224) and added last. Integers are found
by adding 1.5 * 2**52 and read from the bits; powers of two are made as bits. The polynomials are our own
least-maximum fits (Remez exchange in 48 digits); degree, interval and relative error stand beside each.

Every operation is an IEEE double operation without flags, and none relies on a fused multiply-add: the bits are the
same wherever a function is inlined. Largest error, in units in the last place, on every argument tried:

    sin 0.77    cos 0.77    tan 1.4    exp 0.85    expm1 1.2    log 0.83    log1p 1.2    tanh 2.5

Beyond `REACH`, sin, cos and tan are the C library's: `far_sin`, `far_cos`, `far_tan`, the only names here that compile
to more than what Python says (see `_declare`). A build for another device replaces them by `LIBRARY`.
"""

import math
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, type_callable
from numba.np.ufunc.dufunc import DUFunc

from ..compile.jit import inlined, kernel
from ..compile.vector_loops import vector_names

# What objectives call has a file in the cache: else each new objective would compile it anew (0.29 s in place of 0.12).
from_disk = partial(kernel, inner=True, inline=True)

# --- arguments beyond the reach of the reduction -------------------------------------------------------------------


def far_sin(x):
    return math.sin(x) if abs(x) < math.inf else math.nan


def far_cos(x):
    return math.cos(x) if abs(x) < math.inf else math.nan


def far_tan(x):
    return math.tan(x) if abs(x) < math.inf else math.nan


def _declare(function, name):
    """Compile `function` to a call of the C function `name` that leaves the loop around it vectorisable.

    LLVM vectorises a loop with a call under a condition if the call touches no memory, cannot throw and has a vector
    form with a mask. Where that form is for another width, it tests the mask and calls the scalar function for the
    lanes that need it. We name a form of 1024 lanes, which no machine has: the function itself, never called so.
    Forms of true widths are there for an adapter (compile/vector_loops.py).
    """
    symbol = f"thalweg_{name}"
    form = f'"vector-function-abi-variant"="_ZGV_LLVM_M1024v_{symbol}({symbol}),{vector_names(symbol)}"'

    def lower(context, builder, signature, arguments):
        double, functions = ir.DoubleType(), builder.module.globals
        if symbol not in functions:
            shape = ir.FunctionType(double, [double])
            library = functions.get(name) or ir.Function(builder.module, shape, name)
            wrapper = ir.Function(builder.module, shape, symbol)
            wrapper.linkage = "linkonce_odr"
            for attribute in ("cold", "memory(none)", "noinline", "nounwind", form, "willreturn"):
                set.add(wrapper.attributes, attribute)  # past llvmlite's list of those that it knows
            body = ir.IRBuilder(wrapper.append_basic_block())
            body.ret(body.call(library, wrapper.args))
        return builder.call(functions[symbol], arguments)

    type_callable(function)(lambda context: lambda x: types.float64)
    lower_builtin(function, types.float64)(lower)


LIBRARY = {far_sin: math.sin, far_cos: math.cos, far_tan: math.tan}  # for a build that has no C library
for _function, _library in LIBRARY.items():
    _declare(_function, _library.__name__)

# --- bits ----------------------------------------------------------------------------------------------------------

ONE, TWO = np.uint64(1), np.uint64(2)  # uint64 with a Python int would become a float
MANTISSA, SIGN, ALL = np.uint64(52), np.uint64(62), np.uint64(2**64 - 1)  # SIGN: from bit 1 to the sign bit
MAGIC = 6755399441055744.0  # 1.5 * 2**52: x + MAGIC has the integer nearest to x in its lowest bits


@inlined
def _power_of_two(exponent):
    """2**(exponent - 1023) for 0 < exponent < 2047; 0 and infinity at the ends."""
    return np.uint64(exponent << MANTISSA).view(np.float64)


# --- sin, cos, tan -------------------------------------------------------------------------------------------------

REACH = 2.0e5  # below 2**17 * pi / 2
TWO_OVER_PI = 0.6366197723675814
PI_2_HIGH = 1.5707963267923333  # 36 bits, and so is the middle: exact when multiplied by up to 2**17
PI_2_MIDDLE = 2.5633441515839558e-12
PI_2_LOW = 1.0562999066987428e-23  # pi / 2 to 2**-130; the double below REACH nearest a multiple of it is 2**-60 off


@inlined
def _reduce(x):
    """x as quadrant * pi / 2 + rest + tail, |rest| <= pi / 4; the quadrant in the lowest two bits of an integer."""
    shifted = x * TWO_OVER_PI + MAGIC
    n = shifted - MAGIC
    first = x - n * PI_2_HIGH  # exact
    middle = n * PI_2_MIDDLE  # exact
    rest = first - middle
    tail = ((first - rest) - middle) - n * PI_2_LOW
    return rest, tail, np.float64(shifted).view(np.uint64)


@inlined
def _chosen(mask, one, other):
    """`one` where all bits of the mask are 1, `other` where they are 0: LLVM makes no branch of it."""
    first, second = np.float64(one).view(np.uint64), np.float64(other).view(np.uint64)
    return np.uint64(second ^ (mask & (first ^ second))).view(np.float64)


@inlined
def _negated(value, quadrant):
    """-value in quadrants 2 and 3, that is, where bit 1 is set."""
    return np.uint64(np.float64(value).view(np.uint64) ^ ((quadrant & TWO) << SIGN)).view(np.float64)


@inlined
def _sine_or_cosine(r, tail, sine):
    """sin or cos of r + tail, |r| <= pi / 4, as a sum of two: degree 13, 5e-18, or degree 14, 6e-20.

    sine: all bits 1, or 0. One polynomial with chosen coefficients takes less time than two of which one is chosen.
    """
    z = r * r
    p = _chosen(sine, 2.7557313538369857e-06, -2.7557314215997254e-07) + z * (
        _chosen(sine, -2.5050734845716875e-08, 2.087570521821464e-09)
        + z * _chosen(sine, 1.589551517104185e-10, -1.1358738219841263e-11)
    )
    p = _chosen(sine, 0.00833333333332184, -0.001388888888887334) + z * (
        _chosen(sine, -0.0001984126982935833, 2.4801587288999525e-05) + z * p
    )
    p = z * (_chosen(sine, -0.1666666666666663, 0.041666666666666595) + z * p)
    half = 0.5 * z
    head = 1.0 - half
    correction = _chosen(sine, tail * head, ((1.0 - head) - half) - r * tail)
    return _chosen(sine, r, head), correction + _chosen(sine, r, z) * p


@from_disk
def sin(x):
    x = np.float64(x)
    r, tail, quadrant = _reduce(x)
    high, low = _sine_or_cosine(r, tail, ((quadrant & ONE) ^ ONE) * ALL)
    value = _negated(high + low, quadrant)
    value = value if x != 0.0 else x  # keeps the sign of zero
    if abs(x) > REACH:
        value = far_sin(x)
    return value


@from_disk
def cos(x):
    x = np.float64(x)
    r, tail, quadrant = _reduce(x)
    high, low = _sine_or_cosine(r, tail, (quadrant & ONE) * ALL)
    value = _negated(high + low, quadrant + ONE)
    if abs(x) > REACH:
        value = far_cos(x)
    return value


@from_disk
def tan(x):
    """A quotient of sine and cosine, corrected by the rounding errors of both."""
    x = np.float64(x)
    r, tail, quadrant = _reduce(x)
    even = ((quadrant & ONE) ^ ONE) * ALL
    high, low = _sine_or_cosine(r, tail, even)
    base, base_low = _sine_or_cosine(r, tail, even ^ ALL)
    top, bottom = high + low, base + base_low
    value = top / bottom
    value += (((high - top) + low) - value * ((base - bottom) + base_low)) / bottom
    value = _negated(value, quadrant << ONE)
    value = value if x != 0.0 else x
    if abs(x) > REACH:
        value = far_tan(x)
    return value


# --- exp, expm1, tanh ----------------------------------------------------------------------------------------------

ONE_OVER_LN_2 = 1.4426950408889634
LN_2_HIGH = 0.6931471805598903  # 42 bits: exact when multiplied by an exponent
LN_2_LOW = 5.497923018708371e-14
BIASED = MAGIC + 2046.0  # twice the bias of an exponent
FIELD, TWO_BIASES = np.uint64(0xFFFF), np.uint64(2046)


@inlined
def _reduce_exp(x):
    """x as n ln 2 + r + tail, |r| <= ln(2) / 2, and n as two biased exponents, since 2**n may be beyond the doubles."""
    shifted = x * ONE_OVER_LN_2 + BIASED
    n = shifted - BIASED
    high = x - n * LN_2_HIGH  # exact
    low = n * LN_2_LOW
    r = high - low
    both = np.float64(shifted).view(np.uint64) & FIELD
    first = both >> ONE
    return r, (high - r) - low, first, both - first


@inlined
def _exp_tail(r):
    """exp(r) - 1 - r, |r| <= ln(2) / 2: degree 12, 9e-20 of exp(r)."""
    q = 2.7557249521762756e-07 + r * (2.5107091580400813e-08 + r * 2.092264792532001e-09)
    q = 0.0001984126987962475 + r * (2.4801587351066355e-05 + r * (2.75572502156557e-06 + r * q))
    q = 0.041666666666666685 + r * (0.008333333333324483 + r * (0.0013888888888872874 + r * q))
    return r * r * (0.5 + r * (0.1666666666666667 + r * q))


@from_disk
def exp(x):
    x = np.float64(x)
    x = 710.0 if x > 710.0 else x  # overflows all the same
    x = -746.0 if x < -746.0 else x
    r, tail, first, second = _reduce_exp(x)
    value = 1.0 + (r + (_exp_tail(r) + tail))
    return value * _power_of_two(first) * _power_of_two(second)


@from_disk
def expm1(x):
    """2**n (exp(r) - 1 + 1 - 2**-n), added from the largest."""
    x = np.float64(x)
    t = 710.0 if x > 710.0 else x
    t = -40.0 if t < -40.0 else t
    r, tail, first, second = _reduce_exp(t)
    offset = 1.0 - _power_of_two(TWO_BIASES - first) * _power_of_two(TWO_BIASES - second)
    head = offset + r
    value = head + (((offset - head) + r) + (_exp_tail(r) + tail))
    value = value * _power_of_two(first) * _power_of_two(second)
    return value if abs(x) > 1e-17 else x


@from_disk
def tanh(x):
    x = np.float64(x)
    t = expm1(-2.0 * abs(x))
    return math.copysign(t / (t + 2.0), x)


# --- log, log1p ----------------------------------------------------------------------------------------------------

NORMAL = 2.2250738585072014e-308  # the least number with all its bits
TWO_54 = 18014398509481984.0
EXPONENT_1024 = np.uint64(0x4000000000000000)  # 1024 as an exponent: keeps differences positive
SPLIT = np.uint64(0x4000000000000000 - 0x3FE6A09E667F3BCD)  # the same, less the bits of sqrt(1 / 2)
INTEGER = np.uint64(0x4330000000000000)  # the bits of 2**52: with those of a small integer added, 2**52 + integer
INTEGER_OFFSET = 4503599627370496.0 + 1024.0
UNIT = np.uint64(2048)


@inlined
def _split(x):
    """Positive, normal x as 2**k m with sqrt(1 / 2) <= m < sqrt(2): k, m, and k + 1024 as an integer."""
    bits = np.float64(x).view(np.uint64)
    exponent = (bits + SPLIT) >> MANTISSA
    m = np.uint64((bits + EXPONENT_1024) - (exponent << MANTISSA)).view(np.float64)
    return np.uint64(exponent | INTEGER).view(np.float64) - INTEGER_OFFSET, m, exponent


@inlined
def _log(k, f):
    """k ln 2 + log(1 + f), sqrt(1 / 2) <= 1 + f < sqrt(2): degree 15 in s, 1e-18 relative."""
    s = f / (2.0 + f)
    z = s * s
    p = 0.22222198416042233 + z * (0.1818357326438739 + z * (0.1531380269265586 + z * 0.14798616233181622))
    p = z * (0.6666666666666735 + z * (0.3999999999940917 + z * (0.285714287437695 + z * p)))
    half = 0.5 * f * f
    return k * LN_2_HIGH + (f - (half - (s * (half + p) + k * LN_2_LOW)))


@inlined
def _log_ends(x, value):
    """The value where 0 < x < infinity, else what belongs there."""
    value = value if x < math.inf else x
    value = value if x > 0.0 else -math.inf
    return value if x >= 0.0 else math.nan


@from_disk
def log(x):
    x = np.float64(x)
    small = x < NORMAL
    k, m, _ = _split(abs(x * TWO_54 if small else x))
    return _log_ends(x, _log(k - 54.0 if small else k, m - 1.0))


@from_disk
def log1p(x):
    """log of the sum 1 + x, whose rounding error is given back to the mantissa."""
    x = np.float64(x)
    total = 1.0 + x
    back = total - x
    error = (1.0 - back) + (x - (total - back))
    k, m, exponent = _split(abs(total))
    value = _log(k, (m - 1.0) + 0.5 * error * _power_of_two(UNIT - exponent))
    value = _log_ends(total, value)
    return value if abs(x) > 1e-17 else x


# --- what they stand in for ----------------------------------------------------------------------------------------


class ArrayFunction(DUFunc):
    """A function of one number as NumPy calls its own: on numbers and arrays, fused with the arithmetic around it.

    A DUFunc of Numba that compiles nothing: it hands out the kernel's machine code, for complex numbers NumPy's.
    """

    _dispatcher: Any
    _lower_me: Any

    def __init__(self, function, library):
        super().__init__(function)
        self.function, self.library = function, kernel(lambda x: library(x))

    def _compile_for_argtys(self, argtys, return_type=None):
        chosen = self.library if isinstance(argtys[0], types.Complex) else self.function
        chosen.compile(argtys)
        result = chosen.overloads[argtys]
        self._dispatcher.overloads[result.signature] = result
        self._lower_me.libs.append(result.library)
        return result


FUNCTIONS = (sin, cos, tan, exp, expm1, tanh, log, log1p)
TWINS = {getattr(math, function.__name__): function for function in FUNCTIONS}
for _function in FUNCTIONS:
    _library = getattr(np, _function.__name__)
    TWINS[_library] = ArrayFunction(_function, _library)
TWINS |= {function: function for function in FUNCTIONS}  # called by name, they keep their own flags, too
