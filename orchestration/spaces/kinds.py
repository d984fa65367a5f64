"""What a variable of a search space is: a value for each u in [0, 1), and the levels of a grid.

A variable whose values can be counted has a `domain`, the sequence of them. Others may be conditional on it: a
condition holds at certain positions in the domain.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...kernels.rows.population import sample
from ...kernels.search import sample_log
from .describe import describe, describe_distribution

EXACT = 2**53  # float64 holds every whole number up to it
MOST_LEVELS = 10**7  # of a variable: they are kept in memory


class Variable(Protocol):
    @property
    def domain(self) -> Sequence[Any] | None: ...

    def draw(self, u: float) -> tuple[Any, int | None]:
        """The value that u in [0, 1) stands for, and its position in the domain."""
        ...

    def levels(self, count: int | None) -> tuple[Sequence[Any], Sequence[int]]:
        """The values in a grid, and their positions in the domain; `count`: how many are asked for."""
        ...

    def header(self) -> dict[str, Any]:
        """Everything that decides the two above, in JSON types."""
        ...


@dataclass(frozen=True)
class Real:
    low: float
    high: float
    log: bool

    domain: None = None

    def __repr__(self) -> str:
        return f"{_name('uniform', self.log)}({self.low!r}, {self.high!r})"

    def draw(self, u: float) -> tuple[float, None]:
        if self.log:
            return sample_log(u, self.low, self.high, self.high), None
        return sample(u, self.low, self.high, 0.0), None

    def levels(self, count: int | None) -> tuple[list[float], range]:
        space = np.geomspace if self.log else np.linspace
        values = np.clip(space(self.low, self.high, _checked(count)), self.low, self.high)
        return np.unique(values).tolist(), range(0)

    def header(self) -> dict[str, Any]:
        return {"kind": _name("uniform", self.log), "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Integer:
    low: int
    high: int
    log: bool

    def __repr__(self) -> str:
        return f"{_name('integer', self.log)}({self.low}, {self.high})"

    @property
    def domain(self) -> range:
        return range(self.low, self.high + 1)

    def draw(self, u: float) -> tuple[int, int]:
        low, high = float(self.low), float(self.high)
        value = int(sample_log(u, low, high + 1.0, high) if self.log else sample(u, low, high, 1.0))
        return value, value - self.low

    def levels(self, count: int | None) -> tuple[Sequence[int], Sequence[int]]:
        last = self.high - self.low
        if count is None or count > last:
            return self.domain, range(last + 1)
        gaps = max(_checked(count) - 1, 1)
        if self.log:
            spaced = np.rint(np.geomspace(self.low, self.high, count)) - self.low
            positions = np.unique(np.clip(spaced, 0, last)).astype(np.int64).tolist()
        else:
            positions = [(i * last + gaps // 2) // gaps for i in range(count)]
        return [self.low + position for position in positions], positions

    def header(self) -> dict[str, Any]:
        return {"kind": _name("integer", self.log), "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Choice:
    domain: Sequence[Any]

    def __repr__(self) -> str:
        return f"choice({reprlib.repr(self.domain if isinstance(self.domain, range) else list(self.domain))})"

    def draw(self, u: float) -> tuple[Any, int]:
        position = min(int(u * len(self.domain)), len(self.domain) - 1)
        return self.domain[position], position

    def levels(self, count: int | None) -> tuple[Sequence[Any], range]:
        return self.domain, range(len(self.domain))

    def header(self) -> dict[str, Any]:
        return {"kind": "choice", "values": describe(self.domain)}


@dataclass(frozen=True)
class Distribution:
    frozen: Any  # a distribution of scipy.stats with its parameters

    domain: None = None

    def __repr__(self) -> str:
        given = [*map(repr, self.frozen.args), *(f"{name}={value!r}" for name, value in self.frozen.kwds.items())]
        return f"scipy.stats.{self.frozen.dist.name}({', '.join(given)})"

    def draw(self, u: float) -> tuple[float | int, None]:
        # Half the smallest step above 0: at 0 itself the inverse is -inf, or one below the support.
        return self._number(self.frozen.ppf(max(u, 2.0**-53))), None

    def levels(self, count: int | None) -> tuple[list[Any], range]:
        count = _checked(count)
        quantiles = np.unique(self.frozen.ppf((np.arange(count) + 0.5) / count))
        return [self._number(q) for q in quantiles], range(0)

    def header(self) -> dict[str, Any]:
        return {"kind": "scipy.stats", **describe_distribution(self.frozen)}

    def _number(self, value) -> float | int:
        discrete = hasattr(self.frozen.dist, "pmf")
        return int(value) if discrete and float(value).is_integer() else float(value)


@dataclass(frozen=True)
class When:
    """A variable and the values that its parent must have for it to exist."""

    parent: str
    values: Sequence[Any]
    variable: Any

    def __repr__(self) -> str:
        return f"when({self.parent!r}, {reprlib.repr(list(self.values[:9]))}, {self.variable!r})"


def _name(name: str, log: bool) -> str:
    return f"log_{name}" if log else name


def _checked(count: int | None) -> int:
    if count is None:
        raise ValueError("levels: got None for a range of real numbers, expected a whole number")
    if count > MOST_LEVELS:
        raise ValueError(f"levels: got {count}, expected at most {MOST_LEVELS} for a variable: they are kept in memory")
    return count
