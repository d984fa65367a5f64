"""How a door reads its call: the second argument, and the words of other libraries.

A door is written with our own arguments, the box second. `reads_calls` lets it be called as SciPy's `minimize` too,
with a point in that place, and with the names of method_names.py and foreign.py. What remains is in our words."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import numbers
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

import numpy as np

from ...kernels.problem import Problem, parse_bounds, read_points
from ...kernels.reals import is_real, shortened
from ..contract import Solver
from ..registry import SOLVERS
from .foreign import FOR_METHOD, REFUSED, TAKEN, is_harmless, taken_by
from .method_names import find_method
from .settings import CHOSEN_BY_AUTO


def reads_calls(*after_point: str) -> Callable[[Callable], Callable]:
    """Make a function that takes our arguments a door that takes the others', too.

    after_point: the names of its positional arguments where `x0` stands in the place of `bounds`.
    """

    def decorate(function: Callable) -> Callable:
        parameters = inspect.signature(function).parameters.values()
        after_box = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        own = frozenset(p.name for p in parameters)
        name = function.__qualname__.removesuffix(".__init__")

        @functools.wraps(function)
        def door(*positional, **given):
            given = name_positionals(name, positional, given, after_box, after_point)
            return function(**in_our_words(name, own, given))

        return door

    return decorate


WHERE = frozenset({"domain", "bounds", "x0", "guess", "lb", "ub", "xl", "xu"})  # arguments that say where to search


def name_positionals(door: str, positional: tuple, given: dict, after_box: tuple, after_point: tuple) -> dict:
    """All arguments by name; the domain is a box or a point."""
    place = after_box.index("bounds")
    positional = (*positional[:place], *map(_kept, positional[place:]))
    given = {name: _kept(value) if name in WHERE else value for name, value in given.items()}
    domain = positional[place] if len(positional) > place else given.get("domain")
    names = after_point if is_point(domain) else after_box
    if len(positional) > len(names):
        raise TypeError(
            f"{door}: got {len(positional)} arguments without names, expected at most {len(names)}: {', '.join(names)}"
        )
    named = {name: value for name, value in given.items() if name != "domain"}
    by_place = [*zip(names, positional), *([(names[place], given["domain"])] if "domain" in given else [])]
    for name, value in by_place:
        if name not in named:
            named[name] = value
        elif value is not None:
            order = ", ".join(name for name in names if name != "self")
            raise TypeError(f"{name}: {door} got it twice, by its place and by name; without names it takes {order}")
    return named


def is_point(domain) -> bool:
    """Whether the second argument is a starting point: a number, or one dimension of numbers; all else is a box."""
    if domain is None or hasattr(domain, "lb"):
        return False
    try:
        array = np.asarray(domain)
    except ValueError:  # pairs of which one is longer
        return False
    if array.dtype.kind == "O":
        return array.ndim <= 1 and array.size > 0 and all(map(is_real, array.flat))
    return array.ndim <= 1 and array.size > 0 and array.dtype.kind in "iuf"


def _kept(value):
    """An argument as it is; an iterator, which could be read only once, as a list."""
    return list(value) if isinstance(value, Iterator) else value


def in_our_words(door: str, own: frozenset, given: dict) -> dict:
    """The arguments under our names, and the options of the method.

    Raises
    ------
    TypeError, ValueError
        Naming what was written and what to write.
    """
    method = find_method(given.get("method", "auto"))
    ours = {name: value for name, value in given.items() if name in own}
    if "method" in given:
        ours["method"] = method
    foreign = [(name, value) for name, value in given.items() if name not in own]
    if isinstance(options := ours.get("options"), Mapping):
        known = _options_of(method)
        beside = {name for name in options if name not in known and (name in own or _is_foreign(name))}
        ours["options"] = {name: value for name, value in options.items() if name not in beside}
        foreign += [(name, value) for name, value in options.items() if name not in ours["options"]]
    if isinstance(bounds := ours.get("bounds"), Mapping):
        parse_bounds(bounds)  # says what to write; below, a dict is the ends that lb= and ub= gave
    if isinstance(x0 := ours.get("x0"), numbers.Real) or getattr(x0, "ndim", None) == 0:
        ours["x0"] = [x0]
    for name, value in foreign:
        _take(door, own, ours, name, value, method)
    if not isinstance(args := ours.get("args", ()), tuple):
        ours["args"] = (args,)  # as in SciPy
    return _with_bounds(ours)


def _options_of(method: str | Solver) -> set[str]:
    """The options of a method; of "auto" those of all that it may choose."""
    solvers = [method] if isinstance(method, Solver) else [SOLVERS[name] for name in CHOSEN_BY_AUTO]
    return {field.name for solver in solvers for field in dataclasses.fields(solver.Options)}


def _is_foreign(name: str) -> bool:
    return name in TAKEN or name in REFUSED


def _take(door: str, own: frozenset, ours: dict, name: str, value, method: str | Solver) -> None:
    """Put a foreign argument where it belongs, or refuse it."""
    if name in own:  # it stood in `options`, as in pycma
        if ours.get(name) is not None:
            raise TypeError(f"{name}: it is given twice, in options and by name")
        ours[name] = value
        return
    if not _is_foreign(name):
        if name in _options_of(method):
            raise TypeError(f"{name}: got {shortened(value)}; it is an option: write options={{{name!r}: ...}}")
        near = difflib.get_close_matches(name, [*own, *TAKEN, *REFUSED], n=1, cutoff=0.75)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{door}: got an unknown argument {name!r}{hint}")
    if value is None:  # left out
        return
    if name in REFUSED:
        if not is_harmless(value, REFUSED[name].harmless):
            raise ValueError(f"{name}: got {shortened(value)}; {REFUSED[name].write}")
        return
    called = method if isinstance(method, str) else method.name
    taken = taken_by(name, called)
    assert taken is not None
    if taken.methods and called not in taken.methods and (name, called) not in FOR_METHOD:
        raise ValueError(f"{name}: got {shortened(value)} with method={called!r}; {taken.else_write}")
    if taken.value is not None:
        value = taken.value(name, value, lambda: _box(ours))
    for target in taken.to:
        option = target.removeprefix("options.")
        if option != target and isinstance(method, Solver) and option not in _options_of(method):
            raise ValueError(f"{name}: got {shortened(value)}; {called} has no option {option!r}; leave it out")
        _put(door, own, ours, name, target, value, taken.overrides)


def _put(door: str, own: frozenset, ours: dict, name: str, target: str, value, overrides: bool) -> None:
    place, _, part = target.partition(".")
    place = "runs" if place == "restarts" and place not in own else place
    if place not in own:
        raise TypeError(f"{name}: {door} has no such argument, which would be {target} of `minimize`")
    if part:
        kept = ours.get(place)
        if kept is not None and not isinstance(kept, dict):
            raise TypeError(f"{name}: it stands beside {place}={shortened(kept)}, expected one of the two")
        kept = ours[place] = dict(kept or {})
        before, kept[part] = kept.get(part), value
    else:
        before, ours[place] = ours.get(place), value
    if before is not None and not overrides:
        raise TypeError(f"{name}: it means the same as {target}, which is given, too")


def _with_bounds(ours: dict) -> dict:
    """Bounds from their two ends."""
    bounds = ours.get("bounds")
    if isinstance(bounds, dict):
        if bounds.keys() != {"lower", "upper"}:
            raise TypeError("bounds: got one end of them, expected both, lb= and ub=, or bounds= as (low, high) pairs")
        ours["bounds"] = SimpleNamespace(lb=bounds["lower"], ub=bounds["upper"])  # as scipy.optimize.Bounds
    return ours


def _box(ours: dict) -> tuple[np.ndarray, np.ndarray]:
    """Where a call searches, which some arguments are relative to."""
    if isinstance(problem := ours.get("fun"), Problem):
        return problem.lower, problem.upper
    bounds, points = _with_bounds(dict(ours)).get("bounds"), read_points(ours.get("x0"))
    if bounds is None and points is not None:
        dimension = np.atleast_1d(points).shape[-1]
        return np.full(dimension, -np.inf), np.full(dimension, np.inf)
    return parse_bounds(bounds, points)
