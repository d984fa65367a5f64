"""Progress of a run on the terminal: a live line with rich, or plain lines where the output is no terminal."""

from __future__ import annotations

import time

from .session import Session

LINE_EVERY = 5.0  # seconds between lines of a log file


class Progress:
    """A hook of a session. On a terminal one line is redrawn; a log file gets a line every five seconds."""

    def __init__(self, method: str, evaluations: int | None, runs: int | None):
        from rich.console import Console
        from rich.live import Live

        self.method, self.evaluations, self.runs = method, evaluations, runs
        self.console = Console(stderr=True)
        self.last = self.begin = time.perf_counter()
        self.live = None
        if self.console.is_terminal or self.console.is_jupyter:
            self.live = Live(console=self.console, refresh_per_second=10, transient=False)
            self.live.start()

    def __call__(self, session: Session) -> None:
        if self.live is not None:
            self.live.update(self._line(session))
        elif time.perf_counter() - self.last >= LINE_EVERY:
            self.last = time.perf_counter()
            self.console.print(self._line(session), highlight=False, soft_wrap=True)

    def close(self, session: Session) -> None:
        if self.live is not None:
            self.live.update(self._line(session))
            self.live.stop()
        else:
            self.console.print(self._line(session), highlight=False, soft_wrap=True)

    def _line(self, session: Session):
        from rich.text import Text

        fun, _, evaluations, _ = session.best_so_far()
        elapsed = max(time.perf_counter() - self.begin, 1e-9)
        done = len(session.records)
        parts = [f"{self.method}  best {fun:.10g}", _share(evaluations, self.evaluations)]
        if self.runs != 1:
            parts.append(f"run {done}" + (f"/{self.runs}" if self.runs else ""))
        parts.append(f"{evaluations / elapsed:,.0f}/s  {elapsed:.1f} s")
        return Text("  ".join(parts), no_wrap=self.live is not None, overflow="ellipsis")


def _share(evaluations: int, planned: int | None) -> str:
    share = f" ({100 * evaluations / planned:.0f} %)" if planned else ""
    return f"{evaluations:,} evaluations{share}"
