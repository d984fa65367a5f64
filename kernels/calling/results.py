"""What an objective may return: a number, or an array that holds one (0-d, or of shape (1,)), as in SciPy."""

from __future__ import annotations

from numba.core import types
from numba.extending import overload


def number(value):
    raise NotImplementedError("compiled code asks")


@overload(number, inline="always")
def _number(value):
    return vars(number)["answers"].get(value.ndim if isinstance(value, types.Array) else None, _itself)


def _itself(value):
    return value


def _of_0d(value):
    return value[()]


def _of_vector(value):
    if len(value) != 1:
        raise TypeError("fun: the objective returned an array of several numbers or none, expected one real number")
    return value[0]


# fingerprint.py sees them, so that an edited one is compiled anew
vars(number)["answers"] = {None: _itself, 0: _of_0d, 1: _of_vector}
