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
import sysconfig
import tempfile
import threading
import types as python_types
import uuid
from contextlib import AbstractContextManager, nullcontext
from functools import cache, update_wrapper, wraps
from pathlib import Path
from typing import Any

# GNU OpenMP spins at barriers by default: one busy neighbour then makes every parallel region take 12 ms. It reads
# this when it is loaded, which is at the first parallel call.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import llvmlite
import numba
import numpy as np
from numba.core import config as _config
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.codegen import RuntimeLinker
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic
from numba.core.serialize import dumps
from numba.np.ufunc import threading_layer as numba_threading_layer
from numba.np.ufunc.dufunc import DUFunc

# Never `contract` (results would hang on whether the CPU has FMA) and never nnan or ninf (they delete NaN guards).
RELAXED = frozenset({"reassoc", "nsz", "arcp", "afn"})
# Only explicit pranges run in parallel: array expressions of 50 elements are 20 times slower as parallel regions.
PRANGE_ONLY = {"prange": True, "comprehension": False, "reduction": False, "inplace_binop": False,
               "setitem": False, "numpy": False, "stencil": False, "fusion": False}  # fmt: skip
CACHE_LIMIT = 512 * 2**20  # bytes; the least recently used files go first
config: Any = _config  # Numba fills it at import, out of a type checker's sight
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
VERSIONS = {  # of whatever compiled code is made from, beside its own source
    "cache": "2",  # to be raised when what is written to disk changes
    "python": ".".join(map(str, sys.version_info[:3])),
    "numpy": np.__version__,
    "numba": numba.__version__,
    "llvmlite": llvmlite.__version__,
    "scipy": importlib.metadata.version("scipy"),
}
_REDUCE: Any = CompileResultCacheImpl.reduce  # a method that does not look at itself


def kernel(function=None, *, parallel=False, flags=frozenset(), inner=False, inline=False, cached=True) -> Any:
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
    inner : bool, default False
        Only compiled code calls the function: no entry for Python is made, which saves a third of the time.
    cached : bool, default True
        Keep the compiled code on disk. What only an objective calls needs no file of its own: it is in its caller's.
    inline : bool, default False
        LLVM copies the function into every caller; see `inlined`.

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
        return lambda f: kernel(f, parallel=parallel, flags=flags, inner=inner, inline=inline, cached=cached)
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": set(flags),
        "parallel": dict(PRANGE_ONLY) if parallel else False,  # a copy: Numba empties it
        "no_cpython_wrapper": inner,
        "no_cfunc_wrapper": inner,
        "forceinline": inline,
    }
    dispatcher: Any = numba.njit(**options)(_copy(function))
    dispatcher._cache = ContentCache(dispatcher, cached)
    return dispatcher


def relaxed(function) -> Any:
    """Compile an objective, or what it calls: as `kernel`, with sums that may be reordered."""
    return kernel(function, flags=RELAXED)


def inlined(function) -> Any:
    """A kernel that LLVM copies into every caller.

    For what is called per row or per element: a loop with a call in it is not vectorised, and a state of 19 arrays is
    a call with more than a hundred machine arguments, which cost more than the row (measured: 187 to 50 ns).
    """
    return kernel(function, inline=True)


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
    """Numba's cache interface over one file per (content, signature, CPU): `<name>-<digest>.nbc`.

    It also gives the machine code a name made of its content. Numba numbers its symbols in the order of compilation:
    two functions of one name, compiled in two processes, could have one symbol, and a third process that loads both
    from the disk would call one of them for the other, without a word.
    """

    hits = 0  # of this process, over all functions
    misses = 0
    unbounded = CACHE_LIMIT  # bytes written since the folder was last bounded; the first file counts as too many

    def __init__(self, dispatcher, on_disk: bool = True):
        self._dispatcher, self._on_disk = dispatcher, on_disk
        self._paths: dict[Any, Path] = {}
        self._name, self._qualname = dispatcher.py_func.__name__.strip("<>"), dispatcher.py_func.__qualname__
        self.options = _describe_options(dispatcher)  # now: Numba empties the dict of `parallel` when it compiles

    @property
    def cache_path(self):  # pyright: ignore[reportIncompatibleMethodOverride]  (the base class returns None)
        return str(cache_folder())

    def load_overload(self, sig, target_context):  # pyright: ignore[reportIncompatibleMethodOverride]
        target_context.refresh()
        content = fingerprint(self._dispatcher)
        self._dispatcher.py_func.__qualname__ = f"{content[:20]}.{self._qualname}"
        if not self._on_disk:
            return None
        path = self._paths[sig] = self._path(content, sig, target_context.codegen())
        try:
            payload = pickle.loads(path.read_bytes())
            result = CompileResult._rebuild(target_context, *payload)
        except Exception:  # there is none, or it is torn or not to be read: compile anew
            ContentCache.misses += 1
            return None
        ContentCache.hits += 1
        _touch(path)
        return result

    def save_overload(self, sig, data):
        if not self._on_disk or data.lifted or data.library.has_dynamic_globals or self._waits(data.library):
            return
        if any(_holds_function(ty) for ty in data.signature.args):
            return  # read from the disk, it would be another function, and be read again at every call
        try:
            content = dumps(_REDUCE(None, data))
            _write_atomically(self._paths[sig], content)
        except Exception:
            return  # a read-only or full disk, or what cannot be pickled, costs the cache, never the run
        ContentCache.unbounded += len(content)
        if ContentCache.unbounded > CACHE_LIMIT // 32:
            ContentCache.unbounded = 0
            _bound_cache()

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
        used += [_cell(cell) for cell in function.__closure__ or ()]
        unresolved = (v.name for v in library._final_module.global_variables)
        return any(value is self._dispatcher for value in used) or any(
            name.startswith(RuntimeLinker.PREFIX) for name in unresolved
        )

    def _path(self, content: str, sig, codegen) -> Path:
        digest = hashlib.sha256()
        for part in (content, _signature_text(sig), codegen.magic_tuple(), VERSIONS, _settings()):
            digest.update(repr(part).encode())
        return cache_folder() / f"{self._name}-{digest.hexdigest()[:40]}.nbc"


def _copy(function):
    """The function for the compiler, which may be given another name."""
    copy = python_types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    update_wrapper(copy, function)
    copy.__module__ = function.__module__ or "__main__"  # `exec` may give none
    return copy


def fingerprint(function) -> str:
    """A digest of all that decides what `function` compiles to: its own content and that of all it references.

    What a user registers with Numba from outside the function (`numba.extending.overload`) is not seen.
    """
    return hashlib.sha256(_describe(function, {}, frozenset()).encode()).hexdigest()


def _describe(value, seen: dict, names: frozenset) -> str:
    """Text that is equal for equal content. `seen`: what was described before, kept alive so that its id stays its own.

    `names`: the attributes that a module is asked for.
    """
    if value is None or isinstance(value, bool | int | str | bytes | complex):
        return repr(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.hasobject:
            return f"objects{array.shape}{_describe(array.ravel().tolist(), seen, names)}"
        return f"{array.dtype.str}{array.shape}{array.flags.c_contiguous}{hashlib.sha256(array.tobytes()).hexdigest()}"
    if isinstance(value, tuple | list):
        return f"{type(value).__qualname__}({','.join(_describe(item, seen, names) for item in value)})"
    if isinstance(value, set | frozenset):
        return f"set({','.join(sorted(_describe(item, seen, names) for item in value))})"
    if isinstance(value, dict):
        return (
            f"dict({','.join(_describe(k, seen, names) + ':' + _describe(v, seen, names) for k, v in value.items())})"
        )
    if isinstance(value, types.Type):
        return type_text(value)
    if isinstance(value, np.dtype):
        return str(value)
    if isinstance(value, type) and not hasattr(value, "class_type"):  # which jitclasses have
        constants = getattr(value, "_fields", None) or dict(getattr(value, "__members__", {}))  # named tuple, enum
        return f"class {value.__module__}.{value.__qualname__}{constants}"
    if isinstance(value, python_types.ModuleType):
        if (id(value), names) in seen:
            return f"seen {value.__name__}"
        seen[id(value), names] = value
        if of_library(value.__name__):  # its version tells the rest; a stand-in for `math` holds kernels of ours
            inside = vars(value)
            found = {n: inside[n] for n in sorted(names) if isinstance(inside.get(n), Dispatcher | DUFunc)}
        else:
            found = {n: getattr(value, n) for n in sorted(names) if hasattr(value, n)}
        version = vars(value).get("__version__", "")
        return f"module {value.__name__} {version}({_describe(found, seen, names)})"
    return _describe_callable(value, seen)


def _describe_callable(value: Any, seen: dict) -> str:
    if id(value) in seen:
        return f"seen {seen[id(value)][0]}"
    seen[id(value)] = len(seen), value
    if isinstance(value, DUFunc):
        value = value._dispatcher  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, Dispatcher):
        options = getattr(value._cache, "options", None) or _describe_options(value)  # pyright: ignore[reportAttributeAccessIssue]
        return f"compiled{options}{_describe(value.py_func, seen, frozenset())}"
    if isinstance(value, _Intrinsic):
        return f"intrinsic{_describe(value._defn, seen, frozenset())}"
    if isinstance(value, python_types.FunctionType) and not library_function(value):
        return _describe_function(value, seen)
    if of_library(getattr(value, "__module__", None)) and (
        hasattr(value, "__qualname__") or isinstance(value, np.ufunc)
    ):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', repr(value))}"
    try:
        return hashlib.sha256(dumps(value)).hexdigest()
    except Exception:  # cannot be described: this process knows it by identity, no other finds it
        return _opaque.setdefault(id(value), (value, uuid.uuid4().hex))[1]


_opaque: dict[int, tuple] = {}  # keeps the objects, so that an id is never another one's


def of_library(module_name: str | None) -> bool:
    """Whether a module's content is told by the versions in the key."""
    top = (module_name or "builtins").split(".")[0]
    if top in VERSIONS:
        return True
    if top not in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(top), "__file__", None)  # a user's own queue.py is not the standard library's
    return top != "__main__" and (file is None or file.startswith(STANDARD_LIBRARY))


def library_function(function) -> bool:
    """Whether a Python function is a library's own; one made by `exec` may only have the name of its module."""
    module = sys.modules.get(function.__module__ or "")
    return module is not None and vars(module) is function.__globals__ and of_library(function.__module__)


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
    return f"{code.co_code.hex()}{code.co_exceptiontable.hex()}{shape}{words}{constants}"


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
    if isinstance(value, dict):
        return sorted(value.items())
    return sorted(value) if isinstance(value, set | frozenset) else value


def _signature_text(sig) -> str:
    return ",".join(type_text(argument) for argument in getattr(sig, "args", sig))


def type_text(ty: Any) -> str:
    """A type of Numba as text that tells it from all others: functions by content, named tuples with their fields."""
    if isinstance(ty, types.Dispatcher):
        return fingerprint(ty.dispatcher)
    if isinstance(ty, types.BaseTuple):
        fields = f"{ty.instance_class.__qualname__}{ty.fields}" if isinstance(ty, types.BaseNamedTuple) else ""  # pyright: ignore[reportAttributeAccessIssue]
        return f"{fields}({','.join(type_text(member) for member in ty.types)})"  # pyright: ignore[reportAttributeAccessIssue]
    return str(ty)


def _holds_function(ty: Any) -> bool:
    if isinstance(ty, types.BaseTuple):
        return any(_holds_function(member) for member in ty.types)  # pyright: ignore[reportAttributeAccessIssue]
    return isinstance(ty, types.Dispatcher)


def _settings() -> tuple:
    names = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")
    return tuple(str(getattr(config, name)) for name in names)


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


LAYERS = {  # Numba's name: its module, and the wishes (NUMBA_THREADING_LAYER) that it fulfils
    "tbb": ("tbbpool", ("tbb", "default", "safe", "threadsafe", "forksafe")),
    "omp": ("omppool", ("omp", "default", "threadsafe")),
    "workqueue": ("workqueue", ("workqueue", "default", "forksafe")),
}


@once
def threading_layer() -> str:
    """Choose Numba's threading layer before the first parallel call: TBB if installed, else OpenMP, else workqueue."""
    try:
        return numba_threading_layer()  # the program ran something in parallel before: nothing is left to choose
    except ValueError:
        pass
    wish = config.THREADING_LAYER
    if wish in LAYERS["tbb"][1]:
        _preload_tbb()
    for name, (module, wishes) in LAYERS.items():
        if wish in wishes:
            try:
                importlib.import_module(f"numba.np.ufunc.{module}")
            except ImportError:
                continue
            config.THREADING_LAYER = name
            return name
    return wish  # there is no such layer here; Numba says so at the first parallel call


def available_threads() -> int:
    """Cores this process may use, as Numba counts them."""
    return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


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
