"""Times and rates in words."""

from __future__ import annotations

from datetime import timedelta

YEAR = 365.25 * 86400


def duration(seconds: float) -> str:
    """12.3 s, 0:12:34, 2 days, 3:04:05."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=round(seconds))) if seconds < YEAR else f"{seconds / YEAR:,.0f} years"


def per_time(rate: float) -> str:
    """Per second, minute or hour: the first that gives a number of at least 1."""
    unit, seconds = ("s", 1) if rate >= 1 else ("min", 60) if rate * 60 >= 1 else ("h", 3600)
    return f"{rate * seconds:,.{1 if rate * seconds < 100 else 0}f}/{unit}"
