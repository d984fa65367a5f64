"""What is to be minimised: the objective, its box, its arguments and, where known, its minimum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Minimum(NamedTuple):
    """A known or certified minimum, printed beside an answer."""

    x: Any  # (D,) one minimiser, or None where only the value is known
    fun: float


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An optimisation problem: what `minimize`, the test functions and the command line share.

    Parameters
    ----------
    fun : callable
        `fun(x, *args) -> float`, x of shape (D,).
    bounds : (D, 2) array_like, sequence of pairs, or scipy.optimize.Bounds
        The box. A lower bound may equal the upper one; an end may be infinite, or None, for methods that search all of
        space. May be left out where x0 is given.
    args : tuple, default ()
        Further arguments of `fun`: arrays, numbers, tuples of these.
    x0 : (D,) or (n, D) array_like, optional
        A starting point, or a starting population.
    names : sequence of str, optional
        One name per variable, for reports.
    integrality : (D,) array_like of bool, optional
        True where the variable takes whole numbers only.
    jac : callable, optional
        `jac(x, *args) -> (D,) array`, the gradient.
    minimum : Minimum, optional
        The known minimum.
    reference : str
        Where the problem comes from.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> from thalweg.kernels import Problem
    >>> Problem(fun=lambda x: (x[0] - 1) ** 2, bounds=[(-5, 5)]).dimension
    1
    """

    fun: Callable[..., Any]
    bounds: Any = None
    args: tuple[Any, ...] = ()
    x0: Any = None
    names: Sequence[str] | None = None
    integrality: Any = None
    jac: Callable[..., Any] | None = None
    minimum: Minimum | None = None
    reference: str = ""

    def __post_init__(self) -> None:
        if not callable(self.fun):
            raise TypeError(f"fun: got {type(self.fun).__name__}, expected a callable f(x, *args) -> float")
        if not isinstance(self.args, tuple):
            object.__setattr__(self, "args", (self.args,))
        if self.bounds is None and self.x0 is not None and np.ndim(self.x0) in (1, 2):
            object.__setattr__(self, "bounds", np.full((np.shape(self.x0)[-1], 2), (-np.inf, np.inf)))
        lower, upper = parse_bounds(self.bounds, self.x0)
        object.__setattr__(self, "bounds", _frozen(np.column_stack([lower, upper])))
        object.__setattr__(self, "integrality", parse_integrality(self.integrality, lower, upper))
        object.__setattr__(self, "x0", parse_x0(self.x0, lower, upper))
        if self.names is not None and not (isinstance(self.names, Sequence | np.ndarray) and np.ndim(self.names) == 1):
            raise TypeError(f"names: got {_short(self.names)}, expected a list of them, one for each variable")
        if self.names is not None and len(self.names) != self.dimension:
            raise ValueError(f"names: got {len(self.names)}, expected one for each of the {self.dimension} variables")

    @property
    def dimension(self) -> int:
        return len(self.bounds)

    def require_box(self, who: str) -> None:
        """ValueError that names a variable without a finite bound; `who` needs one."""
        require_finite(self.lower, self.upper, who)

    @property
    def lower(self) -> np.ndarray:
        return self.bounds[:, 0]

    @property
    def upper(self) -> np.ndarray:
        return self.bounds[:, 1]


def parse_bounds(bounds, x0=None) -> tuple[np.ndarray, np.ndarray]:
    """The box as two float64 vectors, or an error that names the variable that is wrong.

    The numbers of a scipy.optimize.Bounds are spread over x0.
    """
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):  # scipy.optimize.Bounds
        ends = np.atleast_1d(bounds.lb), np.atleast_1d(bounds.ub)
        if ends[0].size == ends[1].size == 1 and isinstance(x0, Sequence | np.ndarray):
            ends = tuple(np.repeat(end, np.shape(x0[0])[-1] if np.ndim(x0[0]) else len(x0)) for end in ends)
        lower, upper = np.broadcast_arrays(*ends)
        bounds = np.column_stack([lower, upper])
    if bounds is None:
        raise ValueError("bounds: got None, expected a (low, high) pair for each variable, or a point x0 to begin with")
    try:
        pairs = [[(np.inf if k else -np.inf) if end is None else end for k, end in enumerate(pair)] for pair in bounds]
        box = np.array(pairs, dtype=np.float64, ndmin=2)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"bounds: got {_short(bounds)}, expected a (low, high) pair of numbers per variable"
        ) from error
    if box.size == 0:
        raise ValueError("bounds: got none, expected a (low, high) pair for each variable")
    if box.ndim != 2 or box.shape[1] != 2:
        raise ValueError(f"bounds: got an array of shape {box.shape}, expected (D, 2): a (low, high) pair per variable")
    lower, upper = np.ascontiguousarray(box[:, 0]), np.ascontiguousarray(box[:, 1])
    if box.shape == (2, 2) and (lower == upper).all():
        raise ValueError(
            f"bounds: got {_short(bounds)}, which leaves no variable free; expected a (low, high) pair per variable "
            "(lower ends and upper ends by themselves are lb= and ub= of minimize)"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        ordered = (lower <= upper) & (lower < np.inf) & (upper > -np.inf)
        narrow = np.isfinite(upper - lower) | np.isinf(lower) | np.isinf(upper)
    if not (ordered & narrow).all():
        k = int(np.argmin(ordered & narrow))
        raise ValueError(f"bounds: variable {k} has {_fault(float(lower[k]), float(upper[k]))}")
    return lower, upper


def _fault(low: float, high: float) -> str:
    """What is wrong with a pair of bounds, and what is expected."""
    if np.isnan(low) or np.isnan(high):
        return f"({low}, {high}), expected two numbers (NaN is no bound)"
    if np.isinf(low) and low == high:
        return f"({low}, {high}), between which no number lies"
    if low > high:
        return f"low {low} above high {high}, expected low <= high"
    return f"({low}, {high}), whose width overflows; expected a width below 1.8e308"


def require_finite(lower: np.ndarray, upper: np.ndarray, who: str) -> None:
    """ValueError that names a variable without a finite bound; `who` needs one."""
    for k, (low, high) in enumerate(zip(lower, upper)):
        if np.isinf(low) or np.isinf(high):
            raise ValueError(f"bounds: variable {k} has ({low}, {high}), expected a finite box: {who} searches one")


def parse_integrality(integrality, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """A mask of the variables that take whole numbers, each of which has one inside its bounds."""
    if integrality is None:
        return _frozen(np.zeros(len(lower), dtype=np.bool_))
    mask = np.asarray(integrality)
    if mask.dtype.kind not in "bui" or mask.ndim > 1 or not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"integrality: got {_short(integrality)}, expected True (or 1) per whole-numbered variable, else False"
        )
    if mask.ndim == 1 and mask.shape != lower.shape:
        raise ValueError(f"integrality: got {mask.size} entries, expected one for each of the {len(lower)} variables")
    mask = np.broadcast_to(mask, lower.shape).astype(np.bool_)
    for k in np.flatnonzero(mask):
        if np.ceil(lower[k]) > np.floor(upper[k]):
            raise ValueError(
                f"integrality: no whole number lies in ({lower[k]}, {upper[k]}), the bounds of variable {k}"
            )
    return _frozen(mask)


def parse_x0(x0, lower: np.ndarray, upper: np.ndarray) -> np.ndarray | None:
    """Starting points of shape (n, D), each inside the box."""
    if x0 is None:
        return None
    try:
        points = np.array(x0, dtype=np.float64, ndmin=2)
    except (TypeError, ValueError) as error:
        raise ValueError(f"x0: got {_short(x0)}, expected {len(lower)} numbers, or rows of so many") from error
    if points.ndim != 2 or points.shape[1] != len(lower) or points.shape[0] == 0:
        raise ValueError(
            f"x0: got shape {np.shape(x0)}, expected ({len(lower)},) or (n, {len(lower)}), as bounds has it"
        )
    outside = ~((points >= lower) & (points <= upper))
    if outside.any():
        row, k = np.argwhere(outside)[0]
        raise ValueError(f"x0: variable {k} is {points[row, k]}, expected a number in [{lower[k]}, {upper[k]}]")
    return _frozen(points)


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _short(value) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
