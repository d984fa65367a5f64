"""What decides the machine code of a function, as text: equal for equal content, in any file and any process.

That is its own bytecode, constants, defaults and closure, and the same of everything it references. The modules of
Python, NumPy, SciPy, Numba and llvmlite count by their versions.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import struct
import sys
import sysconfig
import types as python_types
import uuid
from enum import Enum
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic
from numba.core.serialize import dumps
from numba.np.ufunc.dufunc import DUFunc

STANDARD_LIBRARY = sysconfig.get_path("stdlib")


def _of_this_folder() -> str:
    """A digest of what decides how code is compiled and kept: the sources in this folder."""
    try:
        sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    except OSError:  # packed away: the versions of its package tell
        return "packed"
    return hashlib.sha256(sources).hexdigest()[:12]


VERSIONS = {  # of whatever compiled code is made from, beside its own source
    "compiler": _of_this_folder(),
    "python": ".".join(map(str, sys.version_info[:3])),
    "numpy": np.__version__,
    "numba": numba.__version__,
    "llvmlite": llvmlite.__version__,
    "scipy": importlib.metadata.version("scipy"),
}


def fingerprint(function) -> str:
    """A digest of all that decides what `function` compiles to: its own content and that of all it references.

    What a user registers with Numba from outside the function (`numba.extending.overload`) is not seen.
    """
    return hashlib.sha256(_describe(function, {}, frozenset()).encode()).hexdigest()


def _describe(value, seen: dict, names: frozenset) -> str:
    """Text that is equal for equal content. `seen`: what was described before, kept alive so that its id stays its own.

    `names`: the attributes that a module is asked for.
    """

    def all_of(items) -> str:
        return ",".join(_describe(item, seen, names) for item in items)

    kind = type(value)
    if kind in PLAIN:
        return repr(value)
    if kind is float or kind is complex:
        return struct.pack("<2d", value.real, value.imag).hex()  # tells zeros, and NaNs, by their signs
    if isinstance(value, np.ndarray | np.generic):
        return f"{kind.__qualname__}{_describe_array(value, seen, names)}"
    if isinstance(value, Enum):
        return f"{_describe_class(kind, seen)}({_describe(value.value, seen, names)})"
    if isinstance(value, tuple | list):
        return f"{_describe_class(kind, seen)}({all_of(value)})"
    if isinstance(value, set | frozenset):
        return f"set({','.join(sorted(_describe(item, seen, names) for item in value))})"
    if isinstance(value, dict):
        return f"dict({','.join(all_of(item) for item in value.items())})"
    if isinstance(value, (*PLAIN, float, complex)):  # a class made from one of them, which may print as anything
        base: Any = next(base for base in (*PLAIN, float, complex) if isinstance(value, base))
        return f"{_describe_class(kind, seen)}({base.__repr__(value)})"
    if isinstance(value, types.Type):
        return type_text(value)
    if isinstance(value, np.dtype):
        return _describe_dtype(value)
    if isinstance(value, ir.Type):
        return f"llvm {value}"  # its pickle changes once it was printed
    if isinstance(value, type) and not hasattr(value, "class_type"):  # which jitclasses have
        return f"class {_describe_class(value, seen)}"
    if isinstance(value, python_types.ModuleType):
        return _describe_module(value, seen, names)
    return _describe_callable(value, seen)


PLAIN = (bool, int, str, bytes, type(None))  # they print as what they are


def _describe_array(value, seen: dict, names: frozenset) -> str:
    array = np.asarray(value)
    if array.dtype.hasobject:
        return f"objects{array.shape}{_describe(array.ravel().tolist(), seen, names)}"
    flags = array.flags
    layout = f"{flags.c_contiguous}{flags.f_contiguous}{flags.aligned}"
    return f"{_describe_dtype(array.dtype)}{array.shape}{layout}{hashlib.sha256(array.tobytes()).hexdigest()}"


def _describe_dtype(dtype: np.dtype) -> str:
    return dtype.str if dtype.names is None and dtype.subdtype is None else repr(dtype)


def _describe_class(kind: type, seen: dict) -> str:
    """What compiled code may know of a class: the fields of a named tuple, the members of an enumeration."""
    constants: Any = ""
    if fields := getattr(kind, "_fields", None):
        constants = fields, getattr(kind, "_field_defaults", None)
    elif issubclass(kind, Enum):
        constants = {name: member.value for name, member in kind.__members__.items()}
    inside = _describe(constants, seen, frozenset()) if constants else ""
    return f"{kind.__module__}.{kind.__qualname__}{inside}"


def _describe_module(module, seen: dict, names: frozenset) -> str:
    """By what is asked of it: what a library has of its own is told by name, what others put there by content."""
    if (id(module), names) in seen:
        return f"seen {seen[id(module), names][0]}"
    seen[id(module), names] = len(seen), module
    inside = vars(module)
    if of_library(module.__name__):
        found = {n: inside[n] for n in sorted(names) if n in inside}
    else:
        found = {n: getattr(module, n) for n in sorted(names) if hasattr(module, n)}
    version = inside.get("__version__", "")
    return f"module {module.__name__} {version}({_describe(found, seen, names)})"


def _describe_callable(value: Any, seen: dict) -> str:
    if id(value) in seen:
        return f"seen {seen[id(value)][0]}"
    seen[id(value)] = len(seen), value
    if isinstance(value, DUFunc):
        inner: Any = value._dispatcher  # pyright: ignore[reportAttributeAccessIssue]
        return f"ufunc {_describe(inner.py_func, seen, frozenset())}"
    if isinstance(value, Dispatcher):
        options = getattr(value._cache, "options", None) or describe_options(value)  # pyright: ignore[reportAttributeAccessIssue]
        return f"compiled{options}{_describe(value.py_func, seen, frozenset())}"
    if isinstance(value, _Intrinsic):
        return f"intrinsic{_describe(value._defn, seen, frozenset())}"
    if isinstance(value, python_types.FunctionType) and not library_function(value):
        return _describe_function(value, seen)
    if of_library(getattr(value, "__module__", None)) and (
        hasattr(value, "__qualname__") or isinstance(value, np.ufunc)
    ):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', repr(value))}"
    try:
        return hashlib.sha256(dumps(value)).hexdigest()
    except Exception:  # cannot be described: this process knows it by identity, no other finds it
        return _opaque.setdefault(id(value), (value, uuid.uuid4().hex))[1]


_opaque: dict[int, tuple] = {}  # keeps the objects, so that an id is never another one's


def of_library(module_name: str | None) -> bool:
    """Whether a module's content is told by the versions in the key."""
    top = (module_name or "builtins").split(".")[0]
    if top in VERSIONS:
        return True
    if top not in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(top), "__file__", None)  # a user's own queue.py is not the standard library's
    return top != "__main__" and (file is None or file.startswith(STANDARD_LIBRARY))


def library_function(function) -> bool:
    """Whether a Python function is a library's own: its globals are those of a module of the library.

    What it says of its module does not count: NumPy gives the names of its packages, and `exec` any.
    """
    name = function.__globals__.get("__name__")
    module = sys.modules.get(name)
    return module is not None and vars(module) is function.__globals__ and of_library(name)


def describe_options(dispatcher) -> str:
    return str(sorted((k, repr(_ordered(v))) for k, v in dispatcher.targetoptions.items()))


def _describe_function(function, seen: dict) -> str:
    names = names_in(function.__code__)
    places = (function.__builtins__, function.__globals__)  # the latter hide the former
    outside = {n: place[n] for n in sorted(names) for place in places if n in place}
    cells = [cell_content(c) for c in function.__closure__ or ()]
    parts = (
        describe_code(function.__code__),
        _describe(function.__defaults__, seen, names),
        _describe(function.__kwdefaults__, seen, names),
        _describe(outside, seen, names),
        _describe(cells, seen, names),
        _describe(getattr(function, "answers", None), seen, names),  # of a question (calling/asking.py)
        _describe([(p.name, p.default) for p in vars(function).get("thalweg_parameters", ())], seen, names),
    )
    return f"function {function.__name__}({'|'.join(parts)})"


def describe_code(code) -> str:
    constants = [describe_code(c) if hasattr(c, "co_code") else _describe(c, {}, frozenset()) for c in code.co_consts]
    shape = (code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags)
    words = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return f"{code.co_code.hex()}{code.co_exceptiontable.hex()}{shape}{words}{constants}"


def names_in(code) -> frozenset:
    """The global and attribute names that a code object and those nested in it use."""
    inner = (names_in(c) for c in code.co_consts if hasattr(c, "co_code"))
    return frozenset(code.co_names).union(*inner)


def cell_content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return "empty cell"


def _ordered(value):
    if isinstance(value, dict):
        return sorted(value.items())
    return sorted(value) if isinstance(value, set | frozenset) else value


def signature_text(sig) -> str:
    return ",".join(type_text(argument) for argument in getattr(sig, "args", sig))


def type_text(ty: Any) -> str:
    """A type of Numba as text that tells it from all others: functions by content, named tuples with their fields."""
    if isinstance(ty, types.Dispatcher):
        return fingerprint(ty.dispatcher)
    if isinstance(ty, types.BaseTuple):
        fields = type(ty).__name__
        if isinstance(ty, types.BaseNamedTuple):
            kind: Any = ty.instance_class  # pyright: ignore[reportAttributeAccessIssue]
            fields += f" {kind.__module__}.{kind.__qualname__}{ty.fields}"  # pyright: ignore[reportAttributeAccessIssue]
        return f"{fields}({','.join(type_text(member) for member in ty.types)})"  # pyright: ignore[reportAttributeAccessIssue]
    return str(ty)
