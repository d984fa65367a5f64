"""What Numba calls of LAPACK, as plain loops, which are differentiated as all other loops are.

Behind np.linalg.solve, inv, det, slogdet and cholesky stand four calls. In a function that is to be differentiated they
become these; its value still comes from LAPACK. Reverse mode keeps some n^3 / 3 numbers of a matrix (n, n) on its tape.
Matrices are LAPACK's, given by their addresses: column after column, `step` numbers apart.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic as _intrinsic

from .memory import number_at, put_number
from .source import llvm_of, source_kernel

intrinsic: Any = _intrinsic
DOUBLE, UPPER = 100, 85  # the letters d and U


@intrinsic
def pivot_at(typingctx, address, k):
    """The k-th whole number of 32 bits behind an address."""

    def codegen(context, builder, signature, values):
        place = builder.gep(builder.inttoptr(values[0], ir.IntType(32).as_pointer()), [values[1]])
        return builder.sext(builder.load(place), values[0].type)

    return types.intp(types.intp, types.intp), codegen


@intrinsic
def put_pivot(typingctx, address, k, value):
    def codegen(context, builder, signature, values):
        half = ir.IntType(32)
        place = builder.gep(builder.inttoptr(values[0], half.as_pointer()), [values[1]])
        builder.store(builder.trunc(values[2], half), place)
        return context.get_dummy_value()

    return types.none(types.intp, types.intp, types.intp), codegen


def lu(n, a, step, pivots):
    """P A = L U in place, with row pivots, counted from 1; k if the k-th pivot is 0 (getrf)."""
    singular = 0
    for k in range(n):
        chosen = k
        for i in range(k + 1, n):
            if abs(number_at(a, i + k * step)) > abs(number_at(a, chosen + k * step)):
                chosen = i
        put_pivot(pivots, k, chosen + 1)
        if number_at(a, chosen + k * step) == 0.0:
            singular = k + 1 if singular == 0 else singular
            continue
        if chosen != k:
            for j in range(n):
                upper = number_at(a, k + j * step)
                put_number(a, k + j * step, number_at(a, chosen + j * step))
                put_number(a, chosen + j * step, upper)
        for i in range(k + 1, n):
            put_number(a, i + k * step, number_at(a, i + k * step) / number_at(a, k + k * step))
        for j in range(k + 1, n):
            upper = number_at(a, k + j * step)
            for i in range(k + 1, n):
                put_number(a, i + j * step, number_at(a, i + j * step) - number_at(a, i + k * step) * upper)
    return singular


def solved(n, m, a, step, pivots, b, width):
    """A becomes its factors, and the m columns of B the solutions of A X = B (gesv)."""
    singular = factors(n, a, step, pivots)
    if singular > 0:
        return singular
    for j in range(m):
        for k in range(n):
            other = pivot_at(pivots, k) - 1
            if other != k:
                value = number_at(b, k + j * width)
                put_number(b, k + j * width, number_at(b, other + j * width))
                put_number(b, other + j * width, value)
        for k in range(n):
            value = number_at(b, k + j * width)
            for i in range(k + 1, n):
                put_number(b, i + j * width, number_at(b, i + j * width) - value * number_at(a, i + k * step))
        for k in range(n - 1, -1, -1):
            value = number_at(b, k + j * width) / number_at(a, k + k * step)
            put_number(b, k + j * width, value)
            for i in range(k):
                put_number(b, i + j * width, number_at(b, i + j * width) - value * number_at(a, i + k * step))
    return 0


def inverted(n, a, step, pivots):
    """The factors of A become its inverse (getri): that of U in its place, then X L = U^-1, then columns change."""
    for j in range(n):
        if number_at(a, j + j * step) == 0.0:
            return j + 1
        last = 1.0 / number_at(a, j + j * step)
        put_number(a, j + j * step, last)
        for k in range(j):
            value = number_at(a, k + j * step)
            for i in range(k):
                put_number(a, i + j * step, number_at(a, i + j * step) + value * number_at(a, i + k * step))
            put_number(a, k + j * step, value * number_at(a, k + k * step))
        for i in range(j):
            put_number(a, i + j * step, -last * number_at(a, i + j * step))
    lower = np.empty(n)
    for j in range(n - 2, -1, -1):
        for i in range(j + 1, n):
            lower[i] = number_at(a, i + j * step)
            put_number(a, i + j * step, 0.0)
        for k in range(j + 1, n):
            for i in range(n):
                put_number(a, i + j * step, number_at(a, i + j * step) - lower[k] * number_at(a, i + k * step))
    for j in range(n - 2, -1, -1):
        other = pivot_at(pivots, j) - 1
        if other != j:
            for i in range(n):
                value = number_at(a, i + j * step)
                put_number(a, i + j * step, number_at(a, i + other * step))
                put_number(a, i + other * step, value)
    return 0


def root(n, a, step):
    """The upper triangle becomes U of A = U' U; k if the leading part of k rows is not positive definite (potrf)."""
    for j in range(n):
        rest = number_at(a, j + j * step)
        for k in range(j):
            rest -= number_at(a, k + j * step) ** 2
        if not rest > 0.0:
            return j + 1
        pivot = math.sqrt(rest)
        put_number(a, j + j * step, pivot)
        for i in range(j + 1, n):
            rest = number_at(a, j + i * step)
            for k in range(j):
                rest -= number_at(a, k + j * step) * number_at(a, k + i * step)
            put_number(a, j + i * step, rest / pivot)
    return 0


factors: Any = source_kernel(lu)

# Numba's names: its parameters, when ours stands in (other types of numbers are refused later), our function and its
# arguments.
CALLS = {
    "numba_xxgetrf": ("i8 %kind, i64 %m, i64 %n, ptr %a, i64 %lda, ptr %ipiv", lu, "n a lda ipiv"),
    "numba_ez_xxgetri": ("i8 %kind, i64 %n, ptr %a, i64 %lda, ptr %ipiv", inverted, "n a lda ipiv"),
    "numba_xgesv": ("i8 %kind, i64 %n, i64 %nrhs, ptr %a, i64 %lda, ptr %ipiv, ptr %b, i64 %ldb", solved,
                    "n nrhs a lda ipiv b ldb"),
    "numba_xxpotrf": ("i8 %kind, i8 %uplo, i64 %n, ptr %a, i64 %lda", root, "n a lda"),
}  # fmt: skip


def with_loops(text: str) -> tuple[str, list[str]]:
    """A module that calls our loops in place of LAPACK, and the modules in which they stand."""
    modules = []
    for name, (parameters, function, given) in CALLS.items():
        text, calls = re.subn(rf'(call [^\n]*)@"?{name}"?\(', rf"\1@loops.{name}(", text)
        if calls:
            module, entry = _loops(function)
            modules.append(module)
            text += _between(name, parameters, entry, given.split())
    return text, modules


@cache
def _loops(function) -> tuple[str, str]:
    parameters = function.__code__.co_argcount
    return llvm_of(source_kernel(function), types.intp(*[types.intp] * parameters))


def _between(name: str, parameters: str, entry: str, given: list[str]) -> str:
    """The text of what calls ours, which is given addresses as whole numbers, or Numba's where it is no matrix of ours.

    Which of the two is known once all is simplified.
    """
    ours = f"%ours = icmp eq i8 %kind, {DOUBLE}"
    if "%uplo" in parameters:
        upper = f"%upper = icmp eq i8 %uplo, {UPPER}\n  %ours = and i1 %doubles, %upper"
        ours = f"{ours.replace('ours', 'doubles')}\n  {upper}"
    words = [f"%{g}.word" if f"ptr %{g}" in parameters else f"%{g}" for g in given]
    casts = "\n".join(f"  {w} = ptrtoint ptr {w[:-5]} to i64" for w in words if w.endswith(".word"))
    arguments = ", ".join(f"i64 {w}" for w in words)
    forms = ", ".join("i64" for _ in words)
    return f"""
declare i32 @"{entry}"(ptr, ptr, {forms})
define internal i32 @loops.{name}({parameters}) alwaysinline {{
  %value = alloca i64
  %error = alloca ptr
  {ours}
  br i1 %ours, label %here, label %there
here:
{casts}
  %status = call i32 @"{entry}"(ptr %value, ptr %error, {arguments})
  %wide = load i64, ptr %value
  %result = trunc i64 %wide to i32
  ret i32 %result
there:
  %other = call i32 @{name}({parameters})
  ret i32 %other
}}
"""
