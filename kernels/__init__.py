"""Arithmetic on flat arrays: objectives, random numbers, the row functions of the solvers. Knows nothing of solvers."""

from .calling.objective import Objective, objective
from .problem import Minimum, Problem

__all__ = ["Minimum", "Objective", "Problem", "objective"]
