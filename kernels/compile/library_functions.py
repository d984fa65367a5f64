"""Functions of Numba's library that are made for the types of their arguments: what is kept of them, for two targets.

Numba keeps the implementations of an overloaded function by the types of its arguments, for all targets together:
after one target has compiled one anew, that of the other is not found ("No definition for lowering"). There are two:
the CPU, and the text from which derivatives are made (differentiate/source.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numba.core.typing import templates

from . import call_types


def anew_if_not_found(compile_it: Callable[[], Any], typing_context: Any) -> Any:
    """What `compile_it` gives; once more, with nothing kept for this target, where a function was not found."""
    try:
        return compile_it()
    except Exception as error:
        if "No definition for lowering" not in str(error):
            raise
    for template in overloaded():
        for key in [key for key in getattr(template, "_impl_cache", ()) if key[0] is typing_context]:
            del template._impl_cache[key]
    call_types.forget()
    return compile_it()


def overloaded() -> Iterator[Any]:
    """The templates of all overloaded functions that Numba has met."""
    waiting: list[Any] = [templates._OverloadFunctionTemplate]
    while waiting:
        template = waiting.pop()
        waiting += template.__subclasses__()
        yield template
