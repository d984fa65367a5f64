"""The loop of a sum of array expressions (array_sums.py): a Python function that is made, compiled and called.

A tree is a variable, a constant, a step, or (operator, [trees]).
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

from numba.core import ir, targetconfig, types
from numba.np.ufunc.array_exprs import _arr_expr_to_ast

from .jit import once, part
from .parts import PartCompiler

OPERATION = "thalweg_array_sum"  # an expression of Numba's IR: kind, operands (trees), steps [(name, tree)]


@dataclass(frozen=True)
class Step:
    """In a tree, in place of a variable: an array that the loop makes, element by element."""

    name: str


def names_in(trees) -> Counter:
    """How often each variable stands in the trees: variables, constants, or (operator, [trees])."""
    found: Counter = Counter()
    waiting = list(trees)
    while waiting:
        tree = waiting.pop()
        if isinstance(tree, ir.Var):
            found[tree.name] += 1
        elif isinstance(tree, tuple):
            waiting += tree[1]
    return found


def common_length(lengths):
    """The length of vectors that are broadcast together: one of a single element is repeated."""
    common = 1
    for length in lengths:
        if length != 1:
            if common != 1 and common != length:
                raise ValueError("operands could not be broadcast together")
            common = length
    return common


def same_length(length, other):
    if length != other:
        raise ValueError("incompatible array sizes for np.dot(a, b)")
    return length


_part = once(part)


# `elements` and `term` stand for what each sum puts there.
LOOP = """
def array_sum({parameters}):
    total = {start}
    n = len({first})
    if {equal}:
        for i in range(n):
            elements
            total {operator}= term
        return {result}
    n = {common}
    for i in range(n):
        elements
        total {operator}= term
    return {result}
"""
FORMS = {  # where the sum starts, how it goes on, what it comes to
    "sum": ("0.0", "+", "total"), "mean": ("0.0", "+", "total / n"), "dot": ("0.0", "+", "total"),
    "product": ("1.0", "*", "total"),
}  # fmt: skip


def lower_sum(lowerer, expression):
    """Compile the loop, and call it."""
    names = sorted({var.name for var in expression.list_vars()})
    argument_types = [lowerer.typeof(name) for name in names]
    compile_part = getattr(lowerer.context, "part", _part)  # another target has its own (differentiate/source.py)
    function = _loop(expression, dict(zip(names, argument_types)), compile_part)
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


def _loop(expression, inputs: dict[str, Any], compile_part):
    """The Python function of the loop; its parameters are the variables of the expression."""
    parameters = {name: f"a{k}" for k, name in enumerate(inputs)}
    steps = {name: f"t{k}" for k, (name, _) in enumerate(expression.steps)}
    vectors = [name for name, ty in inputs.items() if isinstance(ty, types.Array)]
    start, operator_, result = FORMS[expression.kind]
    every = [f"len({parameters[name]})" for name in vectors]
    lengths = [_lengths(operand, expression.steps, vectors, parameters) for operand in expression.operands]
    common = [f"common_length(({', '.join(group)},))" for group in lengths]
    module = ast.parse(
        LOOP.format(
            parameters=", ".join(parameters.values()),
            start=start,
            operator=operator_,
            result=result,
            first=parameters[vectors[0]],
            equal=" and ".join(f"{a} == {b}" for a, b in itertools.pairwise(every)) or "True",
            common=common[0] if len(common) == 1 else f"same_length({', '.join(common)})",
        )
    )
    at = parameters | steps | {name: f"{parameters[name]}[i]" for name in vectors}
    at_or_first = at | {name: "{0}[i if len({0}) != 1 else 0]".format(parameters[name]) for name in vectors}
    scope: dict[str, Any] = {f.__name__: compile_part(f) for f in (common_length, same_length)}
    loops = sorted((node for node in ast.walk(module) if isinstance(node, ast.For)), key=lambda node: node.lineno)
    for loop, elements in zip(loops, (at, at_or_first)):
        _fill(loop, expression, elements, steps, scope)
    exec(compile(ast.fix_missing_locations(module), expression.loc.filename, "exec"), scope)
    return scope["array_sum"]


def _lengths(operand, steps, vectors, parameters) -> list[str]:
    """The lengths of the vectors that an operand is made of."""
    of_steps, used, waiting = dict(steps), set(), [operand]
    while waiting:
        tree = waiting.pop()
        if isinstance(tree, Step):
            waiting.append(of_steps[tree.name])
        elif isinstance(tree, ir.Var):
            used.add(tree.name)
        elif isinstance(tree, tuple):
            waiting += tree[1]
    return [f"len({parameters[name]})" for name in vectors if name in used]


def _fill(loop: ast.For, expression, elements: dict[str, str], steps: dict[str, str], scope: dict) -> None:
    """Write the arithmetic into a loop: an assignment for each step, a double as in its array; then the term."""

    def parsed(tree):
        tree, functions = _arr_expr_to_ast(_as_variables(tree))
        scope.update(functions)
        return _Elements(elements).visit(tree)

    _, last = loop.body
    assert isinstance(last, ast.AugAssign)
    double = ast.Name("float", ast.Load())
    loop.body = [
        ast.Assign([ast.Name(steps[name], ast.Store())], ast.Call(double, [parsed(tree)], []))
        for name, tree in expression.steps
    ]
    factors = [parsed(tree) for tree in expression.operands]
    last.value = factors[0] if len(factors) == 1 else ast.BinOp(factors[0], ast.Mult(), factors[1])
    loop.body.append(last)


def _as_variables(tree):
    """The tree in the form that Numba's own parser takes: a step is a variable, too."""
    if isinstance(tree, Step):
        return ir.Var(None, tree.name, ir.unknown_loc)
    return (tree[0], [_as_variables(operand) for operand in tree[1]]) if isinstance(tree, tuple) else tree


class _Elements(ast.NodeTransformer):
    """Puts an element in place of each name."""

    def __init__(self, elements: dict[str, str]):
        self.elements = {name: ast.parse(text, mode="eval").body for name, text in elements.items()}

    def visit_Name(self, node):
        return self.elements.get(node.id, node)
