"""Sums of array expressions without the arrays: `np.sum(x**2 - 10 * np.cos(x))` becomes the loop one would write.

Numba makes one loop of an array expression, which fills a new array, and a second one adds that up. For the short
vectors of an objective the allocation and the second pass cost more than the arithmetic. Here, once the types are
known, such a sum becomes one loop that adds the elements as they are computed, in the same order. Arrays with a name
go into it, too, where nothing else uses them (`r = y - model` in `np.sum(r**2)`). That holds for vectors of doubles, in

    np.sum(a)   a.sum()   sum(a)   np.mean(a)   a.mean()   np.prod(a)   a.prod()
    np.dot(a, b)   a @ b                          where sums may be reordered: else they are those of BLAS
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import numpy as np
from numba.core import ir, types
from numba.core.compiler_machinery import FunctionPass, register_pass

from .sum_loops import OPERATION, Step, lower_sum, names_in

SUMS = {
    np.sum: "sum", sum: "sum", np.mean: "mean", (types.Array, "sum"): "sum", (types.Array, "mean"): "mean",
    np.prod: "product", (types.Array, "prod"): "product", np.dot: "dot", operator.matmul: "dot",
}  # fmt: skip


@register_pass(mutates_CFG=False, analysis_only=False)
class FuseSums(FunctionPass):
    """Replaces the sums of a function; runs behind Numba's own rewriting of array expressions."""

    _name = "thalweg_fuse_sums"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        state.targetctx.special_ops.setdefault(OPERATION, lower_sum)
        blocks = state.func_ir.blocks.values()
        uses = Counter(var.name for block in blocks for instruction in block.body for var in instruction.list_vars())
        changed = [_Block(block, state, uses).fuse() for block in blocks]
        return any(changed)


class _Block:
    """A block of Numba's IR, read from top to bottom."""

    def __init__(self, block, state, uses: Counter):
        self.block, self.typemap, self.uses = block, state.typemap, uses
        self.relaxed = bool(getattr(state.flags.fastmath, "flags", ()))
        self.methods: dict[str, Any] = {}  # variable -> the assignment of `a.sum` to it
        self.arrays: dict[str, Any] = {}  # variable -> the assignment of its expression, nothing written since
        self.gone: set[int] = set()  # ids of instructions

    def fuse(self) -> bool:
        changed = False
        for instruction in self.block.body:
            if not isinstance(instruction, ir.Assign) or not self.is_harmless(instruction.value):
                self.arrays.clear()
            value = getattr(instruction, "value", None)
            if not (isinstance(instruction, ir.Assign) and isinstance(value, ir.Expr)):
                continue
            if value.op == "getattr":
                self.methods[instruction.target.name] = instruction
            elif value.op == "arrayexpr" and self.is_fit(instruction.target, value.list_vars()):
                self.arrays[instruction.target.name] = instruction
            elif value.op in ("call", "binop"):
                changed = self.replace(instruction) or changed
        if changed:
            self.block.body = [i for i in self.block.body if id(i) not in self.gone]
        return changed

    def is_harmless(self, value) -> bool:
        """Whether this can change the content of no array."""
        if isinstance(value, ir.Const | ir.Global | ir.FreeVar | ir.Var | ir.Arg):
            return True
        if not isinstance(value, ir.Expr):
            return False
        given = [self.typemap.get(var.name) for var in value.list_vars()]
        if value.op in HARMLESS:
            return all(map(_is_known, given))  # what a class of the user's does, nobody knows
        if value.op != "call":
            return False
        function, *arguments = given
        return self.sum_of(value) is not None or (
            isinstance(function, types.Function) and all(map(_is_plain, arguments))
        )

    def is_fit(self, target, inputs) -> bool:
        """Whether `target` is a vector of doubles, made of vectors and numbers."""
        ty = self.typemap[target.name]
        given = [self.typemap[var.name] for var in inputs]
        fits = all(_is_vector(ty) or _is_number(ty) for ty in given) and any(map(_is_vector, given))
        return fits and _is_vector(ty) and ty.dtype == types.float64

    def sum_of(self, value) -> tuple[str, list] | None:
        """(which sum, its operands) if the expression is one."""
        if value.op == "binop":
            return ("dot", [value.lhs, value.rhs]) if value.fn is operator.matmul else None
        function = self.typemap.get(value.func.name)
        if value.kws or value.vararg is not None:
            return None
        if isinstance(function, types.BoundFunction):
            method = self.methods.get(value.func.name)
            alone = method is not None and self.uses[value.func.name] == 2 and not value.args
            operands = [method.value.value] if alone else []  # pyright: ignore[reportOptionalMemberAccess]
        else:
            operands = list(value.args) if isinstance(function, types.Function) else []
        kind = SUMS.get(function.typing_key) if operands and _is_hashable(function.typing_key) else None
        return (kind, operands) if kind and len(operands) == (2 if kind == "dot" else 1) else None

    def replace(self, instruction) -> bool:
        """Put a loop in place of a sum."""
        call = instruction.value
        found = self.sum_of(call)
        if found is None or self.typemap.get(instruction.target.name) != types.float64:
            return False
        kind, operands = found
        if not all(self.is_fit(operand, [operand]) for operand in operands) or (kind == "dot" and not self.relaxed):
            return False
        if call.op == "call" and call.func.name in self.methods:
            self.gone.add(id(self.methods[call.func.name]))  # `a.sum` is not needed any more
        steps = self.take_in(operands)
        inside = {name for name, _ in steps}
        instruction.value = ir.Expr(
            OPERATION, instruction.loc, kind=kind, operands=[_within(tree, inside) for tree in operands],
            steps=[(name, _within(tree, inside)) for name, tree in steps],
        )  # fmt: skip
        return True

    def take_in(self, operands) -> list[tuple[str, Any]]:
        """(name, expression) of the arrays that only these operands, and such arrays, use; in the order of making."""
        steps: list[tuple[str, Any]] = []
        while True:
            used = names_in([*operands, *(tree for _, tree in steps)])
            name = next((n for n, count in used.items() if n in self.arrays and self.uses[n] == 1 + count), None)
            if name is None:
                return steps
            source = self.arrays.pop(name)
            steps.insert(0, (name, source.value.expr))
            self.gone.add(id(source))


HARMLESS = {  # operations that change no array, where their operands are numbers, arrays, slices, modules, functions
    "arrayexpr", "binop", "unary", "cast", "getattr", "getitem", "static_getitem", "build_tuple", "exhaust_iter",
    OPERATION,
}  # fmt: skip


def _within(tree, inside: set[str]):
    """The tree with steps in place of the variables `inside`; what is below its root is changed in place."""
    if isinstance(tree, ir.Var):
        return Step(tree.name) if tree.name in inside else tree
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            operands = node[1]
            operands[:] = [Step(o.name) if isinstance(o, ir.Var) and o.name in inside else o for o in operands]
            waiting += operands
    return tree


def _is_plain(ty) -> bool:
    """Whether a value of this type leads to no array."""
    return isinstance(ty, types.Number | types.Boolean | types.NoneType | types.SliceType | types.UnicodeType)


def _is_known(ty) -> bool:
    """Whether operations on this type are Numba's own."""
    if isinstance(ty, types.BaseTuple):
        return all(map(_is_known, ty.types))  # pyright: ignore[reportAttributeAccessIssue]
    return _is_plain(ty) or isinstance(ty, types.Array | types.Module | types.Function | types.BoundFunction)


def _is_number(ty) -> bool:
    return isinstance(ty, types.Float | types.Integer | types.Boolean)


def _is_vector(ty) -> bool:
    return isinstance(ty, types.Array) and ty.ndim == 1 and _is_number(ty.dtype)


def _is_hashable(value) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
