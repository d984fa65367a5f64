"""The variables of a search space, as a user writes them."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...solvers.driving.settings import as_integer, as_real
from .kinds import EXACT, Choice, Distribution, Integer, Real, Variable, When


def uniform(low: float, high: float) -> Real:
    """A real number, uniform in [low, high].

    Raises
    ------
    TypeError, ValueError
        Where an end is no finite number, or `low` is above `high`.

    Examples
    --------
    >>> from thalweg.orchestration.spaces import parse_space, uniform
    >>> parse_space({"momentum": uniform(0.5, 1.0)}, levels=3).grid_point(1)
    {'momentum': 0.75}
    """
    return Real(*_real_ends("uniform", low, high), log=False)


def log_uniform(low: float, high: float) -> Real:
    """A real number whose logarithm is uniform, 0 < low <= high.

    Raises
    ------
    TypeError, ValueError
        Where an end is no finite number above 0, or `low` is above `high`.

    Examples
    --------
    >>> from thalweg.orchestration.spaces import log_uniform, parse_space
    >>> parse_space({"C": log_uniform(1e-4, 1e4)}, levels=9).grid_point(3)
    {'C': 0.1}
    """
    low, high = _real_ends("log_uniform", low, high)
    if low <= 0:
        raise ValueError(f"log_uniform: got low {low}, expected a number above 0: zero has no logarithm")
    return Real(low, high, log=True)


def integer(low: int, high: int) -> Integer:
    """A whole number of low, low + 1, ..., high, all equally likely.

    Raises
    ------
    TypeError, ValueError
        Where an end is no whole number of at most 2**53 in size, or `low` is above `high`.

    Examples
    --------
    >>> from thalweg.orchestration.spaces import integer, parse_space
    >>> parse_space({"layers": integer(1, 4)}).size
    4
    """
    return Integer(*_whole_ends("integer", low, high), log=False)


def log_integer(low: int, high: int) -> Integer:
    """A whole number of low, ..., high: the whole part of a number whose logarithm is uniform in [low, high + 1).

    Raises
    ------
    TypeError, ValueError
        Where an end is no whole number of 1 to 2**53, or `low` is above `high`.

    Examples
    --------
    >>> from thalweg.orchestration.spaces import log_integer, parse_space
    >>> space = parse_space({"batch": log_integer(1, 1000)}, levels=4)
    >>> [space.grid_point(k)["batch"] for k in range(4)]
    [1, 10, 100, 1000]
    """
    low, high = _whole_ends("log_integer", low, high)
    if low < 1:
        raise ValueError(f"log_integer: got low {low}, expected at least 1: zero has no logarithm")
    return Integer(low, high, log=True)


def choice(values: Sequence[Any] | np.ndarray) -> Choice:
    """One of the values of a list, all equally likely; one that stands there twice is twice as likely.

    Raises
    ------
    TypeError, ValueError
        Where `values` is no list, tuple, range or one-dimensional array, or is empty.

    Examples
    --------
    >>> from thalweg.orchestration.spaces import choice, parse_space
    >>> parse_space({"penalty": choice(["l1", "l2"])}).random_point([0.7])
    {'penalty': 'l2'}
    """
    return Choice(_as_values("choice", values))


def when(name: str, value: Any, variable: Any) -> When:
    """A variable that exists only where another one has a certain value.

    Parameters
    ----------
    name : str
        The other variable: a choice, an integer or a log_integer; it may be conditional, too.
    value : object, or list, range or array
        The value that it must have; a list, range or array means any of these. A tuple is one value.
    variable : variable, list or scipy.stats distribution
        What exists there. Another `when` asks for both conditions.

    Raises
    ------
    TypeError, ValueError
        Where `name` is no str, or there is no value.

    Examples
    --------
    >>> from thalweg.orchestration.spaces import parse_space, when
    >>> space = parse_space({"kernel": ["linear", "rbf"], "gamma": when("kernel", "rbf", [0.1, 1.0])})
    >>> [space.grid_point(k) for k in range(space.size)]
    [{'kernel': 'linear'}, {'kernel': 'rbf', 'gamma': 0.1}, {'kernel': 'rbf', 'gamma': 1.0}]
    """
    if not isinstance(name, str):
        raise TypeError(f"when: got the name {reprlib.repr(name)}, expected a str: what the variable is conditional on")
    several = isinstance(value, list | range | np.ndarray)
    return When(name, _as_values(f"when({name!r})", value) if several else (_plain(value),), variable)


def as_variable(label: str, given) -> Variable:
    """A variable from what stands in a space; `label` begins the message of what is refused."""
    if isinstance(given, Real | Integer | Choice | Distribution):
        return given
    if isinstance(given, tuple):
        _refuse_interval(label, given)
    if isinstance(given, tuple) or not hasattr(given, "ppf"):
        return Choice(_as_values(label, given))
    if not hasattr(given, "dist"):
        name = getattr(given, "name", type(given).__name__)
        raise TypeError(
            f"{label}: got the distribution {name} without its parameters, "
            "expected it with them, such as scipy.stats.norm(0, 1)"
        )
    median = np.asarray(given.ppf(0.5))
    if median.shape != () or not np.isfinite(median):
        raise ValueError(f"{label}: {given.dist.name} has the median {median}, expected parameters that give a number")
    return Distribution(given)


def _refuse_interval(label: str, given: tuple) -> None:
    """Two numbers in a tuple are an interval to many (scikit-optimize, SciPy, Ax), two values to others."""
    numbers, words = given[:2], given[2:]
    log = len(words) == 1 and isinstance(words[0], str) and "log" in words[0].lower()
    if len(numbers) < 2 or not all(map(_is_number, numbers)) or (words and not (log or words == ("uniform",))):
        return
    low, high = sorted(map(_plain, numbers))
    kind, ends = "log_" * log, f"{low!r}, {high!r}"
    whole = ends if isinstance(low, int) and isinstance(high, int) else "low, high"
    raise ValueError(
        f"{label}: got the tuple {given!r}, which may be an interval or a list of values; expected "
        f"{kind}uniform({ends}), {kind}integer({whole}), or choice([{ends}])"
    )


def _is_number(value) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _as_values(label: str, values) -> Sequence:
    if isinstance(values, str | bytes):
        raise TypeError(f"{label}: got the text {values!r}, expected a list of values, such as [{values!r}]")
    if isinstance(values, set | frozenset):
        raise TypeError(f"{label}: got a set, which has no order; expected a list, such as sorted(...)")
    if isinstance(values, Iterator):
        raise TypeError(f"{label}: got a {type(values).__name__}, which is exhausted after one pass; expected a list")
    if not isinstance(values, list | tuple | range | np.ndarray):
        raise TypeError(
            f"{label}: got {reprlib.repr(values)}, expected a list of values, or uniform(low, high) and the like"
        )
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise ValueError(f"{label}: got an array of shape {values.shape}, expected one dimension")
    if len(values) == 0:
        raise ValueError(f"{label}: got no values, expected at least one")
    return values if isinstance(values, range) else tuple(map(_plain, values))


def _plain(value) -> Any:
    """NumPy's numbers and strings as Python's: they are compared, written to journals, and given to the user."""
    return value.item() if isinstance(value, np.number | np.bool_ | np.str_) else value


def _ends(label: str, low, high, convert: Callable) -> tuple:
    low, high = convert(f"{label}: low", low), convert(f"{label}: high", high)
    if low > high:
        raise ValueError(f"{label}: got low {low} above high {high}, expected low <= high")
    return low, high


def _real_ends(label: str, low, high) -> tuple[float, float]:
    low, high = _ends(label, low, high, as_real)
    if not math.isfinite(high - low):
        raise ValueError(f"{label}: got ({low}, {high}), expected two finite numbers less than 1.8e308 apart")
    return low, high


def _whole_ends(label: str, low, high) -> tuple[int, int]:
    low, high = _ends(label, low, high, as_integer)
    if max(-low, high) > EXACT:
        raise ValueError(f"{label}: got ({low}, {high}), expected at most 2**53 in size: float64 skips numbers beyond")
    return low, high
