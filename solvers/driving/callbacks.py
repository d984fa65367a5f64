"""The user's callback: in which form it is called, and what its answer means."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ...kernels.given import as_word
from ...kernels.reals import shortened
from .result import AGREE, Result

Tell = Callable[[Result, float], None]
FORMS = "callback(intermediate_result), whose x and fun are the best so far, callback(x) or callback(x, convergence)"


def read_callback(callback: Any) -> Tell:
    """tell(found, convergence): calls the user's function as it wants to be called; StopIteration where that says stop.

    `convergence`, as in SciPy's differential_evolution: 1 and above where the values agree.

    Raises
    ------
    TypeError
        Where it is none, or cannot be called in any of the forms.
    """
    if not callable(callback):
        raise TypeError(f"callback: got {type(callback).__name__}, expected a callable")
    call = _form(callback)

    def tell(found: Result, convergence: float) -> None:
        if asks_to_stop(call(found, convergence)):
            raise StopIteration

    return tell


def wants_each_generation(callback_every, callback, device: str, single: bool = False) -> bool:
    """Whether the callback is called after each generation, from the argument `callback_every`.

    single: whether there is one run of a local method, which is called so if nothing else is said, as in SciPy.
    """
    if callback_every is None:
        return single and callback is not None
    as_word("callback_every", callback_every, ["generation"])
    if callback is None:
        raise ValueError(f"callback_every: got {callback_every!r} without a callback, expected one beside it")
    if device == "cuda":
        raise ValueError("callback_every: device='cuda' makes many generations between two looks; leave it out")
    return True


def _form(callback) -> Callable[[Result, float], Any]:
    try:
        signature = inspect.signature(callback)
    except (TypeError, ValueError):  # some builtins have none
        return lambda found, convergence: callback(found.x)
    names = signature.parameters
    if "intermediate_result" in names and _takes(signature, intermediate_result=None):
        return lambda found, convergence: callback(intermediate_result=found)
    if "convergence" in names and _takes(signature, None, convergence=0.0):
        return lambda found, convergence: callback(found.x, convergence=convergence)
    if _takes(signature, None):
        return lambda found, convergence: callback(found.x)
    raise TypeError(f"callback: got a function of {', '.join(names) or 'nothing'}, expected {FORMS}")


def _takes(signature: inspect.Signature, *values, **named) -> bool:
    try:
        signature.bind(*values, **named)
    except TypeError:
        return False
    return True


def asks_to_stop(answer) -> bool:
    """What a callback returned: True stops, None and False go on; anything else is said, not guessed at."""
    if answer is None:
        return False
    one = isinstance(answer, int) or getattr(answer, "shape", None) == ()
    if one and np.asarray(answer).dtype.kind in "bi" and answer in (0, 1):
        return bool(answer)
    raise TypeError(f"callback: it returned {shortened(answer)}, expected True to stop, None or False to go on")


def convergence_of(fun: float, spread: float, ftol: float) -> float:
    """How nearly the values agree to within ftol, or to what counts as success: below 1 they do not."""
    tolerance = (ftol if ftol > 0 else AGREE) * (1.0 + abs(fun))
    if spread == 0:
        return float("inf")
    return tolerance / spread if spread > 0 else 0.0  # of a spread of NaN: nothing finite yet
