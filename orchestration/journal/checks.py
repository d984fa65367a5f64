"""What an entry of a journal must hold: a file that was damaged or edited is told from one that was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Test = tuple[Callable[[Any], bool], str]  # of a value, and what is expected in words


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def is_number(value: Any) -> bool:
    return (type(value) is float and value == value) or (type(value) is int and abs(value) < 2**63)


COUNT: Test = is_count, "a whole number, at least 0"
NUMBER: Test = is_number, "a number"
NUMBER_OR_NAN: Test = (lambda value: is_number(value) or type(value) is float), "a number"
LENGTH: Test = (lambda value: is_number(value) and value >= 0), "a number, at least 0"
TEXT: Test = (lambda value: isinstance(value, str)), "a text"
SEED: Test = (lambda value: type(value) is int and 0 <= value < 2**64), "a whole number from 0 to 2**64 - 1"
COUNT_OR_NONE: Test = (lambda value: value is None or is_count(value)), "a whole number, or null"
LISTED: Test = (lambda value: isinstance(value, list)), "a list"
FAILURE = {"failed": TEXT, "error": TEXT, "attempts": COUNT, "workers": LISTED}  # where they stand in it, as all of:
HEADER = {"seed": SEED, "units": COUNT_OR_NONE, "block": COUNT}


def one_of(values: Iterable[Any], expected: str) -> Test:
    known = set(values)
    return (lambda value: type(value) is int and value in known), expected


def numbers(count: int) -> Test:
    """NaN among them: no evaluation gave a value."""
    number, _ = NUMBER_OR_NAN
    return (lambda v: isinstance(v, list) and len(v) == count and all(map(number, v))), f"{count} numbers"


def present(tests: dict[str, Test], entry: dict[str, Any]) -> dict[str, Test]:
    return {name: test for name, test in tests.items() if name in entry}


def what_is_wrong(entry: dict[str, Any], tests: dict[str, Test]) -> str | None:
    """In words; None where all is as it should be."""
    for name, (test, expected) in tests.items():
        if name not in entry:
            return f"it lacks {name!r}"
        if not test(entry[name]):
            return f"its {name} is {entry[name]!r:.60}, expected {expected}"
    return None
