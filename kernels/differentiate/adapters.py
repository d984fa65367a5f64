"""Machine code of derivatives, by address: float64 (x, address of the arguments, g, address of the workspace).

The derivative is made where the compiler asks for it, inside a kernel whose content is named after the objective's. So
the project's cache keeps it, and from the disk nothing of all this is done again.
"""

from __future__ import annotations

import hashlib
import math
import re
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic as _intrinsic

from ..calling.adapters import WAYS, Form, address_of, in_adapter, once_per_content
from ..calling.arguments import RAISED_BITS
from ..calling.asking import FORMS
from ..calling.checking import CompilationError, explain
from ..calling.objective import CompiledObjective
from ..compile.fingerprint import fingerprint, type_text
from ..compile.flat import FunctionCompiler
from ..compile.jit import RELAXED, compile_for, kernel
from ..compile.substitution import calls_itself
from . import primitives
from .adjoint import FULL, adjoint
from .flatten import FLAT, flatten
from .reading import Refused
from .refusing import refusal
from .runtime import UNDEFINED
from .source import llvm_of, source_kernel
from .workspace import FIRST, PARTS

intrinsic: Any = _intrinsic
GRADIENT = FORMS["gradient"]


class Derivatives:
    """Addresses of the derivatives of a compiled objective; each is compiled when it is asked for."""

    def __init__(self, bound: CompiledObjective):
        self.bound = bound

    @cached_property
    def gradient(self) -> int:
        """float64 (x (D,), args, g (D,), work): the value; g is filled. RAISED_VALUE where the objective raises."""
        return address_of(self._adapter)

    @cached_property
    def _adapter(self):
        form: Any = self.bound.form
        return once_per_content(("gradient", *form.key), lambda: _gradient_adapter(form))


def derivatives(bound: CompiledObjective) -> Derivatives:
    """The derivatives of an objective that was bound (calling/objective.py)."""
    return Derivatives(bound)


def _gradient_adapter(form: Form) -> Any:
    target = Target("gradient", form)

    def gradient_adapter(x, address, g, work):
        return gradient(target, x, address, g, work)

    return compile_for(kernel(gradient_adapter, inner=True), GRADIENT)


# --- what is kept, and under which name ----------------------------------------------------------------------------


def _of_this_folder() -> str:
    """A digest of what decides what a derivative is."""
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(sources).hexdigest()


class Target(types.Opaque):
    """A type that carries a function to the compiler. Its name tells the content, and so does the cache's key."""

    def __init__(self, kind: str, form: Form):
        self.form = form
        content = (kind, form.fingerprint, type_text(form.record), *form.key[2:], _of_this_folder())
        content = (*content, fingerprint(tuple(primitives.DEFINED.values())))
        self.symbol = f"{kind}_{hashlib.sha256(repr(content).encode()).hexdigest()[:40]}"
        super().__init__(self.symbol)

    def lower(self, context, builder, signature, arguments):
        library = gradient_library(self.form, self.symbol)
        context.active_code_library.add_linking_library(library)
        return _call_gradient(context, builder, signature, arguments, self.symbol)


@intrinsic
def gradient(typingctx, target, x, address, g, work):
    def codegen(context, builder, signature, arguments):
        return target.instance_type.lower(context, builder, signature, arguments)

    return types.float64(target, x, types.intp, g, types.intp), codegen


# --- from the function to the library ------------------------------------------------------------------------------


def gradient_library(form: Form, symbol: str) -> Any:
    """A library with the function `symbol`, ready to be linked."""
    flags = "" if form.precise else "reassoc nsz arcp afn "
    try:
        text = adjoint(flatten(*source_of(form)), FLAT, symbol, flags, own=not form.precise)
        return linkable(text, symbol)
    except Refused as reason:
        raise refusal(reason, form.function, lambda: flatten(*source_of(form, debug=True))) from None


def source_of(form: Form, debug: bool = False) -> tuple[str, str]:
    """(LLVM text of the objective's adapter as Numba emits it, its name)."""
    if calls_itself(form.function):
        raise Refused("it calls itself")
    flags, twins = (frozenset(), {}) if form.precise else (RELAXED, primitives.twins())
    compile_inner = partial(
        source_kernel, flags=flags, compiler=FunctionCompiler, boundscheck=form.boundscheck, debug=debug
    )
    try:
        adapter = in_adapter(form.function, form.record, twins, compile_inner, {}, form.way)
        return llvm_of(source_kernel(adapter, debug=debug), WAYS[form.way][1])
    except (CompilationError, Refused):
        raise
    except Exception as error:
        raise explain(error, form.function) from None


def linkable(text: str, symbol: str) -> Any:
    text, libraries = primitives.define(text)
    for name in re.findall(r'^declare [^@]*@"?([\w.$]+)"?\(', text, re.M):
        if not name.startswith("llvm.") and name not in libraries and binding.address_of_symbol(name) is None:
            raise Refused(f"the call of {name}", name)  # LLVM ends the process where a symbol is missing
    module = binding.parse_assembly(text)
    module.triple = binding.get_process_triple()
    context: Any = cpu_target.target_context
    library = context.codegen().create_library(symbol)
    library.add_llvm_module(module)
    for used in libraries.values():
        library.add_linking_library(used)
    library.finalize()
    return library


# --- the call ------------------------------------------------------------------------------------------------------


def _call_gradient(context, builder, signature, arguments, symbol: str):
    """Call the derivative, again with a larger workspace where it was too small."""
    _, x, address, g, work = arguments
    word, double, pointer = ir.IntType(64), ir.DoubleType(), ir.IntType(8).as_pointer()
    x_array = context.make_array(signature.args[1])(context, builder, value=x)
    g_array = context.make_array(signature.args[3])(context, builder, value=g)
    (n,) = cgutils.unpack_tuple(builder, x_array.shape, 1)
    words = builder.inttoptr(work, word.as_pointer())
    value = cgutils.alloca_once(builder, double)
    form = ir.FunctionType(ir.IntType(32), [pointer, word, word, *[pointer] * 4, word, pointer, pointer])
    function = cgutils.get_or_insert_function(builder.module, form, symbol)

    again, done = builder.append_basic_block("again"), builder.append_basic_block("done")
    builder.branch(again)
    builder.position_at_end(again)
    memory, size = (builder.load(builder.gep(words, [word(k)])) for k in range(2))
    with builder.if_then(builder.icmp_signed("==", size, word(0)), likely=False):
        _grow(context, builder, words, memory, size)
        builder.branch(again)
    start = builder.and_(builder.add(memory, word(63)), word(-64))
    parts = [builder.inttoptr(builder.add(start, builder.mul(size, word(k))), pointer) for k in range(PARTS + 1)]
    arena, adjoints, tape, end = parts
    data = [builder.bitcast(part, pointer) for part in (x_array.data, value, g_array.data)]
    status = builder.call(function, [data[0], n, address, data[1], data[2], arena, adjoints, size, tape, end])
    full = builder.icmp_signed("==", status, status.type(FULL))
    with builder.if_then(full, likely=False):
        _grow(context, builder, words, memory, size)
        builder.branch(again)
    builder.branch(done)

    builder.position_at_end(done)
    undefined = builder.icmp_signed("==", status, status.type(UNDEFINED))
    result, nan = builder.load(value), double(math.nan)
    number = builder.select(builder.fcmp_unordered("uno", result, result), nan, result)
    failed = builder.select(undefined, nan, builder.bitcast(word(RAISED_BITS), double))
    return builder.select(builder.icmp_signed("==", status, status.type(0)), number, failed)


def _grow(context, builder, words, memory, size):
    """A workspace of twice the size. Where there is no more memory, the exception is that of the caller."""
    word = size.type
    larger = builder.mul(size, word(2))
    larger = builder.select(builder.icmp_signed(">", larger, word(FIRST)), larger, word(FIRST))
    context.nrt.free(builder, builder.inttoptr(memory, cgutils.voidptr_t))
    room = builder.add(builder.mul(larger, word(PARTS)), word(64))
    taken = context.nrt.allocate_unchecked(builder, room)
    builder.store(builder.ptrtoint(taken, word), builder.gep(words, [word(0)]))
    builder.store(larger, builder.gep(words, [word(1)]))
    with builder.if_then(cgutils.is_null(builder, taken), likely=False):
        builder.store(word(0), builder.gep(words, [word(1)]))
        context.call_conv.return_user_exc(builder, MemoryError, ("the workspace of the derivatives",))
