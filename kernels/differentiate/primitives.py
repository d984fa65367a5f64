"""sin, cos, tan, exp, expm1, tanh, log, log1p: opaque calls `ad.sin` ... while a function is differentiated.

Afterwards they are the engine's own (numbers/elementary.py), copied into the derivative, so that its loops vectorise.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import types
from numba.extending import intrinsic as _intrinsic

from ..compile.jit import kernel
from ..numbers import elementary, gamma
from .source import Dispatcher, source_kernel

intrinsic: Any = _intrinsic
ATTRIBUTES = ("memory(none)", "nounwind", "speculatable", "willreturn")


def _opaque(name: str) -> Any:
    """A function of the source target that is nothing but a call of `ad.<name>`."""

    @intrinsic
    def call(typingctx, x):
        def codegen(context, builder, signature, arguments):
            functions = builder.module.globals
            if f"ad.{name}" not in functions:
                double = ir.DoubleType()
                function = ir.Function(builder.module, ir.FunctionType(double, [double]), f"ad.{name}")
                for attribute in ATTRIBUTES:
                    set.add(function.attributes, attribute)  # past llvmlite's list of those that it knows
            return builder.call(functions[f"ad.{name}"], arguments)

        return types.float64(types.float64), codegen

    def function(x):
        return call(np.float64(x))

    # LLVM ends the process where a symbol is missing, even if nothing calls it.
    binding.add_symbol(f"ad.{name}", 1)
    return source_kernel(function)


@cache
def twins() -> dict:
    """What stands in for the functions of `math` and NumPy, and for our own (compile/substitution.py)."""
    found: dict = {}
    for original in elementary.FUNCTIONS:
        name = original.__name__
        library = getattr(np, name)
        found[getattr(math, name)] = found[original] = function = _opaque(name)
        twin: Any = elementary.ArrayFunction(function, library)
        found[library] = twin
        twin._install_type(Dispatcher.targetdescr.typing_context)
        twin._install_cg(Dispatcher.targetdescr.target_context)
    return found


DEFINED = {function.__name__: function for function in (*elementary.FUNCTIONS, *gamma.FUNCTIONS)}


def define(text: str, compiled: Any = None) -> tuple[str, dict[str, Any]]:
    """The module with what it calls of `ad.sin` ... defined; the symbols of the functions and their libraries.

    compiled: name -> (symbol, what defines it), where that is no library of the CPU.
    """
    libraries = {}
    for name in sorted(set(re.findall(r"@ad\.(\w+)\(", text)) & set(DEFINED)):
        symbol, library = (compiled or _compiled)(name)
        text = re.sub(rf"^declare [^\n]*@ad\.{name}\([^\n]*$", "", text, flags=re.M)
        text += DEFINITION.format(name=name, symbol=symbol)
        libraries[symbol] = library
    return text, libraries


DEFINITION = """
declare i32 @"{symbol}"(ptr, ptr, double)
define internal double @ad.{name}(double %x) alwaysinline {{
  %value = alloca double
  %error = alloca ptr
  %status = call i32 @"{symbol}"(ptr %value, ptr %error, double %x)
  %result = load double, ptr %value
  ret double %result
}}
"""


@cache
def _compiled(name: str) -> tuple[str, Any]:
    signature = (types.float64,)
    dispatcher = kernel(DEFINED[name].py_func, inner=True, inline=True)
    dispatcher.compile(signature)
    compiled = dispatcher.overloads[signature]
    return compiled.fndesc.llvm_func_name, compiled.library
