"""Compiled code on disk, one file per content, signature and CPU: nothing is compiled twice, and nothing runs stale.

Numba's own cache does not see an edited helper in another file, and takes neither closures nor what is typed into a
REPL. Here the key is the content of the function and of all it reaches (fingerprint.py), the compile options, the CPU
and the versions.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core import config as _config
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.codegen import RuntimeLinker
from numba.core.compiler import CompileResult
from numba.core.environment import Environment, lookup_environment
from numba.core.serialize import dumps

from . import files, waiting
from .fingerprint import VERSIONS, cell_content, describe_options, fingerprint, signature_text

LIMIT = 512 * 2**20  # bytes; the least recently used files go first
NOTES = "thalweg_"  # what the names of our notes in a result's metadata begin with: they are kept with the code
config: Any = _config  # Numba fills it at import, out of a type checker's sight
_REDUCE: Any = CompileResultCacheImpl.reduce  # a method that does not look at itself


def folder() -> Path | None:
    """The folder of compiled code: `THALWEG_CACHE_DIR`, else the user's cache folder; None for who has no home."""
    if chosen := os.environ.get("THALWEG_CACHE_DIR"):
        return Path(chosen)
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return base / "thalweg"


class ContentCache(_Cache):
    """Numba's cache interface over one file per (content, signature, CPU): `<name>-<digest>.nbc`.

    It also gives the machine code a name made of its content. Numba numbers its symbols in the order of compilation:
    two functions of one name, compiled in two processes, could have one symbol, and a third process that loads both
    from the disk would call one of them for the other, without a word.
    """

    hits = 0  # of this process, over all functions
    misses = 0
    unbounded = LIMIT  # bytes written since the folder was last bounded; the first file counts as too many

    def __init__(self, dispatcher, on_disk: bool = True):
        self._dispatcher, self._on_disk = dispatcher, on_disk
        self._paths: dict[Any, Path | None] = {}
        self._name, self._qualname = dispatcher.py_func.__name__.strip("<>"), dispatcher.py_func.__qualname__
        self.options = describe_options(dispatcher)  # now: Numba empties the dict of `parallel` when it compiles

    @property
    def cache_path(self):  # pyright: ignore[reportIncompatibleMethodOverride]  (the base class returns None)
        return str(folder() or "")

    def load_overload(self, sig, target_context):  # pyright: ignore[reportIncompatibleMethodOverride]
        target_context.refresh()
        content = fingerprint(self._dispatcher)
        self._dispatcher.py_func.__qualname__ = f"{content[:20]}.{self._qualname}"
        if not self._on_disk:
            return None
        path = self._paths[sig] = self._path(content, sig, target_context.codegen())
        stored = None if path is None else files.read(path)
        try:
            result = None if stored is None else _rebuild(target_context, stored)
        except Exception:  # whole, and no use to this process
            result = None
        if path is None or result is None:
            ContentCache.misses += 1
            waiting.announce(path)
            return None
        ContentCache.hits += 1
        touch(path)
        return result

    def save_overload(self, sig, data):
        path = self._paths.get(sig)
        if path is None or data.lifted or data.library.has_dynamic_globals or self._waits(data.library):
            return
        if any(_holds_function(ty) for ty in data.signature.args):
            return  # read from the disk, it would be another function, and be read again at every call
        try:
            notes = {name: note for name, note in (data.metadata or {}).items() if name.startswith(NOTES)}
            content = dumps((_REDUCE(None, data), notes))
        except Exception:
            return  # what cannot be pickled costs the cache, never the run
        if files.write(path, content):
            ContentCache.unbounded += len(content)
        if ContentCache.unbounded > LIMIT // 32:
            ContentCache.unbounded = 0
            bound_folder()

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        pass

    def _waits(self, library) -> bool:
        """Whether the code has references that Numba fills at run time, as functions have that call themselves.

        Numba does not fill them in code that comes from the disk: it would crash the process.
        """
        function = self._dispatcher.py_func
        used = [function.__globals__.get(name) for name in function.__code__.co_names]
        used += [cell_content(cell) for cell in function.__closure__ or ()]
        unresolved = (v.name for v in library._final_module.global_variables)
        return any(value is self._dispatcher for value in used) or any(
            name.startswith(RuntimeLinker.PREFIX) for name in unresolved
        )

    def _path(self, content: str, sig, codegen) -> Path | None:
        place, digest = folder(), hashlib.sha256()
        if place is None:
            files.say(None, "this user has no home folder")
            return None
        for part in (content, signature_text(sig), codegen.magic_tuple(), VERSIONS, _settings()):
            digest.update(repr(part).encode())
        return place / f"{self._name}-{digest.hexdigest()[:40]}.nbc"


class _Loader(pickle.Unpickler):
    """Loads what was compiled without the module that it was first compiled for.

    Numba imports that module, for globals that machine code does not read: a script of which this one is a copy would
    run, and where it is gone, nothing would be loaded.
    """

    def find_class(self, module, name):
        if (module, name) == ("numba.core.environment", "_rebuild_env"):
            return _environment
        return super().find_class(module, name)


def _environment(module: str, constants: list, name: str) -> Environment:
    found: Any = lookup_environment(name)
    if found is None:
        found = Environment({"__name__": module})
        found.consts[:], found.env_name = constants, name
        Environment._memo[name] = found
    return found


def _rebuild(target_context, stored: bytes) -> CompileResult:
    payload, notes = _Loader(io.BytesIO(stored)).load()
    payload[1].modname = "<dynamic>"  # the same, for the descriptor: Numba takes an empty module
    return CompileResult._rebuild(target_context, *payload)._replace(metadata=notes)


def _holds_function(ty: Any) -> bool:
    if isinstance(ty, types.BaseTuple):
        return any(_holds_function(member) for member in ty.types)  # pyright: ignore[reportAttributeAccessIssue]
    return isinstance(ty, types.Dispatcher)


def _settings() -> tuple:
    names = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")
    return tuple(str(getattr(config, name)) for name in names)


def touch(path: Path) -> None:
    """Mark a file as used, so that what is in use is not what goes first."""
    with suppress(OSError):
        os.utime(path)


def stored() -> list[tuple[float, int, Path]]:
    """(time of last use, bytes, path) of the files in the folder, the least recently used first."""
    place = folder()
    return [] if place is None else sorted(files.entries(place))


def bound_folder(limit: int = LIMIT) -> None:
    """Delete the least recently used files until the folder is below `limit` bytes."""
    found = stored()
    total = sum(size for _, size, _ in found)
    for _, size, path in found:
        if total <= limit:
            return
        with suppress(OSError):
            path.unlink(missing_ok=True)
        total -= size
