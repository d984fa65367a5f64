"""The documented path of `kernels/numbers/random.py`."""

from .numbers.random import *  # noqa: F403
