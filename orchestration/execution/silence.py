"""Which workers have been silent for longer than a unit may take.

A unit that holds Python's lock (a long call of C code) stops its whole process, also the thread there that watches it;
so does who stops a process. Such a worker sends the scheduler no sign of life, which the client sees from outside."""

from __future__ import annotations

from collections.abc import Mapping

MARGIN = 5.0  # seconds of silence beyond the time of a unit; signs of life come twice a second
PER_WORKER = 0.01  # more, for each worker: Dask spreads the signs of life of many
LOOK_EVERY = 1.0  # seconds
LONGEST_LOOK = 2.0  # seconds that count as silent between two looks: where the looks were late, so may be the signs


class Silence:
    """Seconds of silence, by worker.

    Parameters
    ----------
    timeout : float
        Seconds that a unit may take.
    """

    def __init__(self, timeout: float):
        self.timeout, self.looked = timeout, 0.0
        self.silent: dict[str, tuple[float, float]] = {}  # by address: the last sign of life, the silence since then

    def due(self, now: float) -> bool:
        return now - self.looked >= LOOK_EVERY

    def look(self, signs: Mapping[str, float], now: float) -> list[str]:
        """Who is silent for too long. `signs`: when the scheduler last heard of each worker, by its own clock."""
        since, self.looked = min(now - self.looked, LONGEST_LOOK), now
        known, self.silent = self.silent, {}
        for address, sign in signs.items():
            last, seconds = known.get(address, (sign, 0.0))
            self.silent[address] = (sign, seconds + since if sign == last and address in known else 0.0)
        limit = self.timeout + MARGIN + PER_WORKER * len(signs)
        return [address for address, (_, seconds) in self.silent.items() if seconds > limit]
