"""The file of a checkpoint: a header of JSON and arrays by name, in NumPy's npz, with a digest of all of it.

The digest is looked at before anything else is: arrays are handed to compiled code by address, and what they hold leads
it to other rows. It tells of disks, of copies cut short and of edits; it is no seal against whoever computes it anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

FORMAT = 5  # to be raised when states or records change
HEADER, DIGEST = "header", "digest"


class Damaged(ValueError):
    """The file is no checkpoint, or not as it was written."""


def write_file(path: Path, header: dict, arrays: dict[str, np.ndarray]) -> None:
    """Atomically: afterwards the file is the new one or, after an error, the old one."""
    content = {HEADER: np.array(json.dumps({"format": FORMAT, **header})), **arrays}
    content[DIGEST] = np.array(digest(content))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **content)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_file(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """(header, arrays).

    Raises
    ------
    Damaged
        What is wrong, without the name of the file.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            _refuse_more_than_the_file_holds(file.zip, path)
            content = {name: file[name] for name in file.files}
        header = json.loads(str(content[HEADER]))
    except Exception as error:  # whatever a torn zip file makes its reader stumble upon
        raise Damaged(f"is torn or no checkpoint ({error or type(error).__name__})") from None
    if not isinstance(header, dict):
        raise Damaged("is no checkpoint: its header is no object of JSON")
    if header.get("format") != FORMAT:
        raise Damaged(
            f"was written by another version of thalweg (format {header.get('format')!r:.20}, this one writes {FORMAT}"
            "); finish it with that version"
        )
    if str(content.pop(DIGEST, "")) != digest(content):
        raise Damaged("is damaged or was edited: its digest is that of another content")
    del content[HEADER]
    return header, content


def read_seed(path: Path) -> int | None:
    """The seed in the header alone; None where there is none to be read."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            _refuse_more_than_the_file_holds(file.zip, path)
            seed = json.loads(str(file[HEADER]))["seed"]
    except Exception:  # no file, or torn, which `read_file` says
        return None
    return seed if type(seed) is int and 0 <= seed < 2**64 else None


def digest(content: dict[str, np.ndarray]) -> str:
    """Of names, types, shapes and bytes."""
    found = hashlib.sha256()
    for name in sorted(content):
        array = np.ascontiguousarray(content[name])
        found.update(f"{name} {np.lib.format.dtype_to_descr(array.dtype)} {content[name].shape}".encode())
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def _refuse_more_than_the_file_holds(archive: zipfile.ZipFile, path: Path) -> None:
    """We compress nothing: what claims to unfold to more is not ours, and may be more than the memory."""
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is compressed")
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise ValueError("it claims to hold more than its size")
