"""Sums of products, eight running sums at a time.

A strict sum of doubles waits for each addition before the next, and a compiler must not reorder it. So a sum is defined
as eight of them: sum l takes the entries l, l + 8, ...; what is left beyond the last whole eight goes to the first.
Numba does not make vectors of eight such sums in a loop (LLVM's SLP vectoriser is off), so they are written as vectors
here. The bits do not hang on the width of the machine's registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic  # what it makes takes one argument less than what is written
LANES, BLOCK = 8, 4
DOUBLE, INDEX = ir.DoubleType(), ir.IntType(32)
VECTORS = ir.VectorType(DOUBLE, LANES)


@intrinsic
def dots(typingctx, left, right, n):
    """The sums of a_j b_j over j < n, for each a of `left` and, within it, each b of `right`: tuples of vectors.

    All at once: an entry is read once for all sums that it is part of, and none of them waits for another.
    """

    def codegen(context, builder, signature, arguments):
        a = [_data(context, builder, *one) for one in _members(builder, signature.args[0], arguments[0])]
        b = [_data(context, builder, *one) for one in _members(builder, signature.args[1], arguments[1])]
        n = arguments[2]
        whole = builder.and_(n, n.type(-LANES))
        running = [cgutils.alloca_once_value(builder, VECTORS(None)) for _ in range(len(a) * len(b))]
        with cgutils.for_range_slice(builder, n.type(0), whole, n.type(LANES)) as (j, _):
            _add_products(builder, [_eight(builder, p, j) for p in a], [_eight(builder, p, j) for p in b], running)
        lanes = [builder.load(place) for place in running]
        firsts = [cgutils.alloca_once_value(builder, builder.extract_element(v, INDEX(0))) for v in lanes]
        with cgutils.for_range_slice(builder, whole, n, n.type(1)) as (j, _):
            _add_products(builder, [_one(builder, p, j) for p in a], [_one(builder, p, j) for p in b], firsts)
        sums = [_joined(builder, builder.load(first), v) for first, v in zip(firsts, lanes)]
        return context.make_tuple(builder, signature.return_type, sums)

    return types.UniTuple(types.float64, len(left) * len(right))(left, right, n), codegen


@intrinsic
def add_rows(typingctx, factors, matrix, rows, out, n):
    """out_j += the sum of factors_k matrix_kj over k < rows, one after another, for j < n."""

    return types.none(factors, matrix, rows, out, n), _adder((BLOCK * LANES, LANES, 1))


@intrinsic
def add_whole_rows(typingctx, factors, matrix, rows, out, n):
    """The same for few columns, whose number is a multiple of eight: a third of the code."""
    return types.none(factors, matrix, rows, out, n), _adder((LANES,))


def _adder(counts: tuple[int, ...]):
    """Code that adds rows, so many columns at a time, and what is left with the next of the counts."""

    def codegen(context, builder, signature, arguments):
        _, matrix_type, _, out_type, _ = signature.args
        columns = cgutils.unpack_tuple(builder, context.make_array(matrix_type)(context, builder, arguments[1]).shape)[
            1
        ]
        factors = _data(context, builder, signature.args[0], arguments[0])
        matrix = _data(context, builder, matrix_type, arguments[1])
        rows, out, n = arguments[2], _data(context, builder, out_type, arguments[3]), arguments[4]
        begin = n.type(0)
        for count in counts:
            load = _one if count == 1 else _eight
            end = builder.and_(n, n.type(-count))
            with cgutils.for_range_slice(builder, begin, end, n.type(count)) as (j, _):
                places = [builder.add(j, n.type(k)) for k in range(0, count, LANES)]
                sums = [cgutils.alloca_once_value(builder, load(builder, out, place)) for place in places]
                with cgutils.for_range(builder, rows) as loop:
                    factor = builder.load(builder.gep(factors, [loop.index]))
                    factor = factor if count == 1 else _everywhere(builder, factor)
                    line = builder.gep(matrix, [builder.mul(loop.index, columns)])
                    for place, total in zip(places, sums):
                        product = builder.fmul(factor, load(builder, line, place))
                        builder.store(builder.fadd(builder.load(total), product), total)
                for place, total in zip(places, sums):
                    target = builder.gep(out, [place])
                    target = target if count == 1 else builder.bitcast(target, VECTORS.as_pointer())
                    builder.store(builder.load(total), target, align=8)
            begin = end
        return context.get_dummy_value()

    return codegen


def _everywhere(builder, number):
    """A vector of eight times the number."""
    first = builder.insert_element(VECTORS(ir.Undefined), number, INDEX(0))
    return builder.shuffle_vector(first, VECTORS(ir.Undefined), ir.VectorType(INDEX, LANES)(None))


def _members(builder, ty: Any, value) -> list[tuple]:
    return list(zip(ty.types, cgutils.unpack_tuple(builder, value, len(ty))))


def _data(context, builder, ty: Any, vector):
    return context.make_array(ty)(context, builder, value=vector).data


def _one(builder, data, j):
    return builder.load(builder.gep(data, [j]))


def _eight(builder, data, j):
    place = builder.bitcast(builder.gep(data, [j]), VECTORS.as_pointer())
    return builder.load(place, align=8)


def _add_products(builder, a: list, b: list, places: list) -> None:
    products = [builder.fmul(left, right) for left in a for right in b]
    for place, product in zip(places, products):
        builder.store(builder.fadd(builder.load(place), product), place)


def _joined(builder, first, lanes):
    """((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))"""
    s = [first] + [builder.extract_element(lanes, INDEX(k)) for k in range(1, LANES)]
    pairs = [builder.fadd(s[k], s[k + 4]) for k in range(4)]
    return builder.fadd(builder.fadd(pairs[0], pairs[1]), builder.fadd(pairs[2], pairs[3]))
