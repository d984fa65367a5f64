"""Algorithms, one file a solver, in a folder for each family; and `minimize`, the door to all of them."""

from .driving.result import Result, StopReason
from .minimize import minimize
from .optimizer import Optimizer
from .registry import SOLVERS, register

__all__ = ["SOLVERS", "Optimizer", "Result", "StopReason", "minimize", "register"]
