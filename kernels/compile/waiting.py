"""The first wait is explained: one line on stderr when what takes seconds is compiled for the first time on a machine.

    with explained("lshade", 6):    # what the disk does not hold is announced before it is compiled

What comes from the disk is silent, and so is everything where `THALWEG_QUIET` is set.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

VARIABLE = "THALWEG_QUIET"
FORGOTTEN = 120  # seconds: a mark that is older was left by a process that died
_expected: ContextVar[list[str]] = ContextVar("what is to be said", default=[])  # noqa: B039 (never changed in place)


@contextlib.contextmanager
def explained(what: str, seconds: float, machine: str = "this CPU, once") -> Iterator[None]:
    """Announce the first thing within that has to be compiled, as `what`, which takes about so many seconds."""
    token = _expected.set([f"thalweg: compiling {what} for {machine}, about {seconds:.0f} s"])
    try:
        yield
    finally:
        _expected.reset(token)


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
    waiting = _expected.get()
    if not waiting:
        return
    (line,) = waiting
    _expected.set([])
    if not os.environ.get(VARIABLE) and (path is None or _is_first(path.with_suffix(".wait"))):
        print(line, file=sys.stderr, flush=True)


def _is_first(mark: Path) -> bool:
    """Whether no other process says it at this time: the first one leaves a mark."""
    with contextlib.suppress(OSError):  # a folder that cannot be written to: nothing will be kept there either
        mark.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        if time.time() - mark.stat().st_mtime > FORGOTTEN:
            mark.unlink()
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        pass
    return True


def arrived(path: Path) -> None:
    """What was compiled is at `path`: the mark goes."""
    path.with_suffix(".wait").unlink(missing_ok=True)
