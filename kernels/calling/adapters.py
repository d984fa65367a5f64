"""Adapters: one machine code of a given form, like `double f(double x[D], address of the arguments)`, per function.

The forms are those of asking.py; `WAYS` says what is made of what the function returns. An adapter unpacks the
arguments (arguments.py) and calls the user's function, in which `math.cos` and its kin have been replaced by the
engine's vectorisable ones (substitution.py, elementary.py). Content decides: an edited global is never stale, and two
equal functions share their code.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from numba.core import types
from numba.core.registry import cpu_target

from ..compile import forking
from ..compile.carried_types import filled
from ..compile.flat import AdapterCompiler, FunctionCompiler, RecursiveCompiler, fill_environments
from ..compile.jit import RELAXED, compile_for, kernel, require_compiler
from ..compile.library_functions import anew_if_not_found
from ..compile.substitution import calls_itself, rebuild
from ..numbers import elementary
from .arguments import call_c, call_python, call_python_into, contiguous, load
from .asking import FORMS
from .checking import CompilationError, explain, refuse_try
from .protecting import protected, protected_vector
from .random_calls import warn_of_random_calls
from .results import number, store

ADAPTER = FORMS["value"]
COMPLEX = types.Array(types.complex128, 1, "C")
SINGLE, PAIR = types.UniTuple(types.intp, 1), types.UniTuple(types.intp, 2)

_adapters: dict[Any, Any] = {}  # of objectives
_engine: dict[Any, Any] = {}  # what serves all objectives; never let go, as it cannot be compiled twice
_lock = forking.lock()
KEPT = 500  # adapters; what was not used for longest goes first, and comes back from the disk with the same bits


def once(key, make):
    """A piece of the engine: `make()`, once per process and key."""
    with _lock:
        if key not in _engine:
            _engine[key] = make()
        return _engine[key]


def once_per_content(key, make):
    """`make()`, once per process and key: there is one machine code per objective.

    Who has begun with an adapter holds it: it stays when it is let go here.
    """
    with _lock:
        adapter = _adapters.pop(key, None) or make()
        _adapters[key] = adapter
        if len(_adapters) > KEPT:
            del _adapters[next(iter(_adapters))]
        return adapter


def address_of(adapter) -> int:
    """Where the machine code of an adapter stands."""
    if not hasattr(adapter, "address"):
        (compiled,) = adapter.overloads.values()
        adapter.address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    return adapter.address


class Form(NamedTuple):
    """What is compiled: content decides, so an edited global is never stale."""

    function: Any
    fingerprint: str  # of the function
    record: Any  # Numba's type of the arguments
    precise: bool
    boundscheck: bool
    way: str = "value"  # of WAYS

    @property
    def key(self) -> tuple[Any, ...]:
        return self[1:]


def adapter_of(form: Form):
    """The compiled adapter of a function."""
    return once_per_content(form.key, lambda: _compile(form.function, *form.key[1:]))


def _compile(function, record, precise: bool, boundscheck: bool = False, way: str = "value"):
    require_compiler()
    reached: dict = {}
    try:
        flags, twins = (frozenset(), {}) if precise else (RELAXED, elementary.TWINS)
        compiler = RecursiveCompiler if calls_itself(function) else FunctionCompiler
        compile_inner = partial(
            kernel, flags=flags, inner=True, inline=True, cached=False, compiler=compiler, boundscheck=boundscheck
        )

        def compile_it():
            adapter = in_adapter(function, record, twins, compile_inner, reached, way)
            return compile_for(kernel(adapter, inner=True, compiler=AdapterCompiler), WAYS[way][1])

        compiled = anew_if_not_found(compile_it, cpu_target.typing_context)
        fill_environments(*compiled.overloads.values())
    except CompilationError:
        raise
    except Exception as error:  # Numba's own, and whatever its inside stumbles upon
        raise explain(error, function) from None
    warn_of_random_calls(reached.values())
    return compiled


def in_adapter(function, record, twins: dict, compile_inner, reached: dict, way: str = "value") -> Any:
    """The Python function of an adapter, around a function that is rebuilt with twins."""
    inner = rebuild(function, twins, compile_inner, reached)
    record = filled(record, lambda f: rebuild(f, twins, compile_inner, reached))
    refuse_try(reached.values())
    return WAYS[way][0](inner, record)


# --- what is made of what a function returns --------------------------------------------------------------------------


def _of_value(inner, record):
    def adapter(x, address):
        return number(inner(*protected(inner, contiguous(x), load(address, record))))

    return adapter


def _of_vector(inner, record):
    def adapter(x, address, out):
        store(inner(*protected(inner, contiguous(x), load(address, record))), out)
        return 0.0

    return adapter


def _of_complex(inner, record):
    """Of a function that is given a complex x."""

    def adapter(x, address, out):
        store(inner(*protected(inner, x, load(address, record))), out)
        return 0.0

    return adapter


WAYS = {
    "value": (_of_value, FORMS["value"]),
    "vector": (_of_vector, FORMS["residuals"]),
    "complex vector": (_of_complex, types.float64(COMPLEX, types.intp, COMPLEX)),
}


# --- what is no Python function of the user's ---------------------------------------------------------------------


def c_adapter(takes_data: bool):
    """A C function's address travels in the record, so that one cached adapter serves every C function."""

    def with_data(x, words):
        function, data = load(words, PAIR)
        return call_c(function, protected_vector(x), data)

    def without_data(x, words):
        return call_c(load(words, SINGLE)[0], protected_vector(x), None)

    adapter = with_data if takes_data else without_data
    return once(adapter.__name__, lambda: compile_for(kernel(adapter, inner=True), ADAPTER))


def python_adapter():
    """The adapter of all objectives in Python: the address of the callback (callback.py) travels in the record."""

    def adapter(x, words):
        return call_python(load(words, SINGLE)[0], x)

    return once("python", lambda: compile_for(kernel(adapter, inner=True), ADAPTER))


def python_vector_adapter():
    """The same of all functions in Python that return vectors."""

    def adapter(x, words, out):
        return call_python_into(load(words, SINGLE)[0], x, out)

    return once("python vector", lambda: compile_for(kernel(adapter, inner=True), FORMS["residuals"]))
