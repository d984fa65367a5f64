"""Search spaces: what may vary, the points of a grid by their number, and random points from numbers in [0, 1)."""

from .copies import own_point
from .draws import check_qmc, draw_block, draws, qmc_block
from .flat import FlatSpace
from .parse import parse_space
from .space import Space
from .variables import choice, integer, log_integer, log_uniform, uniform, when

__all__ = [
    "FlatSpace",
    "Space",
    "check_qmc",
    "choice",
    "draw_block",
    "draws",
    "integer",
    "log_integer",
    "log_uniform",
    "own_point",
    "parse_space",
    "qmc_block",
    "uniform",
    "when",
]
