"""74 objectives in the forms that users write, by which automatic derivatives are tested and timed.

The 24 of `basics` chose the way of differentiating; the 50 of the others have every pattern that is promised to work:
loops that end by themselves, local arrays, slices, tables, helpers, closures, filters, differential equations, linear
algebra by hand. `tests/test_objectives.py` holds their gradients against exact ones, `bench/gradients.py` times them.
"""

from .arrays import ARRAYS
from .basics import BASICS
from .control import CONTROL
from .kinds import Objective
from .series import SERIES
from .statistics import STATISTICS

FURTHER = [*SERIES, *CONTROL, *ARRAYS, *STATISTICS]
OBJECTIVES = [*BASICS, *FURTHER]

__all__ = ["BASICS", "FURTHER", "OBJECTIVES", "Objective"]
