"""The last m steps and what they changed in the gradient: the Hessian as limited-memory methods know it.

    s_k = x_k+1 - x_k,   y_k = g_k+1 - g_k,   s_k y_k > 0

Nocedal, Updating quasi-Newton matrices with limited storage, Math. Comput. 35 (1980) 773-782; its inverse in the
compact form of Byrd, Nocedal and Schnabel, Math. Programming 63 (1994) 129-156 (theorem 2.2):

    H = I / theta + [S, Y / theta] [R^-T (D + Y'Y / theta) R^-1, -R^-T; -R^-1, 0] [S, Y / theta]'

with D = diag(s_k y_k), and R_ij = s_i y_j where pair i is not newer than j, else 0. The recursion over the pairs gives
the same direction, but each of its 4 m sums waits for the one before it. A pair stays in its row of `s` and `y` until
the newest one takes it, so rows are in no order of age. Vectors of length m are filled up to whole eights.

What has one form stands in one array: each array of a state is nine machine values in every call that takes it, which
are compiled, and take time.
"""

from typing import Annotated, NamedTuple

import numpy as np

from ..calling.arguments import block, row
from ..compile.jit import inlined
from ..compile.structures import Matrix, filled, record
from ..numbers.linear_algebra import EPSILON, four_dots, two_dots
from ..numbers.sums import LANES, add_rows, add_whole_rows

MEMORY = record(
    kept="i8",  # pairs that there are, in rows 0 ... kept - 1
    next="i8",  # the row of the next one: that of the oldest, when all are taken
    theta="f8",  # y y / s y of the newest pair: the Hessian without its corrections is theta I
)  # fmt: skip
# blocks of Pairs.squares: Y'Y; R^-1; the same, columns as rows
SQUARES = YY, INVERSE, TRANSPOSED = 0, 1, 2
# rows of Pairs.vectors: s_k y_k; s_k y of the newest pair; S'g; Y'g; the others are scratch
VECTORS = SY, LATEST, SG, YG, A, B, C = 0, 1, 2, 3, 4, 5, 6


class Pairs(NamedTuple):
    s: Matrix  # (m, D)
    y: Matrix  # (m, D)
    squares: Matrix  # (3 m, m) see SQUARES
    vectors: Matrix  # (7, m) see VECTORS
    now: Annotated[np.ndarray, MEMORY]


def make_pairs(memory: int, dimension: int) -> Pairs:
    width = memory + -memory % LANES
    return Pairs(
        s=np.zeros((memory, dimension)),
        y=np.zeros((memory, dimension)),
        squares=np.zeros((len(SQUARES) * memory, width)),
        vectors=np.zeros((len(VECTORS), width)),
        now=filled(MEMORY, theta=1.0),
    )


@inlined
def forget(pairs):
    """Begin anew: the Hessian is the identity."""
    now = pairs.now[0]
    now.kept, now.next, now.theta = 0, 0, 1.0


@inlined
def remember(pairs, x, g, new_x, new_g, step, slope, new_slope):
    """The row that the pair of two points is in now; -1: its curvature is nothing beside the slope, it is left out.

    slope, new_slope   along the direction, at both ends of the step
    """
    now = pairs.now[0]
    if not new_slope - slope > -EPSILON * slope:
        return -1
    k, n = now.next, x.size
    s, y = row(pairs.s, k), row(pairs.y, k)
    for j in range(n):
        s[j] = new_x[j] - x[j]
        y[j] = new_g[j] - g[j]
    sy, yy = two_dots(y, s, y, n)
    if not (sy > 0.0 and 0.0 < yy / sy < np.inf):
        if k < now.kept:  # the oldest pair is gone, so all go
            forget(pairs)
        return -1
    pairs.vectors[SY, k], now.theta = sy, yy / sy
    now.next = (k + 1) % pairs.s.shape[0]
    now.kept = max(now.kept, k + 1)
    return k


@inlined
def multiply(pairs, g, k):
    """The products of all pairs with the gradient g (D,), and with those of a pair that is new in row k (-1: none)."""
    kept, m, n, squares = pairs.now[0].kept, pairs.s.shape[0], g.size, pairs.squares
    y, products, inverse, transposed = (
        row(pairs.y, max(k, 0)), block(squares, YY, m), block(squares, INVERSE, m), block(squares, TRANSPOSED, m),
    )  # fmt: skip
    latest, sg, yg, column = (
        row(pairs.vectors, LATEST), row(pairs.vectors, SG), row(pairs.vectors, YG), row(pairs.vectors, A),
    )  # fmt: skip
    for i in range(kept):
        sg[i], sy, yg[i], yy = four_dots(row(pairs.s, i), row(pairs.y, i), g, y, n)
        if k >= 0:
            latest[i], products[i, k], products[k, i] = sy, yy, yy
    if k < 0:
        return
    for i in range(kept):  # R^-1 has a new last column, [-R^-1 S'y; 1] / s y, and may have lost its first row
        inverse[i, k] = inverse[k, i] = transposed[i, k] = transposed[k, i] = 0.0
    last = pairs.vectors[SY, k]
    sum_rows(latest, transposed, column, kept)
    for i in range(kept):
        inverse[i, k] = transposed[k, i] = -column[i] / last
    inverse[k, k] = transposed[k, k] = 1.0 / last


@inlined
def quasi_newton_direction(pairs, g, direction):
    """direction (D,) = -H g; `multiply` has seen g."""
    kept, scale, n = pairs.now[0].kept, 1.0 / pairs.now[0].theta, g.size
    squares, m = pairs.squares, pairs.s.shape[0]
    sy, sg, yg = row(pairs.vectors, SY), row(pairs.vectors, SG), row(pairs.vectors, YG)
    a, b, v = row(pairs.vectors, A), row(pairs.vectors, B), row(pairs.vectors, C)
    sum_rows(sg, block(squares, TRANSPOSED, m), a, kept)
    sum_rows(a, block(squares, YY, m), b, kept)
    for i in range(kept):
        v[i] = scale * (yg[i] - b[i]) - sy[i] * a[i]
        a[i] *= scale
    sum_rows(v, block(squares, INVERSE, m), b, kept)
    for j in range(n):
        direction[j] = -scale * g[j]
    add_pairs(pairs, b, a, direction)


@inlined
def add_pairs(pairs, s_part, y_part, out):
    """out (D,) += S s_part + Y y_part."""
    add_rows(s_part, pairs.s, pairs.now[0].kept, out, out.size)
    add_rows(y_part, pairs.y, pairs.now[0].kept, out, out.size)


@inlined
def sum_rows(factors, matrix, out, kept):
    """out (m,) = the sum of the rows of matrix (m, m), each times its factor."""
    for j in range(out.size):
        out[j] = 0.0
    add_whole_rows(factors, matrix, kept, out, out.size)
