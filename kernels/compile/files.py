"""The files of the cache folder: read only where nobody else may write, and only as they were written.

They hold pickles and machine code: to load one is to run it. So what another user owns, or may write to, is not
trusted (on Windows, where folders of users are closed to others, nothing is asked), and every file begins with a digest
of its name and content. A digest has no secret: it tells of torn, damaged and renamed files, not of malice.

Whatever goes wrong here costs the cache, never the run. What keeps a folder from being used is said once.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

HEAD = b"thalweg 1\n"  # then the digest, then the content
DIGEST = hashlib.sha256().digest_size
LARGEST = 2**28  # bytes: no file of ours is so long
# No link is followed, and a pipe in the place of a file is not waited for.
READ = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def read(path: Path) -> bytes | None:
    """The content of a file that is ours and whole, else None."""
    if not usable(path.parent):
        return None
    written = read_any(path) or b""
    head, digest, content = written[: len(HEAD)], written[len(HEAD) :][:DIGEST], written[len(HEAD) + DIGEST :]
    return content if head == HEAD and digest == _digest(path, content) else None


def read_any(path: Path) -> bytes | None:
    """What is written in a plain file of ours, else None."""
    try:
        handle = os.open(path, READ)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return None
        if reason := _others(status):
            say(path.parent, f"{path.name} is not loaded: {reason}")
            return None
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> bool:
    """Put a file in its place, whole or not at all; whether it is there now."""
    if not usable(path.parent, make=True):
        return False
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(HEAD + _digest(path, content) + content)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except IsADirectoryError:  # a folder stands in its place
        return False
    except OSError as error:
        say(path.parent, f"nothing can be written there ({error.strerror})")
        return False
    return True


def usable(folder: Path, make: bool = False) -> bool:
    """Whether files in the folder are read and written. `make` it where it is missing."""
    reason = fault(folder)
    if reason is None and make and not folder.is_dir():
        try:
            _make(folder)
            reason = fault(folder)
        except OSError as error:
            reason = f"it cannot be made ({error.strerror})"
    if reason is not None:
        say(folder, reason)
    return reason is None


def fault(folder: Path) -> str | None:
    """Why nothing in a folder is read or written; one that is missing has no fault."""
    try:
        status = os.stat(folder)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return f"it cannot be reached ({getattr(error, 'strerror', error)})"
    return _others(status) if stat.S_ISDIR(status.st_mode) else "it is no folder"


def private(path: str, flags: int) -> int:
    """Open, for `open(opener=)`, a file that is for this user alone."""
    return os.open(path, flags, 0o600)


def entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """(time of last use, bytes, path) of the files of compiled code, and of those that were never finished."""
    with suppress(OSError, ValueError), os.scandir(folder) as found:
        for entry in found:
            with suppress(OSError):  # another process was quicker
                status = entry.stat(follow_symlinks=False)
                if ".nbc" in entry.name and stat.S_ISREG(status.st_mode):
                    yield status.st_mtime, status.st_size, Path(entry.path)


def _digest(path: Path, content: bytes) -> bytes:
    """Of the name, too: it is the key, and a file under another key would be another function."""
    digest = hashlib.sha256(os.fsencode(path.name) + b"\0")
    digest.update(content)
    return digest.digest()


def _others(status: os.stat_result) -> str | None:
    """What others than this user (and root, who may do anything) can do with a file or folder."""
    if os.name != "posix":
        return None
    if status.st_uid not in (os.geteuid(), 0):
        return "another user owns it"
    return "other users may write to it (chmod go-w ends that)" if status.st_mode & 0o022 else None


def _make(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone."""
    if not folder.parent.exists():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


_said: set[str] = set()  # folders


def say(folder: Path | None, reason: str) -> None:
    """Say once why code is compiled anew in every process: a warning; a line on stderr where warnings are errors."""
    if str(folder) in _said:
        return
    _said.add(str(folder))
    place = f", {folder}" if folder else ""
    text = (
        f"the cache of compiled code{place}: {reason}. What is not kept is compiled anew in every process. "
        "THALWEG_CACHE_DIR may name another folder"
    )
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    except RuntimeWarning:
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it
            print(f"thalweg: {text}", file=sys.stderr)
