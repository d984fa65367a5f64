"""From what the user wrote to a search space: each part checked, and said what is wrong with it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...kernels.problem import parse_bounds, parse_integrality, require_finite
from ...solvers.driving.settings import make_positive
from .conditions import Branch, Condition, Slot, find_runs, follow, in_order, never_there
from .kinds import Choice, When
from .space import Space
from .variables import as_variable, integer, uniform


def parse_space(space, *, levels: int | Mapping[str, int] | None = None, integrality=None) -> Space:
    """A search space from what a user writes.

    Parameters
    ----------
    space : dict, list of dict, or bounds
        A dict has a variable for each name: `uniform`, `log_uniform`, `integer`, `log_integer`, `choice`, `when`; a
        list, range or one-dimensional array of values, or a tuple of them (but not of two numbers, which may be an
        interval); or a distribution of scipy.stats with its parameters. Of a list of dicts each point belongs to one.
        Bounds are (D, 2) pairs or scipy.optimize.Bounds; their variables are called x0, x1, ...
    levels : int or dict of int, optional
        For grids: how many values variables have that take real numbers, one number for all or one by name. An
        integer with fewer levels than values gets evenly spread ones, without levels all of them. Real levels run from
        low to high, those of a distribution are its quantiles (i + 0.5) / levels. Levels that coincide count once.
    integrality : (D,) array_like of bool, optional
        With bounds: True where a variable takes whole numbers only.

    Raises
    ------
    TypeError, ValueError
        Naming the variable, what was given and what is expected.

    Examples
    --------
    >>> from thalweg.orchestration.spaces import log_uniform, parse_space, when
    >>> space = parse_space(
    ...     {"kernel": ["linear", "rbf"], "C": log_uniform(1e-2, 1e2), "gamma": when("kernel", "rbf", [0.1, 1.0])},
    ...     levels={"C": 5},
    ... )
    >>> space.size
    15
    >>> space.grid_point(14)
    {'kernel': 'rbf', 'gamma': 1.0, 'C': 100.0}
    """
    if isinstance(space, Mapping):
        branches = (_branch(space),)
    elif isinstance(space, list | tuple) and any(isinstance(part, Mapping) for part in space):
        branches = tuple(_branch(part) for part in space)
    else:
        branches, integrality = (_box(space, integrality),), None
    if integrality is not None:
        raise ValueError("integrality: got one beside a dict, expected integer(low, high) there")
    return Space(branches, _levels(levels, branches))


def _box(bounds, integrality) -> Branch:
    bounds = list(bounds) if isinstance(bounds, Iterator) else bounds
    pairs = isinstance(bounds, list | tuple | np.ndarray) and len(bounds) > 0
    if not pairs and not hasattr(bounds, "lb"):
        expected = "a dict of variables by name, a list of these, or bounds"
        raise TypeError(f"space: got {reprlib.repr(bounds)}, expected {expected}")
    lower, upper = parse_bounds(bounds)
    require_finite(lower, upper, "a search")
    whole = parse_integrality(integrality, lower, upper)
    slots = []
    for j, (low, high) in enumerate(zip(lower.tolist(), upper.tolist())):
        variable = integer(math.ceil(low), math.floor(high)) if whole[j] else uniform(low, high)
        slots.append(Slot(f"x{j}", variable))
    return tuple(slots)


def _branch(space) -> Branch:
    if not isinstance(space, Mapping):
        raise TypeError(f"space: got {reprlib.repr(space)} in the list, expected dicts only")
    if not space:
        raise ValueError("space: got an empty dict, expected at least one variable")
    variables, asked = {}, {}
    for name, given in space.items():
        if not isinstance(name, str):
            raise TypeError(f"space: got the name {reprlib.repr(name)}, expected a str")
        asked[name] = []
        while isinstance(given, When):
            asked[name].append(given)
            given = given.variable
        variables[name] = as_variable(f"space: {name!r}", given)
    slots = []
    for name, variable in variables.items():
        conditions = (Condition(name, a.parent, _positions(name, a, variables)) for a in asked[name])
        slots.append(Slot(name, variable, frozenset(conditions)))
    branch = in_order(slots)
    met = follow(branch, find_runs(branch, [range(len(slot.variable.domain or ())) for slot in branch]))
    for name in never_there(branch, met):
        raise ValueError(f"space: {name!r} never exists, expected conditions that can hold together")
    return branch


def _positions(name: str, asked: When, variables: Mapping[str, Any]) -> frozenset[int]:
    """Where in the domain of its parent the values stand for which a variable exists."""
    parent = asked.parent
    if parent not in variables:
        raise ValueError(f"space: {name!r} is conditional on {parent!r}, expected one of {', '.join(variables)}")
    domain = variables[parent].domain
    if domain is None:
        raise ValueError(
            f"space: {name!r} is conditional on {parent!r}, which is {variables[parent]}; "
            "expected a choice, integer or log_integer there"
        )
    positions = set()
    for value in asked.values:
        found = _find(value, domain)
        if not found:
            several = isinstance(value, tuple | set | frozenset)
            hint = "; any of several values is written as a list" if several else ""
            raise ValueError(
                f"space: {name!r} exists when {parent!r} is {value!r}, expected a value of {variables[parent]}{hint}"
            )
        positions.update(found)
    return frozenset(positions)


def _find(value, domain: Sequence) -> Sequence[int]:
    if not isinstance(domain, range):
        return [position for position, other in enumerate(domain) if _same(value, other)]
    whole = value.is_integer() if isinstance(value, float) else isinstance(value, int) and not isinstance(value, bool)
    return [domain.index(int(value))] if whole and int(value) in domain else []


def _same(a, b) -> bool:
    """Equal, and no surprise: True is not 1, and values that refuse to be compared differ."""
    if a is b:
        return True
    try:
        return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
    except Exception:
        return False


def _levels(levels, branches: Sequence[Branch]) -> int | dict[str, int] | None:
    if levels is None:
        return None
    if not isinstance(levels, Mapping):
        return make_positive("levels", levels)
    variables = [slot for branch in branches for slot in branch]
    for name in levels:
        found = [slot.variable for slot in variables if slot.name == name]
        if not found:
            known = ", ".join(dict.fromkeys(slot.name for slot in variables))
            raise ValueError(f"levels: got {name!r}, which is no variable of the space; it has {known}")
        if all(isinstance(variable, Choice) for variable in found):
            raise ValueError(f"levels: got {name!r}, which is a list of values: these are its levels")
    return {name: make_positive(f"levels[{name!r}]", count) for name, count in levels.items()}
