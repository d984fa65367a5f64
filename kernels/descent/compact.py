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

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..compile.structures import Matrix, Vector
from ..numbers.linear_algebra import cholesky, dot, solve_lower, solve_lower_transposed
from ..numbers.sums import dots
from .limited_memory import add_pairs


class CompactForm(NamedTuple):
    ss: Matrix  # (m, m) S'S
    lower: Matrix  # (m, m) L
    yy_free: Matrix  # (m, m)
    ss_bound: Matrix  # (m, m)
    mixed: Matrix  # (m, m)
    middle: Matrix  # (m, m) Cholesky factor of theta S'S + L D^-1 L'
    left: Matrix  # (m, m) of D + Y_F'Y_F / theta
    right: Matrix  # (m, m) of what the step in the subspace solves last
    solved: Matrix  # (m, m) scratch
    small: Matrix  # (12, m) scratch: vectors of length m
    free: Vector  # (D,) 1 where a variable is free, 0 where it is at a bound
    masked: Matrix  # (2, D) scratch


def make_form(memory: int, dimension: int) -> CompactForm:
    square = np.zeros((memory, memory))
    return CompactForm(
        ss=square,
        lower=square.copy(),
        yy_free=square.copy(),
        ss_bound=square.copy(),
        mixed=square.copy(),
        middle=square.copy(),
        left=square.copy(),
        right=square.copy(),
        solved=square.copy(),
        small=np.zeros((12, memory)),
        free=np.ones(dimension),
        masked=np.zeros((2, dimension)),
    )


@part
def add_pair(pairs, form, k):
    """Products of the newest pair, in row k, with all others; `multiply` has seen it."""
    n, kept = form.free.size, pairs.now[0].kept
    s, y, s_bound, y_free = row(pairs.s, k), row(pairs.y, k), row(form.masked, 0), row(form.masked, 1)
    bound = False
    for j in range(n):
        s_bound[j] = s[j] * (1.0 - form.free[j])
        y_free[j] = y[j] * form.free[j]
        bound = bound or form.free[j] == 0.0
    for i in range(kept):
        old_s, old_y = row(pairs.s, i), row(pairs.y, i)
        form.ss[i, k], sy = dots((s,), (old_s, old_y), n)
        form.ss[k, i] = form.ss[i, k]
        form.yy_free[i, k], form.ss_bound[i, k], form.mixed[i, k] = pairs.yy[i, k], 0.0, -pairs.latest[i]
        if i != k:
            form.lower[i, k], form.lower[k, i], form.mixed[k, i] = 0.0, sy, 0.0
        if bound:
            ss_bound, sy_bound, ys_free, yy_free = dots((s_bound, y_free), (old_s, old_y), n)
            form.yy_free[i, k], form.ss_bound[i, k], form.mixed[i, k] = yy_free, ss_bound, -ys_free
            if i != k:
                form.mixed[k, i] = sy_bound
        form.yy_free[k, i], form.ss_bound[k, i] = form.yy_free[i, k], form.ss_bound[i, k]


@inlined
def move_variable(pairs, form, j, free):
    """Variable j becomes free, or goes to a bound."""
    kept, sign = pairs.now[0].kept, 1.0 if free else -1.0
    form.free[j] = 1.0 if free else 0.0
    for a in range(kept):
        y, s = sign * pairs.y[a, j], sign * pairs.s[a, j]
        for b in range(kept):
            form.yy_free[a, b] += y * pairs.y[b, j]
            form.ss_bound[a, b] -= s * pairs.s[b, j]
            form.mixed[a, b] -= s * pairs.y[b, j]


@part
def factor_middle(pairs, form):
    """What `times_middle` needs. False: rounding has made the form indefinite."""
    kept, theta = pairs.now[0].kept, pairs.now[0].theta
    scale = row(form.small, 0)
    for k in range(kept):
        scale[k] = 1.0 / math.sqrt(pairs.sy[k])
    for i in range(kept):
        for k in range(kept):
            form.solved[i, k] = form.lower[i, k] * scale[k]
        for j in range(i + 1):
            form.middle[i, j] = theta * form.ss[i, j] + dot(row(form.solved, i), row(form.solved, j), kept)
    return cholesky(form.middle, kept)


@part
def times_middle(pairs, form, y_part, s_part, y_out, s_out):
    """out = M v: the solution of the equations with M^-1."""
    kept = pairs.now[0].kept
    for k in range(kept):
        y_out[k] = y_part[k] / pairs.sy[k]
    for i in range(kept):
        s_out[i] = s_part[i] + dot(row(form.lower, i), y_out, kept)
    solve_lower(form.middle, s_out, kept)
    solve_lower_transposed(form.middle, s_out, kept)
    for k in range(kept):
        y_out[k] = -y_part[k]
    for i in range(kept):
        for k in range(kept):
            y_out[k] += form.lower[i, k] * s_out[i]
    for k in range(kept):
        y_out[k] /= pairs.sy[k]


@inlined
def times_wide_transposed(pairs, x, y_out, s_out):
    """out = W' x."""
    now, n = pairs.now[0], x.size
    for k in range(now.kept):
        y_out[k], sx = dots((row(pairs.y, k), row(pairs.s, k)), (x,), n)
        s_out[k] = now.theta * sx


@inlined
def add_wide(pairs, y_part, s_part, factor, out, scratch):
    """out (D,) += factor W v; scratch (2, m)."""
    now, y_scaled, s_scaled = pairs.now[0], row(scratch, 0), row(scratch, 1)
    for k in range(now.kept):
        y_scaled[k], s_scaled[k] = factor * y_part[k], factor * now.theta * s_part[k]
    add_pairs(pairs, s_scaled, y_scaled, out)
