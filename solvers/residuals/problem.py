"""What is fitted: a point to begin with, its bounds, how many residuals there are, and the loss."""

from __future__ import annotations

from dataclasses import dataclass

from ...kernels.least_squares.losses import LINEAR
from ...kernels.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Fitted(Problem):
    count: int = 1  # M
    loss: int = LINEAR  # of kernels/least_squares/losses.py
    f_scale: float = 1.0  # residuals below it count as squares
