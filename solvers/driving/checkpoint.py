"""A run on disk: the states of the runs that go on, the records of those that are done, and what they belong to."""

from __future__ import annotations

import dataclasses
import os
import time
import warnings
from pathlib import Path

import numpy as np

from ...kernels.compile.structures import leaves
from .call import Call
from .checkpoint_file import Damaged, read_file, read_seed, write_file
from .resuming import Content, take_up
from .session import Session

EVERY = 1.0  # seconds between writes


def as_path(path) -> Path:
    """The path of a checkpoint, in a folder that exists: the end of a long run is no time to find out."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"checkpoint: got {type(path).__name__}, expected a path")
    try:
        path = Path(path)
        exists, in_folder = path.exists(), path.resolve().parent.is_dir()
    except (OSError, ValueError, TypeError) as error:  # a NUL in it, a name too long, a path of bytes
        raise ValueError(f"checkpoint: got {path!r:.100}, expected the path of a file ({error})") from None
    if exists and not path.is_file():  # a pipe would be waited for
        raise ValueError(f"checkpoint: got {path}, expected the path of a file, or of one that is not there yet")
    if not in_folder:
        raise ValueError(f"checkpoint: got {path}, expected a path in a folder that exists")
    if not exists and not os.access(path.resolve().parent, os.W_OK):
        raise ValueError(f"checkpoint: got {path}, expected a path in a folder that may be written to")
    return path


def saved_seed(path) -> int | None:
    """The seed of the run that a checkpoint holds; None where there is none to be read."""
    return read_seed(as_path(path))


class Checkpoint:
    """Written atomically, at most once a second and at the end; read if it exists and belongs to the same call.

    What cannot be written costs the checkpoint, never the run: a RuntimeWarning names the file and the reason.

    Parameters
    ----------
    path : path
    header : dict
        All that decides the bits of the runs, as JSON.
    call : Call
        Its limits may be wider than those that the file was written with (`resuming.py`).
    runs : int, optional
        How many there are; None: no end.
    """

    def __init__(self, path, header: dict, call: Call, runs: int | None = None):
        self.path, self.call, self.runs = as_path(path), call, runs
        self.header = {**header, "limits": dataclasses.asdict(call.limits)}
        self.written = time.perf_counter()
        self.warned = False

    def load(self) -> Content:
        """What is in the file; empty where there is none.

        Raises
        ------
        ValueError
            If the file is torn, edited, no checkpoint, or belongs to another problem, method, seed, budget or version.
        """
        if not self.path.exists():
            return Content.empty(self.call)
        try:
            header, arrays = read_file(self.path)
            for name, value in self.header.items():
                if name != "limits" and header.get(name) != value:
                    raise Damaged(
                        f"belongs to another run: its {name} is {header.get(name)!r:.100}, here it is {value!r:.100}. "
                        "Give another path"
                    )
            return take_up(self.call, header.get("limits"), arrays, self.runs)
        except Damaged as error:
            raise ValueError(f"checkpoint: {self.path} {error}; delete it to begin anew") from None

    def __call__(self, session: Session) -> None:
        """As a hook of a session: write if it is time."""
        if self.due():
            self.save(session)

    def due(self) -> bool:
        return time.perf_counter() - self.written >= EVERY

    def save(self, session: Session, last: bool = False) -> None:
        with session.lock:
            snapshots, rows = dict(session.snapshots), session.records.all()
        self.write(Content(rows[~np.isin(rows["run"], list(snapshots))], snapshots, session.histories), last)

    def write(self, content: Content, last: bool = False) -> None:
        """`last`: nothing is written after this, so that what went wrong is said once more."""
        try:
            write_file(self.path, self.header, _arrays(content))
        except Exception as error:  # a full disk, a folder that is gone, no memory for a copy
            if last or not self.warned:
                self.warned = True
                warnings.warn(
                    f"checkpoint: {self.path} cannot be written ({error}); "
                    + ("the result is not lost, but it is not in the file" if last else "the run goes on without"),
                    RuntimeWarning,
                    stacklevel=2,
                )
        self.written = time.perf_counter()


def _arrays(content: Content) -> dict[str, np.ndarray]:
    arrays = {
        "records": content.records,
        "active": np.array(list(content.states), dtype=np.int64),
        "seconds": np.array([seconds for _, seconds in content.states.values()], dtype=np.float64),
    }
    arrays |= {f"history.{index}": history for index, history in content.histories.items()}
    for index, (state, _) in content.states.items():
        arrays |= {f"{index}.{name}": array for name, array in leaves(state)}
    return arrays
