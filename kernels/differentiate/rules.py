"""The derivative of each operation, for both modes.

A rule is a function of

    c       where instructions are written to (Code)
    w       a number that the partial derivative is multiplied by: in reverse mode the adjoint of the result, in
            forward mode the tangent of the operand
    k       the number of the operand that is differentiated by
    a, r    functions that give the value of an operand, and of the result

and gives w times the partial derivative. Points without a derivative take one side: abs at 0 the one above, max of two
equal numbers the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LN_2, LN_10 = "0x3FE62E42FEFA39EF", "0x40026BB1BBB55516"
TWO_OVER_SQRT_PI = "0x3FF20DD750429B6D"


class Code:
    """Lines of LLVM, each value under a new name.

    `flags`: of floating-point operations. `own`: whether the engine's own elementary functions are called.
    """

    def __init__(self, flags: str, own: bool, numbers: Iterator[int]):
        self.flags, self.own, self.numbers = flags, own, numbers
        self.lines: list[str] = []

    def beside(self) -> Code:
        """Further lines, with names that these do not have."""
        return Code(self.flags, self.own, self.numbers)

    def add(self, line: str) -> None:
        self.lines.append("  " + line)

    def new(self) -> str:
        return f"%r{next(self.numbers)}"

    def op(self, text: str) -> str:
        name = self.new()
        self.add(f"{name} = {text}")
        return name

    def arithmetic(self, operation: str, *operands: str, type: str = "double") -> str:
        return self.op(f"{operation} {self.flags}{type} {', '.join(operands)}")

    def mul(self, a: str, b: str) -> str:
        if a == "1.0":
            return b
        return a if b == "1.0" else self.arithmetic("fmul", a, b)

    def div(self, a: str, b: str) -> str:
        return self.arithmetic("fdiv", a, b)

    def sum(self, a: str, b: str) -> str:
        return self.arithmetic("fadd", a, b)

    def neg(self, a: str) -> str:
        return self.arithmetic("fneg", a)

    def call(self, name: str, *operands: str) -> str:
        return self.op(f"call double @{self.symbol(name)}({', '.join(f'double {o}' for o in operands)})")

    def symbol(self, name: str) -> str:
        if name in OWN and (self.own or name not in INTRINSICS):
            return f"ad.{name}"
        return f"llvm.{name}.f64" if name in INTRINSICS else name

    def choose(self, condition: str, a: str, b: str) -> str:
        return self.op(f"select i1 {condition}, double {a}, double {b}")

    def compare(self, predicate: str, a: str, b: str) -> str:
        return self.op(f"fcmp {predicate} double {a}, {b}")


OWN = {"sin", "cos", "tan", "exp", "expm1", "tanh", "log", "log1p", "digamma", "trigamma"}  # primitives.py
INTRINSICS = {"sin", "cos", "exp", "log", "sqrt", "pow", "fabs", "copysign", "trunc", "exp2", "maxnum", "minnum"}


def function_of(callee: str) -> str:
    """The name of the function of numbers that a call stands for, "" if it is none with a derivative."""
    inner = re.match(r"llvm\.(\w+)\.f64", callee)
    name = inner.group(1) if inner else callee.removeprefix("ad.")
    name = NAMES.get(name, name)
    return name if name in FUNCTIONS or name in FLAT else ""


NAMES = {"fmuladd": "fma", "maximum": "maxnum", "minimum": "minnum", "maximumnum": "maxnum", "minimumnum": "minnum",
         "numba_gamma": "tgamma", "numba_lgamma": "lgamma", "gamma": "tgamma", "numba_erf": "erf",
         "numba_erfc": "erfc"}  # fmt: skip
FLAT = {"floor", "ceil", "trunc", "rint", "round", "nearbyint", "roundeven"}  # their derivative is 0
# Their derivatives may be infinite: what is given no weight then still has no derivative.
STEEP = {"sqrt", "cbrt", "log", "log2", "log10", "log1p", "pow", "powi", "asin", "acos", "atanh", "acosh", "hypot",
         "atan2", "fdiv", "digamma", "lgamma", "tgamma"}  # fmt: skip


def _pow(c: Code, w, k, a, r):
    x, y = a(0), a(1)
    if k == 0:
        return c.mul(w, c.mul(y, c.call("pow", x, c.sum(y, "-1.0"))))
    partial = c.mul(r(), c.call("log", x))
    return c.mul(w, c.choose(c.compare("oeq", x, "0.0"), "0.0", partial))


def _powi(c: Code, w, k, a, r):
    """Of a power of a whole number n of 32 bits: n x^(n - 1)."""
    x, n = a(0), a(1)
    less = c.op(f"sub i32 {n}, 1")
    power = c.op(f"call double @llvm.powi.f64.i32(double {x}, i32 {less})")
    slope = c.mul(c.op(f"sitofp i32 {n} to double"), power)
    return c.mul(w, c.choose(c.op(f"icmp eq i32 {n}, 0"), "0.0", slope))


def _atan2(c: Code, w, k, a, r):
    y, x = a(0), a(1)
    q = c.div(w, c.sum(c.mul(x, x), c.mul(y, y)))
    return c.mul(q, x) if k == 0 else c.neg(c.mul(q, y))


def _chosen(predicate: str):
    def rule(c: Code, w, k, a, r):
        first = c.compare(predicate, a(0), a(1))
        return c.choose(first, *((w, "0.0") if k == 0 else ("0.0", w)))

    return rule


def _arc(c: Code, w, k, a, r):
    x = a(0)
    return c.div(w, c.call("sqrt", c.arithmetic("fsub", "1.0", c.mul(x, x))))


def _bell(c: Code, w, k, a, r):
    """w times the derivative of erf."""
    x = a(0)
    return c.mul(w, c.mul(c.call("exp", c.neg(c.mul(x, x))), TWO_OVER_SQRT_PI))


def _sign(c: Code, x: str) -> str:
    return c.call("copysign", "1.0", x)


def _square(c: Code, x: str) -> str:
    return c.mul(x, x)


def _fdiv(c: Code, w, k, a, r):
    q = c.div(w, a(1))
    return q if k == 0 else c.neg(c.mul(q, r()))


FUNCTIONS: dict[str, Any] = {
    "sin": lambda c, w, k, a, r: c.mul(w, c.call("cos", a(0))),
    "cos": lambda c, w, k, a, r: c.neg(c.mul(w, c.call("sin", a(0)))),
    "tan": lambda c, w, k, a, r: c.mul(w, c.sum("1.0", _square(c, r()))),
    "exp": lambda c, w, k, a, r: c.mul(w, r()),
    "exp2": lambda c, w, k, a, r: c.mul(w, c.mul(r(), LN_2)),
    "expm1": lambda c, w, k, a, r: c.mul(w, c.sum(r(), "1.0")),
    "log": lambda c, w, k, a, r: c.div(w, a(0)),
    "log2": lambda c, w, k, a, r: c.div(w, c.mul(a(0), LN_2)),
    "log10": lambda c, w, k, a, r: c.div(w, c.mul(a(0), LN_10)),
    "log1p": lambda c, w, k, a, r: c.div(w, c.sum(a(0), "1.0")),
    "sqrt": lambda c, w, k, a, r: c.div(c.mul(w, "0.5"), r()),
    "cbrt": lambda c, w, k, a, r: c.div(w, c.mul("3.0", _square(c, r()))),
    "fabs": lambda c, w, k, a, r: c.mul(w, _sign(c, a(0))),
    "tanh": lambda c, w, k, a, r: c.mul(w, c.arithmetic("fsub", "1.0", _square(c, r()))),
    "sinh": lambda c, w, k, a, r: c.mul(w, c.call("cosh", a(0))),
    "cosh": lambda c, w, k, a, r: c.mul(w, c.call("sinh", a(0))),
    "atan": lambda c, w, k, a, r: c.div(w, c.sum("1.0", _square(c, a(0)))),
    "asin": _arc,
    "acos": lambda c, w, k, a, r: c.neg(_arc(c, w, k, a, r)),
    "asinh": lambda c, w, k, a, r: c.div(w, c.call("sqrt", c.sum("1.0", _square(c, a(0))))),
    "acosh": lambda c, w, k, a, r: c.div(w, c.call("sqrt", c.sum("-1.0", _square(c, a(0))))),
    "atanh": lambda c, w, k, a, r: c.div(w, c.arithmetic("fsub", "1.0", _square(c, a(0)))),
    "erf": _bell,
    "erfc": lambda c, w, k, a, r: c.neg(_bell(c, w, k, a, r)),
    "pow": _pow,
    "powi": _powi,
    "hypot": lambda c, w, k, a, r: c.mul(c.div(w, r()), a(k)),
    "atan2": _atan2,
    "fma": lambda c, w, k, a, r: w if k == 2 else c.mul(w, a(1 - k)),
    "maxnum": _chosen("oge"),
    "minnum": _chosen("ole"),
    "copysign": lambda c, w, k, a, r: "0.0" if k else c.mul(w, c.mul(_sign(c, a(0)), _sign(c, a(1)))),
    "lgamma": lambda c, w, k, a, r: c.mul(w, c.call("digamma", a(0))),
    "tgamma": lambda c, w, k, a, r: c.mul(w, c.mul(r(), c.call("digamma", a(0)))),
    "digamma": lambda c, w, k, a, r: c.mul(w, c.call("trigamma", a(0))),
}

OPERATIONS: dict[str, Any] = {
    "fadd": lambda c, w, k, a, r: w,
    "fsub": lambda c, w, k, a, r: c.neg(w) if k else w,
    "fmul": lambda c, w, k, a, r: c.mul(w, a(1 - k)),
    "fdiv": _fdiv,
    "frem": lambda c, w, k, a, r: c.neg(c.mul(w, c.call("trunc", c.div(a(0), a(1))))) if k else w,
    "fneg": lambda c, w, k, a, r: c.neg(w),
    "select": lambda c, w, k, a, r: c.choose(a(0), *((w, "0.0") if k == 1 else ("0.0", w))),
    "freeze": lambda c, w, k, a, r: w,
    "bitcast": lambda c, w, k, a, r: w,
}


def rule_of(instruction) -> Any:
    """(the rule of an operation, whether its derivatives may be infinite), or None."""
    if instruction.op == "call":
        name = function_of(instruction.callee)
        return (FUNCTIONS[name], name in STEEP) if name in FUNCTIONS else None
    rule = OPERATIONS.get(instruction.op)
    return None if rule is None else (rule, instruction.op in STEEP)


def strong(c: Code, w: str, product: str) -> str:
    """0 times infinity is 0 here: mends `np.where(x > 0, np.sqrt(x), 0)`."""
    return product if w == "1.0" else c.choose(c.compare("oeq", w, "0.0"), "0.0", product)
