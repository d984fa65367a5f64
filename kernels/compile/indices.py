"""Whether a function stays inside its arrays: found before it is compiled, for arguments of known sizes.

A function whose indices are those of loops over its arrays (`for i in range(x.size)`, `x[i + 1]`, `x[0]`, slices) is
compiled without bounds checks, every other one with them. These cost little, but keep loops from the vector unit where
LLVM does not see what is seen here: that two arrays are of one length, or that a number is one.

The function, and all that it calls, is gone through as Numba reads it, with intervals in place of numbers and shapes in
place of arrays (extents.py), until nothing changes. What is not understood ends that: NotProven.
"""

from __future__ import annotations

import dis
import heapq
import inspect
import operator
import types as python_types
from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numba.core import ir
from numba.core.compiler import run_frontend
from numba.core.dispatcher import Dispatcher

from .extents import (
    COMPARISONS,
    SCALAR,
    UNKNOWN,
    Array,
    Known,
    Method,
    NotProven,
    Number,
    Scalar,
    Tuple,
    array,
    binary,
    broadcast,
    element,
    exact,
    holds_function,
    items_of,
    join,
    restricted,
)  # fmt: skip
from .fingerprint import library_function, names_in, of_library
from .known_calls import attribute, call_library, call_method, check_update

STEPS = 5000  # instructions gone through, at most: some milliseconds
DEPTH = 20  # functions within functions


def stays_inside(function, dimension: int | None, args: tuple) -> bool:
    """Whether no index of `function(x, *args)`, x of shape (dimension,) or of any, can be outside its array."""
    x = Array((Number(1, inf) if dimension is None else exact(dimension),))
    try:
        _Analysis().call(function, [x, *map(lift, args)], {})
    except Exception:  # NotProven, or what Numba cannot read either, which is told when it is compiled
        return False
    return True


def sizes_of(value) -> Any:
    """What an answer hangs on of an argument: shapes and whole numbers."""
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, tuple):
        return tuple(map(sizes_of, value))
    return value if isinstance(value, int) else None


def lift(value) -> Any:
    """What is known of a value of Python."""
    if isinstance(value, int):
        return exact(int(value))
    if isinstance(value, float | complex | np.generic):
        return SCALAR
    if isinstance(value, np.ndarray):
        return array(value.shape)
    if isinstance(value, tuple):
        return Tuple(tuple(map(lift, value)), getattr(value, "_fields", ()))
    return Known(value)


@dataclass(frozen=True)
class _Inner:
    """A lambda or a comprehension in which nothing can go wrong."""


class _Analysis:
    """A function and all that it calls."""

    def __init__(self):
        self.steps = STEPS
        self.depth = 0
        self.limits: set = set()  # what comparisons compare with: a bound that grows stops there
        self._read: dict[Any, Any] = {}  # function -> Numba's intermediate representation

    def call(self, function, given: list, named: dict) -> Any:
        """What a function of the user's returns."""
        function = getattr(function, "py_func", function)
        if function not in self._read:
            self._read[function] = run_frontend(function)
        self.depth += 1
        if self.depth > DEPTH:
            raise NotProven
        returned = _Walk(self, function, self._read[function], _bound(function, given, named)).walk()
        self.depth -= 1
        return returned

    def apply(self, function, given: list, named: dict) -> Any:
        """What any call returns."""
        if isinstance(function, Known) and _is_users(function.value):
            return self.call(function.value, given, named)
        if isinstance(function, _Inner):
            return UNKNOWN
        if any(map(holds_function, given)):
            raise NotProven  # it may be called there
        if isinstance(function, Method):
            return call_method(function, given, named)
        if isinstance(function, Known):
            return call_library(function.value, given, named)
        raise NotProven


def _is_users(function) -> bool:
    return isinstance(function, Dispatcher) or (
        isinstance(function, python_types.FunctionType) and not library_function(function)
    )


def _bound(function, given: list, named: dict) -> dict[str, Any]:
    """What is known of each parameter."""
    signature = inspect.signature(function)
    bound: dict[str, Any] = {}
    values = signature.bind(*given, **named).arguments
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            bound[name] = Tuple(tuple(values.get(name, ())))
        else:
            bound[name] = values[name] if name in values else lift(parameter.default)
    return bound


class _Walk:
    """One call of one function: the values of its names at the beginning of each block, until they grow no more."""

    def __init__(self, analysis: _Analysis, function, func_ir, bound: dict[str, Any]):
        self.analysis, self.function, self.bound = analysis, function, bound
        self.blocks = func_ir.blocks
        ways = [target for block in self.blocks.values() for target in block.terminator.get_targets()]
        self.ways_to = Counter(ways)
        self.visits: Counter = Counter()
        self.before: dict[int, dict[str, Any]] = {}
        self.returned: Any = None

    def walk(self) -> Any:
        first = min(self.blocks)
        self.before[first] = {}
        waiting = [first]
        while waiting:
            label = heapq.heappop(waiting)
            for target, names in _Block(self, self.blocks[label], dict(self.before[label])).run():
                if self.arrive(target, names) and target not in waiting:
                    heapq.heappush(waiting, target)
        return self.returned

    def arrive(self, label: int, names: dict[str, Any]) -> bool:
        """Note what the names stand for where a block begins; False if that is known."""
        names = {n: value for n, value in names.items() if n[0] != "$" or n.startswith("$phi")}
        old = self.before.get(label)
        if self.ways_to[label] > 1:  # what two names share on one way they need not share on another: new objects
            self.visits[label] += 1
            limits = self.analysis.limits if self.visits[label] > 3 else None
            old_names = old or names
            names = {n: join(old_names[n], names[n], limits) for n in old_names if n in names}
        self.before[label] = names
        return names != old

    def note_return(self, value) -> None:
        self.returned = value if self.returned is None else join(self.returned, value)


class _Block:
    """A block of instructions, gone through from top to bottom."""

    def __init__(self, walk: _Walk, block, names: dict[str, Any]):
        self.walk, self.block, self.names = walk, block, names
        self.analysis = walk.analysis
        self.compared: dict[str, tuple] = {}  # name -> the comparison whose result it is, and both sides

    def run(self) -> list[tuple[int, dict[str, Any]]]:
        """(block, values of names) for each block that may come next."""
        for instruction in self.block.body:
            self.analysis.steps -= 1
            if not self.analysis.steps:
                raise NotProven
            if isinstance(instruction, ir.Assign):
                self.assign(instruction.target.name, instruction.value)
            elif isinstance(instruction, ir.SetItem):
                element(self.value(instruction.target), self.value(instruction.index))
            elif isinstance(instruction, ir.Branch):
                return self.branch(instruction)
            elif isinstance(instruction, ir.Jump):
                return [(instruction.target, self.names)]
            elif isinstance(instruction, ir.Return):
                self.walk.note_return(self.value(instruction.value))
            elif not isinstance(instruction, HARMLESS):
                raise NotProven
        return []

    def value(self, var) -> Any:
        return self.names.get(var.name, UNKNOWN)

    def assign(self, target: str, source) -> None:
        if isinstance(source, ir.Var):
            self.names[target] = self.value(source)
            self.compared[target] = self.compared.get(source.name, ())
        elif isinstance(source, ir.Arg):
            self.names[target] = self.walk.bound[source.name]
        elif isinstance(source, ir.Const | ir.Global | ir.FreeVar):
            self.names[target] = lift(source.value)
        elif isinstance(source, ir.Expr):
            self.compared.pop(target, None)
            self.names[target] = self.evaluate(target, source)
        else:
            raise NotProven

    # --- expressions ---

    def evaluate(self, target: str, expression) -> Any:
        operation = expression.op
        if operation in ("binop", "inplace_binop"):
            return self.binary(target, expression)
        if operation == "call":
            return self.call(target, expression)
        if operation == "unary":
            return _unary(expression.fn, self.value(expression.value))
        if operation == "getattr":
            return self.attribute(self.value(expression.value), expression.attr)
        if operation == "getitem":
            return element(self.value(expression.value), self.value(expression.index))
        if operation == "static_getitem":
            return element(self.value(expression.value), lift(expression.index))
        if operation == "build_tuple":
            return Tuple(tuple(map(self.value, expression.items)))
        if operation == "build_list":  # without a name it stands in `np.array([...])`; with one it may change
            return Tuple(tuple(map(self.value, expression.items))) if target[0] == "$" else UNKNOWN
        if operation in ("getiter", "iternext"):
            return items_of(self.value(expression.value))
        if operation == "pair_first":
            item = self.value(expression.value).item
            return join(item, item)  # another item each time, therefore another object
        if operation == "pair_second":
            return Number(0, min(1, self.value(expression.value).count.high))
        if operation in ("cast", "exhaust_iter"):
            return self.value(expression.value)
        if operation == "make_function":
            return self.inner(expression)
        if operation in ("build_map", "build_set", "undef", "null"):
            return UNKNOWN
        raise NotProven

    def binary(self, target: str, expression) -> Any:
        function, a, b = expression.fn, self.value(expression.lhs), self.value(expression.rhs)
        if expression.op == "inplace_binop":
            check_update(a, b)
        if function in (operator.is_, operator.is_not) and Known(None) in (a, b) and UNKNOWN not in (a, b):
            return exact((a == b) == (function is operator.is_))
        if function in COMPARISONS:
            self.compared[target] = (function, a, b)
        return binary(function, a, b)

    def call(self, target: str, expression) -> Any:
        function = self.value(expression.func)
        given = list(map(self.value, expression.args))
        named = {name: self.value(var) for name, var in expression.kws}
        if expression.vararg is not None:
            more = self.value(expression.vararg)
            if not isinstance(more, Tuple):
                raise NotProven
            given += more.items
        if expression.varkwarg is not None:
            raise NotProven
        if function == Known(bool):
            if len(expression.args) == 1:
                self.compared[target] = self.compared.get(expression.args[0].name, ())
            return _truth(*given)
        return self.analysis.apply(function, given, named)

    def attribute(self, value, name: str) -> Any:
        if isinstance(value, Known):
            if not isinstance(value.value, python_types.ModuleType):
                raise NotProven
            return lift(getattr(value.value, name))
        return attribute(value, name)

    def inner(self, expression) -> Any:
        """A lambda or comprehension, if it has no index and calls only functions of libraries."""
        code, function = expression.code, self.walk.function
        values = [function.__globals__[n] for n in names_in(code) if n in function.__globals__]
        outside = self.value(expression.closure) if expression.closure is not None else Tuple(())
        if _has_index(code) or not all(map(_is_harmless, values)) or holds_function(outside) or outside == UNKNOWN:
            raise NotProven
        return _Inner()

    # --- branches ---

    def branch(self, instruction) -> list[tuple[int, dict[str, Any]]]:
        truth = _truth(self.value(instruction.cond))
        compared = self.compared.get(instruction.cond.name)
        ways = []
        for target, holds in ((instruction.truebr, 1), (instruction.falsebr, 0)):
            names: Any = self.names
            if not truth.low <= holds <= truth.high:
                continue
            if compared:
                function, a, b = compared
                names = self.where(function if holds else COMPARISONS[function], a, b)
            if names is not None:
                ways.append((target, names))
        return ways

    def where(self, function, a, b) -> dict[str, Any] | None:
        """The values of names where a comparison of whole numbers holds; None where it cannot."""
        if not (isinstance(a, Number) and isinstance(b, Number)):
            return self.names
        self.analysis.limits.update((a.low, a.high, b.low - 1, b.high - 1, b.low, b.high))
        both = restricted(function, a, b)
        if both is None:
            return None
        return {n: both[0] if v is a else both[1] if v is b else v for n, v in self.names.items()}


HARMLESS = (ir.Del, ir.Print, ir.Raise, ir.StaticRaise, ir.StoreMap)


def _truth(value: Any = UNKNOWN) -> Number:
    if isinstance(value, Number) and (value.low > 0 or value.high < 0):
        return exact(1)
    return exact(0) if value == exact(0) else Number(0, 1)


def _unary(function, value) -> Any:
    if function is operator.neg and isinstance(value, Number):
        return binary(operator.sub, exact(0), value)
    if function is operator.not_:
        return binary(operator.sub, exact(1), _truth(value))
    return SCALAR if isinstance(value, Number | Scalar) else broadcast([value])


def _is_harmless(value) -> bool:
    """Whether what a name stands for is data, or of a library that nobody needs to look into."""
    if isinstance(value, python_types.ModuleType):
        return of_library(value.__name__)
    return not callable(value) or (not _is_users(value) and of_library(getattr(value, "__module__", None)))


def _has_index(code) -> bool:
    """Whether a code object, or one in it, has an index, or changes something in place."""
    inner = (constant for constant in code.co_consts if isinstance(constant, python_types.CodeType))
    operations = [(i.opname, i.argrepr) for i in dis.get_instructions(code)]
    return any(map(_has_index, inner)) or any(
        "SUBSCR" in name or "SLICE" in name or (name == "BINARY_OP" and (of == "[]" or "=" in of))
        for name, of in operations
    )
