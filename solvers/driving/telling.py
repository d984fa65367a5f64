"""A result for people, for pandas and for JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from .stop_reason import StopReason, stop_name


def show(name: str, value) -> str:
    """An item of a result, on one line."""
    if name == "history":
        return counted(len(next(iter(value.values()))), "entry", "entries")
    if name == "runs":
        stops = Counter(map(stop_name, value["stop"].tolist()))
        each = ", ".join(f"{count} {stop}" for stop, count in stops.most_common())
        return f"{counted(len(value), 'run')}: {each}"
    if name == "names":
        return ", ".join(value[:20]) + (", ..." if len(value) > 20 else "")
    if name == "table":
        return f"{counted(len(value['fun']), 'row')} of {', '.join(value)}"
    if name == "failures":
        return "none" if not value else f"{len(value)}: " + "; ".join(f"{t['unit']} {t['kind']}" for t in value[:3])
    if name == "timing":
        return ", ".join(f"{key} {seconds:.3g} s" for key, seconds in value.items())
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, StopReason):
        return stop_name(value)
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=8, threshold=20)
    return str(value)


def counted(number: int, what: str, several: str | None = None) -> str:
    """1 run, 2 runs."""
    return f"{number:,} {what if number == 1 else several or what + 's'}"


def left_out(what: str, number: int, fun: float) -> str:
    """A better value that is no part of the answer, because when it was found hangs on timing."""
    return (
        f" A later {what}, number {number}, had found {fun:.6g}, which is left out: with a target the answer is the "
        f"best up to the first {what}, by number, that reached it, whatever came in before."
    )


def columns_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a frame: those of the runs, then the variables; or the table of a search."""
    if "table" in result:
        return dict(result["table"])
    if "runs" not in result:
        raise ValueError("to_frame: the result holds neither runs nor a table of points")
    runs = result["runs"]
    columns: dict[str, Any] = {name: runs[name] for name in runs.dtype.names if name != "x"}
    columns["stop"] = [stop_name(code) for code in runs["stop"].tolist()]
    for k, name in enumerate(map(str, result["names"])):
        columns[f"x_{name}" if name in columns else name] = runs["x"][:, k]
    return columns


def in_words(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result whose stops have names, and whose runs are dicts."""
    told = dict(result)
    if "stop_reason" in told:
        told["stop_reason"] = stop_name(told["stop_reason"] or 0)
    if "runs" in told:
        runs = told["runs"]
        told["runs"] = [dict(zip(runs.dtype.names, row, strict=True)) for row in runs]
        for run in told["runs"]:
            run["stop"] = stop_name(int(run["stop"]))
    return told


def plain(value: Any) -> Any:
    """In JSON's types; null stands for inf and NaN."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else repr(value)
