"""A gradient as PTX, for NVIDIA GPUs: the same LLVM text, through LLVM's own back end. No GPU is needed to make it.

Elementary functions are the engine's, put into the module; sqrt, fabs, floor and their kin are instructions of the GPU.
What else the objective calls (pow, erf, BLAS) stands in libraries of the CPU and is refused.
"""

from __future__ import annotations

import re
from functools import cache

from llvmlite import binding
from numba.core import types

from ..calling.objective import CompiledObjective
from ..compile.substitution import rebuild
from . import flatten, primitives
from .adapters import MAKERS, source_of
from .reading import Refused
from .refusing import refusal
from .source import llvm_of, source_kernel

TRIPLE = "nvptx64-nvidia-cuda"
OF_GPU = ("sqrt", "fabs", "floor", "ceil", "trunc", "rint", "copysign", "maxnum", "minnum", "fma", "fmuladd")
MEMORY = ("memset", "memcpy", "memmove", "assume", "lifetime", "umin", "umax", "smin", "smax", "abs", "ctpop", "bswap")
# of Numba's form: the result goes through a pointer, 0 says that nothing was raised
ENTRY = """
define i32 @{symbol}(ptr %result, i64 %x, i64 %n, i64 %args, i64 %value, i64 %g, i64 %memory, i64 %size) {{
  %px = inttoptr i64 %x to ptr
  %pvalue = inttoptr i64 %value to ptr
  %pg = inttoptr i64 %g to ptr
  %arena = inttoptr i64 %memory to ptr
  %end = getelementptr i8, ptr %arena, i64 %size
  %tape = getelementptr i8, ptr %end, i64 %size
  %last = getelementptr i8, ptr %tape, i64 %size
  %status = call i32 @{symbol}_itself(ptr %px, i64 %n, i64 %args, ptr %pvalue, ptr %pg, ptr %arena, ptr %end, i64 %size,
                                      ptr %tape, ptr %last)
  store i32 %status, ptr %result
  ret i32 0
}}
"""
HOST = r'"(target-cpu|target-features|tune-cpu|probe-stack|no-builtins)"(="[^"]*")?'


def gradient_ptx(bound: CompiledObjective, symbol: str = "gradient", architecture: str = "sm_80") -> str:
    """The PTX text of the gradient of an objective, a device function of this name, as numba.cuda calls them:

    status = symbol(x, D, address of the arguments, value, g, memory, size), of 64-bit words

    x, value, g and memory are addresses on the GPU, as are those in the record of the arguments; memory, a multiple of
    64, has 3 * size bytes, size a multiple of 64. status: 0, FULL where the memory is too small, else the objective
    raised.

    Raises
    ------
    CompilationError
        Where there is no derivative, or it calls what a GPU does not have: the reason, and the line.
    """
    form = bound.form
    assert form is not None, "a C function has no derivative"

    def flat() -> str:
        return flatten.flatten(*source_of(form), flatten.VALUE)

    try:
        text = MAKERS["gradient"](flat(), f"{symbol}_itself", form.precise)
        text, functions = primitives.define(text, _text_of)
        module = _for_gpu(text + ENTRY.format(symbol=symbol))
        for function in functions.values():
            module.link_in(_for_gpu(function))
        _refuse_libraries(module)
    except Refused as reason:
        raise refusal(reason, form.function, flat) from None
    return _emit(module, symbol, architecture)


@cache
def _text_of(name: str) -> tuple[str, str]:
    """(name in its module, LLVM text) of one of the engine's elementary functions.

    Beyond its reach it calls the CPU's library (of sin, cos, tan: |x| > REACH), in whose place stands NaN here.
    """
    function = rebuild(primitives.DEFINED[name].py_func, {}, source_kernel)
    text, symbol = llvm_of(function, types.float64(types.float64))
    for called in set(re.findall(r"^declare [^@]*double @([\w.]+)\(double[^,)]*\)", text, re.M)):
        if called.split(".")[1:2] not in [[known] for known in OF_GPU]:
            text = re.sub(rf"^declare [^@]*double @{re.escape(called)}\([^\n]*$", "", text, flags=re.M)
            text = text.replace(f"@{called}(", f"@beyond.{name}(")
    if f"@beyond.{name}(" in text:
        text += f"\ndefine internal double @beyond.{name}(double %x) {{\n  ret double 0x7FF8000000000000\n}}\n"
    return symbol, text


def _for_gpu(text: str) -> binding.ModuleRef:
    text = re.sub(r"^target (datalayout|triple) = .*$", "", text, flags=re.M)
    text = re.sub(HOST, "", text)
    text = re.sub(r"@(sqrt|fabs|floor|ceil|trunc|rint)\(", r"@llvm.\1.f64(", text)  # of the C library
    text = re.sub(r"\bcommon local_unnamed_addr global ptr null", "internal global ptr null", text)
    declared = {re.search(r"@[^(]*", line): line for line in re.findall(r"^declare .*$", text, re.M)}
    names = {match.group(): line for match, line in declared.items() if match}
    text = re.sub(r"^declare .*$", "", text, flags=re.M) + "\n" + "\n".join(names.values())
    module = binding.parse_assembly(text)
    module.triple = TRIPLE
    return module


def _refuse_libraries(module: binding.ModuleRef) -> None:
    for function in module.functions:
        name = function.name
        known = name.startswith("llvm.") and name.split(".")[1] in (*OF_GPU, *MEMORY)
        if function.is_declaration and not known and not name.startswith("llvm.experimental"):
            raise Refused(f"it calls {name}, which a GPU does not have")


def _emit(module: binding.ModuleRef, symbol: str, architecture: str) -> str:
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(TRIPLE).create_target_machine(cpu=architecture, opt=3)
    module.data_layout = str(machine.target_data)
    for function in module.functions:
        if not function.is_declaration and function.name != symbol:
            function.linkage = "internal"
    tuning = binding.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = False
    passes = binding.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    module.verify()
    return machine.emit_assembly(module)
