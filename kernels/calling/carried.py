"""What a function carries becomes arguments: the cells of a closure, defaults, what `functools.partial` binds, and the
object of a bound method.

    def make(c):
        def f(x): return ((x - c) ** 2).sum()       is compiled as       def f(x, c): ...
        return f

The values travel as `args` do (arguments.py): a thousand closures of one code share one machine code, and a value that
has changed is never stale. Numbers, arrays, lists of numbers and tuples of these travel; so do functions and objects
that carry such data (carried_types.py). All else is a constant of the code: strings, None, bools, functions without
data. So is a number that is an exponent (`x**p`), of which LLVM makes products.

The bytecode stays as it is. An attribute of the function names the parameters that Numba is to see, and a pass of the
compiler (compile/flat.py) reads a free variable that has become one there.
"""

from __future__ import annotations

import dis
import enum
import functools
import inspect
import types as python_types
from inspect import Parameter
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from ..compile.carried_types import FunctionType, ObjectType
from ..compile.fingerprint import library_function, names_in, of_library
from ..compile.substitution import PARAMETERS, calls_itself, rebuild
from .arguments import Typed, normalise
from .checking import CompilationError

MISSING: Any = object()
CARRIED = "given as an argument"  # stands in the cell of a value that travels
BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
CONSTANTS = bool | int | float | complex | str | tuple | np.generic | None  # that an attribute may be


def carried(function, given: int, whole: bool = True) -> tuple[Any, tuple]:
    """(a Python function of x, what it carries and its arguments; the values that it carries).

    Parameters
    ----------
    function : callable
        A Python function, a function compiled by Numba, a bound method, an object with `__call__`, a partial.
    given : int
        How many arguments follow x.
    whole : bool, default True
        False, for code that compiles no other way: whole numbers are constants, and so is all that can be one.
    """
    return _Reader(whole).function(function, given)


def opened(function) -> tuple[Any, list, dict]:
    """(the Python function behind a callable, what is bound to its first parameters, what is bound by name)."""
    positional: list = []
    keywords: dict = {}
    while not isinstance(function, python_types.FunctionType):
        if isinstance(function, Dispatcher):
            function = function.py_func
        elif isinstance(function, functools.partial):
            positional, keywords = [*function.args, *positional], {**function.keywords, **keywords}
            function = function.func
        elif isinstance(function, python_types.MethodType):
            positional, function = [function.__self__, *positional], function.__func__
        elif _is_of_user(function) and callable(function):
            function = function.__call__
        else:
            return None, [], {}
    return function, positional, keywords


def _named(function) -> str:
    return " ".join((type(function).__name__, getattr(function, "__name__", ""))).strip()


def _is_of_user(value) -> bool:
    """Whether this is an object of a class of the user's."""
    kind = type(value)
    return not (issubclass(kind, type | enum.Enum | python_types.ModuleType) or of_library(kind.__module__))


class _Reader:
    """Finds what a function carries, and what the functions and objects in it carry."""

    def __init__(self, whole: bool):
        self.whole = whole
        self.sources: list = []  # the functions that were met
        self.open: list[int] = []  # ids of the functions and objects that are being read

    def function(self, function, given: int | None = None) -> tuple[Any, tuple]:
        """(a function whose parameters are what it carries and its own, the values of the former).

        `given`: arguments behind x, which stays the first parameter. None for a function that others call: it is given
        what it carries first.
        """
        source, positional, keywords = opened(function)
        if source is None:
            raise CompilationError(
                f"fun: got {_named(function)}, expected a Python function, which Numba can compile.\nWrite one that "
                "has the data it needs in args or in its closure, as arrays and numbers; or evaluate this in Python "
                "with objective(f, compiled=False) (from thalweg import objective)"
            )
        if not (positional or keywords or source.__closure__ or source.__defaults__ or source.__kwdefaults__):
            return source, ()
        self.sources.append(source)
        bound, rest = _bound(source, positional, keywords, given)
        cells = dict(zip(source.__code__.co_freevars, source.__closure__ or (), strict=True))
        values: dict[str, Any] = {}
        for name, value in [
            *((n, cell.cell_contents) for n, cell in cells.items() if _is_filled(cell)),
            *bound.items(),
        ]:
            found = self.value(value, name in exponents(source.__code__))
            if found is not MISSING and (isinstance(found, Typed) or (self.whole and not _is_recursive(source))):
                values[name] = found
        constants = {name: value for name, value in bound.items() if name not in values}
        if not values and not constants and not source.__code__.co_kwonlyargcount:
            return source, ()
        return _rewritten(source, values, constants, rest, 0 if given is None else 1), tuple(values.values())

    def value(self, value, exponent: bool = False) -> Any:
        """The value as it travels, MISSING if it cannot."""
        if value is None or isinstance(value, bool | np.bool_ | str | enum.Enum):
            return MISSING
        if isinstance(value, int | np.integer):
            return int(value) if self.whole and not exponent and -(2**63) <= value < 2**63 else MISSING
        if isinstance(value, float | complex):
            return MISSING if exponent else normalise(value)[0]
        if isinstance(value, np.ndarray | list):
            return _array(value)
        if isinstance(value, tuple):
            return self.tuple(value)
        if id(value) in self.open:
            return MISSING
        self.open.append(id(value))
        try:
            return self.function_or_object(value)
        finally:
            self.open.pop()

    def tuple(self, value: tuple) -> Any:
        members = [self.value(member) for member in value]
        if all(isinstance(member, int) for member in members) or any(member is MISSING for member in members):
            return MISSING  # a shape
        return type(value)(*members) if hasattr(value, "_fields") else tuple(members)

    def function_or_object(self, value) -> Any:
        if isinstance(value, python_types.FunctionType | Dispatcher):
            if library_function(getattr(value, "py_func", value)) or _is_recursive(getattr(value, "py_func", value)):
                return MISSING
            code, values = self.function(value)
            return Typed(values, lambda members: FunctionType(code, members)) if values else MISSING
        if isinstance(value, python_types.MethodType | functools.partial):
            if opened(value)[0] is None:
                return MISSING
            code, values = self.function(value)
            return Typed(values, lambda members: FunctionType(code, members))
        return self.object(value) if _is_of_user(value) or value.__class__ is type else MISSING

    def object(self, value) -> Any:
        """An object, or a class whose method is bound to it, by the attributes that code asks for."""
        names, fixed = self.asked(value)
        members, constants, functions = {}, {}, ({}, {}, {})
        for name in sorted(names):
            raw = inspect.getattr_static(value, name, MISSING)
            own = name in getattr(value, "__dict__", {})
            if isinstance(raw, property | staticmethod) or (
                isinstance(raw, python_types.FunctionType | Dispatcher) and not own
            ):
                k = 2 if isinstance(raw, property) else 1 if isinstance(raw, staticmethod) else 0
                functions[k][name] = raw.fget if isinstance(raw, property) else getattr(raw, "__func__", raw)
            elif raw is not MISSING and hasattr(value, name):
                content = getattr(value, name)
                found = self.value(content, name in fixed)
                if found is not MISSING:
                    members[name] = found
                elif isinstance(content, python_types.FunctionType | Dispatcher):
                    functions[1][name] = content
                elif isinstance(content, CONSTANTS | np.ufunc | python_types.BuiltinFunctionType):
                    constants[name] = content
        kind = value if isinstance(value, type) else type(value)
        fields = tuple(members)
        return Typed(members.values(), lambda types: ObjectType(kind.__name__, fields, types, constants, *functions))

    def asked(self, value) -> tuple[set[str], set[str]]:
        """The attributes that the functions met so far ask for, with the methods of this object; those in exponents."""
        names: set[str] = set()
        fixed: set[str] = set()
        waiting, seen = list(self.sources), set()
        while waiting:
            reached: dict = {}
            rebuild(waiting.pop(), {}, lambda f: f, reached)
            codes = {f.__code__ for f in reached.values() if isinstance(f, python_types.FunctionType)} - seen
            seen |= codes
            found = set().union(*map(names_in, codes)) - names
            names |= found
            fixed = fixed.union(*map(exponents, codes))
            raw = [inspect.getattr_static(value, name, None) for name in found]
            raw = [getattr(r, "fget", None) or getattr(r, "__func__", r) for r in raw]
            waiting += [r for r in raw if isinstance(r, python_types.FunctionType | Dispatcher)]
        return names, fixed


def _bound(source, positional: list, keywords: dict, given: int | None) -> tuple[dict, list[Parameter]]:
    """(parameter -> what is bound to it, the parameters that are left).

    Of a function that is called as f(x, *args), defaults that args do not reach are bound, too.
    """
    parameters = inspect.signature(_bare(source)).parameters
    by_position = [p.name for p in parameters.values() if p.kind in BY_POSITION]
    if len(positional) > len(by_position) or not keywords.keys() <= parameters.keys():
        raise CompilationError(f"fun: got a partial that {source.__name__}{inspect.signature(source)} does not take")
    bound = {**dict(zip(by_position, positional)), **keywords}
    rest = [p for name, p in parameters.items() if name not in bound]
    if given is None:
        return bound, rest
    takes = by_position[len(positional) :]
    takes = takes[: next((k for k, name in enumerate(takes) if name in keywords), None)]
    if given + 1 > len(takes) and not any(p.kind is Parameter.VAR_POSITIONAL for p in rest):
        raise TypeError(f"args: got {given}, expected at most {len(takes) - 1}, as {source.__name__} is called")
    defaults = [p for p in rest if p.default is not Parameter.empty and p.name not in takes[: given + 1]]
    bound |= {p.name: p.default for p in defaults}
    return bound, [p for p in rest if p.name not in bound]


def _bare(source):
    """The function without what it says of its parameters: a decorator may give it the ones of another."""
    bare = python_types.FunctionType(
        source.__code__, source.__globals__, source.__name__, source.__defaults__, source.__closure__
    )
    bare.__kwdefaults__ = source.__kwdefaults__
    return bare


def _rewritten(source, values: dict, constants: dict, rest: list[Parameter], lead: int):
    """The function with `values` and `constants` as parameters of their own, behind the first `lead` ones of `rest`."""
    place = Parameter.POSITIONAL_OR_KEYWORD
    star = [p for p in rest if p.kind is Parameter.VAR_POSITIONAL]
    if star and constants:
        raise CompilationError(f"fun: got *{star[0].name} beside {next(iter(constants))}=, expected named arguments")
    own = [p.replace(kind=place) for p in rest if p.kind is not Parameter.VAR_POSITIONAL]
    own[lead:lead] = [Parameter(name, place) for name in values]
    own += [Parameter(name, place, default=value) for name, value in constants.items()]
    code, outer = source.__code__, source.__closure__ or ()
    cells = tuple(
        python_types.CellType(CARRIED) if name in values else cell for name, cell in zip(code.co_freevars, outer)
    )
    new: Any = python_types.FunctionType(code, source.__globals__, source.__name__, None, cells or None)
    new.__module__, new.__qualname__, new.__doc__ = source.__module__, source.__qualname__, source.__doc__
    vars(new)[PARAMETERS] = [*own, *star]
    return new


@functools.lru_cache(1000)
def exponents(code) -> frozenset[str]:
    """The names of variables and attributes that stand behind `**`, and are worth more as constants.

    Raises
    ------
    CompilationError
        Where the code changes a variable of the function around it.
    """
    found, before = set(), None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_DEREF" and instruction.argval in code.co_freevars:
            raise CompilationError(
                f"fun: {code.co_name} changes {instruction.argval} of the function around it (nonlocal), expected a "
                "function of x; evaluations are counted in result.nfev"
            )
        if instruction.opname == "BINARY_OP" and instruction.argrepr in ("**", "**=") and before is not None:
            names = before.argval if isinstance(before.argval, tuple) else (before.argval,)
            found.add(names[-1])
        before = instruction
    inner = (exponents(c) for c in code.co_consts if isinstance(c, python_types.CodeType))
    return frozenset(name for name in found if isinstance(name, str)).union(*inner)


def _array(value) -> Any:
    """An array of numbers as it travels, MISSING if it is none."""
    try:
        if len(value) == 0 if isinstance(value, list) else isinstance(value, np.ma.MaskedArray):
            return MISSING
        return normalise(value)[0]
    except (TypeError, ValueError):
        return MISSING


def _is_filled(cell) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


_recursive: dict[Any, bool] = {}  # code -> whether its function comes to be called by itself


def _is_recursive(function) -> bool:
    """Such functions are compiled by Numba's own compiler, and keep their constants."""
    code = function.__code__
    if code not in _recursive:
        _recursive[code] = calls_itself(function)
    return _recursive[code]
