"""The user's callback as a hook of a campaign."""

from __future__ import annotations

import contextlib
import math
import time
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ..solvers.driving.callbacks import Tell, convergence_of
from ..solvers.driving.hooks import CALLBACK_EVERY
from ..solvers.driving.result import Result

if TYPE_CHECKING:
    from .execution.campaign import Campaign


class CallBack:
    """Tells the best of the runs that are done, about every 0.1 s and once at the end, where some are new.

    It follows several campaigns one after another: the rounds of coordinated restarts.
    """

    def __init__(self, tell: Tell, ftol: float):
        self.tell, self.ftol = tell, ftol
        self.campaign: Campaign | None = None
        self.last = -math.inf  # when it was told
        self.seen = 0  # records of this campaign
        self.untold = False
        self.evaluations = self.iterations = 0
        self.fun, self.x, self.spread = math.inf, None, math.inf

    def __call__(self, campaign: Campaign) -> None:
        if campaign is not self.campaign:
            self._look()
            self.campaign, self.seen = campaign, 0
        if time.perf_counter() - self.last >= CALLBACK_EVERY:
            self._look()
            self._tell()

    def finish(self) -> None:
        """Tell what came after the last call; there is nothing left to stop."""
        self._look()
        with contextlib.suppress(StopIteration):
            self._tell()

    def _look(self) -> None:
        """Take in the records that are new."""
        records = {} if self.campaign is None else self.campaign.records
        for record in islice(records.values(), self.seen, None):
            self.seen, self.untold = self.seen + 1, True
            self.evaluations += record["nfev"]
            self.iterations += record["nit"]
            if record["fun"] < self.fun:
                self.fun, self.x, self.spread = record["fun"], record["x"], record["spread"]

    def _tell(self) -> None:
        if not self.untold or self.x is None:
            return
        self.last, self.untold = time.perf_counter(), False
        found = Result(x=np.array(self.x), fun=self.fun, nfev=self.evaluations, nit=self.iterations)
        self.tell(found, convergence_of(self.fun, self.spread, self.ftol))
