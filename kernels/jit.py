"""How Numba compiles for thalweg: its options, the on-disk cache and the threading layer, all in one place.

Two decorators:
    kernel     strict IEEE arithmetic, GIL released. Every row function and every solver loop.
    relaxed    sums may be reordered (`RELAXED`), so that LLVM vectorises the loops of an objective.

Compiled code is kept on disk under a key made of *content*: the bytecode of the function, of everything it
references in any file, its constants and closure, the compile options, the CPU and the versions. A function typed
into a REPL is cached like any other, and no kernel whose helper was edited elsewhere can run stale.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import importlib.metadata
import os
import pickle
import sys
import tempfile
import threading
import types as python_types
import uuid
from contextlib import AbstractContextManager, nullcontext
from functools import cache, wraps
from pathlib import Path

# GNU OpenMP spins at barriers by default: one busy neighbour then makes every parallel region take 12 ms. It reads
# this when it is loaded, which is at the first parallel call.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import llvmlite
import numba
import numpy as np
from numba.core import config, types
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.extending import _Intrinsic

# Never `contract` (results would hang on whether the CPU has FMA) and never nnan or ninf (they delete NaN guards).
RELAXED = frozenset({"reassoc", "nsz", "arcp", "afn"})
# Only explicit pranges run in parallel: array expressions of 50 elements are 20 times slower as parallel regions.
PRANGE_ONLY = {"prange": True, "comprehension": False, "reduction": False, "inplace_binop": False,
               "setitem": False, "numpy": False, "stencil": False, "fusion": False}  # fmt: skip
CACHE_LIMIT = 512 * 2**20  # bytes; the least recently used files go first
VERSIONS = {
    "python": ".".join(map(str, sys.version_info[:3])),
    "numpy": np.__version__,
    "numba": numba.__version__,
    "llvmlite": llvmlite.__version__,
}


def kernel(function=None, *, parallel=False, flags=frozenset()):
    """Compile a function with the engine's options and the content-keyed cache.

    Parameters
    ----------
    function : callable
        What Numba can compile: scalars, flat arrays, loops.
    parallel : bool, default False
        Run the explicit `prange` loops of the function on several threads.
    flags : frozenset of str, default none
        LLVM's floating-point flags. Kernels take none, so that the same source gives the same bits wherever it is
        inlined.

    Examples
    --------
    >>> from thalweg.kernels.jit import kernel
    >>> @kernel
    ... def square(x):
    ...     return x * x
    >>> square(3.0)
    9.0
    """
    if function is None:
        return lambda f: kernel(f, parallel=parallel, flags=flags)
    dispatcher = numba.njit(
        nogil=True, error_model="numpy", fastmath=set(flags), parallel=PRANGE_ONLY if parallel else False
    )(function)
    dispatcher._cache = ContentCache(dispatcher)
    return dispatcher


def relaxed(function):
    """Compile an objective, or what it calls: as `kernel`, with sums that may be reordered."""
    return kernel(function, flags=RELAXED)


_once_lock = threading.RLock()


def once(make):
    """Cache by the arguments, as functools.cache, and never make a thing twice when two threads ask for it."""
    cached = cache(make)

    @wraps(make)
    def get(*args):
        with _once_lock:
            return cached(*args)

    return get


def compile_for(dispatcher, signature):
    """Compile `dispatcher` for one signature and no other, and return it."""
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


# --- the cache ---------------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """The folder of compiled code: `THALWEG_CACHE_DIR`, else the user's cache folder."""
    if chosen := os.environ.get("THALWEG_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "thalweg"


class ContentCache(_Cache):
    """Numba's cache interface over one file per (content, signature, CPU): `<name>-<digest>.nbc`."""

    hits = 0  # of this process, over all functions
    misses = 0

    def __init__(self, dispatcher):
        self._dispatcher = dispatcher
        self._name = dispatcher.py_func.__name__.strip("<>")
        self.options = _describe_options(dispatcher)  # now: Numba empties the dict of `parallel` when it compiles

    @property
    def cache_path(self):
        return str(cache_folder())

    def load_overload(self, sig, target_context):
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        try:
            payload = pickle.loads(path.read_bytes())
            result = CompileResult._rebuild(target_context, *payload)
        except FileNotFoundError:
            ContentCache.misses += 1
            return None
        except Exception:  # a torn or foreign file: compile anew and overwrite it
            ContentCache.misses += 1
            return None
        ContentCache.hits += 1
        _touch(path)
        return result

    def save_overload(self, sig, data):
        if any(not lifted.can_cache for lifted in data.lifted) or data.library.has_dynamic_globals:
            return
        try:
            _write_atomically(self._path(sig, data.codegen), dumps(CompileResultCacheImpl.reduce(None, data)))  # type: ignore[arg-type]
        except OSError:
            return  # a read-only or full disk costs the cache, never the run
        _bound_cache()

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        pass

    def _path(self, sig, codegen) -> Path:
        digest = hashlib.sha256()
        for part in (fingerprint(self._dispatcher), _signature_text(sig), codegen.magic_tuple(), VERSIONS, _settings()):
            digest.update(repr(part).encode())
        return cache_folder() / f"{self._name}-{digest.hexdigest()[:40]}.nbc"


def fingerprint(function) -> str:
    """A digest of all that decides what `function` compiles to: its own content and that of all it references."""
    return hashlib.sha256(_describe(function, {}, frozenset()).encode()).hexdigest()


def _describe(value, seen: dict, names: frozenset) -> str:
    """Text that is equal for equal content. `seen` ends cycles; `names`: attributes that a module is asked for."""
    if value is None or isinstance(value, bool | int | str | bytes | complex):
        return repr(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return f"{array.dtype.str}{array.shape}{array.flags.c_contiguous}{hashlib.sha256(array.tobytes()).hexdigest()}"
    if isinstance(value, tuple | list):
        return f"{type(value).__qualname__}({','.join(_describe(item, seen, names) for item in value)})"
    if isinstance(value, set | frozenset):
        return f"set({','.join(sorted(_describe(item, seen, names) for item in value))})"
    if isinstance(value, dict):
        return f"dict({','.join(_describe(k, seen, names) + ':' + _describe(v, seen, names) for k, v in value.items())})"
    if isinstance(value, types.Type | np.dtype):
        return str(value)
    if isinstance(value, type):
        return f"class {value.__module__}.{value.__qualname__}{getattr(value, '_fields', '')}"
    if isinstance(value, python_types.ModuleType):
        found = {n: getattr(value, n) for n in sorted(names) if hasattr(value, n)}
        if of_library(value.__name__):  # its version tells the rest; a stand-in for `math` holds kernels of ours
            found = {n: v for n, v in found.items() if isinstance(v, Dispatcher)}
        inside = ",".join(f"{n}={_describe(v, seen, names)}" for n, v in found.items())
        return f"module {value.__name__} {getattr(value, '__version__', '')}({inside})"
    return _describe_callable(value, seen)


def _describe_callable(value, seen: dict) -> str:
    if id(value) in seen:
        return f"seen {seen[id(value)]}"
    seen[id(value)] = len(seen)
    if isinstance(value, Dispatcher):
        options = value._cache.options if isinstance(value._cache, ContentCache) else _describe_options(value)
        return f"compiled{options}{_describe(value.py_func, seen, frozenset())}"
    if isinstance(value, _Intrinsic):
        return f"intrinsic{_describe(value._defn, seen, frozenset())}"
    if isinstance(value, python_types.FunctionType) and not of_library(value.__module__):
        return _describe_function(value, seen)
    if hasattr(value, "__qualname__") or isinstance(value, np.ufunc):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', repr(value))}"
    try:
        return hashlib.sha256(dumps(value)).hexdigest()
    except Exception:
        return uuid.uuid4().hex  # cannot be described: never found again, never wrong


def of_library(module_name: str | None) -> bool:
    """Whether a module's content is told by the versions in the key."""
    top = (module_name or "builtins").split(".")[0]
    return top in ("numpy", "numba", "llvmlite", "scipy") or (top in sys.stdlib_module_names and top != "__main__")


def _describe_options(dispatcher) -> str:
    return str(sorted((k, repr(_ordered(v))) for k, v in dispatcher.targetoptions.items()))


def _describe_function(function, seen: dict) -> str:
    names = names_in(function.__code__)
    outside = {n: function.__globals__[n] for n in sorted(names) if n in function.__globals__}
    cells = [_cell(c) for c in function.__closure__ or ()]
    parts = (
        _describe_code(function.__code__),
        _describe(function.__defaults__, seen, names),
        _describe(function.__kwdefaults__, seen, names),
        _describe(outside, seen, names),
        _describe(cells, seen, names),
    )
    return f"function {function.__name__}({'|'.join(parts)})"


def _describe_code(code) -> str:
    constants = [_describe_code(c) if hasattr(c, "co_code") else _describe(c, {}, frozenset()) for c in code.co_consts]
    shape = (code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags)
    words = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return f"{code.co_code.hex()}{shape}{words}{constants}"


def names_in(code) -> frozenset:
    """The global and attribute names that a code object and those nested in it use."""
    inner = (names_in(c) for c in code.co_consts if hasattr(c, "co_code"))
    return frozenset(code.co_names).union(*inner)


def _cell(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return "empty cell"


def _ordered(value):
    return sorted(value) if isinstance(value, set | frozenset) else value


def _signature_text(sig) -> str:
    """The argument types; a function passed as an argument counts with its content, not with its address."""
    arguments = getattr(sig, "args", sig)
    return repr([fingerprint(a.dispatcher) if isinstance(a, types.Dispatcher) else str(a) for a in arguments])


def _settings() -> tuple:
    return (str(config.OPT), config.BOUNDSCHECK, config.LOOP_VECTORIZE, config.SLP_VECTORIZE, config.DEBUGINFO_DEFAULT)


def _write_atomically(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _touch(path: Path) -> None:
    """Mark a file as used, so that what is in use is not what goes first."""
    try:
        os.utime(path)
    except OSError:
        pass


def _bound_cache(limit: int = CACHE_LIMIT) -> None:
    """Delete the least recently used files until the folder is below `limit` bytes."""
    files = []
    for path in cache_folder().glob("*.nbc*"):
        try:
            status = path.stat()
        except OSError:  # another process was quicker
            continue
        files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= size


# --- threads -----------------------------------------------------------------------------------------------------

_workqueue_lock = threading.RLock()


@once
def threading_layer() -> str:
    """Choose Numba's threading layer before the first parallel call: TBB if installed, else OpenMP, else workqueue."""
    _preload_tbb()
    for name, module in (("tbb", "tbbpool"), ("omp", "omppool"), ("workqueue", "workqueue")):
        if config.THREADING_LAYER in (name, "default", "safe", "threadsafe", "forksafe"):
            try:
                importlib.import_module(f"numba.np.ufunc.{module}")
            except ImportError:
                continue
            config.THREADING_LAYER = name
            return name
    return str(config.THREADING_LAYER)


def parallel_region() -> AbstractContextManager:
    """Hold this around a parallel call: workqueue aborts the process when two threads enter it at once."""
    return _workqueue_lock if threading_layer() == "workqueue" else nullcontext()


def _preload_tbb() -> None:
    """pip puts libtbb where Numba's extension does not look; once loaded by path, it is found."""
    try:
        files = importlib.metadata.distribution("tbb").files or []
    except importlib.metadata.PackageNotFoundError:
        return
    for file in files:
        if file.name in ("libtbb.so.12", "libtbb.12.dylib", "tbb12.dll"):
            try:
                ctypes.CDLL(str(Path(str(file.locate())).resolve()), mode=ctypes.RTLD_GLOBAL)
            except OSError:
                return
