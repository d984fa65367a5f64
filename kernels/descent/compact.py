"""The compact form of the limited-memory Hessian, for steps within bounds.

    B = theta I - W M W',   W = [Y, theta S],   M^-1 = [-D, L'; L, theta S'S]      (3.2) to (3.4)

Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16 (1995) 1190-1208, whose numbers stand here. Columns of S and Y are
rows of `Pairs`, in no order of age: D = diag(s_k y_k), and L_ij = s_i y_j where i is newer than j. A vector of length
2 m is two of length m: its entries for Y and for S.

What the subspace step needs is kept for the variables that are free (F) and at bounds (A), and changed with each
variable that goes from one to the other:

    yy_free = Y_F' Y_F,   ss_bound = S_A' S_A,   mixed = L - S_F' Y_F
"""

import math
from typing import NamedTuple

import numpy as np

from ..calling.arguments import block, row
from ..compile.jit import compact, inlined
from ..compile.structures import Matrix, Vector
from ..numbers.linear_algebra import cholesky, dot, four_dots, solve_lower, solve_lower_transposed, two_dots
from .limited_memory import LATEST, SY, YY, A, B, add_pairs

# Blocks of CompactForm.squares: S'S; L; the three above; then the Cholesky factors of theta S'S + L D^-1 L', of
# D + Y_F'Y_F / theta, and of what the step in the subspace solves last; scratch.
BLOCKS = SS, LOWER, YY_FREE, SS_BOUND, MIXED, MIDDLE, LEFT, RIGHT, SOLVED = 0, 1, 2, 3, 4, 5, 6, 7, 8


class CompactForm(NamedTuple):
    squares: Matrix  # (9 m, m) see BLOCKS
    small: Matrix  # (12, m) scratch: vectors of length m
    free: Vector  # (D,) 1 where a variable is free, 0 where it is at a bound
    masked: Matrix  # (2, D) scratch


def make_form(memory: int, dimension: int) -> CompactForm:
    return CompactForm(
        squares=np.zeros((len(BLOCKS) * memory, memory)),
        small=np.zeros((12, memory)),
        free=np.ones(dimension),
        masked=np.zeros((2, dimension)),
    )


@compact
def add_pair(pairs, form, k):
    """Products of the newest pair, in row k, with all others; `multiply` has seen it."""
    n, kept, m = form.free.size, pairs.now[0].kept, form.small.shape[1]
    squares = form.squares
    s, y, s_bound, y_free = row(pairs.s, k), row(pairs.y, k), row(form.masked, 0), row(form.masked, 1)
    ss, lower, yy_free = block(squares, SS, m), block(squares, LOWER, m), block(squares, YY_FREE, m)
    ss_bound, mixed = block(squares, SS_BOUND, m), block(squares, MIXED, m)
    products, latest = block(pairs.squares, YY, m), row(pairs.vectors, LATEST)
    bound = False
    for j in range(n):
        s_bound[j] = s[j] * (1.0 - form.free[j])
        y_free[j] = y[j] * form.free[j]
        bound = bound or form.free[j] == 0.0
    for i in range(kept):
        old_s, old_y = row(pairs.s, i), row(pairs.y, i)
        ss[i, k], sy = two_dots(s, old_s, old_y, n)
        ss[k, i] = ss[i, k]
        yy_free[i, k], ss_bound[i, k], mixed[i, k] = products[i, k], 0.0, -latest[i]
        if i != k:
            lower[i, k], lower[k, i], mixed[k, i] = 0.0, sy, 0.0
        if bound:
            ss_bound[i, k], sy_bound, ys_free, yy_free[i, k] = four_dots(s_bound, y_free, old_s, old_y, n)
            mixed[i, k] = -ys_free
            if i != k:
                mixed[k, i] = sy_bound
        yy_free[k, i], ss_bound[k, i] = yy_free[i, k], ss_bound[i, k]


@inlined
def move_variable(pairs, form, j):
    """Variable j, which was at a bound, becomes free, or the other way."""
    kept, m, free = pairs.now[0].kept, form.small.shape[1], form.free[j] == 0.0
    sign = 1.0 if free else -1.0
    squares = form.squares
    yy_free, ss_bound, mixed = block(squares, YY_FREE, m), block(squares, SS_BOUND, m), block(squares, MIXED, m)
    form.free[j] = 1.0 if free else 0.0
    for a in range(kept):
        y, s = sign * pairs.y[a, j], sign * pairs.s[a, j]
        for b in range(kept):
            yy_free[a, b] += y * pairs.y[b, j]
            ss_bound[a, b] -= s * pairs.s[b, j]
            mixed[a, b] -= s * pairs.y[b, j]


@compact
def factor_middle(pairs, form):
    """What `times_middle` needs. False: rounding has made the form indefinite."""
    kept, theta, m = pairs.now[0].kept, pairs.now[0].theta, form.small.shape[1]
    squares = form.squares
    ss, lower, middle, scaled = (
        block(squares, SS, m), block(squares, LOWER, m), block(squares, MIDDLE, m), block(squares, SOLVED, m),
    )  # fmt: skip
    sy, scale = row(pairs.vectors, SY), row(form.small, 0)
    for k in range(kept):
        scale[k] = 1.0 / math.sqrt(sy[k])
    for i in range(kept):
        for k in range(kept):
            scaled[i, k] = lower[i, k] * scale[k]
        for j in range(i + 1):
            middle[i, j] = theta * ss[i, j] + dot(row(scaled, i), row(scaled, j), kept)
    return cholesky(middle, kept)


@compact
def times_middle(pairs, form, y_part, s_part, y_out, s_out):
    """out = M v: the solution of the equations with M^-1."""
    kept, sy, m = pairs.now[0].kept, row(pairs.vectors, SY), form.small.shape[1]
    squares = form.squares
    lower, middle = block(squares, LOWER, m), block(squares, MIDDLE, m)
    for k in range(kept):
        y_out[k] = y_part[k] / sy[k]
    for i in range(kept):
        s_out[i] = s_part[i] + dot(row(lower, i), y_out, kept)
    solve_lower(middle, s_out, kept)
    solve_lower_transposed(middle, s_out, kept)
    for k in range(kept):
        y_out[k] = -y_part[k]
    for i in range(kept):
        for k in range(kept):
            y_out[k] += lower[i, k] * s_out[i]
    for k in range(kept):
        y_out[k] /= sy[k]


@inlined
def times_wide_transposed(pairs, x, y_out, s_out):
    """out = W' x."""
    now, n = pairs.now[0], x.size
    for k in range(now.kept):
        y_out[k], sx = two_dots(x, row(pairs.y, k), row(pairs.s, k), n)
        s_out[k] = now.theta * sx


@inlined
def add_wide(pairs, y_part, s_part, factor, out):
    """out (D,) += factor W v."""
    now, y_scaled, s_scaled = pairs.now[0], row(pairs.vectors, A), row(pairs.vectors, B)
    for k in range(now.kept):
        y_scaled[k], s_scaled[k] = factor * y_part[k], factor * now.theta * s_part[k]
    add_pairs(pairs, s_scaled, y_scaled, out)
