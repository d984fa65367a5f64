"""A space as arrays, from which compiled code makes its points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...kernels.search import INTEGER, LOG, LOG_INTEGER, REAL, TABLE
from ...kernels.search import Space as FlatSpace
from .conditions import Branch
from .grid import levels_of
from .kinds import EXACT, MOST_LEVELS, Distribution, Integer, Real

KINDS = {(Real, False): REAL, (Real, True): LOG, (Integer, False): INTEGER, (Integer, True): LOG_INTEGER}


def flatten(branches: Sequence[Branch], levels: int | dict[str, int] | None, grid: bool) -> FlatSpace:
    """The variables by kind and ends, the rest as tables; a grid consists of tables."""
    if len(branches) > 1 or any(slot.conditions for slot in branches[0]):
        what = "a list of dicts" if len(branches) > 1 else "conditional variables"
        raise ValueError(f"space: got {what}, expected one dict without `when`: x has the same variables in every call")
    kinds, ends, tables = [], [], []
    for slot in branches[0]:
        variable = slot.variable
        if isinstance(variable, Real | Integer) and not grid:
            kinds.append(KINDS[type(variable), variable.log])
            ends.append((variable.low, variable.high))
            tables.append(np.empty(0))
        elif isinstance(variable, Distribution) and not grid:
            raise ValueError(
                f"space: {slot.name!r} is {variable}, which only SciPy can draw; a compiled objective "
                "expects uniform, log_uniform, integer, log_integer or a list of numbers"
            )
        else:
            table = _table(slot.name, levels_of(slot, levels)[0])
            kinds.append(TABLE)
            ends.append((table.min(), table.max()))
            tables.append(table)
    low, high = np.array(ends, dtype=np.float64).T.copy()
    offsets = np.cumsum([0, *map(len, tables)], dtype=np.int64)
    return FlatSpace(np.array(kinds, dtype=np.int64), low, high, np.concatenate(tables), offsets)


def _table(name: str, values: Sequence) -> np.ndarray:
    if len(values) > MOST_LEVELS:
        raise ValueError(
            f"space: {name!r} has {len(values)} levels, expected at most {MOST_LEVELS}: compiled code keeps them in a "
            f"table; write levels={{{name!r}: ...}}, or cut the range into two variables"
        )
    if isinstance(values, range) and max(abs(values[0]), abs(values[-1])) <= EXACT:
        return np.arange(values.start, values.stop, values.step, dtype=np.float64)
    for value in values:
        if not _is_exact(value):
            raise ValueError(
                f"space: {name!r} has the value {value!r}, expected float64 numbers: a compiled objective gets them in "
                "its x; list positions 0, 1, ... instead, or search with a Python callable"
            )
    return np.array(values, dtype=np.float64)


def _is_exact(value) -> bool:
    """Whether a value is one of float64."""
    try:
        return bool(float(value) == value)
    except (TypeError, ValueError, OverflowError):
        return False
