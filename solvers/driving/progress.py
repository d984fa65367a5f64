"""Progress of a run on the terminal: a live line with rich, or plain lines where the output is no terminal."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from typing import Any

from .session import Session
from .times import duration, per_time

LINE_EVERY = 5.0  # seconds between lines of a log file


class Display:
    """On a terminal or in a notebook something is redrawn; a log file gets a line every five seconds and one at the
    end. Both are made when they are due: by `draw()` and by `line()`, a rich renderable and a text."""

    def __init__(self, draw: Callable[[], Any], line: Callable[[], str], console=None):
        from rich.console import Console
        from rich.live import Live

        self.draw, self.line = draw, line
        self.console = Console(stderr=True) if console is None else console
        self.last = time.perf_counter()
        self.live = None
        if can_redraw(self.console):
            # What a program prints into a pipe stays out of the terminal.
            redirect = sys.stdout is not None and sys.stdout.isatty()
            self.live = Live(console=self.console, refresh_per_second=10, redirect_stdout=redirect)
            self.live.start()

    def __call__(self) -> None:
        if self.live is not None:
            self.live.update(self.draw())
        elif time.perf_counter() - self.last >= LINE_EVERY:
            self.last = time.perf_counter()
            self._print()

    def close(self) -> None:
        if self.live is not None:
            self.live.update(self.draw(), refresh=True)  # in a notebook, rich would leave out the last change
            self.live.stop()
        else:
            self._print()

    def _print(self) -> None:
        self.console.print(self.line(), highlight=False, markup=False, emoji=False, soft_wrap=True)


def can_redraw(console) -> bool:
    """Whether what is shown can be replaced; in a notebook rich needs ipywidgets for it."""
    if console.is_jupyter:
        return importlib.util.find_spec("ipywidgets") is not None
    return console.is_terminal and not console.is_dumb_terminal


class Progress:
    """A hook of a session: one line that is redrawn, or lines of a log file."""

    def __init__(self, method: str, evaluations: int | None, runs: int | None, had: int = 0):
        self.method, self.evaluations, self.runs = method, evaluations, runs
        self.had = had  # evaluations that a checkpoint brought
        self.begin = time.perf_counter()
        self.session: Any = None
        self.display = Display(self._draw, self._line)

    def __call__(self, session: Session) -> None:
        self.session = session
        self.display()

    def close(self, session: Session) -> None:
        self.session = session
        self.display.close()

    def _draw(self):
        from rich.text import Text

        return Text(self._line(), no_wrap=True, overflow="ellipsis")

    def _line(self) -> str:
        fun, _, evaluations, iterations = self.session.best_so_far()
        elapsed = max(time.perf_counter() - self.begin, 1e-9)
        done = len(self.session.records)
        parts = [f"{self.method}  best {fun:.10g}", _share(evaluations, self.evaluations)]
        if self.runs != 1:
            parts.append(f"run {done}" + (f"/{self.runs}" if self.runs else ""))
        rate = (evaluations - self.had) / elapsed
        left = self._left(evaluations, rate) if iterations > 0 else None
        parts.append(f"{per_time(rate)}  {duration(elapsed)}" + (f", at most {duration(left)} left" if left else ""))
        return "  ".join(parts)

    def _left(self, evaluations: int, rate: float) -> float | None:
        """Seconds until the budget is spent or the time is up; a run may end before."""
        limits = []
        if self.evaluations is not None and rate > 0:
            limits.append((self.evaluations - evaluations) / rate)
        if self.session.max_time is not None:
            limits.append(self.session.max_time - self.session.seconds())
        return max(min(limits), 0.0) if limits else None


def _share(evaluations: int, planned: int | None) -> str:
    share = f" ({100 * evaluations / planned:.0f} %)" if planned else ""
    return f"{evaluations:,} evaluations{share}"
