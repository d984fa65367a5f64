"""Everything that the objective calls in one body, simplified as far as LLVM goes without vectors.

The flat function has four parameters at most, and no status: what fails calls `ad.raise`. The machine that the
simplification is for is a plain one, `k8`: LLVM unrolls what it can count and does not unroll at run time (measured on
Rosenbrock's gradient at 1000: 1.1 µs; for `generic` 1.85, where `x**2` stays a loop 9.1).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from llvmlite import binding

from .decompositions import with_loops
from .runtime import replaced

FLAT = "flat"
PLAIN_MACHINE = "k8"

# A function double (x, n, args) around Numba's own (result, error, the seven words of an array, args).
VALUE = """
define double @flat(ptr noalias readonly %x, i64 %n, i64 %args) {{
  %value = alloca double
  %error = alloca ptr
  %status = call i32 @"{entry}"(ptr %value, ptr %error, ptr null, ptr null, i64 %n, i64 8,
      ptr %x, i64 %n, i64 8, i64 %args)
  %result = load double, ptr %value
  ret double %result
}}
"""


# The same of residuals: void (x, n, args, r, m) around Numba's (result, error, x, args, r).
VECTOR = """
define void @flat(ptr noalias readonly %x, i64 %n, i64 %args, ptr noalias %r, i64 %m) {{
  %value = alloca double
  %error = alloca ptr
  %status = call i32 @"{entry}"(ptr %value, ptr %error, ptr null, ptr null, i64 %n, i64 8,
      ptr %x, i64 %n, i64 8, i64 %args, ptr null, ptr null, i64 %m, i64 8, ptr %r, i64 %m, i64 8)
  ret void
}}
"""

AROUND = {"value": VALUE, "vector": VECTOR}  # by what the function returns (calling/adapters.py)


def flatten(text: str, entry: str, around: str = VALUE) -> str:
    """The text of a module in which the function `flat` calls nothing that could be inlined."""
    text, parts = with_loops(text)
    module = _parsed(text, around.format(entry=entry))
    for part in parts:
        module.link_in(_parsed(part))
    return simplified(module)


def _parsed(text: str, more: str = "") -> Any:
    text = re.sub(r"\b(noinline|optnone|alwaysinline)\b ?", "", text)
    text = re.sub(r"^(attributes #\d+ = \{) *\}", r"\1 nounwind }", text, flags=re.M)
    return binding.parse_assembly(replaced(text) + more)


def simplified(module: Any, name: str = FLAT) -> str:
    """Inline all that the function `name` calls, and simplify it."""
    for function in module.functions:
        if not function.is_declaration:
            if function.name == name:
                function.linkage = "external"
            else:
                function.linkage = "internal"
                function.add_function_attribute("alwaysinline")
    builder = _builder()
    first: Any = binding.create_new_module_pass_manager()
    first.add_always_inliner_pass()
    first.add_global_dead_code_eliminate_pass()
    first.run(module, builder)
    builder.getModulePassManager().run(module, builder)
    last: Any = binding.create_new_module_pass_manager()
    last.add_lower_switch_pass()
    last.add_loop_simplify_pass()
    last.add_dead_code_elimination_pass()
    last.add_instruction_namer_pass()
    last.run(module, builder)
    return str(module)


def _builder() -> Any:
    tuning: Any = binding.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_interleaving = False
    tuning.loop_unrolling = True
    return binding.create_pass_builder(_machine(), tuning)


@cache
def _machine() -> Any:
    return binding.Target.from_default_triple().create_target_machine(cpu=_plain_machine(), opt=3)


def _plain_machine() -> str:
    return PLAIN_MACHINE if binding.get_process_triple().startswith(("x86_64", "i686")) else ""
