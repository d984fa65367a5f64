"""The text of a derivative in a library that adapters take in, and the compiler of those adapters.

The derivative is optimised here, once. An adapter around it is inlined into one function and no more: to optimise all
of it a second time took a sixth of the time to compile, and made nothing faster (bench/gradients.py).
"""

from __future__ import annotations

import re
import types as python_types
from typing import Any

from llvmlite import binding
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.registry import cpu_target
from numba.core.untyped_passes import TranslateByteCode

from ..compile.parts import _finalize as without_machine_code
from ..compile.parts import library_of
from . import primitives
from .reading import Refused


def linkable(text: str, symbol: str) -> Any:
    """A library with what the text defines, optimised; it becomes machine code where it is linked into an adapter."""
    text, libraries = primitives.define(text)
    for name in re.findall(r'^declare [^@]*@"?([\w.$]+)"?\(', text, re.M):
        if not name.startswith("llvm.") and name not in libraries and binding.address_of_symbol(name) is None:
            raise Refused(f"the call of {name}", name)  # LLVM ends the process where a symbol is missing
    module = binding.parse_assembly(text)
    module.verify()
    module.triple = binding.get_process_triple()
    context: Any = cpu_target.target_context
    library = context.codegen().create_library(symbol)
    library._finalize_final_module = python_types.MethodType(without_machine_code, library)
    library.add_llvm_module(module)
    for used in libraries.values():
        library.add_linking_library(used)
    library.finalize()
    return library


class AroundCompiler(Compiler):
    """Numba's compiler for an adapter around a derivative."""

    def define_pipelines(self):
        (pipeline,) = super().define_pipelines()
        pipeline.add_pass_after(OnlyInline, TranslateByteCode)
        pipeline.finalize()
        return [pipeline]


@register_pass(mutates_CFG=False, analysis_only=True)
class OnlyInline(FunctionPass):
    """Tells the library of the adapter that what is linked into it is optimised."""

    _name = "thalweg_only_inline"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        library = library_of(state)
        library._optimize_final_module = python_types.MethodType(_inline, library)
        return False


def _inline(library: Any) -> None:
    builder = binding.create_pass_builder(library._codegen._tm, binding.create_pipeline_tuning_options())
    passes: Any = binding.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(library._final_module, builder)
