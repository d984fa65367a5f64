"""What can be wrong with an objective, said as early and as clearly as possible.

An exception carries the x that raised it; Numba's reasons are cut to what a user can act on. What machine code makes of
a function is compared with the function itself in comparing.py.
"""

from __future__ import annotations

import dis
import math
import re
import types as python_types
from pathlib import Path
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from .what_to_write import IN_PYTHON, readable, what_to_write


class CompilationError(TypeError):
    """The objective is beyond what Numba compiles."""


class NotDifferentiable(CompilationError):
    """The objective compiles, but something in it has no automatic derivative."""


def as_float(value) -> float:
    """The value of an objective as a float, or an error that says what was returned."""
    if isinstance(value, float | int | np.floating | np.integer | np.bool_):
        return float(value)
    if math.prod(getattr(value, "shape", (0,))) == 1 and np.asarray(value).dtype.kind in "biuf":  # of NumPy, JAX
        return float(np.asarray(value).item())
    if isinstance(value, np.ndarray):
        got = f"an array of shape {value.shape}" + (" and dtype object" if value.dtype == object else "")
    else:
        got = "None" if value is None else f"{type(value).__name__} {value!r:.40}"
    raise TypeError(f"fun: the objective returned {got}, expected one real number")


def takes_batches(function, args: tuple, probe: np.ndarray) -> bool:
    """Whether a function that fails at one point x (D,) gives n values for n points (n, D)."""
    many = len(probe) + 1
    try:
        with np.errstate(all="ignore"):
            values = np.asarray(function(np.tile(np.asarray(probe, dtype=np.float64), (many, 1)), *args))
    except Exception:
        return False
    return values.shape == (many,) and values.dtype.kind in "biuf"


def undefined(error: Exception) -> bool:
    """Whether Python raised where compiled code gives inf or nan: 1 / 0, math.exp(1000), math.log(-1).

    The last is a ValueError that no `raise` statement made, in code that uses `math`; or int(nan).
    """
    if isinstance(error, ZeroDivisionError | OverflowError | FloatingPointError):
        return not _was_raised(error)
    if not isinstance(error, ValueError) or _was_raised(error):
        return False
    if str(error).startswith("cannot convert float NaN"):
        return True
    return any(name in _innermost(error).tb_frame.f_code.co_names for name in ("math", *vars(math)))


def _was_raised(error: Exception) -> bool:
    """Whether a `raise` statement made the exception."""
    trace = _innermost(error)
    here = (i for i in dis.get_instructions(trace.tb_frame.f_code) if i.offset == trace.tb_lasti)
    return any(i.opname == "RAISE_VARARGS" for i in here)


def _innermost(error: Exception) -> Any:
    trace: Any = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def at_point(error: Exception, x: np.ndarray) -> Exception:
    """The exception, with the x that raised it as a note and as the attribute `x`."""
    note = f"raised by the objective at x = {np.array2string(np.asarray(x), threshold=20)}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    try:
        error.x = np.array(x)  # pyright: ignore[reportAttributeAccessIssue]
    except AttributeError:
        pass
    return error


def refuse_try(functions) -> None:
    """Refuse `try` with `except`: compiled arithmetic gives inf or NaN where Python raises, and nothing is caught.

    `finally` is the same in both, unless it leaves by `return` or `break` and so catches, too.
    """
    for code in _codes(functions):
        instructions = list(dis.get_instructions(code))
        for i, instruction in enumerate(instructions):
            if instruction.opname != "PUSH_EXC_INFO" or instructions[i + 1].opname == "WITH_EXCEPT_START":
                continue
            end = next(k for k in instructions[i:] if k.opname in ("POP_EXCEPT", "RERAISE"))
            if end.opname == "POP_EXCEPT":
                lines = (k.positions.lineno for k in instructions[i:] if k.positions is not None)
                raise CompilationError(
                    f"fun: {code.co_name} catches exceptions, which compiled code cannot do as Python does: 10 / 0 and "
                    f'math.exp(1000) are inf there, math.sqrt(-1) is NaN.\nFile "{code.co_filename}", line '
                    f"{next(line for line in lines if line)}\nTest the values beforehand (if n == 0: ...), or evaluate "
                    "it in Python with thalweg.objective(f, compiled=False)"
                )


def _codes(functions) -> list[python_types.CodeType]:
    """The codes of the functions and of those inside them."""
    waiting = [
        getattr(f, "py_func", f).__code__ for f in functions if isinstance(f, Dispatcher | python_types.FunctionType)
    ]
    found = []
    while waiting:
        code = waiting.pop()
        found.append(code)
        waiting += [inner for inner in code.co_consts if isinstance(inner, python_types.CodeType)]
    return found


def explain(error: Exception, function) -> CompilationError:
    """Numba's reason in at most two lines, what it did not understand and where, and what to do."""
    noise = ("Failed in", "During:", "- Resolution", "There are", "- Of which", "File ", "raised from")
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith(noise)] or [type(error).__name__]
    reason = lines[0]
    if reason.endswith("for signature:") and len(lines) > 1:
        reason += " " + lines[1].removeprefix(">>> ")
    reason = re.sub(r"\.?\.? Raised from .*", ".", reason)
    reason = readable(reason)
    return CompilationError(
        f"fun: Numba cannot compile {function.__name__}: {reason:.300}\n{_place(str(error), function)}\n"
        f"{what_to_write(reason)}, or {IN_PYTHON}"
    )


def _place(message: str, function) -> str:
    """The innermost line that Numba names and that stands neither in Numba nor in the engine's adapter."""
    ours = (Path(__file__).parent / "adapters.py").resolve()
    for file, line in re.findall(r'File "([^"]+)", line (\d+)', message) + re.findall(r" (\S+) \((\d+)\)$", message):
        path = Path(file).resolve()
        if path != ours and "numba" not in path.parts:
            return f'File "{file}", line {line}'
    code = function.__code__
    return f'File "{code.co_filename}", line {code.co_firstlineno}'
