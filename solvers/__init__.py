"""Algorithms, one file a solver, in a folder for each family; and `minimize`, the door to all of them.

Doors to other problems are loaded when they are asked for: each brings methods of its own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .driving.result import Result, StopReason
from .minimize import minimize
from .optimizer import Optimizer
from .registry import SOLVERS, register

if TYPE_CHECKING:
    from .curves import OptimizeWarning, curve_fit
    from .data_sum import DataSum
    from .fitting import least_squares
    from .many import minimize_many
    from .scalar import BracketError, bracket, minimize_scalar

__all__ = [
    "SOLVERS",
    "BracketError",
    "DataSum",
    "OptimizeWarning",
    "Optimizer",
    "Result",
    "StopReason",
    "bracket",
    "curve_fit",
    "least_squares",
    "minimize",
    "minimize_many",
    "minimize_scalar",
    "register",
]

LATER = {  # name -> its module
    "BracketError": "scalar", "bracket": "scalar", "minimize_scalar": "scalar", "least_squares": "fitting",
    "minimize_many": "many", "DataSum": "data_sum",
    "OptimizeWarning": "curves", "curve_fit": "curves",
}  # fmt: skip


if not TYPE_CHECKING:  # or checkers would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(f".{LATER[name]}", __name__), name)
        return value
