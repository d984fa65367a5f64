"""What a function of the user's may return.

number(value)       an objective: a number, or an array that holds one, as in SciPy
store(value, out)   a gradient, a Hessian, residuals: an array, a tuple or a list of numbers, put into out (M,)
"""

from __future__ import annotations

from numba.core import types
from numba.extending import overload


def number(value):
    raise NotImplementedError("compiled code asks")


@overload(number, inline="always")
def _number(value):
    return vars(number)["answers"][min(value.ndim, 1) if isinstance(value, types.Array) else None]


def _itself(value):
    return value


def _of_0d(value):
    return value[()]


def _of_array(value):
    if value.size != 1:
        raise TypeError("fun: the objective returned an array of several numbers or none, expected one real number")
    return value.flat[0]


# fingerprint.py sees them, so that an edited one is compiled anew
vars(number)["answers"] = {None: _itself, 0: _of_0d, 1: _of_array}


def store(value, out):
    raise NotImplementedError("compiled code asks")


@overload(store, inline="always")
def _store(value, out):
    kind = "array" if isinstance(value, types.Array) else None
    if isinstance(value, types.BaseTuple | types.List):
        kind = "sequence"
    return vars(store)["answers"][kind]


def _store_array(value, out):
    if value.size != out.size:
        raise ValueError("the function returned another number of entries than at the first point")
    k = 0
    for entry in value.flat:
        out[k] = entry
        k += 1


def _store_sequence(value, out):
    if len(value) != out.size:
        raise ValueError("the function returned another number of entries than at the first point")
    k = 0
    for entry in value:
        out[k] = entry
        k += 1


def _store_number(value, out):
    if out.size != 1:
        raise ValueError("the function returned another number of entries than at the first point")
    out[0] = value


vars(store)["answers"] = {"array": _store_array, "sequence": _store_sequence, None: _store_number}
