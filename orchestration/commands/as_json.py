"""A result in JSON's types, for `thalweg run --json`."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from ...kernels.problem import Problem
from ...solvers.driving.result import Result, StopReason


def as_json(problem, name: str, result: Result) -> str:
    """The whole result, and what is known of the problem, in JSON's types; null stands for inf and nan."""
    content = {**_known(problem, name), **result, "stop_reason": result.stop_reason.name.lower()}
    if "runs" in result:
        content["runs"] = [dict(zip(result.runs.dtype.names, row, strict=True)) for row in result.runs]
        for run in content["runs"]:
            run["stop"] = StopReason(int(run["stop"])).name.lower()
    return json.dumps(_plain(content), indent=2, allow_nan=False)


def _known(problem, name: str) -> dict:
    """What a Problem says of itself; of a function its name."""
    if not isinstance(problem, Problem):
        return {"problem": {"name": name}}
    known = problem.minimum
    return {
        "problem": {"name": name, "reference": problem.reference, "names": problem.names, "bounds": problem.bounds},
        "minimum": None if known is None else {"x": known.x, "fun": known.fun},
    }


def _plain(value) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else repr(value)
