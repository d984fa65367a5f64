"""The objective as LLVM text: a target of Numba's own kind whose libraries are neither optimised nor made machine code.

A target has its own typing context. So functions of Numba's library that were compiled before, and vectorised, are not
met here, and what is compiled here serves nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property, partial
from typing import Any

import numba
from numba.core import codegen, registry
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUContext
from numba.core.runtime.context import NRTContext
from numba.core.target_extension import CPU, dispatcher_registry, jit_registry, target_override, target_registry

from ..compile.call_types import found_once
from ..compile.interruption import between_steps
from ..compile.library_functions import overloaded
from ..compile.lifetimes import waiting_lifetimes
from ..compile.parts import _finalize as without_machine_code

NAME = "thalweg_source"
_jit: Any = numba.jit


class Source(CPU):
    """The key of the target."""


class Library(codegen.JITCodeLibrary):
    """Code that is linked into its callers, as it was written."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        pass

    def _finalize_final_module(self):
        without_machine_code(self)

    def get_pointer_to_function(self, name):
        return 0


class Codegen(codegen.JITCPUCodegen):
    _library_class = Library

    def set_env(self, env_name, env):
        pass


class Uncounted(NRTContext):
    """Numba's runtime, in which no references are counted: nothing is freed before the derivatives stand."""

    def incref(self, builder, typ, value):
        pass

    def decref(self, builder, typ, value):
        pass


class Context(CPUContext):
    room_on_stack = 0  # for copies (calling/protecting.py): all memory is in one arena

    def init(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        super().init()
        self._internal_codegen = Codegen("thalweg.source")
        self.nrt = Uncounted(self, True)
        self.part = cache(source_kernel)  # a part of the engine that user's functions call (compile/sum_loops.py)


class Description(registry.CPUTarget):
    @cached_property
    def _toplevel_target_context(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return Context(self.typing_context, self._target_name)


class Dispatcher(registry.CPUDispatcher):
    targetdescr = Description(NAME)

    def compile(self, sig):
        with between_steps(), target_override(NAME), own_overloads(), found_once(), waiting_lifetimes():
            return super().compile(sig)


_compiled_here: dict[Any, dict] = {}  # templates of overloaded functions -> what of them was compiled for this target
_depth = [0]


@contextmanager
def own_overloads() -> Iterator[None]:
    """Numba keeps what it compiled of an overloaded function by the types of its arguments, for all targets together.

    So one target would find what the other has compiled, and could not lower it. Here each has its own.
    """
    with global_compiler_lock:
        _depth[0] += 1
        outer = _depth[0] == 1
        theirs = [(template, template._compiled_overloads) for template in _templates()] if outer else []
        for template, _ in theirs:
            template._compiled_overloads = _compiled_here.setdefault(template, {})
        try:
            yield
        finally:
            _depth[0] -= 1
            for template, compiled in theirs:
                template._compiled_overloads = compiled
            known = {template for template, _ in theirs}
            for template in _templates() if outer else []:
                if template not in known:  # Numba has met it here first: np.linalg's come when they are asked for
                    _compiled_here[template], template._compiled_overloads = template._compiled_overloads, {}


def _templates() -> list[Any]:
    return [template for template in overloaded() if "_compiled_overloads" in vars(template)]


target_registry[NAME] = Source
dispatcher_registry[target_registry[NAME]] = Dispatcher
jit_registry[target_registry[NAME]] = partial(_jit, _target=NAME)


def source_kernel(function, *, flags=frozenset(), compiler=None, boundscheck=False, debug=False) -> Any:
    """As `kernel` (compile/jit.py), for this target. `debug`: with the lines of the source."""
    options: dict[str, Any] = {
        "nogil": True, "error_model": "numpy", "fastmath": set(flags), "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True, "forceinline": True,
    }  # fmt: skip
    if compiler is not None:
        options["pipeline_class"] = compiler
    if debug:
        options["debug"] = True
    if boundscheck:
        options["boundscheck"] = True
    return _jit(_target=NAME, nopython=True, **options)(function)


def typing_context() -> Any:
    """Of this target."""
    return Dispatcher.targetdescr.typing_context


def llvm_of(dispatcher, signature) -> tuple[str, str]:
    """(the text of a module that holds the function and all that it calls, the function's name in it)."""
    dispatcher.compile(signature)
    compiled = dispatcher.overloads[signature.args]
    with global_compiler_lock:
        compiled.library._ensure_finalized()
    return str(compiled.library._final_module), compiled.fndesc.llvm_func_name
