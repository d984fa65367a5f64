"""Flags and words that a caller gives, as what they are or as an error that names the argument."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .reals import shortened


def as_flag(name: str, value: Any) -> bool:
    """True or False; 1 and 0 are taken, too. Arrays and words mean something else, "no" is true."""
    if isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise TypeError(f"{name}: got {shortened(value)}, expected True or False")


def as_word(name: str, value: Any, words: Iterable[str]) -> str:
    """One of the words."""
    known = list(words)
    if isinstance(value, str) and value in known:
        return value
    expected = " or ".join(map(repr, known)) if len(known) == 2 else f"one of {', '.join(known)}"
    raise ValueError(f"{name}: got {shortened(value)}, expected {expected}")
