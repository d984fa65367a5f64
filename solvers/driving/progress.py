"""Progress of a run on the terminal: a live line with rich, or plain lines where the output is no terminal."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from typing import Any

from .session import Session
from .times import duration

LINE_EVERY = 5.0  # seconds between lines of a log file
WIDTH = 79  # of a line


class Display:
    """On a terminal or in a notebook something is redrawn; a log file gets a line every five seconds and one at the
    end. Both are made when they are due: by `draw()` and by `line()`, a rich renderable and a text."""

    def __init__(self, draw: Callable[[], Any], line: Callable[[], str], console=None):
        from rich.console import Console
        from rich.live import Live

        self.draw, self.line = draw, line
        self.console = Console(stderr=True) if console is None else console
        self.last, self.every = time.perf_counter(), LINE_EVERY
        self.live = None
        if can_redraw(self.console):
            # What a program prints into a pipe stays out of the terminal.
            redirect = sys.stdout is not None and sys.stdout.isatty()
            self.live = Live(console=self.console, refresh_per_second=10, redirect_stdout=redirect)
            self.live.start()

    def __call__(self) -> None:
        if self.live is not None:
            self.live.update(self.draw())
        elif time.perf_counter() - self.last >= self.every:
            self.last = time.perf_counter()
            self.every *= 2.0 if self.console.is_jupyter else 1.0  # what stands in a notebook, stays in it
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
        parts = [f"{self.method}  best {fun:.8g}", _share(evaluations, self.evaluations)]
        rate = (evaluations - self.had) / elapsed
        left = self._left(evaluations, rate) if iterations > 0 else None
        parts.append(duration(elapsed) + (f", at most {duration(left)} left" if left else ""))
        if self.runs != 1:
            parts.append(f"run {done}" + (f"/{self.runs}" if self.runs else ""))
        return fitted([*parts, f"{short(rate)}/s"])

    def _left(self, evaluations: int, rate: float) -> float | None:
        """Seconds until the budget is spent or the time is up; a run may end before."""
        limits = []
        if self.evaluations is not None and rate > 0:
            limits.append((self.evaluations - evaluations) / rate)
        if self.session.max_time is not None:
            limits.append(self.session.max_time - self.session.seconds())
        return max(min(limits), 0.0) if limits else None


def fitted(parts: list[str]) -> str:
    """One line of these: the last ones are left out where they would make it too long for a terminal or a log."""
    line = parts[0]
    for part in parts[1:]:
        if len(line) + 2 + len(part) <= WIDTH:
            line += f"  {part}"
    return line


def short(number: float) -> str:
    """Three digits: 950, 12.3k, 6.21M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * size:
            return f"{float(f'{number / size:.3g}'):g}{letter}"
    return f"{number:.0f}"


def _share(evaluations: int, planned: int | None) -> str:
    share = f" ({100 * evaluations / planned:.0f} %)" if planned else ""
    return f"{short(evaluations)} evaluations{share}"
