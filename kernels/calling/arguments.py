"""The extra arguments of an objective, as one record of 64-bit words that compiled code reads by address.

Every solver loop is compiled once, for one type of objective: `double f(double x[D], address)`. What the user passes
as `args` therefore travels as an address, and `load` unpacks it inside the adapter of that one objective. Words of the
record, one argument after the other:
    number      its value (a complex number takes two words, a bool is 0 or 1)
    array       the address of its first entry, then its shape (arrays are C-contiguous: strides follow)
    tuple       its members
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import typeof
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic
from numba.np.arrayobj import populate_array

from ..compile.carried_types import Data
from ..compile.python_numbers import UNDEFINED
from .states import WORD, StateType, array_of
from .what_to_write import IN_PYTHON

intrinsic: Any = _intrinsic  # what it makes takes one argument less than what is written
VECTOR = types.Array(types.float64, 1, "C")


def normalise(args) -> tuple:
    """The arguments in the form that compiled code takes, copied only where their dtype or layout demands it.

    Raises
    ------
    TypeError
        Naming the argument that cannot be compiled.
    """
    args = args if isinstance(args, tuple) else (args,)
    return tuple(_normalise(value, f"args[{k}]") for k, value in enumerate(args))


def _normalise(value, name: str):
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        if not -(2**63) <= int(value) < 2**63:
            raise TypeError(f"{name}: got the integer {value}, expected one of 64 bits (or a float)")
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value)
    if isinstance(value, complex | np.complexfloating):
        return complex(value)
    if isinstance(value, tuple):
        members = [_normalise(member, f"{name}[{k}]") for k, member in enumerate(value)]
        return type(value)(*members) if hasattr(value, "_fields") else tuple(members)
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(f"{name}: got a masked array, whose mask compiled code does not see; pass data and mask")
    if isinstance(value, list) or hasattr(value, "__array__"):
        return _normalise_array(value, name)
    raise TypeError(
        f"{name}: got {_article(type(value).__name__)}, which cannot be compiled; expected arrays, numbers or "
        f"tuples of these. {_instead(value)}, or {IN_PYTHON}"
    )


def _instead(value) -> str:
    if isinstance(value, dict):
        return "Pass its values one by one, or as a named tuple: p.a in the place of p['a']"
    if isinstance(value, str):
        return "A word that chooses is a constant: bind it with functools.partial, or pass a number"
    if callable(value):
        return "A function is bound with functools.partial, or stands in the function's closure"
    return "Put constants into the function's closure"


def _normalise_array(value, name: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name}: got a list that is no array ({error}); expected rows of equal length") from error
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name}: got an array of dtype {array.dtype}, which cannot be compiled; expected numbers")
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float64)
    if dtype.kind == "c" and dtype.itemsize not in (8, 16):
        dtype = np.dtype(np.complex128)
    return np.require(array, dtype=dtype, requirements=["C", "A"]).reshape(array.shape)


def _article(noun: str) -> str:
    return ("an " if noun[:1].lower() in "aeiou" else "a ") + noun


class Typed(tuple):
    """A tuple that has a type of its own in compiled code: `make_type(types of its members)`."""

    make_type: Any

    def __new__(cls, members, make_type):
        self = super().__new__(cls, members)
        self.make_type = make_type
        return self


def record_type(args: tuple, carried: tuple = ()) -> Any:
    """Numba's type of normalised arguments; read-only arrays count as writable, so that one adapter serves both.

    `carried`: what the function itself holds (carried.py), which stands before them and is never written to.
    """
    found = [_member_type(value, readonly=True) for value in carried]
    return types.BaseTuple.from_types(found + [_member_type(value) for value in args])


def _member_type(value, readonly: bool = False) -> Any:
    if isinstance(value, np.ndarray):
        ty: Any = typeof(value)
        return types.Array(ty.dtype, value.ndim, "C", readonly=readonly)
    if isinstance(value, tuple):
        members = [_member_type(member, readonly) for member in value]
        if isinstance(value, Typed):
            return value.make_type(members)
        named = hasattr(value, "_fields")
        return types.BaseTuple.from_types(members, type(value) if named else None)
    return typeof(value)


def pack(args: tuple) -> np.ndarray:
    """The record of normalised arguments. It borrows the arrays: keep `args` alive as long as the record is used."""
    return np.array(_words(args) or [0], dtype=np.int64)


def of_host(array: np.ndarray) -> int:
    """The address of the first entry of an array."""
    return int(array.ctypes.data)


def pack_each(
    carried: tuple, each: tuple, args: tuple, count: int, address: Callable[[np.ndarray], int] = of_host
) -> np.ndarray:
    """(m, W) a record for each of m = `count` problems: what the function carries, the k-th entries of `each`, `args`.

    each: normalised arrays of m entries; a row of numbers is handed over by its address. All of it is borrowed.
    address: of an array; it may have been copied to a place of its own.
    """
    columns = [_repeated(carried, count, address)]
    for array in each:
        if array.ndim > 1:
            places = address(array) + array.strides[0] * np.arange(count, dtype=np.int64)
            columns += [places[:, None], np.tile(np.array(array.shape[1:], dtype=np.int64), (count, 1))]
        else:
            kind = {"b": np.int64, "i": np.int64, "u": np.int64, "c": np.complex128}.get(array.dtype.kind, np.float64)
            columns.append(np.ascontiguousarray(array, dtype=kind).view(np.int64).reshape(count, -1))
    columns.append(_repeated(args, count, address))
    records = np.ascontiguousarray(np.hstack(columns))
    return records if records.size else np.zeros((count, 1), np.int64)


def _repeated(args: tuple, count: int, address) -> np.ndarray:
    return np.tile(np.array(_words(args, address), dtype=np.int64), (count, 1))


def _words(args: tuple, address: Callable[[np.ndarray], int] = of_host) -> list[int]:
    words: list[int] = []
    for value in args:
        _pack(value, words, address)
    return words


class Packed:
    """A tuple of arrays, numbers and such tuples as one record, with what it borrows from (`owner`: more of that).

    Numba takes apart a nested tuple of 20 arrays in 10 µs at each call from Python; an address costs nothing.
    """

    def __init__(self, value: tuple[Any, ...], owner: Any = None):
        self.value: Any = value
        self.owner: Any = owner
        self.words: np.ndarray = pack(value)
        self.address: int = int(self.words.ctypes.data)


def packed(value) -> Packed:
    return value if isinstance(value, Packed) else Packed(value)


def _pack(value, words: list[int], address) -> None:
    if isinstance(value, np.ndarray):
        words.append(address(value))
        words.extend(value.shape)
    elif isinstance(value, tuple):
        for member in value:
            _pack(member, words, address)
    elif isinstance(value, int):  # and bool
        words.append(int(value))
    elif isinstance(value, float):
        words.append(int(np.float64(value).view(np.int64)))
    else:
        words.extend(int(np.float64(part).view(np.int64)) for part in (value.real, value.imag))


@intrinsic
def load(typingctx, address, record):
    """The tuple of arguments, or the state, at `address`; arrays are borrowed, without a reference count."""
    record_ty = record.instance_type

    def codegen(context, builder, signature, arguments):
        if isinstance(record_ty, StateType):
            return builder.inttoptr(arguments[0], context.get_value_type(record_ty))
        value, _ = _load(context, builder, record_ty, arguments[0], 0)
        return value

    return record_ty(types.intp, record), codegen


def _load(context, builder, ty: Any, address, offset: int):
    """LLVM value of a member of type `ty` that begins `offset` words behind `address`, and the offset behind it."""

    def word(k, as_type):
        pointer = builder.inttoptr(builder.add(address, address.type(WORD * k)), as_type.as_pointer())
        return builder.load(pointer)

    intp = context.get_value_type(types.intp)
    if isinstance(ty, types.BaseTuple | Data):
        members = []
        for member_ty in ty.types:  # pyright: ignore[reportAttributeAccessIssue]
            member, offset = _load(context, builder, member_ty, address, offset)
            members.append(member)
        return context.make_tuple(builder, ty, members), offset
    if isinstance(ty, types.Array):
        words = [word(offset + k, intp) for k in range(1 + ty.ndim)]
        return array_of(context, builder, ty, words), offset + 1 + ty.ndim
    if isinstance(ty, types.Boolean):
        return builder.icmp_signed("!=", word(offset, intp), intp(0)), offset + 1
    if isinstance(ty, types.Complex):
        number = context.make_complex(builder, ty)
        part = context.get_value_type(ty.underlying_float)
        number.real, number.imag = word(offset, part), word(offset + 1, part)
        return number._getvalue(), offset + 2
    return word(offset, context.get_value_type(ty)), offset + 1


@intrinsic
def row(typingctx, x, i):
    """Row i of x (n, D) as a borrowed view (D,): no reference is counted."""

    def codegen(context, builder, signature, arguments):
        source = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        _, columns = cgutils.unpack_tuple(builder, source.shape, 2)
        start = builder.gep(source.data, [builder.mul(arguments[1], columns)])
        view = context.make_array(VECTOR)(context, builder)
        itemsize = columns.type(WORD)
        populate_array(view, start, [columns], [itemsize], itemsize, meminfo=None)
        return view._getvalue()

    return VECTOR(x, types.intp), codegen


@intrinsic
def start_of(typingctx, array):
    """The address of the first entry of an array."""

    def codegen(context, builder, signature, arguments):
        source = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        return builder.ptrtoint(source.data, context.get_value_type(types.intp))

    return types.intp(array), codegen


@intrinsic
def block(typingctx, x, i, rows):
    """The i-th so many rows of x (n, D) as a borrowed view (rows, D): several matrices of one size stand in x."""

    def codegen(context, builder, signature, arguments):
        source = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        _, columns = cgutils.unpack_tuple(builder, source.shape, 2)
        size = builder.mul(arguments[2], columns)
        start = builder.gep(source.data, [builder.mul(arguments[1], size)])
        view = context.make_array(signature.return_type)(context, builder)
        itemsize = columns.type(WORD)
        strides = [builder.mul(columns, itemsize), itemsize]
        populate_array(view, start, [arguments[2], columns], strides, itemsize, meminfo=None)
        return view._getvalue()

    return types.Array(types.float64, 2, "C")(x, types.intp, types.intp), codegen


@intrinsic
def copy_array(typingctx, target, source):
    """Copy the bytes of one C-contiguous array of any type to another of equal type and size."""

    def codegen(context, builder, signature, arguments):
        to = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        origin = context.make_array(signature.args[1])(context, builder, value=arguments[1])
        size = builder.mul(origin.nitems, origin.itemsize)
        cgutils.raw_memcpy(builder, to.data, origin.data, size, 1)
        return context.get_dummy_value()

    return types.none(target, source), codegen


@intrinsic
def call_value(typingctx, function, args, x):
    """Call the objective whose adapter stands at address `function` with x (D,); the NaN `RAISED_BITS` if it raises.

    An exception is not propagated, because in a parallel loop it would be lost or end the process: the caller replays
    the point to raise it. A NaN of the function's own, whatever its bits, comes as NumPy's: here values enter.
    """

    def codegen(context, builder, signature, arguments):
        address, record, vector = arguments
        status, value = _call(context, builder, address, vector, record)
        raised = builder.bitcast(address.type(RAISED_BITS), value.type)
        number = builder.select(builder.fcmp_unordered("uno", value, value), value.type(math.nan), value)
        undefined = builder.icmp_signed("==", status.code, status.code.type(UNDEFINED))
        failed = builder.select(undefined, value.type(math.nan), raised)
        return builder.select(status.is_ok, number, failed)

    return types.float64(types.intp, types.intp, VECTOR), codegen


@intrinsic
def call(typingctx, function, args, x):
    """Call the objective whose adapter stands at address `function` with x (D,), and raise what it raises."""

    def codegen(context, builder, signature, arguments):
        address, record, vector = arguments
        status, value = _call(context, builder, address, vector, record)
        undefined = builder.icmp_signed("==", status.code, status.code.type(UNDEFINED))
        with cgutils.if_unlikely(builder, builder.and_(status.is_error, builder.not_(undefined))):
            context.call_conv.return_status_propagate(builder, status)
        return builder.select(undefined, value.type(math.nan), value)

    return types.float64(types.intp, types.intp, VECTOR), codegen


@intrinsic
def call_adapter(typingctx, function, arguments):
    """Call the adapter at address `function` with a tuple of vectors, matrices and addresses (asking.FORMS).

    As `call_value`: the NaN RAISED_BITS where it raises.
    """

    def codegen(context, builder, signature, values):
        address, given = values
        types_given = tuple(signature.args[1].types)
        members = cgutils.unpack_tuple(builder, given, len(types_given))
        function_type = context.call_conv.get_function_type(types.float64, types_given)
        callee = builder.inttoptr(address, function_type.as_pointer())
        status, value = context.call_conv.call_function(builder, callee, types.float64, types_given, members)
        raised = builder.bitcast(address.type(RAISED_BITS), value.type)
        undefined = builder.icmp_signed("==", status.code, status.code.type(UNDEFINED))
        failed = builder.select(undefined, value.type(math.nan), raised)
        return builder.select(status.is_ok, value, failed)

    return types.float64(types.intp, arguments), codegen


@intrinsic
def word_at(typingctx, address, k):
    """The k-th word behind an address."""

    def codegen(context, builder, signature, values):
        word = context.get_value_type(types.intp)
        return builder.load(builder.gep(builder.inttoptr(values[0], word.as_pointer()), [values[1]]))

    return types.intp(types.intp, types.intp), codegen


def _call(context, builder, address, x, record):
    argument_types = (VECTOR, types.intp)
    function_type = context.call_conv.get_function_type(types.float64, argument_types)
    callee = builder.inttoptr(address, function_type.as_pointer())
    return context.call_conv.call_function(builder, callee, types.float64, argument_types, (x, record))


RAISED_BITS = 0x7FF8DEAD0000BEEF  # a quiet NaN that arithmetic does not make
RAISED_VALUE = float(np.int64(RAISED_BITS).view(np.float64))


@intrinsic
def contiguous(typingctx, x):
    """The vector x with its stride as a constant, which lets LLVM vectorise `for value in x`."""

    def codegen(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        (length,) = cgutils.unpack_tuple(builder, view.shape, 1)
        assume = builder.module.declare_intrinsic("llvm.assume", (), ir.FunctionType(ir.VoidType(), [ir.IntType(1)]))
        builder.call(assume, [builder.icmp_signed(">", length, length.type(0))])
        view.strides = cgutils.pack_array(builder, [view.itemsize.type(WORD)])
        view.itemsize = view.itemsize.type(WORD)
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return x(x), codegen


@intrinsic
def call_c(typingctx, function, x, user_data):
    """Call the C function `double (int, double *, void *)`, or without the last, at address `function`.

    `user_data` of type None stands for the form without it.
    """
    with_data = not isinstance(user_data, types.NoneType)

    def codegen(context, builder, signature, arguments):
        double, pointer = ir.DoubleType(), ir.IntType(8).as_pointer()
        argument_types = [ir.IntType(32), double.as_pointer()] + ([pointer] if with_data else [])
        callee = builder.inttoptr(arguments[0], ir.FunctionType(double, argument_types).as_pointer())
        vector = context.make_array(signature.args[1])(context, builder, value=arguments[1])
        length = builder.trunc(cgutils.unpack_tuple(builder, vector.shape, 1)[0], ir.IntType(32))
        values = [length, vector.data]
        if with_data:
            values.append(builder.inttoptr(arguments[2], pointer))
        return builder.call(callee, values)

    return types.float64(types.intp, x, user_data), codegen


@intrinsic
def call_python(typingctx, function, x):
    """Call `void (double *x, intptr_t size, double *value)` at address `function` (callback.py).

    It raises where no value came: who asks for the exception finds it with the callback.
    """

    def codegen(context, builder, signature, arguments):
        place = cgutils.alloca_once(builder, ir.DoubleType())
        _call_back(context, builder, arguments[0], (signature.args[1], arguments[1]), place)
        return builder.load(place)

    return types.float64(types.intp, x), codegen


@intrinsic
def call_python_into(typingctx, function, x, out):
    """The same of a function that gives as many values as `out` has room for; 0."""

    def codegen(context, builder, signature, arguments):
        target = context.make_array(signature.args[2])(context, builder, value=arguments[2])
        _call_back(context, builder, arguments[0], (signature.args[1], arguments[1]), target.data)
        return ir.DoubleType()(0.0)

    return types.float64(types.intp, x, out), codegen


def _call_back(context, builder, address, vector, place) -> None:
    """`place` holds the sign that nothing came, until something comes."""
    double, pointer, word = ir.DoubleType(), ir.DoubleType().as_pointer(), context.get_value_type(types.intp)
    form = ir.FunctionType(ir.VoidType(), [pointer, word, pointer])
    callee = builder.inttoptr(address, form.as_pointer())
    source = context.make_array(vector[0])(context, builder, value=vector[1])
    builder.store(builder.bitcast(word(RAISED_BITS), double), place)  # anew for each call
    builder.call(callee, [source.data, source.nitems, place])
    missing = builder.icmp_signed("==", builder.bitcast(builder.load(place), word), word(RAISED_BITS))
    with cgutils.if_unlikely(builder, missing):
        context.call_conv.return_user_exc(builder, RuntimeError, ("the objective gave no value",))
