"""What is told of a failure in one line."""

from __future__ import annotations

NOTE = "raised by the "  # how the notes begin that say where a function was called


def reason(error: str) -> str:
    """The last line of a traceback: the exception, and the note that follows it, if any."""
    lines = error.strip().splitlines() or [""]
    return "; ".join(lines[-2:] if lines[-1].startswith(NOTE) else lines[-1:])
