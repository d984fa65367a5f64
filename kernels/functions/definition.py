"""What a test function carries beside its formula: box, dimensions, minimum, traits, reference."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..problem import Minimum, Problem

Trait = Literal[
    "separable",  # a sum of functions of one variable each
    "multimodal",  # more than one local minimum in the box
    "convex",
    "ill-conditioned",  # curvatures at the minimiser a factor of 10^6 or more apart
    "nonsmooth",  # kinks or steps. Where it has a gradient all the same, it holds off the kinks and is 0 on a cone tip
]


ORIGIN = Minimum(0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class TestFunction:
    """A function of the registry. `problem(dimension)` makes of it what `minimize` takes.

    Parameters
    ----------
    fun : callable
        `fun(x, *args) -> float`, plain Python that Numba compiles. Its default values are the published args.
    gradient : callable, optional
        `gradient(x, *args) -> (D,) array`. None where the minimiser lies on a kink, or the function is flat.
    low, high : float, tuple, or callable
        The box: one number for all variables, one for each, or a function of the dimension.
    dimension : int, optional
        The only dimension it has; None where it has any from `smallest` on in steps of `step`.
    minimum : Minimum or callable, default 0 at the origin
        A global minimiser and its value; x a number where all coordinates agree. Where they depend on the dimension
        or on args: `minimum(dimension, *args) -> Minimum`, or None where it is not known.
    traits : tuple of str
        See `Trait`.
    reference : str
        Where it was published.
    args : tuple, optional
        Default the default values of `fun`.
    name : str, optional
        Default the name of `fun`.
    """

    fun: Callable
    gradient: Callable | None = None
    low: float | tuple | Callable[[int], float]
    high: float | tuple | Callable[[int], float]
    dimension: int | None = None
    smallest: int = 1
    step: int = 1
    minimum: Minimum | Callable = ORIGIN
    traits: tuple[Trait, ...] = ()
    reference: str
    args: tuple | None = None
    name: str = ""

    __test__ = False  # not a test case, whatever pytest makes of the name

    def __post_init__(self):
        if self.args is None:
            object.__setattr__(self, "args", getattr(self.fun, "__defaults__", None) or ())
        if not self.name:
            object.__setattr__(self, "name", self.fun.__name__)

    @property
    def formula(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join((self.fun.__doc__ or "").split("\n\n")[0].split())

    @property
    def dimensions(self) -> str:
        """In words: "2", "any", "2 or more", "multiples of 4"."""
        if self.dimension is not None:
            return str(self.dimension)
        if self.step > 1:
            return f"multiples of {self.step}"
        return "any" if self.smallest == 1 else f"{self.smallest} or more"

    @property
    def usual_dimension(self) -> int:
        """What `problem` takes when it is told none: the fixed dimension, or 10 (12 where it goes by fours)."""
        return self.dimension or -(-10 // self.step) * self.step

    def bounds(self, dimension: int) -> np.ndarray:
        """The box as a (D, 2) array."""
        ends = [end(dimension) if callable(end) else end for end in (self.low, self.high)]
        return np.column_stack([np.broadcast_to(np.asarray(end, dtype=np.float64), dimension) for end in ends])

    def minimum_at(self, dimension: int, args: tuple | None = None) -> Minimum | None:
        """The global minimum in the box, x as a (D,) array; None where it is not known."""
        args = self.args if args is None else args
        found = self.minimum(dimension, *args) if callable(self.minimum) else self.minimum  # type: ignore[misc]
        if found is None:
            return None
        x = np.broadcast_to(np.asarray(found.x, dtype=np.float64), dimension).copy()
        low, high = self.bounds(dimension).T
        return Minimum(x, float(found.fun)) if ((low <= x) & (x <= high)).all() else None

    def problem(self, dimension: int | None = None, args: tuple | None = None) -> Problem:
        """The `Problem` at a dimension, `usual_dimension` by default."""
        dimension = self._checked_dimension(dimension)
        args = self._checked_args(args)
        return Problem(
            fun=self.fun,
            bounds=self.bounds(dimension),
            args=args,
            jac=self.gradient,
            minimum=self.minimum_at(dimension, args),
            reference=self.reference,
        )

    def summary(self) -> dict[str, str]:
        """One row of `thalweg functions`: name, dimension, box, minimum, traits."""
        usual = self.usual_dimension
        bounds = self.bounds(usual)
        rows = bounds[:1] if (bounds == bounds[0]).all() else bounds
        box = " x ".join(f"[{low:g}, {high:g}]" for low, high in rows)
        found = self.minimum_at(usual)
        varies = self.dimension is None and (found is not None and found.fun != 0)
        return {
            "name": self.name,
            "dimension": self.dimensions,
            "box": box + (f" (D = {usual})" if callable(self.low) else ""),
            "minimum": "unknown" if found is None else f"{found.fun:.10g}" + (f" (D = {usual})" if varies else ""),
            "traits": ", ".join(self.traits),
        }

    def _checked_dimension(self, dimension: int | None) -> int:
        if dimension is None:
            return self.usual_dimension
        if isinstance(dimension, bool) or not hasattr(dimension, "__index__"):
            raise TypeError(f"dimension: got {dimension!r}, expected a whole number")
        size = operator.index(dimension)
        if self.dimension is not None and size != self.dimension:
            raise ValueError(f"dimension: got {size}, expected {self.dimension}: {self.name} has no other")
        if size < self.smallest or size % self.step:
            wanted = f"a positive multiple of {self.step}" if self.step > 1 else f"at least {self.smallest}"
            raise ValueError(f"dimension: got {size}, expected {wanted} for {self.name}")
        return size

    def _checked_args(self, args: tuple | None) -> tuple:
        defaults = self.args or ()
        if args is None:
            return defaults
        args = args if isinstance(args, tuple) else (args,)
        if len(args) != len(defaults):
            wanted = f"{len(defaults)} for {self.name}, as in {defaults}" if defaults else f"none for {self.name}"
            raise ValueError(f"args: got {len(args)} value{'s' * (len(args) != 1)}, expected {wanted}")
        return args
