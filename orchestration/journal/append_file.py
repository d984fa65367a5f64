"""A file that only grows: locked while it is open, on disk when `append` returns, and never left with half an entry."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


class AppendFile:
    """Held by one process at a time (where the system has `flock`) until it is closed or the process ends.

    Raises
    ------
    OSError
        If the file cannot be opened, read or written, naming it.
    RuntimeError
        If it is in use.
    """

    def __init__(self, path: Path):
        self.path = path
        with self._named():
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _lock(self.file, path)
            with self._named():
                self.size = os.fstat(self.file).st_size
        except BaseException:
            self.close()
            raise

    def read(self) -> bytes:
        with self._named():
            return self.path.read_bytes()

    def cut(self, size: int) -> None:
        with self._named():
            os.ftruncate(self.file, size)
        self.size = size

    def append(self, text: str) -> None:
        """All of it, on disk when this returns; if that fails, nothing of it."""
        left = memoryview(text.encode())
        size = self.size + len(left)
        with self._named():
            try:
                while left:
                    left = left[os.write(self.file, left) :]
                os.fsync(self.file)
            except BaseException:
                os.ftruncate(self.file, self.size)
                raise
        self.size = size

    def sync_folder(self) -> None:
        """The name of a new file is on disk when its folder is; some systems know no such thing."""
        with contextlib.suppress(OSError):
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def close(self) -> None:
        """Give the file free. May be called again."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """What the system says of an open file names no file."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, f"journal: {error.strerror}", str(self.path)) from None


def _lock(file: int, path: Path) -> None:
    """Until the file is closed, or the process ends. Where there are no such locks, none."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RuntimeError(f"journal: {path} is in use by another process, or by another call in this one") from None
    except (ImportError, OSError):
        pass
