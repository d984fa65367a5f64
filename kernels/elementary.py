"""The documented path of `kernels/numbers/elementary.py`."""

from .numbers.elementary import *  # noqa: F403
