"""Islands: runs 0..n-1 of a call, which pause every so many generations and exchange their best points.

The states of the islands are all that the rest of the call depends on, at any moment: an island goes on until it pauses
or ends; when none goes on, points migrate, and those that paused go on. Where and in which order islands are carried
out changes nothing. An island that has ended (by ftol, patience, budget or failure) gives points and takes none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.calling.objective import CompiledObjective
from ..kernels.compile.structures import copied
from ..kernels.rows.migration import draw_sources, emigrate, immigrate
from ..kernels.run import COLLAPSED, PAUSED, REACHED_TARGET, RUNNING
from ..solvers.driving.call import Call, begin
from ..solvers.driving.result import StopReason
from ..solvers.driving.resuming import Content
from ..solvers.driving.running import best_so_far, make_run
from .execution.campaign import Campaign, Outcome
from .progress import Status
from .runs import CallWork

TOPOLOGIES = ("ring", "fully_connected", "random")
SLICE = 2.0  # seconds after which an island comes back, also in the middle of an epoch: what a lost worker may cost


class Islands(CallWork):
    """A unit is an island; given its state, it goes on until it pauses or ends, or SLICE is over."""

    name = "island"

    @property
    def compiled(self) -> bool:
        return isinstance(self.bound, CompiledObjective)

    def carry_out(self, unit: int, given: Any, ends: Callable[[], bool]) -> dict:
        run: Any = make_run(self.call.solver, copied(given), unit, self.bound)  # a second attempt begins as this one
        before, until = run.best[2], time.perf_counter() + SLICE
        run.evaluations = self.evaluations
        while run.stop == RUNNING and time.perf_counter() < until and not ends():
            run.step()
        self.note_speed(run.best[2] - before, run.seconds)
        return {"fun": run.best[0], "state": run.state}


class Archipelago:
    """The islands as their states are now, and what came to pass so far."""

    def __init__(self, call: Call, islands: int, every: int, topology: str, migrants: int):
        self.call, self.every, self.topology, self.migrants = call, every, topology, migrants
        self.states = [begin(call, island) for island in range(islands)]
        for state in self.states:
            state.run.now[0].pause_at = every
        self.seconds = [0.0] * islands
        self.total = Outcome({}, {}, None, None, seconds=0.0, workers=1, tasks=0, busy=0.0, resumed=0)
        self.campaign: Campaign | None = None  # the last one seen at work
        self.begin = time.perf_counter()

    def plan(self) -> dict:
        """What a checkpoint belongs to, beside the call."""
        size = {"islands": len(self.states), "every": self.every}
        return {"work": "islands", **size, "topology": self.topology, "migrants": self.migrants}

    def take_up(self, saved: dict[int, tuple]) -> None:
        """What a checkpoint holds: (state, seconds) by island."""
        for island, (state, seconds) in saved.items():
            self.states[island], self.seconds[island] = state, seconds

    def content(self) -> Content:
        """For a checkpoint."""
        return Content.empty(self.call)._replace(states=dict(enumerate(zip(self.states, self.seconds))))

    def going(self) -> list[int]:
        return self._where(RUNNING)

    def over(self) -> bool:
        """Where no island goes on: whether none will."""
        return self.reached() is not None or not self._where(PAUSED)

    def reached(self) -> int | None:
        """The first island that reached the target."""
        return min(self._where(REACHED_TARGET), default=None)

    def _where(self, stop: int) -> list[int]:
        return [island for island, state in enumerate(self.states) if state.run.now[0].stop == stop]

    @property
    def epochs(self) -> int:
        """Epochs begun."""
        return -(-max(int(state.run.now[0].iteration) for state in self.states) // self.every)

    @property
    def migrations(self) -> int:
        """Points taken in."""
        return sum(int(state.rows[0].immigrants) for state in self.states)

    def accept(self, outcome: Outcome) -> None:
        """Islands that went on, and islands that failed: those end where they were before."""
        for island, record in outcome.records.items():
            self.states[island] = record["state"]
            self.seconds[island] += record["seconds"]
        for island, failure in outcome.failures.items():
            self.states[island] = copied(self.states[island])
            stop = StopReason.RAISED if failure["kind"] == "raised" else StopReason.FAILED
            self.states[island].run.now[0].stop = stop
        self.total.failures |= outcome.failures
        self.total.stop, self.total.workers = outcome.stop, max(self.total.workers, outcome.workers)
        self.total.tasks += outcome.tasks
        self.total.unended += outcome.unended
        self.total.busy += outcome.busy

    def migrate(self) -> None:
        """To each island that paused, the best points of its sources, as all of them are now; then it goes on."""
        points: Any = self.call.solver.points
        emigrants = [emigrate(state, points(state), self.migrants) for state in self.states]
        sources = sources_of(self.topology, len(self.states), self.call.seed, self.epochs)
        states = list(self.states)
        for island in sorted(self._where(PAUSED) + self._where(COLLAPSED)):
            x, f = (np.concatenate(parts) for parts in zip(*(emigrants[source] for source in sources[island])))
            best = np.argsort(f, kind="stable")
            state = states[island] = copied(states[island])
            taken = immigrate(state, points(state), x[best], f[best])
            now = state.run.now[0]
            if now.stop == PAUSED or taken > 0:  # a collapsed one goes on from what it took in
                now.stop = RUNNING
                now.pause_at = (now.iteration // self.every + 1) * self.every
        self.states = states  # all at once: a migration that was interrupted has not happened

    def status(self, finished: bool = False) -> Status:
        """What a progress display shows: evaluations, as epochs differ in length and their number is not known."""
        states, campaign, budget = self.states, self.campaign, self.call.limits.budget
        values = [float(state.run.now[0].best) for state in states]
        best = int(np.argmin(values))
        return Status(
            name="evaluations",
            done=sum(int(state.run.now[0].evaluations) for state in states),
            total=None if budget is None else budget * len(states),
            best=values[best],
            best_label=f"island {best}, epoch {self.epochs}",
            failures=len(self.total.failures),
            workers=self.total.workers if campaign is None else campaign.workers,
            busy=0 if campaign is None or finished else campaign.working,
            dashboard=None if campaign is None else campaign.dashboard,
            elapsed=time.perf_counter() - self.begin,
            finished=finished,
        )

    def records(self) -> dict[int, dict]:
        """A record for each island that has evaluated a point."""
        found = {}
        for island, state in enumerate(self.states):
            fun, x, evaluations, generations = best_so_far(state)
            stop = int(state.run.now[0].stop)
            if stop in (RUNNING, PAUSED):
                stop = int(self.total.stop or StopReason.CANCELLED)
            failed = int(state.run.now[0].failed)
            record = {"fun": fun, "x": x, "nfev": evaluations, "nit": generations, "n_failed": failed, "stop": stop}
            record["spread"] = float(state.run.now[0].spread)
            if evaluations > 0:
                found[island] = record | {"seconds": self.seconds[island]}
        return found


def carry_on_here(archipelago: Archipelago, work: Islands, seconds: float) -> Outcome | None:
    """The islands that go on, one after another in this thread, for so many seconds; None if one of them failed."""
    begin, records = time.perf_counter(), {}
    until = begin + seconds
    for island in archipelago.going():
        begun = time.perf_counter()
        try:
            record = work.carry_out(island, archipelago.states[island], lambda: time.perf_counter() >= until)
        except Exception:
            return None
        records[island] = record | {"seconds": time.perf_counter() - begun}
    spent = time.perf_counter() - begin
    return Outcome(records, {}, None, None, seconds=spent, workers=1, tasks=0, busy=spent, resumed=0)


def sources_of(topology: str, islands: int, seed: int, epoch: int) -> list[list[int]]:
    """The islands that each island gets points from."""
    if topology == "ring":
        return [[(island - 1) % islands] for island in range(islands)]
    if topology == "fully_connected":
        return [[source for source in range(islands) if source != island] for island in range(islands)]
    drawn = np.empty(islands, dtype=np.int64)
    draw_sources(np.uint64(seed), np.int64(epoch), drawn)
    return [[source] for source in drawn.tolist()]
