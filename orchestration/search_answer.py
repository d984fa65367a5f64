"""What is searched, and the answer: the best point, and what is known of the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kernels.compile.code_hash import code_hash
from ..solvers.driving.call import versions
from ..solvers.driving.result import Result, StopReason
from ..solvers.driving.telling import counted, left_out
from .compiled_search import CompiledSearch
from .execution.campaign import Outcome, count_kinds
from .execution.outcome import left_behind
from .point_search import PointSearch
from .runs import failures, nothing
from .spaces import Space, own_point


@dataclass(frozen=True)
class Search:
    """What is searched, and the units that do it."""

    work: PointSearch | CompiledSearch
    space: Space
    sampling: str  # "grid", or one of SAMPLINGS; "distinct": random, no point twice
    points: int
    asked: int  # how many the caller wants; there may be fewer
    seed: int
    names: Sequence[str]  # of the variables, for the answer

    @property
    def compiled(self) -> bool:
        return isinstance(self.work, CompiledSearch)

    @property
    def units(self) -> int:
        return self.work.units if isinstance(self.work, CompiledSearch) else self.points

    def header(self) -> dict:
        """What the journal must share. More points extend it, but those of a Latin hypercube are other points."""
        header = {"units": self.units, "space": self.space.header(), "sampling": self.sampling, "seed": self.seed}
        if self.sampling == "lhs":
            header["points"] = self.points
        if isinstance(self.work, CompiledSearch):
            header |= {"objective": self.work.prepared.bound.fingerprint(), "block": self.work.block}
            header["names"] = list(map(str, self.names))  # of the numbers in x
            return header | {"device": self.work.device, "versions": versions(self.work.device)}
        return header | {"function": code_hash(self.work.train), "versions": versions()}

    def drop_short(self, journal) -> None:
        """A last block that held fewer points than it does now is searched again."""
        if journal is None or not isinstance(self.work, CompiledSearch):
            return
        block: Any = self.work.block
        for unit, record in list(journal.records.items()):
            if record["points"] != min(block, self.points - unit * block):
                del journal.records[unit]


def summarise(search: Search, outcome: Outcome, target: float | None) -> Result:
    unit = outcome.best()
    if unit is None:
        raise nothing(outcome)
    record = outcome.records[unit]
    index = record.get("index", unit)
    stop = StopReason.REACHED_TARGET if outcome.reached is not None else outcome.stop
    message = _all_done(search) if stop is None else stop.sentence
    missed = target is not None and outcome.reached is None
    message += " The target was not reached." if missed else ""
    if outcome.failures:
        message += (
            f" {counted(len(outcome.failures), search.work.name)} came to nothing: {count_kinds(outcome.failures)}."
        )
    if outcome.left_out is not None:
        value, later = outcome.left_out
        message += left_out(search.work.name, later, value)
    message += left_behind(outcome.unended, search.work.name)
    fun = record["fun"]
    message = message if math.isfinite(fun) else f"No point gave a finite value. {message}"
    result = Result(
        point=_point(search, index, record),
        fun=fun,
        index=index,
        success=math.isfinite(fun) and not missed and stop in (None, StopReason.REACHED_TARGET, StopReason.OUT_OF_TIME),
        status=int(stop or StopReason.OUT_OF_BUDGET),
        stop_reason=stop or StopReason.OUT_OF_BUDGET,
        message=message,
        nfev=sum(r.get("points", 1) for r in outcome.records.values()),
        n_failed=sum(r["n_failed"] for r in outcome.records.values()),
        failures=failures(outcome),
    )
    if isinstance(search.work, PointSearch):
        result["table"] = _table(search.work, outcome)
    else:
        result["x"] = np.array(record["x"])
    return result


def _all_done(search: Search) -> str:
    if search.points == search.asked:
        return "All points are done."
    size = counted(search.points, "point")
    return f"All points are done: the space has {size}, fewer than the {search.asked} asked for."


def _point(search: Search, index: int, record) -> dict:
    if isinstance(search.work, PointSearch):
        return own_point(search.work.point(index))
    return dict(zip(search.names, record["x"], strict=True))


def _table(work: PointSearch, outcome: Outcome) -> dict[str, list]:
    """Columns: number of the point, its value, the seconds it took, and its variables (None where there is none)."""
    rows = [work.point(unit) for unit in outcome.records]
    columns = {name: [row.get(name) for row in rows] for name in work.space.names}
    records = outcome.records.values()
    return {
        "index": list(outcome.records),
        "fun": [record["fun"] for record in records],
        "seconds": [record["seconds"] for record in records],
        **columns,
    }
