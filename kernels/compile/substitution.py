"""Rebuild a function with other globals: how `math.cos` in a user's function becomes the engine's own.

A function of Python is code plus the values its names stand for. `rebuild` keeps the code and replaces the values:
library functions by their twins, and every function it calls (plain or compiled) by a rebuilt one, compiled the same
way. The user's own modules are followed, too. The same device puts the engine's kernels onto the GPU.
"""

from __future__ import annotations

import dis
import inspect
import types as python_types
from collections.abc import Callable
from typing import Any

from numba.core.dispatcher import Dispatcher

from .fingerprint import cell_content, library_function, names_in, of_library


def rebuild(function, twins: dict, compile: Callable, memo: dict | None = None) -> Any:
    """`function` with every library function that has a twin replaced, in itself and in all it calls.

    Parameters
    ----------
    function : callable
        A Python function or a Numba dispatcher (its Python function is taken).
    twins : dict
        Library function -> what stands in for it. What is its own twin is left alone.
    compile : callable
        Applied to each rebuilt function: a decorator such as `relaxed`.
    memo : dict, optional
        Filled with what was rebuilt: id of the original -> the new one.
    """
    memo = {} if memo is None else memo
    source = function.py_func if isinstance(function, Dispatcher) else function
    if id(source) in memo:
        return memo[id(source)]
    names = names_in(source.__code__)
    new_globals = {"__builtins__": source.__globals__.get("__builtins__"), "__name__": source.__module__}
    cells = tuple(python_types.CellType() for _ in source.__closure__ or ())
    new = python_types.FunctionType(source.__code__, new_globals, source.__name__, source.__defaults__, cells or None)
    new.__kwdefaults__ = source.__kwdefaults__
    new.__module__, new.__qualname__, new.__doc__ = source.__module__, source.__qualname__, source.__doc__
    parameters = vars(source).get(PARAMETERS) or _by_position(source)
    if parameters is not None:
        parameters = [p.replace(default=_replace(p.default, names, twins, compile, memo)) for p in parameters]
        vars(new)[PARAMETERS] = parameters
        new.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
    memo[id(source)] = compiled = compile(new)  # before its names are filled, so that it may call itself

    def replace(value):
        return _replace(value, names, twins, compile, memo)

    new_globals.update({n: replace(source.__globals__[n]) for n in names if n in source.__globals__})
    for cell, old in zip(cells, source.__closure__ or (), strict=True):
        try:
            cell.cell_contents = replace(old.cell_contents)
        except ValueError:  # an empty cell stays empty
            pass
    return compiled


PARAMETERS = "thalweg_parameters"  # attribute of a function: the parameters that Numba is to see


def _by_position(function) -> list[inspect.Parameter] | None:
    """The parameters of a function with keyword-only ones, which Numba binds to nothing, as plain ones."""
    if not function.__code__.co_kwonlyargcount:
        return None
    found = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    star = [p for p in found if p.kind is inspect.Parameter.VAR_POSITIONAL]
    return [p.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for p in found if p not in star] + star


def _replace(value, names: frozenset, twins: dict, compile: Callable, memo: dict):
    try:
        if value in twins:
            return twins[value]
    except TypeError:  # unhashable: no function
        return value
    if isinstance(value, Dispatcher):
        return rebuild(value, twins, compile, memo)
    if isinstance(value, python_types.FunctionType) and not library_function(value):
        return rebuild(value, twins, compile, memo)
    if isinstance(value, python_types.ModuleType):
        return _replace_module(value, names, twins, compile, memo)
    return value


def _replace_module(module, names: frozenset, twins: dict, compile: Callable, memo: dict):
    """A stand-in for the module in which the functions that `names` asks for are replaced."""
    if (id(module), names) in memo:
        return memo[id(module), names]
    memo[id(module), names] = stand_in = python_types.ModuleType(module.__name__)
    stand_in.__dict__.update(module.__dict__)
    if of_library(module.__name__):  # nothing below it has a twin
        inside = {n: vars(module)[n] for n in names if n in vars(module)}
        inside = {n: v for n, v in inside.items() if not isinstance(v, python_types.ModuleType)}
    else:
        inside = {n: getattr(module, n) for n in names if hasattr(module, n)}
    changed = {n: _replace(value, names, twins, compile, memo) for n, value in inside.items()}
    if of_library(module.__name__) and all(changed[n] is inside[n] for n in inside):
        memo[id(module), names] = module
        return module
    stand_in.__dict__.update(changed)
    return stand_in


def plain(function):
    """The function as Python runs it: nothing in it is compiled, so that calling it compiles nothing."""
    if isinstance(function, python_types.FunctionType | Dispatcher):
        return rebuild(function, {}, lambda f: f)
    return function


def calls_itself(function) -> bool:
    """Whether the function, or one that it calls, comes to be called by itself."""
    reached: dict = {}
    rebuild(function, {}, lambda f: f, reached)
    calls = {id(f): _values_of(f) for f in reached.values() if isinstance(f, python_types.FunctionType)}

    def leads_back(start: int) -> bool:
        waiting, seen = [start], set()
        while waiting:
            called = calls[waiting.pop()] & calls.keys()
            if start in called:
                return True
            waiting += called - seen
            seen |= called
        return False

    return any(map(leads_back, calls))


def _values_of(function) -> set[int]:
    """The ids of what the names of a rebuilt function stand for."""
    loaded = _globals_in(function.__code__) & function.__globals__.keys()  # `np.dot` is no call of a function `dot`
    values = [*(function.__globals__[n] for n in loaded), *map(cell_content, function.__closure__ or ())]
    modules = [value for value in values if isinstance(value, python_types.ModuleType)]
    return {id(value) for value in [*values, *(inside for module in modules for inside in vars(module).values())]}


def _globals_in(code) -> set[str]:
    """The names of globals that a code object and those nested in it load."""
    inner = (_globals_in(c) for c in code.co_consts if isinstance(c, python_types.CodeType))
    return {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}.union(*inner)
