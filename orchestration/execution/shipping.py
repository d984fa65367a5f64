"""A work as bytes for the workers of a cluster, with the user's own modules by value."""

from __future__ import annotations

from ...kernels.compile.by_value import dumps
from .work import Work


def pack(work: Work) -> bytes:
    """
    Raises
    ------
    TypeError
        If something in it cannot be pickled, with the reason.
    """
    try:
        return dumps(work)
    except Exception as error:
        raise TypeError(
            f"client: the {work.name} cannot be sent to workers ({type(error).__name__}: {error}); expected a "
            "function and arguments that can be pickled. C pointers, locks and files belong inside the function"
        ) from error
