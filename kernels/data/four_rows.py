"""Four rows of a dense table at a time: their products with a vector, and their sum into one.

    dot_four(x, i, w)               the products of the rows i = (i0, i1, i2, i3) of x with w, over the columns of x
    add_four(x, i, factors, out)    out += the sum of factors_k x_ik, over these columns

An entry of w is loaded once for four rows, one of out stored once. Eight columns make a vector; what is left of them is
a vector of which the first lanes are taken, where a loop would take as long over two columns as over sixteen: passes of
50 columns gain a third. x is of single or double precision, C-contiguous; sums are in double.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic  # what it makes takes one argument less than what is written
LANES, ROWS = 8, 4
DOUBLE, INDEX, BIT = ir.DoubleType(), ir.IntType(32), ir.IntType(1)
VECTOR = ir.VectorType(DOUBLE, LANES)
MASK = ir.VectorType(BIT, LANES)


@intrinsic
def dot_four(typingctx, x, i, w):
    def codegen(context, builder, signature, arguments):
        rows, columns, kind = _rows(context, builder, signature.args[0], *arguments[:2])
        factors = context.make_array(signature.args[2])(context, builder, value=arguments[2]).data
        sums = [cgutils.alloca_once_value(builder, VECTOR(None)) for _ in range(ROWS)]

        def add(load):
            factor = load(factors, DOUBLE)
            for line, place in zip(rows, sums):
                product = builder.fmul(_wide(builder, load(line, kind)), factor)
                builder.store(builder.fadd(builder.load(place), product), place)

        _over_columns(builder, columns, add)
        totals = [_summed(builder, builder.load(place)) for place in sums]
        return context.make_tuple(builder, signature.return_type, totals)

    return types.UniTuple(types.float64, ROWS)(x, i, w), codegen


@intrinsic
def add_four(typingctx, x, i, factors, out):
    def codegen(context, builder, signature, arguments):
        rows, columns, kind = _rows(context, builder, signature.args[0], *arguments[:2])
        numbers = cgutils.unpack_tuple(builder, arguments[2], ROWS)
        everywhere = [_everywhere(builder, number, DOUBLE, VECTOR) for number in numbers]
        target = context.make_array(signature.args[3])(context, builder, value=arguments[3]).data

        def add(load, store):
            a, b, c, d = (builder.fmul(f, _wide(builder, load(line, kind))) for f, line in zip(everywhere, rows))
            total = builder.fadd(builder.fadd(a, b), builder.fadd(c, d))
            store(builder.fadd(load(target, DOUBLE), total), target)

        _over_columns(builder, columns, add, stores=True)
        return context.get_dummy_value()

    return types.none(x, i, factors, out), codegen


def _rows(context, builder, ty: Any, x, i):
    """(where the four rows begin, the number of columns, the type of a number)"""
    table = context.make_array(ty)(context, builder, value=x)
    columns = cgutils.unpack_tuple(builder, table.shape)[1]
    starts = [builder.gep(table.data, [builder.mul(k, columns)]) for k in cgutils.unpack_tuple(builder, i, ROWS)]
    return starts, columns, context.get_value_type(ty.dtype)


def _over_columns(builder, columns, body, stores: bool = False) -> None:
    """`body(load, store)` of eight columns at a time, and of what is left: loads from a row's start, stores there."""
    whole = builder.and_(columns, columns.type(-LANES))
    left = builder.sub(columns, whole)

    def access(j, mask):
        def load(start, kind):
            return _load(builder, builder.gep(start, [j]), kind, mask)

        def store(value, start):
            _store(builder, value, builder.gep(start, [j]), mask)

        return (load, store) if stores else (load,)

    with cgutils.for_range_slice(builder, whole.type(0), whole, whole.type(LANES)) as (j, _):
        body(*access(j, None))
    with builder.if_then(builder.icmp_signed(">", left, left.type(0))):
        lanes = ir.VectorType(INDEX, LANES)
        count = _everywhere(builder, builder.trunc(left, INDEX), INDEX, lanes)
        mask = builder.icmp_signed("<", lanes(list(range(LANES))), count)
        body(*access(whole, mask))


def _load(builder, place, kind, mask):
    eight = ir.VectorType(kind, LANES)
    bytes_ = 8 if kind == DOUBLE else 4
    place = builder.bitcast(place, eight.as_pointer())
    if mask is None:
        return builder.load(place, align=bytes_)
    form = ir.FunctionType(eight, [eight.as_pointer(), INDEX, MASK, eight])
    name = f"llvm.masked.load.v{LANES}f{8 * bytes_}.p0"
    function = cgutils.get_or_insert_function(builder.module, form, name)
    return builder.call(function, [place, INDEX(bytes_), mask, eight(None)])


def _store(builder, value, place, mask) -> None:
    place = builder.bitcast(place, VECTOR.as_pointer())
    if mask is None:
        builder.store(value, place, align=8)
        return
    form = ir.FunctionType(ir.VoidType(), [VECTOR, VECTOR.as_pointer(), INDEX, MASK])
    function = cgutils.get_or_insert_function(builder.module, form, f"llvm.masked.store.v{LANES}f64.p0")
    builder.call(function, [value, place, INDEX(8), mask])


def _wide(builder, value):
    return value if value.type == VECTOR else builder.fpext(value, VECTOR)


def _everywhere(builder, number, kind, vectors):
    first = builder.insert_element(vectors(ir.Undefined), number, INDEX(0))
    return builder.shuffle_vector(first, vectors(ir.Undefined), ir.VectorType(INDEX, LANES)(None))


def _summed(builder, lanes):
    """Halves added to halves."""
    width = LANES
    while width > 1:
        width //= 2
        upper = ir.Constant(ir.VectorType(INDEX, LANES), [(k + width) % LANES for k in range(LANES)])
        lanes = builder.fadd(lanes, builder.shuffle_vector(lanes, lanes, upper))
    return builder.extract_element(lanes, INDEX(0))
