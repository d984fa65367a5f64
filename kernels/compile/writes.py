"""Which of its arrays a function writes into, read off its typed code.

A pass of Numba's compiler follows each array that comes in with a parameter through names, views, tuples, iterators and
calls, and notes the strongest of

    READ       nothing writes into it
    MAYBE      something may: what is not known (reading.py) is taken to write
    WRITTEN    an instruction does, should it be reached

for every array, be it a parameter or a member of a tuple. What a function called by this one does is known from the
same pass over that function; what a function does that calls itself is not known yet where it does, and so is MAYBE.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba.core import ir, types
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.errors import TypingError

from .aliases import FRESH, FROZEN, NOTHING, fit, flat, in_order, is_plain, join, leaves, numbered, put_in
from .carried_types import FunctionType, ObjectType
from .reading import known_function

READ, MAYBE, WRITTEN = 0, 1, 2
NOTE = "thalweg_writes"  # under which a compile result holds its `Effects`
RETURNS = "thalweg_returns"  # under which an adapter holds the dimensions of what its function returns, 0 of a number


class Effects(NamedTuple):
    """What calling a function does to the arrays it is given."""

    written: tuple[int, ...]  # READ, MAYBE or WRITTEN of each `leaf` of the parameters
    result: Any  # description of what it returns


def effects_of(compiled) -> Effects | None:
    """What was found when this was compiled, in this process or in another (cache.py)."""
    return (getattr(compiled, "metadata", None) or {}).get(NOTE)


def effects_of_only(dispatcher) -> Effects | None:
    """The effects of a function that was compiled once."""
    results = list(dispatcher.overloads.values())
    return effects_of(results[0]) if len(results) == 1 else None


@register_pass(mutates_CFG=False, analysis_only=True)
class FindWrites(FunctionPass):
    """Notes the effects of a function; runs when its types are known."""

    _name = "thalweg_find_writes"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        state.metadata[NOTE] = _Reader(state).effects()
        return False


@register_pass(mutates_CFG=False, analysis_only=True)
class KeepWrites(FunctionPass):
    """Notes the effects of the one function that an adapter calls as the adapter's own, and what it returns."""

    _name = "thalweg_keep_writes"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        called = {ty.dispatcher for ty in state.typemap.values() if isinstance(ty, types.Dispatcher)}
        function = called.pop() if called else None
        state.metadata[NOTE] = None if function is None else effects_of_only(function)
        found = [] if function is None else [r.signature.return_type for r in function.overloads.values()]
        state.metadata[RETURNS] = found[0].ndim if found and isinstance(found[0], types.Array) else 0
        return False


# --- a function ----------------------------------------------------------------------------------------------------


class _Reader:
    """Reads a function's typed code until nothing new is learnt, then once more for what it writes."""

    def __init__(self, state):
        self.code, self.typemap, self.calltypes = state.func_ir, state.typemap, state.calltypes
        self.values: dict[str, Any] = {}  # variable -> description
        self.returned: Any = NOTHING
        numbers = iter(range(10**9))
        self.parameters = [numbered(ty, numbers) for ty in state.args]
        self.written = [READ] * next(numbers)

    def effects(self) -> Effects:
        known = None
        while known != (self.values, self.returned):
            known = dict(self.values), self.returned
            self.read()
        self.written = [READ] * len(self.written)
        self.read()
        if self.code.is_generator:  # it holds all it was given
            self.returned = NOTHING.union(*map(flat, self.parameters))
        return Effects(tuple(self.written), self.returned)

    def read(self) -> None:
        for block in self.code.blocks.values():
            for statement in block.body:
                self.step(statement)

    def step(self, statement) -> None:
        if isinstance(statement, ir.Assign):
            name = statement.target.name
            value = fit(self.value_of(statement.value, self.typemap[name]), self.typemap[name])
            self.values[name] = join(self.values[name], value) if name in self.values else value
        elif isinstance(statement, ir.SetItem | ir.StaticSetItem | ir.SetAttr):
            self.write(statement.target, [statement.value])
        elif isinstance(statement, ir.Return):
            self.returned = join(self.returned, self[statement.value])
        elif not isinstance(statement, READING_STATEMENTS):
            self.lose(statement.list_vars())

    def __getitem__(self, var) -> Any:
        return self.values.get(var.name, NOTHING)

    # --- what is written

    def note(self, value, how: int) -> None:
        """What the description leads to is written; surely so if that is one array."""
        arrays = flat(value)
        how = how if len(arrays) == 1 else min(how, MAYBE)
        if arrays == FROZEN and how == WRITTEN:  # Numba does not see all of these, and the process would crash
            raise TypingError("it writes into an array that is a constant")
        for number in arrays:
            if number >= 0:
                self.written[number] = max(self.written[number], how)

    def lose(self, variables) -> None:
        """What happens to these is not known."""
        for var in variables:
            self.note(self[var], MAYBE)

    def write(self, target, content: list) -> None:
        """Something is stored in the target: into an array, its bytes; into anything else, itself."""
        if isinstance(self.typemap[target.name], ARRAYS):
            self.note(self[target], WRITTEN)
        else:
            self.lose([target, *content])

    # --- what an expression leads to

    def value_of(self, value, ty) -> Any:
        if isinstance(value, ir.Var):
            return self[value]
        if isinstance(value, ir.Arg):
            return self.parameters[value.index]
        if isinstance(value, ir.Yield):
            return NOTHING
        if not isinstance(value, ir.Expr):
            return FROZEN
        if value.op in HANDLERS:
            return HANDLERS[value.op](self, value, ty)
        everything = self.all_of(value.list_vars())
        if value.op == "build_list":  # which may be given others
            return everything | FRESH
        if value.op not in FOLLOWED:
            self.lose(value.list_vars())
            return everything | FRESH
        return everything

    def all_of(self, variables) -> frozenset[int]:
        return NOTHING.union(*(flat(self[var]) for var in variables))

    def phi(self, expr, ty):
        met = [self[var] for var in expr.incoming_values if getattr(var, "name", None) in self.values]
        value = met[0] if met else NOTHING
        for other in met[1:]:
            value = join(value, other)
        return value

    def same(self, expr, ty):
        return self[expr.value]

    def tuple_of(self, expr, ty):
        return tuple(self[item] for item in expr.items)

    def item(self, expr, ty):
        value, index = self[expr.value], getattr(expr, "index", None)
        if isinstance(value, tuple) and expr.op == "static_getitem" and isinstance(index, int | slice):
            return value[index]
        index_var = expr.index if expr.op == "getitem" else expr.index_var
        picked = leaves(self.typemap[index_var.name]) if index_var is not None else []
        if any(isinstance(ty, types.Array) and ty.ndim for ty in picked):
            return FRESH  # x[[0, 2]], x[mask]: a copy
        return flat(value)

    def attribute(self, expr, ty):
        owner, value = self.typemap[expr.value.name], self[expr.value]
        if isinstance(owner, types.BaseNamedTuple) and isinstance(value, tuple) and expr.attr in owner.fields:  # pyright: ignore[reportAttributeAccessIssue]
            return value[owner.fields.index(expr.attr)]  # pyright: ignore[reportAttributeAccessIssue]
        return self.of_object(owner, expr) if isinstance(owner, ObjectType) else value

    def of_object(self, owner: ObjectType, expr):
        """An attribute of an object of the user's (carried_types.py)."""
        what, found = owner.find(expr.attr) or ("", None)
        value = fit(self[expr.value], owner) or (NOTHING,) * len(owner.types)
        if what == "member":
            return value[owner.fields.index(expr.attr)]
        if what == "property" and isinstance(found, FunctionType):
            result = self.apply(found.code, [value], found.types)
            if result is None:
                self.lose([expr.value])
            return self.all_of([expr.value]) | FRESH if result is None else result
        return (value,) if what == "method" else NOTHING

    def operation(self, expr, ty):
        operands = expr.list_vars()
        given = [self.typemap[var.name] for var in operands]
        if not all(isinstance(known, types.Array) or is_plain(known) for known in given):
            if not all(isinstance(known, types.BaseTuple) for known in given):
                self.lose(operands)
            return self.all_of(operands) | FRESH
        return FRESH

    def inplace(self, expr, ty):
        target = self.typemap[expr.lhs.name]
        if isinstance(target, types.Array):
            self.write(expr.lhs, [expr.rhs])
            return self[expr.lhs]
        return self.operation(expr, ty)

    # --- calls

    def call(self, expr, ty):
        function, given = self.typemap[expr.func.name], expr.list_vars()
        if not self.all_of(given) - FRESH:
            return FRESH
        known = isinstance(function, types.Dispatcher | FunctionType)
        result = self.call_function(function, expr) if known else self.call_library(function, expr)
        if result is None:
            self.lose(given)
            return self.all_of(given) | FRESH
        return result

    def call_library(self, function, expr):
        """The description of the result of a function that is not the user's; None: nothing is known."""
        if isinstance(function, types.NumberClass | types.ExceptionClass):
            return FRESH
        if isinstance(function, types.NamedTupleClass):
            plainly = not expr.kws and expr.vararg is None
            return tuple(self[var] for var in expr.args) if plainly else self.all_of(expr.list_vars())
        bound = isinstance(function, types.BoundFunction)
        known = known_function(function) if bound or isinstance(function, types.Function) else None
        if known is None or expr.vararg is not None or (known.out == 0 and expr.kws):
            return None
        arguments = [expr.func] * bound + list(expr.args)
        written = [var for k, var in enumerate(arguments) if known.out <= k < known.until]
        written += [var for name, var in expr.kws if name == "out"]
        for var in written:
            self.note(self[var], WRITTEN)
        return self.all_of(expr.list_vars()) if known.views or written else FRESH

    def call_function(self, function, expr):
        """The same for a function that this pass has read."""
        signature = self.calltypes[expr]
        values = self.bound(signature.pysig, expr)
        if values is None or len(values) != len(signature.args):
            return None
        if not isinstance(function, FunctionType):
            return self.apply(function.dispatcher, values, signature.args)
        held = fit(self[expr.func], function) or (NOTHING,) * len(function.types)
        return self.apply(function.code, [*held, *values], (*function.types, *signature.args))

    def apply(self, dispatcher, values: list, given: tuple):
        """The description of the result of a function that is given these values, None if it is not known."""
        effects = effects_of(dispatcher.overloads.get(given))
        if effects is None:
            return None
        arrays = [leaf for value, ty in zip(values, given) for leaf in in_order(value, ty)]
        for how, leaf in zip(effects.written, arrays, strict=True):
            if how:
                self.note(leaf, how)
        return put_in(effects.result, arrays)

    def bound(self, signature, expr) -> list | None:
        """The descriptions of the arguments in the order of the parameters."""
        positional = [self[var] for var in expr.args]
        if expr.vararg is not None:
            more = self[expr.vararg]
            count = len(self.typemap[expr.vararg.name].types)
            positional += more if isinstance(more, tuple) else [more] * count
        if signature is None:
            return None if expr.kws else positional
        try:
            found = signature.bind(*positional, **{name: self[var] for name, var in expr.kws}).arguments
        except TypeError:
            return None
        return [found.get(name, NOTHING) for name in signature.parameters]


HANDLERS: dict[str, Any] = {
    "phi": _Reader.phi, "cast": _Reader.same, "exhaust_iter": _Reader.same, "build_tuple": _Reader.tuple_of,
    "getitem": _Reader.item, "static_getitem": _Reader.item, "getattr": _Reader.attribute,
    "binop": _Reader.operation, "unary": _Reader.operation, "inplace_binop": _Reader.inplace, "call": _Reader.call,
}  # fmt: skip
FOLLOWED = {"getiter", "iternext", "pair_first", "pair_second", "null", "undef"}
READING_STATEMENTS = (
    ir.Del, ir.Jump, ir.Branch, ir.Print, ir.Raise, ir.StaticRaise, ir.DynamicRaise, ir.TryRaise, ir.StaticTryRaise,
    ir.DynamicTryRaise, ir.PopBlock,
)  # fmt: skip
ARRAYS = (types.Array, types.NumpyFlatType, types.Record)
