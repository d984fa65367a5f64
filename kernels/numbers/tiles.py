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
LANES = 8
INDEX = ir.IntType(32)


def padded(n: int) -> int:
    """n, or the next multiple of eight."""
    return -(-n // LANES) * LANES


def _tile(rows: int, operation: str, meaning: str) -> Any:
    """out[i + r, j + l] += or -= the sum of left[t, i + r] right[t, j + l] over first <= t < last; l < 8, r < rows."""

    def tile(typingctx, out, i, j, left, right, first, last):
        def codegen(context, builder, signature, arguments):
            ty = context.get_value_type(out.dtype)
            vectors = ir.VectorType(ty, LANES)
            (target, width), (a, a_width), (b, b_width) = (
                _matrix(context, builder, signature.args[k], arguments[k]) for k in (0, 3, 4)
            )
            i, j = (builder.sext(v, width.type) if v.type != width.type else v for v in arguments[1:3])

            def eight(data, row, columns):
                place = builder.gep(data, [builder.add(builder.mul(row, columns), j)])
                return builder.bitcast(place, vectors.as_pointer())

            places = [eight(target, builder.add(i, i.type(r)), width) for r in range(rows)]
            bytes_ = context.get_abi_sizeof(ty)
            sums = [cgutils.alloca_once_value(builder, builder.load(place, align=bytes_)) for place in places]
            with cgutils.for_range_slice(builder, arguments[5], arguments[6], arguments[5].type(1)) as (t, _):
                lanes = builder.load(eight(b, t, b_width), align=bytes_)
                factors = builder.gep(a, [builder.add(builder.mul(t, a_width), i)])
                for r, total in enumerate(sums):
                    factor = _everywhere(builder, builder.load(builder.gep(factors, [INDEX(r)])), vectors)
                    product = builder.fmul(factor, lanes)
                    builder.store(getattr(builder, operation)(builder.load(total), product), total)
            for place, total in zip(places, sums):
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


add_tile = _tile(LANES, "fadd", "out[i:i+8, j:j+8] += left[first:last, i:i+8]' right[first:last, j:j+8]")
take_tile = _tile(LANES, "fsub", "out[i:i+8, j:j+8] -= left[first:last, i:i+8]' right[first:last, j:j+8]")
add_row = _tile(1, "fadd", "out[i, j:j+8] += left[first:last, i]' right[first:last, j:j+8]")
take_row = _tile(1, "fsub", "out[i, j:j+8] -= left[first:last, i]' right[first:last, j:j+8]")


@inlined
def add_squares(rows, first, last, out):
    """out += rows' rows, of the rows from `first` to before `last`; on and above the diagonal, in whole tiles."""
    for i in range(0, out.shape[1], LANES):
        for j in range(i, out.shape[1], LANES):
            add_tile(out, i, j, rows, rows, first, last)


@inlined
def factorise(a, n):
    """The upper triangle of a, its first n rows, becomes U with U' U = a. False: a is not positive definite.

    By tiles of rows: products with the rows above are taken off, then the rows of the tile are done one by one.
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
            scale = a.dtype.type(1.0) / np.sqrt(pivot)
            for j in range(i, width):
                a[i, j] *= scale
    return True


@inlined
def solve_factorised(a, n, b, line):
    """b (width, 1) becomes the solution of U' U b' = b; `line` (1, width) is the same memory. Returns b · solution."""
    total = np.float64(0.0)
    for top in range(0, n, LANES):
        take_row(line, 0, top, b, a, 0, top)
        for i in range(top, min(top + LANES, n)):
            line[0, i] /= a[i, i]
            for j in range(i + 1, min(top + LANES, n)):
                line[0, j] -= line[0, i] * a[i, j]
    for i in range(n):
        total += np.float64(line[0, i]) * np.float64(line[0, i])
    for i in range(n - 1, -1, -1):
        rest = line[0, i]
        for j in range(i + 1, n):
            rest -= a[i, j] * line[0, j]
        line[0, i] = rest / a[i, i]
    return total
