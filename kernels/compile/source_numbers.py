"""What the source of a user's function says of its numbers, before and after their types are known.

WritePowers     before: how powers are written, so that whole numbers become floats where Python makes them floats
LeaveIndices    after: which products of whole numbers are too small to be watched (python_numbers.py)
"""

from __future__ import annotations

import operator
import types as python_types
from typing import Any

from numba.core import errors, ir, types
from numba.core.compiler_machinery import FunctionPass, register_pass


@register_pass(mutates_CFG=False, analysis_only=False)
class WritePowers(FunctionPass):
    """What the source says of powers.

    `n ** -k` becomes `(n * 1.0) ** -k`, a call of `pow` an operator, a constant beyond 64 bits a float, and `x ** -1.5`
    becomes `1.0 / x ** 1.5`, as LLVM makes `x ** -2 * sqrt(x)` of it, which is NaN at 0.
    """

    _name = "thalweg_write_powers"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        source = sources(state.func_ir)
        for block in state.func_ir.blocks.values():
            block.body = [new for old in block.body for new in _written(old, source, block.scope)]
        return True


def _written(instruction, source: dict, scope) -> list:
    """The instructions in place of one."""
    if not isinstance(instruction, ir.Assign):
        return [instruction]
    value, loc = instruction.value, instruction.loc
    if isinstance(value, ir.Const | ir.Global | ir.FreeVar) and type(value.value) is int:
        if not -(2**63) <= value.value < 2**64:
            instruction.value = ir.Const(_of_64_bits(value.value, loc), loc)
        return [instruction]
    if not isinstance(value, ir.Expr):
        return [instruction]
    if value.op == "call" and len(value.args) == 2 and not value.kws and value.vararg is None:
        if _named(value.func, source) in (pow, operator.pow):
            instruction.value = value = ir.Expr.binop(operator.pow, *value.args, loc=loc)
    if value.op != "binop" or value.fn is not operator.pow:
        return [instruction]
    base: Any = _constant(value.lhs, source)
    exponent: Any = _constant(value.rhs, source)
    if type(base) is type(exponent) is int and 0 <= exponent < 1024:
        instruction.value = ir.Const(_of_64_bits(base**exponent, loc), loc)
    elif isinstance(exponent, float) and exponent < -1.0 and exponent % 1.0 == 0.5:
        return _inverted(instruction, -exponent, scope)
    elif _is_negative(value.rhs, source):
        one, floating = scope.redefine("$one", loc), scope.redefine("$base", loc)
        times = ir.Expr.binop(operator.mul, value.lhs, one, loc)
        value.lhs = floating
        return [ir.Assign(ir.Const(1.0, loc), one, loc), ir.Assign(times, floating, loc), instruction]
    return [instruction]


def _inverted(instruction, exponent: float, scope) -> list:
    """1.0 / x ** exponent."""
    loc = instruction.loc
    one, positive, power = (scope.redefine(name, loc) for name in ("$one", "$exponent", "$power"))
    powered = ir.Expr.binop(operator.pow, instruction.value.lhs, positive, loc)
    instruction.value = ir.Expr.binop(operator.truediv, one, power, loc)
    made = (ir.Const(1.0, loc), one), (ir.Const(exponent, loc), positive), (powered, power)
    return [*(ir.Assign(value, target, loc) for value, target in made), instruction]


def _named(variable, source: dict):
    """The function that a variable stands for; None: another thing."""
    value = source.get(variable.name)
    if isinstance(value, ir.Expr) and value.op == "getattr":
        module = _named(value.value, source)
        return getattr(module, value.attr, None) if isinstance(module, python_types.ModuleType) else None
    return getattr(value, "value", None) if isinstance(value, ir.Global | ir.FreeVar) else None


def _constant(variable, source: dict):
    """The constant that a variable stands for; None: another thing."""
    value = source.get(variable.name)
    if isinstance(value, ir.Var):
        return _constant(value, source)
    return value.value if isinstance(value, ir.Const | ir.Global | ir.FreeVar) else None


def _is_negative(variable, source: dict) -> bool:
    """Whether a minus is written before the exponent."""
    value = source.get(variable.name)
    if isinstance(value, ir.Var):
        return _is_negative(value, source)
    if isinstance(value, ir.Expr):
        return value.op == "unary" and value.fn is operator.neg
    constant = _constant(variable, source)
    return isinstance(constant, int | float) and constant < 0


def _of_64_bits(value: int, loc) -> int | float:
    """The number, as a float where it is beyond 64 bits and one has its value."""
    if -(2**63) <= value < 2**63:
        return value
    if abs(value) >= 2**1024 or int(float(value)) != value:
        raise errors.UnsupportedError("a whole number beyond 64 bits: write a float", loc)
    return float(value)


@register_pass(mutates_CFG=False, analysis_only=False)
class LeaveIndices(FunctionPass):
    """Makes products of small whole numbers, as `2 * i + 1` in a loop, those of Numba, which nobody watches.

    Watched, they would keep loops from being vectorised (measured: three times the time for `a[i * n + j]`).
    """

    _name = "thalweg_leave_indices"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        source = sources(state.func_ir)
        for block in state.func_ir.blocks.values():
            for product in block.find_exprs(op="binop"):
                if product.fn is operator.mul and _bits(product, source, state.typemap) <= 63:
                    product.fn = operator.imul  # the same for numbers, and python_numbers has no answer for it
        return False


COUNTS = 31  # bits of the length of an array, or of an index of a loop: more would take too long


def _bits(value, source: dict, typemap) -> int:
    """How many bits a whole number has at most; 64: as many as there are."""
    if isinstance(value, ir.Var):
        ty = typemap.get(value.name)
        if not isinstance(ty, types.Integer | types.Boolean):
            return 64
        known = _bits(source[value.name], source, typemap) if value.name in source else 64
        return min(known, getattr(ty, "bitwidth", 1))
    if isinstance(value, ir.Const | ir.Global | ir.FreeVar):
        return value.value.bit_length() if isinstance(value.value, int) else 64
    if not isinstance(value, ir.Expr):
        return 64
    if value.op == "binop" and value.fn in GROWTH:
        return min(GROWTH[value.fn](*(_bits(side, source, typemap) for side in (value.lhs, value.rhs))), 64)
    return COUNTS if _is_count(value, source) else 64


GROWTH = {
    operator.add: lambda n, m: max(n, m) + 1, operator.sub: lambda n, m: max(n, m) + 1, operator.mul: operator.add,
    operator.imul: operator.add, operator.floordiv: lambda n, m: n, operator.mod: lambda n, m: m,
}  # fmt: skip


def _is_count(value: Any, source: dict[str, Any]) -> bool:
    """Whether this is a length, or the index of a loop over `range(n)`."""
    if value.op == "getattr":
        return value.attr in ("size", "ndim")
    if value.op in ("static_getitem", "getitem"):
        tuple_: Any = source.get(value.value.name)
        return getattr(tuple_, "op", None) == "getattr" and tuple_.attr == "shape"
    if value.op == "call":
        return _named(value.func, source) is len
    for step in ("pair_first", "iternext", "getiter"):
        if getattr(value, "op", None) != step:
            return False
        value = source.get(value.value.name)
        while isinstance(value, ir.Var):
            value = source.get(value.name)
    return getattr(value, "op", None) == "call" and _named(value.func, source) is range and len(value.args) == 1


def sources(func_ir) -> dict[str, Any]:
    """Variable -> what is assigned to it, where that is one thing only."""
    made: dict[str, list] = {}
    for block in func_ir.blocks.values():
        for assignment in block.find_insts(ir.Assign):
            made.setdefault(assignment.target.name, []).append(assignment.value)
    return {name: values[0] for name, values in made.items() if len(values) == 1}
