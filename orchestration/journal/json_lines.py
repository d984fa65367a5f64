"""The lines of a journal: to text and back. A float comes back bit for bit.

NaN, Infinity and -Infinity are written by name: Python and pandas read them, strict readers of JSON do not. A number
below 2.2e-308 is written with all its digits (up to 767): a shorter text is inexact there, which the C library reports
and pandas takes for an error."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from .checks import COUNT_OR_NONE, FAILURE, HEADER, NUMBER_OR_NAN, TEXT, Test, is_count, present, what_is_wrong

FORMAT = 2  # to be raised when older readers would misunderstand
BEGIN = b'{"header": '
TEXT_OR_TINY = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d(?:\.\d+)?e-3[0-2]\d')


@dataclass
class Content:
    """What the complete lines of a journal say."""

    header: dict  # with "resumed": when it was taken up again; what was extended has its largest value
    size: int  # bytes of the complete lines
    records: dict[int, dict] = field(default_factory=dict)
    failures: dict[int, dict] = field(default_factory=dict)  # of units without a record

    def note(self, entry: dict) -> None:
        """Of several entries of a unit, the last counts; a failure never takes the place of a record."""
        unit = entry["unit"]
        if "failed" not in entry:
            self.records[unit] = entry
            self.failures.pop(unit, None)
        elif unit not in self.records:
            self.failures[unit] = entry

    def extend(self, event: dict) -> None:
        self.header["resumed"].append(event["resumed"])
        for name in event.keys() - {"resumed"}:
            self.header[name] = larger(self.header.get(name), event[name])


def larger(a, b):
    """The larger of two counts; None is a count without an end."""
    return None if a is None or b is None else max(a, b)


def encode(entry: dict, what: str) -> str:
    """One line. `what` names the entry in messages.

    Raises
    ------
    TypeError
        If it holds what JSON has no word for.
    """
    try:
        text = json.dumps(entry, default=_plain)
    except (TypeError, ValueError) as error:  # ValueError: a list that holds itself
        raise TypeError(f"journal: {what}: {error}") from None
    if "e-3" in text:
        text = TEXT_OR_TINY.sub(_all_digits, text)
    return text + "\n"


def _plain(value) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        kind, size = value.dtype.kind, value.dtype.itemsize
        if kind == "U" or (kind in "biuf" and size <= 8):
            return value.tolist()
    raise TypeError(f"got {type(value).__name__}, expected numbers, texts, lists and dicts")


def _all_digits(match: re.Match) -> str:
    text = match[0]
    if text.startswith('"') or abs(float(text)) >= sys.float_info.min:
        return text
    return str(Decimal(float(text)))


def decode(content: bytes, path, tests: dict[str, Test] | None = None) -> Content | None:
    """What a journal holds; None where not even its first line is complete. A torn last line is left out.

    `tests`: of what the records hold, by name.

    Raises
    ------
    ValueError
        If it is no journal, one of another format, or has a line that is garbled or does not hold what it should.
    """
    size = content.rfind(b"\n") + 1
    if size == 0 and content[: len(BEGIN)] == BEGIN[: len(content)]:
        return None
    first, *lines = content[: size - 1].split(b"\n")
    header = _object(first).get("header") if size else None
    if not isinstance(header, dict):
        raise ValueError(f"journal: {path} is no journal: its first line holds no header. Give another path")
    if header.get("format") != FORMAT:
        raise ValueError(
            f"journal: {path} was written by another version of thalweg (format {header.get('format')}, this one "
            f"writes {FORMAT}); finish it with that version, or give another path"
        )
    if wrong := what_is_wrong(header, present(HEADER, header)):
        raise ValueError(f"journal: {path}, line 1 is damaged or was edited: {wrong}. Give another path")
    found = Content(header | {"resumed": []}, size)
    of_record = {"fun": NUMBER_OR_NAN} if tests is None else tests
    for number, line in enumerate(lines, 2):
        entry = _object(line)
        if is_count(entry.get("unit")):
            wrong = what_is_wrong(entry, present(FAILURE, entry) if "failed" in entry else of_record)
            note = found.note
        elif "resumed" in entry:
            counts = dict.fromkeys(entry.keys() - {"resumed"}, COUNT_OR_NONE)
            wrong, note = what_is_wrong(entry, {"resumed": TEXT, **counts}), found.extend
        else:
            raise ValueError(f"journal: {path}, line {number} is garbled; delete this line to go on without it")
        if wrong:
            raise ValueError(
                f"journal: {path}, line {number} is damaged or was edited: {wrong}; delete this line, and what it "
                "tells of is done again"
            )
        note(entry)
    return found


def _object(line: bytes) -> dict:
    """The object in a line; an empty one where there is none."""
    try:
        entry = json.loads(line.decode())
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}
