"""Kernels that are parts of others: compiled into their callers, and no further.

Numba optimises each function by itself, turns it into machine code, and then does the same to each caller into which it
was linked. For what only compiled code calls, the machine code of its own is never run; for what is inlined everywhere,
neither are the optimisations. Without them a solver compiles in three quarters of the time. What is called seldom, or
works on small matrices only, is not worth vector loops either, of which LLVM makes several copies of each loop.
"""

from __future__ import annotations

import types as python_types
from typing import Any

from llvmlite.binding import Linkage
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import TranslateByteCode


class _Codegen:
    """The code generator, without the place for the environment of a function that has no machine code."""

    def __init__(self, codegen):
        self._codegen = codegen

    def __getattr__(self, name):
        return getattr(self._codegen, name)

    def set_env(self, env_name, env):
        pass


def _finalize(library) -> None:
    """Ready to be linked into callers."""
    library._finalize_dynamic_globals()
    library._verify_declare_only_symbols()
    library._finalized = True


def library_of(state):
    """The library that the function's code goes into."""
    if state.library is None:
        state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        state.library.enable_object_caching()
    return state.library


@register_pass(mutates_CFG=False, analysis_only=True)
class LeaveOut(FunctionPass):
    """Tells the library of this function what it need not do."""

    _name = "thalweg_leave_out"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        library = library_of(state)
        library._finalize_final_module = python_types.MethodType(_finalize, library)
        library.get_pointer_to_function = lambda name: 0
        library._codegen = _Codegen(library._codegen)
        if state.flags.forceinline:
            library._optimize_final_module = lambda: None
        return False


@register_pass(mutates_CFG=False, analysis_only=True)
class KeepApart(FunctionPass):
    """Tells the library of this function that it stays a function, and is optimised in its last caller, for size."""

    _name = "thalweg_keep_apart"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        library = library_of(state)
        library._optimize_final_module = python_types.MethodType(_mark, library)
        return False


def _mark(library) -> None:
    for function in library._final_module.functions:
        if not function.is_declaration and function.linkage == Linkage.external:  # what was linked in is not
            function.add_function_attribute("noinline")
            function.add_function_attribute("optsize")


class PartCompiler(Compiler):
    """Numba's compiler for such kernels."""

    leaving = (LeaveOut,)

    def define_pipelines(self):
        (pipeline,) = super().define_pipelines()
        if self.state.func_ir is None:  # else it is an `objmode` block inside a function, which Python carries out
            for one in self.leaving:
                pipeline.add_pass_after(one, TranslateByteCode)
            pipeline.finalize()
        return [pipeline]


class ApartCompiler(PartCompiler):
    """The same for those that are not inlined anywhere."""

    leaving = (LeaveOut, KeepApart)
