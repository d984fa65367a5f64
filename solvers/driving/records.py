"""What is kept of the runs that have ended: rows of `result.run_dtype`, by their number."""

from __future__ import annotations

from typing import Any

import numpy as np

from .result import StopReason, best_of, run_dtype


class Records:
    """Rows in any order; what is asked of them is by number."""

    def __init__(self, dimension: int):
        self.dtype = run_dtype(dimension)
        self.blocks: list[np.ndarray] = []
        self.count = 0
        self.evaluations = self.iterations = 0
        self.best: Any = None  # the row by (value, number)
        self.first_hit: int | None = None  # the smallest number that reached the target

    def __len__(self) -> int:
        return self.count

    def add(self, rows: np.ndarray) -> bool:
        """Whether the best of the rows is the best of all now."""
        if not len(rows):
            return False
        self.blocks.append(rows)
        self.count += len(rows)
        self.evaluations += int(rows["nfev"].sum())
        self.iterations += int(rows["nit"].sum())
        hits = rows["run"][rows["stop"] == StopReason.REACHED_TARGET]
        if hits.size:
            self.first_hit = int(hits.min() if self.first_hit is None else min(hits.min(), self.first_hit))
        best = best_of(rows)
        leads = self.best is None or (best["fun"], best["run"]) < (self.best["fun"], self.best["run"])
        self.best = best if leads else self.best
        return leads

    def all(self) -> np.ndarray:
        """All rows, by number."""
        rows = np.concatenate(self.blocks) if self.blocks else np.zeros(0, self.dtype)
        self.blocks = [rows[np.argsort(rows["run"], kind="stable")]]
        return self.blocks[0]

    def left_out(self) -> tuple[int, float] | None:
        """(number, value) of a run that found a lower value than those that are kept."""
        if self.first_hit is None or self.best["run"] <= self.first_hit:
            return None
        return int(self.best["run"]), float(self.best["fun"])

    def kept(self) -> np.ndarray:
        """The rows that the answer is made of: those of runs 0..k where run k reached the target."""
        rows = self.all()
        return rows if self.first_hit is None else rows[rows["run"] <= self.first_hit]
