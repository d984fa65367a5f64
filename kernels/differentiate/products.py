"""Products of vectors and matrices: Numba's calls of BLAS, and their derivatives by further calls of BLAS.

Matrices are BLAS's, column after column: op(A) is A, or its transpose where the letter is t. With a bar for adjoints:

    r = x y            xbar += rbar y                  ybar += rbar x
    y = op(A) x        xbar += op(A)' ybar             Abar += ybar x', or its transpose
    C = op(A) op(B)    op(A)bar += Cbar op(B)'         op(B)bar += op(A)' Cbar
    r = |x|            xbar += rbar x / r

What is multiplied may be overwritten after the call: then the call keeps a copy of it in the arena.
"""

from __future__ import annotations

from .reading import Function, Instruction, Refused, parse

# Of each call: its operands that are read, and the one that is written.
PLACES = {
    "numba_xxdot": ((3, 4), 5), "numba_xxgemv": ((5, 7), 9), "numba_xxgemm": ((7, 9), 12), "numba_xxnrm2": ((2,), 4),
}  # fmt: skip
NORMAL, DOUBLE = 110, 100  # the letters n and d


def is_product(callee: str) -> bool:
    return callee in PLACES


def output_of(call: Instruction) -> str:
    return call.args[PLACES[call.callee][1]]


def keep_operands(function: Function, pointers) -> dict[tuple[Instruction, int], str]:
    """Add to the function what copies operands that the reverse needs and that may be written to afterwards.

    (call, number of the operand) -> the copy.
    """
    kept: dict[tuple[Instruction, int], str] = {}
    for block in function.blocks:
        body: list[Instruction] = []
        for i in block.body:
            if is_product(i.callee) and pointers.may_be_active(output_of(i)):
                if i.args[0] != str(DOUBLE):
                    raise Refused("it multiplies arrays of numbers that are no doubles", i.callee)
                for k in _needed(i, pointers):
                    lines, copy = _copy(i, k, f"%v9{len(kept):04d}")
                    body += map(parse, lines)
                    kept[i, k] = copy
            body.append(i)
        block.body = body
    function.name_values()
    return kept


def _needed(i: Instruction, pointers) -> list[int]:
    """The numbers of the operands that are multiplied by an adjoint, and that stand in memory of the function's own."""
    read, _ = PLACES[i.callee]
    pairs = zip(read, reversed(read))
    return [
        k
        for k, other in pairs
        if pointers.may_be_active(i.args[other]) and any(map(pointers.may_change, pointers.reached(i.args[k])))
    ]


def _copy(i: Instruction, k: int, name: str) -> tuple[list[str], str]:
    """Lines that copy an operand, and the copy."""
    a = i.args
    if i.callee == "numba_xxgemv":
        lines = [f"{name}0 = icmp eq i8 {a[1]}, {NORMAL}"]
        lines += [
            f"{name}1 = mul i64 {a[6]}, {a[3]}" if k == 5 else f"{name}1 = select i1 {name}0, i64 {a[3]}, i64 {a[2]}"
        ]
    elif i.callee == "numba_xxgemm":
        letter, normal, other, step = (a[1], a[5], a[3], a[8]) if k == 7 else (a[2], a[4], a[5], a[10])
        lines = [
            f"{name}0 = icmp eq i8 {letter}, {NORMAL}", f"{name}2 = select i1 {name}0, i64 {normal}, i64 {other}",
            f"{name}1 = mul i64 {name}2, {step}",
        ]  # fmt: skip
    elif i.callee == "numba_xxnrm2":
        lines = [f"{name}1 = mul i64 {a[1]}, {a[3]}"]
    else:
        lines = [f"{name}1 = add i64 {a[2]}, 0"]
    lines += [
        f"{name}3 = shl i64 {name}1, 3", f"{name}4 = call ptr @ad.alloc(i64 {name}3)",
        f"call void @ad.save(ptr {name}4, ptr {a[k]}, i64 {name}3)",
    ]  # fmt: skip
    return lines, f"{name}4"


def back(i: Instruction, value, operand, adjoint) -> str:
    """The call that gives the adjoint of a product back to what was multiplied.

    `value`: of an argument; `operand`: of an operand by its number; `adjoint`: where its adjoint lies, or null.
    """
    if i.callee == "numba_xxgemm":
        letters, sizes, steps = i.args[1:3], i.args[3:6], [i.args[k] for k in (8, 10, 13)]
        given = [f"i8 {value(a)}" for a in letters] + [f"i64 {value(a)}" for a in sizes + steps]
    elif i.callee == "numba_xxgemv":
        given = [f"i8 {value(i.args[1])}"] + [f"i64 {value(i.args[k])}" for k in (2, 3, 6)]
    elif i.callee == "numba_xxnrm2":
        given = [f"i64 {value(i.args[k])}" for k in (1, 3)]
    else:
        given = [f"i64 {value(i.args[2])}"]
    read, written = PLACES[i.callee]
    pointers = [place for k in read for place in (operand(k), adjoint(k))]
    pointers.append(adjoint(written))
    return f"call void @ad.{i.callee[8:]}({', '.join(given + [f'ptr {p}' for p in pointers])})"


def tangent_of_product(i: Instruction, tangent_of) -> str:
    """The call that gives the tangent of a product, before the product itself; `tangent_of`: of an operand, or null.

    A product that is added to what stands there (beta = 1) has a tangent that is added, too.
    """
    a, (read, written) = i.args, PLACES[i.callee]
    if i.callee == "numba_xxdot":
        numbers = [f"i64 {a[2]}"]
    elif i.callee == "numba_xxnrm2":
        numbers = [f"i64 {a[1]}", f"i64 {a[3]}"]
    else:
        numbers = [f"{t} {v}" for k, (t, v) in enumerate(zip(i.types, a)) if k and k not in (*read, written)]
    pointers = [f"ptr {p}" for k in read for p in (a[k], tangent_of(k))] + [f"ptr {tangent_of(written)}"]
    return f"call void @ad.{i.callee[8:]}.t({', '.join(numbers + pointers)})"


def definitions(body: str, module: str) -> list[str]:
    """What a body calls of the functions below."""
    used = [name for name in FUNCTIONS if f"@ad.{name}(" in body]
    lines = [FUNCTIONS[name] for name in used]
    if not {"dot", "nrm2"}.isdisjoint(used):
        lines.append(AXPY)
    if not {"gemv", "gemm", "gemv.t", "gemm.t"}.isdisjoint(used):
        lines += [] if "@ad.one = " in module else [ONE]
        for name, declared in BLAS.items():
            if f"declare i32 @{name}(" not in body and any(f"@{name}(" in line for line in lines):
                lines.append(declared)
    return lines


BLAS = {
    "numba_xxgemv": "declare i32 @numba_xxgemv(i8, i8, i64, i64, ptr, ptr, i64, ptr, ptr, ptr)",
    "numba_xxgemm": "declare i32 @numba_xxgemm(i8, i8, i8, i64, i64, i64, ptr, ptr, i64, ptr, i64, ptr, ptr, i64)",
}
ONE = "@ad.one = private constant double 1.0"

# y += w x: n numbers, those of both dx apart
AXPY = """
define internal void @ad.axpy(i64 %n, double %w, ptr %x, i64 %dx, ptr %y) alwaysinline {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %k = mul i64 %i, %dx
  %px = getelementptr double, ptr %x, i64 %k
  %py = getelementptr double, ptr %y, i64 %k
  %a = load double, ptr %px
  %b = load double, ptr %py
  %p = fmul double %w, %a
  %c = fadd double %b, %p
  store double %c, ptr %py
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}"""

FUNCTIONS = {
    "dot.t": """
define internal void @ad.dot.t(i64 %n, ptr %x, ptr %dx, ptr %y, ptr %dy, ptr %dr) alwaysinline {
entry:
  %a = alloca double
  %b = alloca double
  store double 0.0, ptr %a
  store double 0.0, ptr %b
  %hx = icmp ne ptr %dx, null
  br i1 %hx, label %first, label %between
first:
  %s1 = call i32 @numba_xxdot(i8 100, i8 0, i64 %n, ptr %dx, ptr %y, ptr %a)
  br label %between
between:
  %hy = icmp ne ptr %dy, null
  br i1 %hy, label %second, label %done
second:
  %s2 = call i32 @numba_xxdot(i8 100, i8 0, i64 %n, ptr %x, ptr %dy, ptr %b)
  br label %done
done:
  %va = load double, ptr %a
  %vb = load double, ptr %b
  %sum = fadd double %va, %vb
  store double %sum, ptr %dr
  ret void
}""",
    "nrm2.t": """
define internal void @ad.nrm2.t(i64 %n, i64 %step, ptr %x, ptr %dx, ptr %dr) alwaysinline {
entry:
  %out = alloca double
  %s1 = call i32 @numba_xxnrm2(i8 100, i64 %n, ptr %x, i64 %step, ptr %out)
  %r = load double, ptr %out
  %none = icmp eq ptr %dx, null
  %count = select i1 %none, i64 0, i64 %n
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %s = phi double [ 0.0, %entry ], [ %t, %loop ]
  %k = mul i64 %i, %step
  %px = getelementptr double, ptr %x, i64 %k
  %py = getelementptr double, ptr %dx, i64 %k
  %a = load double, ptr %px
  %b = load double, ptr %py
  %p = fmul double %a, %b
  %t = fadd double %s, %p
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %count
  br i1 %more, label %loop, label %done
done:
  %total = phi double [ 0.0, %entry ], [ %t, %loop ]
  %zero = fcmp oeq double %r, 0.0
  %q = fdiv double %total, %r
  %v = select i1 %zero, double 0.0, double %q
  store double %v, ptr %dr
  ret void
}""",
    "gemv.t": """
define internal void @ad.gemv.t(i8 %t, i64 %m, i64 %n, ptr %alpha, i64 %lda, ptr %beta,
    ptr %a, ptr %da, ptr %x, ptr %dx, ptr %dy) alwaysinline {
entry:
  %b = load double, ptr %beta
  %old = fcmp une double %b, 0.0
  %normal = icmp eq i8 %t, 110
  %size = select i1 %normal, i64 %m, i64 %n
  %bytes = shl i64 %size, 3
  br i1 %old, label %start, label %clear
clear:
  call void @llvm.memset.p0.i64(ptr %dy, i8 0, i64 %bytes, i1 false)
  br label %start
start:
  %ha = icmp ne ptr %da, null
  br i1 %ha, label %first, label %between
first:
  %s1 = call i32 @numba_xxgemv(i8 100, i8 %t, i64 %m, i64 %n, ptr %alpha, ptr %da, i64 %lda, ptr %x,
    ptr @ad.one, ptr %dy)
  br label %between
between:
  %hx = icmp ne ptr %dx, null
  br i1 %hx, label %second, label %done
second:
  %s2 = call i32 @numba_xxgemv(i8 100, i8 %t, i64 %m, i64 %n, ptr %alpha, ptr %a, i64 %lda, ptr %dx,
    ptr @ad.one, ptr %dy)
  br label %done
done:
  ret void
}""",
    "gemm.t": """
define internal void @ad.gemm.t(i8 %ta, i8 %tb, i64 %m, i64 %n, i64 %k, ptr %alpha, i64 %lda, i64 %ldb, ptr %beta,
    i64 %ldc, ptr %a, ptr %da, ptr %b, ptr %db, ptr %dc) alwaysinline {
entry:
  %w = load double, ptr %beta
  %old = fcmp une double %w, 0.0
  %size = mul i64 %ldc, %n
  %bytes = shl i64 %size, 3
  br i1 %old, label %start, label %clear
clear:
  call void @llvm.memset.p0.i64(ptr %dc, i8 0, i64 %bytes, i1 false)
  br label %start
start:
  %ha = icmp ne ptr %da, null
  br i1 %ha, label %first, label %between
first:
  %s1 = call i32 @numba_xxgemm(i8 100, i8 %ta, i8 %tb, i64 %m, i64 %n, i64 %k, ptr %alpha, ptr %da, i64 %lda,
    ptr %b, i64 %ldb, ptr @ad.one, ptr %dc, i64 %ldc)
  br label %between
between:
  %hb = icmp ne ptr %db, null
  br i1 %hb, label %second, label %done
second:
  %s2 = call i32 @numba_xxgemm(i8 100, i8 %ta, i8 %tb, i64 %m, i64 %n, i64 %k, ptr %alpha, ptr %a, i64 %lda,
    ptr %db, i64 %ldb, ptr @ad.one, ptr %dc, i64 %ldc)
  br label %done
done:
  ret void
}""",
    "save": """
define internal void @ad.save(ptr %d, ptr %s, i64 %n) alwaysinline {
  call void @llvm.memcpy.p0.p0.i64(ptr %d, ptr %s, i64 %n, i1 false)
  ret void
}""",
    "dot": """
define internal void @ad.dot(i64 %n, ptr %x, ptr %xbar, ptr %y, ptr %ybar, ptr %rbar) alwaysinline {
entry:
  %w = load double, ptr %rbar
  store double 0.0, ptr %rbar
  %ax = icmp ne ptr %xbar, null
  br i1 %ax, label %first, label %between
first:
  call void @ad.axpy(i64 %n, double %w, ptr %y, i64 1, ptr %xbar)
  br label %between
between:
  %ay = icmp ne ptr %ybar, null
  br i1 %ay, label %second, label %done
second:
  call void @ad.axpy(i64 %n, double %w, ptr %x, i64 1, ptr %ybar)
  br label %done
done:
  ret void
}""",
    "nrm2": """
define internal void @ad.nrm2(i64 %n, i64 %dx, ptr %x, ptr %xbar, ptr %rbar) alwaysinline {
entry:
  %w = load double, ptr %rbar
  store double 0.0, ptr %rbar
  %out = alloca double
  %status = call i32 @numba_xxnrm2(i8 100, i64 %n, ptr %x, i64 %dx, ptr %out)
  %r = load double, ptr %out
  %zero = fcmp oeq double %r, 0.0
  %q = fdiv double %w, %r
  %v = select i1 %zero, double 0.0, double %q
  %none = icmp eq ptr %xbar, null
  %count = select i1 %none, i64 0, i64 %n
  call void @ad.axpy(i64 %count, double %v, ptr %x, i64 %dx, ptr %xbar)
  ret void
}""",
    "gemv": """
define internal void @ad.gemv(i8 %t, i64 %m, i64 %n, i64 %lda, ptr %a, ptr %abar, ptr %x, ptr %xbar,
    ptr %ybar) alwaysinline {
entry:
  %normal = icmp eq i8 %t, 110
  %other = select i1 %normal, i8 116, i8 110
  %size = select i1 %normal, i64 %m, i64 %n
  %left = select i1 %normal, ptr %ybar, ptr %x
  %right = select i1 %normal, ptr %x, ptr %ybar
  %ax = icmp ne ptr %xbar, null
  br i1 %ax, label %first, label %between
first:
  %s1 = call i32 @numba_xxgemv(i8 100, i8 %other, i64 %m, i64 %n, ptr @ad.one, ptr %a, i64 %lda, ptr %ybar,
    ptr @ad.one, ptr %xbar)
  br label %between
between:
  %aa = icmp ne ptr %abar, null
  br i1 %aa, label %second, label %done
second:
  %s2 = call i32 @numba_xxgemm(i8 100, i8 110, i8 110, i64 %m, i64 %n, i64 1, ptr @ad.one, ptr %left, i64 %m,
    ptr %right, i64 1, ptr @ad.one, ptr %abar, i64 %lda)
  br label %done
done:
  %bytes = shl i64 %size, 3
  call void @llvm.memset.p0.i64(ptr %ybar, i8 0, i64 %bytes, i1 false)
  ret void
}""",
    "gemm": """
define internal void @ad.gemm(i8 %ta, i8 %tb, i64 %m, i64 %n, i64 %k, i64 %lda, i64 %ldb, i64 %ldc, ptr %a,
    ptr %abar, ptr %b, ptr %bbar, ptr %cbar) alwaysinline {
entry:
  %na = icmp eq i8 %ta, 110
  %nb = icmp eq i8 %tb, 110
  %oa = select i1 %na, i8 116, i8 110
  %ob = select i1 %nb, i8 116, i8 110
  %aa = icmp ne ptr %abar, null
  br i1 %aa, label %first, label %between
first:
  br i1 %na, label %first.n, label %first.t
first.n:
  %s1 = call i32 @numba_xxgemm(i8 100, i8 110, i8 %ob, i64 %m, i64 %k, i64 %n, ptr @ad.one, ptr %cbar,
    i64 %ldc, ptr %b, i64 %ldb, ptr @ad.one, ptr %abar, i64 %lda)
  br label %between
first.t:
  %s2 = call i32 @numba_xxgemm(i8 100, i8 %tb, i8 116, i64 %k, i64 %m, i64 %n, ptr @ad.one, ptr %b, i64 %ldb,
    ptr %cbar, i64 %ldc, ptr @ad.one, ptr %abar, i64 %lda)
  br label %between
between:
  %ab = icmp ne ptr %bbar, null
  br i1 %ab, label %second, label %done
second:
  br i1 %nb, label %second.n, label %second.t
second.n:
  %s3 = call i32 @numba_xxgemm(i8 100, i8 %oa, i8 110, i64 %k, i64 %n, i64 %m, ptr @ad.one, ptr %a, i64 %lda,
    ptr %cbar, i64 %ldc, ptr @ad.one, ptr %bbar, i64 %ldb)
  br label %done
second.t:
  %s4 = call i32 @numba_xxgemm(i8 100, i8 116, i8 %ta, i64 %n, i64 %k, i64 %m, ptr @ad.one, ptr %cbar,
    i64 %ldc, ptr %a, i64 %lda, ptr @ad.one, ptr %bbar, i64 %ldb)
  br label %done
done:
  %size = mul i64 %ldc, %n
  %bytes = shl i64 %size, 3
  call void @llvm.memset.p0.i64(ptr %cbar, i8 0, i64 %bytes, i1 false)
  ret void
}""",
}
