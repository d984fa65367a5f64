"""What differs between two headers, in words: `method was 'jso', now 'de'; versions.numba was '0.67', now '0.68'`."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

ABSENT: Any = object()
SHOWN = 5  # differences
WIDTH = 40  # characters of a value


def differences(was: dict, now: dict, passed_over: Set[str] = frozenset()) -> str:
    """The entries that differ, with both values; empty where none does. Both are of JSON's types."""
    names = [name for name in {**was, **now} if name not in passed_over]
    found = [text for name in names for text in _compare(name, was.get(name, ABSENT), now.get(name, ABSENT))]
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "; ".join(found[:SHOWN] + more)


def _compare(name: str, was, now) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in {**was, **now}:
            yield from _compare(f"{name}.{key}", was.get(key, ABSENT), now.get(key, ABSENT))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for position, pair in enumerate(zip(was, now)):
            yield from _compare(f"{name}[{position}]", *pair)
    elif was != now and not (was != was and now != now):  # two NaN are equal here
        yield f"{name} was {_short(was)}, now {_short(now)}"


def _short(value) -> str:
    text = "absent" if value is ABSENT else repr(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."
