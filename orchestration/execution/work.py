"""What is carried out: units 0, 1, 2 ..., each a pure function of its number (and of what it is given).

A unit is one restart, one point of a search, one block of points, one epoch of an island. Its record is what goes into
the journal and into the result. How units are shared out among threads and workers changes nothing in any record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Record = dict[str, Any]  # JSON types; at least "fun": float, the value that is minimised (inf where there is none)


class Work(Protocol):
    """Shipped to each worker once (cloudpickle), prepared once per process, then asked for units."""

    name: str  # what a unit is called in messages: "run", "point", "block", "island"

    def prepare(self) -> None:
        """Import, compile, load from disk. May be called again; a second call costs nothing."""
        ...

    def carry_out(self, unit: int, given: Any, ends: Callable[[], bool]) -> Record | None:
        """The record of one unit; None if `ends()` turned true (poll it between chunks of about 0.1 s).

        In place of None, what was found until then, with "unfinished": True: it is kept where the call ends early, and
        is not written to the journal.
        `given` is what the caller's `given(unit)` returned, or None. An exception is a failure of this unit alone.
        """
        ...

    # Work may also have `carry_out_range(first, count) -> list[Record]`: the records of the first ones of these units
    # (none, if they do not cost less together). It is asked where nothing is given to the units. A unit that fails ends
    # the range before it, and is then carried out by itself.
