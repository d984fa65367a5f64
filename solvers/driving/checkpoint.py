"""A run on disk: the states of the runs that go on, the records of those that are done, and what they belong to."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from ...kernels.compile.structures import leaves, rebuilt, stored
from .session import Session

FORMAT = 3  # to be raised when states or records change
EVERY = 1.0  # seconds between writes


def as_path(path) -> Path:
    """The path of a checkpoint, in a folder that exists: the end of a long run is no time to find out."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"checkpoint: got {type(path).__name__}, expected a path")
    if not Path(path).resolve().parent.is_dir():
        raise ValueError(f"checkpoint: got {path}, expected a path in a folder that exists")
    return Path(path)


def saved_seed(path) -> int | None:
    """The seed of the run that a checkpoint holds; None where there is none to be read."""
    path = as_path(path)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return int(json.loads(str(file["header"]))["seed"])
    except Exception:  # none, or torn, which `load` says
        return None


class Checkpoint:
    """Written atomically, at most once a second and at the end; read if it exists and belongs to the same problem."""

    def __init__(self, path, header: dict):
        self.path, self.header = as_path(path), {"format": FORMAT, **header}
        self.written = time.perf_counter()

    def load(self, State: type, dtype: np.dtype) -> tuple[np.ndarray, dict, dict]:
        """(records of finished runs, states by run number, histories by run number); empty where there is no file.

        Raises
        ------
        ValueError
            If the file is torn, is no checkpoint, or belongs to another problem, method, seed, budget or version.
        """
        if not self.path.exists():
            return np.zeros(0, dtype), {}, {}
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
            header = json.loads(str(content["header"]))
        except Exception as error:  # whatever a torn zip file makes its reader stumble upon
            raise ValueError(
                f"checkpoint: {self.path} is torn or no checkpoint ({error}); delete it to begin anew"
            ) from None
        if header.get("format") != FORMAT:
            raise ValueError(
                f"checkpoint: {self.path} was written by another version of thalweg (format {header.get('format')}, "
                f"this one writes {FORMAT}); finish it with that version, or delete it to begin anew"
            )
        for name, value in self.header.items():
            if header.get(name) != value:
                raise ValueError(
                    f"checkpoint: {self.path} belongs to another run: its {name} is {header.get(name)!r}, "
                    f"here it is {value!r}. Give another path, or delete it to begin anew"
                )
        states = {}
        for index, seconds in zip(content["active"], content["seconds"], strict=True):
            own = f"{index}."
            state = rebuilt(State, lambda name, kind, own=own: stored(content[own + name], kind))
            states[int(index)] = (state, float(seconds))
        histories = {int(name.split(".")[1]): content[name] for name in content if name.startswith("history.")}
        return content["records"].astype(dtype), states, histories

    def __call__(self, session: Session) -> None:
        """As a hook of a session: write if it is time."""
        if self.due():
            self.save(session)

    def due(self) -> bool:
        return time.perf_counter() - self.written >= EVERY

    def save(self, session: Session) -> None:
        with session.lock:
            snapshots, rows = dict(session.snapshots), session.records.all()
        self.write(rows[~np.isin(rows["run"], list(snapshots))], snapshots, session.histories)

    def write(self, records: np.ndarray, states: dict[int, tuple], histories: dict[int, np.ndarray]) -> None:
        """What `load` returns; `states` by run number: (state, seconds)."""
        content = {
            "header": np.array(json.dumps(self.header)),
            "records": records,
            "active": np.array(list(states), dtype=np.int64),
            "seconds": np.array([seconds for _, seconds in states.values()]),
        }
        for index, history in histories.items():
            content[f"history.{index}"] = history
        for index, (state, _) in states.items():
            content.update({f"{index}.{name}": array for name, array in leaves(state)})
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **content)  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self.written = time.perf_counter()
