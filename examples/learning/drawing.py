"""What these examples share with the lessons: the colours and the pictures."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "lessons"))

from walking import BLUE, GREEN, GREY, ORANGE, RED, picture

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "RED", "picture"]
