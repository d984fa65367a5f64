"""Functions of one number as objectives, which are functions of a vector: x[0] is handed on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any

from .c_functions import c_pointer
from .objective import CompiledObjective, Objective, PythonObjective, objective


def objective_of_number(function: Any) -> Objective:
    """`f(x, *args) -> float`, x a number, as an objective; an Objective keeps how it is to be called."""
    if isinstance(function, Objective):
        return replace(function, function=of_vector(function.function))
    return objective(of_vector(function))


def of_vector(function: Any) -> Callable[..., Any]:
    """The function of a vector (1,); C functions have that form."""
    if c_pointer(function) is not None or not callable(function):  # the latter is refused by `objective`
        return function
    name = getattr(getattr(function, "func", function), "__name__", type(function).__name__)
    own_call = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(own_call, FunctionType):  # an object of a class of the user's
        function = function.__call__

    def with_number(x, *args):
        return function(x[0], *args)

    with_number.__name__ = name  # for messages
    return with_number


class Noting:
    """A function in Python that knows the shape of what it returned last."""

    def __init__(self, function: Callable[..., Any]):
        self.function, self.shape = function, ()

    def __call__(self, x, *args):
        value = self.function(x, *args)
        self.shape = getattr(value, "shape", ())
        return value


def returned_by(bound: CompiledObjective | PythonObjective) -> tuple[int, ...]:
    """The shape of what an objective returns: () of a number."""
    if isinstance(bound, CompiledObjective):
        return bound.returned
    return getattr(bound.source.function, "shape", ())
