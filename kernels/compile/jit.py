"""How Numba compiles for thalweg: its options and its threading layer, in one place.

    kernel     strict IEEE arithmetic, GIL released: every solver loop
    part       the same, for what only other kernels call
    inlined    a part that LLVM copies into its callers: row functions
    compact    a part that it never copies, and optimises for size: what is seldom called, or on small matrices only
    relaxed    sums may be reordered, so that LLVM vectorises the loops of an objective

What is compiled is kept on disk (cache.py).
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import types as python_types
from contextlib import AbstractContextManager, nullcontext
from functools import cache, update_wrapper, wraps
from pathlib import Path
from typing import Any

# GNU OpenMP spins at barriers by default: one busy neighbour then makes every parallel region take 12 ms. It reads
# this when it is loaded, which is at the first parallel call.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.np.ufunc import threading_layer as numba_threading_layer

from . import forking
from .cache import ContentCache, config
from .call_types import found_once
from .freeing import give_back, seldom_collected
from .interruption import between_steps
from .lifetimes import waiting_lifetimes
from .parts import ApartCompiler, PartCompiler

give_back()

# Never `contract` (results would hang on whether the CPU has FMA) and never nnan or ninf (they delete NaN guards).
RELAXED = frozenset({"reassoc", "nsz", "arcp", "afn"})
# Only explicit pranges run in parallel: array expressions of 50 elements are 20 times slower as parallel regions.
PRANGE_ONLY = {"prange": True, "comprehension": False, "reduction": False, "inplace_binop": False,
               "setitem": False, "numpy": False, "stencil": False, "fusion": False}  # fmt: skip


def kernel(
    function=None, *, parallel=False, flags=frozenset(), inner=False, inline=False, cached=True, compiler=None,
    boundscheck=False,
) -> Any:  # fmt: skip
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
        Compiled code calls the function: no entry for Python is made, which saves a third of the time. Called from
        Python all the same, it is compiled once more, with an entry.
    cached : bool, default True
        Keep the compiled code on disk. What only an objective calls needs no file of its own: it is in its caller's.
    compiler : subclass of numba.core.compiler.CompilerBase, optional
        Default: Numba's own, or `PartCompiler` for what is neither called from Python nor kept on disk.
    boundscheck : bool, default False
        An index outside its array raises IndexError; for objectives of which that is not excluded (indices.py).
    inline : bool, default False
        LLVM copies the function into every caller; see `inlined`.

    Examples
    --------
    >>> from thalweg.kernels.compile.jit import kernel
    >>> @kernel
    ... def square(x):
    ...     return x * x
    >>> square(3.0)
    9.0
    """
    if function is None:
        return lambda f: kernel(
            f, parallel=parallel, flags=flags, inner=inner, inline=inline, cached=cached, compiler=compiler,
            boundscheck=boundscheck,
        )  # fmt: skip
    require_compiler()
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": set(flags),
        "parallel": dict(PRANGE_ONLY) if parallel else False,  # a copy: Numba empties it
        "no_cpython_wrapper": inner,
        "no_cfunc_wrapper": inner,
        "forceinline": inline,
    }
    if inner and not cached and compiler in (None, ApartCompiler):
        compiler = compiler or PartCompiler
        options["_nrt"] = False  # it allocates nothing: no references are counted, a seventh of the time to compile
    if boundscheck:
        options["boundscheck"] = True
    if compiler is not None:
        options["pipeline_class"] = compiler
    dispatcher: Any = numba.njit(**options)(_copy(function))
    # A parallel kernel from the disk in a caller that is compiled anew crashes the next process: it has no file.
    dispatcher._cache = ContentCache(dispatcher, cached and not (parallel and inner))
    own = compiler in (PartCompiler, ApartCompiler)  # a user's function may want to know a constant
    dispatcher.__class__ = Part if own else InnerKernel if inner else Kernel
    return dispatcher


def require_compiler() -> None:
    """An error in one sentence where Numba is switched off: its own functions, which solvers need, are then, too."""
    if config.DISABLE_JIT:
        raise RuntimeError(
            "NUMBA_DISABLE_JIT is set, and thalweg's solvers only run compiled: unset it, and to debug an objective in "
            "Python write thalweg.objective(f, compiled=False)"
        )


class Kernel(CPUDispatcher):
    """What `kernel` makes."""

    def compile(self, sig):
        with between_steps(), global_compiler_lock, seldom_collected(), found_once(), waiting_lifetimes():
            return super().compile(sig)


class InnerKernel(Kernel):
    """What `kernel(inner=True)` makes."""

    def __call__(self, *args):  # pyright: ignore[reportIncompatibleMethodOverride]
        return with_entry(self)(*args)


class Part(InnerKernel):
    """What `kernel(inner=True, cached=False)` makes."""

    def get_call_template(self, args: tuple, kws: dict) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A constant is an argument like others: a part is compiled once, not for each number that it is given."""
        given = {name: types.unliteral(argument) for name, argument in kws.items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), given)


@cache
def with_entry(inner: InnerKernel) -> Any:
    """A kernel of the same source that Python may call."""
    return kernel(inner.py_func, flags=inner.targetoptions["fastmath"])


def part(function) -> Any:
    """A kernel that other kernels call: compiled into them, without a file or machine code of its own (parts.py)."""
    return kernel(function, inner=True, cached=False)


def relaxed(function) -> Any:
    """Compile an objective, or what it calls: as `kernel`, with sums that may be reordered."""
    return kernel(function, flags=RELAXED)


def inlined(function) -> Any:
    """A kernel that LLVM copies into every caller.

    For what is called per row or per element: a loop with a call in it is not vectorised, and a state of 19 arrays is
    a call with more than a hundred machine arguments, which cost more than the row (measured: 187 to 50 ns).
    """
    return kernel(function, inner=True, inline=True, cached=False)


def compact(function) -> Any:
    """A part that LLVM never copies into a caller, and optimises once, for size; its loops are not vectorised.

    For what is seldom called, or whose loops are over small matrices: the steps of l_bfgs_b in a box (measured: the
    solver compiles in two thirds of the time).
    """
    return kernel(function, inner=True, cached=False, compiler=ApartCompiler)


_once_lock = forking.lock()


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


def _copy(function):
    """The function for the compiler, which may be given another name."""
    copy = python_types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    update_wrapper(copy, function)
    copy.__module__ = function.__module__ or "__main__"  # `exec` may give none
    return copy


# --- threads -----------------------------------------------------------------------------------------------------

_workqueue_lock = forking.lock()


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
