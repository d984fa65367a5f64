"""Machine code of derivatives by address, in the forms of calling/asking.py.

    gradient    reverse mode
    product     the Hessian times a vector: forward mode over the flattened gradient
    jacobian    of residuals, COLUMNS at once: forward mode

The derivative is made where the compiler asks for it, inside a kernel whose content is named after the objective's. So
the project's cache keeps it, and from the disk nothing of all this is done again.

Of the memory in a workspace the first words are a head of HEAD bytes; parts of equal size follow.
"""

from __future__ import annotations

import hashlib
import math
from functools import partial
from pathlib import Path
from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic

from ..calling.adapters import WAYS, Form, address_of, in_adapter, once_per_content
from ..calling.arguments import RAISED_VALUE, word_at
from ..calling.asking import FORMS
from ..calling.checking import CompilationError, explain
from ..calling.objective import CompiledObjective
from ..compile.fingerprint import fingerprint, type_text
from ..compile.flat import FunctionCompiler
from ..compile.jit import RELAXED, compile_for, kernel
from ..compile.library_functions import anew_if_not_found
from ..compile.substitution import calls_itself
from . import flatten, primitives
from .adjoint import FULL, adjoint
from .flatten import FLAT, simplified
from .linking import AroundCompiler, linkable
from .memory import grow, number_at, put_number
from .pointers import ARGS, X
from .products import is_product
from .reading import Refused
from .refusing import refusal
from .runtime import UNDEFINED
from .source import llvm_of, source_kernel, typing_context
from .tangent import tangent

intrinsic: Any = _intrinsic
HEAD = 64  # bytes; the value stands in the first word
COLUMNS = 4  # of a Jacobian, in one sweep
RELAXED_FLAGS = "reassoc nsz arcp afn "


class Derivatives:
    """Addresses of the derivatives of a compiled objective; each is compiled when it is asked for.

    Raises
    ------
    CompilationError
        Where there is no derivative: the reason, and the line.
    """

    def __init__(self, bound: CompiledObjective):
        form: Any = bound.form
        self.form: Form = form
        self.kept = bound.kept

    @property
    def gradient(self) -> int:
        """float64 (x (D,), args, g (D,), work): the value; g is filled. RAISED_VALUE where the objective raises."""
        return self._address("gradient")

    @property
    def product(self) -> int:
        """float64 (x (D,), args, v (D,), hv (D,), work): 0; hv is the Hessian at x times v."""
        return self._address("product")

    @property
    def jacobian(self) -> int:
        """float64 (x (D,), args, r (M,), J (M, D), work): 0; r and J are filled. Of a function of way "vector"."""
        return self._address("jacobian")

    def _address(self, kind: str) -> int:
        form = self.form
        self.kept[kind] = adapter = once_per_content((kind, *form.key), lambda: _compile(kind, form))
        return address_of(adapter)


def derivatives(bound: CompiledObjective) -> Derivatives:
    """The derivatives of an objective that was bound (calling/objective.py)."""
    return Derivatives(bound)


def _compile(kind: str, form: Form) -> Any:
    target = Target(kind, form)
    return compile_for(kernel(ADAPTERS[kind](target), inner=True, compiler=AroundCompiler), FORMS[kind])


# --- the adapters ----------------------------------------------------------------------------------------------------


def _gradient(target):
    def gradient(x, args, g, work):
        status, value = FULL, 0.0
        while status == FULL:
            size = word_at(work, 1)
            if size > 0:
                head = (word_at(work, 0) + 63) & -64
                arena = head + HEAD
                tape = arena + 2 * size
                status = call(target, (x, x.size, args, head, g, arena, arena + size, size, tape, tape + size))
                value = number_at(head, 0)
            if status == FULL:
                grow(work, 3)
        return answer(status, value)

    return gradient


def _product(target):
    def product(x, args, v, hv, work):
        status = FULL
        bytes = (8 * x.size + 63) & -64
        while status == FULL:
            size = word_at(work, 1)
            if size > bytes:
                head = (word_at(work, 0) + 63) & -64
                arena = head + HEAD
                tape, own, end = arena + 2 * size, arena + 3 * size, arena + 4 * size
                for j in range(hv.size):  # entries of g that hang on nothing have no tangent
                    hv[j] = 0.0
                status = call(
                    target,
                    (x, x.size, args, head, own, arena, arena + size, size, tape, tape + size,
                     v, hv, head + 8, 4 * size, arena, end, own + bytes),
                )  # fmt: skip
            if status == FULL:
                grow(work, 8)
        return answer(status, 0.0)

    return product


def _jacobian(target):
    def jacobian(x, args, r, J, work):
        status = FULL
        n, m, K = x.size, r.size, columns_at_once(target)
        bytes = (8 * K * (n + m) + 63) & -64
        while status == FULL:
            size = word_at(work, 1)
            if size > bytes:
                head = (word_at(work, 0) + 63) & -64
                seeds = head + HEAD
                columns = seeds + 8 * K * n
                arena, end = seeds + bytes, seeds + size
                shift = end - seeds * K
                for first in range(0, n, K):
                    for j in range(K * n):
                        put_number(seeds, j, 0.0)
                    for k in range(min(K, n - first)):
                        put_number(seeds, (first + k) * K + k, 1.0)
                    for i in range(K * m):  # entries of r that hang on nothing have no tangent
                        put_number(columns, i, 0.0)
                    status = call(target, (x, n, args, r, m, seeds, columns, head + 8, shift, seeds, end, arena))
                    if status != 0:
                        break
                    for i in range(m):
                        for k in range(min(K, n - first)):
                            J[i, first + k] = number_at(columns, i * K + k)
            if status == FULL:
                grow(work, 1 + COLUMNS)
        return answer(status, 0.0)

    return jacobian


ADAPTERS = {"gradient": _gradient, "product": _product, "jacobian": _jacobian}
POINTERS = {  # which parameters of the machine code are pointers, which words: p, i
    "gradient": "piippppipp", "product": "piippppipppppippp", "jacobian": "piipipppippp",
}  # fmt: skip


@kernel(inner=True, inline=True)
def answer(status, value):
    if status == 0:
        return value if value == value else math.nan  # whatever the bits of the function's own
    return math.nan if status == UNDEFINED else RAISED_VALUE


@intrinsic
def call(typingctx, target, arguments):
    """The status of the machine code of a target; arrays are given by the address of their first number."""

    def codegen(context, builder, signature, values):
        return target.instance_type.call(context, builder, signature.args[1], values[1])

    return types.int32(target, arguments), codegen


@intrinsic
def columns_at_once(typingctx, target):
    """How many columns of a Jacobian the machine code of a target makes at once."""

    def codegen(context, builder, signature, values):
        name = f"{target.instance_type.symbol}_columns"
        form = ir.FunctionType(ir.IntType(64), ())
        return builder.call(cgutils.get_or_insert_function(builder.module, form, name), ())

    return types.intp(target), codegen


# --- what is kept, and under which name ---


def _of_this_folder() -> str:
    """A digest of what decides what a derivative is."""
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(sources).hexdigest()


class Target(types.Opaque):
    """A type that carries a function to the compiler. Its name tells the content, and so does the cache's key."""

    def __init__(self, kind: str, form: Form):
        self.kind, self.form = kind, form
        content = (kind, form.fingerprint, type_text(form.record), *form.key[2:], _of_this_folder())
        content = (*content, fingerprint(tuple(primitives.DEFINED.values())))
        self.symbol = f"{kind}_{hashlib.sha256(repr(content).encode()).hexdigest()[:40]}"
        super().__init__(self.symbol)

    def call(self, context, builder, given, values):
        context.active_code_library.add_linking_library(library_of(self.kind, self.form, self.symbol))
        word, pointer = ir.IntType(64), ir.IntType(8).as_pointer()
        kinds = [pointer if letter == "p" else word for letter in POINTERS[self.kind]]
        members = []
        for ty, kind, value in zip(given, kinds, cgutils.unpack_tuple(builder, values, len(given)), strict=True):
            if isinstance(ty, types.Array):
                value = builder.bitcast(context.make_array(ty)(context, builder, value=value).data, pointer)
            elif kind is pointer:
                value = builder.inttoptr(value, pointer)
            members.append(value)
        form = ir.FunctionType(ir.IntType(32), kinds)
        return builder.call(cgutils.get_or_insert_function(builder.module, form, self.symbol), members)


# --- from the function to the library ---


def library_of(kind: str, form: Form, symbol: str) -> Any:
    """A library with the function `symbol`, ready to be linked."""
    try:
        return linkable(MAKERS[kind](flat_text(form), symbol, form.precise), symbol)
    except Refused as reason:
        raise refusal(reason, form.function, partial(_flat_text, form, debug=True)) from None


_flat: dict[Any, str] = {}  # of the objective that was differentiated last: its product follows its gradient


def flat_text(form: Form) -> str:
    """The flat function of an objective as LLVM text."""
    if form.key not in _flat:
        text = _flat_text(form)
        _flat.clear()
        _flat[form.key] = text
    return _flat[form.key]


def _flat_text(form: Form, debug: bool = False) -> str:
    return flatten.flatten(*source_of(form, debug), flatten.AROUND[form.way])


def _make_gradient(flat: str, symbol: str, precise: bool) -> str:
    return adjoint(flat, FLAT, symbol, "" if precise else RELAXED_FLAGS, own=not precise)


def _make_product(flat: str, symbol: str, precise: bool) -> str:
    inner = f"inner_{symbol}"
    flags = "" if precise else RELAXED_FLAGS
    text = simplified(binding.parse_assembly(_make_gradient(flat, inner, precise)), inner)
    places = {0: X, 2: ARGS, 3: "value", 4: "result", 5: "arena", 6: "arena", 8: "tape", 9: "tape"}
    return tangent(text, inner, symbol, 1, places, flags, own=not precise)


def _make_jacobian(flat: str, symbol: str, precise: bool) -> str:
    places, flags = {0: X, 2: ARGS, 3: "result"}, "" if precise else RELAXED_FLAGS
    for columns in (COLUMNS, 1):
        try:
            text = tangent(flat, FLAT, symbol, columns, places, flags, own=not precise)
        except Refused as reason:
            if columns == 1 or not is_product(reason.callee):  # which BLAS does for one column at a time
                raise
        else:
            return f"{text}\ndefine i64 @{symbol}_columns() alwaysinline {{\n  ret i64 {columns}\n}}\n"
    raise AssertionError


MAKERS = {"gradient": _make_gradient, "product": _make_product, "jacobian": _make_jacobian}


def source_of(form: Form, debug: bool = False) -> tuple[str, str]:
    """(LLVM text of the objective's adapter as Numba emits it, its name)."""
    if calls_itself(form.function):
        raise Refused("it calls itself")
    flags, twins = (frozenset(), {}) if form.precise else (RELAXED, primitives.twins())
    compile_inner = partial(
        source_kernel, flags=flags, compiler=FunctionCompiler, boundscheck=form.boundscheck, debug=debug
    )

    def compile() -> tuple[str, str]:
        adapter = in_adapter(form.function, form.record, twins, compile_inner, {}, form.way)
        return llvm_of(source_kernel(adapter, debug=debug), WAYS[form.way][1])

    try:
        return anew_if_not_found(compile, typing_context())
    except (CompilationError, Refused):
        raise
    except Exception as error:
        raise explain(error, form.function) from None
