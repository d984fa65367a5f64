"""Functions and their derivatives as PTX, for NVIDIA GPUs: the same LLVM text, through LLVM's own back end.

No GPU is needed to make it. Elementary functions are the engine's, put into the module; sqrt, fabs, floor and their
kin are instructions of the GPU. Other functions of C (pow, erf, atan ...) are NVIDIA's, and have to be linked as well
(LIBRARY). What else a function calls (BLAS) stands in libraries of the CPU, and is refused.

What is made is a device function of Numba's form (the result goes through a pointer, 0 says that nothing was raised)
that gives a status: 0, FULL where the memory is too small, UNDEFINED (runtime.py), else the objective raised. All that
it is handed are words of 64 bits: x, D, the address of the arguments, what KINDS says, memory, size. Arrays are given
by their addresses on the GPU, as in the record of the arguments. `memory` is a multiple of 64, size as well.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from llvmlite import binding
from numba.core import types

from ..calling.checking import CompilationError
from ..calling.objective import CompiledObjective
from ..compile.substitution import rebuild
from . import flatten, primitives
from .adapters import MAKERS, RELAXED_FLAGS, source_of
from .plain import plain
from .pointers import ARGS, X
from .reading import Refused
from .refusing import refusal
from .source import llvm_of, source_kernel
from .tangent import tangent

TRIPLE = "nvptx64-nvidia-cuda"
OF_GPU = ("sqrt", "fabs", "floor", "ceil", "trunc", "rint", "copysign", "maxnum", "minnum", "fma", "fmuladd")
MEMORY = ("memset", "memcpy", "memmove", "assume", "lifetime", "umin", "umax", "smin", "smax", "abs", "ctpop", "bswap")


class Kind(NamedTuple):
    """What can be asked of a function on the device."""

    handed: str  # arrays of doubles, by their addresses
    parts: int  # the memory has `parts` times `size` bytes, and ROOM more
    call: str  # what the machine code of the CPU is handed; {name} is the pointer of that name
    before: str = ""  # lines before the call


ROOM = 64  # bytes of memory beside the parts
KINDS = {
    # value: double; of an objective
    "value": Kind("value", 1, "ptr {x}, i64 %n, i64 %args, ptr {value}, ptr {part0}, ptr {part1}"),
    # r (M,): what a function of several numbers returns
    "vector": Kind("r m", 1, "ptr {x}, i64 %n, i64 %args, ptr {r}, i64 %m, ptr null, ptr {part0}, ptr {part1}"),
    # the value, and g (D,): the gradient, in reverse mode
    "gradient": Kind(
        "value g", 3,
        "ptr {x}, i64 %n, i64 %args, ptr {value}, ptr {g}, ptr {part0}, ptr {part1}, i64 %size, ptr {part2}, "
        "ptr {part3}",
    ),
    # slope: double; the derivative along v (D,), in forward mode
    "slope": Kind(
        "v slope", 2,
        "ptr {x}, i64 %n, i64 %args, ptr {v}, ptr null, ptr {slope}, i64 %size, ptr {part0}, ptr {part1}, ptr {part0}",
    ),
    # hv (D,): the Hessian times v (D,), forward over reverse; size above 8 D
    "product": Kind(
        "v hv", 8,
        "ptr {x}, i64 %n, i64 %args, ptr %memory.p, ptr {part3}, ptr {part0}, ptr {part1}, i64 %size, ptr {part2}, "
        "ptr {part3}, ptr {v}, ptr {hv}, ptr %second, i64 %shift, ptr {part0}, ptr {part4}, ptr %behind",
        """\
  %second = getelementptr i8, ptr %memory.p, i64 8
  %shift = mul i64 %size, 4
  %bytes = shl i64 %n, 3
  %rounded = add i64 %bytes, 63
  %whole = and i64 %rounded, -64
  %behind = getelementptr i8, ptr {part3}, i64 %whole
  call void @llvm.memset.p0.i64(ptr {hv}, i8 0, i64 %bytes, i1 false)
""",
    ),
}  # fmt: skip
# functions of C that NVIDIA's library has, too; they are called as thalweg_c_<name>
LIBRARY = ("pow", "atan", "atan2", "asin", "acos", "sinh", "cosh", "asinh", "acosh", "atanh", "exp2", "log2", "log10",
           "cbrt", "hypot", "fmod", "erf", "erfc")  # fmt: skip
HOST = r'"(target-cpu|target-features|tune-cpu|probe-stack|no-builtins)"(="[^"]*")?'


def gradient_ptx(bound: CompiledObjective, symbol: str = "gradient", architecture: str = "sm_80") -> str:
    """The PTX text of the gradient of an objective; see `ptx_of`."""
    return ptx_of(bound, "gradient", symbol, architecture)


def ptx_of(bound: CompiledObjective, kind: str, symbol: str, architecture: str = "sm_80", library: bool = False) -> str:
    """The PTX text of a device function of this name that answers a question of KINDS.

    library: whether it may call functions of LIBRARY.

    Raises
    ------
    CompilationError
        Where there is no derivative, or it calls what a GPU does not have: the reason, and the line.
    """
    form = bound.form
    assert form is not None, "a C function has no text"
    around, inner = flatten.VECTOR if kind == "vector" else flatten.VALUE, f"{symbol}_itself"

    def flat() -> str:
        return flatten.flatten(*source_of(form), around)

    try:
        text, functions = primitives.define(made(kind, flat(), inner, form.precise) + entry(kind, symbol), _text_of)
        module = _for_gpu(text, library)
        for function in functions.values():
            module.link_in(_for_gpu(function, library))
    except Refused as reason:
        raise refusal(reason, form.function, flat) from None
    if missing := _of_libraries(module):
        raise CompilationError(
            f"fun: {form.function.__name__} cannot run on a GPU: it calls {missing}, which a GPU does not have; "
            f"use device='cpu'"
        )
    return _emit(module, symbol, architecture)


def made(kind: str, flat: str, symbol: str, precise: bool) -> str:
    """The machine code around which `entry` stands, as LLVM text."""
    if kind in ("value", "vector"):
        return plain(flat, symbol)
    if kind == "slope":
        flags = "" if precise else RELAXED_FLAGS
        return tangent(flat, flatten.FLAT, symbol, 1, {0: X, 2: ARGS}, flags, own=not precise)
    return MAKERS[kind](flat, symbol, precise)


def entry(kind: str, symbol: str) -> str:
    """The device function around the machine code `symbol`_itself."""
    handed, parts, call, before = KINDS[kind]
    arrays = ["x", *(name for name in handed.split() if name != "m")]
    pointers = {name: f"%{name}.p" for name in arrays} | {f"part{k}": f"%part{k}" for k in range(parts + 1)}
    lines = [f"  %{name}.p = inttoptr i64 %{name} to ptr" for name in [*arrays, "memory"]]
    lines.append(f"  %part0 = getelementptr i8, ptr %memory.p, i64 {ROOM}")
    lines += [f"  %part{k + 1} = getelementptr i8, ptr %part{k}, i64 %size" for k in range(parts)]
    given = "".join(f", i64 %{name}" for name in ["x", "n", "args", *handed.split(), "memory", "size"])
    return (
        f"\ndefine i32 @{symbol}(ptr %result{given}) {{\n" + "\n".join(lines) + f"\n{before.format(**pointers)}"
        f"  %status = call i32 @{symbol}_itself({call.format(**pointers)})\n"
        f"  store i32 %status, ptr %result\n  ret i32 0\n}}\n"
    )


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


def library_in(text: str) -> set[str]:
    """The functions of LIBRARY that a PTX text calls."""
    return set(re.findall(r"^\.extern [^\n]*\bthalweg_c_(\w+)$", text, re.M))


def _for_gpu(text: str, library: bool) -> binding.ModuleRef:
    if library:
        text = re.sub(rf"@(?:llvm\.)?({'|'.join(LIBRARY)})(?:\.f64)?\(", r"@thalweg_c_\1(", text)
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


def _of_libraries(module: binding.ModuleRef) -> str:
    """A function that a GPU does not have, if the module calls one."""
    for function in module.functions:
        name = function.name
        known = name.startswith("llvm.") and name.split(".")[1] in (*OF_GPU, *MEMORY, "experimental")
        known = known or name.startswith("thalweg_c_")
        if function.is_declaration and not known:
            return name
    return ""


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
