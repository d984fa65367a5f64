"""C functions as objectives: what ctypes, cffi and scipy.LowLevelCallable hold, as an address.

Two forms are taken: `double (int, double *, void *)` and `double (int, double *)`.
"""

from __future__ import annotations

import ctypes
from _ctypes import CFuncPtr
from typing import Any

from numba.core.ccallback import CFunc

FORMS = ("double(int,double*)", "double(int,double*,void*)")
VECTOR = ctypes.POINTER(ctypes.c_double)


def c_pointer(function: Any) -> tuple[int, int | None] | None:
    """(address, user data, or None in the form without it) of a C function, or None where it is none."""
    if isinstance(function, CFunc):  # numba.cfunc
        function = function.ctypes
    if isinstance(function, CFuncPtr):
        return _ctypes_pointer(function)
    module = type(function).__module__
    if module == "_cffi_backend":
        return _cffi_pointer(function)
    if type(function).__name__ == "LowLevelCallable" and module.startswith("scipy"):
        return _low_level_pointer(function)
    return None


def _ctypes_pointer(function) -> tuple[int, int | None]:
    arguments = tuple(function.argtypes or ())
    if function.restype is not ctypes.c_double or arguments not in (
        (ctypes.c_int, VECTOR),
        (ctypes.c_int, VECTOR, ctypes.c_void_p),
    ):
        raise TypeError(
            "fun: got a ctypes function of another form, "
            "expected restype c_double and argtypes (c_int, POINTER(c_double)[, c_void_p])"
        )
    address = ctypes.cast(function, ctypes.c_void_p).value
    if not address:
        raise ValueError("fun: got a ctypes function whose address is null")
    return address, 0 if len(arguments) == 3 else None


def _cffi_pointer(function) -> tuple[int, int | None]:
    import _cffi_backend  # pyright: ignore[reportMissingImports]  (there when a cffi object is)

    name = _cffi_backend.typeof(function).cname
    has_data = _has_data(name.replace("(*)", ""), name)
    address = int(_cffi_backend.cast(_cffi_backend.FFI().typeof("intptr_t"), function))
    if not address:
        raise ValueError("fun: got a cffi function whose address is null")
    return address, 0 if has_data else None


def _low_level_pointer(function) -> tuple[int, int | None]:
    has_data = _has_data(function.signature, function.signature)
    capsule = tuple.__getitem__(function, 0)
    api = ctypes.pythonapi
    name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))(capsule)
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", api))
    context = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(("PyCapsule_GetContext", api))
    return pointer(capsule, name), (context(capsule) or 0) if has_data else None


def _has_data(form: str, name: str) -> bool:
    """Whether the form takes user data; an error where it is neither of the two."""
    form = form.replace("const", "").replace(" ", "")
    if form not in FORMS:
        raise TypeError(f"fun: got the C function {name}, expected double (int, double *[, void *])")
    return form == FORMS[1]
