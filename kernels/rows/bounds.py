"""A box without walls: all of space is folded into it, smoothly.

Where a method searches in all of space, its points y become points x of the box: x = y inside, but for a margin along
each bound. There x is quadratic in y and meets the bound with slope 0, as far outside of the box as the margin is wide;
from there on space is mirrored, again and again. So no bound is a kink, and none is far from any y. After N. Hansen's
BoundTransform in pycma; the margin is a share of the box's width here, so that units do not matter.

To a distribution wider than the box, space is full of images of each minimum, between which it cannot choose. So a
point far outside may be taken for its image in the box (`nearby`); near a bound a minimum keeps both its sides.
"""

import numpy as np

from ..compile.jit import inlined

MARGIN = 0.05  # of the width; of the bound, at least of 1, where there is no other bound
FAR, FAR_MEAN = 3.0, 1.0  # margins beyond the outer margin: of a point, and of a mean, which has to turn before


def margins(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """(2, D): how wide the margins at the lower and at the upper bounds are."""
    with np.errstate(invalid="ignore"):
        width = upper - lower
    boxed = np.isfinite(width)
    found = np.ones((2, len(lower)))
    for side, bound in enumerate((lower, upper)):
        alone = np.maximum(abs(np.where(np.isfinite(bound), bound, 0.0)), 1.0)
        found[side] = MARGIN * np.where(boxed, width, alone)
    return found


@inlined
def into_box(y, lower, upper, below, above):
    """The point of [lower, upper] that y stands for; below, above: the margins."""
    low, high = lower - below, upper + above
    if y < low or y > high:
        y = mirrored(y, low, high)
    x = y
    if y < lower + below:
        x = lower + (y - low) * (y - low) / (4.0 * below)
    elif y > upper - above:
        x = upper - (high - y) * (high - y) / (4.0 * above)
    x = x if x >= lower else lower  # rounding, and what is no number
    return x if x <= upper else upper


@inlined
def mirrored(y, low, high):
    """The point of [low, high] that y outside of it is folded to, over and over where it is far."""
    if high == np.inf:
        return low + (low - y)
    if low == -np.inf:
        return high - (y - high)
    width = high - low
    folds = np.floor((y - low) / width)
    rest = (y - low) - folds * width
    return low + rest if folds == 2.0 * np.floor(0.5 * folds) else high - rest


@inlined
def nearby(y, lower, upper, below, above, far):
    """y, or where it is so many margins beyond the outer one its image in the box and its outer margins."""
    low, high = lower - below, upper + above
    if y < low - far * below or y > high + far * above:
        image = mirrored(y, low, high)
        return image if image == image else y
    return y


@inlined
def out_of_box(x, lower, upper, below, above):
    """The y nearest to the box that stands for x."""
    if x < lower + below:
        return lower - below + 2.0 * np.sqrt(below * (x - lower))
    if x > upper - above:
        return upper + above - 2.0 * np.sqrt(above * (upper - x))
    return x
