"""Small symmetric matrices in tiles of eight columns: sums of products that stay in registers, Cholesky, solutions.

Numba stores each sum of `a[j, l] += c * t[l]` and loads it again, and asks before each loop whether the arrays overlap.
Here the sums of a tile, of eight rows or of one, are vectors of eight lanes that are stored once all products are in.
Matrices are C-contiguous, of one type (float32 or float64), their rows padded to whole tiles: to `padded(n)` entries.
Multiplications and additions are separate and in the order of t, so bits do not hang on the machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

from ..compile.jit import inlined

intrinsic: Any = _intrinsic  # what it makes takes one argument less than what is written
LANES, WIDE = 8, 4
INDEX = ir.IntType(32)


def padded(n: int) -> int:
    """n, or the next multiple of eight."""
    return -(-n // LANES) * LANES


def _tile(rows: int, vectors_in_row: int, operation: str, meaning: str) -> Any:
    """out[i + r, j + l] += or -= the sum of left[t, i + r] right[t, j + l] over first <= t < last.

    r < rows, l < 8 vectors_in_row. An addition waits for the one before it, so several vectors go side by side.
    """

    def tile(typingctx, out, i, j, left, right, first, last):
        def codegen(context, builder, signature, arguments):
            ty = context.get_value_type(out.dtype)
            vectors = ir.VectorType(ty, LANES)
            (target, width), (a, a_width), (b, b_width) = (
                _matrix(context, builder, signature.args[k], arguments[k]) for k in (0, 3, 4)
            )
            i, j = (builder.sext(v, width.type) if v.type != width.type else v for v in arguments[1:3])

            def row_of(data, row, columns):
                first = builder.gep(data, [builder.add(builder.mul(row, columns), j)])
                starts = [builder.gep(first, [INDEX(k * LANES)]) for k in range(vectors_in_row)]
                return [builder.bitcast(start, vectors.as_pointer()) for start in starts]

            places = [row_of(target, builder.add(i, i.type(r)), width) for r in range(rows)]
            bytes_ = context.get_abi_sizeof(ty)
            sums = [[cgutils.alloca_once_value(builder, builder.load(p, align=bytes_)) for p in row] for row in places]
            with cgutils.for_range_slice(builder, arguments[5], arguments[6], arguments[5].type(1)) as (t, _):
                lanes = [builder.load(place, align=bytes_) for place in row_of(b, t, b_width)]
                factors = builder.gep(a, [builder.add(builder.mul(t, a_width), i)])
                for r, row in enumerate(sums):
                    factor = _everywhere(builder, builder.load(builder.gep(factors, [INDEX(r)])), vectors)
                    for eight, total in zip(lanes, row):
                        product = builder.fmul(factor, eight)
                        builder.store(getattr(builder, operation)(builder.load(total), product), total)
            for row, totals in zip(places, sums):
                for place, total in zip(row, totals):
                    builder.store(builder.load(total), place, align=bytes_)
            return context.get_dummy_value()

        return types.none(out, i, j, left, right, first, last), codegen

    tile.__doc__ = meaning
    return intrinsic(tile)


def _matrix(context, builder, ty: Any, value):
    """Where its entries are, and how many a row has."""
    array = context.make_array(ty)(context, builder, value=value)
    return array.data, cgutils.unpack_tuple(builder, array.shape)[1]


def _everywhere(builder, number, vectors):
    first = builder.insert_element(vectors(ir.Undefined), number, INDEX(0))
    return builder.shuffle_vector(first, vectors(ir.Undefined), ir.VectorType(INDEX, LANES)(None))


add_tile = _tile(LANES, 1, "fadd", "out[i:i+8, j:j+8] += left[first:last, i:i+8]' right[first:last, j:j+8]")
take_tile = _tile(LANES, 1, "fsub", "out[i:i+8, j:j+8] -= left[first:last, i:i+8]' right[first:last, j:j+8]")
add_row = _tile(1, 1, "fadd", "out[i, j:j+8] += left[first:last, i]' right[first:last, j:j+8]")
add_wide_row = _tile(1, WIDE, "fadd", "out[i, j:j+32] += left[first:last, i]' right[first:last, j:j+32]")
take_row = _tile(1, 1, "fsub", "out[i, j:j+8] -= left[first:last, i]' right[first:last, j:j+8]")


@inlined
def add_squares(rows, first, last, out):
    """out += rows' rows, of the rows from `first` to before `last`; on and above the diagonal, in whole tiles."""
    for i in range(0, out.shape[1], LANES):
        for j in range(i, out.shape[1], LANES):
            add_tile(out, i, j, rows, rows, first, last)


@inlined
def add_rows(factors, rows, first, last, out):
    """out (1, width) += factors (., 1)' rows, of the rows from `first` to before `last`."""
    width = out.shape[1]
    wide = width - width % (WIDE * LANES)
    for j in range(0, wide, WIDE * LANES):
        add_wide_row(out, 0, j, factors, rows, first, last)
    for j in range(wide, width, LANES):
        add_row(out, 0, j, factors, rows, first, last)


@inlined
def factorise(a, n):
    """The upper triangle of a, its first n rows, becomes U with U' U = a; the diagonal its reciprocals.

    By tiles of rows: products with the rows above are taken off, then the rows of the tile are done one by one.
    False: a is not positive definite.
    """
    width = a.shape[1]
    for top in range(0, n, LANES):
        for j in range(top, width, LANES):
            take_tile(a, top, j, a, a, 0, top)
        for i in range(top, min(top + LANES, n)):
            for j in range(top, width, LANES):
                take_row(a, i, j, a, a, top, i)
            pivot = a[i, i]
            if not 0.0 < pivot < np.inf:
                return False
            a[i, i] = a.dtype.type(1.0) / np.sqrt(pivot)
            for j in range(i + 1, width):
                a[i, j] *= a[i, i]
    return True


@inlined
def solve_factorised(a, n, b, line):
    """b (width, 1) becomes the solution x of U' U x = b; `line` (1, width) is the same memory. Returns b · x.

    The tiles below the diagonal of a become those above, transposed: so both solutions go along rows.
    """
    product = np.float64(0.0)
    for top in range(0, n, LANES):
        take_row(line, 0, top, b, a, 0, top)
        end = min(top + LANES, n)
        for i in range(top, end):
            line[0, i] *= a[i, i]
            product += np.float64(line[0, i]) * np.float64(line[0, i])  # b · x = |U'^-1 b|²
            for j in range(i + 1, end):
                line[0, j] -= line[0, i] * a[i, j]
            for j in range(end, n):
                a[j, i] = a[i, j]
    for top in range((n - 1) // LANES * LANES, -1, -LANES):
        end = min(top + LANES, n)
        take_row(line, 0, top, b, a, end, n)
        for i in range(end - 1, top - 1, -1):
            line[0, i] *= a[i, i]
            for j in range(top, i):
                line[0, j] -= line[0, i] * a[j, i]
    return product
