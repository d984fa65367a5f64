"""What stands in a space as JSON types, the same in every process: for the header of a journal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...kernels.compile.code_hash import code_hash

LISTED = 1000  # values; of a longer list the digest alone


def describe(value) -> Any:
    """Numbers, texts, lists and dicts of them as they are; anything else by type and digest."""
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    if isinstance(value, list | tuple) and len(value) <= LISTED:
        return [describe(item) for item in value]
    if isinstance(value, dict) and len(value) <= LISTED and all(isinstance(key, str) for key in value):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, np.number) and isinstance(value.item(), int | float):
        return describe(value.item())
    return {"type": type(value).__qualname__, "hash": code_hash(value)}


def describe_distribution(frozen) -> dict[str, Any]:
    """A distribution of scipy.stats by name and parameters; one that SciPy does not define by quantiles, too."""
    told = {
        "distribution": frozen.dist.name,
        "args": describe(frozen.args),
        "kwds": {name: describe(value) for name, value in frozen.kwds.items()},
    }
    kind = type(frozen.dist)
    if not kind.__module__.startswith("scipy.") or kind.__name__ in ("rv_sample", "rv_histogram"):
        told["quantiles"] = np.asarray(frozen.ppf((np.arange(64) + 0.5) / 64), dtype=float).tolist()
    return told
