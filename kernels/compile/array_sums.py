"""Sums of array expressions without the arrays: `np.sum(x**2 - 10 * np.cos(x))` becomes the loop one would write.

Numba makes one loop of an array expression, which fills a new array, and a second one adds that up. For the short
vectors of an objective the allocation and the second pass cost more than the arithmetic. Here, once the types are
known, such a sum becomes one loop that adds the elements as they are computed, in the same order. Arrays with a name
go into it, too, where nothing else uses them (`r = y - model` in `np.sum(r**2)`). That holds for vectors of doubles, in

    np.sum(a)   a.sum()   sum(a)   np.mean(a)   a.mean()   np.prod(a)   a.prod()
    np.dot(a, b)   a @ b                          where sums may be reordered: else they are those of BLAS
"""

from __future__ import annotations

import ast
import copy
import itertools
import operator
from collections import Counter
from typing import Any

import numpy as np
from numba.core import ir, targetconfig, types
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.np.ufunc.array_exprs import _arr_expr_to_ast

from .jit import part
from .parts import PartCompiler

OPERATION = "thalweg_array_sum"
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
        state.targetctx.special_ops.setdefault(OPERATION, _lower)
        blocks = state.func_ir.blocks.values()
        uses = Counter(var.name for block in blocks for instruction in block.body for var in instruction.list_vars())
        changed = [_Block(block, state, uses).fuse() for block in blocks]
        return any(changed)


class _Block:
    """A block of Numba's IR, read from top to bottom."""

    def __init__(self, block, state, uses: Counter):
        self.block, self.typemap, self.uses = block, state.typemap, uses
        self.relaxed = bool(getattr(state.flags.fastmath, "flags", ()))
        self.methods: dict[str, Any] = {}  # variable -> the getattr that made it
        self.arrays: dict[str, Any] = {}  # variable -> the expression that made it, nothing written since
        self.gone: set[int] = set()  # ids of instructions

    def fuse(self) -> bool:
        changed = False
        for instruction in self.block.body:
            if not isinstance(instruction, ir.Assign) or self.may_write(instruction.value):
                self.arrays.clear()
            value = getattr(instruction, "value", None)
            if not (isinstance(instruction, ir.Assign) and isinstance(value, ir.Expr)):
                continue
            if value.op == "getattr":
                self.methods[instruction.target.name] = value
            elif value.op == "arrayexpr" and self.is_fit(instruction.target, value.list_vars()):
                self.arrays[instruction.target.name] = instruction
            elif value.op in ("call", "binop"):
                changed = self.replace(instruction) or changed
        if changed:
            self.block.body = [i for i in self.block.body if id(i) not in self.gone]
        return changed

    def may_write(self, value) -> bool:
        """Whether this may change the content of an array."""
        if not isinstance(value, ir.Expr) or value.op in ("arrayexpr", "binop", "getattr", "unary", "cast"):
            return False
        if value.op == "call":
            if self.sum_of(value) is not None:
                return False
            given = [*value.args, *(var for _, var in value.kws), *([value.vararg] if value.vararg else [])]
            bound = isinstance(self.typemap.get(value.func.name), types.BoundFunction)
            return bound or not all(_is_plain(self.typemap[var.name]) for var in given)
        return value.op not in ("getitem", "static_getitem", "build_tuple", "exhaust_iter")

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
            operands = [method.value] if method is not None and not value.args else []
        else:
            operands = list(value.args) if isinstance(function, types.Function) else []
        kind = SUMS.get(function.typing_key) if operands and _is_hashable(function.typing_key) else None
        return (kind, operands) if kind and len(operands) == (2 if kind == "dot" else 1) else None

    def replace(self, instruction) -> bool:
        """Put a loop in place of a sum."""
        found = self.sum_of(instruction.value)
        if found is None or self.typemap.get(instruction.target.name) != types.float64:
            return False
        kind, trees = found
        if not all(self.is_fit(operand, [operand]) for operand in trees) or (kind == "dot" and not self.relaxed):
            return False
        self.forget_method(instruction.value)
        while used_up := [name for name, count in _names(trees).items() if self.is_used_up(name, count)]:
            trees = [self.expanded(tree, used_up[0]) for tree in trees]
            source = self.arrays.pop(used_up[0])
            self.uses.subtract(_names([source.value.expr]))
            self.gone.add(id(source))
        instruction.value = ir.Expr(OPERATION, instruction.loc, kind=kind, expr=tuple(trees))
        return True

    def forget_method(self, call) -> None:
        """`a.sum` is not needed any more, and is no use of a."""
        method = self.methods.get(call.func.name) if call.op == "call" else None
        if method is not None and self.uses[call.func.name] == 2:
            self.gone |= {id(i) for i in self.block.body if getattr(i, "value", None) is method}

    def is_used_up(self, name: str, count: int) -> bool:
        """Whether an expression makes this array, and nothing but these `count` places uses it."""
        return name in self.arrays and self.uses[name] == 1 + count

    def expanded(self, tree, name: str):
        """The tree with the expression of an array in the places of its name."""
        if isinstance(tree, ir.Var):
            if tree.name != name:
                return tree
            expression = self.arrays[name].value
            self.uses.update(_names([expression.expr]))
            return expression.expr
        if isinstance(tree, tuple):
            operator_, operands = tree
            return operator_, [self.expanded(operand, name) for operand in operands]
        return tree


def _names(trees) -> Counter:
    """How often each variable stands in the trees: variables, constants, or (operator, [trees])."""
    found: Counter = Counter()
    for tree in trees:
        if isinstance(tree, ir.Var):
            found[tree.name] += 1
        elif isinstance(tree, tuple):
            found += _names(tree[1])
    return found


def _is_plain(ty) -> bool:
    """Whether a value of this type leads to no array."""
    return isinstance(ty, types.Number | types.Boolean | types.NoneType | types.SliceType | types.UnicodeType)


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


# --- code ---------------------------------------------------------------------------------------------------------


@part
def common_length(lengths):
    """The length of vectors that are broadcast together: one of a single element is repeated."""
    common = 1
    for length in lengths:
        if length != 1:
            if common != 1 and common != length:
                raise ValueError("operands could not be broadcast together")
            common = length
    return common


@part
def same_length(length, other):
    if length != other:
        raise ValueError("incompatible array sizes for np.dot(a, b)")
    return length


LOOP = """
def array_sum({parameters}):
    total = {start}
    n = len({first})
    if {equal}:
        for i in range(n):
            total {operator}= {term}
        return {result}
    n = {common}
    for i in range(n):
        total {operator}= {broadcast_term}
    return {result}
"""
FORMS = {  # where the sum starts, how it goes on, what it comes to
    "sum": ("0.0", "+", "total"), "mean": ("0.0", "+", "total / n"), "dot": ("0.0", "+", "total"),
    "product": ("1.0", "*", "total"),
}  # fmt: skip


def _lower(lowerer, expression):
    """Compile the loop, and call it."""
    names = sorted({var.name for var in expression.list_vars()})
    argument_types = [lowerer.typeof(name) for name in names]
    function = _loop(expression, names, argument_types)
    flags: Any = targetconfig.ConfigStack().top().copy()
    flags.error_model = "numpy"  # as Numba compiles array expressions
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    context, signature = lowerer.context, types.float64(*argument_types)
    library = context.codegen().create_library(function.__name__)
    compiler = PartCompiler(
        context.typing_context, context, library, signature.args, signature.return_type, flags, locals={}
    )
    compiled = compiler.compile_extra(function)
    context.active_code_library.add_linking_library(library)
    arguments = [lowerer.loadvar(name) for name in names]
    return context.call_internal(lowerer.builder, compiled.fndesc, signature, arguments)


def _loop(expression, names, argument_types):
    """The Python function of the loop; its parameters are the variables of the expression."""
    parameters = {name: f"a{k}" for k, name in enumerate(names)}
    vectors = [name for name, ty in zip(names, argument_types) if isinstance(ty, types.Array)]
    at = parameters | {name: f"{parameters[name]}[i]" for name in vectors}
    at_or_first = parameters | {name: "{0}[i if len({0}) != 1 else 0]".format(parameters[name]) for name in vectors}
    trees, scope = [], {"common_length": common_length, "same_length": same_length}
    for tree in expression.expr:
        parsed, functions = _arr_expr_to_ast(tree)
        trees.append(parsed)
        scope |= functions
    lengths = [[f"len({parameters[name]})" for name in vectors if name in _names([tree])] for tree in expression.expr]
    every = dict.fromkeys(itertools.chain(*lengths))
    common = [f"common_length(({', '.join(group)},))" for group in lengths]
    start, operator_, result = FORMS[expression.kind]
    source = LOOP.format(
        start=start,
        operator=operator_,
        result=result,
        parameters=", ".join(parameters.values()),
        first=parameters[vectors[0]],
        equal=" and ".join(f"{a} == {b}" for a, b in itertools.pairwise(every)) or "True",
        common=common[0] if len(common) == 1 else f"same_length({', '.join(common)})",
        term=" * ".join(f"({_written(tree, at)})" for tree in trees),
        broadcast_term=" * ".join(f"({_written(tree, at_or_first)})" for tree in trees),
    )
    exec(compile(source, expression.loc.filename, "exec"), scope)
    return scope["array_sum"]


def _written(tree: Any, elements: dict[str, str]) -> str:
    """The expression as text, with an element in place of each name."""
    tree = copy.deepcopy(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = elements.get(node.id, node.id)
    return ast.unparse(tree)
