"""The journal of a call: what is finished is on disk, and the same call goes on from there."""

from .journal import Journal, open_journal, read_journal, saved_header

__all__ = ["Journal", "open_journal", "read_journal", "saved_header"]
