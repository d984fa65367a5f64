"""Four rows of a dense table at a time: their products with a vector, and their sum into one.

    dot_four(x, i, w)               the products of the rows i = (i0, i1, i2, i3) of x with w, over the columns of x
    add_four(x, i, factors, out)    out += the sum of factors_k x_ik, over these columns

An entry of w is loaded once for four rows, one of out stored once. Eight columns make a vector; what is left of them is
a vector of which the first lanes are taken, where a loop would take as long over two columns as over sixteen: passes of
50 columns gain a third. x is of single or double precision, C-contiguous; sums are of the type of w or out, which is
that of x, or double.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic  # what it makes takes one argument less than what is written
LANES, ROWS = 8, 4
INDEX = ir.IntType(32)
MASK = ir.VectorType(ir.IntType(1), LANES)


@intrinsic
def dot_four(typingctx, x, i, w):
    def codegen(context, builder, signature, arguments):
        rows, columns, kind = _rows(context, builder, signature.args[0], *arguments[:2])
        factors = context.make_array(signature.args[2])(context, builder, value=arguments[2]).data
        sum_kind = context.get_value_type(w.dtype)
        eight = ir.VectorType(sum_kind, LANES)
        sums = [cgutils.alloca_once_value(builder, eight(None)) for _ in range(ROWS)]

        def add(load):
            factor = load(factors, sum_kind)
            for line, place in zip(rows, sums):
                product = builder.fmul(_as(builder, load(line, kind), eight), factor)
                builder.store(builder.fadd(builder.load(place), product), place)

        _over_columns(builder, columns, add)
        totals = [_summed(builder, builder.load(place)) for place in sums]
        return context.make_tuple(builder, signature.return_type, totals)

    return types.UniTuple(w.dtype, ROWS)(x, i, w), codegen


@intrinsic
def add_four(typingctx, x, i, factors, out):
    def codegen(context, builder, signature, arguments):
        rows, columns, kind = _rows(context, builder, signature.args[0], *arguments[:2])
        numbers = cgutils.unpack_tuple(builder, arguments[2], ROWS)
        sum_kind = context.get_value_type(out.dtype)
        eight = ir.VectorType(sum_kind, LANES)
        everywhere = [_everywhere(builder, number, eight) for number in numbers]
        target = context.make_array(signature.args[3])(context, builder, value=arguments[3]).data

        def add(load, store):
            a, b, c, d = (builder.fmul(f, _as(builder, load(line, kind), eight)) for f, line in zip(everywhere, rows))
            total = builder.fadd(builder.fadd(a, b), builder.fadd(c, d))
            store(builder.fadd(load(target, sum_kind), total), target)

        _over_columns(builder, columns, add, stores=True)
        return context.get_dummy_value()

    return types.none(x, i, types.UniTuple(out.dtype, ROWS), out), codegen


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
        count = _everywhere(builder, builder.trunc(left, INDEX), lanes)
        mask = builder.icmp_signed("<", lanes(list(range(LANES))), count)
        body(*access(whole, mask))


def _load(builder, place, kind, mask):
    eight, bytes_ = ir.VectorType(kind, LANES), _bytes(kind)
    place = builder.bitcast(place, eight.as_pointer())
    if mask is None:
        return builder.load(place, align=bytes_)
    function = _masked(builder, "load", kind, ir.FunctionType(eight, [eight.as_pointer(), INDEX, MASK, eight]))
    return builder.call(function, [place, INDEX(bytes_), mask, eight(None)])


def _store(builder, value, place, mask) -> None:
    eight, bytes_ = value.type, _bytes(value.type.element)
    place = builder.bitcast(place, eight.as_pointer())
    if mask is None:
        builder.store(value, place, align=bytes_)
        return
    form = ir.FunctionType(ir.VoidType(), [eight, eight.as_pointer(), INDEX, MASK])
    builder.call(_masked(builder, "store", eight.element, form), [value, place, INDEX(bytes_), mask])


def _masked(builder, what: str, kind, form):
    name = f"llvm.masked.{what}.v{LANES}f{8 * _bytes(kind)}.p0"
    return cgutils.get_or_insert_function(builder.module, form, name)


def _bytes(kind) -> int:
    return 8 if kind == ir.DoubleType() else 4


def _as(builder, value, eight):
    return value if value.type == eight else builder.fpext(value, eight)


def _everywhere(builder, number, vectors):
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
