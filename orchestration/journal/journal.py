"""The journal of a call: append-only JSON lines, on disk before anyone relies on them.

    {"header": {"format": 1, "started": "2026-01-31T12:00:00.000+00:00", "work": "restarts", "seed": 1, ...}}
    {"unit": 5, "fun": 0.25, "x": [0.5], "seconds": 1.5, "worker": "...", "time": "2026-01-31T12:00:02.000+00:00"}
    {"unit": 7, "failed": "raised", "error": "...", "attempts": 3, "workers": ["..."], "time": "..."}
    {"resumed": "2026-02-01T08:00:00.000+00:00", "units": 200}

A line per unit, in the order in which they were done. pandas reads it in one line, exactly with `precise_float`:

    pandas.read_json("fit.jsonl", lines=True, precise_float=True).dropna(subset="unit")"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .append_file import AppendFile
from .checks import Test
from .differences import differences
from .json_lines import FORMAT, Content, decode, encode

OWN = {"format", "started", "resumed"}  # in the header, beside what the caller says of the run


def read_journal(
    path: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
    """(header, records, failures) of a journal, the last two by unit; also while it is being written.

    The header says what ran, when it `started` and when it was `resumed` (a list). A record has what the unit gave, its
    `seconds`, `worker`, and the `time` when it was written; a failure `failed` (raised, timeout or killed), `error`,
    `attempts`, `workers`, `time`. Times are ISO texts in UTC.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no journal, or garbled.
    """
    path = _as_path(path)
    content = decode(path.read_bytes(), path)
    if content is None:
        raise ValueError(f"journal: {path} is empty")
    return content.header, content.records, content.failures


def saved_header(path) -> dict:
    """The header of a journal, so that a call without a seed goes on with the seed in the file; empty without one."""
    path = _as_path(path)
    try:
        with path.open("rb") as file:
            content = decode(file.readline(), path)
    except (OSError, ValueError):  # which opening the journal says
        content = None
    return {} if content is None else content.header


@contextlib.contextmanager
def open_journal(path, header: dict, tests: dict[str, Test] | None = None) -> Iterator[Journal | None]:
    """The journal of a call, closed with it; None where no path is given."""
    if path is None:
        yield None
    else:
        with Journal(path, header, tests) as journal:
            yield journal


class Journal:
    """Opened or created; held by one process at a time until it is closed.

    Parameters
    ----------
    path : str or PathLike
        In a folder that exists. A file that is there is taken up if its header is equal.
    header : dict
        All that decides what a unit gives, in JSON's types.
    tests : dict, optional
        Of what the records in the file must hold, by name (`checks.py`).
    extendable : names in the header, default ("units",)
        Counts, or None, that may differ: the largest is noted.

    Attributes
    ----------
    header : dict, as of `read_journal`
    records, failures : dict by unit, of what is done and of what failed and is to be tried again

    Raises
    ------
    OSError
        If the file cannot be opened or written, naming it.
    ValueError
        If it belongs to another run, is no journal, or is garbled.
    RuntimeError
        If it is in use.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "fit.jsonl")
    >>> with Journal(path, {"work": "restarts", "seed": 1, "units": 2}) as journal:
    ...     journal.append([{"unit": 0, "fun": 0.25}])
    >>> with Journal(path, {"work": "restarts", "seed": 1, "units": 5}) as journal:
    ...     journal.records
    {0: {'unit': 0, 'fun': 0.25}}
    """

    def __init__(
        self, path, header: dict, tests: dict[str, Test] | None = None, *, extendable: tuple[str, ...] = ("units",)
    ):
        path = _as_path(path)
        header = json.loads(encode(header, "the header"))  # as it would come back
        self._event: dict | None = None  # written with the next records: a call with nothing to add leaves no trace
        self._file = AppendFile(path)
        try:
            written = self._file.read()
            content = decode(written, path, tests)
            if content is None:
                self._begin(header)
            else:
                self._take_up(content, header, extendable)
        except BaseException:
            self.close()
            raise
        self.header, self.records, self.failures = self._content.header, self._content.records, self._content.failures

    def _begin(self, header: dict) -> None:
        header = {"format": FORMAT, "started": _now(), **header}
        self._file.cut(0)
        self._file.append(encode({"header": header}, "the header"))
        self._file.sync_folder()
        self._content = Content(header | {"resumed": []}, self._file.size)

    def _take_up(self, content: Content, header: dict, extendable: tuple[str, ...]) -> None:
        other = differences(content.header, header, passed_over=OWN.union(extendable))
        if other:
            raise ValueError(
                f"journal: {self._file.path} belongs to another run: {other}. "
                "Give another path, or delete it to begin anew"
            )
        if content.size < self._file.size:
            self._file.cut(content.size)
        for entry in (*content.records.values(), *content.failures.values()):
            entry.pop("time", None)  # the clock is no part of a record
        self._event = {"resumed": _now(), **{name: header[name] for name in extendable if name in header}}
        self._content = content

    def append(self, entries: list[dict]) -> None:
        """Records and failures: one write, on disk when this returns. A unit that has a record is passed over.

        Raises
        ------
        OSError
            If the disk is full or fails; then the file is as it was before.
        TypeError
            If an entry holds what JSON has no word for.
        """
        time = _now()
        fresh = [entry for entry in entries if entry["unit"] not in self.records]
        lines = [encode({"unit": e["unit"], **e, "time": time}, f"unit {e['unit']}") for e in fresh]
        if not lines:
            return
        if self._event is not None:
            lines.insert(0, encode(self._event, "the header"))
        self._file.append("".join(lines))
        if self._event is not None:
            self._content.extend(self._event)
            self._event = None
        for entry in fresh:
            self._content.note(entry)

    def close(self) -> None:
        """Give the file free. May be called again."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception) -> None:
        self.close()


def _as_path(path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"journal: got {type(path).__name__}, expected a path")
    try:
        mode = os.stat(Path(path)).st_mode
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # which opening it says
        mode = stat.S_IFREG
    except (OSError, ValueError, TypeError) as error:  # a NUL in it, a name too long, a path of bytes
        raise ValueError(f"journal: got {path!r:.100}, expected the path of a file ({error})") from None
    if not stat.S_ISREG(mode):  # a pipe would be waited for
        raise ValueError(f"journal: got {path}, expected the path of a file")
    return Path(path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
