"""The minimum of the quadratic model over the variables that are free at the generalised Cauchy point.

The direct primal method of section 5.1 of Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16 (1995) 1190-1208, in the
symmetric form of their section 5.3: with the reduced gradient r = Z'(g + theta (x^c - x) - W M c),

    d = -(r + Z'W v / theta) / theta,   (M^-1 - W'Z Z'W / theta) v = W'Z r

and the projection of Morales and Nocedal, ACM Trans. Math. Softw. 38 (2011) 7:1-7:4.
"""

from ..calling.arguments import block, row
from ..compile.jit import compact, inlined
from ..numbers.linear_algebra import cholesky, dot, solve_lower, solve_lower_transposed
from .compact import (
    LEFT,
    MIXED,
    RIGHT,
    SOLVED,
    SS_BOUND,
    YY_FREE,
    add_wide,
    times_middle,
    times_wide_transposed,
)
from .limited_memory import SY


@compact
def minimise_subspace(x, g, box, pairs, form, point, step, trial):
    """point (D,), the Cauchy point, becomes that minimum, projected onto the box.

    step, trial (D,) are scratch; c stands in rows 0 and 1 of form.small. False: rounding has spoilt the equations.
    """
    n, theta = x.size, pairs.now[0].theta
    c_y, c_s, mc_y, mc_s = row(form.small, 0), row(form.small, 1), row(form.small, 2), row(form.small, 3)
    v_y, v_s = row(form.small, 4), row(form.small, 5)
    times_middle(pairs, form, c_y, c_s, mc_y, mc_s)
    for j in range(n):
        step[j] = g[j] + theta * (point[j] - x[j])
    add_wide(pairs, mc_y, mc_s, -1.0, step)
    for j in range(n):
        step[j] *= form.free[j]
    times_wide_transposed(pairs, step, v_y, v_s)
    if not solve_inner(pairs, form, v_y, v_s):
        return False
    add_wide(pairs, v_y, v_s, 1.0 / theta, step)
    slope = 0.0
    for j in range(n):
        step[j] *= -form.free[j] / theta
        trial[j] = min(max(point[j] + step[j], box.lower[j]), box.upper[j])
        slope += g[j] * (trial[j] - x[j])
    if slope < 0.0:
        for j in range(n):
            point[j] = trial[j]
    else:
        truncate(point, step, box)
    return True


@inlined
def truncate(point, step, box):
    """point += a step, with the greatest a <= 1 that stays in the box (5.8)."""
    longest = 1.0
    for j in range(point.size):
        if step[j] > 0.0:
            longest = min(longest, (box.upper[j] - point[j]) / step[j])
        elif step[j] < 0.0:
            longest = min(longest, (box.lower[j] - point[j]) / step[j])
    for j in range(point.size):
        point[j] = min(max(point[j] + longest * step[j], box.lower[j]), box.upper[j])


@compact
def solve_inner(pairs, form, v_y, v_s):
    """v becomes the solution of [-P, B'; B, Q] v' = v; P = D + Y_F'Y_F/theta, B = L - S_F'Y_F, Q = theta S_A'S_A.

    v_s from (Q + B P^-1 B') v_s' = v_s + B P^-1 v_y, then v_y' = P^-1 (B' v_s' - v_y). False: rounding, see above.
    """
    kept, theta, m = pairs.now[0].kept, pairs.now[0].theta, form.small.shape[1]
    squares = form.squares
    left, right, solved = block(squares, LEFT, m), block(squares, RIGHT, m), block(squares, SOLVED, m)
    mixed, yy_free, ss_bound = block(squares, MIXED, m), block(squares, YY_FREE, m), block(squares, SS_BOUND, m)
    for i in range(kept):
        for k in range(i + 1):
            left[i, k] = yy_free[i, k] / theta
        left[i, i] += pairs.vectors[SY, i]
    if not cholesky(left, kept):
        return False
    for i in range(kept):  # rows of `solved`: G^-1 B', G being the factor of P
        for k in range(kept):
            solved[i, k] = mixed[i, k]
        solve_lower(left, row(solved, i), kept)
    for i in range(kept):
        for k in range(i + 1):
            right[i, k] = theta * ss_bound[i, k] + dot(row(solved, i), row(solved, k), kept)
    if not cholesky(right, kept):
        return False
    solve_lower(left, v_y, kept)
    for i in range(kept):
        v_s[i] += dot(row(solved, i), v_y, kept)
    solve_lower(right, v_s, kept)
    solve_lower_transposed(right, v_s, kept)
    for k in range(kept):
        v_y[k] = -v_y[k]
        for i in range(kept):
            v_y[k] += solved[i, k] * v_s[i]
    solve_lower_transposed(left, v_y, kept)
    return True
