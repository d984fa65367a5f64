"""The stages of kernels/differentiate, each by itself, on a few lines of LLVM."""

import ctypes

import numpy as np
import pytest
from llvmlite import binding
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from thalweg.kernels.differentiate.adjoint import adjoint, size_of
from thalweg.kernels.differentiate.flow import Flow
from thalweg.kernels.differentiate.linking import linkable
from thalweg.kernels.differentiate.pointers import ARGS, Pointers, X
from thalweg.kernels.differentiate.reading import Refused, read, split, typed
from thalweg.kernels.differentiate.runtime import replaced

SUM_OF_SQUARES = """
define double @flat(ptr noalias readonly %x, i64 %n, i64 %args) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %s = phi double [ 0.000000e+00, %entry ], [ %t, %loop ]
  %p = getelementptr double, ptr %x, i64 %i
  %v = load double, ptr %p, align 8
  %q = fmul double %v, %v
  %t = fadd double %s, %q
  %j = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %j, %n
  br i1 %more, label %loop, label %done
done:
  ret double %t
}
"""


def test_parts_between_commas():
    assert split('i64 %a, { i64, ptr } %b, [ 1, %c ], "d,e"') == ["i64 %a", "{ i64, ptr } %b", "[ 1, %c ]", '"d,e"']
    assert typed("double noundef %v1") == ("double", "%v1")
    assert typed("{ i64, i1 } %v2") == ("{ i64, i1 }", "%v2")


def test_reading_gives_every_value_a_short_name():
    function = read(SUM_OF_SQUARES, "flat")
    assert function.parameters == ["%v0", "%v1", "%v2"] and [len(b.body) for b in function.blocks] == [0, 6, 0]
    phi, _ = function.blocks[1].phis
    assert phi.args[0] == "0" and phi.labels == [function.blocks[0].name, function.blocks[1].name]


def test_a_loop_is_found_and_one_with_two_entries_is_refused():
    flow = Flow(read(SUM_OF_SQUARES, "flat"))
    (loop,) = flow.loops
    assert loop.is_simple and loop.header is flow.order[1] and flow.exits(loop) == [flow.order[2]]
    crossed = SUM_OF_SQUARES.replace("br label %loop\n", "br i1 %c, label %loop, label %other\n", 1)
    crossed = crossed.replace("%more = icmp", "%w = add i64 0, 0\n  br label %other\nother:\n  %more = icmp")
    crossed = crossed.replace("%entry:", "").replace("entry:", "entry:\n  %c = icmp sgt i64 %n, 3")
    with pytest.raises(Refused, match="two entries"):
        Flow(read(crossed, "flat"))


def test_what_hangs_on_x_and_what_does_not():
    text = SUM_OF_SQUARES.replace("fmul double %v, %v", "fmul double %v, 2.0").replace("%n)", "%n)")
    function = read(text, "flat")
    pointers = Pointers(function, {"%v0": X, "%v2": ARGS}, frozenset([X]))
    names = {i.name for i in pointers.instructions if i.op in ("load", "fmul", "fadd")}
    assert names <= pointers.active and not any(
        i.type == "i64" and i.name in pointers.active for i in pointers.instructions
    )


def test_errors_and_memory_of_numba_are_replaced():
    text = "declare void @NRT_incref(ptr)\ndefine i32 @f() {\n  ret i32 1\n}\n"
    made = replaced(text)
    assert "call void @ad.raise(i32 1)\n  unreachable" in made and "define internal void @NRT_incref(ptr %a)" in made
    binding.parse_assembly(made).verify()


def test_sizes_of_types():
    assert size_of("[3 x double]") == 24 and size_of("{ i64, double }") == 16 and size_of("i8") == 1


def test_the_adjoint_of_a_loop():
    text = adjoint(SUM_OF_SQUARES, "flat", "of_a_sum", own=False)
    with global_compiler_lock:
        library = cpu_target.target_context.codegen().create_library("the test")
        library.add_llvm_module(linkable(text, "of_a_sum")._final_module)
        library.finalize()
    words = [ctypes.c_int64] * 10
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *words)(library.get_pointer_to_function("of_a_sum"))
    x, g, value, room = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(1), np.zeros(3 * 256)
    start = room.ctypes.data
    status = function(
        x.ctypes.data, 3, 0, value.ctypes.data, g.ctypes.data,
        start, start + 2048, 2048, start + 4096, start + 6144,
    )  # fmt: skip
    assert status == 0 and value[0] == 5.25 and g.tolist() == [2.0, -4.0, 1.0]
