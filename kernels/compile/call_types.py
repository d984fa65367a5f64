"""What functions of Numba's library give for the types of their arguments: found once in a compilation.

Numba tries the templates of a function one after another at each call, and an operator has dozens: to compile l_bfgs_b
it does so 4,800 times and comes to 340 different answers, which takes a fifth of the time. The answers are let go with
the compilation that asked, as types of arguments hold on to functions of the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.targetconfig import ConfigStack
from numba.core.types.functions import BaseFunction

_find: Any = BaseFunction.get_call_type
_tables: list[tuple[Any, dict | None, dict]] = []  # a target, the flags of what is compiled, and the answers under them


def _table(context: Any) -> dict:
    """Flags are compared, not hashed: some have values that may change. There are a handful."""
    flags: Any = ConfigStack.top_or_none()
    now = None if flags is None else flags._values
    for target, under, table in _tables:
        if target is context and under == now:
            return table
    table: dict = {}
    _tables.append((context, None if now is None else dict(now), table))
    return table


def _call_type(function: Any, context: Any, args: Any, kws: Any) -> Any:
    """As Numba's; a function that is given more templates is another one, and errors are not kept."""
    table, call = _table(context), (function, tuple(args), tuple(kws.items()))
    if call not in table:
        signature = _find(function, context, args, kws)
        table[call] = signature, function._impl_keys[signature.args]
    signature, function._impl_keys[signature.args] = table[call]  # the other target has written there, perhaps
    return signature


def forget() -> None:
    """Look everything up anew: what an answer stands for is no longer kept."""
    _tables.clear()


@contextmanager
def found_once() -> Iterator[None]:
    """Within, and in all compilations that stand within this one.

    Who enters holds Numba's lock of compilation, so nobody else's meets it."""
    before: Any = BaseFunction.get_call_type
    BaseFunction.get_call_type = _call_type  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        BaseFunction.get_call_type = before
        if before is not _call_type:
            forget()
