"""The first wait is explained: one line on stderr when what takes seconds is compiled for the first time on a machine.

    with explained("lshade", 6):    # what the disk does not hold is announced before it is compiled

What comes from the disk is silent, and so is everything where `THALWEG_QUIET=1` is set.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from . import files

VARIABLE = "THALWEG_QUIET"
FORGOTTEN = 120  # seconds: a mark that is older was left by a process that died


@dataclass
class _Wait:
    line: str
    said: bool = False
    mark: Path | None = None  # tells other processes that it is said


_expected: ContextVar[_Wait | None] = ContextVar("what is to be said", default=None)


@contextlib.contextmanager
def explained(what: str, seconds: float, machine: str = "this CPU, once") -> Iterator[None]:
    """Announce the first thing within that has to be compiled, as `what`, which takes about so many seconds.

    Parts that are called the same as what is around them are not announced again.
    """
    around, wait = _expected.get(), _Wait(f"thalweg: compiling {what} for {machine}, about {seconds:.0f} s")
    if around is not None and around.line == wait.line:
        wait = around
    token = _expected.set(wait)
    try:
        yield
    finally:
        _expected.reset(token)
        if wait.mark is not None:
            with contextlib.suppress(OSError):
                wait.mark.unlink(missing_ok=True)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Say nothing within: the caller shows what is compiled."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def announce(path: Path | None = None) -> None:
    """Something is compiled now, which will be kept at `path`: say so, once, unless another process does."""
    wait = _expected.get()
    if wait is None or wait.said:
        return
    wait.said = True
    if os.environ.get(VARIABLE, "0") not in ("", "0") or sys.stderr is None:
        return
    if path is not None and not _is_first(path.with_suffix(".wait"), wait):
        return
    with contextlib.suppress(OSError, ValueError):  # nobody reads it
        print(wait.line, file=sys.stderr, flush=True)


def _is_first(mark: Path, wait: _Wait) -> bool:
    """Whether no other process says it at this time: the first one leaves a mark with its number."""
    if not files.usable(mark.parent, make=True):  # nothing will be kept there either
        return True
    try:
        if _is_left_over(mark):
            mark.unlink(missing_ok=True)
        with open(mark, "x", opener=files.private) as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return False
    except OSError:  # a full disk
        return True
    wait.mark = mark
    return True


def _is_left_over(mark: Path) -> bool:
    """Whether the process that left the mark is gone; one on another machine, that shares the folder, by the time."""
    try:
        age = abs(time.time() - mark.lstat().st_mtime)
    except OSError:
        return False
    if age > FORGOTTEN or os.name != "posix":  # elsewhere, to ask for a process would end it
        return age > FORGOTTEN
    try:
        os.kill(int(files.read_any(mark) or b""), 0)
    except ProcessLookupError:
        return age > 1.0  # may be one of another machine: but two lines are better than none
    except (OSError, ValueError, OverflowError):  # it is another user's, or no mark
        pass
    return False
