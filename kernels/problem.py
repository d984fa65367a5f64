"""What is to be minimised: the objective, its box, its arguments and, where known, its minimum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .reals import NotReal, listed, real_array, shortened


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
        Further arguments of `fun`: arrays, numbers, tuples of these. An array that a compiled `fun` writes into is a
        fresh copy in each evaluation; a read-only one is refused then.
    x0 : (D,) or (n, D) array_like, optional
        A starting point, or a starting population.
    names : sequence of str, optional
        One name per variable, for reports.
    integrality : (D,) array_like of bool, optional
        True where the variable takes whole numbers only.
    jac : callable, True or str, optional
        `jac(x, *args) -> (D,) array`, the gradient; True: `fun` returns its value and the gradient; "2-point" or
        "3-point": by differences. Default: automatic, exact for every objective that is compiled.
    hess : callable, optional
        `hess(x, *args) -> (D, D) array`, the Hessian. Default: automatic, or differences of a gradient that is given.
    hessp : callable, optional
        `hessp(x, p, *args) -> (D,) array`, the Hessian times p.
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
    jac: Callable[..., Any] | bool | str | None = None
    hess: Callable[..., Any] | None = None
    hessp: Callable[..., Any] | None = None
    minimum: Minimum | None = None
    reference: str = ""

    def __post_init__(self) -> None:
        if not callable(self.fun):
            raise TypeError(f"fun: got {type(self.fun).__name__}, expected a callable f(x, *args) -> float")
        if not isinstance(self.args, tuple):
            object.__setattr__(self, "args", (self.args,))
        points = read_points(self.x0)
        bounds = self.bounds
        if bounds is None and points is not None and points.ndim in (1, 2):
            bounds = np.full((points.shape[-1], 2), (-np.inf, np.inf))
        lower, upper = parse_bounds(bounds, points)
        object.__setattr__(self, "bounds", _frozen(np.column_stack([lower, upper])))
        object.__setattr__(self, "integrality", parse_integrality(self.integrality, lower, upper))
        object.__setattr__(self, "x0", check_points(points, lower, upper))
        if self.names is not None:
            object.__setattr__(self, "names", check_names(self.names, self.dimension))

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


def told(x):
    """The objective of an Optimizer: its values are told, and so are its gradients, if at all."""
    raise RuntimeError("the objective of an Optimizer is evaluated by the caller")


def is_told(problem) -> bool:
    return getattr(problem.fun, "function", problem.fun) is told


def parse_bounds(bounds, x0: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The box as two float64 vectors, or an error that names the variable that is wrong.

    The numbers of a scipy.optimize.Bounds are spread over x0.
    """
    if bounds is None:
        raise ValueError("bounds: got None, expected a (low, high) pair for each variable, or a point x0 to begin with")
    ends = hasattr(bounds, "lb") and hasattr(bounds, "ub")
    box = _from_ends(bounds, x0) if ends else _from_pairs(bounds)
    lower, upper = np.ascontiguousarray(box[:, 0]), np.ascontiguousarray(box[:, 1])
    with np.errstate(over="ignore", invalid="ignore"):
        ordered = (lower <= upper) & (lower < np.inf) & (upper > -np.inf)
        narrow = np.isfinite(upper - lower) | np.isinf(lower) | np.isinf(upper)
    if not (ordered & narrow).all():
        k = int(np.argmin(ordered & narrow))
        raise ValueError(f"bounds: variable {k} has {_fault(float(lower[k]), float(upper[k]))}")
    if not ends and (lower == upper).all():  # two points in the place of pairs look like this
        raise ValueError(f"bounds: got {shortened(bounds)}, which leaves no variable free; expected {PAIRS} ({ENDS})")
    return lower, upper


PAIRS = "a (low, high) pair of numbers per variable"
ENDS = "lower ends and upper ends are zip(lower, upper), or lb= and ub= of minimize"


def _from_ends(bounds, x0: np.ndarray | None) -> np.ndarray:
    """(D, 2) of a scipy.optimize.Bounds, or of lb= and ub=."""
    ends = []
    for name, given, no_end in (("lb", bounds.lb, -np.inf), ("ub", bounds.ub, np.inf)):
        try:
            end = np.atleast_1d(real_array(no_end if given is None else given))
        except NotReal as error:
            raise ValueError(f"bounds: got {name}={shortened(given)}, {error}; expected numbers") from error
        if end.ndim > 1:
            raise ValueError(f"bounds: got {name} of shape {end.shape}, expected a number for each variable")
        ends.append(end)
    lower, upper = ends
    if lower.size == upper.size == 1 and x0 is not None and x0.ndim > 0:
        lower, upper = (np.repeat(end, x0.shape[-1]) for end in ends)
    if lower.size != upper.size and 1 not in (lower.size, upper.size):
        raise ValueError(f"bounds: got lb of {lower.size} and ub of {upper.size} numbers, expected as many of both")
    return np.column_stack(np.broadcast_arrays(lower, upper))


def _from_pairs(bounds) -> np.ndarray:
    """(D, 2) of pairs, whose ends may be None."""
    if isinstance(bounds, tuple) and len(bounds) == 2 and not any(isinstance(part, tuple) for part in bounds):
        if all(isinstance(part, list) or hasattr(part, "__array__") for part in bounds):
            raise ValueError(
                f"bounds: got {shortened(bounds)}, a tuple of two, which are two pairs or the lower and the upper ends;"
                f" expected a list of pairs, [[low, high], [low, high]] ({ENDS})"
            )
    plain = type(bounds) is np.ndarray and bounds.dtype == np.float64 and bounds.ndim == 2  # 20,000 pairs: 100 ms less
    try:
        box = np.array(bounds) if plain else real_array([_pair(pair) for pair in _members(bounds)])
    except NotReal as error:
        raise ValueError(f"bounds: got {shortened(bounds)}, {error}; expected {PAIRS}") from error
    if box.size == 0:
        raise ValueError("bounds: got none, expected a (low, high) pair for each variable")
    if box.ndim != 2 or box.shape[1] != 2:
        several = f" ({ENDS})" if box.ndim == 2 and len(box) == 2 else ""
        raise ValueError(f"bounds: got an array of shape {box.shape}, expected (D, 2): {PAIRS}{several}")
    return box


def _pair(pair) -> list:
    """The ends of a variable; None stands for an open one."""
    return [(np.inf if k else -np.inf) if end is None else end for k, end in enumerate(_members(pair))]


def _members(several) -> Any:
    """What can be gone through in an order that its writer saw."""
    if isinstance(several, list | tuple):
        return several
    several = listed(several)
    if isinstance(several, str | bytes):
        raise NotReal("which holds text")
    if hasattr(several, "__array__") and not np.ma.is_masked(several):
        several = np.asarray(several)  # a frame of pandas is gone through by its columns
    if isinstance(several, range):
        raise NotReal("which has a range for a pair")  # whose upper end is not its last number
    if not hasattr(several, "__len__") or getattr(several, "ndim", 1) == 0:
        raise NotReal("which has no pair for each variable")
    return several


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
    try:
        mask = np.asarray(integrality)
    except ValueError:  # rows of several lengths
        mask = np.array(None)
    if mask.dtype.kind not in "bui" or mask.ndim > 1 or not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"integrality: got {shortened(integrality)}, expected True (or 1) per whole-numbered variable, else False"
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


def read_points(x0) -> np.ndarray | None:
    """Starting points as the numbers that they are."""
    try:
        return None if x0 is None else real_array(x0)
    except NotReal as error:
        raise ValueError(f"x0: got {shortened(x0)}, {error}; expected numbers, or rows of numbers") from error


def check_points(points: np.ndarray | None, lower: np.ndarray, upper: np.ndarray) -> np.ndarray | None:
    """Starting points of shape (n, D), each inside the box."""
    if points is None:
        return None
    if points.ndim not in (1, 2) or points.shape[-1] != len(lower) or points.size == 0:
        raise ValueError(
            f"x0: got shape {points.shape}, expected ({len(lower)},) or (n, {len(lower)}), as bounds has it"
        )
    points = np.atleast_2d(points)
    outside = ~((points >= lower) & (points <= upper))
    if outside.any():
        row, k = np.argwhere(outside)[0]
        raise ValueError(f"x0: variable {k} is {points[row, k]}, expected a number in [{lower[k]}, {upper[k]}]")
    return _frozen(points)


def check_names(names, dimension: int) -> list[str]:
    """One name for each variable."""
    if isinstance(names, str) or not isinstance(names, Sequence | np.ndarray):
        raise TypeError(f"names: got {shortened(names)}, expected a list of texts, one for each variable")
    if len(names) != dimension:
        raise ValueError(f"names: got {len(names)}, expected one for each of the {dimension} variables")
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"names: got {shortened(names)}, expected a list of texts, one for each variable")
    return [str(name) for name in names]


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
