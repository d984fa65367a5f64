"""The user's function, flat: everything it calls is put into one body, which is optimised once.

Numba optimises a function by itself before it is linked into its callers. A user's function alone is given vectors of
unknown stride: LLVM gives up on `for v in x`, and does not come back to it when the adapter, where the stride is known,
takes the function in. So nothing is optimised before everything stands in the adapter. That makes all loops as fast as
the one over indices, and compiles in less time.

    FunctionCompiler    what the user wrote and what it calls: typed and lowered, no more
    RecursiveCompiler   the same where functions call themselves
    AdapterCompiler     the adapter, into which all of it is inlined: optimised
"""

from __future__ import annotations

import types as python_types
from typing import Any

from llvmlite import binding
from numba.core import ir, types
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.environment import lookup_environment
from numba.core.ir_utils import build_definitions
from numba.core.typed_passes import NopythonRewrites, NopythonTypeInference
from numba.core.untyped_passes import TranslateByteCode

from .array_sums import FuseSums
from .guards import Guard
from .list_items import RefuseCuts
from .parts import PartCompiler, library_of
from .python_numbers import as_python
from .substitution import PARAMETERS
from .vector_loops import define_forms, prepared
from .writes import FindWrites, KeepWrites


class FunctionCompiler(PartCompiler):
    """Numba's compiler for a function of the user's."""

    def define_pipelines(self):
        (pipeline,) = super().define_pipelines()
        if self.state.func_ir is None:
            pipeline.add_pass_after(ReadParameters, TranslateByteCode)
            as_python(self.state, pipeline)
            pipeline.add_pass_after(RefuseCuts, NopythonTypeInference)
            pipeline.add_pass_after(Guard, NopythonTypeInference)
            pipeline.add_pass_after(FindWrites, NopythonTypeInference)  # so it comes first: what the guards do is ours
            pipeline.add_pass_after(FuseSums, NopythonRewrites)
            pipeline.finalize()
        return [pipeline]


@register_pass(mutates_CFG=False, analysis_only=False)
class ReadParameters(FunctionPass):
    """What a function carries is read from its parameters (calling/carried.py).

    A free variable that bears the name of a parameter is that parameter; a parameter that is never given is a constant.
    """

    _name = "thalweg_read_parameters"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not hasattr(state.func_id.func, PARAMETERS):
            return False
        given = dict(zip(state.func_ir.arg_names, state.args))
        for block in state.func_ir.blocks.values():
            for assign in block.find_insts(ir.Assign):
                value = assign.value
                if isinstance(value, ir.FreeVar) and value.name in given:
                    assign.value = block.scope.get_exact(value.name)
                elif isinstance(value, ir.Arg) and isinstance(given[value.name], types.Omitted):
                    assign.value = ir.Global(value.name, given[value.name].value, value.loc)
        state.func_ir._definitions = build_definitions(state.func_ir.blocks)
        return True


class RecursiveCompiler(Compiler):
    """Numba's compiler for functions of the user's that call themselves: each is optimised, as Numba does it."""

    def define_pipelines(self):
        (pipeline,) = super().define_pipelines()
        if self.state.func_ir is None:
            as_python(self.state, pipeline)
            pipeline.add_pass_after(RefuseCuts, NopythonTypeInference)
            pipeline.add_pass_after(Guard, NopythonTypeInference)
            pipeline.add_pass_after(FindWrites, NopythonTypeInference)  # so it comes first: what the guards do is ours
            pipeline.finalize()
        return [pipeline]


class AdapterCompiler(Compiler):
    """Numba's compiler for an adapter."""

    def define_pipelines(self):
        (pipeline,) = super().define_pipelines()
        pipeline.add_pass_after(OptimiseFlat, TranslateByteCode)
        pipeline.add_pass_after(KeepWrites, NopythonTypeInference)
        pipeline.finalize()
        return [pipeline]


@register_pass(mutates_CFG=False, analysis_only=True)
class OptimiseFlat(FunctionPass):
    """Tells the library of the adapter how it is to be optimised."""

    _name = "thalweg_optimise_flat"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        library = library_of(state)
        library._optimize_final_module = python_types.MethodType(_optimise, library)
        return False


def _optimise(library: CPUCodeLibrary) -> None:
    """Inline, simplify, then all that LLVM has.

    The round in between finds that two exits of a loop (of `zip`) are one, without which it is not vectorised. Behind
    it loops are as they will be, and are told how to become vectors (vector_loops.py).
    """
    codegen: Any = library._codegen
    cheap, builder = codegen._module_pass_manager(loop_vectorize=False, slp_vectorize=False, opt=0, cost="cheap")
    cheap.run(library._final_module, builder)
    tuning: Any = binding.create_pipeline_tuning_options(speed_level=1)
    tuning.loop_vectorization = tuning.slp_vectorization = False
    tuning.loop_interleaving = tuning.loop_unrolling = False
    builder = binding.create_pass_builder(codegen._tm, tuning)
    builder.getModulePassManager().run(library._final_module, builder)
    library._final_module, far = prepared(library._final_module)
    full, builder = codegen._module_pass_manager()
    full.run(library._final_module, builder)
    define_forms(library._final_module, far, builder)


def fill_environments(compiled) -> None:
    """Give the functions inside an adapter the objects of Python that their code refers to.

    `print` needs them, and an exception with values. Numba fills those of a function when it has machine code of its
    own, and when it reads one from the disk.
    """
    for variable in compiled.library._final_module.global_variables:
        environment = lookup_environment(variable.name)
        if environment is not None:
            compiled.codegen.set_env(variable.name, environment)
